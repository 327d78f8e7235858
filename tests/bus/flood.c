/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One user asks too much, on many connections at once: it is refused what is beyond its part, and
 * everybody else, root first of all, is served as if it were not there. What it leaves behind is
 * nothing.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dbus/fair_queue.h"
#include "dbus/waiting.h"
#include "harness.h"
#include "raw.h"

#define CONNECTIONS 32
/* dbus-daemon lets a connection have 128 calls without a reply. */
#define CALLS_EACH 64
#define ROUNDS 20
/* What the service may grow by for those who never read, KiB: less than their answers. */
#define GROWTH_MAX 32768

struct scene {
        struct harness *harness;
        uid_t uid; /* who floods: nobody, or root where there is nobody else */
        int fds[CONNECTIONS];
};

static void connect_all(struct scene *scene) {
        for (unsigned i = 0; i < CONNECTIONS; i++) {
                scene->fds[i] = raw_client(harness_address(scene->harness), scene->uid);
                g_assert_cmpint(scene->fds[i], >=, 0);
        }
}

static void close_all(struct scene *scene) {
        for (unsigned i = 0; i < CONNECTIONS; i++)
                close(scene->fds[i]);
}

static void send_all(struct scene *scene, GByteArray *call, guint count) {
        for (unsigned i = 0; i < CONNECTIONS; i++)
                raw_send_many(scene->fds[i], call, 2, count);
}

static bool set_up(struct scene *scene) {
        int fd;

        *scene = (struct scene){.harness = harness_boot(machine_new(1, 2, 8)), .uid = NOBODY};
        harness_check_complete(scene->harness);
        fd = raw_client(harness_address(scene->harness), NOBODY);
        if (fd >= 0) {
                close(fd);
                return true;
        }
        g_test_skip("no second user in this user namespace");
        harness_free(scene->harness);
        return false;
}

static GByteArray *settle_call(void) {
        return raw_call(SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Settle",
                        g_variant_new("(st)", "", G_MAXUINT64));
}

static GByteArray *get_call(void) {
        return raw_call(SCSISCAN_PATH, PROPERTIES_INTERFACE, "Get",
                        g_variant_new("(ss)", SCSISCAN_INTERFACE_TOPOLOGY, "Generation"));
}

static void delay_all(struct harness *harness, uint32_t milliseconds) {
        struct sim_machine *machine = sim_server_lock(harness_sim(harness));

        for (uint32_t id = 0; id < 2; id++)
                sim_set_target_delay(machine, (struct scsi_target_address){0, 0, id}, milliseconds);
        sim_server_unlock(harness_sim(harness));
}

struct tally {
        guint answered, limited;
};

static void count_replies(int fd, guint count, struct tally *tally) {
        while (count > 0) {
                g_autoptr(GDBusMessage) message = raw_receive(fd);
                const char *error = g_dbus_message_get_error_name(message);

                if (g_dbus_message_get_reply_serial(message) < 2)
                        continue;
                count--;
                tally->answered += !error;
                if (error)
                        g_assert_cmpstr(error, ==, SCSISCAN_ERROR_LIMIT);
                tally->limited += error != NULL;
        }
}

/* ---- limits ---- */

/* Of all those that wait for something, one user's part waits; root's is untouched. */
static void test_waiting(void) {
        struct scene scene;
        g_autoptr(GByteArray) call = settle_call();
        struct client *root;
        guint32 waits[WAITING_ROOT_MAX];
        struct tally tally = {};

        if (!set_up(&scene))
                return;
        root = harness_client(scene.harness);
        delay_all(scene.harness, 1000);
        g_free(client_scan(root, "", NULL));
        connect_all(&scene);
        send_all(&scene, call, CALLS_EACH);
        for (guint i = 0; i < WAITING_ROOT_MAX / 2; i++)
                waits[i] = client_send(root, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Settle",
                                       g_variant_new("(st)", "", G_MAXUINT64));
        g_assert_cmpuint(client_get_number(root, "target-scans"), >, 0);
        delay_all(scene.harness, 0);
        for (guint i = 0; i < WAITING_ROOT_MAX / 2; i++) {
                g_autoptr(GDBusMessage) reply = client_reply(root, waits[i]);

                g_assert_null(g_dbus_message_get_error_name(reply));
        }
        for (unsigned i = 0; i < CONNECTIONS; i++)
                count_replies(scene.fds[i], CALLS_EACH, &tally);
        g_assert_cmpuint(tally.answered, >=, WAITING_PER_USER_MAX);
        g_assert_cmpuint(tally.limited, >, 0);
        close_all(&scene);
        harness_free(scene.harness);
}

/* All of it is there before the service looks at any: what is beyond one user's part is refused,
 * the rest answered, and root is answered in between. */
