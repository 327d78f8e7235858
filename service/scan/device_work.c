/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "scan/device_work.h"

static struct device_work *work_find(struct target_work *target, uint64_t lun) {
        struct device_work *work;

        HASH_FIND(hh, target->by_lun, &lun, sizeof(lun), work);
        return work;
}

/* Urgent work goes before what is only verified, and after what has begun: who is about to stop a
 * device is not to wait. */
static void enqueue(struct target_work *target, struct device_work *work, bool urgent) {
        struct device_work *head = TAILQ_FIRST(&target->devices);

        if (!urgent)
                TAILQ_INSERT_TAIL(&target->devices, work, entry);
        else if (head && head->begun)
                TAILQ_INSERT_AFTER(&target->devices, head, work, entry);
        else
                TAILQ_INSERT_HEAD(&target->devices, work, entry);
}

static struct device_work *work_get(struct planner *planner, struct target_work *target,
                                    uint64_t lun, bool urgent) {
        struct device_work *work = work_find(target, lun);

        if (work)
                return work;
        work = calloc(1, sizeof(*work));
        if (!work)
                return NULL;
        work->lun = lun;
        TAILQ_INIT(&work->orders);
        HASH_ADD(hh, target->by_lun, lun, sizeof(work->lun), work);
        enqueue(target, work, urgent);
        target_work_wake(planner, target);
        return work;
}

void device_order_free(struct device_order *order) {
        if (!order)
                return;
        free(order->identity);
        free(order);
}

static void round_reset(struct device_work *work) {
        device_facts_done(&work->now.fact.device);
        scsi_identity_done(&work->now.fact.identity);
        scsi_identity_done(&work->now.fact.was);
        device_order_free(work->now.order);
        work->now = (typeof(work->now)){};
        work->begun = false;
}

static void work_drop(struct target_work *target, struct device_work *work) {
        assert(TAILQ_EMPTY(&work->orders));
        round_reset(work);
        HASH_DEL(target->by_lun, work);
        TAILQ_REMOVE(&target->devices, work, entry);
        free(work);
}

/* ---- wanting something ---- */

int device_work_look(struct planner *planner, struct target_work *target, uint64_t lun) {
        struct device_work *work;

        if (target->scan.borrowed && target->scan.borrowed_device.address.lun == lun)
                return 0; /* it is on its way out */
        work = work_get(planner, target, lun, true);
        if (!work)
                return -ENOMEM;
        work->look = true;
        return 0;
}

int device_work_verify(struct planner *planner, struct target_work *target, uint64_t lun,
                       bool measure, bool enforce, job_mask jobs) {
        struct device_work *work = work_get(planner, target, lun, false);

        if (!work)
                return -ENOMEM;
        work->look = work->identify = true;
        work->measure |= measure;
        work->enforce |= enforce;
        work->jobs |= jobs;
        return 0;
}

int device_work_touch(struct planner *planner, struct target_work *target, uint64_t lun) {
        struct device_work *work = work_get(planner, target, lun, false);

        if (!work)
                return -ENOMEM;
        work->touch = true;
        return 0;
}

int device_work_suspect(struct planner *planner, struct target_work *target, uint64_t lun,
                        bool remove, job_mask jobs) {
        struct device_work *work = work_get(planner, target, lun, false);

        if (!work)
                return -ENOMEM;
        work->look = work->identify = work->suspect = true;
        work->remove |= remove;
        work->jobs |= jobs;
        return 0;
}

/* Takes the order over. */
static void order_fail(struct planner *planner, struct device_order *order, enum job_error error,
                       const char *message, struct scan_time now) {
        jobs_task_fail(planner->jobs, order->jobs, error, message, now);
        device_order_free(order);
}

int device_work_order(struct planner *planner, struct target_work *target, uint64_t lun,
                      struct device_order *order, struct scan_time now) {
        struct device_work *work;

        if (target->host->stuck) {
                jobs_task_begin(planner->jobs, order->jobs);
                order_fail(planner, order, JOB_ERROR_HOST_STUCK, HOST_STUCK_TEXT, now);
                target_work_rest(planner, target);
                return 0;
        }
        work = work_get(planner, target, lun, true);
        if (!work) {
                device_order_free(order);
                return -ENOMEM;
        }
        TAILQ_INSERT_TAIL(&work->orders, order, entry);
        jobs_task_begin(planner->jobs, order->jobs);
        target_work_wake(planner, target);
        return 0;
}

