/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan/target_scan.h"

/* The first REPORT LUNS asks for at least so many; a longer list is asked for again. */
#define FIRST_LUNS 512

/* ---- the end of a scan ---- */

void target_scan_reset(struct target_scan *scan) {
        free(scan->luns);
        free(scan->queue);
        free(scan->known);
        *scan = (struct target_scan){};
}

static int heard(struct planner *planner, struct target_work *target, enum contact contact,
                 struct scan_time now) {
        if (!target->scan.order.walking)
                return 0;
        target->scan.order.walking = false;
        return host_walk_heard(planner, target->host, &target->address, contact, now);
}

int target_scan_publish_luns(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;
        struct fact fact = {
                .kind = FACT_LUNS,
                .address.target = target->address,
                .luns = calloc(scan->lun_count + 1, sizeof(*scan->luns)),
                .lun_count = scan->lun_count,
                .now = scan->asked_at,
        };

        if (!fact.luns)
                return -ENOMEM;
        memcpy(fact.luns, scan->luns, scan->lun_count * sizeof(*scan->luns));
        for (size_t i = 0; i < fact.lun_count; i++)
                if (fact.luns[i].disposition == DISPOSITION_ATTACHED &&
                    !target_scan_is_attached(planner, target, fact.luns[i].lun))
                        fact.luns[i].disposition = DISPOSITION_OBSERVED; /* it went again */
        return planner_apply(planner, &fact);
}

/* A target that does not report has the LUNs that counting upwards found. */
static int count_luns(struct planner *planner, struct target_work *target) {
        const struct target *known = topology_target(planner->topology, &target->address);
        struct target_scan *scan = &target->scan;
        const struct device *device;

        if (scan->reported || !scan->counted || !known)
                return 0;
        scan->luns = calloc(known->device_count + 1, sizeof(*scan->luns));
        if (!scan->luns)
                return -ENOMEM;
        TAILQ_FOREACH (device, &known->devices, entry)
                if (!scsi_lun_is_well_known(device->address.lun))
                        scan->luns[scan->lun_count++].lun = device->address.lun;
        qsort(scan->luns, scan->lun_count, sizeof(*scan->luns), target_lun_compare);
        scan->reported = true;
        return 0;
}

static int scan_end(struct planner *planner, struct target_work *target, struct scan_time now) {
        job_mask jobs = target->scan.order.jobs;
        bool owed = target->scan.borrowed && !target->scan.returned;
        uint64_t lun = target->scan.borrowed_device.address.lun;
        int r = count_luns(planner, target);

        if (r >= 0 && target->scan.reported)
                r = target_scan_publish_luns(planner, target);
        if (r >= 0)
                r = watch_answered(planner, &target->address, target->scan.changed,
                                   target->scan.order.watched, now);

        if (r >= 0)
                r = watch_failed(planner, &target->address,
                                 target->scan.error != JOB_ERROR_NONE ? target->scan.message
                                                                      : NULL);
        if (target->scan.error != JOB_ERROR_NONE)
                jobs_task_fail(planner->jobs, jobs, target->scan.error, target->scan.message, now);
        else
                jobs_task_end(planner->jobs, jobs, now);
        target_scan_reset(&target->scan);
        return owed && r >= 0 ? device_work_verify(planner, target, lun, false, true, 0) : r;
}

static void scan_blame(struct target_work *target, enum job_error error, const char *what) {
        struct target_scan *scan = &target->scan;
        char text[SCSI_ADDRESS_TEXT_MAX];

        if (scan->error != JOB_ERROR_NONE)
                return;
        scan->error = error;
        snprintf(scan->message, sizeof(scan->message), "target %s: %s",
                 scsi_target_address_format(&target->address, text), what);
}

