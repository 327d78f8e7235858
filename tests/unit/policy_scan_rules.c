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
        const char *blacklist;
        enum scan_method method;
        uint64_t end;
        bool sparse;
        const char *says; /* a part of the reason */
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
                {SPC_3, NULL, SCAN_REPORT_LUNS, 0, false, "REPORT LUNS"},
                {SCSI_3, "", SCAN_REPORT_LUNS, 0, false, "REPORT LUNS"},
                {SCSI_3, "\n", SCAN_REPORT_LUNS, 0, false, "REPORT LUNS"},
                {SPC_3, "SPARSELUN LARGELUN\n", SCAN_REPORT_LUNS, 0, false, "REPORT LUNS"},
                {SPC_3, "NOREPORTLUN", SCAN_SEQUENTIAL, 256, false, "NOREPORTLUN"},
                {SPC_3, "SPARSELUN NOREPORTLUN", SCAN_SEQUENTIAL, 256, true, "NOREPORTLUN"},
                {SPC_3, "FORCELUN NOREPORTLUN", SCAN_SEQUENTIAL, 256, false, "NOREPORTLUN"},
                {SPC_3, "MAX5LUN NOREPORTLUN\n", SCAN_SEQUENTIAL, 5, false, "NOREPORTLUN"},
                {SPC_3, "NOREPORTLUN REPORTLUN2", SCAN_SEQUENTIAL, 256, false, "NOREPORTLUN"},
                {SPC_3, "NOLUN", SCAN_LUN_ZERO_ONLY, 0, false, "NOLUN"},
                {SPC_3, "NOLUN NOREPORTLUN", SCAN_LUN_ZERO_ONLY, 0, false, "NOLUN"},
                {SCSI_1, "NOLUN", SCAN_LUN_ZERO_ONLY, 0, false, "NOLUN"},
                {SCSI_1, NULL, SCAN_SEQUENTIAL, 8, false, "older than SCSI-2"},
                {SCSI_1_CCS, "REPORTLUN2", SCAN_SEQUENTIAL, 8, false, "older than SCSI-2"},
                {SCSI_2, NULL, SCAN_SEQUENTIAL, 8, false, "older than SCSI-3"},
                {SCSI_2, "LARGELUN", SCAN_SEQUENTIAL, 256, false, "older than SCSI-3"},
                {SCSI_2, "SPARSELUN", SCAN_SEQUENTIAL, 8, true, "older than SCSI-3"},
                {SCSI_2, "FORCELUN SPARSELUN", SCAN_SEQUENTIAL, 8, true, "older than SCSI-3"},
                {SCSI_2, "MAX5LUN SINGLELUN", SCAN_SEQUENTIAL, 5, false, "older than SCSI-3"},
                {SCSI_2, "MAX5LUN LARGELUN", SCAN_SEQUENTIAL, 5, false, "older than SCSI-3"},
                {SCSI_2, "REPORTLUN2", SCAN_REPORT_LUNS, 0, false, "REPORT LUNS"},
                {UNKNOWN, NULL, SCAN_SEQUENTIAL, 8, false, "older than SCSI-3"},
                {UNKNOWN, "REPORTLUN2", SCAN_REPORT_LUNS, 0, false, "REPORT LUNS"},
                /* not flags of scanning, and not flags at all */
                {SPC_3, "NOTQ INQUIRY_36 INVALID_BIT(40)", SCAN_REPORT_LUNS, 0, false, "asked"},
                {SPC_3, "NOLUNS XNOLUN NOLU nolun NOREPORTLUNS", SCAN_REPORT_LUNS, 0, false,
                 "asked"},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                struct scan_rules rules = policy_scan_rules(table[i].level, table[i].blacklist);

                assert_rules(&rules, &table[i]);
        }
}

static void test_sequential(void) {
        static const struct example table[] = {
                {SPC_3, NULL, SCAN_SEQUENTIAL, 256, false, "does not support"},
                {SPC_3, "SPARSELUN", SCAN_SEQUENTIAL, 256, true, "does not support"},
                {SPC_3, "MAX5LUN", SCAN_SEQUENTIAL, 5, false, "does not support"},
                {SCSI_2, "REPORTLUN2", SCAN_SEQUENTIAL, 8, false, "does not support"},
                {SCSI_2, "REPORTLUN2 LARGELUN", SCAN_SEQUENTIAL, 256, false, "does not support"},
                {SPC_3, "NOLUN", SCAN_LUN_ZERO_ONLY, 0, false, "NOLUN"},
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
