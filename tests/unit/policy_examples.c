/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "policy/policy.h"
#include "tests/unit/policy_support.h"
#include "util/cleanup.h"

/* What docs/examples/policy/ promises. */

static char *contents(const char *name) {
        g_autofree char *path = g_build_filename(SOURCE_ROOT, name, NULL);
        char *text = NULL;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        return text;
}

static struct policy *example(const char *name) {
        g_autofree char *path = g_strdup_printf("docs/examples/policy/%s.conf", name);
        g_autofree char *text = contents(path);

        return policy_of(text);
}

struct question {
        struct policy_subject subject;
        enum policy_action action;
        const char *rule;
};

static void check(const struct policy *policy, const struct question *questions, size_t count) {
        for (size_t i = 0; i < count; i++) {
                struct policy_decision decision;
                const struct policy_verdict *verdict = &decision.settings[POLICY_ACTION];

                policy_decide(policy, &questions[i].subject, &decision);
                g_test_message("%zu: %s", i, decision.reason);
                g_assert_cmpint(verdict->value, ==, questions[i].action);
                g_assert_cmpstr(verdict->rule ? verdict->rule->name : "", ==, questions[i].rule);
        }
}

static void test_san_host(void) {
        static const struct question questions[] = {
                {{.transport = "fc", .port_name = "naa.500a098390", .has_lun = true, .lun = 15},
                 POLICY_ATTACH,
                 "san-ours"},
                {{.transport = "fc", .port_name = "naa.500a098390", .has_lun = true, .lun = 16},
                 POLICY_IGNORE,
                 "san-nothing"},
                {{.transport = "fc", .port_name = "naa.5006016", .has_lun = true, .lun = 0},
                 POLICY_IGNORE,
                 "san-nothing"},
                /* A whole target: one that is ours is asked, another one is left alone. */
                {{.transport = "fc", .port_name = "naa.500a098390"}, POLICY_ASK, "san-ours"},
                {{.transport = "fc", .port_name = "naa.5006016"}, POLICY_IGNORE, "san-nothing"},
                {{.transport = "ata", .port_name = "", .has_lun = true}, POLICY_ATTACH, ""},
        };
        _cleanup_(policy_freep) struct policy *policy = example("san-host");
        struct policy_subject boot = questions[0].subject;

        check(policy, questions, ELEMENTS_OF(questions));
        g_assert_cmpint(decide(policy, &boot, POLICY_ORDER), ==, 0);
        g_assert_cmpint(decide(policy, &boot, POLICY_POLL_INTERVAL), ==, 30000);
        g_assert_cmpint(decide(policy, &boot, POLICY_WILDCARD), ==, 0);
        boot.lun = 0;
        g_assert_cmpint(decide(policy, &boot, POLICY_ORDER), ==, -100);
        g_assert_cmpint(decide(policy, &boot, POLICY_WHEN_REPLACED), ==, POLICY_TELL_ONLY);
        g_assert_cmpint(decide(policy, &boot, POLICY_WHEN_MISSING), ==, POLICY_TELL_ONLY);
        g_assert_cmpint(decide(policy, &questions[5].subject, POLICY_WILDCARD), ==, 1);
}

static void test_san_by_identity(void) {
        static const struct question questions[] = {
                {{.transport = "fc", .has_lun = true}, POLICY_ASK, "san-ours"},
                {{.transport = "fc", .identity = "naa.600a09803830304f2b5d"},
                 POLICY_ATTACH,
                 "san-ours"},
                {{.transport = "fc", .identity = "naa.600a09803830304f2b5e"},
                 POLICY_ATTACH,
                 "san-ours"},
                {{.transport = "iscsi", .identity = "naa.600a0980383030501234"},
                 POLICY_ATTACH,
                 "san-ours"},
                {{.transport = "fc", .identity = "naa.600a09803830304f2b5f"},
                 POLICY_IGNORE,
                 "san-nothing"},
                {{.transport = "fc", .complete = true}, POLICY_IGNORE, "san-nothing"},
                {{.transport = "sas"}, POLICY_ATTACH, ""},
        };
        _cleanup_(policy_freep) struct policy *policy = example("san-by-identity");

        check(policy, questions, ELEMENTS_OF(questions));
}

