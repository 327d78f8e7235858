/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A job is one asynchronous piece of work that somebody can watch: a request, or what the service
 * does by itself because of a uevent, a resync or its own start.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uthash.h>

#include "scan/plan.h"
#include "scan/scope.h"

/* Unfinished at once: a job is a bit in a 64-bit mask. Of one user, of all users but root, and of
 * root; the rest is left to the service's own. */
#define JOBS_ACTIVE_MAX 64
#define JOBS_ACTIVE_PER_USER_MAX 8
#define JOBS_ACTIVE_USERS_MAX 48
#define JOBS_ACTIVE_ROOT_MAX 8
/* Finished ones are kept this long, µs. Who has so many kept is refused the next request; of the
 * service's own, what ended beyond them goes at once. */
#define JOB_KEPT_USEC UINT64_C(60000000)
#define JOBS_KEPT_PER_USER_MAX 512
#define JOBS_KEPT_USERS_MAX 2048
#define JOBS_KEPT_ROOT_MAX 2048
#define JOBS_KEPT_OWN_MAX 512

enum job_cause {
        CAUSE_REQUEST,
        CAUSE_UEVENT,
        CAUSE_UNIT_ATTENTION,
        CAUSE_POLL,
        CAUSE_RESYNC,
        CAUSE_BOOT,
        CAUSE_KINDS
};

const char *job_cause_name(enum job_cause cause);

enum job_operation {
        JOB_SCAN,
        JOB_ATTACH,
        JOB_DETACH,
        JOB_REFRESH,
        JOB_ACCEPT,
        JOB_PLAN, /* says what a scan would do, and does nothing */
        JOB_OPERATIONS
};

/* The contract's word: "scan", "attach", ... "accept-replacement". */
const char *job_operation_name(enum job_operation operation);

enum job_state {
        JOB_QUEUED,
        JOB_RUNNING,
        JOB_DONE,
        JOB_FAILED,
        JOB_CANCELLED,
        JOB_STATES
};

const char *job_state_name(enum job_state state);

enum summary_field {
        SUMMARY_ATTACHED,
        SUMMARY_DETACHED,
        SUMMARY_CHANGED,
        SUMMARY_UNCHANGED,
        SUMMARY_FAILED,
        SUMMARY_SKIPPED,
        SUMMARY_FIELDS
};

/* Why a job failed. */
enum job_error {
        JOB_ERROR_NONE,
        JOB_ERROR_FAILED,
        JOB_ERROR_HOST_STUCK,
        JOB_ERROR_DEVICE_TIMEOUT,
        JOB_ERROR_IN_USE,
        JOB_ERROR_IDENTITY_MISMATCH,
        JOB_ERROR_NOT_REPORTED,
        JOB_ERROR_NOT_FOUND,
        JOB_ERROR_REFUSED, /* by the policy */
        JOB_ERROR_INHIBITED,
        JOB_ERROR_STALE_PLAN,
};

const char *summary_field_name(enum summary_field field);

/* A point in time, as the shell passes it in: both in µs. */
struct scan_time {
        uint64_t realtime;
        uint64_t monotonic;
};

struct job {
        uint64_t id;
        int slot; /* its bit while it is active, else -1 */
        struct scope scope;
        char *scope_text; /* as it was asked for; owned */
        enum job_operation operation;
        enum job_cause cause;
        enum job_state state;
        uint32_t uid;
        bool verify;      /* read identities live */
        bool attach;      /* may attach what is new */
        bool remove;      /* may detach what is gone and unused */
        bool enforce;     /* and what the policy ignores */
        bool planned;     /* only what was planned */
        uint64_t started; /* µs, realtime */
        uint64_t ended;   /* µs, monotonic; 0 while it runs */
        uint32_t steps_done;
        uint32_t steps_total;
        double progress;      /* 0 to 1; steps come to light on the way, and it never goes back */
        uint32_t outstanding; /* tasks that still owe this job their end */
        uint32_t succeeded;   /* tasks that ended well: a job fails when none did */
        uint64_t summary[SUMMARY_FIELDS];
        enum job_error error;   /* the first failure of a task, also of a job that is done */
        char message[160];      /* its sentence, "" without */
        struct plan plan;       /* JOB_PLAN */
        bool dirty;             /* in the list of jobs to be published */
        TAILQ_ENTRY(job) entry; /* all, oldest first */
        TAILQ_ENTRY(job) dirty_entry;
        TAILQ_ENTRY(job) ended_entry;
        UT_hash_handle hh;
};

TAILQ_HEAD(job_list, job);

static inline bool job_is_finished(const struct job *job) {
        return job->state >= JOB_DONE;
}
