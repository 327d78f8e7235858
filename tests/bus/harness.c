/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus.h"
#include "harness.h"
#include "scsi/address.h"

#define PROGRAM_SECONDS 280
#define PASSED_FD 3 /* the first, as sd_listen_fds() has it */
#define SKIPPED 77  /* as Automake and meson have it */

struct harness {
        char *directory; /* the bus's files, and the daemon's */
        struct bus *bus;
        GSubprocess *daemon;
        GThread *log_thread; /* reads until the daemon and its workers have closed it */
        GMutex log_lock;
        GString *log;
        struct sim_server *sim;
        struct client *client;
};

/* ---- being root ---- */

static void file_write(const char *path, const char *text) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t)strlen(text));
        close(fd);
}

void harness_init(int *argc, char ***argv) {
        g_autofree char *users = g_strdup_printf("0 %u 1", geteuid());
        g_autofree char *groups = g_strdup_printf("0 %u 1", getegid());

        g_test_init(argc, argv, NULL);
        alarm(PROGRAM_SECONDS);
        if (geteuid() == 0)
                return;
        if (unshare(CLONE_NEWUSER) < 0) {
                g_print("1..0 # SKIP needs root, or user namespaces\n");
                exit(SKIPPED);
        }
        file_write("/proc/self/uid_map", users);
        file_write("/proc/self/setgroups", "deny");
        file_write("/proc/self/gid_map", groups);
}

/* ---- processes ---- */

/* What was started goes when the test does: the test's main thread has to be the one that asks. */
static void die_with_parent(void *userdata) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void wait_gone(GSubprocess *process) {
        UNTIL(!g_subprocess_get_identifier(process));
}

/* ---- the bus ---- */

GSubprocess *harness_spawn(const struct harness *harness, const char *variable, const char *words,
                           GSubprocessFlags flags) {
        g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(flags);
        g_autofree char *line = g_strdup_printf("%s %s", g_getenv(variable), words);
        g_auto(GStrv) arguments = g_strsplit(line, " ", -1);
        g_autoptr(GError) error = NULL;
        GSubprocess *child;

        g_subprocess_launcher_setenv(launcher, "DBUS_SYSTEM_BUS_ADDRESS", harness_address(harness),
                                     TRUE);
        child = g_subprocess_launcher_spawnv(launcher, (const char *const *)arguments, &error);
        g_assert_no_error(error);
        return child;
}

void harness_bus_start(struct harness *harness) {
        bus_start(harness->bus);
}

void harness_bus_stop(struct harness *harness) {
        bus_stop(harness->bus);
        client_free(g_steal_pointer(&harness->client));
}

/* ---- the daemon ---- */

/* Where the test's own messages go, as it comes; and kept, to be asked. */
static void *log_read(void *userdata) {
        struct harness *harness = userdata;
        GInputStream *stream = g_subprocess_get_stderr_pipe(harness->daemon);
        char buffer[4096];
        gssize n;

        while ((n = g_input_stream_read(stream, buffer, sizeof(buffer), NULL, NULL)) > 0) {
                (void)!write(STDERR_FILENO, buffer, (size_t)n);
                g_mutex_lock(&harness->log_lock);
                g_string_append_len(harness->log, buffer, n);
                g_mutex_unlock(&harness->log_lock);
        }
        return NULL;
}

static bool log_holds(struct harness *harness, const char *part) {
        g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&harness->log_lock);

        return locked && strstr(harness->log->str, part);
}

unsigned harness_count_log(struct harness *harness, const char *part) {
        g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&harness->log_lock);
        unsigned count = 0;

        for (const char *at = harness->log->str; locked && (at = strstr(at, part)); at++)
                count++;
        return count;
}

void harness_wait_log(struct harness *harness, const char *part) {
        UNTIL(log_holds(harness, part));
}

char *harness_runtime_path(const struct harness *harness, const char *name) {
        return g_build_filename(harness->directory, "run", name, NULL);
}

char *harness_policy_path(const struct harness *harness, const char *name) {
        return g_build_filename(harness->directory, "policy", name, NULL);
}

char *harness_state_path(const struct harness *harness, const char *name) {
        return g_build_filename(harness->directory, "state", name, NULL);
}

