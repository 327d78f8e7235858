/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The engine: events, requests and observations go in; steps, changes and jobs come out. It is
 * pure: no clock, no thread, no descriptor, no log. Whoever drives it does, after anything went in:
 *
 *         while (engine_next(engine, now, &step)) hand the step to who does it;
 *         take the changes and publish them; take the changed jobs and publish them.
 *
 * Nothing that comes in while a scan runs is lost: a target has at most one scan in flight and one
 * mark that says "again".
 */

#include <stdbool.h>
#include <stdint.h>

#include "scan/change_set.h"
#include "scan/event.h"
#include "scan/explain.h"
#include "scan/job.h"
#include "scan/step.h"
#include "scan/topology.h"

struct policy_limits;
struct engine;

struct policy;

struct engine_config {
        bool owner;              /* the kernel does not scan: attach what is found, unasked */
        uint32_t steps_per_host; /* in flight at once, at most what a worker has threads */
        const struct policy_limits *limits;
        const struct policy *policy; /* must outlive the engine, or the next engine_set_policy();
                                        NULL: no rules, and the quirks that are built in */
};

struct engine *engine_new(const struct engine_config *config);
void engine_free(struct engine *engine);
DEFINE_CLEANUP(struct engine *, engine_free)

/* What the engine remembers across its own restarts: load it before the start, and keep it when its
 * serial has changed. See scan/memory.h. */
struct memory *engine_memory(struct engine *engine);
/* What is known of earlier boots, when devices have been seen already: who is another now is told
 * of, as at first sight. */
int engine_recall(struct engine *engine, const struct memory *earlier);

/* From here on that one holds. What is attached and listed is asked about again, as a job of that
 * user: what is ignored now is detached when nobody uses it, what is not any more is attached.
 * -EBUSY: too many jobs, and the policy is not changed. */
int engine_set_policy(struct engine *engine, const struct policy *policy, uint32_t uid,
                      struct scan_time now, uint64_t *ret_job);

/* Why what the scope names is, or is not, attached and usable: see scan/explain.h. */
int engine_explain(const struct engine *engine, const struct scope *scope, struct explanation *ret);

struct policy_decision;

/* What the policy says of what the scope names: a device by all that is known of it, a LUN where
 * nothing is attached or a target by its place, an identity or node by its first device. `policy`:
 * another than the one that holds, or NULL. -ENOENT it names nothing; -EINVAL everything, or a
 * host. The decision's rules live as long as the policy. */
int engine_evaluate(const struct engine *engine, const struct scope *scope,
                    const struct policy *policy, struct policy_decision *ret);

/* The first pass over the machine: a job with cause boot. Ready when it has ended. */
int engine_start(struct engine *engine, struct scan_time now);
bool engine_is_ready(const struct engine *engine);

/* The kernel scans no longer, or does again; whatever it scanned or did not is looked at. Who has
 * become the owner scans everything. -EBUSY too many jobs: nothing has changed. */
int engine_set_owner(struct engine *engine, bool owner, struct scan_time now);

int engine_event(struct engine *engine, const struct event *event, struct scan_time now);

struct scan_request {
        const struct scope *scope;
        const char *scope_text;
        enum job_cause cause;
        uint32_t uid;
        bool verify;
        bool attach;
        bool remove;  /* detach what is gone and unused */
        bool enforce; /* and what the policy ignores */
        bool planned; /* only where targets list what they did when they were planned for last */
};

/* -ENOENT the scope names nothing; -EBUSY too many jobs unfinished (of this user, or at all). */
int engine_scan(struct engine *engine, const struct scan_request *request, struct scan_time now,
                uint64_t *ret_job);
/* What such a scan would do: asks as it would, and changes nothing. The job's plan is complete when
 * it has ended; a scan that is `planned` then does nothing on a target that lists other LUNs. */
int engine_plan(struct engine *engine, const struct scan_request *request, struct scan_time now,
                uint64_t *ret_job);
/* Ends the job as cancelled; what it alone wanted and has not begun is not begun.
 * -ENOENT no such job, -EALREADY it has ended. */
int engine_cancel(struct engine *engine, uint64_t job, struct scan_time now);

/* What is to be done with devices: JOB_ATTACH attaches `lun` on every target that the scope names,
 * the others do their work on every device that it names. */
struct device_request {
        enum job_operation operation; /* not JOB_SCAN */
        const struct scope *scope;
        const char *scope_text;
        uint32_t uid;
        uint64_t lun;         /* JOB_ATTACH */
        const char *identity; /* JOB_ATTACH: only if it is this one; NULL for whichever */
        bool force;           /* JOB_DETACH */
};

