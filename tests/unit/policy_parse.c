/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "policy/policy.h"
#include "tests/unit/policy_support.h"
#include "util/cleanup.h"

/* "file:line: found: expected ..." begins with this. */
struct sample {
        enum policy_file_kind kind;
        const char *text;
        const char *said;
};

static void check_error(const struct sample *sample) {
        _cleanup_(policy_freep) struct policy *policy = policy_new(&policy_limits_default);
        _cleanup_(freep) char *said = NULL;
        struct policy_error error;

        g_assert_cmpint(policy_parse(policy, sample->kind, "f.conf", sample->text, &error), ==,
                        -EINVAL);
        said = policy_error_format(&error);
        g_test_message("%s", said);
        if (!g_str_has_prefix(said, sample->said))
                g_error("said \"%s\", not \"%s\"", said, sample->said);
}

#define RULES POLICY_FILE_RULES
#define QUIRKS POLICY_FILE_QUIRKS

static void test_form(void) {
        static const struct sample samples[] = {
                {RULES, "Action=attach\n", "f.conf:1: Action: expected [Rule NAME]"},
                {RULES, "nonsense\n", "f.conf:1: nonsense: expected [Rule NAME]"},
                {RULES, "[Rule a]\nAction=attach\nnonsense\n",
                 "f.conf:3: nonsense: expected [Rule"},
                {RULES, "[Rule a]\nAction: attach\n", "f.conf:2: Action: attach: expected [Rule"},
                {RULES, "[Rule a]\n=attach\n", "f.conf:2: =attach: expected [Rule NAME]"},
                {RULES, "[Rule a]\n Order=1\n", "f.conf:2: Order=1: expected [Rule NAME]"},
                {RULES, "[Rule a]\nMatchVendor=a\n Action = ignore\n",
                 "f.conf:3: Action = ignore: "},
                {RULES, "[Rule a]\nMatchVendor=a\n [Rule b]\n",
                 "f.conf:3: [Rule b]: expected [Rule"},
                {RULES, " [Rule a]\n", "f.conf:1: [Rule a]: expected [Rule NAME]"},
                {RULES, "\n[Rule]\n", "f.conf:2: [Rule]: expected [Rule NAME]"},
                {RULES, "[Rule a b]\n", "f.conf:1: [Rule a b]: expected [Rule NAME]"},
                {RULES, "[Rule a] b\n", "f.conf:1: [Rule a] b: expected [Rule NAME]"},
                {RULES, "[Rule a\n", "f.conf:1: [Rule a: expected [Rule NAME]"},
                {RULES, "[Rule a/b]\n", "f.conf:1: [Rule a/b]: expected [Rule NAME]"},
                {RULES, "[rule a]\n", "f.conf:1: [rule a]: expected [Rule NAME]"},
                {RULES, "[Quirk a]\n", "f.conf:1: [Quirk a]: expected [Rule NAME]"},
                {QUIRKS, "[Rule a]\n", "f.conf:1: [Rule a]: expected [Quirk NAME] or [Host NAME]"},
                {RULES, "[Rule aaaaaaaaaabbbbbbbbbbccccccccccddddddddddE]\n",
                 "f.conf:1: [Rule aaa"},
                {RULES, "# ok\n[Rule a]\nMatchLun=1\n[Rule b]\nAction=attach\n",
                 "f.conf:2: a: expected a rule with Action= or another setting"},
                {RULES, "[Rule a]\nOrder=1\n[Rule a]\n",
                 "f.conf:3: a: expected another name, f.conf:1"},
                {RULES, "[Rule a]\nOrder=1\nOrder=2\n", "f.conf:3: Order: expected each key once"},
                {RULES, "[Rule a]\nOrder=1\n 2\n", "f.conf:3: Order: expected each key once"},
                {RULES, "[Rule a]\nMatchLun=1\nOrder=1\nMatchLun=2\n",
                 "f.conf:4: MatchLun: expected each key once"},
                {RULES, "[Rule a]\nOrdre=1\n", "f.conf:2: Ordre: expected Action, OnRequest, "},
                {RULES, "[Rule a]\nMatchLuns=1\n", "f.conf:2: MatchLuns: expected MatchHost, "},
                {RULES, "[Rule a]\nVendor=1\n", "f.conf:2: Vendor: expected Action, "},
                {RULES, "[Rule a]\nOrder=\xc3\xa4\n",
                 "f.conf:2: byte c3h: expected printable ASCII"},
                {RULES, "[Rule a]\nOrder=1\r2\n", "f.conf:2: byte 0dh: expected printable ASCII"},
                {RULES, "[Rule a]\nOrder=1\x7f\n", "f.conf:2: byte 7fh: expected printable ASCII"},
                {RULES, "\xef\xbb\xbf[Rule a]\nOrder=1\n",
                 "f.conf:1: byte efh: expected printable"},
        };

        for (size_t i = 0; i < ELEMENTS_OF(samples); i++)
                check_error(&samples[i]);
}

