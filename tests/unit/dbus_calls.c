/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <unistd.h>

#include "dbus/caller.h"
#include "dbus/waiting.h"
#include "tests/unit/dbus_fixture.h"

#define SCAN SCSISCAN_INTERFACE_SCAN
#define TOPOLOGY SCSISCAN_INTERFACE_TOPOLOGY
#define JOB SCSISCAN_INTERFACE_JOB

/* ---- scanning ---- */

/* From the request to the device: every signal, in order. */
static void test_scan(void) {
        struct fixture *fixture;
        g_autofree char *job = NULL;
        int started, added, attached, changed, completed, finished, job_added;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture_forget(fixture);
        job = fixture_scan(fixture, "3:0:1", "{'wait': <true>}");
        fixture_sync(fixture);

        added = fixture_signal(fixture, 0, SCSISCAN_PATH, "InterfacesAdded");
        attached = fixture_signal(fixture, 0, SCSISCAN_PATH, "Attached");
        changed = fixture_signal(fixture, 0, SCSISCAN_PATH, "Changed");
        job_added = fixture_signal(fixture, (unsigned)changed, SCSISCAN_PATH, "InterfacesAdded");
        started = fixture_signal(fixture, 0, SCSISCAN_PATH, "Started");
        completed = fixture_signal(fixture, 0, job, "Completed");
        finished = fixture_signal(fixture, 0, SCSISCAN_PATH, "Finished");
        g_assert_cmpint(added, >=, 0);
        g_assert_cmpint(added, <, attached);
        g_assert_cmpint(attached, <, changed);
        g_assert_cmpint(changed, <, job_added);
        g_assert_cmpint(job_added, <, started);
        g_assert_cmpint(started, <, completed);
        g_assert_cmpint(completed, <, finished);
        fixture_assert_received(fixture, attached, SCSISCAN_PATH,
                                "('" FAKE_DEVICE_2 "', '3:0:1:2', 'naa.6000b')");
        fixture_assert_received(fixture, changed, SCSISCAN_PATH,
                                "(2, ['" FAKE_DEVICE_2 "', '" FAKE_UNIT_B "'], [], ['" FAKE_TARGET
                                "'])");
        fixture_assert_received(fixture, completed, job, "(true, '')");
        fixture_assert_value(fixture, job, JOB, "State", "'done'");
        fixture_assert_value(fixture, job, JOB, "Scope", "'3:0:1'");
        fixture_assert_value(fixture, job, JOB, "Objects", FAKE_TARGET);
        fixture_assert_value(fixture, FAKE_TARGET, SCSISCAN_INTERFACE_TARGET, "Luns",
                             "[('0', '0x0000000000000000', 'attached', 'a device is attached'), "
                             "('1', '0x0001000000000000', 'attached', 'a device is attached'), "
                             "('2', '0x0002000000000000', 'attached', 'a device is attached')]");
        fixture_free(fixture);
}

static void test_scan_refused(void) {
        static const struct {
                const char *scope, *options, *error, *part;
        } calls[] = {
                {"3:0", NO_OPTIONS, SCSISCAN_ERROR_INVALID_ARGS, "3:0: "},
                {"", "{'Wait': <true>}", SCSISCAN_ERROR_INVALID_ARGS, "no option Wait"},
                {"", "{'wait': <1>}", SCSISCAN_ERROR_INVALID_ARGS, "wait is of type b, not i"},
                {"host4", NO_OPTIONS, SCSISCAN_ERROR_NOT_FOUND, "host4"},
                {"naa.1", "{'wait': <true>}", SCSISCAN_ERROR_NOT_FOUND, "naa.1"},
                {"", "{'generation': <uint64 9>}", SCSISCAN_ERROR_STALE_PLAN, "is 1, not 9"},
        };
        struct fixture *fixture = fixture_set_up();

        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++)
                fixture_refuses(fixture, SCSISCAN_PATH, SCAN, "Scan",
                                g_variant_new("(s@a{sv})", calls[i].scope,
                                              g_variant_new_parsed(calls[i].options)),
                                calls[i].error, calls[i].part);
        fixture_refuses(fixture, FAKE_HOST, SCSISCAN_INTERFACE_HOST, "Scan",
                        g_variant_new_parsed("({'generation': <uint64 9>},)"),
                        SCSISCAN_ERROR_STALE_PLAN, "");
        fixture_refuses(fixture, FAKE_TARGET, SCSISCAN_INTERFACE_TARGET, "Scan",
                        g_variant_new_parsed("({'x': <1>},)"), SCSISCAN_ERROR_INVALID_ARGS,
                        "no option x");
        fixture_refuses(fixture, FAKE_BOOT_JOB, JOB, "Cancel",
                        g_variant_new_parsed("({'x': <1>},)"), SCSISCAN_ERROR_INVALID_ARGS,
                        "no option x");
        fixture_free(fixture);
}

