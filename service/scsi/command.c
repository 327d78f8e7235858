/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>

#include <scsi/sg_unaligned.h>

#include "scsi/capacity.h"
#include "scsi/command.h"

#define INQUIRY_EVPD 0x01
#define REPORT_LUNS_ALLOCATION_MIN 16

struct scsi_command scsi_command_test_unit_ready(void) {
        return (struct scsi_command){.cdb = {SCSI_TEST_UNIT_READY}, .cdb_length = 6};
}

struct scsi_command scsi_command_inquiry(uint16_t allocation_length) {
        struct scsi_command command = {
                .cdb = {SCSI_INQUIRY},
                .cdb_length = 6,
                .allocation_length = allocation_length,
        };

        sg_put_unaligned_be16(allocation_length, command.cdb + 3);
        return command;
}

struct scsi_command scsi_command_inquiry_vpd(uint8_t page, uint16_t allocation_length) {
        struct scsi_command command = scsi_command_inquiry(allocation_length);

        command.cdb[1] = INQUIRY_EVPD;
        command.cdb[2] = page;
        return command;
}

struct scsi_command scsi_command_report_luns(uint32_t allocation_length) {
        struct scsi_command command = {
                .cdb = {SCSI_REPORT_LUNS},
                .cdb_length = 12,
                .allocation_length = allocation_length,
        };

        /* Many devices refuse less, whatever SPC says of truncation. */
        assert(allocation_length >= REPORT_LUNS_ALLOCATION_MIN);

        sg_put_unaligned_be32(allocation_length, command.cdb + 6);
        return command;
}

struct scsi_command scsi_command_read_capacity(void) {
        struct scsi_command command = {
                .cdb = {SCSI_SERVICE_ACTION_IN, SCSI_READ_CAPACITY_16},
                .cdb_length = 16,
                .allocation_length = SCSI_CAPACITY_BYTES,
        };

        sg_put_unaligned_be32(SCSI_CAPACITY_BYTES, command.cdb + 10);
        return command;
}
