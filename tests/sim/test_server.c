/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The simulated machine as a daemon meets it: through sim-worker, a directory and a uevent socket.
 */

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "kernel/worker_process.h"
#include "sim/sim_server.h"
#include "util/cleanup.h"

#define PATIENCE_MS 10000

struct fixture {
        struct sim_machine *machine;
        struct sim_server *server;
        struct scsi_target_address target;
        GSubprocess *relay;
        int socket;
        struct worker_reply reply;
        uint8_t data[WORKER_DATA_MAX];
};

/* For the lock any descriptor will do. */
static void greet(int socket, uint32_t host) {
        _cleanup_(closep) int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

        g_assert_cmpint(worker_process_greet(socket, host, file), ==, 0);
}

static void relay_start(struct fixture *f) {
        g_autoptr(GSubprocessLauncher) launcher =
                g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
        const char *program = g_getenv("SIM_WORKER");
        int pair[2];

        g_assert_nonnull(program);
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), ==, 0);
        g_subprocess_launcher_take_fd(launcher, pair[1], WORKER_SOCKET_FD);
        g_subprocess_launcher_setenv(launcher, "SCSISCAN_SIM", sim_server_socket(f->server), TRUE);
        f->relay = g_subprocess_launcher_spawn(launcher, NULL, program, sim_server_root(f->server),
                                               NULL);
        g_assert_nonnull(f->relay);
        f->socket = pair[0];
        greet(f->socket, 0);
}

static void relay_end(struct fixture *f) {
        close(f->socket);
        g_assert_true(g_subprocess_wait(f->relay, NULL, NULL));
        g_assert_true(g_subprocess_get_if_exited(f->relay));
        g_assert_cmpint(g_subprocess_get_exit_status(f->relay), ==, 0);
        g_clear_object(&f->relay);
}

static void fixture_set_up(struct fixture *f, const void *unused) {
        f->machine = sim_machine_new(1);
        sim_add_host(f->machine, &(struct sim_host){0});
        f->target = sim_add_target(f->machine, 0, &(struct sim_target){0});
        sim_map_disks(f->machine, f->target, 2, 1);
        g_assert_true(sim_attach_by_hand(f->machine, (struct scsi_address){f->target, 0}));
        f->server = sim_server_start(f->machine);
        relay_start(f);
}

static void fixture_tear_down(struct fixture *f, const void *unused) {
        g_autofree char *root = g_strdup(sim_server_root(f->server));

        relay_end(f);
        sim_server_stop(f->server);
        g_assert_false(g_file_test(root, G_FILE_TEST_EXISTS));
        sim_machine_free(f->machine);
}

static bool readable(int fd, int milliseconds) {
        struct pollfd end = {.fd = fd, .events = POLLIN};

        return poll(&end, 1, milliseconds) == 1;
}

static void ask(struct fixture *f, uint32_t kind, uint64_t lun) {
        struct worker_request request = {.version = WORKER_VERSION,
                                         .kind = kind,
                                         .id = lun + 1,
                                         .address = {f->target, lun},
                                         .timeout_ms = 1000,
                                         .command = scsi_command_report_luns(WORKER_DATA_MAX)};

        g_assert_cmpint(send(f->socket, &request, sizeof(request), MSG_NOSIGNAL), ==,
                        sizeof(request));
}

/* False: the worker has gone. */
static bool hear(struct fixture *f) {
        struct iovec parts[] = {{&f->reply, sizeof(f->reply)}, {f->data, sizeof(f->data)}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = ELEMENTS_OF(parts)};
        ssize_t n;

        g_assert_true(readable(f->socket, PATIENCE_MS));
        n = recvmsg(f->socket, &message, 0);
        if (n <= 0)
                return false;
        g_assert_cmpint(n, ==, sizeof(f->reply) + f->reply.data_length);
        return true;
}

