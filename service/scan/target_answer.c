/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "scan/target_scan.h"

static int attached(struct planner *planner, struct target_work *target,
                    struct observation *observation) {
        return device_work_attached(planner, target, observation->step.address.lun,
                                    &observation->device, target->scan.order.jobs);
}

static int seen_contact(struct planner *planner, struct target_work *target,
                        struct observation *observation, struct scan_time now) {
        struct target_scan *scan = &target->scan;
        uint64_t lun = target_scan_contact_lun(scan);

        switch (observation->observed) {
        case OBSERVED_GOOD:
                /* Once its identity is read, choose. */
                scan->phase = PHASE_CHOOSE;
                scan->contact++;
                scan->in_range = true;
                jobs_expect(planner->jobs, scan->order.jobs, 1);
                return attached(planner, target, observation);
        case OBSERVED_OUT_OF_RANGE:
                if (!scan->in_range && lun <= target->host->lun_taken)
                        return target_scan_leave(planner, target, CONTACT_OUT_OF_RANGE, now);
                scan->contact++;
                return 0;
        case OBSERVED_NOT_ATTACHED:
                scan->in_range = true;
                scan->contact++;
                return 0;
        case OBSERVED_ERROR:
                /* Hosts refuse the well-known unit in their own ways; anything else is an error. */
                if (lun != SCSI_WLUN_REPORT_LUNS)
                        break;
                scan->contact++;
                return 0;
        default:
                break;
        }
        return target_scan_fail_observed(planner, target, observation, now);
}

static int seen_wildcard(struct planner *planner, struct target_work *target,
                         struct observation *observation, struct scan_time now) {
        if (observation->observed == OBSERVED_OUT_OF_RANGE)
                return target_scan_leave(planner, target, CONTACT_OUT_OF_RANGE, now);
        if (observation->observed != OBSERVED_GOOD)
                return target_scan_fail_observed(planner, target, observation, now);
        target->scan.phase = PHASE_LISTING;
        target_scan_contact_over(&target->scan);
        planner_want_list(planner, 0);
        return 0;
}

static bool is_new_list(const struct planner *planner, const struct target_work *target) {
        const struct target *known = topology_target(planner->topology, &target->address);
        const struct target_scan *scan = &target->scan;

        if (!known || known->lun_count != scan->lun_count)
                return true;
        for (size_t i = 0; i < scan->lun_count; i++)
                if (known->luns[i].lun != scan->luns[i].lun)
                        return true;
        return false;
}

/* What is to become of a LUN that is listed and not attached. */
static enum disposition becomes(struct planner *planner, const struct target_work *target,
                                uint64_t lun) {
        const struct scan_order *order = &target->scan.order;
        const struct scsi_address address = {.target = target->address, .lun = lun};
        bool request = lun_filter_has(&order->asked, lun);
        enum disposition disposition;

        if (request && !order->asked.all)
                admission_release(planner, &address); /* somebody wants that very one looked at */
        disposition = admission_of(planner, &target->address, lun, request);

        if (disposition != DISPOSITION_PENDING)
                return disposition;
        return order->attach && lun_filter_has(&order->filter, lun) ? DISPOSITION_PENDING
                                                                    : DISPOSITION_OBSERVED;
}

struct queued {
        size_t index;
        int32_t order;
};

static int queued_compare(const void *a, const void *b) {
        const struct queued *x = a, *y = b;

        if (x->order != y->order)
                return x->order < y->order ? -1 : 1;
        return (x->index > y->index) - (x->index < y->index);
}

/* In the order that the policy wants, else that of the LUNs. */
static int queue_luns(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;
        bool ordered = policy_rule_count(planner->policy) > 0;
        _cleanup_(freep) struct queued *queued = calloc(scan->lun_count + 1, sizeof(*queued));

        free(scan->queue);
        scan->queue = calloc(scan->lun_count + 1, sizeof(*scan->queue));
        if (!queued || !scan->queue)
                return -ENOMEM;
        for (size_t i = 0; i < scan->lun_count; i++) {
                queued[i].index = i;
                if (ordered && scan->luns[i].disposition == DISPOSITION_PENDING)
                        queued[i].order =
                                judge_lun_order(planner, &target->address, scan->luns[i].lun);
        }
        qsort(queued, scan->lun_count, sizeof(*queued), queued_compare);
        for (size_t i = 0; i < scan->lun_count; i++)
                scan->queue[i] = queued[i].index;
        return 0;
}