/* Says in a sentence what stood in the way. */
static void scan_blame_observed(struct target_work *target, const struct observation *observation) {
        enum job_error error = JOB_ERROR_FAILED;
        char what[120];

        if (observation->observed == OBSERVED_STUCK)
                error = JOB_ERROR_HOST_STUCK;
        if (observation->observed == OBSERVED_DEVICE &&
            observation->outcome == SCSI_OUTCOME_TIMEOUT)
                error = JOB_ERROR_DEVICE_TIMEOUT;
        if (observation->observed == OBSERVED_DEVICE)
                snprintf(what, sizeof(what), "%s through LUN %" PRIu64 ": %s (sense %x/%02x/%02x)",
                         step_kind_name(observation->step.kind), observation->step.address.lun,
                         scsi_outcome_name(observation->outcome), observation->sense.key,
                         observation->sense.asc, observation->sense.ascq);
        else if (observation->observed == OBSERVED_ERROR)
                snprintf(what, sizeof(what), "%s of LUN %" PRIu64 ": %s",
                         step_kind_name(observation->step.kind), observation->step.address.lun,
                         strerrordesc_np(-observation->error) ?: "error");
        else
                snprintf(what, sizeof(what), "%s of LUN %" PRIu64 ": %s",
                         step_kind_name(observation->step.kind), observation->step.address.lun,
                         observed_name(observation->observed));
        scan_blame(target, error, what);
}

static int scan_fail(struct planner *planner, struct target_work *target, struct scan_time now) {
        int r = heard(planner, target, CONTACT_FAILED, now), q;

        q = scan_end(planner, target, now);
        return r < 0 ? r : q;
}

int target_scan_fail_observed(struct planner *planner, struct target_work *target,
                              const struct observation *observation, struct scan_time now) {
        scan_blame_observed(target, observation);
        return scan_fail(planner, target, now);
}

/* ---- phases ---- */

static bool is_listed(const struct target_scan *scan, uint64_t lun) {
        struct target_lun key = {.lun = lun};

        return scsi_lun_is_well_known(lun) ||
               bsearch(&key, scan->luns, scan->lun_count, sizeof(key), target_lun_compare);
}

/* Somebody asked for a LUN that the target does not have. */
static void blame_unlisted(struct target_work *target) {
        const struct target_scan *scan = &target->scan;
        const struct lun_filter *filter = &scan->order.filter;
        char what[64];

        if (!scan->order.request || !scan->reported || filter->all)
                return;
        for (size_t i = 0; i < filter->count; i++) {
                if (is_listed(scan, filter->luns[i]))
                        continue;
                snprintf(what, sizeof(what), "it does not list LUN %" PRIu64, filter->luns[i]);
                scan_blame(target, JOB_ERROR_NOT_REPORTED, what);
        }
}

/* It has said that it is gone; its target lists it: it is asked in any case. */
static bool is_absent(const struct planner *planner, const struct target_work *target,
                      uint64_t lun) {
        struct scsi_address address = {.target = target->address, .lun = lun};
        const struct device *device = topology_device(planner->topology, &address);

        return device && device->absent_since > 0;
}

/* It is looked at as one that the policy ignores, and so it goes. */
static int give_back(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;

        scan->returned = true;
        return device_work_verify(planner, target, scan->borrowed_device.address.lun, false, true,
                                  scan->order.jobs);
}

/* What was there before: of each that its target still lists, the identity; the others have to say
 * for themselves whether they are there. */
static int verify_begin(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;
        const struct scan_order *order = &scan->order;
        /* When nothing explains the attention, something about the units has changed. */
        bool measure = order->anew ||
                       (order->measure && scan->reported && !scan->changed && !scan->listed_anew);
        uint32_t steps = 0;
        int r = 0;

        scan->phase = PHASE_VERIFY;
        blame_unlisted(target);
        for (size_t i = 0; i < scan->known_count && r >= 0; i++) {
                uint64_t lun = scan->known[i];

                if (scan->reported && !is_listed(scan, lun))
                        r = device_work_suspect(planner, target, lun, order->remove, order->jobs);
                else if ((order->verify || is_absent(planner, target, lun)) &&
                         !scsi_lun_is_well_known(lun))
                        r = device_work_verify(planner, target, lun, measure, order->enforce,
                                               order->jobs);
                else {
                        jobs_count(planner->jobs, order->jobs, SUMMARY_UNCHANGED);
                        continue;
                }
                steps++;
        }
        if (scan->borrowed && r >= 0) {
                r = give_back(planner, target);
                steps++;
        }
        jobs_expect(planner->jobs, order->jobs, steps);
        return r;
}

