/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>

#include "policy/policy.h"
#include "util/cleanup.h"

/* As the quirks.conf says that is built in. */
static enum discovery discover(const char *driver, bool kernel_scans) {
        _cleanup_(policy_freep) struct policy *policy = policy_new(&policy_limits_default);
        struct policy_error error;

        g_assert_nonnull(policy);
        g_assert_cmpint(policy_parse(policy, POLICY_FILE_QUIRKS, policy_quirks_builtin_name,
                                     policy_quirks_builtin, &error),
                        ==, 0);
        return policy_host_discovery(policy, driver, kernel_scans, NULL);
}

static void test_known(void) {
        static const struct {
                const char *driver;
                enum discovery discovery;
        } table[] = {
                {"ahci", DISCOVERY_DRIVER},       {"ahci_platform", DISCOVERY_DRIVER},
                {"ahci-mvebu", DISCOVERY_DRIVER}, {"acard-ahci", DISCOVERY_DRIVER},
                {"ata_piix", DISCOVERY_DRIVER},   {"ata_generic", DISCOVERY_DRIVER},
                {"pata_amd", DISCOVERY_DRIVER},   {"sata_nv", DISCOVERY_DRIVER},
                {"pdc_adma", DISCOVERY_DRIVER},   {"hpsa", DISCOVERY_DRIVER},
                {"smartpqi", DISCOVERY_DRIVER},   {"aacraid", DISCOVERY_DRIVER},
                {"ipr", DISCOVERY_DRIVER},        {"tcm_loopback", DISCOVERY_DRIVER},
                {"ufshcd", DISCOVERY_DRIVER},     {"ufshcd-qcom", DISCOVERY_DRIVER},
                {"mpt2sas", DISCOVERY_KERNEL},    {"mpt3sas", DISCOVERY_KERNEL},
                {"mpi3mr", DISCOVERY_KERNEL},     {"hisi_sas_v3_hw", DISCOVERY_KERNEL},
                {"aic94xx", DISCOVERY_KERNEL},    {"pm80xx", DISCOVERY_KERNEL},
                {"pm8001", DISCOVERY_KERNEL},     {"mvsas", DISCOVERY_KERNEL},
                {"isci", DISCOVERY_KERNEL},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                g_test_message("%s", table[i].driver);
                g_assert_cmpint(discover(table[i].driver, false), ==, table[i].discovery);
                g_assert_cmpint(discover(table[i].driver, true), ==, table[i].discovery);
        }
}

static void test_ordinary(void) {
        static const char *const drivers[] = {
                "scsi_debug", "vmw_pvscsi", "virtio_scsi", "qla2xxx", "lpfc",         "iscsi_tcp",
                "uas",        "",           "(null)",      "hpsa2",   "xipr",         "mpt3sas_x",
                "AHCI",       "ata",        "usb-storage", "*",       "megaraid_sas",
        };

        for (size_t i = 0; i < ELEMENTS_OF(drivers); i++) {
                g_test_message("%s", drivers[i]);
                g_assert_cmpint(discover(drivers[i], false), ==, DISCOVERY_SERVICE);
                g_assert_cmpint(discover(drivers[i], true), ==, DISCOVERY_KERNEL);
        }
        g_assert_cmpint(discover(NULL, false), ==, DISCOVERY_SERVICE);
        g_assert_cmpint(discover(NULL, true), ==, DISCOVERY_KERNEL);
}

static void test_name(void) {
        g_assert_cmpstr(discovery_name(DISCOVERY_SERVICE), ==, "service");
        g_assert_cmpstr(discovery_name(DISCOVERY_KERNEL), ==, "kernel");
        g_assert_cmpstr(discovery_name(DISCOVERY_DRIVER), ==, "driver");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/policy/discovery/known", test_known);
        g_test_add_func("/policy/discovery/ordinary", test_ordinary);
        g_test_add_func("/policy/discovery/name", test_name);
        return g_test_run();
}
