/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "scan/work.h"

struct engine {
        struct planner planner;
};

/* For who has none. */
static const struct policy *policy_own(struct planner *planner) {
        struct policy_error error;
        struct policy *policy = policy_new(planner->limits);

        if (policy && policy_parse(policy, POLICY_FILE_QUIRKS, policy_quirks_builtin_name,
                                   policy_quirks_builtin, &error) < 0) {
                policy_free(policy);
                policy = NULL;
        }
        planner->own_policy = policy;
        return policy;
}

struct engine *engine_new(const struct engine_config *config) {
        struct engine *engine = calloc(1, sizeof(*engine));

        if (!engine)
                return NULL;
        engine->planner.config = *config;
        engine->planner.limits = config->limits;
        engine->planner.topology = topology_new();
        engine->planner.changes = change_set_new();
        engine->planner.jobs = jobs_new();
        engine->planner.memory = memory_new();
        engine->planner.wake_at = engine->planner.list_at = UINT64_MAX;
        TAILQ_INIT(&engine->planner.ready);
        TAILQ_INIT(&engine->planner.inhibitions);
        TAILQ_INIT(&engine->planner.notices);
        TAILQ_INIT(&engine->planner.attentions);
        engine->planner.policy = config->policy ?: policy_own(&engine->planner);
        if (!engine->planner.topology || !engine->planner.changes || !engine->planner.jobs ||
            !engine->planner.memory || !engine->planner.policy) {
                engine_free(engine);
                return NULL;
        }
        return engine;
}

void engine_free(struct engine *engine) {
        struct host_work *host, *next;
        struct flight *flight, *next_flight;
        struct notice *notice;

        if (!engine)
                return;
        HASH_ITER (hh, engine->planner.hosts, host, next)
                host_work_free(&engine->planner, host);
        HASH_ITER (hh, engine->planner.flights, flight, next_flight) {
                HASH_DEL(engine->planner.flights, flight);
                free(flight);
        }
        watch_free(&engine->planner);
        admission_free(&engine->planner);
        planner_inhibit_free(&engine->planner);
        while ((notice = engine_take_notice(engine)))
                notice_free(notice);
        judge_forget(&engine->planner);
        planner_planned_free(&engine->planner);
        policy_free(engine->planner.own_policy);
        memory_free(engine->planner.memory);
        jobs_free(engine->planner.jobs);
        change_set_free(engine->planner.changes);
        topology_free(engine->planner.topology);
        free(engine);
}

int engine_recall(struct engine *engine, const struct memory *earlier) {
        return planner_recall_late(&engine->planner, earlier);
}

struct memory *engine_memory(struct engine *engine) {
        return engine->planner.memory;
}

/* Our own failures inside the planner surface at the next call. */
static int engine_result(struct engine *engine, int r) {
        planner_note(&engine->planner, r);
        r = engine->planner.failed;
        engine->planner.failed = 0;
        return r;
}

static void note_ready(struct engine *engine) {
        const struct job *job = jobs_find(engine->planner.jobs, engine->planner.boot_job);

        if (engine->planner.started && (!job || job_is_finished(job)))
                engine->planner.ready_reached = true;
}

static const struct scope everything = {.kind = SCOPE_ALL};

int engine_start(struct engine *engine, struct scan_time now) {
        struct scan_request request = {
                .scope = &everything,
                .scope_text = "",
                .cause = CAUSE_BOOT,
                .attach = engine->planner.config.owner,
        };
        int r = planner_request(&engine->planner, &request, now, &engine->planner.boot_job);

        engine->planner.started = true;
        return engine_result(engine, r);
}

/* What the policy said of something may be another now. */
static void judge_again(struct planner *planner) {
        judge_forget(planner);
        admission_rejudge(planner);
}

int engine_set_policy(struct engine *engine, const struct policy *policy, uint32_t uid,
                      struct scan_time now, uint64_t *ret_job) {
        struct scan_request request = {
                .scope = &everything,
                .scope_text = "",
                .cause = CAUSE_REQUEST,
                .uid = uid,
                .attach = true,
                .verify = true,
                .remove = true,
                .enforce = true,
        };
        int r = planner_request(&engine->planner, &request, now, ret_job);

        if (r == -EBUSY)
                return r;
        /* Nothing of the job has begun: it goes by the new one. */
        engine->planner.policy = policy;
        judge_again(&engine->planner);
        return engine_result(engine, r);
}

