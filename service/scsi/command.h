/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The commands the service sends: all read-only, all in the kernel's scsi_cmd_allowed() list. */

#include <stdint.h>

#define SCSI_CDB_MAX 16

struct scsi_command {
        uint8_t cdb[SCSI_CDB_MAX];
        uint8_t cdb_length;
        uint32_t allocation_length; /* bytes asked of the device */
};

#define SCSI_TEST_UNIT_READY 0x00
#define SCSI_INQUIRY 0x12
#define SCSI_REPORT_LUNS 0xa0
#define SCSI_SERVICE_ACTION_IN 0x9e
#define SCSI_READ_CAPACITY_16 0x10 /* a service action of the above */

struct scsi_command scsi_command_test_unit_ready(void);
struct scsi_command scsi_command_inquiry(uint16_t allocation_length);
struct scsi_command scsi_command_inquiry_vpd(uint8_t page, uint16_t allocation_length);
/* SELECT REPORT 00h; allocation_length at least 16. */
struct scsi_command scsi_command_report_luns(uint32_t allocation_length);
struct scsi_command scsi_command_read_capacity(void);
