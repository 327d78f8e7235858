/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a scan of a target would do. It is asked as a scan would ask it, and so are its devices;
 * nothing is attached, stopped, detached or published for it, and what is learnt shows nowhere but
 * in the plan.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan/target_scan.h"

enum plan_phase {
        PLANNING_ASK,     /* REPORT LUNS */
        PLANNING_DEVICES, /* VPD 83h of what is listed, INQUIRY of what is not */
};

struct target_plan {
        job_mask job;
        bool verify, remove;      /* as the scan would have them */
        struct lun_filter filter; /* the LUNs that would be attached */
        enum plan_phase phase;
        bool begun;
        bool flying;
        unsigned tries;
        uint64_t lun;        /* through which the target is asked */
        uint32_t allocation; /* PLANNING_ASK, bytes */
        unsigned asked;
        bool reported;
        struct scsi_lun_list luns;
        uint64_t *devices; /* that were there at the beginning; owned */
        size_t device_count;
        size_t next;
        TAILQ_ENTRY(target_plan) entry;
};

static void target_plan_free(struct target_work *target, struct target_plan *plan) {
        TAILQ_REMOVE(&target->plans, plan, entry);
        scsi_lun_list_done(&plan->luns);
        free(plan->devices);
        free(plan);
}

static struct target_plan *plan_of(struct target_work *target, job_mask job) {
        struct target_plan *plan;

        TAILQ_FOREACH (plan, &target->plans, entry)
                if (plan->job == job)
                        return plan;
        return NULL;
}

int target_plan_want(struct planner *planner, const struct scsi_target_address *address,
                     job_mask job, const struct scan_request *request,
                     const struct lun_filter *filter, struct scan_time now) {
        struct target_work *target;
        struct target_plan *plan;
        int r = target_work_get(planner, address, &target);

        if (r < 0)
                return r;
        plan = plan_of(target, job);
        if (plan) {
                lun_filter_add(&plan->filter, filter);
                return 0;
        }
        jobs_task_begin(planner->jobs, job);
        if (target->host->stuck) {
                jobs_task_fail(planner->jobs, job, JOB_ERROR_HOST_STUCK, HOST_STUCK_TEXT, now);
                target_work_rest(planner, target);
                return 0;
        }
        plan = calloc(1, sizeof(*plan));
        if (!plan)
                return -ENOMEM;
        plan->job = job;
        plan->verify = request->verify;
        plan->remove = request->remove;
        plan->filter = *filter;
        TAILQ_INSERT_TAIL(&target->plans, plan, entry);
        target_work_wake(planner, target);
        return 0;
}

void target_plan_fail(struct planner *planner, struct target_work *target, enum job_error error,
                      const char *message, struct scan_time now) {
        struct target_plan *plan;

        while ((plan = TAILQ_FIRST(&target->plans))) {
                jobs_task_fail(planner->jobs, plan->job, error, message, now);
                target_plan_free(target, plan);
        }
}

bool target_plan_has(const struct target_work *target) {
        const struct target_plan *plan = TAILQ_FIRST(&target->plans);

        return plan && plan->flying;
}

/* ---- what is written down ---- */

static void note_target(struct planner *planner, struct target_work *target,
                        const struct target_plan *plan, enum plan_action action,
                        const char *reason) {
        struct scsi_address address = {.target = target->address};

        planner_note(planner, jobs_plan(planner->jobs, plan->job, PLAN_TARGET, &address, action,
                                        reason, NULL));
}

static void note_device(struct planner *planner, struct target_work *target,
                        const struct target_plan *plan, uint64_t lun, enum plan_action action,
                        const char *reason, const char *identity) {
        struct scsi_address address = {.target = target->address, .lun = lun};

        planner_note(planner, jobs_plan(planner->jobs, plan->job, PLAN_DEVICE, &address, action,
                                        reason, identity));
}

/* A LUN that is listed, and where nothing is attached. */
static void note_listed(struct planner *planner, struct target_work *target,
                        const struct target_plan *plan, uint64_t lun) {
        enum disposition disposition = admission_of(planner, &target->address, lun, true);
        struct policy_decision decision;
        enum plan_action action = PLAN_LEAVE;

        judge_lun(planner, &target->address, lun, &decision);
        if (planner_driver_discovers(planner, target->address.host)) {
                note_device(planner, target, plan, lun, action,
                            "its host's driver attaches what it finds", NULL);
                return;
        }
        if (!scsi_lun_fits_scan(lun))
                disposition = DISPOSITION_UNWRITABLE;
        if (disposition != DISPOSITION_PENDING && disposition != DISPOSITION_REFUSED) {
                note_device(planner, target, plan, lun, action, disposition_reason(disposition),
                            NULL);
                return;
        }
        switch ((enum policy_action)decision.settings[POLICY_ACTION].value) {
        case POLICY_ATTACH:
                action = PLAN_ATTACH;
                break;
        case POLICY_ASK:
                action = PLAN_LOOK;
                break;
        case POLICY_QUARANTINE:
                action = PLAN_QUARANTINE;
                break;
        case POLICY_IGNORE:
                break;
        }
        note_device(planner, target, plan, lun, action, decision.reason, NULL);
}

