/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

/* sd_listen_fds(3) */
#define LISTEN_FD 3
#define BACKLOG 128

struct bus {
        char *socket;
        char *address;
        char *configuration;
        GSubprocess *process;
        bool is_broker;
        /* dbus-broker's log: it writes to the journal, and waits for it. */
        char *journal;
        int journal_fd;
        atomic_bool journal_ends;
        GThread *journal_thread;
};

/* Polkit's rules for whoever plays it and for the real one, and ours. */
static const char bus_configuration[] =
        "<busconfig>\n"
        "  <type>system</type>\n"
        "  <auth>EXTERNAL</auth>\n"
        "  <listen>unix:path=%s</listen>\n"
        "  <policy context=\"default\">\n"
        "    <allow user=\"*\"/>\n"
        "    <deny own=\"*\"/>\n"
        "    <deny send_type=\"method_call\"/>\n"
        "    <allow send_type=\"signal\"/>\n"
        "    <allow send_requested_reply=\"true\" send_type=\"method_return\"/>\n"
        "    <allow send_requested_reply=\"true\" send_type=\"error\"/>\n"
        "    <allow receive_type=\"method_call\"/>\n"
        "    <allow receive_type=\"method_return\"/>\n"
        "    <allow receive_type=\"error\"/>\n"
        "    <allow receive_type=\"signal\"/>\n"
        "    <allow send_destination=\"org.freedesktop.DBus\"/>\n"
        "    <allow send_destination=\"org.freedesktop.PolicyKit1\"/>\n"
        "  </policy>\n"
        "  <policy user=\"root\">\n"
        "    <allow own=\"org.freedesktop.PolicyKit1\"/>\n"
        "  </policy>\n"
        "  <include ignore_missing=\"yes\">"
        "/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf</include>\n"
        "  <include>%s</include>\n"
        "</busconfig>\n";

static void configure(const struct bus *bus) {
        g_autofree char *rules = g_test_build_filename(G_TEST_DIST, "org.scsiscan1.conf", NULL);
        g_autofree char *text = g_strdup_printf(bus_configuration, bus->socket, rules);

        g_assert_true(g_file_test(rules, G_FILE_TEST_EXISTS));
        g_assert_true(g_file_set_contents(bus->configuration, text, -1, NULL));
}

static int socket_bind(const char *path, int type) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpuint(g_strlcpy(address.sun_path, path, sizeof(address.sun_path)), <,
                         sizeof(address.sun_path));
        (void)g_unlink(path);
        g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
        g_assert_cmpint(chmod(path, 0666), ==, 0);
        return fd;
}

/* ---- dbus-broker's journal ---- */

/* Where the test's own messages go. Of each entry one line: who wants more has a debugger. */
static void *journal_read(void *userdata) {
        struct bus *bus = userdata;
        char entry[4096];

        while (!bus->journal_ends) {
                ssize_t n = recv(bus->journal_fd, entry, sizeof(entry) - 1, 0);
                const char *message;

                entry[n > 0 ? n : 0] = 0;
                message = strstr(entry, "MESSAGE=");
                if (message)
                        g_printerr("dbus-broker: %.*s\n", (int)strcspn(message + 8, "\n"),
                                   message + 8);
        }
        return NULL;
}

static void journal_start(struct bus *bus) {
        bus->journal_fd = socket_bind(bus->journal, SOCK_DGRAM);
        bus->journal_ends = false;
        bus->journal_thread = g_thread_new("journal", journal_read, bus);
}

static void journal_stop(struct bus *bus) {
        bus->journal_ends = true;
        g_assert_cmpint(shutdown(bus->journal_fd, SHUT_RDWR), ==, 0);
        g_thread_join(bus->journal_thread);
        close(bus->journal_fd);
}

/* ---- starting ---- */

static void die_with_parent(void *userdata) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Its launcher takes no other way to the journal than this one, and does not start without it. */
static void enter_with_journal(void *userdata) {
        const struct bus *bus = userdata;

        die_with_parent(NULL);
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") < 0 ||
            mkdir("/run/systemd", 0755) < 0 || mkdir("/run/systemd/journal", 0755) < 0 ||
            symlink(bus->journal, "/run/systemd/journal/socket") < 0) {
                perror("a mount namespace with a journal");
                _exit(EXIT_FAILURE);
        }
}

