/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The parameter data of REPORT LUNS (SPC-5 6.33), from a target that may lie about all of it. */

#include <stddef.h>
#include <stdint.h>

#include "scsi/lun.h"

/* More logical units than this from one target are not believed. */
#define SCSI_REPORT_LUNS_MAX 16384
#define SCSI_REPORT_LUNS_HEADER 8
#define SCSI_REPORT_LUNS_BYTES_MAX (SCSI_REPORT_LUNS_HEADER + 8 * SCSI_REPORT_LUNS_MAX)

struct scsi_lun_list {
        uint64_t *luns; /* Linux numbers, ascending, each once; owned */
        size_t count;
        uint32_t skipped;    /* entries left out: "not specified" (FFh..) and repeats */
        size_t wanted_bytes; /* buffer for the whole list; > what was given: ask again with it */
};

/* Trusts the lesser of LUN LIST LENGTH and what was transferred, rounded down to whole entries.
 * -EINVAL: fewer than 8 bytes. -E2BIG: the target claims more than SCSI_REPORT_LUNS_MAX. -ENOMEM.
 * On errors, *ret is left alone. */
int scsi_report_luns_decode(const uint8_t *data, size_t length, struct scsi_lun_list *ret);
void scsi_lun_list_done(struct scsi_lun_list *list);