/* What is there before anything is attached: that will be verified, the rest was just read. */
int target_scan_remember(struct planner *planner, struct target_work *target) {
        const struct target *known = topology_target(planner->topology, &target->address);
        struct target_scan *scan = &target->scan;
        const struct device *device;

        free(scan->known);
        scan->known_count = 0;
        scan->known = calloc(known ? known->device_count + 1 : 1, sizeof(*scan->known));
        if (!scan->known)
                return -ENOMEM;
        if (known)
                TAILQ_FOREACH (device, &known->devices, entry)
                        scan->known[scan->known_count++] = device->address.lun;
        return 0;
}

int target_scan_count_up(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;

        scan->next = 0;
        scan->counted = true;
        if (!scan->order.attach || scan->rules.method == SCAN_LUN_ZERO_ONLY)
                return verify_begin(planner, target);
        scan->phase = PHASE_SEQUENTIAL;
        return 0;
}

/* Enough for what it listed last and some more: asking twice is a command more. */
uint32_t target_scan_first_allocation(const struct planner *planner,
                                      const struct target_work *target) {
        const struct target *known = topology_target(planner->topology, &target->address);
        size_t luns = FIRST_LUNS;

        if (known && known->lun_count + known->lun_count / 8 > luns)
                luns = known->lun_count + known->lun_count / 8;
        if (luns > SCSI_REPORT_LUNS_MAX)
                luns = SCSI_REPORT_LUNS_MAX;
        return (uint32_t)(SCSI_REPORT_LUNS_HEADER + 8 * luns);
}

/* A list that grows between two tries may do so a few times. */
#define ASKED_MAX 4

bool target_scan_ask_for_all(const struct scsi_lun_list *list, uint32_t *allocation,
                             unsigned *asked) {
        if (list->wanted_bytes <= *allocation || ++*asked >= ASKED_MAX)
                return false;
        *allocation = list->wanted_bytes < SCSI_REPORT_LUNS_BYTES_MAX ? (uint32_t)list->wanted_bytes
                                                                      : SCSI_REPORT_LUNS_BYTES_MAX;
        return true;
}

struct scan_rules target_scan_rules(const struct planner *planner, const struct device *device) {
        const struct device_facts *facts = &device->facts;
        char flags[POLICY_FLAGS_MAX];

        return policy_scan_rules(facts->scsi_level,
                                 policy_quirk_flags(planner->policy, facts->vendor, facts->model,
                                                    facts->blacklist, flags, NULL));
}

/* REPORT LUNS takes the attentions away that wait in the units, and INQUIRY leaves them there: so
 * that a poll hides none from anybody, each unit is given a chance to report its own first. */
static int touch_units(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;
        int r = 0;

        for (size_t i = 0; i < scan->known_count && r >= 0; i++)
                r = device_work_touch(planner, target, scan->known[i]);
        scan->touched = true;
        return r;
}

/* There is a device to ask through: decide how this target is scanned. */
int target_scan_through(struct planner *planner, struct target_work *target,
                        const struct device *device, struct scan_time now) {
        struct target_scan *scan = &target->scan;
        int r;

        scan->lun = device->address.lun;
        scan->rules = target_scan_rules(planner, device);
        scan->tries = 0;
        scan->asked_at = now.realtime;
        /* Those that first contact attached are counted as attached already. */
        r = scan->known ? 0 : target_scan_remember(planner, target);
        if (r < 0)
                return r;
        r = heard(planner, target, CONTACT_MADE, now);
        if (r < 0)
                return r;
        if (scan->rules.method != SCAN_REPORT_LUNS)
                return target_scan_count_up(planner, target);
        scan->phase = scan->order.poll && !scan->touched ? PHASE_TOUCH : PHASE_ASK;
        scan->allocation = target_scan_first_allocation(planner, target);
        return 0;
}

