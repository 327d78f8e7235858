/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Beside a kernel that scans by itself: nothing is attached unasked, everything is followed. */

#include "harness.h"

#define SOON (1 * G_USEC_PER_SEC) /* is promised */

static const struct scsi_address by_hand = {{0, 0, 1}, 2};

static uint64_t attach_requests(struct harness *harness) {
        uint64_t count = sim_requests(sim_server_lock(harness_sim(harness)), WORKER_ATTACH);

        sim_server_unlock(harness_sim(harness));
        return count;
}

static struct harness *boot(void) {
        struct sim_machine *machine = machine_new(1, 2, 4);
        struct harness *harness;

        sim_machine_set_scan_mode(machine, "sync");
        g_assert_true(sim_attach_by_hand(machine, (struct scsi_address){{0, 0, 0}, 0}));
        g_assert_true(sim_attach_by_hand(machine, (struct scsi_address){{0, 0, 1}, 0}));
        harness = harness_new(machine);
        harness_start(harness, (struct daemon_start){.mode = "observer"});
        harness_wait_ready(harness);
        harness_check(harness);
        return harness;
}

/* What a target reports is shown, and left to others. */
static void test_leaves(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        g_autofree char *seen = harness_seen(harness);
        g_autofree char *mode =
                client_get_text(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Mode");
        g_autofree char *kernel =
                client_get_text(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "KernelScanMode");
        g_autoptr(GVariant) luns =
                client_get(client, TARGET_PATH("0_0_0"), SCSISCAN_INTERFACE_TARGET, "Luns");

        g_assert_cmpstr(seen, ==, "0:0:0:0\n0:0:1:0\n");
        g_assert_cmpstr(mode, ==, "observer");
        g_assert_cmpstr(kernel, ==, "sync");
        g_assert_cmpuint(g_variant_n_children(luns), ==, 4);
        for (gsize i = 0; i < 4; i++) {
                const char *disposition;

                g_variant_get_child(luns, i, "(&s&s&s&s)", NULL, NULL, &disposition, NULL);
                g_assert_cmpstr(disposition, ==, i == 0 ? "attached" : "observed");
        }
        g_assert_cmpuint(attach_requests(harness), ==, 0);
        harness_free(harness);
}

/* It is told of, and the kernel's own business. */
static void test_unit_attention(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);
        const struct sim_unit disk = sim_disk(77);
        struct sim_machine *machine = sim_server_lock(harness_sim(harness));

        sim_map(machine, (struct scsi_target_address){0, 0, 0}, 9, &disk);
        sim_touch(machine, (struct scsi_address){{0, 0, 0}, 0});
        sim_server_unlock(harness_sim(harness));
        (void)client_signal(client, from, "PropertiesChanged",
                            "{'LastUnitAttention': <'reported-luns-data-has-changed'>}");
        g_assert_cmpuint(attach_requests(harness), ==, 0);
        harness_check(harness);
        harness_free(harness);
}

static void test_follows(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);

        for (unsigned i = 0; i < 10; i++) {
                guint from = client_arrived(client);
                gint64 begun = g_get_monotonic_time();
                struct sim_machine *machine = sim_server_lock(harness_sim(harness));
                bool attach = !sim_is_attached(machine, by_hand);

                if (attach)
                        g_assert_true(sim_attach_by_hand(machine, by_hand));
                else
                        sim_detach_by_hand(machine, by_hand);
                sim_server_unlock(harness_sim(harness));
                (void)client_signal(client, from, attach ? "Attached" : "Detached", "'0:0:1:2'");
                g_assert_cmpint(g_get_monotonic_time() - begun, <, SOON);
                harness_check(harness);
        }
        g_assert_cmpuint(attach_requests(harness), ==, 0);
        harness_free(harness);
}

static void test_asked(void) {
        struct harness *harness = boot();

        client_scan_wait(harness_client(harness), "");
        harness_check_complete(harness);
        g_assert_cmpuint(attach_requests(harness), >=, 6);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/observer/leaves", test_leaves);
        g_test_add_func("/bus/observer/unit-attention", test_unit_attention);
        g_test_add_func("/bus/observer/follows", test_follows);
        g_test_add_func("/bus/observer/asked", test_asked);
        return g_test_run();
}
