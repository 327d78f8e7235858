/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/plan.h"

const char *plan_action_name(enum plan_action action) {
        static const char *const names[PLAN_ACTIONS] = {
                [PLAN_TRY_IDS] = "try-ids",       [PLAN_CONTACT] = "contact",
                [PLAN_ATTACH] = "attach",         [PLAN_LOOK] = "attach-and-look",
                [PLAN_QUARANTINE] = "quarantine", [PLAN_COUNT_UP] = "count-up",
                [PLAN_LEAVE] = "leave",           [PLAN_KEEP] = "keep",
                [PLAN_READ_AGAIN] = "read-again", [PLAN_CONFIRM] = "confirm-gone",
                [PLAN_DETACH] = "detach",         [PLAN_STOP] = "stop",
                [PLAN_REATTACH] = "reattach",     [PLAN_NOTHING] = "nothing",
        };

        return names[action];
}

static int plan_grow(struct plan *plan) {
        size_t room = plan->room ? 2 * plan->room : 64;
        struct plan_step *steps;

        if (plan->count < plan->room)
                return 0;
        steps = reallocarray(plan->steps, room, sizeof(*steps));
        if (!steps)
                return -ENOMEM;
        plan->steps = steps;
        plan->room = room;
        return 0;
}

int plan_add(struct plan *plan, enum plan_place place, const struct scsi_address *address,
             enum plan_action action, const char *reason, const char *identity) {
        struct plan_step step = {.place = place, .address = *address, .action = action};

        if (plan->count >= PLAN_STEPS_MAX) {
                plan->full = true;
                return 0;
        }
        step.reason = strdup(reason);
        step.identity = strdup(identity ?: "");
        if (!step.reason || !step.identity || plan_grow(plan) < 0) {
                free(step.reason);
                free(step.identity);
                return -ENOMEM;
        }
        plan->steps[plan->count++] = step;
        return 0;
}

void plan_done(struct plan *plan) {
        for (size_t i = 0; i < plan->count; i++) {
                free(plan->steps[i].reason);
                free(plan->steps[i].identity);
        }
        free(plan->steps);
        *plan = (struct plan){};
}
