/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A thousand LUNs that come together are told together: one Changed, with all of them. */

#include "harness.h"

#define LUNS 1000
#define FLAT 0x4000 /* of a LUN above 255, as Linux prints it */
#define TARGET ((struct scsi_target_address){0, 0, 0})

static uint64_t lun_of(unsigned index) {
        return index < 256 ? index : FLAT + index;
}

static void map_all(struct harness *harness, bool attached_by_kernel) {
        struct sim_machine *machine = sim_server_lock(harness_sim(harness));

        for (unsigned i = 1; i <= LUNS; i++) {
                struct sim_unit unit = sim_disk(i);

                sim_map(machine, TARGET, lun_of(i), &unit);
        }
        if (attached_by_kernel)
                sim_kernel_scan(machine);
        sim_server_unlock(harness_sim(harness));
}

static unsigned count_devices(GVariant *paths) {
        unsigned count = 0;

        for (gsize i = 0; i < g_variant_n_children(paths); i++) {
                g_autoptr(GVariant) path = g_variant_get_child_value(paths, i);

                count += g_str_has_prefix(g_variant_get_string(path, NULL),
                                          SCSISCAN_PATH_DEVICE "/");
        }
        return count;
}

/* Of each Changed since then that has new devices: how many. */
static GArray *batches_of(struct client *client, guint from) {
        GArray *batches = g_array_new(FALSE, FALSE, sizeof(unsigned));
        int index;

        while ((index = client_signal_seen(client, from, "Changed", NULL)) >= 0) {
                g_autoptr(GDBusMessage) message = client_message(client, (guint)index);
                g_autoptr(GVariant) added =
                        g_variant_get_child_value(g_dbus_message_get_body(message), 1);
                unsigned count = count_devices(added);

                if (count > 0)
                        g_array_append_val(batches, count);
                from = (guint)index + 1;
        }
        return batches;
}

static void assert_one_batch(struct harness *harness, guint from) {
        g_autoptr(GArray) batches = NULL;

        harness_check_complete(harness);
        batches = batches_of(harness_client(harness), from);
        for (guint i = 0; i < batches->len; i++)
                g_test_message("%u devices", g_array_index(batches, unsigned, i));
        g_assert_cmpuint(batches->len, ==, 1);
        g_assert_cmpuint(g_array_index(batches, unsigned, 0), ==, LUNS);
}

/* The target tells of them, and the service attaches one after the other. */
static void test_attached(void) {
        struct harness *harness = harness_boot(machine_new(1, 1, 1));
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);

        map_all(harness, false);
        client_scan_wait(client, "0:0:0");
        assert_one_batch(harness, from);
        harness_free(harness);
}

/* The kernel has attached them, and tells of each by itself. */
static void test_followed(void) {
        struct sim_machine *machine = machine_new(1, 1, 1);
        struct harness *harness;
        struct client *client;
        guint from;

        sim_kernel_scan(machine);
        harness = harness_new(machine);
        harness_start(harness, (struct daemon_start){.mode = "observer"});
        harness_wait_ready(harness);
        client = harness_client(harness);
        harness_check(harness);
        from = client_arrived(client);
        map_all(harness, true);
        assert_one_batch(harness, from);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/batch/attached", test_attached);
        g_test_add_func("/bus/batch/followed", test_followed);
        return g_test_run();
}
