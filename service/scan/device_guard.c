/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/device_work.h"

/* ---- replaced ---- */

/* Something bad is believed when it was seen twice; the first reading waits in the fact. */
int device_guard_differs(const struct device_turn *turn, struct scsi_identity *identity) {
        turn->work->now.fact.identity = *identity;
        *identity = (struct scsi_identity){};
        device_turn_stage(turn, DEVICE_CONFIRM);
        return 0;
}

int device_guard_confirm_observe(const struct device_turn *turn) {
        struct observation *observation = turn->observation;
        struct scsi_identity *first = &turn->work->now.fact.identity;

        if (observation->observed != OBSERVED_GOOD)
                return device_look_unnamed(turn, STANDING_UNVERIFIED);
        if (scsi_identity_equal(first, &observation->identity)) {
                device_turn_stage(turn, DEVICE_STOP);
                return 0;
        }
        /* Two answers that differ: begin again with the later one. */
        scsi_identity_done(first);
        return device_identify_observe(turn);
}

int device_guard_tell(const struct device_turn *turn, const struct scsi_identity *was) {
        const struct fact *fact = &turn->work->now.fact;
        struct scsi_address address = device_turn_address(turn);
        struct notice *notice = planner_notice(turn->planner, NOTICE_REPLACED, &address);

        if (!notice)
                return -ENOMEM;
        notice->identity = strdup(was->name ?: "");
        notice->identity_now = strdup(fact->identity.name ?: "");
        notice->in_use = fact->device.holders[0] != NULL;
        return notice->identity && notice->identity_now ? 0 : -ENOMEM;
}

/* What it was for those who used it, and whether that is news. */
static int become_replaced(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);
        const struct scsi_identity *was = device_identity_before(turn);
        struct fact *fact = &turn->work->now.fact;
        bool news = !known || known->standing != STANDING_REPLACED;
        int r;

        r = news ? device_guard_tell(turn, was) : 0;
        if (r < 0)
                return r;
        fact->standing = STANDING_REPLACED;
        return scsi_identity_copy(was, &fact->was);
}

/* Unused, it can be made right at once: what is attached anew is what it is. */
static bool may_reattach(const struct device_turn *turn) {
        return turn->planner->limits->reattach_replaced && !turn->work->now.order &&
               !turn->work->now.fact.device.holders[0];
}

int device_guard_stop_observe(const struct device_turn *turn) {
        struct observation *observation = turn->observation;
        struct fact *fact = &turn->work->now.fact;
        bool reattach;
        int r;

        if (observation->observed == OBSERVED_GONE)
                return device_look_observe(turn);
        if (observation->observed == OBSERVED_GOOD) {
                device_facts_done(&fact->device);
                fact->device = observation->device;
                observation->device = (struct device_facts){};
        }
        /* Even if it could not be stopped it is told. */
        r = become_replaced(turn);
        if (r < 0)
                return r;
        turn->target->scan.changed = true;
        reattach = may_reattach(turn);
        if (turn->work->now.order)
                device_order_fail(turn, JOB_ERROR_IDENTITY_MISMATCH,
                                  "another unit is behind this address now");
        else
                jobs_count(turn->planner->jobs, turn->work->now.jobs, SUMMARY_CHANGED);
        fact->kind = FACT_DEVICE;
        fact->now = turn->now.monotonic;
        fact->address = device_turn_address(turn);
        r = planner_apply(turn->planner, fact);
        if (r < 0)
                return r;
        if (!reattach)
                return device_turn_finish(turn);
        turn->work->now.cause = DETACH_REPLACED;
        device_turn_stage(turn, DEVICE_DETACH);
        return 0;
}

/* ---- gone ---- */

static int set_absent(const struct device_turn *turn, uint64_t since, enum standing standing) {
        struct fact fact = {.kind = FACT_ABSENT,
                            .address = device_turn_address(turn),
                            .now = since,
                            .standing = standing};

        return planner_apply(turn->planner, &fact);
}

/* It is there, or nothing is known: either way it is not going. */
static int not_gone(const struct device_turn *turn, bool answered) {
        int r = answered ? set_absent(turn, 0, STANDING_PRESENT) : 0;

        return r < 0 ? r : device_turn_finish(turn);
}

