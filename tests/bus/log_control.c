/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.freedesktop.LogControl1: what root sets takes effect, and nobody else sets anything. */

#include <string.h>

#include "harness.h"

#define LOG_PATH SCSISCAN_PATH_LOG_CONTROL
#define LOG_INTERFACE SCSISCAN_INTERFACE_LOG_CONTROL
/* What each scan says at the level debug, and what at the level info. */
#define DEBUG_LINE "0:0:0:0: report-luns: "
#define INFO_LINE "scan of 0:0:0 "

static struct harness *boot(void) {
        struct harness *harness = harness_boot(machine_new(1, 1, 2));

        harness_check_complete(harness);
        return harness;
}

static GVariant *set_arguments(const char *property, const char *value) {
        return g_variant_new("(ssv)", LOG_INTERFACE, property, g_variant_new_string(value));
}

static void set(struct client *client, const char *property, const char *value) {
        g_autofree char *now = NULL;

        g_variant_unref(client_call(client, LOG_PATH, PROPERTIES_INTERFACE, "Set",
                                    set_arguments(property, value)));
        now = client_get_text(client, LOG_PATH, LOG_INTERFACE, property);
        g_assert_cmpstr(now, ==, value);
}

static void is(struct client *client, const char *property, const char *wanted) {
        g_autofree char *value = client_get_text(client, LOG_PATH, LOG_INTERFACE, property);

        g_assert_cmpstr(value, ==, wanted);
}

/* Lines of one level come in order, so that those of the other are there, or never come. */
static void says_now(struct harness *harness, unsigned debug_lines, unsigned info_lines) {
        UNTIL(harness_count_log(harness, DEBUG_LINE) >= debug_lines &&
              harness_count_log(harness, INFO_LINE) >= info_lines);
        g_assert_cmpuint(harness_count_log(harness, DEBUG_LINE), ==, debug_lines);
        g_assert_cmpuint(harness_count_log(harness, INFO_LINE), ==, info_lines);
}

static void test_level(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);

        is(client, "LogLevel", "info");
        client_scan_wait(client, "0:0:0");
        says_now(harness, 0, 1);
        set(client, "LogLevel", "debug");
        client_scan_wait(client, "0:0:0");
        says_now(harness, 1, 2);
        set(client, "LogLevel", "info");
        client_scan_wait(client, "0:0:0");
        says_now(harness, 1, 3);
        set(client, "LogLevel", "emerg");
        client_scan_wait(client, "0:0:0");
        set(client, "LogLevel", "debug");
        client_scan_wait(client, "0:0:0");
        says_now(harness, 2, 4);
        harness_free(harness);
}

static void test_target(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);

        is(client, "LogTarget", "auto");
        set(client, "LogTarget", "null");
        client_scan_wait(client, "0:0:0");
        set(client, "LogTarget", "console");
        client_scan_wait(client, "0:0:0");
        says_now(harness, 0, 1);
        set(client, "LogTarget", "journal");
        client_scan_wait(client, "0:0:0");
        set(client, "LogTarget", "auto");
        client_scan_wait(client, "0:0:0");
        says_now(harness, 0, 2);
        harness_free(harness);
}

static void set_refused(struct client *client, GVariant *arguments, const char *error,
                        const char *part) {
        client_refuses(client, LOG_PATH, PROPERTIES_INTERFACE, "Set", arguments, error, part);
}

static void test_refused(void) {
        static const struct {
                const char *arguments, *error, *part;
        } cases[] = {
                {"('" LOG_INTERFACE "', 'LogLevel', <'loud'>)", SCSISCAN_ERROR_INVALID_ARGS,
                 "LogLevel is one of emerg, alert, crit, err, warning, notice, info or debug, not"
                 " 'loud'"},
                {"('" LOG_INTERFACE "', 'LogLevel', <''>)", SCSISCAN_ERROR_INVALID_ARGS, "''"},
                {"('" LOG_INTERFACE "', 'LogLevel', <7>)", SCSISCAN_ERROR_INVALID_ARGS,
                 "LogLevel is a string"},
                {"('" LOG_INTERFACE "', 'LogLevel', 'debug')", SCSISCAN_ERROR_INVALID_ARGS,
                 "LogLevel"},
                {"('" LOG_INTERFACE "', 'LogTarget', <'kmsg'>)", SCSISCAN_ERROR_INVALID_ARGS,
                 "'kmsg'"},
                {"('" LOG_INTERFACE "', 'SyslogIdentifier', <'x'>)",
                 BUS_INTERFACE ".Error.PropertyReadOnly", "SyslogIdentifier"},
                {"('" LOG_INTERFACE "', 'LogColour', <'x'>)",
                 BUS_INTERFACE ".Error.UnknownProperty", "LogColour"},
                {"('" SCSISCAN_INTERFACE_SCAN "', 'LogLevel', <'debug'>)",
                 BUS_INTERFACE ".Error.UnknownProperty", "LogLevel"},
                {"(1, 2)", SCSISCAN_ERROR_INVALID_ARGS, ""},
        };
        struct harness *harness = boot();
        struct client *client = harness_client(harness);

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_test_message("%s", cases[i].arguments);
                set_refused(client, g_variant_new_parsed(cases[i].arguments), cases[i].error,
                            cases[i].part);
        }
        is(client, "LogLevel", "info");
        is(client, "LogTarget", "auto");
        is(client, "SyslogIdentifier", "scsiscand");
        harness_free(harness);
}

/* Reads all, and sets nothing, not even with a call that names no interface. */
static void test_nobody(void) {
        struct harness *harness = boot();
        struct client *nobody = client_new(harness_address(harness), NOBODY);

        if (nobody) {
                g_autoptr(GDBusMessage) reply = NULL;

                set_refused(nobody, set_arguments("LogLevel", "debug"),
                            SCSISCAN_ERROR_ACCESS_DENIED, "only root");
                set_refused(nobody, set_arguments("LogTarget", "null"),
                            SCSISCAN_ERROR_ACCESS_DENIED, "only root");
                reply = client_reply(nobody, client_send(nobody, LOG_PATH, NULL, "Set",
                                                         set_arguments("LogLevel", "debug")));
                g_assert_nonnull(g_dbus_message_get_error_name(reply));
                is(nobody, "LogLevel", "info");
                is(nobody, "LogTarget", "auto");
        } else {
                g_test_skip("cannot become somebody else");
        }
        client_free(nobody);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/log-control/level", test_level);
        g_test_add_func("/bus/log-control/target", test_target);
        g_test_add_func("/bus/log-control/refused", test_refused);
        g_test_add_func("/bus/log-control/nobody", test_nobody);
        return g_test_run();
}
