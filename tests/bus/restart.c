/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bus goes and comes, and so does the daemon: each finds the other, and the machine as it is.
 */

#include "harness.h"
#include "mirror.h"

/* A second is promised; the bus and this machine need some of their own. */
#define SOON (3 * G_USEC_PER_SEC)
#define AT_ONCE (2 * G_USEC_PER_SEC)

static const struct scsi_address first = {{0, 0, 0}, 0}, last = {{0, 0, 1}, 3};

static void detach(struct harness *harness, struct scsi_address address) {
        sim_detach_by_hand(sim_server_lock(harness_sim(harness)), address);
        sim_server_unlock(harness_sim(harness));
}

/* What happens in between is not missed. */
static void test_bus_restarts(void) {
        struct harness *harness = harness_boot(machine_new(2, 2, 4));

        for (uint32_t lun = 0; lun < 3; lun++) {
                gint64 begun;

                harness_check(harness);
                harness_bus_stop(harness);
                harness_wait_log(harness, "Lost the system bus");
                detach(harness, (struct scsi_address){{1, 0, 1}, lun});
                g_usleep(lun * G_USEC_PER_SEC);
                harness_bus_start(harness);
                begun = g_get_monotonic_time();
                UNTIL(client_sees_service(harness_client(harness)));
                g_assert_cmpint(g_get_monotonic_time() - begun, <, SOON);
                harness_wait_ready(harness);
                harness_check(harness);
        }
        harness_free(harness);
}

/* Callers that wait when the bus goes hear nothing more, and the next ones are served. */
static void test_bus_restarts_in_scan(void) {
        struct harness *harness = harness_boot(machine_new(1, 2, 4));
        struct client *client = harness_client(harness);
        struct mirror *mirror;

        sim_set_target_delay(sim_server_lock(harness_sim(harness)), first.target, 300);
        sim_server_unlock(harness_sim(harness));
        detach(harness, last);
        g_free(client_scan(client, "", NULL));
        (void)client_send(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Settle",
                          g_variant_new("(st)", "", G_MAXUINT64));
        harness_bus_stop(harness);
        harness_bus_start(harness);
        UNTIL(client_sees_service(harness_client(harness)));
        mirror = mirror_new(harness_client(harness));
        harness_check_complete(harness);
        mirror_check(mirror);
        mirror_free(mirror);
        harness_free(harness);
}

static bool is_attached(struct harness *harness, struct scsi_address address) {
        bool attached = sim_is_attached(sim_server_lock(harness_sim(harness)), address);

        sim_server_unlock(harness_sim(harness));
        return attached;
}

static bool objects_are_there(struct client *client, const char *job) {
        g_autoptr(GVariant) reply =
                client_call(client, SCSISCAN_PATH, MANAGER_INTERFACE, "GetManagedObjects", NULL);
        g_autoptr(GVariant) objects = g_variant_get_child_value(reply, 0);
        g_autoptr(GVariant) first_one =
                g_variant_lookup_value(objects, DEVICE_PATH("0_0_0_0"), NULL);
        g_autoptr(GVariant) job_object = g_variant_lookup_value(objects, job, NULL);

        return first_one && job_object;
}

/* Only those who watched hear nothing of it for a moment: the scan that was under way is not begun
 * anew, and ends under its name. */
static void test_job_goes_on(void) {
        struct harness *harness = harness_boot(machine_new(1, 1, 4));
        struct client *client = harness_client(harness);
        g_autofree char *job = NULL, *state = NULL, *result = NULL;
        g_autoptr(GVariant) started = NULL, started_after = NULL;
        gint64 begun;

        detach(harness, (struct scsi_address){first.target, 3});
        harness_check(harness);
        sim_set_target_delay(sim_server_lock(harness_sim(harness)), first.target, 1500);
        sim_server_unlock(harness_sim(harness));
        job = client_scan(client, "", NULL);
        started = client_get(client, job, SCSISCAN_INTERFACE_JOB, "StartTime");
        harness_bus_stop(harness);
        harness_wait_log(harness, "Lost the system bus");
        harness_bus_start(harness);
        begun = g_get_monotonic_time();
        client = harness_client(harness);
        UNTIL(client_sees_service(client));
        g_assert_true(objects_are_there(client, job));
        g_assert_cmpint(g_get_monotonic_time() - begun, <, SOON);
        state = client_get_text(client, job, SCSISCAN_INTERFACE_JOB, "State");
        g_assert_cmpstr(state, ==, "running");
        g_variant_unref(client_call(client, job, SCSISCAN_INTERFACE_JOB, "Wait", NULL));
        result = client_get_text(client, job, SCSISCAN_INTERFACE_JOB, "Result");
        g_assert_cmpstr(result, ==, "done");
        started_after = client_get(client, job, SCSISCAN_INTERFACE_JOB, "StartTime");
        g_assert_true(g_variant_equal(started, started_after));
        harness_check_complete(harness);
        harness_free(harness);
}

/* The scan does not wait for a bus. */
static void test_no_bus(void) {
        struct harness *harness = harness_new(machine_new(1, 2, 4));
        gint64 begun;

        harness_bus_stop(harness);
        harness_start(harness, (struct daemon_start){});
        harness_wait_log(harness, "No system bus yet");
        harness_wait_log(harness, "ready: 8 devices\n");
        g_assert_true(is_attached(harness, last));
        harness_bus_start(harness);
        begun = g_get_monotonic_time();
        UNTIL(client_sees_service(harness_client(harness)));
        g_assert_cmpint(g_get_monotonic_time() - begun, <, SOON);
        harness_wait_ready(harness);
        harness_check_complete(harness);
        harness_free(harness);
}

