/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>

#include "policy/policy.h"
#include "util/cleanup.h"

static struct policy *quirks_of(const char *name, const char *text) {
        struct policy *policy = policy_new(&policy_limits_default);
        struct policy_error error;

        if (policy_parse(policy, POLICY_FILE_QUIRKS, name, text, &error) < 0)
                g_error("%s:%u: %s: expected %s", error.file, error.line, error.found,
                        error.expected);
        return policy;
}

static void check(const struct policy *policy, const char *vendor, const char *model,
                  const char *blacklist, const char *flags, const char *by) {
        const struct policy_rule *quirk;
        char buffer[POLICY_FLAGS_MAX];

        g_assert_cmpstr(policy_quirk_flags(policy, vendor, model, blacklist, buffer, &quirk), ==,
                        flags);
        g_assert_cmpstr(quirk ? quirk->name : "", ==, by);
        g_assert_cmpstr(policy_quirk_flags(policy, vendor, model, blacklist, buffer, NULL), ==,
                        flags);
}

/* Each flag, a vendor of several words, a model of none, and what begins alike. */
static void test_builtin(void) {
        _cleanup_(policy_freep) struct policy *policy =
                quirks_of(policy_quirks_builtin_name, policy_quirks_builtin);
        static const struct {
                const char *vendor;
                const char *model;
                const char *flags;
        } table[] = {
                {"HITACHI", "DK312C", "NOLUN"},
                {"IOMEGA", "ZIP 100", "NOLUN"},
                {"", "Scanner", "NOLUN"},
                {"LASOUND", "CDX7405", "MAX5LUN"},
                {"MegaRAID", "LD 0 RAID1", "FORCELUN"},
                {"AFT PRO", "-IX CF", "FORCELUN"},
                {"Medion", "Flash XL  MMC/SD", "FORCELUN"},
                {"DGC", "RAID 5", "SPARSELUN"},
                {"Promise", "VTrak E610f", "SPARSELUN"},
                {"Promise", "", "SPARSELUN"},
                {"DELL", "PSEUDO DEVICE .", "SPARSELUN"},
                {"HP", "A6189A", "SPARSELUN LARGELUN"},
                {"EMC", "SYMMETRIX", "SPARSELUN LARGELUN REPORTLUN2"},
                {"COMPAQ", "ARRAY CONTROLLER", "SPARSELUN LARGELUN REPORTLUN2"},
                {"HPE", "OPEN-V", "REPORTLUN2"},
                {"easyRAID", "16P", "NOREPORTLUN"},
                {"WDC WD25", "00JB-00FUA0", "NOREPORTLUN"},
                {"SanDisk", "Cruzer Blade", "INQUIRY_36"},
                {"Generic", "USB SD Reader", "FORCELUN INQUIRY_36"},
                {"SMSC", "USB 2 HS-CF", "SPARSELUN INQUIRY_36"},
                /* Not in the table, or there for what does not concern a scan. */
                {"SYMMETRIX", "EMC", ""},
                {"EMC2", "SYMMETRIX", ""},
                {"emc", "SYMMETRIX", ""},
                {"DGC", "VRAID", ""},
                {"SUN", "Universal Xport", ""},
                {"SEAGATE", "ST900MM0006", ""},
                {"", "", ""},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                char buffer[POLICY_FLAGS_MAX];

                g_test_message("%s %s", table[i].vendor, table[i].model);
                g_assert_cmpstr(policy_quirk_flags(policy, table[i].vendor, table[i].model, NULL,
                                                   buffer, NULL),
                                ==, table[i].flags);
        }
}

