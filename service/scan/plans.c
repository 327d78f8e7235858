/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs that say what a scan would do, and what their targets listed then. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scan/work.h"

/* ---- what was listed ---- */

struct planned {
        struct scsi_target_address address;
        uint64_t digest;
        UT_hash_handle hh;
};

/* Beyond that, all are forgotten: who planned for them has to plan again. */
#define PLANNED_MAX 16384

/* FNV-1a: a target that wants to be taken for what it was need only list the same. */
static uint64_t digest_of(const uint64_t *luns, size_t count) {
        uint64_t digest = UINT64_C(0xcbf29ce484222325) ^ count;

        for (size_t i = 0; i < count; i++)
                digest = (digest ^ luns[i]) * UINT64_C(0x100000001b3);
        return digest;
}

void planner_planned_free(struct planner *planner) {
        struct planned *planned, *next;

        HASH_ITER (hh, planner->planned, planned, next) {
                HASH_DEL(planner->planned, planned);
                free(planned);
        }
}

static struct planned *planned_find(const struct planner *planner,
                                    const struct scsi_target_address *target) {
        struct planned *planned;

        HASH_FIND(hh, planner->planned, target, sizeof(*target), planned);
        return planned;
}

void planner_planned(struct planner *planner, const struct scsi_target_address *target,
                     const uint64_t *luns, size_t count) {
        struct planned *planned = planned_find(planner, target);

        if (!planned) {
                if (HASH_COUNT(planner->planned) >= PLANNED_MAX)
                        planner_planned_free(planner);
                planned = calloc(1, sizeof(*planned));
                if (!planned)
                        return; /* then a scan that relies on it is refused */
                planned->address = *target;
                HASH_ADD(hh, planner->planned, address, sizeof(planned->address), planned);
        }
        planned->digest = digest_of(luns, count);
}

bool planner_is_planned(const struct planner *planner, const struct scsi_target_address *target,
                        const uint64_t *luns, size_t count) {
        const struct planned *planned = planned_find(planner, target);

        return !planned || planned->digest == digest_of(luns, count);
}

void planner_planned_forget(struct planner *planner, const struct scsi_target_address *target) {
        struct planned *planned = planned_find(planner, target);

        if (!planned)
                return;
        HASH_DEL(planner->planned, planned);
        free(planned);
}

/* ---- jobs ---- */

struct plan_found {
        struct planner *planner;
        job_mask job;
        const struct scan_request *request;
        struct scan_time now;
};

static int note_host(const struct plan_found *found, const struct host *host,
                     enum plan_action action, const char *reason) {
        struct scsi_address address = {.target.host = host->number};

        return jobs_plan(found->planner->jobs, found->job, PLAN_HOST, &address, action, reason,
                         NULL);
}

static int want(const struct plan_found *found, const struct scsi_target_address *target,
                const struct lun_filter *filter) {
        return target_plan_want(found->planner, target, found->job, found->request, filter,
                                found->now);
}

static const struct lun_filter all_luns = {.all = true};

static int plan_host(const struct plan_found *found, const struct host *host) {
        const struct target *target;
        int r = 0;

        if (host->discovery == DISCOVERY_DRIVER)
                r = note_host(found, host, PLAN_NOTHING,
                              "its driver attaches and removes by itself");
        else if (!transport_lists_ports(host->facts.transport))
                r = note_host(found, host, PLAN_TRY_IDS,
                              "it does not know its ports: every id is tried until the kernel says "
                              "that it is out of range");
        TAILQ_FOREACH (target, &host->targets, entry)
                if (r >= 0)
                        r = want(found, &target->address, &all_luns);
        return r;
}

static int plan_found(const struct object_id *id, void *userdata) {
        const struct plan_found *found = userdata;
        const struct lun_filter one = {.count = 1, .luns = {id->address.lun}};

        if (id->kind != OBJECT_TARGET && id->kind != OBJECT_DEVICE)
                return 0;
        return want(found, &id->address.target, id->kind == OBJECT_TARGET ? &all_luns : &one);
}

static int plan_begin(const struct plan_found *found, const struct scope *scope) {
        const struct topology *topology = found->planner->topology;
        const struct lun_filter one = {.count = 1, .luns = {scope->address.lun}};
        const struct host *host;
        int r = 0;

        switch (scope->kind) {
        case SCOPE_ALL:
                TAILQ_FOREACH (host, topology_hosts(topology), entry)
                        if (r >= 0)
                                r = plan_host(found, host);
                return r;
        case SCOPE_HOST:
                host = topology_host(topology, scope->address.target.host);
                return host ? plan_host(found, host) : 0;
        case SCOPE_TARGET:
                return want(found, &scope->address.target, &all_luns);
        case SCOPE_DEVICE:
                return want(found, &scope->address.target, &one);
        case SCOPE_NAME:
        case SCOPE_NODE:
                return scope_find(scope, topology, plan_found, (void *)found);
        }
        return 0;
}

int planner_plan(struct planner *planner, const struct scan_request *request, struct scan_time now,
                 uint64_t *ret_job) {
        struct job_order order = {
                .scope = request->scope,
                .scope_text = request->scope_text,
                .operation = JOB_PLAN,
                .cause = CAUSE_REQUEST,
                .uid = request->uid,
                .verify = request->verify,
        };
        struct plan_found found = {.planner = planner, .request = request, .now = now};
        struct job *job;
        int r = scope_exists(request->scope, planner->topology);

        if (r >= 0)
                r = jobs_add(planner->jobs, &order, now, &job);
        if (r < 0)
                return r;
        *ret_job = job->id;
        found.job = job_bit(job);
        /* A task of its own keeps the job from ending before all others have begun. */
        jobs_task_begin(planner->jobs, found.job);
        r = plan_begin(&found, request->scope);
        jobs_task_end(planner->jobs, found.job, now);
        return r;
}
