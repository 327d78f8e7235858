/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>

#include "scan/event.h"
#include "scan/facts.h"
#include "scan/step.h"
#include "util/cleanup.h"

static void test_transport(void) {
        static const struct {
                enum transport transport;
                const char *name;
                bool lists_ports;
        } table[] = {
                {TRANSPORT_UNKNOWN, "unknown", false},
                {TRANSPORT_FC, "fc", true},
                {TRANSPORT_SAS, "sas", true},
                {TRANSPORT_ISCSI, "iscsi", true},
                {TRANSPORT_SRP, "srp", false},
                {TRANSPORT_SPI, "spi", false},
                {TRANSPORT_USB, "usb", false},
                {TRANSPORT_ATA, "ata", false},
                {TRANSPORT_VIRTIO, "virtio", false},
                {TRANSPORT_PSEUDO, "pseudo", false},
                {(enum transport)200, "unknown", false},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                g_test_message("%s", table[i].name);
                g_assert_cmpstr(transport_name(table[i].transport), ==, table[i].name);
                g_assert_true(transport_lists_ports(table[i].transport) == table[i].lists_ports);
        }
}

static void test_words(void) {
        g_assert_cmpstr(standing_name(STANDING_UNVERIFIED), ==, "unverified");
        g_assert_cmpstr(standing_name(STANDING_PRESENT), ==, "present");
        g_assert_cmpstr(standing_name(STANDING_MISSING), ==, "missing");
        g_assert_cmpstr(standing_name(STANDING_REPLACED), ==, "replaced");

        g_assert_cmpstr(unit_attention_name(ATTENTION_NONE), ==, "");
        g_assert_cmpstr(unit_attention_name(ATTENTION_REPORTED_LUNS), ==,
                        "reported-luns-data-has-changed");
        g_assert_cmpstr(unit_attention_name(ATTENTION_INQUIRY), ==, "inquiry-data-has-changed");
        g_assert_cmpstr(unit_attention_name(ATTENTION_CAPACITY), ==, "capacity-data-has-changed");
        g_assert_cmpstr(unit_attention_name(ATTENTION_ACCESS_STATE), ==,
                        "asymmetric-access-state-changed");
        g_assert_cmpstr(unit_attention_name(ATTENTION_MODE_PARAMETERS), ==,
                        "mode-parameters-changed");
        g_assert_cmpstr(unit_attention_name(ATTENTION_POWER_ON_RESET), ==,
                        "power-on-reset-occurred");
        g_assert_cmpstr(unit_attention_name(ATTENTION_SOFT_THRESHOLD), ==,
                        "thin-provisioning-soft-threshold-reached");
        g_assert_cmpstr(unit_attention_name(ATTENTION_MEDIA_CHANGE), ==, "media-change");
}

/* Only what brings the kernel to change something needs its host alone. */
static void test_step_writes(void) {
        for (unsigned i = 0; i < STEP_KINDS; i++) {
                enum step_kind kind = i;

                g_test_message("%s", step_kind_name(kind));
                g_assert_cmpstr(step_kind_name(kind), !=, "");
                g_assert_true(
                        step_kind_writes(kind) ==
                        (kind == STEP_ATTACH || kind == STEP_SCAN_TARGET || kind == STEP_DETACH));
        }
}

static void hold(struct device_facts *facts, const char *a, const char *b) {
        facts->holders[0] = g_strdup(a);
        facts->holders[1] = a ? g_strdup(b) : NULL;
}

static void test_holders_equal(void) {
        static const struct {
                const char *a[2], *b[2];
                bool equal;
        } table[] = {
                {{NULL}, {NULL}, true},
                {{"dm-0"}, {"dm-0"}, true},
                {{"dm-0", "/home"}, {"dm-0", "/home"}, true},
                {{"dm-0"}, {NULL}, false},
                {{NULL}, {"dm-0"}, false},
                {{"dm-0"}, {"dm-1"}, false},
                {{"dm-0"}, {"dm-0", "/home"}, false},
                {{"dm-0", "/home"}, {"dm-0"}, false},
                {{"dm-0", "/home"}, {"dm-0", "/srv"}, false},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                struct device_facts a = {}, b = {};

                g_test_message("row %zu", i);
                hold(&a, table[i].a[0], table[i].a[1]);
                hold(&b, table[i].b[0], table[i].b[1]);
                g_assert_true(device_facts_holders_equal(&a, &b) == table[i].equal);
                g_assert_true(device_facts_holders_equal(&b, &a) == table[i].equal);
                device_facts_done(&a);
                device_facts_done(&b);
        }
}

static void test_holders_most(void) {
        struct device_facts a = {}, b = {};

        for (size_t i = 0; i < FACT_HOLDERS_MAX; i++) {
                a.holders[i] = g_strdup_printf("dm-%zu", i);
                b.holders[i] = g_strdup_printf("dm-%zu", i);
        }
        g_assert_true(device_facts_holders_equal(&a, &b));
        g_free(b.holders[FACT_HOLDERS_MAX - 1]);
        b.holders[FACT_HOLDERS_MAX - 1] = g_strdup("md0");
        g_assert_false(device_facts_holders_equal(&a, &b));
        device_facts_done(&a);
        device_facts_done(&b);
}

/* What was given up is empty, and may be given up again. */
static void test_done(void) {
        struct host_facts host = {.ports = calloc(2, sizeof(struct port_facts)), .port_count = 2};
        struct device_facts device = {};

        hold(&device, "dm-0", "swap");
        for (int i = 0; i < 2; i++) {
                host_facts_done(&host);
                device_facts_done(&device);
                g_assert_null(host.ports);
                g_assert_cmpuint(host.port_count, ==, 0);
                g_assert_null(device.holders[0]);
                g_assert_null(device.holders[1]);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/scan/facts/transport", test_transport);
        g_test_add_func("/scan/facts/words", test_words);
        g_test_add_func("/scan/facts/step-writes", test_step_writes);
        g_test_add_func("/scan/facts/holders-equal", test_holders_equal);
        g_test_add_func("/scan/facts/holders-most", test_holders_most);
        g_test_add_func("/scan/facts/done", test_done);
        return g_test_run();
}