/* ---- the devices that are there ---- */

static const struct device *present_device(const struct planner *planner,
                                           const struct target_work *target,
                                           const struct target_plan *plan) {
        struct scsi_address address = {.target = target->address, .lun = plan->devices[plan->next]};

        return topology_device(planner->topology, &address);
}

static bool is_listed(const struct target_plan *plan, uint64_t lun) {
        if (!plan->reported || scsi_lun_is_well_known(lun))
                return true;
        for (size_t i = 0; i < plan->luns.count; i++)
                if (plan->luns.luns[i] == lun)
                        return true;
        return false;
}

static int find_devices(struct planner *planner, struct target_work *target,
                        struct target_plan *plan) {
        const struct target *known = topology_target(planner->topology, &target->address);
        const struct device *device;

        plan->phase = PLANNING_DEVICES;
        plan->next = plan->device_count = 0;
        plan->devices = calloc(known ? known->device_count + 1 : 1, sizeof(*plan->devices));
        if (!plan->devices)
                return -ENOMEM;
        if (known)
                TAILQ_FOREACH (device, &known->devices, entry)
                        plan->devices[plan->device_count++] = device->address.lun;
        return 0;
}

static void seen_other(struct planner *planner, struct target_work *target,
                       const struct target_plan *plan, const struct device *device,
                       const char *now) {
        bool unused = !device->facts.holders[0] &&
                      !planner_driver_discovers(planner, target->address.host);
        bool reattach = unused && judge_of_itself(planner, device, POLICY_WHEN_REPLACED);
        char reason[2 * SCSI_IDENTITY_MAX + 64];

        snprintf(reason, sizeof(reason), "it was attached as %s, and is %s now%s",
                 device->identity.name ?: "one without a name", now,
                 unused ? "" : "; it is in use");
        note_device(planner, target, plan, device->address.lun,
                    reattach ? PLAN_REATTACH : PLAN_STOP, reason, now);
}

static void seen_identity(struct planner *planner, struct target_work *target,
                          const struct target_plan *plan, const struct device *device,
                          const struct observation *observation) {
        uint64_t lun = device->address.lun;

        if (observation->observed != OBSERVED_GOOD || observation->identity.count == 0)
                note_device(planner, target, plan, lun, PLAN_READ_AGAIN,
                            observation->observed == OBSERVED_DEVICE
                                    ? scsi_outcome_name(observation->outcome)
                                    : "it did not say who it is",
                            device->identity.name);
        else if (device->identity.count > 0 &&
                 !scsi_identity_equal(&device->identity, &observation->identity))
                seen_other(planner, target, plan, device, observation->identity.name ?: "");
        else
                note_device(planner, target, plan, lun, PLAN_KEEP, "it is the one that it was",
                            observation->identity.name);
}

static void seen_inquiry(struct planner *planner, struct target_work *target,
                         const struct target_plan *plan, const struct device *device,
                         const struct observation *observation) {
        bool denies = device_denies_itself(&device->facts, observation);
        enum plan_action action = PLAN_KEEP;
        const char *reason = "its target does not list it, and it has not said that it is gone";

        if (denies && device->standing != STANDING_MISSING) {
                action = PLAN_CONFIRM;
                reason = "its target does not list it, and it says so itself";
        } else if (denies && plan->remove && !device->facts.holders[0] &&
                   !planner_driver_discovers(planner, target->address.host) &&
                   judge_of_itself(planner, device, POLICY_WHEN_MISSING)) {
                action = PLAN_DETACH;
                reason = "it has said twice that it is gone, and nobody uses it";
        } else if (denies) {
                reason = "it has said twice that it is gone, and is in use, or not to be removed";
        }
        note_device(planner, target, plan, device->address.lun, action, reason,
                    device->identity.name);
}

/* ---- steps ---- */

/* A device that cannot be asked, or need not be. */
static bool note_unasked(struct planner *planner, struct target_work *target,
                         const struct target_plan *plan, const struct device *device) {
        uint64_t lun = device->address.lun;
        const char *reason = NULL;

        if (device->standing == STANDING_REPLACED)
                reason = "it is replaced, and waits to be accepted";
        else if (device->standing == STANDING_QUARANTINED)
                reason = "it is quarantined, and waits to be accepted";
        else if (!device_facts_may_answer(&device->facts))
                reason = "it is not running, or has no sg node: it cannot be asked";
        else if (is_listed(plan, lun) && !plan->verify)
                reason = "nobody asked who it is";
        else if (is_listed(plan, lun) && !device->facts.has_device_id)
                reason = "it has no name by which it could be told apart";
        if (!reason)
                return false;
        note_device(planner, target, plan, lun, PLAN_KEEP, reason, device->identity.name);
        return true;
}