static void test_scan_of_objects(void) {
        static const struct {
                const char *path, *interface, *scope;
        } calls[] = {
                {FAKE_HOST, SCSISCAN_INTERFACE_HOST, "'host3'"},
                {FAKE_TARGET, SCSISCAN_INTERFACE_TARGET, "'3:0:1'"},
        };
        struct fixture *fixture;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                g_autoptr(GVariant) reply = fixture_call(
                        fixture, calls[i].path, calls[i].interface, "Scan",
                        g_variant_new_parsed(
                                "({'wait': <true>, 'verify': <false>, 'generation': <uint64 1>},)"),
                        i == 0 ? NULL : &(GError *){NULL});
                const char *job;

                if (i > 0) {
                        g_assert_null(reply); /* the first one found something */
                        reply = fixture_call(fixture, calls[i].path, calls[i].interface, "Scan",
                                             g_variant_new_parsed("({'wait': <true>},)"), NULL);
                }
                g_variant_get(reply, "(&o)", &job);
                fixture_assert_value(fixture, job, JOB, "Scope", calls[i].scope);
                fixture_assert_value(fixture, job, JOB, "Operation", "'scan'");
                fixture_assert_value(fixture, job, JOB, "Cause", "'request'");
                fixture_assert_value(fixture, job, JOB, "StartedByUID", "0");
                fixture_assert_value(fixture, job, JOB, "Progress", "1.0");
                fixture_assert_value(fixture, job, JOB, "Result", "'done'");
                fixture_assert_value(fixture, job, JOB, "Cancelable", "false");
        }
        fixture_free(fixture);
}

static void assert_failed(const struct pending *pending, const char *name) {
        g_autofree char *remote = NULL;

        if (!pending->error)
                g_error("The call did not fail");
        remote = g_dbus_error_get_remote_error(pending->error);
        g_assert_cmpstr(remote, ==, name);
}

/* A job under way can be watched, waited for and cancelled; then those who wait are told. */
static void test_cancel(void) {
        struct fixture *fixture;
        struct pending *scanning, *waiting;
        g_autofree char *job = NULL, *text = NULL;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture->hold = true;
        job = fixture_scan(fixture, "host3", NO_OPTIONS);
        waiting = fixture_call_begin(fixture, fixture->client, job, JOB, "Wait", NULL);
        fixture_sync(fixture);
        g_assert_false(waiting->done);
        fixture_assert_value(fixture, job, JOB, "State", "'running'");
        fixture_assert_value(fixture, job, JOB, "Cancelable", "true");
        fixture_assert_value(fixture, job, JOB, "Result", "''");
        fixture_assert_value(fixture, job, JOB, "Objects", FAKE_HOST);
        fixture_assert_value(fixture, SCSISCAN_PATH, SCAN, "Busy", "true");

        g_variant_unref(fixture_call(fixture, job, JOB, "Cancel",
                                     g_variant_new_parsed("(" NO_OPTIONS ",)"), NULL));
        FIXTURE_UNTIL(fixture, waiting->done);
        g_assert_no_error(waiting->error);
        text = g_variant_print(waiting->reply, FALSE);
        g_assert_true(g_str_has_prefix(text, "('cancelled', {'attached': 0, "));
        pending_free(waiting);
        fixture_refuses(fixture, job, JOB, "Cancel", g_variant_new_parsed("(" NO_OPTIONS ",)"),
                        SCSISCAN_ERROR_FAILED, "has ended");

        scanning = fixture_call_begin(fixture, fixture->client, SCSISCAN_PATH, SCAN, "Scan",
                                      g_variant_new_parsed("('3:0:1', {'wait': <true>})"));
        FIXTURE_UNTIL(fixture, engine_job(fixture->engine, 3));
        g_variant_unref(fixture_call(fixture, SCSISCAN_PATH_JOB "/3", JOB, "Cancel",
                                     g_variant_new_parsed("(" NO_OPTIONS ",)"), NULL));
        FIXTURE_UNTIL(fixture, scanning->done);
        assert_failed(scanning, SCSISCAN_ERROR_CANCELLED);
        pending_free(scanning);
        fixture_free(fixture);
}

