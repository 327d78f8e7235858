/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "scan/device_work.h"

/* ---- into the topology ---- */

static void count_device(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);
        enum summary_field field = SUMMARY_UNCHANGED;

        if (turn->work->now.attached && !known)
                field = SUMMARY_ATTACHED;
        else if (known && device_difference(known, &turn->work->now.fact) != 0)
                field = SUMMARY_CHANGED;
        if (field != SUMMARY_UNCHANGED)
                turn->target->scan.changed = true;
        if (turn->work->now.order)
                device_order_done(turn, field);
        else
                jobs_count(turn->planner->jobs, turn->work->now.jobs, field);
}

/* Who it was attached as: what we read first; of one we have not seen since we started, what we
 * remember of this very kernel object, else what the kernel read when it attached it. */
const struct scsi_identity *device_identity_before(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);
        const struct device_facts *facts = &turn->work->now.fact.device;
        struct scsi_address address = device_turn_address(turn);
        const struct memory_entry *entry;

        if (known && known->standing == STANDING_REPLACED)
                return &known->was;
        if (known && known->identity.count > 0)
                return &known->identity;
        entry = planner_recall(turn->planner, &address);
        if (entry && entry->mark.instance == facts->instance && entry->identity.count > 0)
                return &entry->identity;
        return &facts->attached_as;
}

/* Swapped between two boots, or while nobody watched a port come and go: what is attached is what
 * it says, but not what it was. */
static int tell_swapped(const struct device_turn *turn) {
        const struct scsi_identity *now = &turn->work->now.fact.identity;
        struct scsi_address address = device_turn_address(turn);
        const struct memory_entry *entry;

        if (device_turn_known(turn) || now->count == 0)
                return 0;
        entry = planner_recall(turn->planner, &address);
        if (!entry || entry->mark.instance != 0 || entry->identity.count == 0 ||
            scsi_identity_equal(&entry->identity, now))
                return 0;
        return device_guard_tell(turn, &entry->identity, false);
}

/* Only what the kernel knows a size of can have another. */
static bool may_measure(const struct device_turn *turn) {
        const struct device *device = device_turn_known(turn);

        return device && device->facts.size > 0 && device->standing == STANDING_PRESENT;
}

/* That it grew may have been said when nobody listened: before the service started, or while it
 * could not be asked, which lets a refresh fail as well. Whom we attach just now the kernel has
 * just measured. */
static bool may_have_grown(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);

        return turn->work->now.fact.standing == STANDING_PRESENT && !turn->work->now.order &&
               (known ? known->standing == STANDING_UNVERIFIED : !turn->work->now.attached);
}

int device_look_commit(const struct device_turn *turn) {
        struct fact *fact = &turn->work->now.fact;
        struct scsi_address address = device_turn_address(turn);
        bool released;
        int r;

        fact->kind = FACT_DEVICE;
        fact->now = turn->now.monotonic;
        fact->address = address;
        if (device_order_named(turn) || device_judge(turn))
                return 0;
        turn->work->now.measure |= may_have_grown(turn);
        count_device(turn);
        released = device_guard_is_released(turn);
        r = tell_swapped(turn);
        if (r < 0)
                return r;
        r = planner_apply(turn->planner, fact);
        if (r < 0)
                return r;
        if (released && device_guard_release(turn))
                return 0;
        if (turn->work->now.measure && may_measure(turn)) {
                device_turn_stage(turn, DEVICE_MEASURE);
                return 0;
        }
        /* Not listed by its target, it has to speak for itself. */
        if (turn->work->now.suspect) {
                device_turn_stage(turn, DEVICE_INQUIRE);
                return 0;
        }
        return device_turn_finish(turn);
}

int device_look_named(const struct device_turn *turn) {
        if (!turn->work->now.fact.device.has_serial)
                return device_look_commit(turn);
        device_turn_stage(turn, DEVICE_SERIAL);
        return 0;
}

/* Seen before the service started again, and silent now: it is what it was, as far as anybody
 * knows, and one that was stopped is still not to be trusted. */
static int recall(const struct device_turn *turn) {
        struct fact *fact = &turn->work->now.fact;
        struct scsi_address address = device_turn_address(turn);
        const struct memory_entry *entry = planner_recall(turn->planner, &address);

        if (!entry || entry->mark.instance != fact->device.instance)
                return 0;
        if (entry->mark.standing >= STANDING_REPLACED)
                fact->standing = entry->mark.standing;
        return scsi_identity_copy(&entry->identity, entry->mark.standing == STANDING_REPLACED
                                                            ? &fact->was
                                                            : &fact->identity);
}

/* What is known stays, what is not is unverified. */
int device_look_unnamed(const struct device_turn *turn, enum standing standing) {
        const struct device *known = device_turn_same(turn);
        struct fact *fact = &turn->work->now.fact;
        int r;

        scsi_identity_done(&fact->identity);
        scsi_identity_done(&fact->was);
        fact->standing = standing;
        if (!known) {
                r = recall(turn);
                if (r < 0)
                        return r;
        } else {
                r = scsi_identity_copy(&known->identity, &fact->identity);
                if (r >= 0)
                        r = scsi_identity_copy(&known->was, &fact->was);
                if (r < 0)
                        return r;
                memcpy(fact->serial, known->serial, sizeof(fact->serial));
                /* Silence does not clear anybody of having been replaced, or gone. */
                if (standing == STANDING_PRESENT || known->standing >= STANDING_MISSING)
                        fact->standing = known->standing;
        }
        return device_look_commit(turn);
}

/* ---- attributes ---- */

/* Of one without identity only INQUIRY tells whether it is there again. */
static int look_nameless(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);

        if (known && known->standing == STANDING_MISSING && !turn->work->now.order) {
                turn->work->now.suspect = true;
                return device_look_unnamed(turn, STANDING_PRESENT);
        }
        return device_look_known(turn);
}

