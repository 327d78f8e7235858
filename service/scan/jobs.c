/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/jobs.h"
#include "util/share.h"

struct jobs {
        struct job_list all;
        struct job_list dirty;
        struct job_list ended;
        size_t own_ended; /* of those that nobody asked for */
        struct job *by_id;
        struct job *slots[JOBS_ACTIVE_MAX];
        uint64_t next_id;
};

const char *job_cause_name(enum job_cause cause) {
        static const char *const names[CAUSE_KINDS] = {
                [CAUSE_REQUEST] = "request",
                [CAUSE_UEVENT] = "uevent",
                [CAUSE_UNIT_ATTENTION] = "unit-attention",
                [CAUSE_POLL] = "poll",
                [CAUSE_RESYNC] = "resync",
                [CAUSE_BOOT] = "boot",
        };

        return names[cause];
}

const char *job_operation_name(enum job_operation operation) {
        static const char *const names[JOB_OPERATIONS] = {
                [JOB_SCAN] = "scan",
                [JOB_ATTACH] = "attach",
                [JOB_DETACH] = "detach",
                [JOB_REFRESH] = "refresh",
                [JOB_ACCEPT] = "accept-replacement",
                [JOB_PLAN] = "plan",
        };

        return names[operation];
}

const char *job_state_name(enum job_state state) {
        static const char *const names[JOB_STATES] = {
                [JOB_QUEUED] = "queued", [JOB_RUNNING] = "running",     [JOB_DONE] = "done",
                [JOB_FAILED] = "failed", [JOB_CANCELLED] = "cancelled",
        };

        return names[state];
}

const char *summary_field_name(enum summary_field field) {
        static const char *const names[SUMMARY_FIELDS] = {
                [SUMMARY_ATTACHED] = "attached", [SUMMARY_DETACHED] = "detached",
                [SUMMARY_CHANGED] = "changed",   [SUMMARY_UNCHANGED] = "unchanged",
                [SUMMARY_FAILED] = "failed",     [SUMMARY_SKIPPED] = "skipped",
        };

        return names[field];
}

struct jobs *jobs_new(void) {
        struct jobs *jobs = calloc(1, sizeof(*jobs));

        if (jobs) {
                TAILQ_INIT(&jobs->all);
                TAILQ_INIT(&jobs->dirty);
                TAILQ_INIT(&jobs->ended);
                jobs->next_id = 1;
        }
        return jobs;
}

static void job_free(struct job *job) {
        if (!job)
                return;
        scope_done(&job->scope);
        free(job->scope_text);
        plan_done(&job->plan);
        free(job);
}

void jobs_free(struct jobs *jobs) {
        struct job *job;

        if (!jobs)
                return;
        HASH_CLEAR(hh, jobs->by_id);
        while ((job = TAILQ_FIRST(&jobs->all))) {
                TAILQ_REMOVE(&jobs->all, job, entry);
                job_free(job);
        }
        free(jobs);
}

static void job_touch(struct jobs *jobs, struct job *job) {
        double progress = job->steps_total > 0 ? (double)job->steps_done / job->steps_total : 0;

        if (progress > job->progress)
                job->progress = progress < 1 ? progress : 1;
        if (job->dirty)
                return;
        job->dirty = true;
        TAILQ_INSERT_TAIL(&jobs->dirty, job, dirty_entry);
}

/* ---- beginning ---- */

static int slot_find(const struct jobs *jobs) {
        for (int i = 0; i < JOBS_ACTIVE_MAX; i++)
                if (!jobs->slots[i])
                        return i;
        return -EBUSY;
}

/* What somebody asked for counts as his, unfinished and finished. */
static bool has_room(const struct jobs *jobs, uint32_t uid) {
        static const struct share share_active = {.user = JOBS_ACTIVE_PER_USER_MAX,
                                                  .users = JOBS_ACTIVE_USERS_MAX,
                                                  .root = JOBS_ACTIVE_ROOT_MAX};
        static const struct share share_kept = {.user = JOBS_KEPT_PER_USER_MAX,
                                                .users = JOBS_KEPT_USERS_MAX,
                                                .root = JOBS_KEPT_ROOT_MAX};
        struct share_use active = {}, kept = {};
        const struct job *job;

        for (int i = 0; i < JOBS_ACTIVE_MAX; i++)
                if (jobs->slots[i] && jobs->slots[i]->cause == CAUSE_REQUEST)
                        share_count(&active, jobs->slots[i]->uid, uid);
        TAILQ_FOREACH (job, &jobs->ended, ended_entry)
                if (job->cause == CAUSE_REQUEST)
                        share_count(&kept, job->uid, uid);
        return share_has_room(&share_active, &active, uid) &&
               share_has_room(&share_kept, &kept, uid);
}