static void test_job_expires(void) {
        struct fixture *fixture;
        g_autofree char *job = NULL;
        int removed;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        job = fixture_scan(fixture, "", "{'wait': <true>}");
        fixture_forget(fixture);
        fixture->ahead += JOB_KEPT_USEC - UINT64_C(10000000);
        fixture_publish(fixture);
        fixture_assert_value(fixture, job, JOB, "Result", "'done'");
        fixture->ahead += UINT64_C(11000000);
        fixture_publish(fixture);
        fixture_sync(fixture);
        /* The boot job goes too, first. */
        removed = fixture_signal(fixture, 0, SCSISCAN_PATH, "InterfacesRemoved");
        fixture_assert_received(fixture, removed, SCSISCAN_PATH,
                                "('" SCSISCAN_PATH_JOB "/1', ['" JOB "'])");
        g_assert_cmpint(
                fixture_signal(fixture, (unsigned)removed + 1, SCSISCAN_PATH, "InterfacesRemoved"),
                >, removed);
        fixture_refuses(fixture, job, JOB, "Wait", NULL, SCSISCAN_ERROR_UNKNOWN_OBJECT, "");
        fixture_free(fixture);
}

/* ---- limits and rights ---- */

static void test_limits(void) {
        struct fixture *fixture;
        struct pending *waiting[WAITING_ROOT_MAX];
        g_autofree char *job = NULL;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture->hold = true;
        job = fixture_scan(fixture, "", NO_OPTIONS);
        for (unsigned i = 0; i < WAITING_ROOT_MAX; i++)
                waiting[i] = fixture_call_begin(fixture, fixture->client, job, JOB, "Wait", NULL);
        fixture_sync(fixture);
        fixture_refuses(fixture, job, JOB, "Wait", NULL, SCSISCAN_ERROR_LIMIT, "Too many");
        fixture_refuses(fixture, SCSISCAN_PATH, SCAN, "Settle",
                        g_variant_new_parsed("('', uint64 1000)"), SCSISCAN_ERROR_LIMIT,
                        "Too many");
        fixture_refuses(fixture, SCSISCAN_PATH, SCAN, "Scan",
                        g_variant_new_parsed("('', {'wait': <true>})"), SCSISCAN_ERROR_LIMIT,
                        "Too many");
        fixture->hold = false;
        fixture_work(fixture);
        for (unsigned i = 0; i < WAITING_ROOT_MAX; i++) {
                FIXTURE_UNTIL(fixture, waiting[i]->done);
                g_assert_no_error(waiting[i]->error);
                pending_free(waiting[i]);
        }
        g_variant_unref(fixture_call(fixture, job, JOB, "Wait", NULL, NULL));
        fixture_free(fixture);
}

static void test_too_many_jobs(void) {
        struct fixture *fixture;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture->hold = true;
        for (unsigned i = 0; i < JOBS_ACTIVE_PER_USER_MAX; i++)
                g_free(fixture_scan(fixture, "", NO_OPTIONS));
        fixture_refuses(fixture, SCSISCAN_PATH, SCAN, "Scan",
                        g_variant_new_parsed("('', " NO_OPTIONS ")"), SCSISCAN_ERROR_LIMIT,
                        "Too many jobs");
        fixture_free(fixture);
}

static void become_nobody(gpointer userdata) {
        if (setgid(65534) < 0 || setuid(65534) < 0)
                _exit(77);
}

struct nobodys_call {
        const char *path, *interface, *method;
        const char *arguments[3];
        const char *part; /* of what comes back */
};

/* What somebody else gets: stdout and stderr of gdbus. */
static char *call_as_nobody(struct fixture *fixture, const struct nobodys_call *call) {
        g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
                G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
        g_autofree char *method = g_strdup_printf("%s.%s", call->interface, call->method);
        const char *argv[] = {"gdbus",
                              "call",
                              "--address",
                              fixture->address,
                              "--dest",
                              SCSISCAN_BUS_NAME,
                              "--object-path",
                              call->path,
                              "--method",
                              method,
                              call->arguments[0],
                              call->arguments[1],
                              NULL};
        g_autoptr(GSubprocess) child = NULL;
        g_autoptr(GBytes) output = NULL;
        g_autoptr(GError) error = NULL;

        g_subprocess_launcher_set_child_setup(launcher, become_nobody, NULL, NULL);
        child = g_subprocess_launcher_spawnv(launcher, argv, &error);
        g_assert_no_error(error);
        FIXTURE_UNTIL(fixture, !g_subprocess_get_identifier(child));
        output = g_input_stream_read_bytes(g_subprocess_get_stdout_pipe(child), 65536, NULL, NULL);
        return g_strndup(g_bytes_get_data(output, NULL), g_bytes_get_size(output));
}