static void test_end_without_bus(void) {
        struct harness *harness = harness_boot(machine_new(1, 2, 4));

        harness_bus_stop(harness);
        harness_wait_log(harness, "Lost the system bus");
        g_assert_cmpint(harness_stop(harness), <, AT_ONCE);
        harness_free(harness);
}

static void delay_all(struct harness *harness, uint32_t milliseconds) {
        struct sim_machine *machine = sim_server_lock(harness_sim(harness));

        sim_set_target_delay(machine, first.target, milliseconds);
        sim_set_target_delay(machine, last.target, milliseconds);
        sim_server_unlock(harness_sim(harness));
}

static void test_end_in_scan(void) {
        struct harness *harness = harness_new(machine_new(1, 2, 64));

        delay_all(harness, 20);
        harness_start(harness, (struct daemon_start){});
        UNTIL(is_attached(harness, (struct scsi_address){first.target, 3}));
        g_assert_cmpint(harness_stop(harness), <, AT_ONCE);
        g_assert_false(is_attached(harness, (struct scsi_address){first.target, 63}));
        g_assert_false(client_sees_service(harness_client(harness)));
        delay_all(harness, 0);
        harness_start(harness, (struct daemon_start){});
        harness_wait_ready(harness);
        harness_check_complete(harness);
        harness_free(harness);
}

/* Nothing changes for those who are there already, but the names of what they know. */
static void test_starts_again(void) {
        struct harness *harness = harness_boot(machine_new(2, 2, 4));
        g_autofree char *before = harness_seen(harness);

        for (unsigned i = 0; i < 3; i++) {
                g_autofree char *after = NULL;

                g_assert_cmpint(harness_stop(harness), <, AT_ONCE);
                harness_start(harness, (struct daemon_start){});
                harness_wait_ready(harness);
                harness_check_complete(harness);
                after = harness_seen(harness);
                g_assert_cmpstr(after, ==, before);
        }
        harness_free(harness);
}

/* What was read of the run before is not to be gone on with, and says so by its number. */
static void assert_starts_over(struct client *client, guint64 before) {
        g_autoptr(GVariant) reply = client_call(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY,
                                                "GetChanges", g_variant_new("(t)", before));
        guint64 generation;
        gboolean complete;

        g_variant_get(reply, "(tb@a(tsoa{sv}))", &generation, &complete, NULL);
        g_assert_cmpuint(generation, >, before);
        g_assert_false(complete);
}

/* Killed in the middle of a scan: who watched hears of nothing that is gone, and sees the same
 * objects again, of a later generation. */
static void test_killed_in_scan(void) {
        struct harness *harness = harness_boot(machine_new(2, 2, 4));
        struct client *client = harness_client(harness);
        g_autofree char *before = harness_seen(harness);

        for (unsigned i = 0; i < 3; i++) {
                guint from = client_arrived(client);
                guint64 generation;
                g_autofree char *after = NULL;

                delay_all(harness, 300);
                g_free(client_scan(client, "", NULL));
                (void)client_signal(client, from, "Started", NULL);
                generation = client_get_number(client, "Generation");
                harness_kill(harness);
                delay_all(harness, 0);
                harness_start(harness, (struct daemon_start){});
                harness_wait_ready(harness);
                harness_check_complete(harness);
                after = harness_seen(harness);
                g_assert_cmpstr(after, ==, before);
                assert_starts_over(client, generation);
                g_assert_cmpint(client_signal_seen(client, from, "Detached", NULL), ==, -1);
                g_assert_cmpint(client_signal_seen(client, from, "InterfacesRemoved", NULL), ==,
                                -1);
        }
        harness_free(harness);
}

/* Killed as soon as it has told of it: what it stopped it knows to be stopped. */
static void test_killed_when_replaced(void) {
        struct harness *harness = harness_boot(machine_new(1, 1, 4));
        struct client *client = harness_client(harness);
        struct sim_unit other = sim_disk(99);
        struct sim_machine *machine;
        g_autofree char *standing = NULL;
        guint from = client_arrived(client);

        g_assert_true(client_settle(client, "", CLIENT_PATIENCE / 2));
        machine = sim_server_lock(harness_sim(harness));
        sim_set_holder(machine, first, "dm-0");
        sim_map(machine, first.target, first.lun, &other);
        sim_server_unlock(harness_sim(harness));
        g_free(client_scan(client, "", NULL));
        (void)client_signal(client, from, "Replaced", "0_0_0_0");
        harness_kill(harness);
        harness_start(harness, (struct daemon_start){});
        harness_wait_ready(harness);
        harness_check(harness);
        standing = client_get_text(client, DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE,
                                   "Standing");
        g_assert_cmpstr(standing, ==, "replaced");
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/restart/bus-restarts", test_bus_restarts);
        g_test_add_func("/bus/restart/bus-restarts-in-scan", test_bus_restarts_in_scan);
        g_test_add_func("/bus/restart/job-goes-on", test_job_goes_on);
        g_test_add_func("/bus/restart/no-bus", test_no_bus);
        g_test_add_func("/bus/restart/end-without-bus", test_end_without_bus);
        g_test_add_func("/bus/restart/end-in-scan", test_end_in_scan);
        g_test_add_func("/bus/restart/starts-again", test_starts_again);
        g_test_add_func("/bus/restart/killed-in-scan", test_killed_in_scan);
        g_test_add_func("/bus/restart/killed-when-replaced", test_killed_when_replaced);
        return g_test_run();
}