static bool listed(const struct fixture *f, const char *name) {
        g_autofree char *path =
                g_build_filename(sim_server_root(f->server), "bus/scsi/devices", name, NULL);

        return g_file_test(path, G_FILE_TEST_IS_DIR);
}

/* The next uevent's variables as lines; NULL when there is none soon. */
static char *uevent_next(const struct fixture *f, int patience) {
        char buffer[2048];
        ssize_t n;

        if (!readable(sim_server_uevent_fd(f->server), patience))
                return NULL;
        n = recv(sim_server_uevent_fd(f->server), buffer, sizeof(buffer), 0);
        g_assert_cmpint(n, >, 0);
        for (ssize_t i = 0; i < n; i++)
                if (buffer[i] == '\0')
                        buffer[i] = '\n';
        return g_strndup(buffer, (gsize)n);
}

static void test_serve(struct fixture *f, const void *unused) {
        g_autofree char *target = NULL, *class_device = NULL;

        g_assert_true(listed(f, "host0"));
        g_assert_true(listed(f, "target0:0:0"));
        g_assert_true(listed(f, "0:0:0:0"));
        g_assert_false(listed(f, "0:0:0:1"));
        ask(f, WORKER_ATTACH, 1);
        g_assert_true(hear(f));
        g_assert_cmpint(f->reply.error, ==, 0);
        g_assert_cmpuint(f->reply.id, ==, 2);
        g_assert_true(listed(f, "0:0:0:1"));
        target = uevent_next(f, PATIENCE_MS);
        g_assert_cmpstr(
                target, ==,
                "add@/devices/pseudo_0/adapter0/host0/target0:0:0/0:0:0:1\nACTION=add\n"
                "DEVPATH=/devices/pseudo_0/adapter0/host0/target0:0:0/0:0:0:1\nSUBSYSTEM=scsi\n"
                "DEVTYPE=scsi_device\nMODALIAS=scsi:t-0x00\nSEQNUM=1\n");
        class_device = uevent_next(f, PATIENCE_MS);
        g_assert_nonnull(strstr(class_device, "SUBSYSTEM=scsi_device\nSEQNUM=2\n"));
        sim_detach_by_hand(sim_server_lock(f->server), (struct scsi_address){f->target, 1});
        sim_server_unlock(f->server);
        g_assert_false(listed(f, "0:0:0:1"));
        g_assert_true(listed(f, "target0:0:0"));
}

static void test_biggest_reply(struct fixture *f, const void *unused) {
        sim_map_disks(sim_server_lock(f->server), f->target, 16384, 1);
        sim_server_unlock(f->server);
        ask(f, WORKER_COMMAND, 0);
        g_assert_true(hear(f));
        g_assert_cmpuint(f->reply.data_length, ==, WORKER_DATA_MAX);
}

static void test_hang(struct fixture *f, const void *unused) {
        sim_server_hang_host(f->server, 0, true);
        ask(f, WORKER_COMMAND, 0);
        ask(f, WORKER_READ_HOST, 1);
        g_assert_true(hear(f)); /* sysfs can be read all the same */
        g_assert_cmpuint(f->reply.id, ==, 2);
        g_assert_cmpuint(sim_server_held(f->server, 0), ==, 1);
        g_assert_false(readable(f->socket, 100));
        sim_server_hang_host(f->server, 0, false);
        g_assert_true(hear(f));
        g_assert_cmpuint(f->reply.id, ==, 1);
        g_assert_cmpuint(sim_server_held(f->server, 0), ==, 0);
}

static void test_kill(struct fixture *f, const void *unused) {
        ask(f, WORKER_READ_HOST, 0);
        g_assert_true(hear(f));
        g_assert_cmpuint(sim_server_relays(f->server, 0), ==, 1);
        g_assert_cmpuint(sim_server_kill_relay(f->server, 0), ==, 1);
        g_assert_false(hear(f));
        relay_end(f);
        relay_start(f);
        ask(f, WORKER_READ_HOST, 0);
        g_assert_true(hear(f));
        g_assert_cmpuint(sim_server_relays(f->server, 0), ==, 1);
}

