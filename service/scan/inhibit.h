/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where nothing is to be attached for the time being, because somebody asked for that: a table of
 * scopes, each under the id of the lease that holds it. It says so, and does nothing by itself;
 * when a lease ends, what it held back is asked again.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "scan/job.h"
#include "scan/scope.h"

struct planner;

struct inhibition {
        uint64_t id;
        struct scope scope;           /* an identity and a node stand for these: */
        struct scsi_address *devices; /* what they meant when the lease began; else NULL */
        size_t device_count;
        TAILQ_ENTRY(inhibition) entry;
};

TAILQ_HEAD(inhibition_list, inhibition);

/* An identity or a node means the devices that it has now: of what is not attached yet nobody knows
 * who it is. -ENOENT the scope names nothing, -EEXIST there is one with this id, -ENOMEM. */
int planner_inhibit(struct planner *planner, const struct scope *scope, uint64_t id);
/* One that began in an earlier run, with the devices that it meant then: nothing has to be there
 * yet. -EEXIST, -ENOMEM. */
int planner_inhibit_again(struct planner *planner, const struct scope *scope,
                          const struct scsi_address *devices, size_t count, uint64_t id);
/* NULL: there is none with this id. */
const struct inhibition *planner_inhibition(const struct planner *planner, uint64_t id);
/* -ENOENT no such id; else what came of asking what is not held back by others again. */
int planner_uninhibit(struct planner *planner, uint64_t id, struct scan_time now);
void planner_inhibit_free(struct planner *planner);

/* That LUN is not to be attached. */
bool planner_is_inhibited(const struct planner *planner, const struct scsi_target_address *target,
                          uint64_t lun);
/* Some LUN of the target is not, whichever: whatever is there may not be attached unseen. */
bool planner_is_inhibited_in_part(const struct planner *planner,
                                  const struct scsi_target_address *target);
