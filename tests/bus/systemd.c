/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The service as systemd starts it: what it is handed, and what it says. The socket here is the
 * kernel's own and its uevents are real; the machine is simulated as ever. */

#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness.h"

/* ---- the uevent socket ---- */

#define UEVENTS 5

static int netlink_open(int protocol) {
        const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
        return fd;
}

/* /dev/null's, so that nobody minds; false where the kernel does not let us. */
static bool uevents_raise(void) {
        int fd = open("/sys/devices/virtual/mem/null/uevent", O_WRONLY | O_CLOEXEC);
        bool all = fd >= 0;

        for (int i = 0; all && i < UEVENTS; i++)
                all = write(fd, "change", strlen("change")) == (ssize_t)strlen("change");
        if (fd >= 0)
                close(fd);
        return all;
}

/* Whether this machine's kernel raises uevents for us and lets us hear them. */
static bool uevents_come(void) {
        int fd = netlink_open(NETLINK_KOBJECT_UEVENT);
        char buffer[1];
        bool come = uevents_raise() && recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0;

        close(fd);
        if (!come)
                g_test_skip("the kernel raises no uevents for us");
        return come;
}

static guint64 uevents_read(struct harness *harness) {
        return client_get_number(harness_client(harness), "uevents");
}

/* What lay in the socket while the service was not there is read when it is back, whether it was
 * stopped or killed, and what comes then is read too. */
static void test_socket(void) {
        struct harness *harness;
        int fd;

        if (!uevents_come())
                return;
        fd = netlink_open(NETLINK_KOBJECT_UEVENT);
        harness = harness_new(machine_new(1, 1, 2));
        for (int round = 0; round < 3; round++) {
                g_assert_true(uevents_raise());
                harness_start(harness, (struct daemon_start){.listen_fd = fd});
                harness_wait_ready(harness);
                UNTIL(uevents_read(harness) >= UEVENTS);
                g_assert_true(uevents_raise());
                UNTIL(uevents_read(harness) >= 2 * UEVENTS);
                harness_check_complete(harness);
                if (round == 1)
                        harness_kill(harness);
                else
                        (void)harness_stop(harness);
        }
        close(fd);
        harness_free(harness);
}

/* Something else is not taken for it: the service opens its own. */
static void test_other_socket(void) {
        struct harness *harness;
        int fd;

        if (!uevents_come())
                return;
        fd = netlink_open(NETLINK_ROUTE);
        harness = harness_new(machine_new(1, 1, 2));
        harness_start(harness, (struct daemon_start){.listen_fd = fd});
        close(fd);
        harness_wait_log(harness, "a descriptor that is not used");
        harness_wait_ready(harness);
        g_assert_true(uevents_raise());
        UNTIL(uevents_read(harness) >= UEVENTS);
        harness_free(harness);
}

/* ---- what it says ---- */

#define BEAT_USEC 200000
/* Ten times what should have come. */
#define SILENCE_MS (10 * BEAT_USEC / 1000)

struct manager {
        struct harness *harness;
        char *path;
        int fd;
};

static struct manager manager_new(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct manager manager = {
                .harness = harness_new(machine_new(1, 1, 2)),
                .fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0),
        };

        manager.path = harness_runtime_path(manager.harness, "notify");
        g_assert_cmpuint(g_strlcpy(address.sun_path, manager.path, sizeof(address.sun_path)), <,
                         sizeof(address.sun_path));
        g_assert_cmpint(bind(manager.fd, (const struct sockaddr *)&address, sizeof(address)), ==,
                        0);
        return manager;
}

static void manager_free(struct manager *manager) {
        harness_free(manager->harness);
        close(manager->fd);
        g_free(manager->path);
}

/* The next message, NULL when none comes in that time. Owned by the caller. */
static char *message_next(const struct manager *manager, int milliseconds) {
        struct pollfd poll_fd = {.fd = manager->fd, .events = POLLIN};
        char text[512];
        ssize_t n;

        if (poll(&poll_fd, 1, milliseconds) <= 0)
                return NULL;
        n = recv(manager->fd, text, sizeof(text), 0);
        g_assert_cmpint(n, >, 0);
        return g_strndup(text, (gsize)n);
}

static char *message_wait(const struct manager *manager) {
        char *text = message_next(manager, CLIENT_PATIENCE / 1000);

        g_assert_nonnull(text);
        return text;
}

static void expect(const struct manager *manager, const char *wanted) {
        g_autofree char *text = message_wait(manager);

        g_assert_cmpstr(text, ==, wanted);
}

/* Ready is not said before the first pass is over. */
static void test_notify(void) {
        struct manager manager = manager_new();
        const struct scsi_target_address target = {0, 0, 0};
        g_autofree char *reloading = NULL;

        sim_set_target_delay(sim_server_lock(harness_sim(manager.harness)), target, 200);
        sim_server_unlock(harness_sim(manager.harness));
        harness_start(manager.harness, (struct daemon_start){.notify = manager.path});
        expect(&manager, "READY=1");
        g_assert_true(client_get_flag(harness_client(manager.harness), SCSISCAN_PATH,
                                      SCSISCAN_INTERFACE_TOPOLOGY, "Ready"));
        harness_check_complete(manager.harness);
        harness_hang_up(manager.harness);
        reloading = message_wait(&manager);
        g_assert_true(g_pattern_match_simple("RELOADING=1\nMONOTONIC_USEC=*", reloading));
        expect(&manager, "READY=1");
        (void)harness_stop(manager.harness);
        expect(&manager, "STOPPING=1");
        g_assert_null(message_next(&manager, 0));
        manager_free(&manager);
}

/* While it starts it asks for time, then it feeds the watchdog, as long as its loop turns. */
static void test_watchdog(void) {
        struct manager manager = manager_new();
        g_autofree char *more_time = g_strdup_printf("EXTEND_TIMEOUT_USEC=%d", BEAT_USEC);
        g_autofree char *text = NULL;
        pid_t pid;

        harness_start(manager.harness,
                      (struct daemon_start){.notify = manager.path, .watchdog = BEAT_USEC});
        expect(&manager, more_time);
        while (!g_str_equal(text ?: more_time, "READY=1")) {
                g_assert_cmpstr(text ?: more_time, ==, more_time);
                g_free(text);
                text = message_wait(&manager);
        }
        for (int i = 0; i < 5; i++)
                expect(&manager, "WATCHDOG=1");
        pid = (pid_t)g_ascii_strtoll(harness_pid(manager.harness), NULL, 10);
        g_assert_cmpint(kill(pid, SIGSTOP), ==, 0);
        for (char *late; (late = message_next(&manager, SILENCE_MS)); g_free(late))
                g_assert_cmpstr(late, ==, "WATCHDOG=1");
        g_assert_cmpint(kill(pid, SIGCONT), ==, 0);
        expect(&manager, "WATCHDOG=1");
        manager_free(&manager);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/systemd/socket", test_socket);
        g_test_add_func("/bus/systemd/other-socket", test_other_socket);
        g_test_add_func("/bus/systemd/notify", test_notify);
        g_test_add_func("/bus/systemd/watchdog", test_watchdog);
        return g_test_run();
}
