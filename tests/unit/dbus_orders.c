/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Attach, Detach, Refresh and AcceptReplacement: what goes into the engine, and what comes back. */

#include <string.h>

#include "dbus/waiting.h"
#include "tests/unit/dbus_fixture.h"

#define HOTPLUG SCSISCAN_INTERFACE_HOTPLUG
#define JOB SCSISCAN_INTERFACE_JOB

static char *order(struct fixture *fixture, const char *method, const char *arguments) {
        g_autoptr(GVariant) reply = fixture_call(fixture, SCSISCAN_PATH, HOTPLUG, method,
                                                 g_variant_new_parsed(arguments), NULL);
        char *job;

        g_variant_get(reply, "(o)", &job);
        return job;
}

static void refuses(struct fixture *fixture, const char *method, const char *arguments,
                    const char *error, const char *part) {
        fixture_refuses(fixture, SCSISCAN_PATH, HOTPLUG, method, g_variant_new_parsed(arguments),
                        error, part);
}

/* ---- attach ---- */

static void test_attach(void) {
        struct fixture *fixture;
        g_autofree char *job = NULL, *again = NULL;
        int attached;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture_forget(fixture);
        job = order(fixture, "Attach", "('naa.5000', '2', {'wait': <true>})");
        again = order(fixture, "Attach",
                      "('" FAKE_TARGET "', '2', {'wait': <true>, 'identity': <'naa.6000b'>})");
        fixture_sync(fixture);
        attached = fixture_signal(fixture, 0, SCSISCAN_PATH, "Attached");
        g_assert_cmpint(attached, >=, 0);
        g_assert_cmpint(fixture_signal(fixture, (unsigned)attached + 1, NULL, "Attached"), ==, -1);
        fixture_assert_value(fixture, job, JOB, "Operation", "'attach'");
        fixture_assert_value(fixture, job, JOB, "Scope", "'naa.5000'");
        fixture_assert_value(fixture, job, JOB, "Objects", FAKE_TARGET);
        fixture_assert_value(fixture, again, JOB, "Result", "'done'");
        /* Those are for scans. */
        g_assert_cmpint(fixture_signal(fixture, 0, job, "Completed"), >=, 0);
        g_assert_cmpint(fixture_signal(fixture, 0, NULL, "Started"), ==, -1);
        g_assert_cmpint(fixture_signal(fixture, 0, NULL, "Finished"), ==, -1);
        fixture_free(fixture);
}

/* The job has ended, the node is still to come: the reply waits for that, and not for ever. */
static void test_attach_waits(void) {
        struct fixture *fixture;
        struct pending *attaching;
        gint64 begun;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture->machine.nodeless = true;
        attaching = fixture_call_begin(fixture, fixture->client, SCSISCAN_PATH, HOTPLUG, "Attach",
                                       g_variant_new_parsed("('3:0:1', '2', {'wait': <true>})"));
        FIXTURE_UNTIL(fixture, fixture_signal(fixture, 0, NULL, "Attached") >= 0);
        fixture_assert_value(fixture, SCSISCAN_PATH_JOB "/2", JOB, "Result", "'done'");
        g_assert_false(attaching->done);
        fixture->machine.nodeless = false;
        fixture_event(fixture, EVENT_DEVICE, "3:0:1:2", ATTENTION_NONE);
        FIXTURE_UNTIL(fixture, attaching->done);
        g_assert_no_error(attaching->error);
        pending_free(attaching);

        fixture->machine.nodeless = true;
        fixture_event(fixture, EVENT_DEVICE, "3:0:1:2", ATTENTION_NONE);
        begun = g_get_monotonic_time();
        attaching = fixture_call_begin(fixture, fixture->client, SCSISCAN_PATH, HOTPLUG, "Attach",
                                       g_variant_new_parsed("('3:0:1', '2', {'wait': <true>})"));
        FIXTURE_UNTIL(fixture, attaching->done);
        g_assert_no_error(attaching->error);
        g_assert_cmpint(g_get_monotonic_time() - begun, >=, (gint64)NODES_PATIENCE_USEC);
        pending_free(attaching);
        fixture_free(fixture);
}

static void test_attach_fails(void) {
        struct fixture *fixture;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        refuses(fixture, "Attach", "('3:0:1', '2', {'wait': <true>, 'identity': <'naa.7'>})",
                SCSISCAN_ERROR_IDENTITY_MISMATCH, "3:0:1:2: is naa.6000b");
        g_assert_false(fixture_device(fixture, "3:0:1:2")->attached);
        refuses(fixture, "Attach", "('3:0:1', '1', {'wait': <true>, 'identity': <'naa.7'>})",
                SCSISCAN_ERROR_IDENTITY_MISMATCH, "3:0:1:1");
        g_assert_true(fixture_device(fixture, "3:0:1:1")->attached);
        refuses(fixture, "Attach", "('3:0:1', '9', {'wait': <true>})", SCSISCAN_ERROR_NOT_REPORTED,
                "3:0:1:9");
        fixture_sync(fixture);
        g_assert_cmpint(fixture_signal(fixture, 0, NULL, "Attached"), ==, -1);
        fixture_free(fixture);
}

