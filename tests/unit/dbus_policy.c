/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.scsiscan1.Policy: what it says of the rules and of what they decide, and what changes them.
 */
#include <string.h>

#include "tests/unit/dbus_fixture.h"

#define POLICY SCSISCAN_INTERFACE_POLICY

#define LESS                                                                                       \
        "[Rule less]\n"                                                                            \
        "MatchLun=1-9\n"                                                                           \
        "Action=ignore\n"

static void assert_reply(struct fixture *fixture, const char *method, GVariant *arguments,
                         const char *expected) {
        g_autoptr(GVariant) reply =
                fixture_call(fixture, SCSISCAN_PATH, POLICY, method, arguments, NULL);
        g_autofree char *text = g_variant_print(reply, FALSE);

        g_assert_cmpstr(text, ==, expected);
}

static void reload(struct fixture *fixture, const char *rules) {
        fixture->rules = rules;
        assert_reply(fixture, "Reload", NULL, "()");
        fixture_sync(fixture);
}

/* ---- Evaluate ---- */

static void test_evaluate(void) {
        static const struct {
                const char *key, *expected;
        } examples[] = {
                {"3:0:1:0", "('attach', '', 'no rule decides, the default is attach')"},
                {FAKE_DEVICE_1, "('ignore', 'less (test.conf:1)', '[Rule less] (test.conf:1) "
                                "says ignore')"},
                /* nothing is attached there */
                {"3:0:1:5", "('ignore', 'less (test.conf:1)', '[Rule less] (test.conf:1) "
                            "says ignore')"},
                {"3:0:1:10", "('attach', '', 'no rule decides, the default is attach')"},
                /* an identity's first device, a port name's first target */
                {"naa.6000a", "('attach', '', 'no rule decides, the default is attach')"},
                {"naa.5000", "('ask', 'less (test.conf:1)', 'it has to be looked at first: [Rule "
                             "less] (test.conf:1) may say ignore, but the LUN is not known yet')"},
                {FAKE_TARGET, "('ask', 'less (test.conf:1)', 'it has to be looked at first: [Rule "
                              "less] (test.conf:1) may say ignore, but the LUN is not known yet')"},
        };
        struct fixture *fixture;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        reload(fixture, LESS);
        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++)
                assert_reply(fixture, "Evaluate", g_variant_new("(s)", examples[i].key),
                             examples[i].expected);
        fixture_free(fixture);
}

static void test_evaluate_refused(void) {
        static const struct {
                const char *key, *error, *part;
        } calls[] = {
                {"", SCSISCAN_ERROR_INVALID_ARGS, "'' names more than one target or device"},
                {"host3", SCSISCAN_ERROR_INVALID_ARGS, "'host3' names more than one"},
                {"3:0", SCSISCAN_ERROR_INVALID_ARGS, "3:0: "},
                {FAKE_BOOT_JOB, SCSISCAN_ERROR_INVALID_ARGS, "not the path of"},
                {"4:0:1:0", SCSISCAN_ERROR_NOT_FOUND, "There is no 4:0:1:0"},
                {"naa.7", SCSISCAN_ERROR_NOT_FOUND, "There is no naa.7"},
                {"/dev/sdzz", SCSISCAN_ERROR_NOT_FOUND, "There is no /dev/sdzz"},
        };
        struct fixture *fixture = fixture_set_up();

        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++)
                fixture_refuses(fixture, SCSISCAN_PATH, POLICY, "Evaluate",
                                g_variant_new("(s)", calls[i].key), calls[i].error, calls[i].part);
        fixture_free(fixture);
}

/* ---- Reload ---- */

static void test_reload(void) {
        struct fixture *fixture;
        int rules, reloaded, detached;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture_assert_value(fixture, SCSISCAN_PATH, POLICY, "Rules", "[]");
        fixture_forget(fixture);
        reload(fixture, LESS);
        fixture_assert_value(fixture, SCSISCAN_PATH, POLICY, "Rules",
                             "[('less', 'test.conf', 'MatchLun=1-9\\nAction=ignore\\n')]");
        FIXTURE_UNTIL(fixture, fixture_signal(fixture, 0, NULL, "Finished") >= 0);
        rules = fixture_signal(fixture, 0, SCSISCAN_PATH, "PropertiesChanged");
        reloaded = fixture_signal(fixture, 0, SCSISCAN_PATH, "Reloaded");
        detached = fixture_signal(fixture, 0, SCSISCAN_PATH, "Detached");
        g_assert_cmpint(rules, ==, 0);
        g_assert_cmpint(reloaded, ==, 1);
        g_assert_cmpint(detached, >, reloaded);
        fixture_assert_received(fixture, rules, SCSISCAN_PATH,
                                "('org.scsiscan1.Policy', {'Rules': <[('less', 'test.conf', "
                                "'MatchLun=1-9\\nAction=ignore\\n')]>}, [])");
        fixture_assert_received(fixture, reloaded, SCSISCAN_PATH, "()");
        fixture_assert_received(fixture, detached, SCSISCAN_PATH,
                                "('" FAKE_DEVICE_1 "', '3:0:1:1', 'naa.6000a', 'policy')");
        fixture_free(fixture);
}

