/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Leases outlive the service where systemd keeps what they are: a run that ends, however it does,
 * takes none of them along, and the next one believes nothing that is not a lease. */

#include <fcntl.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dbus/leases.h"
#include "fake_polkit.h"
#include "harness.h"
#include "holder.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define ALL "0:0:0:0\n0:0:0:1\n0:0:1:0\n0:0:1:1\n"

static const struct scsi_address first_disk = {{0, 0, 0}, 1}, second_disk = {{0, 0, 1}, 1};

struct stage {
        struct harness *harness;
        struct keeper *keeper;
};

static struct stage stage_new(void) {
        struct stage stage = {.harness = harness_new(machine_new(1, 2, 2))};
        g_autofree char *path = harness_runtime_path(stage.harness, "notify");

        stage.keeper = keeper_new(path);
        return stage;
}

static void stage_start(struct stage *stage) {
        harness_start(stage->harness, (struct daemon_start){.keeper = stage->keeper});
        harness_wait_ready(stage->harness);
}

static void stage_free(struct stage *stage) {
        harness_free(stage->harness);
        keeper_free(stage->keeper);
}

static void detach(struct stage *stage, struct scsi_address address) {
        sim_detach_by_hand(sim_server_lock(harness_sim(stage->harness)), address);
        sim_server_unlock(harness_sim(stage->harness));
}

static void delay_all(struct stage *stage, uint32_t milliseconds) {
        struct sim_machine *machine = sim_server_lock(harness_sim(stage->harness));

        sim_set_target_delay(machine, first_disk.target, milliseconds);
        sim_set_target_delay(machine, second_disk.target, milliseconds);
        sim_server_unlock(harness_sim(stage->harness));
}

static void assert_seen(struct stage *stage, const char *wanted) {
        g_autofree char *seen = NULL;

        harness_check(stage->harness);
        seen = harness_seen(stage->harness);
        g_assert_cmpstr(seen, ==, wanted);
}

/* ---- what is kept ---- */

/* A holder has a device, another an identity; what they cover is gone, and still mapped. */
struct holders {
        GDBusConnection *connection;
        int device, unit;
};

#define DEVICE_LEASE "('0:0:1:1', 'test', 'to see', uint32 0)"
#define BOTH_LEASES "[" DEVICE_LEASE ", ('naa.5000c50000000001', 'test', 'to see', 0)]"

static struct holders holders_new(struct stage *stage) {
        GDBusConnection *connection = holder_join(stage->harness, 0);
        struct holders holders = {
                .connection = connection,
                .device = holder_inhibit(connection, "0:0:1:1", 0),
                .unit = holder_inhibit(connection, "naa.5000c50000000001", LEASE_TIMEOUT_MAX),
        };

        UNTIL(keeper_count(stage->keeper, NULL) == 4);
        g_assert_cmpuint(keeper_count(stage->keeper, "lease-1"), ==, 2);
        detach(stage, first_disk);
        detach(stage, second_disk);
        assert_seen(stage, "0:0:0:0\n0:0:1:0\n");
        holder_assert_leases(stage->harness, BOTH_LEASES);
        return holders;
}

static void assert_held(struct stage *stage, const struct holders *holders) {
        holder_assert_leases(stage->harness, BOTH_LEASES);
        assert_seen(stage, "0:0:0:0\n0:0:1:0\n");
        g_assert_false(holder_is_over(holders->device));
        g_assert_false(holder_is_over(holders->unit));
        g_assert_cmpuint(keeper_count(stage->keeper, NULL), ==, 4);
}

/* Both are given back, and end as any lease does. */
static void holders_free(struct stage *stage, struct holders *holders) {
        struct client *client = harness_client(stage->harness);
        guint from = client_arrived(client);

        close(holders->unit);
        (void)client_signal(client, from, "PropertiesChanged", "'Leases': <[" DEVICE_LEASE "]>");
        (void)client_signal(client, from, "Started", "'resync'");
        (void)client_signal(client, from, "Attached", "'naa.5000c50000000001'");
        UNTIL(keeper_count(stage->keeper, "lease-2") == 0);
        assert_seen(stage, "0:0:0:0\n0:0:0:1\n0:0:1:0\n");
        close(holders->device);
        UNTIL(holder_has_leases(stage->harness, NO_LEASES));
        harness_check_complete(stage->harness);
        UNTIL(keeper_count(stage->keeper, NULL) == 0);
        holder_leave(holders->connection);
}