int engine_set_owner(struct engine *engine, bool owner, struct scan_time now) {
        struct scan_request request = {
                .scope = &everything,
                .scope_text = "",
                .cause = CAUSE_BOOT,
                .attach = true,
        };
        struct host_work *host, *next;
        uint64_t job;
        int r = owner ? planner_request(&engine->planner, &request, now, &job) : 0;

        if (r == -EBUSY)
                return r;
        /* Nothing of the job has begun: it goes by who we are now. */
        engine->planner.config.owner = owner;
        judge_again(&engine->planner);
        HASH_ITER (hh, engine->planner.hosts, host, next)
                host_work_read(&engine->planner, host);
        return engine_result(engine, r);
}

int engine_explain(const struct engine *engine, const struct scope *scope,
                   struct explanation *ret) {
        return planner_explain(&engine->planner, scope, ret);
}

int engine_evaluate(const struct engine *engine, const struct scope *scope,
                    const struct policy *policy, struct policy_decision *ret) {
        struct planner planner = engine->planner;

        planner.policy = policy ?: planner.policy;
        return judge_scope(&planner, scope, ret);
}

bool engine_is_ready(const struct engine *engine) {
        return engine->planner.ready_reached;
}

int engine_event(struct engine *engine, const struct event *event, struct scan_time now) {
        int r = planner_event(&engine->planner, event, now);

        note_ready(engine);
        return engine_result(engine, r);
}

int engine_scan(struct engine *engine, const struct scan_request *request, struct scan_time now,
                uint64_t *ret_job) {
        int r = planner_request(&engine->planner, request, now, ret_job);

        return r == -ENOENT || r == -EBUSY ? r : engine_result(engine, r);
}

int engine_plan(struct engine *engine, const struct scan_request *request, struct scan_time now,
                uint64_t *ret_job) {
        int r = planner_plan(&engine->planner, request, now, ret_job);

        return r == -ENOENT || r == -EBUSY ? r : engine_result(engine, r);
}

int engine_order(struct engine *engine, const struct device_request *request, struct scan_time now,
                 uint64_t *ret_job) {
        int r = planner_order(&engine->planner, request, now, ret_job);

        return r == -ENOENT || r == -EBUSY ? r : engine_result(engine, r);
}

int engine_cancel(struct engine *engine, uint64_t job, struct scan_time now) {
        int r = jobs_cancel(engine->planner.jobs, job, now);

        note_ready(engine);
        return r;
}

int engine_inhibit(struct engine *engine, const struct scope *scope, uint64_t id) {
        return planner_inhibit(&engine->planner, scope, id);
}

int engine_inhibit_again(struct engine *engine, const struct scope *scope,
                         const struct scsi_address *devices, size_t count, uint64_t id) {
        return planner_inhibit_again(&engine->planner, scope, devices, count, id);
}

size_t engine_inhibited(const struct engine *engine, uint64_t id,
                        const struct scsi_address **ret_devices) {
        const struct inhibition *inhibition = planner_inhibition(&engine->planner, id);

        *ret_devices = inhibition ? inhibition->devices : NULL;
        return inhibition ? inhibition->device_count : 0;
}

int engine_uninhibit(struct engine *engine, uint64_t id, struct scan_time now) {
        int r = planner_uninhibit(&engine->planner, id, now);

        return r == -ENOENT ? r : engine_result(engine, r);
}

bool engine_next(struct engine *engine, struct scan_time now, struct step *ret) {
        bool found = planner_next(&engine->planner, now, ret);

        note_ready(engine);
        return found;
}

int engine_observe(struct engine *engine, struct observation *observation, struct scan_time now) {
        int r = planner_observe(&engine->planner, observation, now);

        note_ready(engine);
        return engine_result(engine, r);
}

uint64_t engine_wake_at(const struct engine *engine) {
        return engine->planner.wake_at;
}

struct notice *engine_take_notice(struct engine *engine) {
        return planner_take_notice(&engine->planner);
}

void notice_free(struct notice *notice) {
        if (!notice)
                return;
        free(notice->identity);
        free(notice->identity_now);
        free(notice);
}

/* ---- looking at it ---- */

static bool target_is_settled(struct planner *planner, const struct scsi_target_address *address) {
        struct host_work *host = host_work_find(planner, address->host);
        const struct target_work *target;

        if (watch_is_due_soon(planner, address))
                return false;
        if (!host)
                return true;
        if (host->read_wanted || host->read_flying || host->scan_wanted || host->scan_reading)
                return false;
        if (host->walk.active && host->walk.channel == address->channel &&
            host->walk.target <= address->target)
                return false; /* the walk has still to come by */
        target = target_work_find(host, address);
        return !target || target_work_is_idle(target);
}

