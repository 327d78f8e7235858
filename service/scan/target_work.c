/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "scan/target_scan.h"

struct target_work *target_work_find(struct host_work *host,
                                     const struct scsi_target_address *address) {
        struct target_work *target;

        HASH_FIND(hh, host->targets, address, sizeof(*address), target);
        return target;
}

int target_work_get(struct planner *planner, const struct scsi_target_address *address,
                    struct target_work **ret) {
        struct host_work *host;
        int r = host_work_get(planner, address->host, &host);

        if (r < 0)
                return r;
        *ret = target_work_find(host, address);
        if (*ret)
                return 0;
        *ret = calloc(1, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        (*ret)->address = *address;
        (*ret)->host = host;
        TAILQ_INIT(&(*ret)->devices);
        TAILQ_INIT(&(*ret)->plans);
        HASH_ADD(hh, host->targets, address, sizeof((*ret)->address), *ret);
        return 0;
}

/* In their turn; those whose order the policy sets lower go before those of a higher one. */
static void enqueue(struct planner *planner, struct target_work *target) {
        struct target_queue *queue = &target->host->ready_targets;
        int32_t order = judge_order(planner, &target->address);
        struct target_work *before = TAILQ_LAST(queue, target_queue);

        target->ready = true;
        while (before && judge_order(planner, &before->address) > order)
                before = TAILQ_PREV(before, target_queue, ready_entry);
        if (before)
                TAILQ_INSERT_AFTER(queue, before, target, ready_entry);
        else
                TAILQ_INSERT_HEAD(queue, target, ready_entry);
}

void target_work_wake(struct planner *planner, struct target_work *target) {
        if (!target->ready)
                enqueue(planner, target);
        host_work_wake(planner, target->host);
}

bool target_work_is_idle(const struct target_work *target) {
        return !target->in_flight && !target->wanted && target->scan.phase == PHASE_IDLE &&
               TAILQ_EMPTY(&target->devices) && TAILQ_EMPTY(&target->plans);
}

void target_work_free(struct planner *planner, struct target_work *target) {
        device_work_fail(planner, target, JOB_ERROR_FAILED, "stopped", (struct scan_time){});
        target_plan_fail(planner, target, JOB_ERROR_FAILED, "stopped", (struct scan_time){});
        target_scan_reset(&target->scan);
        if (target->ready)
                TAILQ_REMOVE(&target->host->ready_targets, target, ready_entry);
        HASH_DEL(target->host->targets, target);
        free(target);
}

void target_work_rest(struct planner *planner, struct target_work *target) {
        if (target_work_is_idle(target))
                target_work_free(planner, target);
}

/* ---- orders ---- */

bool lun_filter_has(const struct lun_filter *filter, uint64_t lun) {
        if (filter->all)
                return true;
        for (size_t i = 0; i < filter->count; i++)
                if (filter->luns[i] == lun)
                        return true;
        return false;
}

void lun_filter_add(struct lun_filter *filter, const struct lun_filter *other) {
        filter->all |= other->all;
        for (size_t i = 0; i < other->count && !filter->all; i++) {
                if (lun_filter_has(filter, other->luns[i]))
                        continue;
                if (filter->count == LUN_FILTER_MAX)
                        filter->all = true;
                else
                        filter->luns[filter->count++] = other->luns[i];
        }
}

/* Whoever asks for less gets what the others ask for besides: a scan is shared. */
void scan_order_merge(struct scan_order *order, const struct scan_order *other) {
        order->jobs |= other->jobs;
        order->attach |= other->attach;
        order->verify |= other->verify;
        order->remove |= other->remove;
        order->enforce |= other->enforce;
        order->planned &= other->planned; /* who planned nothing is not to wait */
        order->request |= other->request;
        order->poll |= other->poll;
        order->measure |= other->measure;
        order->anew |= other->anew;
        order->watched &= other->watched;
        order->walking |= other->walking;
        lun_filter_add(&order->filter, &other->filter);
        lun_filter_add(&order->asked, &other->asked);
}

/* What hangs is not asked, and does not fill the table of jobs with those who wait for it. */
static int want_of_stuck(struct planner *planner, struct target_work *target,
                         const struct scan_order *order, struct scan_time now) {
        jobs_task_begin(planner->jobs, order->jobs);
        jobs_task_fail(planner->jobs, order->jobs, JOB_ERROR_HOST_STUCK, HOST_STUCK_TEXT, now);
        target_work_rest(planner, target);
        return 0;
}

int target_scan_want(struct planner *planner, const struct scsi_target_address *address,
                     const struct scan_order *wanted, struct scan_time now) {
        struct scan_order copy = *wanted, *order = &copy;
        struct target_work *target;
        job_mask fresh;
        int r = target_work_get(planner, address, &target);

        if (r < 0)
                return r;
        if (target->host->stuck)
                return want_of_stuck(planner, target, order, now);
        if (planner_driver_discovers(planner, address->host)) /* there we only follow */
                order->attach = order->remove = false;
        if (target->wanted)
                planner_count(planner, COUNTER_COALESCED);
        fresh = target->wanted ? order->jobs & ~target->next_order.jobs : order->jobs;
        if (target->wanted)
                scan_order_merge(&target->next_order, order);
        else
                target->next_order = *order;
        target->wanted = true;
        jobs_task_begin(planner->jobs, fresh);
        target_work_wake(planner, target);
        return 0;
}

/* ---- steps ---- */

void target_work_fail(struct planner *planner, struct target_work *target, enum job_error error,
                      const char *message, struct scan_time now) {
        if (target->wanted) {
                jobs_task_fail(planner->jobs, target->next_order.jobs, error, message, now);
                target->wanted = false;
                target->next_order = (struct scan_order){};
        }
        if (target->scan.phase != PHASE_IDLE) {
                job_mask jobs = target->scan.order.jobs;

                target_scan_reset(&target->scan);
                jobs_task_fail(planner->jobs, jobs, error, message, now);
        }
        device_work_fail(planner, target, error, message, now);
        target_plan_fail(planner, target, error, message, now);
}

enum offer target_work_next(struct planner *planner, struct target_work *target,
                            struct scan_time now, struct step *ret) {
        enum scan_phase before;
        enum offer offer;

        if (target->in_flight)
                return OFFER_NONE;
        for (;;) {
                offer = device_work_next(planner, target, now, ret);
                if (offer != OFFER_NONE) {
                        target->in_flight = offer == OFFER_STEP;
                        return offer;
                }
                before = target->scan.phase;
                if (before == PHASE_IDLE && !target->wanted) {
                        offer = target_plan_next(planner, target, now, ret);
                        target->in_flight = offer == OFFER_STEP;
                        return offer;
                }
                if (before == PHASE_IDLE)
                        planner_note(planner, target_scan_begin(planner, target, now));
                else
                        planner_note(planner, target_scan_move(planner, target, now));
                if (target->scan.phase == before && before != PHASE_IDLE &&
                    TAILQ_EMPTY(&target->devices))
                        break;
        }
        offer = target_scan_offer(planner, target, ret);
        target->in_flight = offer == OFFER_STEP;
        return offer;
}

int target_work_observe(struct planner *planner, struct target_work *target,
                        struct observation *observation, struct scan_time now) {
        int r;

        target->in_flight = false;
        if (target_plan_has(target))
                r = target_plan_observe(planner, target, observation);
        else if (device_work_has(target, observation->step.address.lun))
                r = device_work_observe(planner, target, observation, now);
        else
                r = target_scan_observe(planner, target, observation, now);
        target_work_wake(planner, target);
        return r;
}