static void test_merge(void) {
        _cleanup_(policy_freep) struct policy *policy =
                quirks_of("a.conf", "[Quirk one]\nVendor=ACME\nModel=Array*\nFlags=NOLUN LARGELUN\n"
                                    "[Quirk two]\nVendor=AC* !ACID\nModel=*5 *6\n"
                                    "Flags=-NOLUN -SPARSELUN\n  FORCELUN\n");

        check(policy, "ACME", "Array 4", NULL, "NOLUN LARGELUN", "one");
        check(policy, "ACME", "Array 4", "SPARSELUN", "NOLUN SPARSELUN LARGELUN", "one");
        check(policy, "ACME", "Array 5", NULL, "FORCELUN LARGELUN", "two");
        check(policy, "ACME", "Array 6", "SPARSELUN", "FORCELUN LARGELUN", "two");
        check(policy, "ACME", "5", "KEY SPARSELUN NOTQ\n", "FORCELUN", "two");
        check(policy, "ACID", "5", "KEY SPARSELUN NOTQ\n", "SPARSELUN", "");
        /* It matches, and changes nothing. */
        check(policy, "ACE", "5", "FORCELUN", "FORCELUN", "");
        check(policy, NULL, "5", "MAX5LUN", "MAX5LUN", "");
        check(policy, "ACME", NULL, "MAX5LUN", "MAX5LUN", "");
        check(policy, "X", "Y", "", "", "");
        check(policy, "X", "Y",
              "INQUIRY_36 NOREPORTLUN REPORTLUN2 LARGELUN MAX5LUN SPARSELUN FORCELUN NOLUN",
              "NOLUN FORCELUN SPARSELUN MAX5LUN LARGELUN REPORTLUN2 NOREPORTLUN INQUIRY_36", "");
        /* No flag is a part of another one's name. */
        check(policy, "X", "Y", "REPORTLUN NOLUNS XNOLUN", "", "");
}

/* What policy_scan_rules() makes of it. */
static void test_scan_rules(void) {
        _cleanup_(policy_freep) struct policy *policy =
                quirks_of("a.conf", "[Quirk one]\nVendor=ACME\nModel=*\nFlags=NOLUN\n"
                                    "[Quirk two]\nVendor=*\nModel=*\nFlags=-NOREPORTLUN\n");
        char buffer[POLICY_FLAGS_MAX];
        const char *flags;

        flags = policy_quirk_flags(policy, "ACME", "Array", "NOREPORTLUN", buffer, NULL);
        g_assert_cmpint(policy_scan_rules(6, flags).method, ==, SCAN_LUN_ZERO_ONLY);
        flags = policy_quirk_flags(policy, "Other", "Array", "NOREPORTLUN", buffer, NULL);
        g_assert_cmpint(policy_scan_rules(6, flags).method, ==, SCAN_REPORT_LUNS);
}

static void test_hosts(void) {
        _cleanup_(policy_freep) struct policy *policy =
                quirks_of("a.conf", "[Host all]\nDriver=lp* qla2xxx\nDiscovery=kernel\n"
                                    "[Host one]\nDriver=lpfc\nDiscovery=service\n"
                                    "[Host raid]\nDriver=hpsa\nDiscovery=driver\n");
        static const struct {
                const char *driver;
                bool kernel_scans;
                enum discovery discovery;
                const char *by;
        } table[] = {
                {"lpfc", true, DISCOVERY_SERVICE, "one"},
                {"lpxx", false, DISCOVERY_KERNEL, "all"},
                {"qla2xxx", false, DISCOVERY_KERNEL, "all"},
                {"hpsa", false, DISCOVERY_DRIVER, "raid"},
                {"uas", false, DISCOVERY_SERVICE, ""},
                {"uas", true, DISCOVERY_KERNEL, ""},
                {NULL, false, DISCOVERY_SERVICE, ""},
                {NULL, true, DISCOVERY_KERNEL, ""},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                const struct policy_rule *by;

                g_assert_cmpint(
                        policy_host_discovery(policy, table[i].driver, table[i].kernel_scans, &by),
                        ==, table[i].discovery);
                g_assert_cmpstr(by ? by->name : "", ==, table[i].by);
        }
        /* Sections of this file are no rules. */
        g_assert_cmpuint(policy_rule_count(policy), ==, 0);
}

/* The built-in copy is the file, but for what only people read. */
static void test_same_as_file(void) {
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;
        g_auto(GStrv) builtin = g_strsplit(policy_quirks_builtin, "\n", -1);
        size_t count = 0;

        g_assert_true(g_file_get_contents(SOURCE_ROOT "/policy/quirks.conf", &text, NULL, NULL));
        lines = g_strsplit(text, "\n", -1);
        g_assert_cmpuint(g_strv_length(lines), ==, g_strv_length(builtin));
        for (size_t i = 0; lines[i]; i++) {
                g_assert_cmpstr(lines[i][0] == '#' ? "" : lines[i], ==, builtin[i]);
                count += g_str_has_prefix(lines[i], "[Quirk ");
        }
        g_assert_cmpuint(count, >, 80);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/policy/quirk/builtin", test_builtin);
        g_test_add_func("/policy/quirk/merge", test_merge);
        g_test_add_func("/policy/quirk/scan-rules", test_scan_rules);
        g_test_add_func("/policy/quirk/hosts", test_hosts);
        g_test_add_func("/policy/quirk/same-as-file", test_same_as_file);
        return g_test_run();
}
