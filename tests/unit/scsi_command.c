/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scsi/command.h"
#include "tests/unit/scsi_support.h"

static void assert_command(struct scsi_command command, const uint8_t *cdb, size_t length,
                           uint32_t allocation_length) {
        static const uint8_t zeros[SCSI_CDB_MAX];

        g_assert_cmpuint(command.cdb_length, ==, length);
        g_assert_cmpmem(command.cdb, length, cdb, length);
        g_assert_cmpmem(command.cdb + length, SCSI_CDB_MAX - length, zeros, SCSI_CDB_MAX - length);
        g_assert_cmpuint(command.allocation_length, ==, allocation_length);
}

static void test_test_unit_ready(void) {
        static const uint8_t cdb[6] = {0};

        assert_command(scsi_command_test_unit_ready(), cdb, sizeof(cdb), 0);
}

static void test_inquiry(void) {
        static const uint8_t shortest[6] = {0x12, 0, 0, 0, 36}, longest[6] = {0x12, 0, 0, 255, 254};

        assert_command(scsi_command_inquiry(36), shortest, sizeof(shortest), 36);
        assert_command(scsi_command_inquiry(0xfffe), longest, sizeof(longest), 0xfffe);
}

static void test_inquiry_vpd(void) {
        static const uint8_t cdb[6] = {0x12, 1, 0x83, 0x10, 0x04};

        assert_command(scsi_command_inquiry_vpd(0x83, 0x1004), cdb, sizeof(cdb), 0x1004);
}

static void test_report_luns(void) {
        static const uint8_t shortest[12] = {0xa0, [9] = 16};
        static const uint8_t longest[12] = {0xa0, [6] = 0x00, 0x02, 0x00, 0x08};

        assert_command(scsi_command_report_luns(16), shortest, sizeof(shortest), 16);
        assert_command(scsi_command_report_luns(131080), longest, sizeof(longest), 131080);
}

static void test_report_luns_too_short(void) {
        if (g_test_subprocess()) {
                scsi_command_report_luns(15);
                return;
        }
        g_test_trap_subprocess(NULL, 0, 0);
        g_test_trap_assert_failed();
        g_test_trap_assert_stderr("*allocation_length*");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/scsi/command/test-unit-ready", test_test_unit_ready);
        g_test_add_func("/scsi/command/inquiry", test_inquiry);
        g_test_add_func("/scsi/command/inquiry-vpd", test_inquiry_vpd);
        g_test_add_func("/scsi/command/report-luns", test_report_luns);
        g_test_add_func("/scsi/command/report-luns-too-short", test_report_luns_too_short);
        return g_test_run();
}