/* What it is passed, from PASSED_FD on; behind it, or for its first, the uevents. */
struct passed {
        int *fds;
        guint count;
        char *names;
};

static struct passed passed_new(struct daemon_start start) {
        struct passed passed = {};

        if (start.keeper)
                passed.count = keeper_pass(start.keeper, &passed.fds, &passed.names);
        return passed;
}

static void passed_done(struct passed *passed) {
        g_free(passed->fds);
        g_free(passed->names);
}

static char **daemon_arguments(const struct harness *harness, struct daemon_start start,
                               const struct passed *passed) {
        g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
        g_autofree char *runtime = harness_runtime_path(harness, NULL);
        g_autofree char *state = harness_state_path(harness, NULL);
        g_autofree char *policy = harness_policy_path(harness, NULL);
        g_autofree char *deadline = g_strdup_printf("--deadline=%u", start.deadline);
        g_autofree char *uevents = g_strdup_printf("--uevent-fd=%u", PASSED_FD + passed->count);
        g_autofree char *attention = g_strdup_printf("--attention-interval=%u", start.interval);
        g_autofree char *confirm = g_strdup_printf("--confirm-interval=%u", start.interval);

        if (start.listen_fd > 0 || passed->count > 0)
                g_strv_builder_add_many(builder, "sh", "-c",
                                        "export LISTEN_PID=$$ && exec \"$0\" \"$@\"", NULL);
        g_strv_builder_add_many(builder, g_getenv("SCSISCAND"), "--worker", g_getenv("SIM_WORKER"),
                                "--sysfs", sim_server_root(harness->sim), "--runtime-dir", runtime,
                                "--state-dir", state, "--policy-dir", policy, "--mode",
                                start.mode ?: "owner", NULL);
        if (start.restore_scan)
                g_strv_builder_add(builder, "--restore-scan");
        if (start.listen_fd <= 0)
                g_strv_builder_add(builder, uevents);
        if (start.deadline > 0)
                g_strv_builder_add(builder, deadline);
        if (start.interval > 0)
                g_strv_builder_add_many(builder, attention, confirm, NULL);
        return g_strv_builder_end(builder);
}

static void launcher_play_systemd(GSubprocessLauncher *launcher, struct daemon_start start,
                                  const struct passed *passed) {
        g_autofree char *watchdog = g_strdup_printf("%u", start.watchdog);
        g_autofree char *count = g_strdup_printf("%u", passed->count + (start.listen_fd > 0));
        g_autofree char *names =
                g_strdup_printf("%s%s%s", passed->count > 0 ? passed->names : "",
                                passed->count > 0 && start.listen_fd > 0 ? ":" : "",
                                start.listen_fd > 0 ? "scsiscand.socket" : "");

        if (*names) {
                g_subprocess_launcher_setenv(launcher, "LISTEN_FDS", count, TRUE);
                g_subprocess_launcher_setenv(launcher, "LISTEN_FDNAMES", names, TRUE);
        }
        if (start.notify || start.keeper)
                g_subprocess_launcher_setenv(
                        launcher, "NOTIFY_SOCKET",
                        start.keeper ? keeper_path(start.keeper) : start.notify, TRUE);
        if (start.watchdog > 0)
                g_subprocess_launcher_setenv(launcher, "WATCHDOG_USEC", watchdog, TRUE);
}

static void launcher_pass(GSubprocessLauncher *launcher, const struct passed *passed,
                          int uevent_fd) {
        int uevents = fcntl(uevent_fd, F_DUPFD_CLOEXEC, 0);

        g_assert_cmpint(uevents, >=, 0);
        for (guint i = 0; i < passed->count; i++)
                g_subprocess_launcher_take_fd(launcher, passed->fds[i], PASSED_FD + (int)i);
        g_subprocess_launcher_take_fd(launcher, uevents, PASSED_FD + (int)passed->count);
}

