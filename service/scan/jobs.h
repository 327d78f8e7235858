/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The table of jobs. Work is done once for all who want it: each piece of it (a task) carries a
 * mask of the jobs it belongs to, and reports to all of them.
 */

#include "scan/job.h"
#include "util/cleanup.h"

/* A set of unfinished jobs, one bit for each slot. */
typedef uint64_t job_mask;

struct jobs;

struct jobs *jobs_new(void);
void jobs_free(struct jobs *jobs);

struct job_order {
        const struct scope *scope;
        const char *scope_text;
        enum job_operation operation;
        enum job_cause cause;
        uint32_t uid;
        bool verify;
        bool attach;
        bool remove;
        bool enforce;
        bool planned;
};

/* -EBUSY above a limit, -ENOMEM. The new job has no tasks yet: give it one at once. */
int jobs_add(struct jobs *jobs, const struct job_order *order, struct scan_time now,
             struct job **ret);
struct job *jobs_find(const struct jobs *jobs, uint64_t id);
const struct job_list *jobs_all(const struct jobs *jobs);

static inline job_mask job_bit(const struct job *job) {
        return UINT64_C(1) << job->slot;
}

/* One more task for each of them, and its end. A job ends with its last task. */
void jobs_task_begin(struct jobs *jobs, job_mask mask);
void jobs_task_end(struct jobs *jobs, job_mask mask, struct scan_time now);
/* Ends a task that only led to others: whether the job succeeds is for them to say. */
void jobs_task_leave(struct jobs *jobs, job_mask mask, struct scan_time now);
void jobs_task_fail(struct jobs *jobs, job_mask mask, enum job_error error, const char *message,
                    struct scan_time now);

/* Progress inside a task: so many steps more to do, so many done. */
void jobs_expect(struct jobs *jobs, job_mask mask, uint32_t steps);
void jobs_advance(struct jobs *jobs, job_mask mask, uint32_t steps);
void jobs_count(struct jobs *jobs, job_mask mask, enum summary_field field);

/* A step of what these jobs would do: see plan_add(). */
int jobs_plan(struct jobs *jobs, job_mask mask, enum plan_place place,
              const struct scsi_address *address, enum plan_action action, const char *reason,
              const char *identity);

/* Whether anybody still wants what these jobs asked for: true for none at all, false when all
 * of them were cancelled. */
bool jobs_want(const struct jobs *jobs, job_mask mask);
int jobs_cancel(struct jobs *jobs, uint64_t id, struct scan_time now);

const struct job *jobs_take_dirty(struct jobs *jobs);
bool jobs_expire(struct jobs *jobs, struct scan_time now, uint64_t *ret_id);
