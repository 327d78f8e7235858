/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a job says of itself, whoever asked for it, and what comes of asking for too much. */

#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "dbus/waiting.h"
#include "fake_polkit.h"
#include "harness.h"
#include "scan/job.h"
#include "scan/plan.h"
#include "scsi/report_luns.h"

#define HOTPLUG SCSISCAN_INTERFACE_HOTPLUG
#define JOB SCSISCAN_INTERFACE_JOB
#define SCAN SCSISCAN_INTERFACE_SCAN
#define PORT ((struct scsi_target_address){0, 0, 0})
#define NEW ((struct scsi_address){PORT, 4})
#define NEW_PATH DEVICE_PATH("0_0_0_4")
/* Targets of one host, and their disks. */
#define TARGETS 8
#define LUNS 4

static struct harness *boot(void) {
        struct harness *harness = harness_boot(machine_new(1, TARGETS, LUNS));

        harness_check_complete(harness);
        return harness;
}

static struct sim_machine *lock(struct harness *harness) {
        return sim_server_lock(harness_sim(harness));
}

static void unlock(struct harness *harness) {
        sim_server_unlock(harness_sim(harness));
}

/* No command of the target comes back until it is let go. */
static void hold(struct harness *harness) {
        sim_set_target_manner(lock(harness), PORT, SIM_HANGS);
        unlock(harness);
}

static void let_go(struct harness *harness) {
        sim_set_target_manner(lock(harness), PORT, SIM_NORMAL);
        unlock(harness);
}

/* One more, of which the array says nothing to anybody. */
static void map_quietly(struct harness *harness) {
        const struct sim_unit disk = sim_disk(99);
        struct sim_machine *machine = lock(harness);

        sim_set_target_quirks(machine, PORT, SIM_QUIET);
        sim_map(machine, PORT, NEW.lun, &disk);
        unlock(harness);
}

static bool is_attached(struct harness *harness, struct scsi_address address) {
        bool attached = sim_is_attached(lock(harness), address);

        unlock(harness);
        return attached;
}

/* ---- calls, and what is told of their jobs ---- */

static GVariant *attach_arguments(const char *options) {
        return g_variant_new("(ss@a{sv})", "0:0:0", "4", client_options(options));
}

static GVariant *scope_arguments(const char *scope, const char *options) {
        return g_variant_new("(s@a{sv})", scope, client_options(options));
}

static char *call_for_job(struct client *client, const char *interface, const char *method,
                          GVariant *arguments) {
        g_autoptr(GVariant) reply =
                client_call(client, SCSISCAN_PATH, interface, method, arguments);
        char *job;

        g_variant_get(reply, "(o)", &job);
        return job;
}

static void job_is(struct client *client, const char *job, const char *property,
                   const char *wanted) {
        g_autoptr(GVariant) value = client_get(client, job, JOB, property);
        g_autofree char *text = g_variant_print(value, FALSE);

        g_assert_cmpstr(text, ==, wanted);
}

static void job_wait(struct client *client, const char *job) {
        g_variant_unref(client_call(client, job, JOB, "Wait", NULL));
}

/* The job that was added since, and is that: its path. */
static char *job_added(struct client *client, guint from, const char *operation) {
        g_autofree char *part = g_strdup_printf("'Operation': <'%s'>", operation);
        guint at = client_signal(client, from, "InterfacesAdded", part);
        g_autoptr(GDBusMessage) message = client_message(client, at);
        char *path;

        g_variant_get(g_dbus_message_get_body(message), "(o@a{sa{sv}})", &path, NULL);
        return path;
}

static guint32 plan_send(struct client *client, const char *scope) {
        return client_send(client, SCSISCAN_PATH, SCAN, "Plan", scope_arguments(scope, NULL));
}

static void answer_is(struct client *client, guint32 serial, const char *error) {
        g_autoptr(GDBusMessage) reply = client_reply(client, serial);

        g_assert_cmpstr(g_dbus_message_get_error_name(reply), ==, error);
}