static void test_match_values(void) {
        static const struct {
                const char *line;
                const char *said;
        } samples[] = {
                {"MatchHost=", "f.conf:2: MatchHost=: expected a number like 3"},
                {"MatchHost=3-", "f.conf:2: MatchHost=3-: expected a number like 3"},
                {"MatchHost=5-3", "f.conf:2: MatchHost=5-3: expected a number like 3"},
                {"MatchHost=4294967296", "f.conf:2: MatchHost=4294967296: expected a number"},
                {"MatchHost=host3", "f.conf:2: MatchHost=host3: expected a number like 3"},
                {"MatchLun=1 07", "f.conf:2: MatchLun=07: expected a LUN as Linux prints it"},
                {"MatchLun=0x41", "f.conf:2: MatchLun=0x41: expected a LUN as Linux prints it"},
                {"MatchLun=9-1", "f.conf:2: MatchLun=9-1: expected a LUN as Linux prints it"},
                {"MatchTransport=fcp", "f.conf:2: MatchTransport=fcp: expected fc, sas, "},
                {"MatchType=disc", "f.conf:2: MatchType=disc: expected disk, tape, "},
                {"MatchMode=own*", "f.conf:2: MatchMode=own*: expected owner or observer"},
                {"MatchVendor=[a", "f.conf:2: MatchVendor=[a: expected a pattern in which each ["},
                {"MatchVendor=a\\", "f.conf:2: MatchVendor=a\\: expected a pattern in which"},
                {"MatchVendor=!", "f.conf:2: MatchVendor=!: expected a value behind the !"},
                {"MatchVendor=\"a", "f.conf:2: MatchVendor=\"a: expected a closing \""},
                {"MatchVendor=\"a\"b", "f.conf:2: MatchVendor=\"a\"b: expected a blank between"},
                {"MatchVendor=a\"b\"", "f.conf:2: MatchVendor=a\"b\": expected a blank between"},
                {"MatchSize=1X", "f.conf:2: MatchSize=1X: expected a size like >=1T"},
                {"MatchSize=>", "f.conf:2: MatchSize=>: expected a size like >=1T"},
                {"MatchSize=<0", "f.conf:2: MatchSize=<0: expected a size like >=1T"},
                {"MatchSize=2G-1G", "f.conf:2: MatchSize=2G-1G: expected a size like >=1T"},
                {"MatchSize=16E", "f.conf:2: MatchSize=16E: expected a size like >=1T"},
                {"MatchSize=18446744073709551616", "f.conf:2: MatchSize=18446744073709551616: exp"},
        };

        for (size_t i = 0; i < ELEMENTS_OF(samples); i++) {
                g_autofree char *text =
                        g_strdup_printf("[Rule a]\n%s\nAction=attach\n", samples[i].line);

                check_error(&(struct sample){RULES, text, samples[i].said});
        }
}

/* A setting may not depend on what is not known where it is used. */
static void test_levels(void) {
        static const struct {
                const char *lines;
                const char *said; /* NULL: good */
        } samples[] = {
                {"Commands=1\nMatchHost=1\nMatchDriver=a\nMatchTransport=fc\nMatchMode=owner",
                 NULL},
                {"Commands=1\nMatchPortName=a", "f.conf:1: MatchPortName= with Commands=: expected "
                                                "Commands= for a whole host"},
                {"Commands=1\nMatchVendor=a", "f.conf:1: MatchVendor= with Commands="},
                {"Wildcard=no\nMatchPortName=a", NULL},
                {"Wildcard=no\nMatchLun=0", "f.conf:1: MatchLun= with Wildcard="},
                {"AttachDeadline=1s\nMatchLun=0\nMatchPortName=a", NULL},
                {"AttachDeadline=1s\nMatchType=disk", "f.conf:1: MatchType= with AttachDeadline="},
                {"Order=1\nMatchIdentity=a\nMatchLun=1", NULL},
                {"Order=1\nMatchSize=<1G", "f.conf:1: MatchSize= with Order="},
                {"AttachDeadline=1s\nMatchIdentity=a",
                 "f.conf:1: MatchIdentity= with AttachDeadline="},
                {"Action=ignore\nMatchIdentity=a", NULL},
                {"PollInterval=5s\nMatchVendor=a", NULL},
        };

        for (size_t i = 0; i < ELEMENTS_OF(samples); i++) {
                g_autofree char *text = g_strdup_printf("[Rule a]\n%s\n", samples[i].lines);

                if (samples[i].said)
                        check_error(&(struct sample){RULES, text, samples[i].said});
                else
                        policy_free(policy_of(text));
        }
}