/* ---- detach ---- */

static void test_detach(void) {
        struct fixture *fixture;
        g_autofree char *job = NULL;
        int completed;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture->machine.holder = "dm-7";
        fixture_event(fixture, EVENT_DEVICE, "3:0:1:0", ATTENTION_NONE);
        refuses(fixture, "Detach", "('3:0:1:0', {'wait': <true>})", SCSISCAN_ERROR_IN_USE,
                "3:0:1:0: in use by dm-7");
        job = order(fixture, "Detach", "('" FAKE_DEVICE_0 "', " NO_OPTIONS ")");
        FIXTURE_UNTIL(fixture, (completed = fixture_signal(fixture, 0, job, "Completed")) >= 0);
        fixture_assert_received(fixture, completed, job, "(false, '3:0:1:0: in use by dm-7')");
        g_free(order(fixture, "Detach", "('3:0:1:0', {'wait': <true>, 'force': <true>})"));
        fixture_sync(fixture);
        fixture_assert_received(fixture, fixture_signal(fixture, 0, NULL, "Detached"),
                                SCSISCAN_PATH,
                                "('" FAKE_DEVICE_0 "', '3:0:1:0', 'naa.6000a', 'requested')");
        refuses(fixture, "Detach", "('3:0:1:0', {'wait': <true>})", SCSISCAN_ERROR_NOT_FOUND,
                "3:0:1:0");
        fixture_free(fixture);
}

/* One of two paths is held: the other one goes, and the caller hears of the first. */
static void test_detach_in_part(void) {
        struct fixture *fixture;
        int completed;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture_device(fixture, "3:0:1:0")->holder = "dm-7";
        fixture_event(fixture, EVENT_DEVICE, "3:0:1:0", ATTENTION_NONE);
        refuses(fixture, "Detach", "('naa.6000a', {'wait': <true>})", SCSISCAN_ERROR_IN_USE,
                "3:0:1:0: in use by dm-7");
        g_assert_true(fixture_device(fixture, "3:0:1:0")->attached);
        g_assert_false(fixture_device(fixture, "3:0:1:1")->attached);
        fixture_sync(fixture);
        completed = fixture_signal(fixture, 0, SCSISCAN_PATH_JOB "/2", "Completed");
        fixture_assert_received(fixture, completed, SCSISCAN_PATH_JOB "/2",
                                "(true, '3:0:1:0: in use by dm-7')");
        fixture_free(fixture);
}

static void test_cancelled(void) {
        struct fixture *fixture;
        struct pending *detaching;
        g_autofree char *remote = NULL;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture->hold = true;
        detaching = fixture_call_begin(fixture, fixture->client, SCSISCAN_PATH, HOTPLUG, "Detach",
                                       g_variant_new_parsed("('3:0:1:0', {'wait': <true>})"));
        FIXTURE_UNTIL(fixture, engine_job(fixture->engine, 2));
        g_variant_unref(fixture_call(fixture, SCSISCAN_PATH_JOB "/2", JOB, "Cancel",
                                     g_variant_new_parsed("(" NO_OPTIONS ",)"), NULL));
        FIXTURE_UNTIL(fixture, detaching->done);
        remote = g_dbus_error_get_remote_error(detaching->error);
        g_assert_cmpstr(remote, ==, SCSISCAN_ERROR_CANCELLED);
        pending_free(detaching);
        fixture->hold = false;
        fixture_work(fixture);
        fixture_free(fixture);
}

/* ---- refresh, accept ---- */

/* By whatever name, all paths of the unit are read anew. */
static void test_refresh(void) {
        static const char *const names[] = {"3:0:1:0", "naa.6000a", FAKE_UNIT_A, FAKE_DEVICE_1,
                                            "/dev/sda"};
        struct fixture *fixture;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                g_autofree char *arguments = g_strdup_printf("('%s', {'wait': <true>})", names[i]);
                g_autofree char *scope = g_strdup_printf("'%s'", names[i]);
                g_autofree char *job = NULL;

                fixture->refreshed = 0;
                job = order(fixture, "Refresh", arguments);
                g_assert_cmpuint(fixture->refreshed, ==, 2);
                fixture_assert_value(fixture, job, JOB, "Operation", "'refresh'");
                fixture_assert_value(fixture, job, JOB, "Scope", scope);
        }
        fixture_free(fixture);
}

/* Another unit answers, and the device is in use: told once, and left alone until it is accepted.
 */