static void test_calls(void) {
        struct scene scene;
        g_autoptr(GByteArray) call = get_call();
        struct tally tally = {};
        struct client *root;
        guint32 asked;
        pid_t pid;

        if (!set_up(&scene))
                return;
        root = harness_client(scene.harness);
        pid = (pid_t)atoi(harness_pid(scene.harness));
        connect_all(&scene);
        g_assert_cmpint(kill(pid, SIGSTOP), ==, 0);
        send_all(&scene, call, CALLS_EACH);
        asked = client_send(root, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY, "Find",
                            g_variant_new("(s)", "0:0:1:3"));
        g_assert_cmpint(kill(pid, SIGCONT), ==, 0);
        g_object_unref(client_reply(root, asked));
        for (unsigned i = 0; i < CONNECTIONS; i++)
                count_replies(scene.fds[i], CALLS_EACH, &tally);
        g_test_message("%u answered, %u limited", tally.answered, tally.limited);
        g_assert_cmpuint(tally.answered, >=, FAIR_QUEUE_PER_USER_MAX);
        g_assert_cmpuint(tally.limited, >, 0);
        close_all(&scene);
        harness_free(scene.harness);
}

/* A call that is larger than any has to be is not kept. */
static void test_large(void) {
        struct harness *harness = harness_boot(machine_new(1, 1, 1));
        struct client *client = harness_client(harness);
        g_autofree char *large = g_strnfill(FAIR_QUEUE_CALL_BYTES_MAX, 'x');
        g_autofree char *fitting = g_strnfill(FAIR_QUEUE_CALL_BYTES_MAX / 2, 'x');
        g_autoptr(GVariant) many = g_variant_ref_sink(g_variant_new_fixed_array(
                G_VARIANT_TYPE_UINT64, large, FAIR_QUEUE_CALL_BYTES_MAX / sizeof(uint64_t),
                sizeof(uint64_t)));

        client_refuses(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY, "Find",
                       g_variant_new("(s)", large), SCSISCAN_ERROR_INVALID_ARGS, "bytes");
        client_refuses(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY, "Find",
                       g_variant_new("(v)", many), SCSISCAN_ERROR_INVALID_ARGS, "bytes");
        client_refuses(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Settle",
                       g_variant_new("(st)", fitting, G_MAXUINT64), SCSISCAN_ERROR_INVALID_ARGS,
                       "");
        harness_free(harness);
}

/* ---- who does not read, and who goes ---- */

static guint64 peak_kib(struct harness *harness) {
        g_autofree char *path = g_strdup_printf("/proc/%s/status", harness_pid(harness));
        g_autofree char *text = NULL;
        const char *found;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        found = strstr(text, "\nVmHWM:");
        g_assert_nonnull(found);
        return g_ascii_strtoull(found + strlen("\nVmHWM:"), NULL, 10);
}

/* Replies of several MiB in all that nobody takes are the bus's to keep, or to throw away. */
static void test_never_reads(void) {
        struct scene scene;
        g_autoptr(GByteArray) call =
                raw_call(SCSISCAN_PATH, MANAGER_INTERFACE, "GetManagedObjects", NULL);
        struct client *root;
        guint64 before;

        if (!set_up(&scene))
                return;
        root = harness_client(scene.harness);
        before = peak_kib(scene.harness);
        connect_all(&scene);
        send_all(&scene, call, CALLS_EACH);
        g_assert_true(client_settle(root, "", CLIENT_PATIENCE / 2));
        harness_check_complete(scene.harness);
        g_assert_cmpuint(peak_kib(scene.harness), <, before + GROWTH_MAX);
        close_all(&scene);
        client_scan_wait(root, "");
        harness_free(scene.harness);
}

/* Twenty times more calls than one user may have waiting, each time gone with its connection. That
 * nothing of them is left is for the sanitizer to say, and for the next user to see. */
static void test_vanishes(void) {
        struct scene scene;
        g_autoptr(GByteArray) call = settle_call();
        struct client *root;
        struct tally tally = {};
        int fd;

        if (!set_up(&scene))
                return;
        root = harness_client(scene.harness);
        delay_all(scene.harness, 500);
        g_free(client_scan(root, "", NULL));
        for (unsigned round = 0; round < ROUNDS; round++) {
                connect_all(&scene);
                send_all(&scene, call, CALLS_EACH / 16);
                close_all(&scene);
        }
        (void)client_get_number(root, "target-scans");
        fd = raw_client(harness_address(scene.harness), scene.uid);
        raw_send_many(fd, call, 2, WAITING_PER_USER_MAX);
        delay_all(scene.harness, 0);
        count_replies(fd, WAITING_PER_USER_MAX, &tally);
        g_assert_cmpuint(tally.answered, ==, WAITING_PER_USER_MAX);
        close(fd);
        harness_check_complete(scene.harness);
        harness_free(scene.harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/flood/waiting", test_waiting);
        g_test_add_func("/bus/flood/calls", test_calls);
        g_test_add_func("/bus/flood/large", test_large);
        g_test_add_func("/bus/flood/never-reads", test_never_reads);
        g_test_add_func("/bus/flood/vanishes", test_vanishes);
        return g_test_run();
}
