/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/policy.h"
#include "tests/unit/policy_support.h"
#include "util/cleanup.h"

static const struct {
        enum policy_setting setting;
        const char *text;
        int64_t value;
        const char *shown; /* NULL: as it was written */
} samples[] = {
        {POLICY_ACTION, "attach", POLICY_ATTACH, NULL},
        {POLICY_ACTION, "ignore", POLICY_IGNORE, NULL},
        {POLICY_ACTION, "quarantine", POLICY_QUARANTINE, NULL},
        {POLICY_ON_REQUEST, "refuse", POLICY_REFUSE, NULL},
        {POLICY_ON_REQUEST, "warn", POLICY_WARN, NULL},
        {POLICY_WHEN_MISSING, "detach", POLICY_OF_ITSELF, NULL},
        {POLICY_WHEN_MISSING, "keep", POLICY_TELL_ONLY, NULL},
        {POLICY_WHEN_REPLACED, "reattach", POLICY_OF_ITSELF, NULL},
        {POLICY_WHEN_REPLACED, "wait", POLICY_TELL_ONLY, NULL},
        {POLICY_WHEN_GROWN, "refresh", POLICY_OF_ITSELF, NULL},
        {POLICY_WHEN_GROWN, "tell", POLICY_TELL_ONLY, NULL},
        {POLICY_POLL_INTERVAL, "off", 0, NULL},
        {POLICY_POLL_INTERVAL, "0", 0, "off"},
        {POLICY_POLL_INTERVAL, "5", 5000, "5s"},
        {POLICY_POLL_INTERVAL, "1s", 1000, NULL},
        {POLICY_POLL_INTERVAL, "1min 30s", 90000, "90s"},
        {POLICY_POLL_INTERVAL, "1h30min", 5400000, "90min"},
        {POLICY_POLL_INTERVAL, "60 sec", 60000, "1min"},
        {POLICY_POLL_INTERVAL, "1d", 86400000, NULL},
        {POLICY_COMMAND_TIMEOUT, "100ms", 100, NULL},
        {POLICY_COMMAND_TIMEOUT, "2500ms", 2500, NULL},
        {POLICY_COMMAND_TIMEOUT, "10min", 600000, NULL},
        {POLICY_ATTACH_DEADLINE, "1s", 1000, NULL},
        {POLICY_ATTACH_DEADLINE, "1h", 3600000, NULL},
        {POLICY_RETRIES, "0", 0, NULL},
        {POLICY_RETRIES, "20", 20, NULL},
        {POLICY_COMMANDS, "1", 1, NULL},
        {POLICY_COMMANDS, "4", 4, NULL},
        {POLICY_ORDER, "-1000", -1000, NULL},
        {POLICY_ORDER, "0", 0, NULL},
        {POLICY_ORDER, "1000", 1000, NULL},
        {POLICY_WILDCARD, "yes", 1, NULL},
        {POLICY_WILDCARD, "no", 0, NULL},
};

static void test_values(void) {
        static const struct policy_subject subject = {.owner = true};

        for (size_t i = 0; i < ELEMENTS_OF(samples); i++) {
                const char *name = policy_setting_name(samples[i].setting);
                g_autofree char *text = g_strdup_printf("[Rule r]\n%s=%s\n", name, samples[i].text);
                _cleanup_(policy_freep) struct policy *policy = policy_of(text);
                struct policy_decision decision;
                const struct policy_verdict *verdict;
                char buffer[POLICY_VALUE_MAX];

                g_test_message("%s=%s", name, samples[i].text);
                policy_decide(policy, &subject, &decision);
                verdict = &decision.settings[samples[i].setting];
                g_assert_cmpint(verdict->value, ==, samples[i].value);
                g_assert_true(verdict->rule == policy_rule_at(policy, 0));
                g_assert_cmpstr(policy_setting_format(samples[i].setting, verdict->value, buffer),
                                ==, samples[i].shown ?: samples[i].text);
                for (size_t other = 0; other < POLICY_SETTINGS; other++)
                        if (other != samples[i].setting)
                                g_assert_null(decision.settings[other].rule);
        }
}