static void test_replaced(void) {
        struct fixture *fixture;
        g_autofree char *job = NULL;
        int changed, replaced;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture->machine.holder = "dm-7";
        fixture_device(fixture, "3:0:1:1")->identity = "naa.6000c";
        fixture_forget(fixture);
        g_free(fixture_scan(fixture, "3:0:1:1", "{'wait': <true>}"));
        fixture_sync(fixture);
        changed = fixture_signal(fixture, 0, FAKE_DEVICE_1, "PropertiesChanged");
        replaced = fixture_signal(fixture, 0, SCSISCAN_PATH, "Replaced");
        g_assert_cmpint(changed, >=, 0);
        g_assert_cmpint(changed, <, replaced);
        fixture_assert_received(fixture, replaced, SCSISCAN_PATH,
                                "('" FAKE_DEVICE_1 "', '3:0:1:1', 'naa.6000a', 'naa.6000c', true)");
        fixture_assert_value(fixture, FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Standing",
                             "'replaced'");
        fixture_assert_value(fixture, FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Unit", "'/'");
        job = order(fixture, "AcceptReplacement",
                    "(objectpath '" FAKE_DEVICE_1 "', {'wait': <true>})");
        fixture_assert_value(fixture, job, JOB, "Operation", "'accept-replacement'");
        fixture_assert_value(fixture, FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Standing",
                             "'present'");
        fixture_assert_value(fixture, FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Unit",
                             "'" SCSISCAN_PATH_UNIT "/naa_2e6000c'");
        fixture_free(fixture);
}

/* ---- what goes wrong before anything is done ---- */

static void test_refused(void) {
        static const struct {
                const char *method, *arguments, *error, *part;
        } calls[] = {
                {"Attach", "('3:0:1', 'x', {})", SCSISCAN_ERROR_INVALID_ARGS, "LUN x: "},
                {"Attach", "('', '1', {})", SCSISCAN_ERROR_INVALID_ARGS, "a target"},
                {"Attach", "('host3', '1', {})", SCSISCAN_ERROR_INVALID_ARGS, "a target"},
                {"Attach", "('naa.9', '1', {})", SCSISCAN_ERROR_NOT_FOUND, "target called naa.9"},
                {"Attach", "('3:0:1', '1', {'force': <true>})", SCSISCAN_ERROR_INVALID_ARGS,
                 "no option force"},
                {"Attach", "('3:0:1', '1', {'identity': <''>})", SCSISCAN_ERROR_INVALID_ARGS,
                 "identity"},
                {"Detach", "('', {})", SCSISCAN_ERROR_INVALID_ARGS, "a device or a unit"},
                {"Detach", "('3:0:1', {})", SCSISCAN_ERROR_INVALID_ARGS, "a device or a unit"},
                {"Detach", "('4:0:1:0', {})", SCSISCAN_ERROR_NOT_FOUND, "device called 4:0:1:0"},
                {"Refresh", "('3:0:1:0', {'force': <true>})", SCSISCAN_ERROR_INVALID_ARGS,
                 "no option force"},
                {"AcceptReplacement", "(objectpath '" FAKE_UNIT_A "', {})",
                 SCSISCAN_ERROR_INVALID_ARGS, "a device"},
        };
        struct fixture *fixture = fixture_set_up();

        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                g_autofree char *arguments = g_strdup(calls[i].arguments);
                char *empty = strstr(arguments, ", {})");
                g_autofree char *typed =
                        empty ? g_strdup_printf("%.*s, " NO_OPTIONS ")", (int)(empty - arguments),
                                                arguments)
                              : g_strdup(arguments);

                refuses(fixture, calls[i].method, typed, calls[i].error, calls[i].part);
        }
        g_assert_null(engine_job(fixture->engine, 2));
        fixture_free(fixture);
}

/* Once for each event, after the property. */
static void test_attention(void) {
        struct fixture *fixture = fixture_set_up();
        int changed, told;

        fixture_forget(fixture);
        fixture_event(fixture, EVENT_UNIT_ATTENTION, "3:0:1:1", ATTENTION_MODE_PARAMETERS);
        fixture_event(fixture, EVENT_UNIT_ATTENTION, "3:0:1:1", ATTENTION_MODE_PARAMETERS);
        fixture_sync(fixture);
        changed = fixture_signal(fixture, 0, FAKE_DEVICE_1, "PropertiesChanged");
        told = fixture_signal(fixture, 0, SCSISCAN_PATH, "UnitAttention");
        g_assert_cmpint(changed, >=, 0);
        g_assert_cmpint(changed, <, told);
        fixture_assert_received(fixture, told, SCSISCAN_PATH,
                                "('" FAKE_DEVICE_1 "', '3:0:1:1', 'mode-parameters-changed')");
        told = fixture_signal(fixture, (unsigned)told + 1, SCSISCAN_PATH, "UnitAttention");
        g_assert_cmpint(told, >=, 0);
        g_assert_cmpint(fixture_signal(fixture, (unsigned)told + 1, NULL, "UnitAttention"), ==, -1);
        fixture_free(fixture);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/orders/attach", test_attach);
        g_test_add_func("/dbus/orders/attach-waits", test_attach_waits);
        g_test_add_func("/dbus/orders/attach-fails", test_attach_fails);
        g_test_add_func("/dbus/orders/detach", test_detach);
        g_test_add_func("/dbus/orders/detach-in-part", test_detach_in_part);
        g_test_add_func("/dbus/orders/cancelled", test_cancelled);
        g_test_add_func("/dbus/orders/refresh", test_refresh);
        g_test_add_func("/dbus/orders/replaced", test_replaced);
        g_test_add_func("/dbus/orders/refused", test_refused);
        g_test_add_func("/dbus/orders/attention", test_attention);
        return g_test_run();
}