bool engine_is_settled(const struct engine *engine, const struct scope *scope) {
        struct planner *planner = (struct planner *)&engine->planner;
        const struct host_work *host;

        if (planner->list_wanted || planner->list_flying)
                return false;
        switch (scope->kind) {
        case SCOPE_HOST:
                host = host_work_find(planner, scope->address.target.host);
                return !host || (host_work_is_idle(host) && !watch_is_due_soon(planner, NULL));
        case SCOPE_TARGET:
        case SCOPE_DEVICE:
                return target_is_settled(planner, &scope->address.target);
        case SCOPE_ALL:
        case SCOPE_NAME:
        case SCOPE_NODE:
                break;
        }
        return planner_is_idle(planner) && !watch_is_due_soon(planner, NULL);
}

bool engine_is_busy(const struct engine *engine) {
        return !planner_is_idle(&engine->planner);
}

/* Each is also a device that is looked at in the end; what is counted twice does no harm. */
static size_t target_expected(const struct engine *engine, const struct target_work *target) {
        const struct target_scan *scan = &target->scan;
        size_t count = scan->phase == PHASE_ATTACH ? scan->lun_count - scan->next : 0;
        const struct device_work *work;

        for (work = target->by_lun; work; work = work->hh.next) {
                const struct scsi_address address = {target->address, work->lun};

                count += !topology_device(engine->planner.topology, &address);
        }
        return count;
}

size_t engine_expected(const struct engine *engine) {
        const struct host_work *host;
        const struct target_work *target;
        size_t count = 0;

        for (host = engine->planner.hosts; host; host = host->hh.next)
                for (target = host->targets; target; target = target->hh.next)
                        count += target_expected(engine, target);
        return count;
}

const struct topology *engine_topology(const struct engine *engine) {
        return engine->planner.topology;
}

struct change_set *engine_take_changes(struct engine *engine) {
        struct change_set *changes = engine->planner.changes, *fresh;

        if (change_set_is_empty(changes))
                return NULL;
        fresh = change_set_new();
        if (!fresh)
                return NULL; /* they are taken the next time */
        engine->planner.changes = fresh;
        return changes;
}

const struct job_list *engine_jobs(const struct engine *engine) {
        return jobs_all(engine->planner.jobs);
}

const struct job *engine_job(const struct engine *engine, uint64_t id) {
        return jobs_find(engine->planner.jobs, id);
}

const struct job *engine_take_job(struct engine *engine) {
        return jobs_take_dirty(engine->planner.jobs);
}

bool engine_expire_job(struct engine *engine, struct scan_time now, uint64_t *ret_id) {
        return jobs_expire(engine->planner.jobs, now, ret_id);
}

const char *engine_counter_name(enum engine_counter counter) {
        static const char *const names[COUNTER_KINDS] = {
                [COUNTER_EVENTS] = "events",
                [COUNTER_COALESCED] = "scans-coalesced",
                [COUNTER_RESYNCS] = "resyncs",
                [COUNTER_HOST_SCANS] = "host-scans",
                [COUNTER_TARGET_SCANS] = "target-scans",
                [COUNTER_RETRIES] = "retries",
                [COUNTER_UNIT_ATTENTIONS] = "unit-attentions",
                [COUNTER_ATTENTIONS_DROPPED] = "unit-attentions-dropped",
                [COUNTER_DEVICES_DROPPED] = "devices-dropped",
                [COUNTER_STEP_FIRST + STEP_LIST] = "steps-list",
                [COUNTER_STEP_FIRST + STEP_READ_HOST] = "steps-read-host",
                [COUNTER_STEP_FIRST + STEP_READ_DEVICE] = "steps-read-device",
                [COUNTER_STEP_FIRST + STEP_ATTACH] = "steps-attach",
                [COUNTER_STEP_FIRST + STEP_SCAN_TARGET] = "steps-scan-target",
                [COUNTER_STEP_FIRST + STEP_REPORT_LUNS] = "steps-report-luns",
                [COUNTER_STEP_FIRST + STEP_READ_IDENTITY] = "steps-read-identity",
                [COUNTER_STEP_FIRST + STEP_READ_SERIAL] = "steps-read-serial",
                [COUNTER_STEP_FIRST + STEP_READ_CAPACITY] = "steps-read-capacity",
                [COUNTER_STEP_FIRST + STEP_INQUIRE] = "steps-inquire",
                [COUNTER_STEP_FIRST + STEP_PROBE] = "steps-probe",
                [COUNTER_STEP_FIRST + STEP_DETACH] = "steps-detach",
                [COUNTER_STEP_FIRST + STEP_REFRESH] = "steps-refresh",
                [COUNTER_STEP_FIRST + STEP_SET_STATE] = "steps-set-state",
        };

        return names[counter];
}

uint64_t engine_counter(const struct engine *engine, enum engine_counter counter) {
        return engine->planner.counters[counter];
}

const char *engine_kernel_scan_mode(const struct engine *engine) {
        return engine->planner.scan_mode;
}
