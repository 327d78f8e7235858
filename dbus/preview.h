/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What would follow if another policy held: for each device and each LUN that a target lists, from
 * what is known, without a command to anybody. It is what engine_set_policy() would do, as far as
 * the policy is the reason; LUNs of a target that was never asked are not known, so of one that is
 * ignored now and would not be any more it can only say that it would be asked.
 */

#include "scan/engine.h"

enum preview_action {
        PREVIEW_ATTACH,
        PREVIEW_DETACH,
        PREVIEW_QUARANTINE,
        PREVIEW_KEEP,    /* it would be detached or quarantined, but it is in use */
        PREVIEW_ASK,     /* it would be attached or asked first, and what comes of it decides */
        PREVIEW_RELEASE, /* it is quarantined, and accepted by a rule */
};

/* "attach", "detach", "quarantine", "keep", "ask"; static. */
const char *preview_action_name(enum preview_action action);

/* address: "3:0:1:5", or "3:0:1" for a target. A negative return ends it. */
typedef int (*preview_found)(const char *address, enum preview_action action, const char *reason,
                             void *userdata);

/* In the order of hosts, targets and LUNs as the topology has them; 0, or what `found` returned. */
int preview(const struct engine *engine, const struct policy *policy, preview_found found,
            void *userdata);
