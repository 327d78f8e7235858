/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/device_work.h"

/* Some drivers attach and detach by themselves: there we only stop, and tell. */
static bool driver_discovers(const struct device_turn *turn) {
        return planner_driver_discovers(turn->planner, turn->target->address.host);
}

/* ---- replaced ---- */

/* Something bad is believed when it was seen twice; the first reading waits in the fact. But first:
 * is anybody there at all? LIO answers for an unmapped LUN 0, with pages of its own. */
int device_guard_differs(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);
        bool again = known && known->standing == STANDING_REPLACED;

        turn->work->now.fact.identity = turn->observation->identity;
        turn->observation->identity = (struct scsi_identity){};
        turn->work->now.differs = true;
        device_turn_stage(turn, again ? DEVICE_STOP : DEVICE_INQUIRE);
        return 0;
}

/* Two answers that say two other things both say that it is not the one that it was. */
int device_guard_confirm_observe(const struct device_turn *turn) {
        const struct scsi_identity *before = device_identity_before(turn);
        struct observation *observation = turn->observation;

        scsi_identity_done(&turn->work->now.fact.identity);
        if (observation->observed != OBSERVED_GOOD || observation->identity.count == 0)
                return device_look_unanswered(turn);
        if (scsi_identity_equal(before, &observation->identity))
                return device_look_answered(turn);
        turn->work->now.fact.identity = observation->identity;
        observation->identity = (struct scsi_identity){};
        device_turn_stage(turn, DEVICE_STOP);
        return 0;
}

int device_guard_tell(const struct device_turn *turn, const struct scsi_identity *was,
                      bool stopped) {
        const struct fact *fact = &turn->work->now.fact;
        struct scsi_address address = device_turn_address(turn);

        return planner_notice_replaced(turn->planner, &address, was, &fact->identity,
                                       fact->device.holders[0] != NULL, stopped);
}

/* What it was for those who used it, and whether that is news. */
static int become_replaced(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);
        const struct scsi_identity *was = device_identity_before(turn);
        struct fact *fact = &turn->work->now.fact;
        bool news = !known || known->standing != STANDING_REPLACED;
        int r;

        /* It could not be asked who it is, and is stopped again as it was before. */
        if (known && scsi_identity_equal(was, &fact->identity)) {
                fact->standing = known->standing;
                return scsi_identity_copy(&known->was, &fact->was);
        }

        r = news ? device_guard_tell(turn, was, true) : 0;
        if (r < 0)
                return r;
        fact->standing = STANDING_REPLACED;
        return scsi_identity_copy(was, &fact->was);
}

/* Who turns into somebody else again and again is left stopped for a while. */
#define REATTACHED_MAX 3
#define REATTACHED_USEC UINT64_C(60000000)

static bool reattached_lately(const struct device *known, uint64_t now) {
        return now - known->since < REATTACHED_USEC;
}

/* The rule is about the unit that was meant to be there, not about the one that is. */
static bool replaced_may_go(const struct device_turn *turn, const struct device_facts *facts,
                            const struct scsi_identity *was) {
        struct scsi_address address = device_turn_address(turn);
        struct policy_decision decision;

        judge_fact(turn->planner, &address, facts, was, &decision);
        return decision.settings[POLICY_WHEN_REPLACED].value == POLICY_OF_ITSELF;
}

/* Unused, it can be made right at once: what is attached anew is what it is. */
static bool may_reattach(const struct device_turn *turn, const struct device_facts *facts,
                         const struct scsi_identity *was) {
        const struct device *known = device_turn_known(turn);
        const struct device_order *order = turn->work->now.order;

        if (!replaced_may_go(turn, facts, was) || driver_discovers(turn) || facts->holders[0] ||
            (order && order->jobs != 0))
                return false;
        return !known || known->reattached < REATTACHED_MAX ||
               !reattached_lately(known, turn->now.monotonic);
}

