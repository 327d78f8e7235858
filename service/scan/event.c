/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scan/event.h"

const char *unit_attention_name(enum unit_attention attention) {
        static const char *const names[ATTENTION_KINDS] = {
                [ATTENTION_NONE] = "",
                [ATTENTION_REPORTED_LUNS] = "reported-luns-data-has-changed",
                [ATTENTION_INQUIRY] = "inquiry-data-has-changed",
                [ATTENTION_CAPACITY] = "capacity-data-has-changed",
                [ATTENTION_ACCESS_STATE] = "asymmetric-access-state-changed",
                [ATTENTION_MODE_PARAMETERS] = "mode-parameters-changed",
                [ATTENTION_POWER_ON_RESET] = "power-on-reset-occurred",
                [ATTENTION_SOFT_THRESHOLD] = "thin-provisioning-soft-threshold-reached",
                [ATTENTION_MEDIA_CHANGE] = "media-change",
        };

        return names[attention];
}