void harness_start(struct harness *harness, struct daemon_start start) {
        g_autoptr(GSubprocessLauncher) launcher =
                g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDERR_PIPE);
        struct passed passed = passed_new(start);
        g_auto(GStrv) arguments = daemon_arguments(harness, start, &passed);
        g_autoptr(GError) error = NULL;

        g_assert_null(harness->daemon);
        g_subprocess_launcher_set_child_setup(launcher, die_with_parent, NULL, NULL);
        launcher_pass(launcher, &passed,
                      start.listen_fd > 0 ? start.listen_fd : sim_server_uevent_fd(harness->sim));
        g_subprocess_launcher_setenv(launcher, "DBUS_SYSTEM_BUS_ADDRESS", bus_address(harness->bus),
                                     TRUE);
        g_subprocess_launcher_setenv(launcher, "SCSISCAN_SIM", sim_server_socket(harness->sim),
                                     TRUE);
        launcher_play_systemd(launcher, start, &passed);
        harness->daemon =
                g_subprocess_launcher_spawnv(launcher, (const char *const *)arguments, &error);
        g_assert_no_error(error);
        passed_done(&passed);
        harness->log_thread = g_thread_new("log", log_read, harness);
}

bool harness_runs(const struct harness *harness) {
        return harness->daemon && g_subprocess_get_identifier(harness->daemon);
}

const char *harness_pid(const struct harness *harness) {
        g_assert_true(harness_runs(harness));
        return g_subprocess_get_identifier(harness->daemon);
}

void harness_wait_ready(struct harness *harness) {
        struct client *client = harness_client(harness);

        UNTIL(client_sees_service(client));
        UNTIL(client_get_flag(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY, "Ready"));
        g_assert_true(harness_runs(harness));
}

void harness_hang_up(struct harness *harness) {
        g_subprocess_send_signal(harness->daemon, SIGHUP);
}

gint64 harness_stop(struct harness *harness) {
        gint64 begun = g_get_monotonic_time();
        gint64 taken;

        g_subprocess_send_signal(harness->daemon, SIGTERM);
        wait_gone(harness->daemon);
        taken = g_get_monotonic_time() - begun;
        g_thread_join(harness->log_thread);
        g_assert_true(g_subprocess_get_if_exited(harness->daemon));
        g_assert_cmpint(g_subprocess_get_exit_status(harness->daemon), ==, 0);
        g_clear_object(&harness->daemon);
        return taken;
}

void harness_kill(struct harness *harness) {
        g_subprocess_force_exit(harness->daemon);
        wait_gone(harness->daemon);
        g_thread_join(harness->log_thread);
        g_clear_object(&harness->daemon);
        UNTIL(!client_sees_service(harness_client(harness)));
}

/* ---- the whole ---- */

struct harness *harness_new(struct sim_machine *machine) {
        struct harness *harness = g_new0(struct harness, 1);
        g_autofree char *runtime = NULL;

        g_mutex_init(&harness->log_lock);
        harness->log = g_string_new("");
        harness->directory = g_dir_make_tmp("scsiscan-bus-XXXXXX", NULL);
        g_assert_nonnull(harness->directory);
        g_assert_cmpint(chmod(harness->directory, 0755), ==, 0); /* the bus is for everybody */
        runtime = harness_runtime_path(harness, NULL);
        g_assert_cmpint(g_mkdir(runtime, 0755), ==, 0);
        harness->sim = sim_server_start(machine);
        harness->bus = bus_new(harness->directory);
        harness_bus_start(harness);
        return harness;
}

static void remove_all(const char *directory) {
        g_autoptr(GDir) list = g_dir_open(directory, 0, NULL);
        const char *name;

        while (list && (name = g_dir_read_name(list))) {
                g_autofree char *path = g_build_filename(directory, name, NULL);

                if (g_file_test(path, G_FILE_TEST_IS_DIR))
                        remove_all(path);
                else
                        g_assert_cmpint(g_unlink(path), ==, 0);
        }
        g_assert_cmpint(g_rmdir(directory), ==, 0);
}

void harness_free(struct harness *harness) {
        struct sim_machine *machine;

        if (harness->daemon)
                (void)harness_stop(harness);
        if (bus_runs(harness->bus))
                harness_bus_stop(harness);
        bus_free(harness->bus);
        machine = sim_server_lock(harness->sim);
        sim_server_unlock(harness->sim);
        sim_server_stop(harness->sim);
        sim_machine_free(machine);
        remove_all(harness->directory);
        g_string_free(harness->log, TRUE);
        g_mutex_clear(&harness->log_lock);
        g_free(harness->directory);
        g_free(harness);
}

