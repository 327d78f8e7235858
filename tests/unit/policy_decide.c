/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/policy.h"
#include "tests/unit/policy_support.h"
#include "util/cleanup.h"

static void check(const struct policy *policy, const struct policy_subject *subject,
                  enum policy_action action, const char *rule, const char *reason) {
        struct policy_decision decision;
        const struct policy_verdict *verdict = &decision.settings[POLICY_ACTION];

        policy_decide(policy, subject, &decision);
        g_assert_cmpstr(policy_action_name((enum policy_action)verdict->value), ==,
                        policy_action_name(action));
        g_assert_cmpstr(verdict->rule ? verdict->rule->name : "", ==, rule);
        g_assert_cmpstr(decision.reason, ==, reason);
}

static void test_last_wins(void) {
        _cleanup_(policy_freep) struct policy *policy =
                policy_of("[Rule deny]\nAction=ignore\nRetries=1\n"
                          "[Rule some]\nMatchLun=0-9\nAction=attach\n"
                          "[Rule one]\nMatchLun=5\nAction=quarantine\nOrder=3\n");
        struct policy_subject subject = {.has_lun = true, .lun = 10};
        struct policy_decision decision;

        check(policy, &subject, POLICY_IGNORE, "deny", "[Rule deny] (test.conf:1) says ignore");
        subject.lun = 9;
        check(policy, &subject, POLICY_ATTACH, "some", "[Rule some] (test.conf:4) says attach");
        subject.lun = 5;
        check(policy, &subject, POLICY_QUARANTINE, "one",
              "[Rule one] (test.conf:7) says quarantine");

        policy_decide(policy, &subject, &decision);
        g_assert_cmpstr(decision.settings[POLICY_RETRIES].rule->name, ==, "deny");
        g_assert_cmpint(decision.settings[POLICY_RETRIES].value, ==, 1);
        g_assert_cmpstr(decision.settings[POLICY_ORDER].rule->name, ==, "one");
        g_assert_cmpint(decision.settings[POLICY_ORDER].value, ==, 3);
        g_assert_null(decision.settings[POLICY_COMMANDS].rule);
}

/* A later file overrides an earlier one. */
static void test_files(void) {
        _cleanup_(policy_freep) struct policy *policy =
                policy_of("[Rule main]\nAction=ignore\nOrder=1\n");
        struct policy_error error;

        g_assert_cmpint(policy_parse(policy, POLICY_FILE_RULES, "10-site.conf",
                                     "[Rule site]\nAction=attach\n", &error),
                        ==, 0);
        check(policy, &(struct policy_subject){}, POLICY_ATTACH, "site",
              "[Rule site] (10-site.conf:1) says attach");
        g_assert_cmpint(decide(policy, &(struct policy_subject){}, POLICY_ORDER), ==, 1);
}

static void test_ask(void) {
        _cleanup_(policy_freep) struct policy *policy =
                policy_of("[Rule deny]\nAction=ignore\n"
                          "[Rule ours]\nMatchIdentity=naa.6*\nMatchLun=0-9\nAction=attach\n");
        struct policy_subject subject = {.has_lun = true, .lun = 1};

        check(policy, &subject, POLICY_ASK, "ours",
              "it has to be looked at first: [Rule ours] (test.conf:3) may say attach, but the "
              "identity is not known yet");
        subject.identity = "naa.7";
        check(policy, &subject, POLICY_IGNORE, "deny", "[Rule deny] (test.conf:1) says ignore");
        subject.identity = "naa.6";
        check(policy, &subject, POLICY_ATTACH, "ours", "[Rule ours] (test.conf:3) says attach");
        subject.identity = NULL;
        subject.complete = true;
        check(policy, &subject, POLICY_IGNORE, "deny", "[Rule deny] (test.conf:1) says ignore");
        subject.complete = false;
        subject.lun = 10;
        check(policy, &subject, POLICY_IGNORE, "deny", "[Rule deny] (test.conf:1) says ignore");
}

/* What is not known does not matter where all that can come of it is the same. */
static void test_ask_agrees(void) {
        _cleanup_(policy_freep) struct policy *policy =
                policy_of("[Rule tapes]\nMatchType=tape\nAction=ignore\n"
                          "[Rule small]\nMatchSize=<1G\nAction=ignore\n"
                          "[Rule usb]\nMatchTransport=usb\nAction=ignore\n"
                          "[Rule ibm]\nMatchVendor=IBM\nAction=ignore\n");

        check(policy, &(struct policy_subject){.transport = "usb"}, POLICY_IGNORE, "usb",
              "[Rule usb] (test.conf:7) says ignore");
        check(policy, &(struct policy_subject){.transport = "fc"}, POLICY_ASK, "ibm",
              "it has to be looked at first: [Rule ibm] (test.conf:10) may say ignore, but the "
              "vendor is not known yet");
}

/* All maybes agree with the default. */
static void test_ask_default(void) {
        _cleanup_(policy_freep) struct policy *policy =
                policy_of("[Rule a]\nMatchVendor=IBM\nAction=attach\n");

        check(policy, &(struct policy_subject){}, POLICY_ATTACH, "",
              "no rule decides, the default is attach");
}

/* For the other settings a maybe is no match. */
static void test_maybe_setting(void) {
        _cleanup_(policy_freep) struct policy *policy =
                policy_of("[Rule a]\nRetries=1\n[Rule b]\nMatchVendor=IBM\nRetries=2\n");

        g_assert_cmpint(decide(policy, &(struct policy_subject){}, POLICY_RETRIES), ==, 1);
        g_assert_cmpint(decide(policy, &(struct policy_subject){.vendor = "IBM"}, POLICY_RETRIES),
                        ==, 2);
}

/* The longest names there can be leave room for the sentence. */
static void test_long_reason(void) {
        g_autofree char *file = g_strnfill(1000, 'f');
        _cleanup_(policy_freep) struct policy *policy = policy_new(&policy_limits_default);
        struct policy_decision decision;
        struct policy_error error;

        g_assert_cmpint(policy_parse(policy, POLICY_FILE_RULES, file,
                                     "[Rule a]\nMatchVendor=a\nAction=ignore\n", &error),
                        ==, 0);
        policy_decide(policy, &(struct policy_subject){}, &decision);
        g_assert_cmpuint(strlen(decision.reason), ==, POLICY_REASON_MAX - 1);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/policy/decide/last-wins", test_last_wins);
        g_test_add_func("/policy/decide/files", test_files);
        g_test_add_func("/policy/decide/ask", test_ask);
        g_test_add_func("/policy/decide/ask-agrees", test_ask_agrees);
        g_test_add_func("/policy/decide/ask-default", test_ask_default);
        g_test_add_func("/policy/decide/maybe-setting", test_maybe_setting);
        g_test_add_func("/policy/decide/long-reason", test_long_reason);
        return g_test_run();
}