static int stopped(const struct device_turn *turn) {
        struct fact *fact = &turn->work->now.fact;
        bool reattach = may_reattach(turn, &fact->device, device_identity_before(turn));
        int r = become_replaced(turn); /* even if it could not be stopped it is told */

        if (r < 0)
                return r;
        reattach &= fact->standing == STANDING_REPLACED;
        turn->target->scan.changed = true;
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

int device_guard_stop_observe(const struct device_turn *turn) {
        struct observation *observation = turn->observation;
        struct fact *fact = &turn->work->now.fact;

        if (observation->observed == OBSERVED_GONE)
                return device_look_observe(turn);
        if (observation->observed == OBSERVED_GOOD) {
                device_facts_done(&fact->device);
                fact->device = observation->device;
                observation->device = (struct device_facts){};
        }
        if (fact->device.instance > 0)
                return turn->work->now.quarantine ? device_judge_stopped(turn) : stopped(turn);
        turn->work->look = true; /* nothing of it could be read: try again */
        return device_turn_finish(turn);
}

/* ---- let go of ---- */

bool device_guard_is_released(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);

        return known && known->standing >= STANDING_MISSING && !turn->work->now.order &&
               !turn->work->now.fact.device.holders[0] &&
               (known->facts.holders[0] || turn->work->now.identify);
}