static bool devices_next(struct planner *planner, struct target_work *target,
                         struct target_plan *plan, struct step *ret) {
        for (; plan->next < plan->device_count; plan->next++) {
                const struct device *device = present_device(planner, target, plan);

                if (!device || note_unasked(planner, target, plan, device))
                        continue;
                *ret = target_scan_step(planner, target,
                                        is_listed(plan, device->address.lun) ? STEP_READ_IDENTITY
                                                                             : STEP_INQUIRE,
                                        device->address.lun);
                return true;
        }
        return false;
}

static void plan_begin(struct planner *planner, struct target_work *target,
                       struct target_plan *plan) {
        const struct device *device = target_scan_foothold(planner, target);
        struct scan_rules rules;

        plan->begun = true;
        if (!device) {
                planner_note(planner, find_devices(planner, target, plan));
                note_target(planner, target, plan,
                            judge_ignores(planner, &target->address) ? PLAN_NOTHING : PLAN_CONTACT,
                            judge_ignores(planner, &target->address)
                                    ? "the policy ignores all of it"
                                    : "nothing is attached there that it could be asked through");
                return;
        }
        rules = target_scan_rules(planner, device);
        if (rules.method != SCAN_REPORT_LUNS) {
                planner_note(planner, find_devices(planner, target, plan));
                note_target(planner, target, plan,
                            rules.method == SCAN_SEQUENTIAL ? PLAN_COUNT_UP : PLAN_NOTHING,
                            rules.reason);
                return;
        }
        plan->phase = PLANNING_ASK;
        plan->lun = device->address.lun;
        plan->allocation = target_scan_first_allocation(planner, target);
}

enum offer target_plan_next(struct planner *planner, struct target_work *target,
                            struct scan_time now, struct step *ret) {
        struct target_plan *plan;

        while ((plan = TAILQ_FIRST(&target->plans))) {
                if (!plan->begun)
                        plan_begin(planner, target, plan);
                if (jobs_want(planner->jobs, plan->job) && plan->phase == PLANNING_ASK) {
                        *ret = target_scan_step(planner, target, STEP_REPORT_LUNS, plan->lun);
                        ret->allocation_length = plan->allocation;
                } else if (!jobs_want(planner->jobs, plan->job) ||
                           !devices_next(planner, target, plan, ret)) {
                        jobs_task_end(planner->jobs, plan->job, now);
                        target_plan_free(target, plan);
                        continue;
                }
                plan->flying = true;
                return OFFER_STEP;
        }
        return OFFER_NONE;
}

/* ---- what came of them ---- */

static int seen_luns(struct planner *planner, struct target_work *target, struct target_plan *plan,
                     struct observation *observation) {
        const struct scsi_lun_list *list = &observation->luns;

        if (target_scan_ask_for_all(list, &plan->allocation, &plan->asked))
                return 0;
        plan->luns = *list;
        observation->luns = (struct scsi_lun_list){};
        plan->reported = true;
        for (size_t i = 0; i < plan->luns.count; i++)
                if (lun_filter_has(&plan->filter, plan->luns.luns[i]) &&
                    !target_scan_is_attached(planner, target, plan->luns.luns[i]))
                        note_listed(planner, target, plan, plan->luns.luns[i]);
        planner_planned(planner, &target->address, plan->luns.luns, plan->luns.count);
        return find_devices(planner, target, plan);
}

static int seen_ask(struct planner *planner, struct target_work *target, struct target_plan *plan,
                    struct observation *observation) {
        char reason[120];

        if (observation->observed == OBSERVED_GOOD)
                return seen_luns(planner, target, plan, observation);
        snprintf(reason, sizeof(reason), "REPORT LUNS through LUN %llu: %s",
                 (unsigned long long)plan->lun,
                 observation->observed == OBSERVED_DEVICE ? scsi_outcome_name(observation->outcome)
                                                          : observed_name(observation->observed));
        note_target(planner, target, plan, PLAN_READ_AGAIN, reason);
        return find_devices(planner, target, plan);
}

int target_plan_observe(struct planner *planner, struct target_work *target,
                        struct observation *observation) {
        struct target_plan *plan = TAILQ_FIRST(&target->plans);
        const struct device *device;

        plan->flying = false;
        if (planner_retries(planner, observation, &plan->tries))
                return 0;
        plan->tries = 0;
        if (plan->phase == PLANNING_ASK)
                return seen_ask(planner, target, plan, observation);
        device = present_device(planner, target, plan);
        if (device && observation->step.kind == STEP_READ_IDENTITY)
                seen_identity(planner, target, plan, device, observation);
        else if (device)
                seen_inquiry(planner, target, plan, device, observation);
        plan->next++;
        return 0;
}
