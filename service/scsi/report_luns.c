/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <scsi/sg_unaligned.h>

#include "scsi/report_luns.h"
#include "util/cleanup.h"

static int number_compare(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

/* FFh: extended addressing, "logical unit not specified" (SAM-5 4.7.7.5.5). */
static bool lun_is_specified(const struct scsi_lun *lun) {
        return lun->bytes[0] != 0xff;
}

static size_t luns_read(const uint8_t *data, size_t entries, uint64_t *luns) {
        size_t count = 0;

        for (size_t i = 0; i < entries; i++) {
                struct scsi_lun lun;

                memcpy(lun.bytes, data + SCSI_REPORT_LUNS_HEADER + sizeof(lun.bytes) * i,
                       sizeof(lun.bytes));
                if (lun_is_specified(&lun))
                        luns[count++] = scsi_lun_to_linux(&lun);
        }
        return count;
}

/* Sorts, keeps the first of equal ones, returns how many are left. */
static size_t luns_unique(uint64_t *luns, size_t count) {
        size_t kept = 0;

        if (count == 0)
                return 0;

        qsort(luns, count, sizeof(*luns), number_compare);
        for (size_t i = 1; i < count; i++)
                if (luns[i] != luns[kept])
                        luns[++kept] = luns[i];
        return kept + 1;
}

/* By halves: sg_get_unaligned_be32() of libsgutils2 1.46 shifts a byte into the sign bit. */
static uint32_t list_length(const uint8_t *data) {
        return (uint32_t)sg_get_unaligned_be16(data) << 16 | sg_get_unaligned_be16(data + 2);
}

int scsi_report_luns_decode(const uint8_t *data, size_t length, struct scsi_lun_list *ret) {
        _cleanup_(freep) uint64_t *luns = NULL;
        size_t claimed, entries, count = 0;

        if (length < SCSI_REPORT_LUNS_HEADER)
                return -EINVAL;

        claimed = list_length(data) / sizeof(struct scsi_lun);
        if (claimed > SCSI_REPORT_LUNS_MAX)
                return -E2BIG;

        entries = (length - SCSI_REPORT_LUNS_HEADER) / sizeof(struct scsi_lun);
        if (entries > claimed)
                entries = claimed;

        if (entries > 0) {
                luns = calloc(entries, sizeof(*luns));
                if (!luns)
                        return -ENOMEM;
                count = luns_unique(luns, luns_read(data, entries, luns));
        }

        *ret = (struct scsi_lun_list){
                .luns = TAKE_PTR(luns),
                .count = count,
                .skipped = (uint32_t)(entries - count),
                .wanted_bytes = SCSI_REPORT_LUNS_HEADER + claimed * sizeof(struct scsi_lun),
        };
        return 0;
}

void scsi_lun_list_done(struct scsi_lun_list *list) {
        if (!list)
                return;
        free(list->luns);
        *list = (struct scsi_lun_list){};
}
