/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/work.h"

static struct device_work *work_find(struct target_work *target, uint64_t lun) {
        struct device_work *work;

        HASH_FIND(hh, target->by_lun, &lun, sizeof(lun), work);
        return work;
}

static struct scsi_address work_address(const struct target_work *target,
                                        const struct device_work *work) {
        return (struct scsi_address){.target = target->address, .lun = work->lun};
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
        HASH_ADD(hh, target->by_lun, lun, sizeof(work->lun), work);
        if (urgent)
                TAILQ_INSERT_HEAD(&target->devices, work, entry);
        else
                TAILQ_INSERT_TAIL(&target->devices, work, entry);
        target_work_wake(planner, target);
        return work;
}

static void work_drop(struct target_work *target, struct device_work *work) {
        HASH_DEL(target->by_lun, work);
        TAILQ_REMOVE(&target->devices, work, entry);
        device_facts_done(&work->fact.device);
        scsi_identity_done(&work->fact.identity);
        free(work);
}

void device_work_clear(struct target_work *target) {
        while (!TAILQ_EMPTY(&target->devices))
                work_drop(target, TAILQ_FIRST(&target->devices));
}

int device_work_look(struct planner *planner, struct target_work *target, uint64_t lun) {
        struct device_work *work = work_get(planner, target, lun, true);

        if (!work)
                return -ENOMEM;
        /* What is already under way with it may be older than what we were just told. */
        if (work->flying || work->stage != DEVICE_LOOK)
                work->again = true;
        return 0;
}

int device_work_verify(struct planner *planner, struct target_work *target, uint64_t lun,
                       bool identity, job_mask jobs) {
        struct device_work *work = work_get(planner, target, lun, false);

        if (!work)
                return -ENOMEM;
        work->verify |= identity;
        work->jobs |= jobs;
        return 0;
}

/* ---- the end of the work on one device ---- */

static void work_finish(struct planner *planner, struct target_work *target,
                        struct device_work *work) {
        jobs_advance(planner->jobs, work->jobs, 1);
        if (!work->again) {
                work_drop(target, work);
                return;
        }
        device_facts_done(&work->fact.device);
        scsi_identity_done(&work->fact.identity);
        work->fact = (struct fact){};
        work->stage = DEVICE_LOOK;
        work->again = work->attached = work->verify = false;
        work->tries = 0;
        work->jobs = 0;
}

static int work_gone(struct planner *planner, struct target_work *target,
                     struct device_work *work) {
        struct fact fact = {.kind = FACT_DEVICE_GONE, .address = work_address(target, work)};
        int r = planner_apply(planner, &fact);

        work_finish(planner, target, work);
        return r;
}

static void work_count(struct planner *planner, const struct device_work *work,
                       const struct device *known) {
        enum summary_field field = SUMMARY_UNCHANGED;

        if (work->attached && !known)
                field = SUMMARY_ATTACHED;
        else if (known && device_difference(known, &work->fact) != 0)
                field = SUMMARY_CHANGED;
        jobs_count(planner->jobs, work->jobs, field);
}

static int work_commit(struct planner *planner, struct target_work *target,
                       struct device_work *work, const struct device *known) {
        int r;

        work->fact.kind = FACT_DEVICE;
        work->fact.address = work_address(target, work);
        work_count(planner, work, known);
        r = planner_apply(planner, &work->fact);
        work_finish(planner, target, work);
        return r;
}

/* The device as it is known, when the one that was just looked at is that very one. */
static struct device *known_device(struct planner *planner, const struct target_work *target,
                                   const struct device_work *work) {
        struct scsi_address address = work_address(target, work);
        struct device *device = topology_device(planner->topology, &address);

        return device && device->facts.instance == work->fact.device.instance ? device : NULL;
}

/* Nothing new was learnt about who it is: what is known stays, what is not is unverified. */
static int work_keep_identity(struct planner *planner, struct target_work *target,
                              struct device_work *work, enum standing standing) {
        const struct device *known = known_device(planner, target, work);
        int r;

        scsi_identity_done(&work->fact.identity);
        work->fact.standing = standing;
        if (known) {
                r = scsi_identity_copy(&known->identity, &work->fact.identity);
                if (r < 0)
                        return r;
                memcpy(work->fact.serial, known->serial, sizeof(work->fact.serial));
                if (known->standing == STANDING_REPLACED || standing == STANDING_PRESENT)
                        work->fact.standing = known->standing;
        }
        return work_commit(planner, target, work, known);
}

/* ---- what was seen ---- */

static bool may_answer(const struct device_facts *facts) {
        return strcmp(facts->state, "running") == 0;
}