/* Nothing changes, and nothing is told. */
static void test_reload_broken(void) {
        static const char *const methods[] = {"Reload", "Preview"};
        struct fixture *fixture;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        reload(fixture, LESS);
        FIXTURE_UNTIL(fixture, fixture_signal(fixture, 0, NULL, "Finished") >= 0);
        fixture_forget(fixture);
        fixture->rules = "[Rule more]\nAction=maybe\n";
        for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
                fixture_refuses(fixture, SCSISCAN_PATH, POLICY, methods[i], NULL,
                                SCSISCAN_ERROR_FAILED,
                                "test.conf:2: Action=maybe: expected attach, ignore or quarantine");
        fixture_sync(fixture);
        g_assert_cmpuint(fixture->received->len, ==, 0);
        fixture_assert_value(fixture, SCSISCAN_PATH, POLICY, "Rules",
                             "[('less', 'test.conf', 'MatchLun=1-9\\nAction=ignore\\n')]");
        fixture_free(fixture);
}

/* As many jobs as there can be: the policy does not change either. */
static void test_reload_limit(void) {
        struct fixture *fixture;
        unsigned jobs = 0;
        bool limit = false;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture->hold = true;
        while (!limit) {
                g_autoptr(GError) error = NULL;
                g_autoptr(GVariant) reply =
                        fixture_call(fixture, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                                     g_variant_new_parsed("('', " NO_OPTIONS ")"), &error);

                limit = !reply;
                g_assert_cmpuint(++jobs, <, 10000);
        }
        fixture->rules = LESS;
        fixture_refuses(fixture, SCSISCAN_PATH, POLICY, "Reload", NULL, SCSISCAN_ERROR_LIMIT,
                        "Too many jobs");
        fixture_assert_value(fixture, SCSISCAN_PATH, POLICY, "Rules", "[]");
        fixture->hold = false;
        fixture_work(fixture);
        fixture_free(fixture);
}

/* ---- Preview ---- */

#define BY_LESS "'[Rule less] (test.conf:1) says "
/* An observer leaves LUN 2 to the kernel, until somebody wants it scanned. */
#define LUN_2 "('3:0:1:2', 'attach', 'no rule decides, the default is attach')"

static void test_preview(void) {
        static const struct {
                const char *rules, *expected;
        } examples[] = {
                {NULL, "([" LUN_2 "],)"},
                {LESS, "([('3:0:1:1', 'detach', " BY_LESS "ignore')],)"},
                {"[Rule less]\nMatchIdentity=naa.6000b\nAction=ignore\n",
                 "([('3:0:1:2', 'ask', 'it has to be looked at first: [Rule less] (test.conf:1) "
                 "may say ignore, but the identity is not known yet')],)"},
                {"[Rule less]\nMatchLun=0 2\nAction=quarantine\n",
                 "([('3:0:1:0', 'quarantine', " BY_LESS "quarantine'), "
                 "('3:0:1:2', 'quarantine', " BY_LESS "quarantine')],)"},
        };
        struct fixture *fixture;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture_forget(fixture);
        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++) {
                fixture->rules = examples[i].rules;
                assert_reply(fixture, "Preview", NULL, examples[i].expected);
        }
        fixture_sync(fixture);
        g_assert_cmpuint(fixture->received->len, ==, 0);
        fixture_assert_value(fixture, SCSISCAN_PATH, POLICY, "Rules", "[]");
        fixture_free(fixture);
}

static void test_preview_in_use(void) {
        struct fixture *fixture;

        if (!fixture_is_root())
                return;
        fixture = fixture_new(false);
        fixture->machine = fake_machine;
        fixture->machine.holder = "dm-0";
        fixture_boot(fixture);
        fixture_bus_start(fixture);
        fixture_connect(fixture);
        fixture->rules = LESS;
        assert_reply(fixture, "Preview", NULL, "([('3:0:1:1', 'keep', " BY_LESS "ignore')],)");
        fixture_free(fixture);
}

/* What is not known cannot be foreseen, but that somebody would ask. */
static void test_preview_unasked(void) {
        struct fixture *fixture;
        char *error = NULL;

        if (!fixture_is_root())
                return;
        fixture = fixture_new(true);
        fixture->machine = fake_machine;
        for (size_t i = 0; i < fixture->machine.device_count; i++)
                fixture->machine.devices[i].attached = false;
        fixture->rules = "[Rule nothing]\nAction=ignore\n";
        g_assert_cmpint(fixture_reload(0, &error, fixture), ==, 0);
        fixture_boot(fixture);
        fixture_bus_start(fixture);
        fixture_connect(fixture);
        assert_reply(fixture, "Preview", NULL, "([],)");
        fixture->rules = "";
        assert_reply(fixture, "Preview", NULL,
                     "([('3:0:1', 'ask', 'no rule decides, the default is attach')],)");
        fixture_free(fixture);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/policy/evaluate", test_evaluate);
        g_test_add_func("/dbus/policy/evaluate-refused", test_evaluate_refused);
        g_test_add_func("/dbus/policy/reload", test_reload);
        g_test_add_func("/dbus/policy/reload-broken", test_reload_broken);
        g_test_add_func("/dbus/policy/reload-limit", test_reload_limit);
        g_test_add_func("/dbus/policy/preview", test_preview);
        g_test_add_func("/dbus/policy/preview-in-use", test_preview_in_use);
        g_test_add_func("/dbus/policy/preview-unasked", test_preview_unasked);
        return g_test_run();
}
