/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workers that die, a kernel that hangs, events that get lost: the rest goes on, and in the end
 * nothing is missing. */

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "harness.h"
#include "mirror.h"

#define KILLS 5
/* The time that a command has (10 s), the deadline beyond it, and the 5 s within which it shows. */
#define DEADLINE 1
#define STUCK_WITHIN ((10 + DEADLINE + 5) * G_USEC_PER_SEC)
#define AT_ONCE (2 * G_USEC_PER_SEC)

static void delay_host(struct harness *harness, uint32_t host, uint32_t targets,
                       uint32_t milliseconds) {
        struct sim_machine *machine = sim_server_lock(harness_sim(harness));

        for (uint32_t id = 0; id < targets; id++)
                sim_set_target_delay(machine, (struct scsi_target_address){host, 0, id},
                                     milliseconds);
        sim_server_unlock(harness_sim(harness));
}

static bool is_stuck(struct harness *harness, const char *host) {
        return client_get_flag(harness_client(harness), host, SCSISCAN_INTERFACE_HOST, "Stuck");
}

static bool object_exists(struct client *client, const char *path) {
        g_auto(GStrv) all = client_find(client, "");

        return g_strv_contains((const char *const *)all, path);
}

static GVariant *scan_arguments(const char *scope, const char *options) {
        return g_variant_new("(s@a{sv})", scope, client_options(options));
}

static void test_worker_killed(void) {
        struct harness *harness = harness_new(machine_new(2, 2, 16));
        struct client *client = harness_client(harness);
        unsigned killed = 0;

        delay_host(harness, 0, 2, 20);
        harness_start(harness, (struct daemon_start){});
        for (unsigned i = 0; i < KILLS; i++) {
                UNTIL(sim_server_held(harness_sim(harness), 0) > 0);
                killed += sim_server_kill_relay(harness_sim(harness), 0);
        }
        harness_wait_ready(harness);
        harness_check_complete(harness);
        g_assert_cmpuint(killed, ==, KILLS);
        g_assert_cmpuint(client_get_number(client, "workers-died"), ==, KILLS);
        g_assert_cmpuint(client_get_number(client, "workers-started"), ==, KILLS + 2);
        g_assert_cmpuint(client_get_number(client, "retries"), >=, KILLS);
        harness_wait_log(harness, "host0: its worker ended with");
        harness_free(harness);
}

/* A LUN of which the worker dies each time: it is given up, the others are not. */
static void test_deadly_lun(void) {
        struct sim_machine *machine = machine_new(1, 2, 4);
        const struct scsi_address deadly = {{0, 0, 0}, 2};
        struct harness *harness;

        sim_set_lun_manner(machine, deadly, SIM_DIES);
        harness = harness_boot(machine);
        harness_check(harness);
        machine = sim_server_lock(harness_sim(harness));
        g_assert_false(sim_is_attached(machine, deadly));
        sim_set_lun_manner(machine, deadly, SIM_NORMAL);
        sim_server_unlock(harness_sim(harness));
        g_assert_cmpuint(client_get_number(harness_client(harness), "workers-died"), >, 0);
        client_scan_wait(harness_client(harness), "0:0:0");
        harness_check_complete(harness);
        harness_free(harness);
}

static void others_are_served(struct harness *harness) {
        struct client *client = harness_client(harness);
        gint64 begun = g_get_monotonic_time();

        client_scan_wait(client, "host1");
        g_variant_unref(client_call(client, SCSISCAN_PATH, BUS_INTERFACE ".Peer", "Ping", NULL));
        g_assert_true(client_settle(client, "host1", CLIENT_PATIENCE));
        g_assert_cmpint(g_get_monotonic_time() - begun, <, AT_ONCE);
}

/* The stand-in for a worker can be killed, other than one that sits in the kernel: so the host is
 * stuck for a moment only. */
static void test_hang(void) {
        struct harness *harness = harness_new(machine_new(2, 1, 4));
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);
        gint64 begun;

        harness_start(harness, (struct daemon_start){.deadline = DEADLINE});
        harness_wait_ready(harness);
        sim_server_hang_host(harness_sim(harness), 0, true);
        begun = g_get_monotonic_time();
        g_free(client_scan(client, "host0", NULL));
        others_are_served(harness);
        client_refuses(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                       scan_arguments("0:0:0", "{'wait': <true>}"), SCSISCAN_ERROR_HOST_STUCK,
                       "Job");
        (void)client_signal(client, from, "PropertiesChanged", "{'Stuck': <true>}");
        g_assert_cmpint(g_get_monotonic_time() - begun, <, STUCK_WITHIN);
        harness_wait_log(harness, "host0 is stuck");
        others_are_served(harness);
        g_assert_cmpuint(client_get_number(client, "workers-stuck"), >, 0);
        sim_server_hang_host(harness_sim(harness), 0, false);
        UNTIL(!is_stuck(harness, HOST_PATH("0")));
        client_scan_wait(client, "host0");
        harness_check_complete(harness);
        harness_free(harness);
}

