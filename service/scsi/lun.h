/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Logical unit numbers (SAM-5 4.7): eight bytes, four two-byte levels, on the wire;
 * one integer in Linux (`scsilun_to_int()`, drivers/scsi/scsi_common.c): big-endian
 * 16-bit words, the first one lowest. Peripheral 5 is 5, flat 256 is 16640, the
 * REPORT LUNS well-known logical unit is 49409.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scsi_lun {
        uint8_t bytes[8];
};

#define SCSI_WLUN_REPORT_LUNS UINT64_C(49409)

/* "0x" and 16 digits, and a NUL. */
#define SCSI_LUN_HEX_MAX 19
/* Longest decimal of a 64-bit number, and a NUL. */
#define SCSI_LUN_TEXT_MAX 21

uint64_t scsi_lun_to_linux(const struct scsi_lun *lun);
struct scsi_lun scsi_lun_from_linux(uint64_t number);

/* Byte 0 is C1h: one of the well-known logical units (SAM-5 4.7.7.5.2). */
bool scsi_lun_is_well_known(uint64_t number);
/* The kernel's `scan` attribute takes at most 16 characters for the LUN (scsi_scan(),
 * drivers/scsi/scsi_sysfs.c): 56 bits as "0x%" PRIx64, while decimal ends at 10^16 - 1. */
bool scsi_lun_fits_scan(uint64_t number);

/* A LUN as people give it: Linux's decimal, or "0x" and exactly 16 hex digits (the eight
 * bytes). On -EINVAL, *reason (may be NULL) is a static sentence saying what is wrong. */
int scsi_lun_parse(const char *text, uint64_t *ret, const char **reason);
const char *scsi_lun_format(uint64_t number, char buffer[static SCSI_LUN_TEXT_MAX]);
const char *scsi_lun_format_hex(uint64_t number, char buffer[static SCSI_LUN_HEX_MAX]);