static void test_refused(void) {
        static const struct {
                enum policy_setting setting;
                const char *text;
        } table[] = {
                {POLICY_ACTION, ""},
                {POLICY_ACTION, "ask"},
                {POLICY_ACTION, "Attach"},
                {POLICY_ACTION, "attach ignore"},
                {POLICY_ON_REQUEST, "allow"},
                {POLICY_WHEN_MISSING, "remove"},
                {POLICY_WHEN_REPLACED, "keep"},
                {POLICY_WHEN_GROWN, "yes"},
                {POLICY_POLL_INTERVAL, "999ms"},
                {POLICY_POLL_INTERVAL, "86401s"},
                {POLICY_POLL_INTERVAL, "-5s"},
                {POLICY_POLL_INTERVAL, "5 parsecs"},
                {POLICY_POLL_INTERVAL, "s"},
                {POLICY_POLL_INTERVAL, "5s x"},
                {POLICY_POLL_INTERVAL, "1.5s"},
                {POLICY_POLL_INTERVAL, "99999999999999999999s"},
                {POLICY_COMMAND_TIMEOUT, "off"},
                {POLICY_COMMAND_TIMEOUT, "0"},
                {POLICY_COMMAND_TIMEOUT, "99ms"},
                {POLICY_COMMAND_TIMEOUT, "601s"},
                {POLICY_ATTACH_DEADLINE, "999ms"},
                {POLICY_ATTACH_DEADLINE, "3601s"},
                {POLICY_RETRIES, "21"},
                {POLICY_RETRIES, "-1"},
                {POLICY_RETRIES, "many"},
                {POLICY_COMMANDS, "0"},
                {POLICY_COMMANDS, "5"},
                {POLICY_ORDER, "-1001"},
                {POLICY_ORDER, "1001"},
                {POLICY_ORDER, "+1"},
                {POLICY_ORDER, "--1"},
                {POLICY_WILDCARD, "1"},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                const char *name = policy_setting_name(table[i].setting);
                g_autofree char *text = g_strdup_printf("[Rule r]\n%s=%s\n", name, table[i].text);
                g_autofree char *found = g_strdup_printf("%s=%s", name, table[i].text);
                _cleanup_(policy_freep) struct policy *policy = policy_new(&policy_limits_default);
                struct policy_error error;

                g_test_message("%s", found);
                g_assert_cmpint(policy_parse(policy, POLICY_FILE_RULES, "f", text, &error), ==,
                                -EINVAL);
                g_assert_cmpuint(error.line, ==, 2);
                g_assert_cmpstr(error.found, ==, found);
                g_assert_cmpstr(error.expected, !=, "");
        }
}

static void test_defaults(void) {
        struct policy_limits limits = policy_limits_default;
        _cleanup_(policy_freep) struct policy *policy = NULL;
        struct policy_decision decision;

        limits.poll_interval_ms = 0;
        limits.command_timeout_ms = 123;
        limits.attach_deadline_ms = 456;
        limits.retries = 7;
        limits.wildcard = false;
        limits.remove_missing = false;
        limits.reattach_replaced = true;
        policy = policy_new(&limits);
        policy_decide(policy, &(struct policy_subject){}, &decision);

        g_assert_cmpint(decision.settings[POLICY_ACTION].value, ==, POLICY_ATTACH);
        g_assert_cmpint(decision.settings[POLICY_ON_REQUEST].value, ==, POLICY_REFUSE);
        g_assert_cmpint(decision.settings[POLICY_WHEN_MISSING].value, ==, POLICY_TELL_ONLY);
        g_assert_cmpint(decision.settings[POLICY_WHEN_REPLACED].value, ==, POLICY_OF_ITSELF);
        g_assert_cmpint(decision.settings[POLICY_WHEN_GROWN].value, ==, POLICY_OF_ITSELF);
        g_assert_cmpint(decision.settings[POLICY_POLL_INTERVAL].value, ==, 0);
        g_assert_cmpint(decision.settings[POLICY_COMMAND_TIMEOUT].value, ==, 123);
        g_assert_cmpint(decision.settings[POLICY_ATTACH_DEADLINE].value, ==, 456);
        g_assert_cmpint(decision.settings[POLICY_RETRIES].value, ==, 7);
        g_assert_cmpint(decision.settings[POLICY_COMMANDS].value, ==, 4);
        g_assert_cmpint(decision.settings[POLICY_ORDER].value, ==, 0);
        g_assert_cmpint(decision.settings[POLICY_WILDCARD].value, ==, 0);
        g_assert_cmpstr(decision.reason, ==, "no rule decides, the default is attach");
}

static void test_limits(void) {
        _cleanup_(policy_freep) struct policy *policy =
                policy_of("[Rule r]\nWhenMissing=keep\nWhenReplaced=wait\nPollInterval=30s\n"
                          "CommandTimeout=1s\nAttachDeadline=2s\nRetries=1\nWildcard=no\n");
        struct policy_limits limits = policy_limits_default;
        struct policy_decision decision;

        policy_decide(policy, &(struct policy_subject){}, &decision);
        policy_decision_limits(&decision, &limits);

        g_assert_false(limits.remove_missing);
        g_assert_false(limits.reattach_replaced);
        g_assert_false(limits.wildcard);
        g_assert_cmpuint(limits.poll_interval_ms, ==, 30000);
        g_assert_cmpuint(limits.command_timeout_ms, ==, 1000);
        g_assert_cmpuint(limits.attach_deadline_ms, ==, 2000);
        g_assert_cmpuint(limits.retries, ==, 1);
        g_assert_cmpuint(limits.channels_max, ==, policy_limits_default.channels_max);
        g_assert_cmpuint(limits.confirm_ms, ==, policy_limits_default.confirm_ms);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/policy/setting/values", test_values);
        g_test_add_func("/policy/setting/refused", test_refused);
        g_test_add_func("/policy/setting/defaults", test_defaults);
        g_test_add_func("/policy/setting/limits", test_limits);
        return g_test_run();
}