int device_look_facts(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);
        const struct device_facts *facts = &turn->work->now.fact.device;
        bool ask;

        if (turn->work->now.identified)
                return device_look_named(turn);
        if (device_order_looked(turn) || device_judge_again(turn))
                return 0;
        ask = turn->work->now.identify || turn->work->now.order ||
              (known && known->standing == STANDING_REPLACED);
        if (known && known->standing != STANDING_UNVERIFIED && !ask)
                return device_look_unnamed(turn, STANDING_PRESENT);
        if (!device_facts_may_answer(facts)) {
                device_order_unanswered(turn);
                return device_look_unnamed(turn, STANDING_UNVERIFIED);
        }
        turn->work->now.fact.standing = STANDING_PRESENT;
        if (!facts->has_device_id)
                return look_nameless(turn);
        device_turn_stage(turn, DEVICE_IDENTIFY);
        return 0;
}

static int look_gone(const struct device_turn *turn) {
        struct fact fact = {.kind = FACT_DEVICE_GONE, .address = device_turn_address(turn)};
        int r;

        turn->target->scan.changed |= device_turn_known(turn) != NULL;
        r = planner_apply(turn->planner, &fact);
        if (turn->work->now.order)
                device_order_fail(turn, JOB_ERROR_NOT_FOUND, "it is no longer there");
        return r < 0 ? r : device_turn_finish(turn);
}

int device_look_observe(const struct device_turn *turn) {
        struct observation *observation = turn->observation;

        switch (observation->observed) {
        case OBSERVED_GOOD:
                device_facts_done(&turn->work->now.fact.device);
                turn->work->now.fact.device = observation->device;
                observation->device = (struct device_facts){};
                return device_look_facts(turn);
        case OBSERVED_GONE:
                return look_gone(turn);
        default:
                if (turn->work->now.order)
                        return device_order_failed(turn);
                jobs_count(turn->planner->jobs, turn->work->now.jobs, SUMMARY_FAILED);
                return device_turn_finish(turn);
        }
}

/* ---- identity ---- */

/* Who is the same has the same serial: verifying a thousand units is a thousand commands, and not
 * two. */
static bool known_by_name(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);
        struct fact *fact = &turn->work->now.fact;

        if (!known || known->standing != STANDING_PRESENT ||
            !scsi_identity_equal(&known->identity, &fact->identity))
                return false;
        memcpy(fact->serial, known->serial, sizeof(fact->serial));
        return true;
}

int device_look_known(const struct device_turn *turn) {
        turn->work->now.identified = true;
        if (device_order_known(turn))
                return 0;
        return known_by_name(turn) ? device_look_commit(turn) : device_look_named(turn);
}

int device_look_answered(const struct device_turn *turn) {
        turn->work->now.fact.identity = turn->observation->identity;
        turn->observation->identity = (struct scsi_identity){};
        return device_look_known(turn);
}

int device_look_unanswered(const struct device_turn *turn) {
        device_order_unanswered(turn);
        return device_look_unnamed(turn, STANDING_UNVERIFIED);
}

int device_identify_observe(const struct device_turn *turn) {
        struct observation *observation = turn->observation;
        const struct scsi_identity *before = device_identity_before(turn);

        if (turn->work->now.order && turn->work->now.order->operation == JOB_ACCEPT)
                return device_order_accept_observe(turn);
        if (observation->observed == OBSERVED_DEVICE &&
            observation->outcome == SCSI_OUTCOME_NOT_SUPPORTED && before->count == 0)
                return device_look_known(turn); /* it has none; one that had cannot lose it */
        /* No answer says nothing, and neither does a page that names no logical unit. */
        if (observation->observed != OBSERVED_GOOD ||
            (observation->identity.count == 0 && before->count > 0))
                return device_look_unanswered(turn);
        if (before->count > 0 && !scsi_identity_equal(before, &observation->identity))
                return device_guard_differs(turn);
        return device_look_answered(turn);
}

int device_serial_observe(const struct device_turn *turn) {
        const struct device *known = device_turn_same(turn);
        struct fact *fact = &turn->work->now.fact;

        if (turn->observation->observed == OBSERVED_GOOD)
                memcpy(fact->serial, turn->observation->serial, sizeof(fact->serial));
        else if (known)
                memcpy(fact->serial, known->serial, sizeof(fact->serial));
        return device_look_commit(turn);
}

/* The service is only to tell: once for each size. */
static int tell_grown(const struct device_turn *turn, struct device *device, uint64_t capacity) {
        struct notice *notice;

        if (device->measured == capacity || !device->unit)
                return 0;
        device->measured = capacity;
        notice = planner_notice(turn->planner, NOTICE_CAPACITY, &device->address);
        if (!notice)
                return -ENOMEM;
        notice->identity = strdup(device->unit->identity);
        notice->size_was = device->facts.size;
        notice->size = capacity;
        return notice->identity ? 0 : -ENOMEM;
}

/* Some arrays say of a unit that grew only that something has changed. */
int device_measure_observe(const struct device_turn *turn) {
        struct device *device = device_turn_known(turn);
        struct scsi_address address = device_turn_address(turn);
        uint64_t capacity = turn->observation->capacity;
        int r = 0;

        if (!device || turn->observation->observed != OBSERVED_GOOD ||
            capacity == device->facts.size)
                return device_turn_finish(turn);
        if (judge_of_itself(turn->planner, device, POLICY_WHEN_GROWN)) {
                turn->target->scan.changed = true;
                r = planner_refresh_paths(turn->planner, &address, turn->now);
        } else {
                r = tell_grown(turn, device, capacity);
        }
        return r < 0 ? r : device_turn_finish(turn);
}