int target_scan_leave(struct planner *planner, struct target_work *target, enum contact contact,
                      struct scan_time now) {
        bool walking = target->scan.order.walking;
        int r = heard(planner, target, contact, now);

        if (r < 0)
                return r;
        /* An id that the walk tried was named by nobody. */
        if (!walking && target->scan.order.request && target->scan.order.attach)
                scan_blame(target, JOB_ERROR_NOT_FOUND, "nothing answers there");
        else if (!walking)
                jobs_count(planner->jobs, target->scan.order.jobs, SUMMARY_SKIPPED);
        return scan_end(planner, target, now);
}

/* What its target lists is not known then; who its devices are can be asked all the same. */
int target_scan_cannot_ask(struct planner *planner, struct target_work *target,
                           struct scan_time now) {
        int r = heard(planner, target, CONTACT_FAILED, now);

        scan_blame(target, JOB_ERROR_FAILED, "nothing that is attached there can be asked");
        return r < 0 ? r : verify_begin(planner, target);
}

int target_scan_stale(struct planner *planner, struct target_work *target) {
        target->scan.phase = PHASE_VERIFY;
        scan_blame(target, JOB_ERROR_STALE_PLAN, "it lists other LUNs than when this was planned");
        return 0;
}

int target_scan_refused(struct planner *planner, struct target_work *target,
                        const struct observation *observation, struct scan_time now) {
        struct target_scan *scan = &target->scan;

        scan->phase = PHASE_CHOOSE;
        if (scan->refused_count < SCAN_REFUSED_MAX) {
                scan->refused[scan->refused_count++] = observation->step.address.lun;
                /* Where the last one is gone itself, another way in is looked for. */
                if (target_scan_foothold(planner, target) ||
                    (scan->order.attach && observation->outcome == SCSI_OUTCOME_NO_LOGICAL_UNIT))
                        return 0;
        }
        scan_blame_observed(target, observation);
        return target_scan_cannot_ask(planner, target, now);
}

int target_scan_begin(struct planner *planner, struct target_work *target, struct scan_time now) {
        target_scan_reset(&target->scan);
        target->scan.order = target->next_order;
        target->wanted = false;
        target->next_order = (struct scan_order){};
        target->scan.phase = PHASE_CHOOSE;
        planner_count(planner, COUNTER_TARGET_SCANS);
        return target_scan_choose(planner, target, now);
}

/* ---- the next step of a scan ---- */

struct step target_scan_step(const struct planner *planner, const struct target_work *target,
                             enum step_kind kind, uint64_t lun) {
        const struct scsi_address address = {.target = target->address, .lun = lun};
        const struct policy_limits *limits = judge_device_limits(planner, &address);

        return (struct step){
                .kind = kind,
                .address = address,
                .timeout_ms = step_kind_is_long(kind) ? limits->attach_deadline_ms
                                                      : limits->command_timeout_ms,
        };
}

static enum offer offer_write(const struct planner *planner, struct target_work *target,
                              enum step_kind kind, uint64_t lun, struct step *ret) {
        if (target->host->write_flying)
                return OFFER_LATER;
        target->scan.lun = lun;
        *ret = target_scan_step(planner, target, kind, lun);
        return OFFER_STEP;
}

bool target_scan_is_attached(const struct planner *planner, const struct target_work *target,
                             uint64_t lun) {
        struct scsi_address address = {.target = target->address, .lun = lun};

        return topology_device(planner->topology, &address) != NULL;
}

struct target_lun *target_scan_lun(const struct target_scan *scan) {
        return &scan->luns[scan->queue[scan->next]];
}

