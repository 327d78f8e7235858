/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the policy wants done with a device, once it was looked at: let it be, stop it until
 * somebody accepts it, or detach it again before anybody hears of it. A device is judged once; what
 * was judged before the service started again is not judged anew, and what somebody else attached
 * is detached only when another policy is enforced.
 */
#include <string.h>

#include "scan/device_work.h"

/* Before this service started: 1 when it is the same kernel object and was judged. */
static bool remembers(const struct device_turn *turn, enum standing *ret_standing) {
        struct scsi_address address = device_turn_address(turn);
        const struct memory_entry *entry = planner_recall(turn->planner, &address);

        if (!entry || entry->mark.instance != turn->work->now.fact.device.instance)
                return false;
        turn->work->now.fact.asked |= entry->mark.asked;
        *ret_standing = entry->mark.standing;
        return true;
}

/* One of our own attaches brought it, now or before. */
static bool is_ours(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);

        return turn->work->now.attached || (known && known->ours);
}

/* Another policy is enforced; or was, when it was in use, and now it has been let go of. */
static bool is_enforced(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);

        return turn->work->now.enforce ||
               (known && known->due && (turn->work->now.identify || known->facts.holders[0]) &&
                !turn->work->now.fact.device.holders[0]);
}

/* Its turn to go: at once, when what was not known of it is, and with every scan that verifies; not
 * whenever it is looked at, for somebody may have it open. */
static bool is_time(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);

        return turn->work->now.attached || turn->work->now.identify || is_enforced(turn) ||
               (known && known->facts.size == 0 && turn->work->now.fact.device.size > 0);
}

/* Somebody wanted it all the same: it was attached on request, or accepted. */
static bool is_asked(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);

        return turn->work->now.fact.asked || (known && known->asked);
}

static bool stop(const struct device_turn *turn) {
        struct fact *fact = &turn->work->now.fact;

        fact->judged = true;
        if (is_asked(turn))
                return false;
        fact->due = fact->device.holders[0]; /* whoever uses it would lose it */
        if (fact->due)
                return false;
        fact->standing = STANDING_QUARANTINED;
        turn->work->now.quarantine = true;
        device_turn_stage(turn, DEVICE_STOP);
        return true;
}

/* Nothing else is attached there: it is the way to ask its target, and goes when that was done. In
 * between it is in nobody's view. */
static bool borrow(const struct device_turn *turn) {
        struct target_scan *scan = &turn->target->scan;
        const struct device_facts *facts = &turn->work->now.fact.device;

        if (!turn->work->now.attached || scan->phase != PHASE_CHOOSE || scan->borrowed ||
            turn->work->now.order)
                return false;
        scan->borrowed = true;
        scan->borrowed_device = (struct device){.address = device_turn_address(turn)};
        scan->borrowed_device.facts.scsi_level = facts->scsi_level;
        memcpy(scan->borrowed_device.facts.vendor, facts->vendor, sizeof(facts->vendor));
        memcpy(scan->borrowed_device.facts.model, facts->model, sizeof(facts->model));
        memcpy(scan->borrowed_device.facts.blacklist, facts->blacklist, sizeof(facts->blacklist));
        turn->work->look = turn->work->identify = false; /* its uevents came before */
        (void)device_turn_finish(turn);
        return true;
}

static bool ignore(const struct device_turn *turn, const struct policy_decision *decision) {
        const struct device_order *order = turn->work->now.order;
        struct fact *fact = &turn->work->now.fact;

        if (order && order->operation == JOB_ATTACH &&
            decision->settings[POLICY_ON_REQUEST].value == POLICY_WARN) {
                fact->judged = fact->asked = true;
                return false;
        }
        if (borrow(turn))
                return true;
        fact->judged = !is_ours(turn);
        fact->due = is_enforced(turn) && fact->device.holders[0] && !is_asked(turn);
        if ((!is_ours(turn) && !is_enforced(turn)) || !is_time(turn) || is_asked(turn) ||
            fact->device.holders[0] ||
            planner_driver_discovers(turn->planner, turn->target->address.host))
                return false;
        turn->work->now.cause = DETACH_REFUSED;
        device_turn_stage(turn, DEVICE_DETACH);
        return true;
}

/* What is not known yet will be, but for the name of one that does not answer: nobody can say
 * that it is one that may stay. */
static bool is_doubtful(const struct device_turn *turn) {
        const struct fact *fact = &turn->work->now.fact;

        return fact->device.has_device_id && (!fact->identity.name || !*fact->identity.name);
}

/* One that is stopped or gone is dealt with, one that is accepted is wanted, and one that is but a
 * door to its target holds nothing. */
static bool is_past_judging(const struct device_turn *turn) {
        const struct device_order *order = turn->work->now.order;

        enum standing standing = turn->work->now.fact.standing;

        if (standing == STANDING_QUARANTINED)
                return !is_enforced(turn);
        return standing >= STANDING_MISSING || (order && order->operation == JOB_ACCEPT) ||
               scsi_lun_is_well_known(turn->work->lun);
}

/* What was quarantined by another policy need not be accepted by a person any more: it is accepted
 * in the next round, with all that goes with that. */
static bool attach(const struct device_turn *turn) {
        struct fact *fact = &turn->work->now.fact;

        fact->judged = true;
        if (fact->standing == STANDING_QUARANTINED)
                planner_note(turn->planner, device_order_accept(turn));
        return false;
}

bool device_judge(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);
        struct scsi_address address = device_turn_address(turn);
        struct fact *fact = &turn->work->now.fact;
        struct policy_decision decision;
        enum standing before;

        fact->ours = turn->work->now.attached;
        if (is_past_judging(turn))
                fact->judged = true;
        if (fact->judged || (known && known->judged && !is_enforced(turn)))
                return false;
        if (!known && !turn->work->now.attached && remembers(turn, &before)) {
                fact->judged = true;
                if (before != STANDING_QUARANTINED)
                        return false;
                return stop(turn); /* somebody let it run meanwhile */
        }
        if (policy_rule_count(turn->planner->policy) == 0)
                return attach(turn);
        judge_fact(turn->planner, &address, &fact->device, &fact->identity, &decision);
        switch ((enum policy_action)decision.settings[POLICY_ACTION].value) {
        case POLICY_ATTACH:
                return attach(turn);
        case POLICY_QUARANTINE:
                return fact->standing != STANDING_QUARANTINED && stop(turn);
        case POLICY_IGNORE:
                return ignore(turn, &decision);
        case POLICY_ASK:
                return is_doubtful(turn) && ignore(turn, &decision);
        }
        return false;
}

/* It was stopped, or could not be: then it is stopped when it is looked at next. */
int device_judge_stopped(const struct device_turn *turn) {
        turn->work->now.fact.standing = STANDING_QUARANTINED;
        turn->work->now.quarantine = false;
        return device_look_commit(turn);
}

/* Stopped by the policy, and the kernel lets it run again. */
bool device_judge_again(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);
        struct fact *fact = &turn->work->now.fact;

        const struct device_order *order = turn->work->now.order;

        if (!known || known->standing != STANDING_QUARANTINED ||
            (order && order->operation == JOB_ACCEPT) || !device_facts_may_answer(&fact->device))
                return false;
        scsi_identity_done(&fact->identity);
        if (scsi_identity_copy(&known->identity, &fact->identity) < 0)
                return false; /* at the next look */
        memcpy(fact->serial, known->serial, sizeof(fact->serial));
        return stop(turn);
}
