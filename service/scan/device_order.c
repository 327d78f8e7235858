/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan/device_work.h"

/* ---- ends ---- */

static struct device_order *order_take(const struct device_turn *turn) {
        return TAKE_PTR(turn->work->now.order);
}

void device_order_done(const struct device_turn *turn, enum summary_field field) {
        struct device_order *order = order_take(turn);

        jobs_count(turn->planner->jobs, order->jobs, field);
        jobs_task_end(turn->planner->jobs, order->jobs, turn->now);
        device_order_free(order);
}

void device_order_fail(const struct device_turn *turn, enum job_error error, const char *what) {
        struct device_order *order = order_take(turn);
        struct scsi_address address = device_turn_address(turn);
        char text[SCSI_ADDRESS_TEXT_MAX], message[160];

        snprintf(message, sizeof(message), "%s: %s", scsi_address_format(&address, text), what);
        jobs_task_fail(turn->planner->jobs, order->jobs, error, message, turn->now);
        device_order_free(order);
}

void device_order_fail_observed(const struct device_turn *turn) {
        const struct observation *observation = turn->observation;
        const char *what = observed_name(observation->observed);
        enum job_error error = JOB_ERROR_FAILED;

        if (observation->observed == OBSERVED_STUCK)
                error = JOB_ERROR_HOST_STUCK;
        if (observation->observed == OBSERVED_DEVICE) {
                what = scsi_outcome_name(observation->outcome);
                if (observation->outcome == SCSI_OUTCOME_TIMEOUT)
                        error = JOB_ERROR_DEVICE_TIMEOUT;
        }
        if (observation->observed == OBSERVED_ERROR)
                what = strerrordesc_np(-observation->error) ?: "error";
        device_order_fail(turn, error, what);
}

/* ---- beginning ---- */

static void fail_in_use(const struct device_turn *turn, const struct device_facts *facts) {
        char what[120];
        size_t length = (size_t)snprintf(what, sizeof(what), "in use by");

        for (char *const *holder = facts->holders; *holder; holder++) {
                int n = snprintf(what + length, sizeof(what) - length, " %s", *holder);

                if (length + (size_t)n >= sizeof(what))
                        break; /* as many as the sentence has room for */
                length += (size_t)n;
        }
        device_order_fail(turn, JOB_ERROR_IN_USE, what);
}

/* One that is only maybe ignored is attached and looked at: see device_judge.c. */
static int begin_attach(const struct device_turn *turn) {
        struct policy_decision decision;

        if (planner_is_inhibited(turn->planner, &turn->target->address, turn->work->lun)) {
                device_order_fail(turn, JOB_ERROR_INHIBITED,
                                  "somebody inhibits that it is attached");
                return device_turn_finish(turn);
        }
        judge_lun(turn->planner, &turn->target->address, turn->work->lun, &decision);
        if (decision.settings[POLICY_ACTION].value == POLICY_IGNORE &&
            decision.settings[POLICY_ON_REQUEST].value == POLICY_REFUSE &&
            !scsi_lun_is_well_known(turn->work->lun)) {
                device_order_fail(turn, JOB_ERROR_REFUSED, decision.reason);
                return device_turn_finish(turn);
        }
        device_turn_stage(turn, DEVICE_ATTACH);
        return 0;
}

static int begin_detach(const struct device_turn *turn, const struct device *known) {
        turn->work->now.cause = DETACH_ORDERED;
        /* Who held it when it was looked at last may have let it go. */
        device_turn_stage(turn, !turn->work->now.order->force && known->facts.holders[0]
                                        ? DEVICE_LOOK
                                        : DEVICE_DETACH);
        return 0;
}

bool device_order_looked(const struct device_turn *turn) {
        const struct device_order *order = turn->work->now.order;

        if (!order || order->operation != JOB_DETACH)
                return false;
        if (turn->work->now.fact.device.holders[0]) {
                fail_in_use(turn, &turn->work->now.fact.device);
                return false;
        }
        device_turn_stage(turn, DEVICE_DETACH);
        return true;
}

int device_order_accept(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);
        struct device_order *order = known ? calloc(1, sizeof(*order)) : NULL;

        if (!known)
                return 0; /* it is looked at again before it is anything */
        if (!order)
                return -ENOMEM;
        order->operation = JOB_ACCEPT;
        order->instance = known->facts.instance;
        order->identity = strdup(known->identity.name ?: "");
        if (!order->identity) {
                device_order_free(order);
                return -ENOMEM;
        }
        return device_work_order(turn->planner, turn->target, turn->work->lun, order, turn->now);
}

/* Stopped by the service before it was killed, or by somebody else: who it is has not been read
 * since. */
static bool is_stopped(const struct device *known) {
        return known->standing == STANDING_UNVERIFIED && strcmp(known->facts.state, "offline") == 0;
}