struct sim_machine *machine_new(uint32_t hosts, uint32_t targets, uint32_t luns) {
        struct sim_machine *machine = sim_machine_new(1);

        for (uint32_t host = 0; host < hosts; host++) {
                const struct sim_host like = {.max_id = targets};
                uint32_t number = sim_add_host(machine, &like);

                for (uint32_t id = 0; id < targets; id++) {
                        const struct sim_target target = {.target = id};
                        struct scsi_target_address address =
                                sim_add_target(machine, number, &target);

                        sim_map_disks(machine, address, luns, (number * targets + id) * luns);
                }
        }
        return machine;
}

struct harness *harness_boot(struct sim_machine *machine) {
        struct harness *harness = harness_new(machine);

        harness_start(harness, (struct daemon_start){});
        harness_wait_ready(harness);
        return harness;
}

struct sim_server *harness_sim(struct harness *harness) {
        return harness->sim;
}

const char *harness_address(const struct harness *harness) {
        return bus_address(harness->bus);
}

struct client *harness_client(struct harness *harness) {
        if (!harness->client)
                harness->client = client_new(bus_address(harness->bus), 0);
        g_assert_nonnull(harness->client);
        return harness->client;
}

/* ---- comparing ---- */

static int compare_addresses(gconstpointer a, gconstpointer b, gpointer unused) {
        return scsi_address_compare(a, b);
}

static struct scsi_address *address_new(const char *path) {
        g_autofree char *text = g_strdup(path + strlen(SCSISCAN_PATH_DEVICE "/"));
        struct scsi_address *address = g_new(struct scsi_address, 1);

        g_assert_cmpint(scsi_address_parse(g_strdelimit(text, "_", ':'), address), ==, 0);
        return address;
}

static char *addresses_print(GSequence *addresses) {
        GString *text = g_string_new("");

        for (GSequenceIter *at = g_sequence_get_begin_iter(addresses); !g_sequence_iter_is_end(at);
             at = g_sequence_iter_next(at)) {
                char address[SCSI_ADDRESS_TEXT_MAX];

                g_string_append_printf(text, "%s\n",
                                       scsi_address_format(g_sequence_get(at), address));
        }
        return g_string_free(text, FALSE);
}

char *harness_seen(struct harness *harness) {
        g_autoptr(GVariant) reply = client_call(harness_client(harness), SCSISCAN_PATH,
                                                MANAGER_INTERFACE, "GetManagedObjects", NULL);
        g_autoptr(GVariant) objects = g_variant_get_child_value(reply, 0);
        g_autoptr(GSequence) addresses = g_sequence_new(g_free);
        GVariantIter iter;
        const char *path;

        g_variant_iter_init(&iter, objects);
        while (g_variant_iter_next(&iter, "{&o@a{sa{sv}}}", &path, NULL))
                if (g_str_has_prefix(path, SCSISCAN_PATH_DEVICE "/"))
                        g_sequence_insert_sorted(addresses, address_new(path), compare_addresses,
                                                 NULL);
        return addresses_print(addresses);
}

/* Uevents of the simulated machine take a moment, other than the kernel's. */
void harness_check(struct harness *harness) {
        gint64 until = g_get_monotonic_time() + HARNESS_FOLLOWS;

        for (;;) {
                bool settled = client_settle(harness_client(harness), "", CLIENT_PATIENCE / 2);
                g_autofree char *seen = harness_seen(harness);
                g_autofree char *attached = sim_attached(sim_server_lock(harness->sim));

                sim_server_unlock(harness->sim);
                g_assert_true(settled);
                if (strcmp(seen, attached) == 0)
                        return;
                if (g_get_monotonic_time() > until)
                        g_assert_cmpstr(seen, ==, attached);
                g_usleep(10000);
        }
}

void harness_check_complete(struct harness *harness) {
        g_autofree char *attached = NULL, *attachable = NULL;
        struct sim_machine *machine;

        harness_check(harness);
        machine = sim_server_lock(harness->sim);
        attached = sim_attached(machine);
        attachable = sim_attachable(machine);
        sim_server_unlock(harness->sim);
        g_assert_cmpstr(attached, ==, attachable);
}