/* Takes the list over, ascending, with what is to become of each. */
static int take_luns(struct planner *planner, struct target_work *target,
                     const struct scsi_lun_list *list) {
        struct target_scan *scan = &target->scan;
        uint32_t todo = 0;
        int r;

        free(scan->luns);
        scan->luns = calloc(list->count + 1, sizeof(*scan->luns));
        if (!scan->luns)
                return -ENOMEM;
        scan->lun_count = list->count;
        scan->reported = true;
        for (size_t i = 0; i < list->count; i++) {
                struct target_lun *lun = &scan->luns[i];

                lun->lun = list->luns[i];
                if (target_scan_is_attached(planner, target, lun->lun))
                        lun->disposition = DISPOSITION_ATTACHED;
                else if (!scsi_lun_fits_scan(lun->lun))
                        lun->disposition = DISPOSITION_UNWRITABLE;
                else
                        lun->disposition = becomes(planner, target, lun->lun);
                todo += lun->disposition == DISPOSITION_PENDING;
        }
        r = queue_luns(planner, target);
        if (r < 0)
                return r;
        admission_listed(planner, &target->address, scan->luns, scan->lun_count);
        jobs_expect(planner->jobs, scan->order.jobs, todo);
        scan->phase = PHASE_ATTACH;
        scan->next = 0;
        scan->listed_anew = is_new_list(planner, target);
        /* Before the first of them is attached: what is listed is not to look as if it were not. */
        return target_scan_publish_luns(planner, target);
}

static int seen_luns(struct planner *planner, struct target_work *target,
                     const struct scsi_lun_list *list) {
        struct target_scan *scan = &target->scan;

        if (target_scan_ask_for_all(list, &scan->allocation, &scan->asked))
                return 0;
        if (scan->order.planned &&
            !planner_is_planned(planner, &target->address, list->luns, list->count))
                return target_scan_stale(planner, target);
        if (scan->order.planned)
                planner_planned_forget(planner, &target->address);
        return take_luns(planner, target, list);
}

/* The target does not know REPORT LUNS here: the well-known unit may, else count upwards. */
static int seen_no_report_luns(struct planner *planner, struct target_work *target) {
        char flags[POLICY_FLAGS_MAX];
        struct target_scan *scan = &target->scan;
        struct scsi_address address = {.target = target->address, .lun = scan->lun};
        const struct device *device = topology_device(planner->topology, &address);

        if (scan->lun != 0 && scan->lun != SCSI_WLUN_REPORT_LUNS && scan->order.attach &&
            !scan->foothold_tried &&
            admission_of(planner, &target->address, SCSI_WLUN_REPORT_LUNS, scan->order.asked.all) ==
                    DISPOSITION_PENDING) {
                scan->foothold_tried = true;
                scan->phase = PHASE_FOOTHOLD;
                return 0;
        }
        scan->rules = policy_scan_rules_sequential(
                device ? device->facts.scsi_level : 0,
                policy_quirk_flags(planner->policy, device ? device->facts.vendor : NULL,
                                   device ? device->facts.model : NULL,
                                   device ? device->facts.blacklist : NULL, flags, NULL));
        return target_scan_count_up(planner, target);
}

static int seen_ask(struct planner *planner, struct target_work *target,
                    struct observation *observation, struct scan_time now) {
        struct target_scan *scan = &target->scan;

        switch (observation->observed) {
        case OBSERVED_GOOD:
                return seen_luns(planner, target, &observation->luns);
        case OBSERVED_GONE:
                /* The device that we asked through went away: look, and ask through another. */
                if (++scan->chosen > CHOSEN_MAX)
                        break;
                scan->phase = PHASE_CHOOSE;
                return device_work_look(planner, target, observation->step.address.lun);
        case OBSERVED_DEVICE:
                if (observation->outcome == SCSI_OUTCOME_NOT_SUPPORTED)
                        return seen_no_report_luns(planner, target);
                /* Who asked the same port again would wait again. */
                if (observation->outcome == SCSI_OUTCOME_TIMEOUT)
                        break;
                return target_scan_refused(planner, target, observation, now);
        default:
                break;
        }
        return target_scan_fail_observed(planner, target, observation, now);
}