static int begin_accept(const struct device_turn *turn, const struct device *known) {
        if (known->standing < STANDING_REPLACED && !is_stopped(known)) {
                device_order_done(turn, SUMMARY_UNCHANGED);
                return device_turn_finish(turn);
        }
        /* A person's word holds against the rule that quarantined it, a rule's does not. */
        turn->work->now.fact.asked =
                known->standing == STANDING_QUARANTINED && turn->work->now.order->jobs != 0;
        device_turn_stage(turn, DEVICE_RESUME);
        return 0;
}

/* First who it is: reading anew what another unit says would make it look like the old one. And sd
 * takes a disk that does not answer for one without capacity, even while it is mounted. */
static int begin_refresh(const struct device_turn *turn, const struct device *known) {
        if (known->standing == STANDING_MISSING)
                device_order_fail(turn, JOB_ERROR_NOT_REPORTED, "its target no longer has it");
        else if (known->standing == STANDING_REPLACED)
                device_order_fail(turn, JOB_ERROR_IDENTITY_MISMATCH,
                                  "another unit is behind this address now");
        else if (known->standing == STANDING_QUARANTINED)
                device_order_fail(turn, JOB_ERROR_REFUSED,
                                  "it is quarantined until it is accepted");
        if (!turn->work->now.order)
                return device_turn_finish(turn);
        device_turn_stage(turn, DEVICE_LOOK);
        return 0;
}

int device_order_begin(const struct device_turn *turn) {
        const struct device_order *order = turn->work->now.order;
        const struct device *known = device_turn_known(turn);

        if (!jobs_want(turn->planner->jobs, order->jobs)) {
                device_order_done(turn, SUMMARY_SKIPPED);
                return device_turn_finish(turn);
        }
        if (order->operation == JOB_ATTACH)
                return begin_attach(turn);
        if (!known || known->facts.instance != order->instance) {
                device_order_fail(turn, JOB_ERROR_NOT_FOUND,
                                  known ? "it is gone, and another device has its address"
                                        : "it is no longer there");
                return device_turn_finish(turn);
        }
        if (order->operation == JOB_DETACH)
                return begin_detach(turn, known);
        return order->operation == JOB_ACCEPT ? begin_accept(turn, known)
                                              : begin_refresh(turn, known);
}

/* ---- who it is ---- */

bool device_order_known(const struct device_turn *turn) {
        const struct device_order *order = turn->work->now.order;

        if (!order || order->operation != JOB_REFRESH)
                return false;
        device_turn_stage(turn, DEVICE_REFRESH);
        return true;
}

void device_order_unanswered(const struct device_turn *turn) {
        const struct device_order *order = turn->work->now.order;

        if (!order || order->operation != JOB_REFRESH)
                return;
        if (device_facts_may_answer(&turn->work->now.fact.device))
                device_order_fail_observed(turn);
        else
                device_order_fail(turn, JOB_ERROR_FAILED, "it is not running, or has no sg node");
}

/* ---- attach ---- */

static int not_attached(const struct device_turn *turn) {
        const struct observation *observation = turn->observation;

        if (!turn->work->now.order) {
                jobs_count(turn->planner->jobs, turn->work->now.jobs, SUMMARY_FAILED);
                return device_turn_finish(turn);
        }
        if (observation->observed == OBSERVED_NOT_ATTACHED)
                device_order_fail(turn, JOB_ERROR_NOT_REPORTED,
                                  "the target offers no such logical unit");
        else if (observation->observed == OBSERVED_OUT_OF_RANGE)
                device_order_fail(turn, JOB_ERROR_FAILED, "out of the range that the host takes");
        else
                device_order_fail_observed(turn);
        return device_turn_finish(turn);
}

int device_order_attach_observe(const struct device_turn *turn) {
        struct device_work *work = turn->work;

        if (turn->observation->observed != OBSERVED_GOOD)
                return not_attached(turn);
        device_facts_done(&work->now.fact.device);
        work->now.fact.device = turn->observation->device;
        turn->observation->device = (struct device_facts){};
        work->now.attached = device_turn_same(turn) == NULL;
        return device_look_facts(turn);
}

static bool is_expected(const struct scsi_identity *identity, const char *expected) {
        for (size_t i = 0; i < identity->count; i++)
                if (strcmp(identity->designators[i], expected) == 0)
                        return true;
        return identity->name && strcmp(identity->name, expected) == 0;
}

bool device_order_named(const struct device_turn *turn) {
        struct device_work *work = turn->work;
        const struct device_order *order = work->now.order;

        if (!order || order->operation != JOB_ATTACH || !order->identity ||
            is_expected(&work->now.fact.identity, order->identity))
                return false;
        if (work->now.attached) {
                /* Nobody has heard of it yet, and nobody shall. */
                work->now.cause = DETACH_MISMATCH;
                device_turn_stage(turn, DEVICE_DETACH);
                return true;
        }
        device_order_fail(turn, JOB_ERROR_IDENTITY_MISMATCH,
                          "attached already, and another unit than the one that was meant");
        return false;
}

