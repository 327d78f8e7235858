/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "policy/scan_rules.h"
#include "scsi/lun.h"
#include "util/cleanup.h"

/* Levels as sysfs spells them. */
enum {
        UNKNOWN = 0,
        SCSI_1 = 1,
        SCSI_1_CCS = 2,
        SCSI_2 = 3,
        SCSI_3 = 4,
        SPC_3 = 6,
};

struct example {
        int level;
        enum scan_method method;
        const char *blacklist;
        const char *says; /* a part of the reason */
        uint64_t end;
        bool sparse;
};

static void assert_rules(const struct scan_rules *rules, const struct example *example) {
        g_test_message("level %d, \"%s\"", example->level,
                       example->blacklist ? example->blacklist : "");
        g_assert_cmpint(rules->method, ==, example->method);
        g_assert_cmpuint(rules->sequential_end, ==, example->end);
        g_assert_true(rules->sparse == example->sparse);
        g_assert_nonnull(rules->reason);
        g_assert_nonnull(strstr(rules->reason, example->says));
}

static void test_scan_rules(void) {
        static const struct example table[] = {
                {SPC_3, SCAN_REPORT_LUNS, NULL, "REPORT LUNS", 0, false},
                {SCSI_3, SCAN_REPORT_LUNS, "", "REPORT LUNS", 0, false},
                {SCSI_3, SCAN_REPORT_LUNS, "\n", "REPORT LUNS", 0, false},
                {SPC_3, SCAN_REPORT_LUNS, "SPARSELUN LARGELUN\n", "REPORT LUNS", 0, false},
                {SPC_3, SCAN_SEQUENTIAL, "NOREPORTLUN", "NOREPORTLUN", 256, false},
                {SPC_3, SCAN_SEQUENTIAL, "SPARSELUN NOREPORTLUN", "NOREPORTLUN", 256, true},
                {SPC_3, SCAN_SEQUENTIAL, "FORCELUN NOREPORTLUN", "NOREPORTLUN", 256, false},
                {SPC_3, SCAN_SEQUENTIAL, "MAX5LUN NOREPORTLUN\n", "NOREPORTLUN", 5, false},
                {SPC_3, SCAN_SEQUENTIAL, "NOREPORTLUN REPORTLUN2", "NOREPORTLUN", 256, false},
                {SPC_3, SCAN_LUN_ZERO_ONLY, "NOLUN", "NOLUN", 0, false},
                {SPC_3, SCAN_LUN_ZERO_ONLY, "NOLUN NOREPORTLUN", "NOLUN", 0, false},
                {SCSI_1, SCAN_LUN_ZERO_ONLY, "NOLUN", "NOLUN", 0, false},
                {SCSI_1, SCAN_SEQUENTIAL, NULL, "older than SCSI-2", 8, false},
                {SCSI_1_CCS, SCAN_SEQUENTIAL, "REPORTLUN2", "older than SCSI-2", 8, false},
                {SCSI_2, SCAN_SEQUENTIAL, NULL, "older than SCSI-3", 8, false},
                {SCSI_2, SCAN_SEQUENTIAL, "LARGELUN", "older than SCSI-3", 256, false},
                {SCSI_2, SCAN_SEQUENTIAL, "SPARSELUN", "older than SCSI-3", 8, true},
                {SCSI_2, SCAN_SEQUENTIAL, "FORCELUN SPARSELUN", "older than SCSI-3", 8, true},
                {SCSI_2, SCAN_SEQUENTIAL, "MAX5LUN SINGLELUN", "older than SCSI-3", 5, false},
                {SCSI_2, SCAN_SEQUENTIAL, "MAX5LUN LARGELUN", "older than SCSI-3", 5, false},
                {SCSI_2, SCAN_REPORT_LUNS, "REPORTLUN2", "REPORT LUNS", 0, false},
                {UNKNOWN, SCAN_SEQUENTIAL, NULL, "older than SCSI-3", 8, false},
                {UNKNOWN, SCAN_REPORT_LUNS, "REPORTLUN2", "REPORT LUNS", 0, false},
                /* not flags of scanning, and not flags at all */
                {SPC_3, SCAN_REPORT_LUNS, "NOTQ INQUIRY_36 INVALID_BIT(40)", "asked", 0, false},
                {SPC_3, SCAN_REPORT_LUNS, "NOLUNS XNOLUN NOLU nolun NOREPORTLUNS", "asked", 0,
                 false},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                struct scan_rules rules = policy_scan_rules(table[i].level, table[i].blacklist);

                assert_rules(&rules, &table[i]);
        }
}

