/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "policy/scan_rules.h"
#include "scsi/lun.h"
#include "util/cleanup.h"

/* scsi_device.scsi_level, include/scsi/scsi.h */
#define LEVEL_UNKNOWN 0
#define LEVEL_SCSI_2 3
#define LEVEL_SCSI_3 4

#define MAX5LUN_END 5
#define NARROW_END 8 /* three LUN bits in byte 1 of a SCSI-2 CDB */
#define WIDE_END 256 /* a peripheral LUN is one byte */

/* LUN 0 and 1..3: mapping starts at 1 on many arrays that keep LUN 0 for themselves. */
const uint64_t policy_contact_luns[] = {0, SCSI_WLUN_REPORT_LUNS, 1, 2, 3};
const size_t policy_contact_luns_count = ELEMENTS_OF(policy_contact_luns);

const struct policy_limits policy_limits_default = {
        .wildcard = true,
        .channels_max = 8,
        .ids_per_channel_max = 256,
        .command_timeout_ms = 10000,
        .attach_deadline_ms = 60000,
        .retries = 5,
        .attention_pause_ms = 1000,
        .attention_pause_max_ms = 60000,
        .poll_interval_ms = 60000,
        .confirm_ms = 500,
        .remove_missing = true,
        .reattach_replaced = true,
};

static bool flags_contain(const char *flags, const char *name) {
        static const char blanks[] = " \t\n";
        size_t length = strlen(name);

        if (!flags)
                return false;

        for (flags += strspn(flags, blanks); *flags; flags += strspn(flags, blanks)) {
                size_t word = strcspn(flags, blanks);

                if (word == length && memcmp(flags, name, length) == 0)
                        return true;
                flags += word;
        }
        return false;
}

static struct scan_rules rules_lun_zero_only(void) {
        return (struct scan_rules){
                .method = SCAN_LUN_ZERO_ONLY,
                .reason = "the kernel's NOLUN flag says that this device bears no LUN but 0",
        };
}

/* The kernel raises its limit to the host's max_lun for SPARSELUN and FORCELUN first, and then
 * takes the lesser of it and 8 or 256 in any case. So neither flag moves the end, and 256 is one
 * anyway: Linux's LUN 256 would be bus 1, LUN 0 of the peripheral addressing method
 * (SAM-5 4.7.7.2). */
static uint64_t sequential_end(int scsi_level, const char *blacklist) {
        if (flags_contain(blacklist, "MAX5LUN"))
                return MAX5LUN_END;
        if (scsi_level < LEVEL_SCSI_3 && !flags_contain(blacklist, "LARGELUN"))
                return NARROW_END;
        return WIDE_END;
}

static struct scan_rules rules_sequential(int scsi_level, const char *blacklist,
                                          const char *reason) {
        return (struct scan_rules){
                .method = SCAN_SEQUENTIAL,
                .sequential_end = sequential_end(scsi_level, blacklist),
                .sparse = flags_contain(blacklist, "SPARSELUN"),
                .reason = reason,
        };
}

/* Why REPORT LUNS is not to be sent, or NULL. As in the kernel, an unknown level counts as older
 * than SCSI-3 but not as older than SCSI-2. */
static const char *report_luns_obstacle(int scsi_level, const char *blacklist) {
        if (flags_contain(blacklist, "NOREPORTLUN"))
                return "the kernel's NOREPORTLUN flag says not to send REPORT LUNS to this device";
        if (scsi_level < LEVEL_SCSI_2 && scsi_level != LEVEL_UNKNOWN)
                return "the device is older than SCSI-2, which has no REPORT LUNS";
        if (scsi_level < LEVEL_SCSI_3 && !flags_contain(blacklist, "REPORTLUN2"))
                return "the device is older than SCSI-3 and not known to support REPORT LUNS";
        return NULL;
}

struct scan_rules policy_scan_rules(int scsi_level, const char *blacklist) {
        const char *obstacle = report_luns_obstacle(scsi_level, blacklist);

        /* First of all: such a device may lock up at any other LUN. The kernel asks later, so that
         * its NOLUN does not hold for a device older than SCSI-3. */
        if (flags_contain(blacklist, "NOLUN"))
                return rules_lun_zero_only();
        if (obstacle)
                return rules_sequential(scsi_level, blacklist, obstacle);

        return (struct scan_rules){
                .method = SCAN_REPORT_LUNS,
                .reason = "the target is asked with REPORT LUNS",
        };
}

struct scan_rules policy_scan_rules_sequential(int scsi_level, const char *blacklist) {
        if (flags_contain(blacklist, "NOLUN"))
                return rules_lun_zero_only();
        return rules_sequential(scsi_level, blacklist, "the target does not support REPORT LUNS");
}