/* Moves on to the next reported LUN that is to be attached; false when there is none. */
static bool attach_find(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;

        for (; scan->next < scan->lun_count; scan->next++) {
                struct target_lun *lun = target_scan_lun(scan);

                if (lun->disposition != DISPOSITION_PENDING)
                        continue;
                lun->disposition = admission_of(planner, &target->address, lun->lun,
                                                lun_filter_has(&scan->order.asked, lun->lun));
                if (lun->disposition != DISPOSITION_PENDING)
                        continue;
                if (jobs_want(planner->jobs, scan->order.jobs))
                        return true;
                lun->disposition = DISPOSITION_OBSERVED; /* nobody wants it any more */
        }
        return false;
}

static bool sequential_find(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;

        for (; scan->next < scan->rules.sequential_end; scan->next++)
                if (!target_scan_is_attached(planner, target, scan->next) &&
                    lun_filter_has(&scan->order.filter, scan->next) &&
                    admission_of(planner, &target->address, scan->next,
                                 lun_filter_has(&scan->order.asked, scan->next)) ==
                            DISPOSITION_PENDING)
                        return jobs_want(planner->jobs, scan->order.jobs);
        return false;
}

enum offer target_scan_offer(struct planner *planner, struct target_work *target,
                             struct step *ret) {
        struct target_scan *scan = &target->scan;

        switch (scan->phase) {
        case PHASE_CONTACT:
                return offer_write(planner, target, STEP_ATTACH, target_scan_contact_lun(scan),
                                   ret);
        case PHASE_WILDCARD:
                return offer_write(planner, target, STEP_SCAN_TARGET, 0, ret);
        case PHASE_FOOTHOLD:
                return offer_write(planner, target, STEP_ATTACH, SCSI_WLUN_REPORT_LUNS, ret);
        case PHASE_ATTACH:
                return offer_write(planner, target, STEP_ATTACH, target_scan_lun(scan)->lun, ret);
        case PHASE_SEQUENTIAL:
                return offer_write(planner, target, STEP_ATTACH, scan->next, ret);
        case PHASE_ASK:
                *ret = target_scan_step(planner, target, STEP_REPORT_LUNS, scan->lun);
                ret->allocation_length = scan->allocation;
                return OFFER_STEP;
        case PHASE_IDLE:
        case PHASE_LISTING:
        case PHASE_CHOOSE:
        case PHASE_TOUCH:
        case PHASE_VERIFY:
                break;
        }
        return OFFER_NONE;
}

/* Moves that need no step. The queue of devices is empty: what was attached is known by now. */
int target_scan_move(struct planner *planner, struct target_work *target, struct scan_time now) {
        struct target_scan *scan = &target->scan;

        switch (scan->phase) {
        case PHASE_CHOOSE:
                return target_scan_choose(planner, target, now);
        case PHASE_TOUCH:
                if (!scan->touched && scan->known_count > 0)
                        return touch_units(planner, target);
                scan->phase = PHASE_ASK;
                return 0;
        case PHASE_CONTACT:
                if (!jobs_want(planner->jobs, scan->order.jobs))
                        return target_scan_found_nothing(planner, target, now);
                if (target_scan_contact_find(planner, target))
                        return 0;
                if (!judge_limits(planner, &target->address)->wildcard ||
                    !admission_is_open(planner, &target->address, scan->order.asked.all))
                        return target_scan_found_nothing(planner, target, now);
                scan->phase = PHASE_WILDCARD;
                return 0;
        case PHASE_ATTACH:
                return attach_find(planner, target) ? 0 : verify_begin(planner, target);
        case PHASE_SEQUENTIAL:
                return sequential_find(planner, target) ? 0 : verify_begin(planner, target);
        case PHASE_VERIFY:
                return scan_end(planner, target, now);
        default:
                return 0;
        }
}

void target_scan_listed(struct planner *planner, struct target_work *target) {
        if (target->scan.phase != PHASE_LISTING)
                return;
        target->scan.phase = PHASE_CHOOSE;
        target_work_wake(planner, target);
}