static int seen_foothold(struct planner *planner, struct target_work *target,
                         struct observation *observation, struct scan_time now) {
        if (observation->observed == OBSERVED_STUCK)
                return target_scan_fail_observed(planner, target, observation, now);
        if (observation->observed != OBSERVED_GOOD)
                return seen_no_report_luns(planner, target);
        target->scan.phase = PHASE_CHOOSE;
        jobs_expect(planner->jobs, target->scan.order.jobs, 1);
        return attached(planner, target, observation);
}

static int seen_attach(struct planner *planner, struct target_work *target,
                       struct observation *observation, struct scan_time now) {
        struct target_scan *scan = &target->scan;
        struct target_lun *lun = target_scan_lun(scan);

        switch (observation->observed) {
        case OBSERVED_GOOD:
                lun->disposition = DISPOSITION_ATTACHED;
                scan->next++;
                return attached(planner, target, observation);
        case OBSERVED_OUT_OF_RANGE:
                lun->disposition = DISPOSITION_OUT_OF_RANGE;
                break;
        case OBSERVED_NOT_ATTACHED:
                lun->disposition = DISPOSITION_NOT_ATTACHED;
                break;
        case OBSERVED_STUCK:
        case OBSERVED_GONE:
                return target_scan_fail_observed(planner, target, observation, now);
        default:
                lun->disposition = DISPOSITION_FAILED;
                break;
        }
        /* One bad LUN does not end the rest. */
        jobs_count(planner->jobs, scan->order.jobs, SUMMARY_FAILED);
        jobs_advance(planner->jobs, scan->order.jobs, 1);
        scan->next++;
        return 0;
}

static int seen_sequential(struct planner *planner, struct target_work *target,
                           struct observation *observation, struct scan_time now) {
        struct target_scan *scan = &target->scan;

        switch (observation->observed) {
        case OBSERVED_GOOD:
                jobs_expect(planner->jobs, scan->order.jobs, 1);
                scan->next++;
                return attached(planner, target, observation);
        case OBSERVED_NOT_ATTACHED:
                scan->next = scan->rules.sparse ? scan->next + 1 : scan->rules.sequential_end;
                return 0;
        case OBSERVED_OUT_OF_RANGE:
                scan->next = scan->rules.sequential_end;
                return 0;
        default:
                return target_scan_fail_observed(planner, target, observation, now);
        }
}

int target_scan_observe(struct planner *planner, struct target_work *target,
                        struct observation *observation, struct scan_time now) {
        struct target_scan *scan = &target->scan;

        if (planner_retries(planner, observation, &scan->tries))
                return 0;
        scan->tries = 0;
        if (observation->step.kind == STEP_ATTACH &&
            (observation->observed == OBSERVED_GOOD ||
             observation->observed == OBSERVED_NOT_ATTACHED))
                host_took_lun(target->host, observation->step.address.lun);
        switch (scan->phase) {
        case PHASE_CONTACT:
                return seen_contact(planner, target, observation, now);
        case PHASE_WILDCARD:
                return seen_wildcard(planner, target, observation, now);
        case PHASE_ASK:
                return seen_ask(planner, target, observation, now);
        case PHASE_FOOTHOLD:
                return seen_foothold(planner, target, observation, now);
        case PHASE_ATTACH:
                return seen_attach(planner, target, observation, now);
        case PHASE_SEQUENTIAL:
                return seen_sequential(planner, target, observation, now);
        case PHASE_IDLE:
        case PHASE_LISTING:
        case PHASE_CHOOSE:
        case PHASE_TOUCH:
        case PHASE_VERIFY:
                break; /* given up meanwhile: its host got stuck, or went */
        }
        return 0;
}
