/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Targets that say anything at all, and a machine with very many of them. */

#include <string.h>

#include "harness.h"
#include "mirror.h"

#define ODD_UNITS 64
#define MANY_HOSTS 2
#define MANY_TARGETS 8
#define MANY_LUNS 256

static void fill(GRand *random, char *text, size_t length) {
        for (size_t i = 0; i < length; i++)
                text[i] = (char)g_rand_int_range(random, 0, 256);
}

/* Every byte there is, also in names that end nowhere and designators that are none. */
static struct sim_unit odd_unit(GRand *random, uint32_t number) {
        struct sim_unit unit = sim_disk(number);

        fill(random, unit.vendor, sizeof(unit.vendor) - 1);
        fill(random, unit.model, sizeof(unit.model) - 1);
        fill(random, unit.revision, sizeof(unit.revision) - 1);
        fill(random, unit.serial, sizeof(unit.serial) - 1);
        if (number % 2 == 0)
                return unit;
        unit.naa = 0;
        unit.designators_length = (uint16_t)g_rand_int_range(random, 1, 250);
        fill(random, (char *)unit.designators, unit.designators_length);
        if (number % 4 == 1) {
                /* One of T10's (type 1, ASCII), that is random only in what it says. */
                unit.designators[0] = 2;
                unit.designators[1] = 1;
                unit.designators[2] = 0;
                unit.designators[3] = (uint8_t)(unit.designators_length = 44) - 4;
        }
        return unit;
}

/* GDBus leaves the bus on text that is not UTF-8, and so would the bus leave the service. */
static void introspect(struct harness *harness) {
        g_auto(GStrv) paths = client_find(harness_client(harness), "");

        for (char **path = paths; *path; path++)
                g_variant_unref(client_call(harness_client(harness), *path,
                                            BUS_INTERFACE ".Introspectable", "Introspect", NULL));
        g_assert_true(client_is_connected(harness_client(harness)));
}

static void test_odd_texts(void) {
        guint32 seed = g_test_rand_int();
        g_autoptr(GRand) random = g_rand_new_with_seed(seed);
        struct sim_machine *machine = machine_new(1, 1, 1);
        struct harness *harness;
        struct mirror *mirror;

        g_test_message("seed %u", seed);
        for (uint32_t i = 1; i < ODD_UNITS; i++) {
                struct sim_unit unit = odd_unit(random, i);

                sim_map(machine, (struct scsi_target_address){0, 0, 0}, i, &unit);
        }
        harness = harness_new(machine);
        harness_start(harness, (struct daemon_start){});
        UNTIL(client_sees_service(harness_client(harness)));
        mirror = mirror_new(harness_client(harness));
        harness_wait_ready(harness);
        harness_check_complete(harness);
        mirror_check(mirror);
        introspect(harness);
        mirror_free(mirror);
        harness_free(harness);
}

static unsigned count_kind(struct harness *harness, const char *prefix) {
        g_auto(GStrv) paths = client_find(harness_client(harness), "");
        unsigned count = 0;

        for (char **path = paths; *path; path++)
                count += g_str_has_prefix(*path, prefix);
        return count;
}

static void test_many(void) {
        struct harness *harness = harness_new(machine_new(MANY_HOSTS, MANY_TARGETS, MANY_LUNS));
        const unsigned devices = MANY_HOSTS * MANY_TARGETS * MANY_LUNS;
        struct mirror *mirror;

        harness_start(harness, (struct daemon_start){});
        UNTIL(client_sees_service(harness_client(harness)));
        mirror = mirror_new(harness_client(harness));
        harness_wait_ready(harness);
        harness_check_complete(harness);
        mirror_check(mirror);
        g_assert_cmpuint(count_kind(harness, SCSISCAN_PATH_DEVICE "/"), ==, devices);
        g_assert_cmpuint(count_kind(harness, SCSISCAN_PATH_UNIT "/"), ==, devices);
        g_assert_cmpuint(mirror_objects(mirror), >, 2 * devices);
        g_test_message("%u batches", mirror_batches(mirror));
        client_scan_wait(harness_client(harness), "");
        harness_check_complete(harness);
        mirror_check(mirror);
        mirror_free(mirror);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/extremes/odd-texts", test_odd_texts);
        g_test_add_func("/bus/extremes/many", test_many);
        return g_test_run();
}