bool device_guard_release(const struct device_turn *turn) {
        const struct device *device = device_turn_known(turn);

        if (device && device->standing == STANDING_REPLACED &&
            may_reattach(turn, &device->facts, &device->was)) {
                turn->work->now.cause = DETACH_REPLACED;
                device_turn_stage(turn, DEVICE_DETACH);
                return true;
        }
        if (device && device->standing == STANDING_MISSING) {
                turn->work->now.remove |= !driver_discovers(turn);
                device_turn_stage(turn, DEVICE_INQUIRE);
                return true;
        }
        return false;
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

/* Older than so many times the pause between them, the first time no longer counts. */
#define CONFIRM_WITHIN 120

/* The first time that it says so is remembered and looked at again, the second time is believed. */
static bool says_so_again(const struct device_turn *turn, const struct device *device,
                          uint64_t *ret_wait) {
        uint64_t pause = (uint64_t)turn->planner->limits->confirm_ms * 1000;
        uint64_t age = turn->now.monotonic - device->absent_since;

        *ret_wait = 0;
        if (device->standing == STANDING_MISSING)
                return true;
        if (device->absent_since == 0 || age > CONFIRM_WITHIN * pause)
                *ret_wait = pause;
        else if (age < pause)
                *ret_wait = pause - age;
        return *ret_wait == 0;
}

static int says_gone(const struct device_turn *turn) {
        const struct device *device = device_turn_known(turn);
        uint64_t wait;
        int r = 0;

        if (!device)
                return device_turn_finish(turn);
        if (!says_so_again(turn, device, &wait)) {
                bool first = wait == (uint64_t)turn->planner->limits->confirm_ms * 1000;

                if (first)
                        r = set_absent(turn, turn->now.monotonic, STANDING_UNVERIFIED);
                if (r >= 0)
                        r = watch_again(turn->planner, &turn->target->address, wait, turn->now);
                return r < 0 ? r : device_turn_finish(turn);
        }
        if (device->standing != STANDING_MISSING)
                turn->target->scan.changed = true;
        r = set_absent(turn, device->absent_since, STANDING_MISSING);
        if (r < 0)
                return r;
        if (!turn->work->now.remove || device->facts.holders[0] ||
            !judge_of_itself(turn->planner, device, POLICY_WHEN_MISSING))
                return device_turn_finish(turn);
        turn->work->now.fact.device.instance = device->facts.instance;
        turn->work->now.cause = DETACH_MISSING;
        device_turn_stage(turn, DEVICE_DETACH);
        return 0;
}

/* SPC-5 6.7.2: qualifier 3 says that no logical unit can be here. With type 1Fh 1 says no other, of
 * a device that was one: LIO answers so for LUN 0 when it is not mapped, and 5/25 for others. */
bool device_denies_itself(const struct device_facts *facts, const struct observation *observation) {
        const struct scsi_inquiry *inquiry = &observation->inquiry;

        if (observation->observed == OBSERVED_GOOD)
                return inquiry->qualifier == 3 ||
                       (inquiry->qualifier == 1 && facts->qualifier == 0 &&
                        inquiry->type == SCSI_TYPE_UNKNOWN);
        return observation->observed == OBSERVED_DEVICE &&
               observation->outcome == SCSI_OUTCOME_NO_LOGICAL_UNIT;
}

static bool denies_itself(const struct device_turn *turn) {
        const struct device *device = device_turn_known(turn);

        return device_denies_itself(device ? &device->facts : &turn->work->now.fact.device,
                                    turn->observation);
}

/* Its pages were those of somebody who stands in for it: it has to say twice that it is gone. */
static int differs_and_is_gone(const struct device_turn *turn) {
        scsi_identity_done(&turn->work->now.fact.identity);
        turn->work->now.differs = false;
        turn->work->now.suspect = true;
        turn->work->now.remove |= !driver_discovers(turn);
        return device_look_unanswered(turn);
}

int device_guard_inquire_observe(const struct device_turn *turn) {
        bool good = turn->observation->observed == OBSERVED_GOOD;

        if (denies_itself(turn))
                return turn->work->now.differs ? differs_and_is_gone(turn) : says_gone(turn);
        if (turn->work->now.differs) {
                device_turn_stage(turn, DEVICE_CONFIRM);
                return 0;
        }
        if (!good)
                return not_gone(turn, false);
        device_turn_stage(turn, DEVICE_PROBE);
        return 0;
}

int device_guard_probe_observe(const struct device_turn *turn) {
        const struct observation *observation = turn->observation;

        if (turn->work->now.touch)
                return device_turn_finish(turn); /* what came out of it comes as an event */
        if (observation->observed == OBSERVED_DEVICE &&
            observation->outcome == SCSI_OUTCOME_NO_LOGICAL_UNIT)
                return says_gone(turn);
        return not_gone(turn, true); /* by its INQUIRY data, whatever keeps it from being ready */
}

/* ---- detaching what is gone or replaced ---- */

static const char *detach_reason(enum detach_cause cause) {
        static const char *const reasons[] = {
                [DETACH_ORDERED] = "requested", [DETACH_MISMATCH] = "identity-mismatch",
                [DETACH_MISSING] = "unmapped",  [DETACH_REPLACED] = "replaced",
                [DETACH_REFUSED] = "policy",
        };

        return reasons[cause];
}

/* Of one that nobody heard of nothing is to be told, but how it is listed. */
static int refused(const struct device_turn *turn, bool was_known) {
        struct target_scan *scan = &turn->target->scan;
        const struct target_lun key = {.lun = turn->work->lun};
        struct scsi_address address = device_turn_address(turn);
        struct target_lun *lun = NULL;
        int r = admission_withhold(turn->planner, &address, DISPOSITION_REFUSED);

        if (scan->lun_count > 0)
                lun = bsearch(&key, scan->luns, scan->lun_count, sizeof(key), target_lun_compare);
        if (lun)
                lun->disposition = DISPOSITION_REFUSED;
        turn->target->scan.changed |= was_known;
        jobs_count(turn->planner->jobs, turn->work->now.jobs,
                   was_known ? SUMMARY_DETACHED : SUMMARY_SKIPPED);
        return r < 0 ? r : device_turn_finish(turn);
}

static int detached(const struct device_turn *turn) {
        struct device_work *work = turn->work;
        const struct device *known = device_turn_known(turn);
        unsigned reattached =
                known && reattached_lately(known, turn->now.monotonic) ? known->reattached : 0;
        struct fact fact = {
                .kind = FACT_DEVICE_GONE,
                .address = device_turn_address(turn),
                .reason = detach_reason(work->now.cause),
        };
        int r = planner_apply(turn->planner, &fact);

        if (r < 0)
                return r;
        if (work->now.cause == DETACH_REFUSED)
                return refused(turn, known != NULL);
        turn->target->scan.changed = true;
        jobs_count(turn->planner->jobs, work->now.jobs, SUMMARY_DETACHED);
        if (work->now.cause != DETACH_REPLACED ||
            admission_of(turn->planner, &turn->target->address, work->lun, false) !=
                    DISPOSITION_PENDING)
                return device_turn_finish(turn);
        device_facts_done(&work->now.fact.device);
        work->now.fact = (struct fact){.reattached = reattached + 1};
        work->now.identified = work->now.differs = false;
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