int jobs_add(struct jobs *jobs, const struct job_order *order, struct scan_time now,
             struct job **ret) {
        int slot = slot_find(jobs);
        struct job *job;

        if (slot < 0 || (order->cause == CAUSE_REQUEST && !has_room(jobs, order->uid)))
                return -EBUSY;
        job = calloc(1, sizeof(*job));
        if (!job)
                return -ENOMEM;
        job->scope_text = strdup(order->scope_text);
        if (!job->scope_text || scope_copy(order->scope, &job->scope) < 0) {
                job_free(job);
                return -ENOMEM;
        }
        job->id = jobs->next_id++;
        job->slot = slot;
        job->operation = order->operation;
        job->cause = order->cause;
        job->uid = order->uid;
        job->verify = order->verify;
        job->attach = order->attach;
        job->remove = order->remove;
        job->enforce = order->enforce;
        job->planned = order->planned;
        job->started = now.realtime;
        jobs->slots[slot] = job;
        TAILQ_INSERT_TAIL(&jobs->all, job, entry);
        HASH_ADD(hh, jobs->by_id, id, sizeof(job->id), job);
        job_touch(jobs, job);
        *ret = job;
        return 0;
}

struct job *jobs_find(const struct jobs *jobs, uint64_t id) {
        struct job *job;

        HASH_FIND(hh, jobs->by_id, &id, sizeof(id), job);
        return job;
}

const struct job_list *jobs_all(const struct jobs *jobs) {
        return &jobs->all;
}

/* ---- working ---- */

/* The next job of the mask, taking its bit away; NULL when the mask is empty. */
static struct job *mask_pop(const struct jobs *jobs, job_mask *mask) {
        int slot;

        if (*mask == 0)
                return NULL;
        slot = __builtin_ctzll(*mask);
        *mask &= *mask - 1;
        assert(jobs->slots[slot]);
        return jobs->slots[slot];
}

static void job_end(struct jobs *jobs, struct job *job, enum job_state state,
                    struct scan_time now) {
        job->state = state;
        job->ended = now.monotonic;
        if (state != JOB_CANCELLED)
                job->steps_done = job->steps_total; /* two steps may have become one */
        TAILQ_INSERT_TAIL(&jobs->ended, job, ended_entry);
        jobs->own_ended += job->cause != CAUSE_REQUEST;
        job_touch(jobs, job);
}

/* A cancelled job keeps its slot until the last task has let go of it: its bit is in their masks.
 */
static void slot_release(struct jobs *jobs, struct job *job) {
        jobs->slots[job->slot] = NULL;
        job->slot = -1;
}

void jobs_task_begin(struct jobs *jobs, job_mask mask) {
        struct job *job;

        while ((job = mask_pop(jobs, &mask))) {
                job->outstanding++;
                job->steps_total++;
                if (job->state == JOB_QUEUED)
                        job->state = JOB_RUNNING;
                job_touch(jobs, job);
        }
}

static void task_over(struct jobs *jobs, struct job *job, struct scan_time now) {
        assert(job->outstanding > 0);
        job->outstanding--;
        if (!job_is_finished(job)) {
                job->steps_done++;
                job_touch(jobs, job);
        }
        if (job->outstanding > 0)
                return;
        if (!job_is_finished(job))
                job_end(jobs, job,
                        job->error != JOB_ERROR_NONE && job->succeeded == 0 ? JOB_FAILED : JOB_DONE,
                        now);
        slot_release(jobs, job);
}

void jobs_task_end(struct jobs *jobs, job_mask mask, struct scan_time now) {
        struct job *job;

        while ((job = mask_pop(jobs, &mask))) {
                job->succeeded++;
                task_over(jobs, job, now);
        }
}