int device_work_attached(struct planner *planner, struct target_work *target, uint64_t lun,
                         struct device_facts *facts, job_mask jobs) {
        struct device_turn turn = {.planner = planner, .target = target};

        turn.work = work_get(planner, target, lun, true);
        if (!turn.work)
                return -ENOMEM;
        assert(!turn.work->begun);
        turn.work->begun = true;
        turn.work->now.fact.device = *facts;
        *facts = (struct device_facts){};
        turn.work->now.attached = true;
        turn.work->now.jobs = jobs;
        return device_look_facts(&turn);
}

void device_work_fail(struct planner *planner, struct target_work *target, enum job_error error,
                      const char *message, struct scan_time now) {
        while (!TAILQ_EMPTY(&target->devices)) {
                struct device_work *work = TAILQ_FIRST(&target->devices);
                struct device_order *order;

                while ((order = TAILQ_FIRST(&work->orders))) {
                        TAILQ_REMOVE(&work->orders, order, entry);
                        order_fail(planner, order, error, message, now);
                }
                if (work->now.order)
                        order_fail(planner, TAKE_PTR(work->now.order), error, message, now);
                work_drop(target, work);
        }
}

/* ---- one round ---- */

struct scsi_address device_turn_address(const struct device_turn *turn) {
        return (struct scsi_address){.target = turn->target->address, .lun = turn->work->lun};
}

struct device *device_turn_known(const struct device_turn *turn) {
        struct scsi_address address = device_turn_address(turn);

        return topology_device(turn->planner->topology, &address);
}

struct device *device_turn_same(const struct device_turn *turn) {
        struct device *device = device_turn_known(turn);

        return device && device->facts.instance == turn->work->now.fact.device.instance ? device
                                                                                        : NULL;
}

void device_turn_stage(const struct device_turn *turn, enum device_stage stage) {
        turn->work->now.stage = stage;
        turn->work->now.tries = 0;
}

int device_turn_finish(const struct device_turn *turn) {
        struct device_work *work = turn->work;

        assert(!work->now.order);
        jobs_advance(turn->planner->jobs, work->now.jobs, 1);
        round_reset(work);
        if (!work->look && !work->touch && TAILQ_EMPTY(&work->orders))
                work_drop(turn->target, work);
        return 0;
}

/* Orders come first; a look that is wanted as well is done by the next round. */
static int round_begin(const struct device_turn *turn) {
        struct device_work *work = turn->work;

        work->begun = true;
        work->now.order = TAILQ_FIRST(&work->orders);
        if (work->now.order) {
                TAILQ_REMOVE(&work->orders, work->now.order, entry);
                return device_order_begin(turn);
        }
        if (work->touch) {
                work->touch = false;
                work->now.touch = true;
                work->now.stage = DEVICE_PROBE;
                return 0;
        }
        work->now.identify = work->identify;
        work->now.measure = work->measure;
        work->now.suspect = work->suspect;
        work->now.remove = work->remove;
        work->now.enforce = work->enforce;
        work->now.jobs = work->jobs;
        work->look = work->identify = work->measure = work->suspect = work->remove = work->enforce =
                false;
        work->jobs = 0;
        work->now.stage = DEVICE_LOOK;
        return 0;
}

static enum step_kind stage_step(enum device_stage stage) {
        switch (stage) {
        case DEVICE_LOOK:
                return STEP_READ_DEVICE;
        case DEVICE_IDENTIFY:
        case DEVICE_CONFIRM:
                return STEP_READ_IDENTITY;
        case DEVICE_STOP:
        case DEVICE_RESUME:
                return STEP_SET_STATE;
        case DEVICE_SERIAL:
                return STEP_READ_SERIAL;
        case DEVICE_MEASURE:
                return STEP_READ_CAPACITY;
        case DEVICE_INQUIRE:
                return STEP_INQUIRE;
        case DEVICE_PROBE:
                return STEP_PROBE;
        case DEVICE_ATTACH:
                return STEP_ATTACH;
        case DEVICE_DETACH:
                return STEP_DETACH;
        case DEVICE_REFRESH:
                return STEP_REFRESH;
        case DEVICE_STAGES:
                break;
        }
        assert(false);
}