/* ---- operations ---- */

static void test_detach(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);
        g_autofree char *job =
                call_for_job(client, HOTPLUG, "Detach", scope_arguments("0:0:0:3", NULL));
        g_autofree char *added = job_added(client, from, "detach");

        g_assert_cmpstr(job, ==, added);
        job_wait(client, job);
        job_is(client, job, "Operation", "'detach'");
        job_is(client, job, "Cause", "'request'");
        job_is(client, job, "Scope", "'0:0:0:3'");
        job_is(client, job, "Result", "'done'");
        job_is(client, job, "Objects", "[]");
        (void)client_signal(client, from, "Completed", "(true, '')");
        (void)client_signal(client, from, "Detached", "'0:0:0:3'");
        g_assert_false(is_attached(harness, (struct scsi_address){PORT, 3}));
        g_assert_cmpint(client_signal_seen(client, from, "Started", job), ==, -1);
        harness_free(harness);
}

/* It is told of as any other, but for the signals that are about scans. */
static void test_plan(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);
        g_autofree char *job = NULL;
        guint32 plan;

        hold(harness);
        plan = plan_send(client, "0:0:0");
        job = job_added(client, from, "plan");
        job_is(client, job, "Operation", "'plan'");
        job_is(client, job, "Scope", "'0:0:0'");
        job_is(client, job, "Objects", "['" TARGET_PATH("0_0_0") "']");
        job_is(client, job, "Result", "''");
        let_go(harness);
        answer_is(client, plan, NULL);
        job_is(client, job, "Result", "'done'");
        (void)client_signal(client, from, "Completed", "(true, '')");
        g_assert_cmpint(client_signal_seen(client, from, "Started", job), ==, -1);
        g_assert_cmpint(client_signal_seen(client, from, "Finished", job), ==, -1);
        harness_free(harness);
}

/* ---- who asked ---- */

/* Of every method that gives a job, once polkit has allowed it. */
static void test_uid(void) {
        static const struct {
                const char *interface, *method, *scope, *operation;
        } calls[] = {
                {SCAN, "Scan", "0:0:0", "scan"},
                {SCAN, "Plan", "0:0:0", "plan"},
                {HOTPLUG, "Refresh", "0:0:0:1", "refresh"},
                {HOTPLUG, "Detach", "0:0:0:1", "detach"},
        };
        struct harness *harness = boot();
        struct client *root = harness_client(harness);
        struct client *nobody = client_new(harness_address(harness), NOBODY);
        struct fake_polkit *polkit = fake_polkit_new(harness_address(harness));

        g_assert_nonnull(nobody);
        fake_polkit_says(polkit, POLKIT_YES);
        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                guint from = client_arrived(root);
                g_autofree char *theirs = NULL;

                g_variant_unref(client_call(nobody, SCSISCAN_PATH, calls[i].interface,
                                            calls[i].method,
                                            scope_arguments(calls[i].scope, NULL)));
                theirs = job_added(root, from, calls[i].operation);
                job_is(root, theirs, "StartedByUID", G_STRINGIFY(NOBODY));
                job_is(nobody, theirs, "StartedByUID", G_STRINGIFY(NOBODY));
                job_wait(root, theirs);
        }
        g_assert_cmpuint(fake_polkit_asked(polkit), ==, G_N_ELEMENTS(calls));
        fake_polkit_free(polkit);
        client_free(nobody);
        harness_free(harness);
}

/* ---- when it ends ---- */

static guint64 job_time(struct client *client, const char *job, const char *property) {
        g_autoptr(GVariant) value = client_get(client, job, JOB, property);

        return g_variant_get_uint64(value);
}