void jobs_task_leave(struct jobs *jobs, job_mask mask, struct scan_time now) {
        struct job *job;

        while ((job = mask_pop(jobs, &mask)))
                task_over(jobs, job, now);
}

static void fail_first(struct job *job, enum job_error error, const char *message) {
        if (job->error != JOB_ERROR_NONE)
                return;
        job->error = error;
        strncpy(job->message, message, sizeof(job->message) - 1);
}

void jobs_task_fail(struct jobs *jobs, job_mask mask, enum job_error error, const char *message,
                    struct scan_time now) {
        struct job *job;

        while ((job = mask_pop(jobs, &mask))) {
                if (!job_is_finished(job)) {
                        job->summary[SUMMARY_FAILED]++;
                        fail_first(job, error, message);
                }
                task_over(jobs, job, now);
        }
}

void jobs_expect(struct jobs *jobs, job_mask mask, uint32_t steps) {
        struct job *job;

        while ((job = mask_pop(jobs, &mask)))
                if (!job_is_finished(job)) {
                        job->steps_total += steps;
                        job_touch(jobs, job);
                }
}

void jobs_advance(struct jobs *jobs, job_mask mask, uint32_t steps) {
        struct job *job;

        while ((job = mask_pop(jobs, &mask))) {
                if (job_is_finished(job))
                        continue;
                job->steps_done += steps;
                job_touch(jobs, job);
        }
}

int jobs_plan(struct jobs *jobs, job_mask mask, enum plan_place place,
              const struct scsi_address *address, enum plan_action action, const char *reason,
              const char *identity) {
        struct job *job;
        int r = 0, q;

        while ((job = mask_pop(jobs, &mask))) {
                q = plan_add(&job->plan, place, address, action, reason, identity);
                r = r < 0 ? r : q;
        }
        return r;
}

void jobs_count(struct jobs *jobs, job_mask mask, enum summary_field field) {
        struct job *job;

        while ((job = mask_pop(jobs, &mask)))
                if (!job_is_finished(job)) {
                        job->summary[field]++;
                        job_touch(jobs, job);
                }
}

/* ---- ending ---- */

bool jobs_want(const struct jobs *jobs, job_mask mask) {
        struct job *job;

        if (mask == 0)
                return true;
        while ((job = mask_pop(jobs, &mask)))
                if (!job_is_finished(job))
                        return true;
        return false;
}

int jobs_cancel(struct jobs *jobs, uint64_t id, struct scan_time now) {
        struct job *job = jobs_find(jobs, id);

        if (!job)
                return -ENOENT;
        if (job_is_finished(job))
                return -EALREADY;
        strncpy(job->message, "cancelled", sizeof(job->message) - 1);
        job_end(jobs, job, JOB_CANCELLED, now);
        return 0;
}

const struct job *jobs_take_dirty(struct jobs *jobs) {
        struct job *job = TAILQ_FIRST(&jobs->dirty);

        if (job) {
                TAILQ_REMOVE(&jobs->dirty, job, dirty_entry);
                job->dirty = false;
        }
        return job;
}

bool jobs_expire(struct jobs *jobs, struct scan_time now, uint64_t *ret_id) {
        bool many = jobs->own_ended > JOBS_KEPT_OWN_MAX;
        struct job *job;

        /* One whose end was not taken yet, or whose tasks still carry its bit, stays. */
        TAILQ_FOREACH (job, &jobs->ended, ended_entry) {
                bool old = now.monotonic - job->ended >= JOB_KEPT_USEC;

                if (!old && !many)
                        return false; /* nor are those that ended later */
                if (!job->dirty && job->slot < 0 && (old || job->cause != CAUSE_REQUEST))
                        break;
        }
        if (!job)
                return false;
        TAILQ_REMOVE(&jobs->ended, job, ended_entry);
        jobs->own_ended -= job->cause != CAUSE_REQUEST;
        TAILQ_REMOVE(&jobs->all, job, entry);
        HASH_DEL(jobs->by_id, job);
        *ret_id = job->id;
        job_free(job);
        return true;
}