static void test_dies(struct fixture *f, const void *unused) {
        sim_set_lun_manner(sim_server_lock(f->server), (struct scsi_address){f->target, 1},
                           SIM_DIES);
        sim_server_unlock(f->server);
        ask(f, WORKER_ATTACH, 1);
        g_assert_false(hear(f));
}

/* A worker that is killed takes what it had asked along. */
static void test_ends_while_held(struct fixture *f, const void *unused) {
        sim_server_hang_host(f->server, 0, true);
        ask(f, WORKER_ATTACH, 1);
        ask(f, WORKER_READ_HOST, 0);
        g_assert_true(hear(f));
        relay_end(f);
        relay_start(f);
        ask(f, WORKER_READ_HOST, 0);
        g_assert_true(hear(f));
        sim_server_hang_host(f->server, 0, false);
        ask(f, WORKER_READ_DEVICE, 1);
        g_assert_true(hear(f));
        g_assert_cmpint(f->reply.error, ==, -ENOENT);
}

static void test_slow(struct fixture *f, const void *unused) {
        gint64 start = g_get_monotonic_time();

        sim_set_target_delay(sim_server_lock(f->server), f->target, 150);
        sim_server_unlock(f->server);
        ask(f, WORKER_COMMAND, 0);
        ask(f, WORKER_READ_HOST, 1);
        g_assert_true(hear(f));
        g_assert_cmpuint(f->reply.id, ==, 2); /* in any order */
        g_assert_true(hear(f));
        g_assert_cmpuint(f->reply.id, ==, 1);
        g_assert_cmpint(g_get_monotonic_time() - start, >=, 150000);
}

/* However late they are read, they are all there. */
static void test_many_uevents(struct fixture *f, const void *unused) {
        unsigned count = 0;
        struct sim_machine *machine = sim_server_lock(f->server);

        sim_map_disks(machine, f->target, 256, 1);
        sim_kernel_scan(machine);
        sim_server_unlock(f->server);
        for (;;) {
                g_autofree char *event = uevent_next(f, 200);
                g_autofree char *end = g_strdup_printf("\nSEQNUM=%u\n", ++count);

                if (!event)
                        break;
                g_assert_true(g_str_has_suffix(event, end));
        }
        g_assert_cmpuint(count - 1, ==, UINT64_C(255) * 9);
}

static void test_muted(struct fixture *f, const void *unused) {
        g_autofree char *event = NULL;

        sim_server_mute_uevents(f->server, true);
        sim_attach_by_hand(sim_server_lock(f->server), (struct scsi_address){f->target, 1});
        sim_server_unlock(f->server);
        sim_server_mute_uevents(f->server, false);
        g_assert_true(listed(f, "0:0:0:1"));
        event = uevent_next(f, 100);
        g_assert_null(event);
        sim_detach_by_hand(sim_server_lock(f->server), (struct scsi_address){f->target, 1});
        sim_server_unlock(f->server);
        event = uevent_next(f, PATIENCE_MS);
        g_assert_nonnull(strstr(event, "SEQNUM=10\n")); /* the numbers have a gap */
}

int main(int argc, char **argv) {
        static const struct {
                const char *path;
                void (*test)(struct fixture *, const void *);
        } tests[] = {
                {"/sim/server/serve", test_serve},
                {"/sim/server/biggest-reply", test_biggest_reply},
                {"/sim/server/hang", test_hang},
                {"/sim/server/kill", test_kill},
                {"/sim/server/dies", test_dies},
                {"/sim/server/ends-while-held", test_ends_while_held},
                {"/sim/server/slow", test_slow},
                {"/sim/server/many-uevents", test_many_uevents},
                {"/sim/server/muted", test_muted},
        };

        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, struct fixture, NULL, fixture_set_up, tests[i].test,
                           fixture_tear_down);
        return g_test_run();
}