static void test_sequential(void) {
        static const struct example table[] = {
                {SPC_3, SCAN_SEQUENTIAL, NULL, "does not support", 256, false},
                {SPC_3, SCAN_SEQUENTIAL, "SPARSELUN", "does not support", 256, true},
                {SPC_3, SCAN_SEQUENTIAL, "MAX5LUN", "does not support", 5, false},
                {SCSI_2, SCAN_SEQUENTIAL, "REPORTLUN2", "does not support", 8, false},
                {SCSI_2, SCAN_SEQUENTIAL, "REPORTLUN2 LARGELUN", "does not support", 256, false},
                {SPC_3, SCAN_LUN_ZERO_ONLY, "NOLUN", "NOLUN", 0, false},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                struct scan_rules rules =
                        policy_scan_rules_sequential(table[i].level, table[i].blacklist);

                assert_rules(&rules, &table[i]);
        }
}

static void check_random(int level, const char *blacklist) {
        struct scan_rules rules = policy_scan_rules(level, blacklist);
        struct scan_rules fallback = policy_scan_rules_sequential(level, blacklist);

        g_assert_cmpint(fallback.method, !=, SCAN_REPORT_LUNS);
        if (rules.method != SCAN_REPORT_LUNS) {
                g_assert_cmpint(rules.method, ==, fallback.method);
                g_assert_cmpuint(rules.sequential_end, ==, fallback.sequential_end);
                g_assert_true(rules.sparse == fallback.sparse);
        }
        if (fallback.method == SCAN_SEQUENTIAL) {
                g_assert_cmpuint(fallback.sequential_end, >=, 5);
                g_assert_cmpuint(fallback.sequential_end, <=, 256);
        }
        g_assert_nonnull(rules.reason);
        g_assert_nonnull(fallback.reason);
}

static void test_random(void) {
        static const char *const words[] = {
                "NOLUN",       "FORCELUN",   "SPARSELUN", "MAX5LUN", "LARGELUN", "REPORTLUN2",
                "NOREPORTLUN", "INQUIRY_36", "\n",        "  ",      "NO",       "\xff",
        };

        for (unsigned round = 0; round < 20000; round++) {
                g_autoptr(GString) blacklist = g_string_new(NULL);
                int level = g_test_rand_int_range(-1, 9), count = g_test_rand_int_range(0, 6);

                for (int i = 0; i < count; i++) {
                        size_t word = (size_t)g_test_rand_int_range(0, ELEMENTS_OF(words));

                        g_string_append(blacklist, words[word]);
                        if (g_test_rand_bit())
                                g_string_append_c(blacklist, ' ');
                }
                check_random(level, blacklist->str);
        }
}

static void test_contact_luns(void) {
        static const uint64_t expected[] = {0, SCSI_WLUN_REPORT_LUNS, 1, 2, 3};

        g_assert_cmpuint(policy_contact_luns_count, ==, ELEMENTS_OF(expected));
        g_assert_cmpmem(policy_contact_luns, policy_contact_luns_count * sizeof(uint64_t), expected,
                        sizeof(expected));
}

static void test_limits_default(void) {
        const struct policy_limits *limits = &policy_limits_default;

        g_assert_true(limits->wildcard);
        g_assert_cmpuint(limits->channels_max, ==, 8);
        g_assert_cmpuint(limits->ids_per_channel_max, ==, 256);
        g_assert_cmpuint(limits->command_timeout_ms, ==, 10000);
        g_assert_cmpuint(limits->attach_deadline_ms, ==, 60000);
        g_assert_cmpuint(limits->retries, ==, 5);
        /* An attach is made of commands: it must not be given up while one may still end well. */
        g_assert_cmpuint(limits->attach_deadline_ms, >, limits->command_timeout_ms);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/policy/scan-rules/scan-rules", test_scan_rules);
        g_test_add_func("/policy/scan-rules/sequential", test_sequential);
        g_test_add_func("/policy/scan-rules/random", test_random);
        g_test_add_func("/policy/scan-rules/contact-luns", test_contact_luns);
        g_test_add_func("/policy/scan-rules/limits-default", test_limits_default);
        return g_test_run();
}
