/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Standard INQUIRY data (SPC-5 6.7.2) and the names of its device types. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCSI_TYPE_UNKNOWN 0x1f
#define SCSI_TYPE_WELL_KNOWN 0x1e

struct scsi_inquiry {
        uint8_t qualifier; /* 0 connected, 1 not connected now, 3 no logical unit here */
        uint8_t type;      /* peripheral device type, 00h..1Fh */
        uint8_t version;
        uint8_t tpgs;
        bool removable;
        bool lu_congregation;
        char vendor[9];
        char model[17];
        char revision[5];
};

/* -EINVAL when fewer than 36 bytes are there. */
int scsi_inquiry_decode(const uint8_t *data, size_t length, struct scsi_inquiry *ret);

/* "disk", "tape", "printer", "processor", "worm", "cd", "optical", "changer", "raid", "enclosure",
 * "rbc", "osd", "adc", "zbc", "well-known", "none" (1Fh), else "type-0x%02x": words a program can
 * match, static. The type is five bits (SPC-5 6.7.2); others are ignored. */
const char *scsi_type_name(uint8_t type);