static void test_quirks(void) {
        static const struct sample samples[] = {
                {QUIRKS, "[Quirk a]\nVendor=a\nModel=b\n",
                 "f.conf:1: a: expected a quirk with Vendor"},
                {QUIRKS, "[Quirk a]\nModel=b\nFlags=NOLUN\n",
                 "f.conf:1: a: expected a quirk with "},
                {QUIRKS, "[Quirk a]\nVendor=b\nFlags=NOLUN\n",
                 "f.conf:1: a: expected a quirk with "},
                {QUIRKS, "[Quirk a]\nFlags=KEY\n", "f.conf:2: Flags=KEY: expected NOLUN, FORCELUN"},
                {QUIRKS, "[Quirk a]\nFlags=!NOLUN\n", "f.conf:2: Flags=NOLUN: expected NOLUN, "},
                {QUIRKS, "[Quirk a]\nFlags=-\n", "f.conf:2: Flags=-: expected NOLUN, FORCELUN"},
                {QUIRKS, "[Quirk a]\nFlags=NOLUN -NOLUN\n",
                 "f.conf:2: Flags=-NOLUN: expected each"},
                {QUIRKS, "[Quirk a]\nMatchVendor=b\n", "f.conf:2: MatchVendor: expected Vendor, "},
                {QUIRKS, "[Host a]\nDriver=b\n", "f.conf:1: a: expected a host with Driver="},
                {QUIRKS, "[Host a]\nDiscovery=driver\n",
                 "f.conf:1: a: expected a host with Driver="},
                {QUIRKS, "[Host a]\nDiscovery=us\n", "f.conf:2: Discovery=us: expected service, "},
                {QUIRKS, "[Host a]\nFlags=NOLUN\n",
                 "f.conf:2: Flags: expected Driver or Discovery"},
        };

        for (size_t i = 0; i < ELEMENTS_OF(samples); i++)
                check_error(&samples[i]);
}

/* What is not in one file is in the one before. */
static void test_two_files(void) {
        _cleanup_(policy_freep) struct policy *policy = policy_of("[Rule a]\nOrder=1\n");
        _cleanup_(freep) char *said = NULL;
        struct policy_error error;

        g_assert_cmpint(policy_parse(policy, RULES, "2.conf", "\n[Rule a]\nOrder=2\n", &error), ==,
                        -EINVAL);
        said = policy_error_format(&error);
        g_assert_cmpstr(said, ==, "2.conf:2: a: expected another name, test.conf:1 has this one");
}

static void test_bounds(void) {
        g_autoptr(GString) text = g_string_new("[Rule a]\nMatchVendor=");

        while (text->len < strlen("[Rule a]\n") + POLICY_LINE_MAX)
                g_string_append_c(text, 'x');
        g_string_append(text, "\nRetries=1\n");
        policy_free(policy_of(text->str));
        g_string_insert(text, 10, " ");
        check_error(&(struct sample){RULES, text->str, "f.conf:2: a line that is too long"});

        g_string_assign(text, "");
        for (unsigned i = 0; i <= POLICY_RULES_MAX; i++)
                g_string_append_printf(text, "[Rule r%u]\nOrder=1\n", i);
        check_error(
                &(struct sample){RULES, text->str, "f.conf:2049: r1024: expected at most 1024"});

        g_string_assign(text, "[Rule r]\nMatchHost=0\n");
        for (unsigned i = 1; i <= POLICY_VALUES_MAX; i++)
                g_string_append_printf(text, " %u\n", i);
        check_error(
                &(struct sample){RULES, text->str, "f.conf:1026: MatchHost=1024: expected at "});

        g_string_assign(text, "");
        while (text->len <= POLICY_BYTES_MAX)
                g_string_append(text, "# what nobody reads\n");
        check_error(&(struct sample){RULES, text->str, "f.conf: too much text: expected at most "});
}

static void test_good(void) {
        _cleanup_(policy_freep) struct policy *policy =
                policy_of("# caf\xc3\xa9\r\n ; also a comment\n"
                          "[Rule one] ; the first\r\n"
                          "MatchModel = \"a b\" ; inline\n"
                          "\n"
                          "  c* \"Order=1\" \"[ab]\"\n"
                          "# between\n"
                          "\td\n"
                          "Action=ignore\n"
                          "\n"
                          "[Rule two]\n"
                          "Order=-3");
        const struct policy_rule *rule;

        g_assert_cmpuint(policy_rule_count(policy), ==, 2);
        rule = policy_rule_at(policy, 0);
        g_assert_cmpstr(rule->name, ==, "one");
        g_assert_cmpstr(rule->file, ==, "test.conf");
        g_assert_cmpuint(rule->line, ==, 3);
        g_assert_cmpstr(rule->text, ==,
                        "MatchModel=\"a b\"\n c* \"Order=1\" \"[ab]\"\n d\nAction=ignore\n");
        rule = policy_rule_at(policy, 1);
        g_assert_cmpstr(rule->name, ==, "two");
        g_assert_cmpuint(rule->line, ==, 11);
        g_assert_cmpstr(rule->text, ==, "Order=-3\n");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/policy/parse/form", test_form);
        g_test_add_func("/policy/parse/match-values", test_match_values);
        g_test_add_func("/policy/parse/levels", test_levels);
        g_test_add_func("/policy/parse/quirks", test_quirks);
        g_test_add_func("/policy/parse/two-files", test_two_files);
        g_test_add_func("/policy/parse/bounds", test_bounds);
        g_test_add_func("/policy/parse/good", test_good);
        return g_test_run();
}