/* More than once: what is read of a lease is there to be read again. */
static void test_killed_in_scan(void) {
        struct stage stage = stage_new();
        struct holders holders;

        stage_start(&stage);
        holders = holders_new(&stage);
        for (int round = 0; round < 3; round++) {
                struct client *client = harness_client(stage.harness);
                guint from = client_arrived(client);

                delay_all(&stage, 300);
                g_free(client_scan(client, "", NULL));
                (void)client_signal(client, from, "Started", NULL);
                harness_kill(stage.harness);
                delay_all(&stage, 0);
                from = client_arrived(client);
                stage_start(&stage);
                assert_held(&stage, &holders);
                g_assert_cmpint(client_signal_seen(client, from, "Attached", ":1', 'naa"), ==, -1);
        }
        holders_free(&stage, &holders);
        stage_free(&stage);
}

/* As systemctl restart does it. */
static void test_stopped(void) {
        struct stage stage = stage_new();
        struct holders holders;

        stage_start(&stage);
        holders = holders_new(&stage);
        (void)harness_stop(stage.harness);
        stage_start(&stage);
        assert_held(&stage, &holders);
        holders_free(&stage, &holders);
        stage_free(&stage);
}

/* The next lease is none of those that are kept, and is shown behind them. */
static void test_next(void) {
        struct stage stage = stage_new();
        struct holders holders;
        int next;

        stage_start(&stage);
        holders = holders_new(&stage);
        harness_kill(stage.harness);
        stage_start(&stage);
        next = holder_inhibit(holders.connection, "host0", 0);
        UNTIL(keeper_count(stage.keeper, "lease-3") == 2);
        harness_kill(stage.harness);
        stage_start(&stage);
        holder_assert_leases(stage.harness,
                             "[" DEVICE_LEASE ", ('naa.5000c50000000001', 'test', 'to see', 0), "
                             "('host0', 'test', 'to see', 0)]");
        close(next);
        UNTIL(holder_has_leases(stage.harness, BOTH_LEASES));
        holders_free(&stage, &holders);
        stage_free(&stage);
}

/* Nobody's turn to end it but the holder's: it is seen to have ended when somebody looks again. */
static void test_given_back_meanwhile(void) {
        struct stage stage = stage_new();
        struct holders holders;

        stage_start(&stage);
        holders = holders_new(&stage);
        harness_kill(stage.harness);
        close(holders.device);
        stage_start(&stage);
        harness_wait_log(stage.harness, "given back while the service did not run");
        holder_assert_leases(stage.harness,
                             "[('naa.5000c50000000001', 'test', 'to see', uint32 0)]");
        assert_seen(&stage, "0:0:0:0\n0:0:1:0\n0:0:1:1\n");
        UNTIL(keeper_count(stage.keeper, "lease-1") == 0);
        close(holders.unit);
        harness_check_complete(stage.harness);
        UNTIL(keeper_count(stage.keeper, NULL) == 0);
        holder_leave(holders.connection);
        stage_free(&stage);
}

/* What a user has counts in the next run, too. And systemd is told to keep as much as there may be.
 */
static void test_limit(void) {
        struct stage stage = stage_new();
        g_autofree char *unit =
                g_test_build_filename(G_TEST_DIST, "..", "systemd", "scsiscand.service.in", NULL);
        g_autofree char *text = NULL, *wanted = NULL;
        struct fake_polkit *polkit;
        GDBusConnection *nobody;
        int fds[LEASES_PER_USER_MAX];
        g_autoptr(GError) error = NULL;
        g_autofree char *name = NULL;

        stage_start(&stage);
        polkit = fake_polkit_new(harness_address(stage.harness));
        fake_polkit_says(polkit, POLKIT_YES);
        nobody = holder_join(stage.harness, NOBODY);
        for (guint i = 0; i < LEASES_PER_USER_MAX; i++)
                fds[i] = holder_inhibit(nobody, "0:0:0:1", 0);
        UNTIL(keeper_count(stage.keeper, NULL) == 2 * LEASES_PER_USER_MAX);
        harness_kill(stage.harness);
        stage_start(&stage);
        g_assert_cmpint(holder_inhibit_text(nobody, "0:0:1", "test", "to see", 0, &error), ==, -1);
        name = g_dbus_error_get_remote_error(error);
        g_assert_cmpstr(name, ==, SCSISCAN_ERROR_LIMIT);
        for (guint i = 0; i < LEASES_PER_USER_MAX; i++)
                close(fds[i]);
        UNTIL(holder_has_leases(stage.harness, NO_LEASES));
        UNTIL(keeper_count(stage.keeper, NULL) == 0);
        g_assert_true(g_file_get_contents(unit, &text, NULL, NULL));
        wanted = g_strdup_printf("\nFileDescriptorStoreMax=%d\n",
                                 2 * (LEASES_USERS_MAX + LEASES_ROOT_MAX));
        g_assert_nonnull(strstr(text, wanted));
        holder_leave(nobody);
        fake_polkit_free(polkit);
        stage_free(&stage);
}

