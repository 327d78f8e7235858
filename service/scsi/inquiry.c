/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "scsi/inquiry.h"
#include "scsi/text.h"

#define STANDARD_LENGTH_MIN 36
#define TYPE_MASK 0x1f

int scsi_inquiry_decode(const uint8_t *data, size_t length, struct scsi_inquiry *ret) {
        if (length < STANDARD_LENGTH_MIN)
                return -EINVAL;

        *ret = (struct scsi_inquiry){
                .qualifier = data[0] >> 5,
                .type = data[0] & TYPE_MASK,
                .removable = data[1] & 0x80,
                .lu_congregation = data[1] & 0x40,
                .version = data[2],
                .tpgs = data[5] >> 4 & 3,
        };
        scsi_text_field(data + 8, 8, ret->vendor, sizeof(ret->vendor));
        scsi_text_field(data + 16, 16, ret->model, sizeof(ret->model));
        scsi_text_field(data + 32, 4, ret->revision, sizeof(ret->revision));
        return 0;
}

const char *scsi_type_name(uint8_t type) {
        static const char names[TYPE_MASK + 1][12] = {
                "disk",       "tape",      "printer",   "processor", "worm",      "cd",
                "type-0x06",  "optical",   "changer",   "type-0x09", "type-0x0a", "type-0x0b",
                "raid",       "enclosure", "rbc",       "type-0x0f", "type-0x10", "osd",
                "adc",        "type-0x13", "zbc",       "type-0x15", "type-0x16", "type-0x17",
                "type-0x18",  "type-0x19", "type-0x1a", "type-0x1b", "type-0x1c", "type-0x1d",
                "well-known", "none",
        };

        return names[type & TYPE_MASK];
}