/* An earlier worker is still in the kernel: that is what the lock says. Nothing else can be known
 * of its host before it has left. */
static void test_locked(gconstpointer mode) {
        struct sim_machine *machine = machine_new(2, 1, 4);
        struct harness *harness;
        struct client *client;
        g_autofree char *lock = NULL, *seen = NULL;
        int fd;

        if (mode)
                sim_kernel_scan(machine);
        harness = harness_new(machine);
        client = harness_client(harness);
        lock = harness_runtime_path(harness, "host0.lock");
        fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(flock(fd, LOCK_EX | LOCK_NB), ==, 0);
        harness_start(harness, (struct daemon_start){.deadline = DEADLINE, .mode = mode});
        harness_wait_ready(harness);
        harness_wait_log(harness, "host0: stuck: an earlier worker is still in the kernel");
        others_are_served(harness);
        seen = harness_seen(harness);
        g_assert_cmpstr(seen, ==, "1:0:0:0\n1:0:0:1\n1:0:0:2\n1:0:0:3\n");
        g_assert_cmpuint(client_get_number(client, "workers-stuck"), >, 0);
        g_assert_true(is_stuck(harness, HOST_PATH("0")));
        close(fd);
        UNTIL(object_exists(client, DEVICE_PATH("0_0_0_3")));
        g_assert_false(is_stuck(harness, HOST_PATH("0")));
        harness_wait_log(harness, "notice: host0 is served again");
        g_assert_cmpuint(harness_count_log(harness, "notice: host0"), ==, 1);
        harness_check_complete(harness);
        harness_free(harness);
}

static void test_end_while_hanging(void) {
        struct harness *harness = harness_boot(machine_new(2, 1, 4));

        sim_server_hang_host(harness_sim(harness), 0, true);
        g_free(client_scan(harness_client(harness), "", NULL));
        UNTIL(sim_server_held(harness_sim(harness), 0) > 0);
        g_assert_cmpint(harness_stop(harness), <, AT_ONCE);
        sim_server_hang_host(harness_sim(harness), 0, false);
        harness_start(harness, (struct daemon_start){});
        harness_wait_ready(harness);
        harness_check_complete(harness);
        harness_free(harness);
}

/* What nobody told of is found by a scan, and what came and went is told of in order. */
static void test_lost_events(void) {
        struct harness *harness = harness_boot(machine_new(1, 2, 4));
        struct client *client = harness_client(harness);
        struct mirror *mirror = mirror_new(client);
        const struct sim_unit disk = sim_disk(99);
        struct sim_machine *machine;

        harness_check_complete(harness);
        mirror_check(mirror);
        sim_server_mute_uevents(harness_sim(harness), true);
        machine = sim_server_lock(harness_sim(harness));
        sim_detach_by_hand(machine, (struct scsi_address){{0, 0, 0}, 1});
        sim_detach_by_hand(machine, (struct scsi_address){{0, 0, 1}, 3});
        g_assert_true(sim_attach_by_hand(machine, (struct scsi_address){{0, 0, 1}, 3}));
        sim_map(machine, (struct scsi_target_address){0, 0, 1}, 7, &disk);
        g_assert_true(sim_attach_by_hand(machine, (struct scsi_address){{0, 0, 1}, 7}));
        sim_server_unlock(harness_sim(harness));
        client_scan_wait(client, "");
        harness_check_complete(harness);
        mirror_check(mirror);
        mirror_free(mirror);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/faults/worker-killed", test_worker_killed);
        g_test_add_func("/bus/faults/deadly-lun", test_deadly_lun);
        g_test_add_func("/bus/faults/hang", test_hang);
        g_test_add_data_func("/bus/faults/locked-owner", NULL, test_locked);
        g_test_add_data_func("/bus/faults/locked-observer", "observer", test_locked);
        g_test_add_func("/bus/faults/end-while-hanging", test_end_while_hanging);
        g_test_add_func("/bus/faults/lost-events", test_lost_events);
        return g_test_run();
}