/* Of one that is not in the topology yet, by what has been read of it. */
static struct policy_limits round_limits(const struct device_turn *turn,
                                         const struct scsi_address *address) {
        const struct fact *fact = &turn->work->now.fact;
        struct policy_limits limits = *judge_device_limits(turn->planner, address);
        struct policy_decision decision;

        if (device_turn_known(turn) || fact->device.instance == 0 ||
            policy_rule_count(turn->planner->policy) == 0)
                return limits;
        judge_fact(turn->planner, address, &fact->device, &fact->identity, &decision);
        policy_decision_limits(&decision, &limits);
        return limits;
}

static struct step round_step(const struct device_turn *turn) {
        const struct device_work *work = turn->work;
        const struct device *known = device_turn_known(turn);
        enum step_kind kind = stage_step(work->now.stage);
        const struct scsi_address address = device_turn_address(turn);
        const struct policy_limits limits = round_limits(turn, &address);
        uint64_t instance = work->now.fact.device.instance;

        return (struct step){
                .kind = kind,
                .address = device_turn_address(turn),
                .timeout_ms = step_kind_is_long(kind) ? limits.attach_deadline_ms
                                                      : limits.command_timeout_ms,
                .instance = instance > 0 || !known ? instance : known->facts.instance,
                .force = work->now.order && work->now.order->force,
                .proven = work->now.cause == DETACH_MISSING || work->now.cause == DETACH_REPLACED,
                .offline = work->now.stage == DEVICE_STOP,
        };
}

enum offer device_work_next(struct planner *planner, struct target_work *target,
                            struct scan_time now, struct step *ret) {
        struct device_turn turn = {.planner = planner, .target = target, .now = now};

        while ((turn.work = TAILQ_FIRST(&target->devices))) {
                struct step step;

                assert(!turn.work->flying);
                if (!turn.work->begun) {
                        planner_note(planner, round_begin(&turn));
                        continue; /* it may have ended already */
                }
                step = round_step(&turn);
                if (step_kind_writes(step.kind) && target->host->write_flying)
                        return OFFER_LATER;
                turn.work->flying = true;
                *ret = step;
                return OFFER_STEP;
        }
        return OFFER_NONE;
}

int device_work_observe(struct planner *planner, struct target_work *target,
                        struct observation *observation, struct scan_time now) {
        static int (*const handlers[DEVICE_STAGES])(const struct device_turn *turn) = {
                [DEVICE_LOOK] = device_look_observe,
                [DEVICE_IDENTIFY] = device_identify_observe,
                [DEVICE_CONFIRM] = device_guard_confirm_observe,
                [DEVICE_STOP] = device_guard_stop_observe,
                [DEVICE_SERIAL] = device_serial_observe,
                [DEVICE_MEASURE] = device_measure_observe,
                [DEVICE_INQUIRE] = device_guard_inquire_observe,
                [DEVICE_PROBE] = device_guard_probe_observe,
                [DEVICE_ATTACH] = device_order_attach_observe,
                [DEVICE_DETACH] = device_guard_detach_observe,
                [DEVICE_REFRESH] = device_look_observe,
                [DEVICE_RESUME] = device_order_resume_observe,
        };
        struct device_turn turn = {
                .planner = planner,
                .target = target,
                .work = work_find(target, observation->step.address.lun),
                .observation = observation,
                .now = now,
        };

        if (!turn.work || !turn.work->flying)
                return 0; /* given up meanwhile: its host got stuck, or went */
        turn.work->flying = false;
        if (planner_retries(planner, observation, &turn.work->now.tries))
                return 0;
        return handlers[turn.work->now.stage](&turn);
}

bool device_work_has(struct target_work *target, uint64_t lun) {
        const struct device_work *work = work_find(target, lun);

        return work && work->flying;
}