/* One target does not answer yet: what the others took says something about it. */
static void test_expected_end(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);
        g_autofree char *job = NULL;
        guint64 expected;
        int at;

        hold(harness);
        job = client_scan(client, "", NULL);
        g_assert_cmpuint(job_time(client, job, "ExpectedEndTime"), ==, 0);
        at = (int)client_signal(client, from, "PropertiesChanged", "'ExpectedEndTime': <");
        expected = job_time(client, job, "ExpectedEndTime");
        g_assert_cmpuint(expected, >, job_time(client, job, "StartTime"));
        g_assert_cmpuint(expected, <, (guint64)g_get_real_time() + CLIENT_PATIENCE);
        g_assert_cmpint(client_signal_seen(client, from, "Completed", NULL), ==, -1);
        let_go(harness);
        job_wait(client, job);
        g_assert_cmpuint(job_time(client, job, "ExpectedEndTime"), ==, 0);
        (void)client_signal(client, (guint)at, "PropertiesChanged",
                            "'ExpectedEndTime': <uint64 0>");
        harness_free(harness);
}

/* ---- what is inhibited ---- */

static int inhibit(GDBusConnection *connection, const char *scope) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GUnixFDList) fds = NULL;
        g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_sync(
                connection, SCSISCAN_BUS_NAME, SCSISCAN_PATH, HOTPLUG, "Inhibit",
                g_variant_new("(ssst)", scope, "test", "to see", UINT64_C(0)),
                G_VARIANT_TYPE("(h)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, &fds, NULL, &error);
        gint32 index;
        int fd;

        g_assert_no_error(error);
        g_variant_get(reply, "(h)", &index);
        fd = g_unix_fd_list_get(fds, index, &error);
        g_assert_no_error(error);
        return fd;
}

static bool has_no_leases(struct client *client) {
        g_autoptr(GVariant) value = client_get(client, SCSISCAN_PATH, HOTPLUG, "Leases");

        return g_variant_n_children(value) == 0;
}

/* Whoever has the lease is refused as well, and another target is not. */
static void test_inhibited(void) {
        static const char *const scopes[] = {"", "host0", "0:0:0", "0:0:0:4"};
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        g_autoptr(GDBusConnection) holder = client_connection(harness_address(harness), 0);

        map_quietly(harness);
        for (size_t i = 0; i < G_N_ELEMENTS(scopes); i++) {
                guint from = client_arrived(client);
                int fd = inhibit(holder, scopes[i]);
                g_autofree char *job = NULL;

                g_test_message("'%s'", scopes[i]);
                client_refuses(client, SCSISCAN_PATH, HOTPLUG, "Attach",
                               attach_arguments("{'wait': <true>}"), SCSISCAN_ERROR_INHIBITED,
                               "0:0:0:4");
                job = call_for_job(client, HOTPLUG, "Attach", attach_arguments(NULL));
                job_wait(client, job);
                job_is(client, job, "Result", "'failed'");
                (void)client_signal(client, from, "Completed", "(false, '0:0:0:4: ");
                g_assert_false(is_attached(harness, NEW));
                close(fd);
                UNTIL(has_no_leases(client));
                /* What was held back is asked again then, and found. */
                (void)client_signal(client, from, "Attached", "'0:0:0:4'");
                sim_detach_by_hand(lock(harness), NEW);
                unlock(harness);
                (void)client_signal(client, from, "Detached", "'0:0:0:4'");
                g_assert_true(client_settle(client, "", CLIENT_PATIENCE));
        }
        g_free(call_for_job(client, HOTPLUG, "Attach", attach_arguments("{'wait': <true>}")));
        g_assert_true(is_attached(harness, NEW));
        (void)g_dbus_connection_close_sync(holder, NULL, NULL);
        harness_check_complete(harness);
        harness_free(harness);
}

/* ---- too much ---- */

/* As many plans as root may have under way; then nothing that needs a job gets one. */
static void test_jobs_limit(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint32 plans[JOBS_ACTIVE_ROOT_MAX];
        const struct {
                const char *interface, *method;
                GVariant *arguments;
        } calls[] = {
                {SCAN, "Plan", scope_arguments("0:0:0", NULL)},
                {SCAN, "Scan", scope_arguments("0:0:0", NULL)},
                {HOTPLUG, "Attach", attach_arguments(NULL)},
                {HOTPLUG, "Detach", scope_arguments("0:0:0:3", NULL)},
                {HOTPLUG, "Refresh", scope_arguments("0:0:0:3", NULL)},
                {SCSISCAN_INTERFACE_POLICY, "Reload", NULL},
        };

        hold(harness);
        for (unsigned i = 0; i < JOBS_ACTIVE_ROOT_MAX; i++)
                plans[i] = plan_send(client, "0:0:0");
        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++)
                client_refuses(client, SCSISCAN_PATH, calls[i].interface, calls[i].method,
                               calls[i].arguments, SCSISCAN_ERROR_LIMIT, "Too many jobs");
        g_assert_false(client_is_answered(client, plans[0]));
        let_go(harness);
        for (unsigned i = 0; i < JOBS_ACTIVE_ROOT_MAX; i++)
                answer_is(client, plans[i], NULL);
        answer_is(client, plan_send(client, "0:0:0"), NULL);
        harness_check_complete(harness);
        harness_free(harness);
}

