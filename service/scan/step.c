/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "scan/step.h"

const char *step_kind_name(enum step_kind kind) {
        static const char *const names[] = {
                [STEP_LIST] = "list",
                [STEP_READ_HOST] = "read-host",
                [STEP_READ_DEVICE] = "read-device",
                [STEP_ATTACH] = "attach",
                [STEP_SCAN_TARGET] = "scan-target",
                [STEP_REPORT_LUNS] = "report-luns",
                [STEP_READ_IDENTITY] = "read-identity",
                [STEP_READ_SERIAL] = "read-serial",
                [STEP_READ_CAPACITY] = "read-capacity",
                [STEP_INQUIRE] = "inquire",
                [STEP_PROBE] = "probe",
                [STEP_DETACH] = "detach",
                [STEP_REFRESH] = "refresh",
                [STEP_SET_STATE] = "set-state",
                [STEP_SET_KERNEL_SCAN] = "set-kernel-scan",
        };

        return names[kind];
}

bool step_kind_writes(enum step_kind kind) {
        return kind == STEP_ATTACH || kind == STEP_SCAN_TARGET || kind == STEP_DETACH;
}

bool step_kind_is_long(enum step_kind kind) {
        return step_kind_writes(kind) || kind == STEP_REFRESH || kind == STEP_SET_STATE;
}

const char *observed_name(enum observed observed) {
        static const char *const names[] = {
                [OBSERVED_GOOD] = "good",
                [OBSERVED_GONE] = "gone",
                [OBSERVED_NOT_ATTACHED] = "not-attached",
                [OBSERVED_IN_USE] = "in-use",
                [OBSERVED_OUT_OF_RANGE] = "out-of-range",
                [OBSERVED_DEVICE] = "device",
                [OBSERVED_ERROR] = "error",
                [OBSERVED_LOST] = "lost",
                [OBSERVED_STUCK] = "stuck",
        };

        return names[observed];
}

static void inventory_done(struct inventory *inventory) {
        free(inventory->hosts);
        free(inventory->devices);
        *inventory = (struct inventory){};
}

void observation_done(struct observation *observation) {
        if (observation->observed != OBSERVED_GOOD)
                return;
        switch (observation->step.kind) {
        case STEP_LIST:
                inventory_done(&observation->inventory);
                break;
        case STEP_READ_HOST:
                host_facts_done(&observation->host);
                break;
        case STEP_READ_DEVICE:
        case STEP_ATTACH:
        case STEP_REFRESH:
        case STEP_SET_STATE:
                device_facts_done(&observation->device);
                break;
        case STEP_REPORT_LUNS:
                scsi_lun_list_done(&observation->luns);
                break;
        case STEP_READ_IDENTITY:
                scsi_identity_done(&observation->identity);
                break;
        case STEP_SCAN_TARGET:
        case STEP_READ_SERIAL:
        case STEP_READ_CAPACITY:
        case STEP_INQUIRE:
        case STEP_PROBE:
        case STEP_DETACH:
        case STEP_SET_KERNEL_SCAN:
        case STEP_KINDS:
                break;
        }
}