/* ---- what is passed ---- */

#define GOOD(until, scope)                                                                         \
        "scsiscan lease 1\nuid 65534\nuntil " until                                                \
        "\nscope 0:0:1:1\nwho test\nwhy to see\n" scope "\nend\n"
#define FOREVER "18446744073709551615"

static int record_new(const char *text, size_t length, int seals) {
        int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        g_assert_cmpint(write(fd, text, length), ==, (gssize)length);
        g_assert_cmpint(fcntl(fd, F_ADD_SEALS, seals), ==, 0);
        return fd;
}

static void put_record(struct stage *stage, const char *name, const char *text) {
        keeper_put(stage->keeper, name, record_new(text, strlen(text), SEALS));
}

/* Returns the holder's end. */
static int put_pipe(struct stage *stage, const char *name) {
        int ends[2];

        g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
        keeper_put(stage->keeper, name, ends[0]);
        return ends[1];
}

static int put_lease(struct stage *stage, const char *name, const char *text) {
        put_record(stage, name, text);
        return put_pipe(stage, name);
}

/* What the test writes is what the service would: else the next tests would say nothing. */
static void test_record(void) {
        struct stage stage = stage_new();
        int fd = put_lease(&stage, "lease-7", GOOD(FOREVER, "device 0:0:1:1"));

        stage_start(&stage);
        holder_assert_leases(stage.harness, "[('0:0:1:1', 'test', 'to see', uint32 65534)]");
        assert_seen(&stage, "0:0:0:0\n0:0:0:1\n0:0:1:0\n");
        g_assert_false(holder_is_over(fd));
        close(fd);
        UNTIL(holder_has_leases(stage.harness, NO_LEASES));
        harness_check_complete(stage.harness);
        stage_free(&stage);
}

static void test_time_over(void) {
        struct stage stage = stage_new();
        gint64 until = g_get_monotonic_time() + 2 * G_USEC_PER_SEC;
        g_autofree char *text = g_strdup_printf(GOOD("%" G_GINT64_FORMAT, "device 0:0:0:1"), until);
        int over = put_lease(&stage, "lease-7", GOOD("1", "device 0:0:1:1"));
        int left = put_lease(&stage, "lease-8", text);

        stage_start(&stage);
        harness_wait_log(stage.harness, "its time was over while the service did not run");
        UNTIL(holder_is_over(over));
        UNTIL(holder_is_over(left));
        g_assert_cmpint(g_get_monotonic_time(), >=, until);
        UNTIL(holder_has_leases(stage.harness, NO_LEASES));
        harness_check_complete(stage.harness);
        UNTIL(keeper_count(stage.keeper, NULL) == 0);
        close(over);
        close(left);
        stage_free(&stage);
}

/* Each under a name of its own. */
static void put_odd_pairs(struct stage *stage, GArray *holders) {
        static const char text[] = GOOD(FOREVER, "device 0:0:1:1");
        int ends[2], fd;

        fd = put_pipe(stage, "lease-1");
        g_array_append_val(holders, fd);
        put_record(stage, "lease-2", text);
        fd = put_pipe(stage, "lease-3");
        g_array_append_val(holders, fd);
        keeper_put(stage->keeper, "lease-3", record_new(text, strlen(text), F_SEAL_SHRINK));
        fd = put_lease(stage, "lease-4", text);
        g_array_append_val(holders, fd);
        fd = put_pipe(stage, "lease-4");
        g_array_append_val(holders, fd);
        g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
        keeper_put(stage->keeper, "lease-5", ends[1]);
        put_record(stage, "lease-5", text);
        close(ends[0]);
        fd = put_pipe(stage, "lease-6");
        g_array_append_val(holders, fd);
        keeper_put(stage->keeper, "lease-6", record_new(text, sizeof(text), SEALS)); /* and a NUL */
}