/* A plan is waited for in any case: where that cannot be, none is made. */
static void test_waiting_limit(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);
        guint32 waits[WAITING_ROOT_MAX];
        g_autofree char *job = NULL;

        hold(harness);
        job = client_scan(client, "0:0:0", NULL);
        for (unsigned i = 0; i < WAITING_ROOT_MAX; i++)
                waits[i] = client_send(client, job, JOB, "Wait", NULL);
        client_refuses(client, SCSISCAN_PATH, SCAN, "Plan", scope_arguments("", NULL),
                       SCSISCAN_ERROR_LIMIT, "waiting");
        let_go(harness);
        for (unsigned i = 0; i < WAITING_ROOT_MAX; i++)
                answer_is(client, waits[i], NULL);
        g_assert_true(client_settle(client, "", CLIENT_PATIENCE));
        g_assert_cmpint(client_signal_seen(client, from, "InterfacesAdded", "<'plan'>"), ==, -1);
        answer_is(client, plan_send(client, ""), NULL);
        harness_free(harness);
}

static void write_policy(const struct harness *harness, const char *text) {
        g_autofree char *directory = harness_policy_path(harness, NULL);
        g_autofree char *path = harness_policy_path(harness, "policy.conf");
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
        g_file_set_contents(path, text, -1, &error);
        g_assert_no_error(error);
}

/* More LUNs than a plan has steps, of which one is attached; those of one target it can hold. */
static void test_long_plan(void) {
        struct harness *harness = harness_new(
                machine_new(1, PLAN_STEPS_MAX / SCSI_REPORT_LUNS_MAX + 1, SCSI_REPORT_LUNS_MAX));
        struct client *client;

        write_policy(harness, "[Rule most]\nMatchLun=1-32767\nAction=ignore\n");
        harness_start(harness, (struct daemon_start){});
        harness_wait_ready(harness);
        client = harness_client(harness);
        client_refuses(client, SCSISCAN_PATH, SCAN, "Plan", scope_arguments("", NULL),
                       SCSISCAN_ERROR_LIMITS_EXCEEDED, "one host or target");
        answer_is(client, plan_send(client, "0:0:0"), NULL);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/jobs/detach", test_detach);
        g_test_add_func("/bus/jobs/plan", test_plan);
        g_test_add_func("/bus/jobs/uid", test_uid);
        g_test_add_func("/bus/jobs/expected-end", test_expected_end);
        g_test_add_func("/bus/jobs/inhibited", test_inhibited);
        g_test_add_func("/bus/jobs/jobs-limit", test_jobs_limit);
        g_test_add_func("/bus/jobs/waiting-limit", test_waiting_limit);
        g_test_add_func("/bus/jobs/long-plan", test_long_plan);
        return g_test_run();
}