static void test_tape_library(void) {
        static const struct question questions[] = {
                {{.transport = "fc"}, POLICY_ASK, "tape-library"},
                {{.transport = "fc", .type = "disk"}, POLICY_IGNORE, "tape-only"},
                {{.transport = "fc", .type = "changer"}, POLICY_ATTACH, "tape-library"},
                {{.transport = "fc", .type = "tape", .vendor = "IBM"},
                 POLICY_ATTACH,
                 "tape-library"},
                {{.transport = "sas", .type = "disk"}, POLICY_ATTACH, ""},
        };
        _cleanup_(policy_freep) struct policy *policy = example("tape-library");
        const struct policy_subject *changer = &questions[2].subject;
        const struct policy_subject *drive = &questions[3].subject;

        check(policy, questions, ELEMENTS_OF(questions));
        g_assert_cmpint(decide(policy, changer, POLICY_WHEN_REPLACED), ==, POLICY_TELL_ONLY);
        g_assert_cmpint(decide(policy, changer, POLICY_COMMAND_TIMEOUT), ==, 120000);
        g_assert_cmpint(decide(policy, drive, POLICY_WHEN_REPLACED), ==, POLICY_OF_ITSELF);
        g_assert_cmpint(decide(policy, drive, POLICY_WHEN_MISSING), ==, POLICY_TELL_ONLY);
        g_assert_cmpint(decide(policy, drive, POLICY_COMMANDS), ==, 4);
        g_assert_cmpint(decide(policy, &(struct policy_subject){.driver = "lpfc"}, POLICY_COMMANDS),
                        ==, 1);
}

static void test_virtualisation_host(void) {
        static const struct question questions[] = {
                {{.transport = "fc", .has_lun = true, .lun = 99, .complete = true},
                 POLICY_ATTACH,
                 ""},
                {{.transport = "fc", .has_lun = true, .lun = 100, .complete = true},
                 POLICY_QUARANTINE,
                 "guests"},
                {{.transport = "fc",
                  .has_lun = true,
                  .lun = 5,
                  .vendor = "EMC",
                  .has_size = true,
                  .size = 2 << 20},
                 POLICY_IGNORE,
                 "gatekeepers"},
                {{.transport = "fc", .has_lun = true, .lun = 5}, POLICY_ASK, "gatekeepers"},
                {{.transport = "sas"}, POLICY_ATTACH, ""},
        };
        _cleanup_(policy_freep) struct policy *policy = example("virtualisation-host");
        const struct policy_subject *datastore = &questions[0].subject;
        const struct policy_subject *guest = &questions[1].subject;

        check(policy, questions, ELEMENTS_OF(questions));
        g_assert_cmpint(decide(policy, &questions[4].subject, POLICY_ORDER), ==, -100);
        g_assert_cmpint(decide(policy, datastore, POLICY_ORDER), ==, -10);
        g_assert_cmpint(decide(policy, guest, POLICY_ORDER), ==, 0);
        g_assert_cmpint(decide(policy, guest, POLICY_WHEN_MISSING), ==, POLICY_TELL_ONLY);
        g_assert_cmpint(decide(policy, guest, POLICY_WHEN_REPLACED), ==, POLICY_TELL_ONLY);
        g_assert_cmpint(decide(policy, guest, POLICY_WHEN_GROWN), ==, POLICY_TELL_ONLY);
}

static void test_csi_node(void) {
        static const struct question questions[] = {
                {{.transport = "iscsi", .has_lun = true, .lun = 1},
                 POLICY_IGNORE,
                 "csi-nothing-unasked"},
                {{.transport = "fc"}, POLICY_IGNORE, "csi-nothing-unasked"},
                {{.transport = "fc", .model = "Universal Xport"}, POLICY_IGNORE, "csi-never"},
                {{.transport = "virtio"}, POLICY_ATTACH, ""},
        };
        _cleanup_(policy_freep) struct policy *policy = example("csi-node");

        check(policy, questions, ELEMENTS_OF(questions));
        for (size_t i = 0; i < 2; i++) {
                g_assert_cmpint(decide(policy, &questions[i].subject, POLICY_ON_REQUEST), ==,
                                POLICY_WARN);
                g_assert_cmpint(decide(policy, &questions[i].subject, POLICY_POLL_INTERVAL), ==, 0);
                g_assert_cmpint(decide(policy, &questions[i].subject, POLICY_WILDCARD), ==, 0);
                g_assert_cmpint(decide(policy, &questions[i].subject, POLICY_WHEN_REPLACED), ==,
                                POLICY_TELL_ONLY);
        }
        g_assert_cmpint(decide(policy, &questions[2].subject, POLICY_ON_REQUEST), ==,
                        POLICY_REFUSE);
}

