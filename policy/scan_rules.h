/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How a target is scanned: the counterpart of the kernel's scan flags (scsi_report_lun_scan() and
 * scsi_sequential_lun_scan(), drivers/scsi/scsi_scan.c; BLIST_*, include/scsi/scsi_devinfo.h). An
 * attach of a single LUN bypasses them, so whoever attaches single LUNs has to honour them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scan_method {
        SCAN_REPORT_LUNS,
        SCAN_SEQUENTIAL,    /* attach LUN 0, 1, 2 ... one by one */
        SCAN_LUN_ZERO_ONLY, /* leave every other LUN alone */
};

struct scan_rules {
        enum scan_method method;
        uint64_t sequential_end; /* SCAN_SEQUENTIAL: first LUN not tried, 1..256; else 0 */
        bool sparse;             /* SCAN_SEQUENTIAL: do not stop at the first gap */
        const char *reason;      /* a sentence; static */
};

/* From what sysfs says of the device through which the target is reached. scsi_level is sysfs's
 * spelling: 0 unknown, SCSI-2 is 3, SPC (SCSI-3) is 4. blacklist: sysfs `blacklist`, names of flags
 * without "BLIST_", separated by blanks; may be NULL or empty; other flags are ignored. */
struct scan_rules policy_scan_rules(int scsi_level, const char *blacklist);

/* The same once REPORT LUNS turned out not to be supported: never SCAN_REPORT_LUNS. */
struct scan_rules policy_scan_rules_sequential(int scsi_level, const char *blacklist);

/* LUNs to try, in this order, for a foothold on a target where nothing is attached. LUN 0 must
 * answer REPORT LUNS where it exists, and so must the well-known logical unit (SPC-5 6.33); where
 * an array provides neither, many answer on any LUN. */
extern const uint64_t policy_contact_luns[];
extern const size_t policy_contact_luns_count;

/* Bounds on what one scan may do. */
struct policy_limits {
        bool wildcard;                /* the kernel's own scan of a target may be the last resort */
        uint32_t channels_max;        /* channels of a host that are tried */
        uint32_t ids_per_channel_max; /* target ids of a channel that are tried */
        uint32_t command_timeout_ms;  /* for one command to a device */
        uint32_t attach_deadline_ms;  /* for one attach; past it the host counts as stuck */
        uint32_t retries;             /* of one command, after a unit attention, BUSY or timeout */
        uint32_t attention_pause_ms;  /* the longest that 3F/0E waits before its target is asked
                                         again */
        uint32_t attention_pause_max_ms; /* the same for attentions that may mean anything */
        uint32_t poll_interval_ms; /* a silent target is asked that often; 0: never. Grows fourfold
                                      while nothing comes of it */
        uint32_t confirm_ms;       /* between the two times that a unit has to say it is gone */
        bool remove_missing;       /* detach what is gone and unused */
        bool reattach_replaced;    /* detach what was replaced and is unused, and attach it anew */
};

extern const struct policy_limits policy_limits_default;