static void test_somebody_else(void) {
        static const struct nobodys_call calls[] = {
                {SCSISCAN_PATH, SCAN, "Scan", {"", "{}"}, SCSISCAN_ERROR_ACCESS_DENIED},
                {FAKE_HOST, SCSISCAN_INTERFACE_HOST, "Scan", {"{}"}, SCSISCAN_ERROR_ACCESS_DENIED},
                {FAKE_BOOT_JOB, JOB, "Cancel", {"{}"}, SCSISCAN_ERROR_ACCESS_DENIED},
                {SCSISCAN_PATH,
                 SCSISCAN_INTERFACE_HOTPLUG,
                 "Detach",
                 {"3:0:1:0", "{}"},
                 "org.scsiscan1.detach: "},
                {SCSISCAN_PATH,
                 SCSISCAN_INTERFACE_HOTPLUG,
                 "Detach",
                 {"3:0:1:0", "{'force': <true>}"},
                 "org.scsiscan1.detach-in-use: "},
                {FAKE_BOOT_JOB, JOB, "Wait", {}, "('done', "},
                {SCSISCAN_PATH, SCAN, "Settle", {"", "0"}, "(true,)"},
                {SCSISCAN_PATH, TOPOLOGY, "Find", {"host3"}, FAKE_HOST},
        };
        struct fixture *fixture;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                g_autofree char *output = call_as_nobody(fixture, &calls[i]);

                g_test_message("%s", output);
                g_assert_nonnull(strstr(output, calls[i].part));
        }
        g_assert_null(engine_job(fixture->engine, 2));
        fixture_free(fixture);
}

/* ---- waiting for a scope ---- */

static void test_settle(void) {
        struct fixture *fixture = fixture_set_up();
        struct pending *ever, *somewhat;
        gint64 begun;

        fixture_assert_settles(fixture, "('', uint64 0)", "(true,)");
        fixture_assert_settles(fixture, "('host3', uint64 18446744073709551615)", "(true,)");
        fixture_refuses(fixture, SCSISCAN_PATH, SCAN, "Settle",
                        g_variant_new_parsed("('host4', uint64 0)"), SCSISCAN_ERROR_NOT_FOUND,
                        "host4");
        fixture_refuses(fixture, SCSISCAN_PATH, SCAN, "Settle",
                        g_variant_new_parsed("('3:0', uint64 0)"), SCSISCAN_ERROR_INVALID_ARGS,
                        "3:0: ");

        fixture->hold = true;
        fixture_event(fixture, EVENT_RESYNC, NULL, ATTENTION_NONE);
        fixture_assert_settles(fixture, "('', uint64 0)", "(false,)");
        begun = g_get_monotonic_time();
        ever = fixture_call_begin(fixture, fixture->client, SCSISCAN_PATH, SCAN, "Settle",
                                  g_variant_new_parsed("('', uint64 18446744073709551615)"));
        somewhat = fixture_call_begin(fixture, fixture->client, SCSISCAN_PATH, SCAN, "Settle",
                                      g_variant_new_parsed("('', uint64 200000)"));
        FIXTURE_UNTIL(fixture, somewhat->done);
        g_assert_cmpint(g_get_monotonic_time() - begun, >=, 200000);
        g_assert_no_error(somewhat->error);
        g_assert_false(ever->done);
        pending_free(somewhat);

        fixture->hold = false;
        fixture_work(fixture);
        FIXTURE_UNTIL(fixture, ever->done);
        g_assert_no_error(ever->error);
        pending_free(ever);
        fixture_free(fixture);
}

/* An event that waits in the socket when Settle is called counts as in flight. */
static void test_settle_hears_first(void) {
        struct fixture *fixture = fixture_set_up();

        fixture->hold = true;
        fixture->unheard = true;
        fixture_assert_settles(fixture, "('', uint64 0)", "(false,)");
        g_assert_false(fixture->unheard);
        fixture_free(fixture);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/calls/scan", test_scan);
        g_test_add_func("/dbus/calls/scan-refused", test_scan_refused);
        g_test_add_func("/dbus/calls/scan-of-objects", test_scan_of_objects);
        g_test_add_func("/dbus/calls/cancel", test_cancel);
        g_test_add_func("/dbus/calls/job-expires", test_job_expires);
        g_test_add_func("/dbus/calls/limits", test_limits);
        g_test_add_func("/dbus/calls/too-many-jobs", test_too_many_jobs);
        g_test_add_func("/dbus/calls/somebody-else", test_somebody_else);
        g_test_add_func("/dbus/calls/settle", test_settle);
        g_test_add_func("/dbus/calls/settle-hears-first", test_settle_hears_first);
        return g_test_run();
}