/* Its target does not list it and it says so itself: the first time that is remembered and looked
 * at again, the second time it is believed. */
static int says_gone(const struct device_turn *turn) {
        const struct device *device = device_turn_known(turn);
        const struct policy_limits *limits = turn->planner->limits;
        uint64_t since = device ? device->absent_since : 0;
        int r;

        if (!device)
                return device_turn_finish(turn);
        if (since == 0 || turn->now.monotonic - since < (uint64_t)limits->confirm_ms * 1000) {
                r = set_absent(turn, turn->now.monotonic, STANDING_UNVERIFIED);
                if (r >= 0)
                        r = watch_again(turn->planner, &turn->target->address,
                                        (uint64_t)limits->confirm_ms * 1000, turn->now);
                return r < 0 ? r : device_turn_finish(turn);
        }
        turn->target->scan.changed = true;
        r = set_absent(turn, since, STANDING_MISSING);
        if (r < 0)
                return r;
        if (!turn->work->now.remove || device->facts.holders[0])
                return device_turn_finish(turn);
        turn->work->now.fact.device.instance = device->facts.instance;
        turn->work->now.cause = DETACH_MISSING;
        device_turn_stage(turn, DEVICE_DETACH);
        return 0;
}

int device_guard_inquire_observe(const struct device_turn *turn) {
        const struct observation *observation = turn->observation;

        /* SPC-5 6.7.2: qualifier 3 says that no logical unit can be here. LIO answers 5/25 instead.
         */
        if (observation->observed == OBSERVED_GOOD && observation->inquiry.qualifier == 3)
                return says_gone(turn);
        if (observation->observed == OBSERVED_DEVICE &&
            observation->outcome == SCSI_OUTCOME_NO_LOGICAL_UNIT)
                return says_gone(turn);
        if (observation->observed != OBSERVED_GOOD)
                return not_gone(turn, false);
        device_turn_stage(turn, DEVICE_PROBE);
        return 0;
}

int device_guard_probe_observe(const struct device_turn *turn) {
        const struct observation *observation = turn->observation;

        if (observation->observed == OBSERVED_DEVICE &&
            observation->outcome == SCSI_OUTCOME_NO_LOGICAL_UNIT)
                return says_gone(turn);
        return not_gone(turn, observation->observed == OBSERVED_GOOD);
}

/* ---- detaching what is gone or replaced ---- */

static const char *detach_reason(enum detach_cause cause) {
        static const char *const reasons[] = {
                [DETACH_ORDERED] = "requested",
                [DETACH_MISMATCH] = "identity-mismatch",
                [DETACH_MISSING] = "unmapped",
                [DETACH_REPLACED] = "replaced",
        };

        return reasons[cause];
}

static int detached(const struct device_turn *turn) {
        struct device_work *work = turn->work;
        struct fact fact = {
                .kind = FACT_DEVICE_GONE,
                .address = device_turn_address(turn),
                .reason = detach_reason(work->now.cause),
        };
        int r = planner_apply(turn->planner, &fact);

        if (r < 0)
                return r;
        turn->target->scan.changed = true;
        jobs_count(turn->planner->jobs, work->now.jobs, SUMMARY_DETACHED);
        if (work->now.cause != DETACH_REPLACED)
                return device_turn_finish(turn);
        device_facts_done(&work->now.fact.device);
        work->now.fact = (struct fact){};
        device_turn_stage(turn, DEVICE_ATTACH);
        return 0;
}

int device_guard_detach_observe(const struct device_turn *turn) {
        if (turn->work->now.order)
                return device_order_detach_observe(turn);
        if (turn->observation->observed == OBSERVED_GOOD ||
            turn->observation->observed == OBSERVED_GONE)
                return detached(turn);
        /* In use, or the kernel would not: it stays as it is, and somebody else may try. */
        if (turn->observation->observed == OBSERVED_IN_USE)
                turn->work->look = true;
        else
                jobs_count(turn->planner->jobs, turn->work->now.jobs, SUMMARY_FAILED);
        return device_turn_finish(turn);
}