static void start_daemon(struct bus *bus) {
        g_autoptr(GSubprocessLauncher) launcher =
                g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
        g_autofree char *option = g_strdup_printf("--config-file=%s", bus->configuration);
        const char *const arguments[] = {"dbus-daemon", "--nofork", "--nopidfile", option, NULL};
        g_autoptr(GError) error = NULL;

        g_subprocess_launcher_set_child_setup(launcher, die_with_parent, NULL, NULL);
        bus->process = g_subprocess_launcher_spawnv(launcher, arguments, &error);
        g_assert_no_error(error);
}

/* It takes its socket as from systemd, and wants to see its own pid in the environment. That its
 * parent goes it is told by itself. */
static void start_broker(struct bus *bus) {
        static const char script[] = "LISTEN_PID=$$ exec dbus-broker-launch --scope system"
                                     " --config-file=\"$0\"";
        g_autoptr(GSubprocessLauncher) launcher =
                g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
        const char *const arguments[] = {"sh", "-c", script, bus->configuration, NULL};
        g_autoptr(GError) error = NULL;
        int fd = socket_bind(bus->socket, SOCK_STREAM);

        g_assert_cmpint(listen(fd, BACKLOG), ==, 0);
        journal_start(bus);
        g_subprocess_launcher_set_child_setup(launcher, enter_with_journal, bus, NULL);
        g_subprocess_launcher_take_fd(launcher, fd, LISTEN_FD);
        g_subprocess_launcher_setenv(launcher, "LISTEN_FDS", "1", TRUE);
        g_subprocess_launcher_setenv(launcher, "LISTEN_FDNAMES", "dbus.socket", TRUE);
        g_subprocess_launcher_setenv(launcher, "DBUS_SYSTEM_BUS_ADDRESS", bus->address, TRUE);
        bus->process = g_subprocess_launcher_spawnv(launcher, arguments, &error);
        g_assert_no_error(error);
}

static bool answers(const struct bus *bus) {
        int fd = client_socket(bus->address, 0);

        if (fd >= 0)
                close(fd);
        return fd >= 0;
}

void bus_start(struct bus *bus) {
        g_assert_null(bus->process);
        if (bus->is_broker)
                start_broker(bus);
        else
                start_daemon(bus);
        UNTIL(answers(bus) || !bus_runs(bus));
        if (!bus_runs(bus))
                g_error("The bus has ended as soon as it was started");
}

/* dbus-broker is a child of its launcher, and goes a moment later. */
void bus_stop(struct bus *bus) {
        g_subprocess_force_exit(bus->process);
        UNTIL(!bus_runs(bus) && !answers(bus));
        g_clear_object(&bus->process);
        if (bus->is_broker)
                journal_stop(bus);
}

bool bus_runs(const struct bus *bus) {
        return bus->process && g_subprocess_get_identifier(bus->process);
}

/* ---- the whole ---- */

static bool broker_is_wanted(void) {
        const char *name = g_getenv("SCSISCAN_TEST_BROKER");

        if (name && strcmp(name, "dbus-broker") == 0)
                return true;
        if (name && strcmp(name, "dbus-daemon") != 0)
                g_error("SCSISCAN_TEST_BROKER=%s: neither dbus-daemon nor dbus-broker", name);
        return false;
}

struct bus *bus_new(const char *directory) {
        struct bus *bus = g_new0(struct bus, 1);

        bus->is_broker = broker_is_wanted();
        bus->socket = g_build_filename(directory, "bus", NULL);
        bus->address = g_strdup_printf("unix:path=%s", bus->socket);
        bus->configuration = g_build_filename(directory, "bus.conf", NULL);
        bus->journal = g_build_filename(directory, "journal", NULL);
        configure(bus);
        return bus;
}

void bus_free(struct bus *bus) {
        g_assert_null(bus->process);
        g_free(bus->socket);
        g_free(bus->address);
        g_free(bus->configuration);
        g_free(bus->journal);
        g_free(bus);
}

const char *bus_address(const struct bus *bus) {
        return bus->address;
}