static int seen_facts(struct planner *planner, struct target_work *target,
                      struct device_work *work) {
        const struct device *known = known_device(planner, target, work);
        const struct device_facts *facts = &work->fact.device;
        bool asked_before = known && known->standing != STANDING_UNVERIFIED && !work->verify;

        work->tries = 0;
        if (asked_before)
                return work_keep_identity(planner, target, work, STANDING_PRESENT);
        if (!may_answer(facts) || !facts->generic[0])
                return work_keep_identity(planner, target, work, STANDING_UNVERIFIED);
        work->fact.standing = STANDING_PRESENT;
        if (facts->has_device_id)
                work->stage = DEVICE_IDENTIFY;
        else if (facts->has_serial)
                work->stage = DEVICE_SERIAL;
        else
                return work_commit(planner, target, work, known);
        return 0;
}

int device_work_attached(struct planner *planner, struct target_work *target, uint64_t lun,
                         struct device_facts *facts, job_mask jobs) {
        bool told = work_find(target, lun) != NULL;
        struct device_work *work = work_get(planner, target, lun, true);

        if (!work)
                return -ENOMEM;
        device_facts_done(&work->fact.device);
        scsi_identity_done(&work->fact.identity);
        work->fact = (struct fact){.device = *facts};
        *facts = (struct device_facts){};
        work->attached = true;
        /* These facts may be older than what we were told while the kernel attached it. */
        work->again |= told;
        work->jobs |= jobs;
        return seen_facts(planner, target, work);
}

static int seen_look(struct planner *planner, struct target_work *target, struct device_work *work,
                     struct observation *observation) {
        switch (observation->observed) {
        case OBSERVED_GOOD:
                device_facts_done(&work->fact.device);
                work->fact.device = observation->device;
                observation->device = (struct device_facts){};
                return seen_facts(planner, target, work);
        case OBSERVED_GONE:
                return work_gone(planner, target, work);
        default:
                jobs_count(planner->jobs, work->jobs, SUMMARY_FAILED);
                work_finish(planner, target, work);
                return 0;
        }
}

static int seen_identity(struct planner *planner, struct target_work *target,
                         struct device_work *work, struct observation *observation) {
        const struct device *known = known_device(planner, target, work);

        if (observation->observed == OBSERVED_GOOD) {
                work->fact.identity = observation->identity;
                observation->identity = (struct scsi_identity){};
                if (known && known->identity.name && known->identity.name[0] &&
                    (known->standing == STANDING_REPLACED ||
                     !scsi_identity_equal(&known->identity, &work->fact.identity)))
                        work->fact.standing = STANDING_REPLACED;
        } else if (observation->observed != OBSERVED_DEVICE ||
                   observation->outcome != SCSI_OUTCOME_NOT_SUPPORTED) {
                /* No answer says nothing about who it is. */
                return work_keep_identity(planner, target, work, STANDING_UNVERIFIED);
        }
        work->tries = 0;
        if (!work->fact.device.has_serial)
                return work_commit(planner, target, work, known);
        work->stage = DEVICE_SERIAL;
        return 0;
}

static int seen_serial(struct planner *planner, struct target_work *target,
                       struct device_work *work, struct observation *observation) {
        const struct device *known = known_device(planner, target, work);

        if (observation->observed == OBSERVED_GOOD)
                memcpy(work->fact.serial, observation->serial, sizeof(work->fact.serial));
        else if (known)
                memcpy(work->fact.serial, known->serial, sizeof(work->fact.serial));
        return work_commit(planner, target, work, known);
}

/* A unit attention, BUSY or a lost worker says nothing about the device: ask again, not for ever.
 */
static bool may_retry(const struct planner *planner, const struct device_work *work,
                      const struct observation *observation) {
        if (work->tries >= planner->limits->retries)
                return false;
        return observation->observed == OBSERVED_LOST ||
               (observation->observed == OBSERVED_DEVICE &&
                (observation->outcome == SCSI_OUTCOME_UNIT_ATTENTION ||
                 observation->outcome == SCSI_OUTCOME_BUSY));
}

int device_work_observe(struct planner *planner, struct target_work *target,
                        struct observation *observation) {
        struct device_work *work = work_find(target, observation->step.address.lun);

        if (!work || !work->flying)
                return 0; /* given up meanwhile: its host got stuck, or went */
        work->flying = false;
        if (may_retry(planner, work, observation)) {
                work->tries++;
                planner_count(planner, COUNTER_RETRIES);
                return 0;
        }
        switch (work->stage) {
        case DEVICE_LOOK:
                return seen_look(planner, target, work, observation);
        case DEVICE_IDENTIFY:
                return seen_identity(planner, target, work, observation);
        case DEVICE_SERIAL:
                return seen_serial(planner, target, work, observation);
        }
        return 0;
}

void device_work_next(struct planner *planner, struct target_work *target, struct step *ret) {
        static const enum step_kind kinds[] = {
                [DEVICE_LOOK] = STEP_READ_DEVICE,
                [DEVICE_IDENTIFY] = STEP_READ_IDENTITY,
                [DEVICE_SERIAL] = STEP_READ_SERIAL,
        };
        struct device_work *work = TAILQ_FIRST(&target->devices);

        assert(work && !work->flying);
        work->flying = true;
        *ret = (struct step){
                .kind = kinds[work->stage],
                .address = work_address(target, work),
                .timeout_ms = planner->limits->command_timeout_ms,
        };
}