/* Each file that is there is tested above; and docs/policy.md speaks of it. */
static void test_all(void) {
        static const char *const names[] = {"csi-node.conf", "san-by-identity.conf",
                                            "san-host.conf", "tape-library.conf",
                                            "virtualisation-host.conf"};
        g_autoptr(GDir) directory = g_dir_open(SOURCE_ROOT "/docs/examples/policy", 0, NULL);
        g_autofree char *text = contents("docs/policy.md");
        const char *name;
        size_t count = 0;

        while ((name = g_dir_read_name(directory))) {
                bool known = false;

                for (size_t i = 0; i < ELEMENTS_OF(names); i++)
                        known |= strcmp(names[i], name) == 0;
                if (!known || !strstr(text, name))
                        g_error("%s is not tested, or not in docs/policy.md", name);
                count++;
        }
        g_assert_cmpuint(count, ==, ELEMENTS_OF(names));
}

/* What policy.conf shows as the defaults, in comment, is all of them and right. */
static void test_shown_defaults(void) {
        g_autofree char *text = contents("policy/policy.conf");
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        g_autoptr(GString) rule = g_string_new(NULL);
        _cleanup_(policy_freep) struct policy *shown = NULL;
        _cleanup_(policy_freep) struct policy *without = policy_new(&policy_limits_default);
        struct policy_decision as_shown;
        struct policy_decision as_is;

        for (size_t i = 0; lines[i] && strcmp(lines[i], "#   [Rule deny]") != 0; i++)
                if (g_str_has_prefix(lines[i], "#   "))
                        g_string_append_printf(rule, "%s\n", lines[i] + strlen("#   "));
        shown = policy_of(rule->str);
        policy_decide(shown, &(struct policy_subject){}, &as_shown);
        policy_decide(without, &(struct policy_subject){}, &as_is);
        for (size_t i = 0; i < POLICY_SETTINGS; i++) {
                g_test_message("%s", policy_setting_name((enum policy_setting)i));
                g_assert_nonnull(as_shown.settings[i].rule);
                g_assert_cmpint(as_shown.settings[i].value, ==, as_is.settings[i].value);
        }
}

/* Each key and each flag is in both documents. */
static void test_documents(void) {
        static const char *const words[] = {
                "MatchHost",     "MatchDriver", "MatchTransport", "MatchMode",   "MatchPortName",
                "MatchLun",      "MatchType",   "MatchVendor",    "MatchModel",  "MatchRevision",
                "MatchIdentity", "MatchSize",   "NOLUN",          "FORCELUN",    "SPARSELUN",
                "MAX5LUN",       "LARGELUN",    "REPORTLUN2",     "NOREPORTLUN", "INQUIRY_36",
                "Vendor=",       "Model=",      "Flags=",         "Driver=",     "Discovery=",
        };
        g_autofree char *page = contents("docs/man/scsiscan-policy.5");
        g_autofree char *document = contents("docs/policy.md");

        for (size_t i = 0; i < ELEMENTS_OF(words); i++)
                if (!strstr(page, words[i]) || !strstr(document, words[i]))
                        g_error("%s is not documented", words[i]);
        for (size_t i = 0; i < POLICY_SETTINGS; i++) {
                const char *name = policy_setting_name((enum policy_setting)i);
                g_autofree char *in_page = g_strdup_printf("%s=", name);
                g_autofree char *in_document = g_strdup_printf("| `%s` |", name);

                if (!strstr(page, in_page) || !strstr(document, in_document))
                        g_error("%s is not documented", name);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/policy/examples/san-host", test_san_host);
        g_test_add_func("/policy/examples/san-by-identity", test_san_by_identity);
        g_test_add_func("/policy/examples/tape-library", test_tape_library);
        g_test_add_func("/policy/examples/virtualisation-host", test_virtualisation_host);
        g_test_add_func("/policy/examples/csi-node", test_csi_node);
        g_test_add_func("/policy/examples/all", test_all);
        g_test_add_func("/policy/examples/shown-defaults", test_shown_defaults);
        g_test_add_func("/policy/examples/documents", test_documents);
        return g_test_run();
}