#define ODD_PAIRS 6

static const char *const odd_texts[] = {
        "",
        "scsiscan lease 2\n",
        GOOD("99999999999999999", "device 0:0:1:1"),
        GOOD(FOREVER, "node sda"),
        GOOD(FOREVER, "device 0:0:1:1") "more",
        "scsiscan lease 1\nuid 0\nuntil " FOREVER "\nscope \nwho \xff\nwhy x\nall \nend\n",
};

static const char *const odd_names[] = {"lease-",
                                        "lease-0",
                                        "lease-01",
                                        "lease--1",
                                        "lease-9x",
                                        "stored",
                                        "lease-18446744073709551615"};

/* Said, closed, and no longer kept: nothing is inhibited by it. */
static void test_odd(void) {
        struct stage stage = stage_new();
        g_autoptr(GArray) holders = g_array_new(FALSE, FALSE, sizeof(int));

        put_odd_pairs(&stage, holders);
        for (guint i = 0; i < G_N_ELEMENTS(odd_texts); i++) {
                g_autofree char *name = g_strdup_printf("lease-%u", 100 + i);
                int fd = put_lease(&stage, name, odd_texts[i]);

                g_array_append_val(holders, fd);
        }
        for (guint i = 0; i < G_N_ELEMENTS(odd_names); i++) {
                int fd = put_lease(&stage, odd_names[i], GOOD(FOREVER, "all "));

                g_array_append_val(holders, fd);
        }
        stage_start(&stage);
        holder_assert_leases(stage.harness, NO_LEASES);
        assert_seen(&stage, ALL);
        UNTIL(keeper_count(stage.keeper, NULL) == 0);
        for (guint i = 0; i < holders->len; i++) {
                UNTIL(holder_is_over(g_array_index(holders, int, i)));
                close(g_array_index(holders, int, i));
        }
        g_assert_cmpuint(harness_count_log(stage.harness, " is lost: "), ==,
                         ODD_PAIRS + G_N_ELEMENTS(odd_texts));
        g_assert_cmpuint(harness_count_log(stage.harness, "a descriptor that is not used"), ==,
                         2 * G_N_ELEMENTS(odd_names));
        stage_free(&stage);
}

/* The uevent socket comes among them, and each is taken for what it is. */
static void test_beside_socket(void) {
        const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
        int uevents =
                socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
        struct stage stage = stage_new();
        int fd = put_lease(&stage, "lease-7", GOOD(FOREVER, "device 0:0:1:1"));

        g_assert_cmpint(bind(uevents, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
        harness_start(stage.harness, (struct daemon_start){
                                             .keeper = stage.keeper,
                                             .listen_fd = uevents,
                                     });
        harness_wait_ready(stage.harness);
        holder_assert_leases(stage.harness, "[('0:0:1:1', 'test', 'to see', uint32 65534)]");
        g_assert_cmpuint(harness_count_log(stage.harness, "a descriptor that is not used"), ==, 0);
        close(fd);
        UNTIL(holder_has_leases(stage.harness, NO_LEASES));
        close(uevents);
        stage_free(&stage);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/kept-leases/killed-in-scan", test_killed_in_scan);
        g_test_add_func("/bus/kept-leases/stopped", test_stopped);
        g_test_add_func("/bus/kept-leases/next", test_next);
        g_test_add_func("/bus/kept-leases/given-back-meanwhile", test_given_back_meanwhile);
        g_test_add_func("/bus/kept-leases/limit", test_limit);
        g_test_add_func("/bus/kept-leases/record", test_record);
        g_test_add_func("/bus/kept-leases/time-over", test_time_over);
        g_test_add_func("/bus/kept-leases/odd", test_odd);
        g_test_add_func("/bus/kept-leases/beside-socket", test_beside_socket);
        return g_test_run();
}