/* ---- detach ---- */

static int refused_detached(const struct device_turn *turn) {
        const struct fact *fact = &turn->work->now.fact;
        struct scsi_address address = device_turn_address(turn);
        struct policy_decision decision;

        judge_fact(turn->planner, &address, &fact->device, &fact->identity, &decision);
        device_order_fail(turn, JOB_ERROR_REFUSED, decision.reason);
        return device_turn_finish(turn);
}

static int mismatch_detached(const struct device_turn *turn) {
        char what[120];

        snprintf(what, sizeof(what), "is %s, not %s", turn->work->now.fact.identity.name ?: "",
                 turn->work->now.order->identity);
        device_order_fail(turn, JOB_ERROR_IDENTITY_MISMATCH, what);
        return device_turn_finish(turn);
}

int device_order_detach_observe(const struct device_turn *turn) {
        struct fact fact = {.kind = FACT_DEVICE_GONE,
                            .address = device_turn_address(turn),
                            .reason = "requested"};
        int r = 0;

        switch (turn->observation->observed) {
        case OBSERVED_GOOD:
        case OBSERVED_GONE:
                if (turn->work->now.cause == DETACH_MISMATCH)
                        return mismatch_detached(turn);
                if (turn->work->now.cause == DETACH_REFUSED)
                        return refused_detached(turn);
                r = planner_apply(turn->planner, &fact);
                if (r >= 0)
                        r = admission_withhold(turn->planner, &fact.address, DISPOSITION_WITHHELD);
                device_order_done(turn, SUMMARY_DETACHED);
                break;
        case OBSERVED_IN_USE:
                turn->work->look = true; /* its holders are others than we thought */
                device_order_fail(turn, JOB_ERROR_IN_USE, "somebody has it open");
                break;
        default:
                turn->work->look = true;
                device_order_fail_observed(turn);
                break;
        }
        return r < 0 ? r : device_turn_finish(turn);
}

/* ---- accept ---- */

/* Whatever stands in the way: it was stopped before, and is to be stopped after. */
static int accept_undo(const struct device_turn *turn) {
        const struct device *known = device_turn_known(turn);
        struct fact *fact = &turn->work->now.fact;
        int r = 0;

        turn->work->now.identified = false;
        turn->work->now.quarantine = known && known->standing == STANDING_QUARANTINED;
        if (known && fact->identity.count == 0) {
                scsi_identity_done(&fact->identity);
                r = scsi_identity_copy(&known->identity, &fact->identity);
        }
        device_turn_stage(turn, DEVICE_STOP);
        return r;
}

int device_order_failed(const struct device_turn *turn) {
        bool accepting = turn->work->now.order->operation == JOB_ACCEPT;

        device_order_fail_observed(turn);
        return accepting ? accept_undo(turn) : device_turn_finish(turn);
}

int device_order_resume_observe(const struct device_turn *turn) {
        struct fact *fact = &turn->work->now.fact;

        if (turn->observation->observed != OBSERVED_GOOD)
                return device_look_observe(turn);
        device_facts_done(&fact->device);
        fact->device = turn->observation->device;
        turn->observation->device = (struct device_facts){};
        fact->standing = STANDING_PRESENT;
        if (!fact->device.has_device_id && !*turn->work->now.order->identity) {
                turn->work->now.identified = true; /* it has no name that could be another */
                device_turn_stage(turn, DEVICE_REFRESH);
                return 0;
        }
        device_turn_stage(turn, DEVICE_IDENTIFY);
        return 0;
}

/* The one that was there when somebody said so, or the one that it was before anybody could.
 * Nobody had read who it is since the service started: then whoever it is. */
static bool is_acceptable(const struct device_turn *turn, const struct scsi_identity *identity) {
        const struct device_order *order = turn->work->now.order;
        const struct device *known = device_turn_known(turn);

        return !*order->identity || is_expected(identity, order->identity) ||
               (known && known->was.count > 0 && scsi_identity_equal(&known->was, identity));
}

int device_order_accept_observe(const struct device_turn *turn) {
        struct observation *observation = turn->observation;
        struct fact *fact = &turn->work->now.fact;

        if (observation->observed != OBSERVED_GOOD)
                return device_order_failed(turn);
        scsi_identity_done(&fact->identity);
        fact->identity = observation->identity;
        observation->identity = (struct scsi_identity){};
        if (!is_acceptable(turn, &fact->identity)) {
                /* It is shown from now on, and so can be accepted by who asks again. */
                device_order_fail(turn, JOB_ERROR_IDENTITY_MISMATCH,
                                  "yet another unit is behind this address now");
                return accept_undo(turn);
        }
        turn->work->now.identified = true;
        device_turn_stage(turn, DEVICE_REFRESH);
        return 0;
}