/* As engine_scan(). */
int engine_order(struct engine *engine, const struct device_request *request, struct scan_time now,
                 uint64_t *ret_job);

/* Nothing in the scope is attached until the lease with this id ends: see scan/inhibit.h.
 * -ENOENT the scope names nothing, -EEXIST, -ENOMEM. */
int engine_inhibit(struct engine *engine, const struct scope *scope, uint64_t id);
/* Before engine_start(), for a lease that began in an earlier run: the scope, and the devices that
 * engine_inhibited() said then it stands for. -EEXIST, -ENOMEM. */
int engine_inhibit_again(struct engine *engine, const struct scope *scope,
                         const struct scsi_address *devices, size_t count, uint64_t id);
/* How many devices an identity or a node stands for, as long as the lease is held; 0 for others. */
size_t engine_inhibited(const struct engine *engine, uint64_t id,
                        const struct scsi_address **ret_devices);
/* -ENOENT no such id. */
int engine_uninhibit(struct engine *engine, uint64_t id, struct scan_time now);

/* When engine_next() may have something to begin even if nothing goes in: µs, monotonic; UINT64_MAX
 * for never. */
uint64_t engine_wake_at(const struct engine *engine);

/* The next step that may begin now; false when none may. Every step gets one observation. */
bool engine_next(struct engine *engine, struct scan_time now, struct step *ret);
/* Takes over what the observation owns. */
int engine_observe(struct engine *engine, struct observation *observation, struct scan_time now);

/* Nothing is queued or in flight that concerns the scope (grain: a target; wider for names). */
bool engine_is_settled(const struct engine *engine, const struct scope *scope);
bool engine_is_busy(const struct engine *engine);

/* Devices that are about to be there and are not yet: LUNs on their way to be attached, and devices
 * that are looked at for the first time. */
size_t engine_expected(const struct engine *engine);

const struct topology *engine_topology(const struct engine *engine);
/* Changes since the last call, or NULL; the caller frees them. */
struct change_set *engine_take_changes(struct engine *engine);

const struct job_list *engine_jobs(const struct engine *engine);
const struct job *engine_job(const struct engine *engine, uint64_t id);
/* The next job that changed since it was last taken, NULL when none. */
const struct job *engine_take_job(struct engine *engine);
/* Forgets a finished job that is due; true with its id, one a call. */
bool engine_expire_job(struct engine *engine, struct scan_time now, uint64_t *ret_id);

/* What happened and is told by a signal of its own. */
enum notice_kind {
        NOTICE_ATTENTION, /* the device reported `attention` */
        NOTICE_REPLACED,  /* another unit is behind the device's address */
        NOTICE_CAPACITY,  /* all paths of the unit `identity` agree on another size */
};

struct notice {
        enum notice_kind kind;
        struct scsi_address address; /* NOTICE_ATTENTION, _REPLACED */
        enum unit_attention attention;
        char *identity;     /* NOTICE_REPLACED: what it was; NOTICE_CAPACITY: the unit */
        char *identity_now; /* NOTICE_REPLACED */
        bool in_use;        /* NOTICE_REPLACED */
        bool stopped;       /* NOTICE_REPLACED: whoever uses it would write to another unit */
        uint64_t size_was;  /* NOTICE_CAPACITY, bytes */
        uint64_t size;      /* NOTICE_CAPACITY, bytes */
        uint64_t serial;    /* in time */
        TAILQ_ENTRY(notice) entry;
};

TAILQ_HEAD(notice_list, notice);

/* The oldest one, for the caller to notice_free(); NULL when none. */
struct notice *engine_take_notice(struct engine *engine);
void notice_free(struct notice *notice);

enum engine_counter {
        COUNTER_EVENTS,    /* events that came in */
        COUNTER_COALESCED, /* scans that joined one already waiting */
        COUNTER_RESYNCS,
        COUNTER_HOST_SCANS,
        COUNTER_TARGET_SCANS,
        COUNTER_RETRIES,
        COUNTER_UNIT_ATTENTIONS,
        COUNTER_ATTENTIONS_DROPPED, /* nobody took them in time, and there were too many */
        COUNTER_DEVICES_DROPPED,    /* times that a device was seen and there was no room for it */
        COUNTER_STEP_FIRST,         /* then one for each step kind: how many were begun */
        COUNTER_KINDS = COUNTER_STEP_FIRST + STEP_KINDS
};

const char *engine_counter_name(enum engine_counter counter);
uint64_t engine_counter(const struct engine *engine, enum engine_counter counter);
/* The kernel's scan mode as last read, "" before. */
const char *engine_kernel_scan_mode(const struct engine *engine);
