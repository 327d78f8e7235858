/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan/work.h"

/* The first REPORT LUNS asks for so many; a longer list is asked for again. */
#define FIRST_LUNS 512
/* A list that grows between two tries may do so a few times. */
#define ASKED_MAX 4
/* Devices to ask through may turn out not to answer, or go away, so often in one scan. */
#define CHOSEN_MAX 4

/* ---- the work of a target ---- */

struct target_work *target_work_find(struct host_work *host,
                                     const struct scsi_target_address *address) {
        struct target_work *target;

        HASH_FIND(hh, host->targets, address, sizeof(*address), target);
        return target;
}

int target_work_get(struct planner *planner, const struct scsi_target_address *address,
                    struct target_work **ret) {
        struct host_work *host;
        int r = host_work_get(planner, address->host, &host);

        if (r < 0)
                return r;
        *ret = target_work_find(host, address);
        if (*ret)
                return 0;
        *ret = calloc(1, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        (*ret)->address = *address;
        (*ret)->host = host;
        TAILQ_INIT(&(*ret)->devices);
        HASH_ADD(hh, host->targets, address, sizeof((*ret)->address), *ret);
        return 0;
}

void target_work_wake(struct planner *planner, struct target_work *target) {
        if (!target->ready) {
                target->ready = true;
                TAILQ_INSERT_TAIL(&target->host->ready_targets, target, ready_entry);
        }
        host_work_wake(planner, target->host);
}

bool target_work_is_idle(const struct target_work *target) {
        return !target->in_flight && !target->wanted && target->scan.phase == PHASE_IDLE &&
               TAILQ_EMPTY(&target->devices);
}

static void scan_reset(struct target_scan *scan) {
        free(scan->luns);
        free(scan->known);
        *scan = (struct target_scan){};
}

void target_work_free(struct planner *planner, struct target_work *target) {
        device_work_clear(target);
        scan_reset(&target->scan);
        if (target->ready)
                TAILQ_REMOVE(&target->host->ready_targets, target, ready_entry);
        HASH_DEL(target->host->targets, target);
        free(target);
}

void target_work_rest(struct planner *planner, struct target_work *target) {
        if (target_work_is_idle(target))
                target_work_free(planner, target);
}

/* ---- orders ---- */

bool lun_filter_has(const struct lun_filter *filter, uint64_t lun) {
        if (filter->all)
                return true;
        for (size_t i = 0; i < filter->count; i++)
                if (filter->luns[i] == lun)
                        return true;
        return false;
}

void lun_filter_add(struct lun_filter *filter, const struct lun_filter *other) {
        filter->all |= other->all;
        for (size_t i = 0; i < other->count && !filter->all; i++) {
                if (lun_filter_has(filter, other->luns[i]))
                        continue;
                if (filter->count == LUN_FILTER_MAX)
                        filter->all = true;
                else
                        filter->luns[filter->count++] = other->luns[i];
        }
}

/* Whoever asks for less gets what the others ask for besides: a scan is shared. */
static void order_merge(struct scan_order *order, const struct scan_order *other) {
        order->jobs |= other->jobs;
        order->attach |= other->attach;
        order->verify |= other->verify;
        order->walking |= other->walking;
        lun_filter_add(&order->filter, &other->filter);
}

int target_scan_want(struct planner *planner, const struct scsi_target_address *address,
                     const struct scan_order *order) {
        struct target_work *target;
        job_mask fresh;
        int r = target_work_get(planner, address, &target);

        if (r < 0)
                return r;
        if (target->wanted)
                planner_count(planner, COUNTER_COALESCED);
        fresh = order->jobs & ~target->next_order.jobs;
        target->wanted = true;
        order_merge(&target->next_order, order);
        jobs_task_begin(planner->jobs, fresh);
        target_work_wake(planner, target);
        return 0;
}

/* ---- the end of a scan ---- */

static int heard(struct planner *planner, struct target_work *target, enum contact contact,
                 struct scan_time now) {
        if (!target->scan.order.walking)
                return 0;
        target->scan.order.walking = false;
        return host_walk_heard(planner, target->host, &target->address, contact, now);
}

static int publish_luns(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;
        struct fact fact = {
                .kind = FACT_LUNS,
                .address.target = target->address,
                .luns = TAKE_PTR(scan->luns),
                .lun_count = scan->lun_count,
                .now = scan->asked_at,
        };

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
        int r = count_luns(planner, target);

        if (r >= 0 && target->scan.reported)
                r = publish_luns(planner, target);

        scan_reset(&target->scan);
        jobs_task_end(planner->jobs, jobs, now);
        return r;
}

static int scan_fail(struct planner *planner, struct target_work *target, enum job_error error,
                     const char *what, struct scan_time now) {
        job_mask jobs = target->scan.order.jobs;
        char text[SCSI_ADDRESS_TEXT_MAX];
        char message[160];
        int r = heard(planner, target, CONTACT_FAILED, now);

        snprintf(message, sizeof(message), "target %s: %s",
                 scsi_target_address_format(&target->address, text), what);
        scan_reset(&target->scan);
        jobs_task_fail(planner->jobs, jobs, error, message, now);
        return r;
}

/* Says in a sentence what stood in the way. */
static int scan_fail_observed(struct planner *planner, struct target_work *target,
                              const struct observation *observation, struct scan_time now) {
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
        return scan_fail(planner, target, error, what, now);
}

void target_work_fail(struct planner *planner, struct target_work *target, enum job_error error,
                      const char *message, struct scan_time now) {
        if (target->wanted) {
                jobs_task_fail(planner->jobs, target->next_order.jobs, error, message, now);
                target->wanted = false;
                target->next_order = (struct scan_order){};
        }
        if (target->scan.phase != PHASE_IDLE) {
                job_mask jobs = target->scan.order.jobs;

                scan_reset(&target->scan);
                jobs_task_fail(planner->jobs, jobs, error, message, now);
        }
        device_work_clear(target);
}

/* ---- phases ---- */

static bool is_foothold(const struct device *device) {
        return strcmp(device->facts.state, "running") == 0 && device->facts.generic[0];
}

/* REPORT LUNS must be answered by LUN 0 or the well-known unit, and is by most others (SPC-5 6.33).
 */
static const struct device *foothold_choose(const struct target *target) {
        const struct device *device, *best = NULL;

        if (!target)
                return NULL;
        TAILQ_FOREACH (device, &target->devices, entry) {
                if (!is_foothold(device))
                        continue;
                if (device->address.lun == 0)
                        return device;
                if (!best || device->address.lun == SCSI_WLUN_REPORT_LUNS ||
                    (best->address.lun != SCSI_WLUN_REPORT_LUNS &&
                     device->address.lun < best->address.lun))
                        best = device;
        }
        return best;
}

static int verify_begin(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;
        int r = 0;

        scan->phase = PHASE_VERIFY;
        for (size_t i = 0; i < scan->known_count; i++) {
                if (!scan->order.verify) {
                        jobs_count(planner->jobs, scan->order.jobs, SUMMARY_UNCHANGED);
                        continue;
                }
                if (r >= 0)
                        r = device_work_verify(planner, target, scan->known[i], true,
                                               scan->order.jobs);
        }
        if (scan->order.verify)
                jobs_expect(planner->jobs, scan->order.jobs, (uint32_t)scan->known_count);
        return r;
}

/* What is there before anything is attached: that will be verified, the rest was just read. */
static int remember_known(struct planner *planner, struct target_work *target) {
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

static int sequential_begin(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;

        scan->next = 0;
        scan->counted = true;
        if (!scan->order.attach || scan->rules.method == SCAN_LUN_ZERO_ONLY)
                return verify_begin(planner, target);
        scan->phase = PHASE_SEQUENTIAL;
        return 0;
}

/* There is a device to ask through: decide how this target is scanned. */
static int foothold_found(struct planner *planner, struct target_work *target,
                          const struct device *device, struct scan_time now) {
        struct target_scan *scan = &target->scan;
        int r;

        scan->lun = device->address.lun;
        scan->rules = policy_scan_rules(device->facts.scsi_level, device->facts.blacklist);
        scan->tries = 0;
        scan->asked_at = now.realtime;
        /* Those that first contact attached are counted as attached already. */
        r = scan->known ? 0 : remember_known(planner, target);
        if (r < 0)
                return r;
        r = heard(planner, target, CONTACT_MADE, now);
        if (r < 0)
                return r;
        if (scan->rules.method != SCAN_REPORT_LUNS)
                return sequential_begin(planner, target);
        scan->phase = PHASE_ASK;
        scan->allocation = SCSI_REPORT_LUNS_HEADER + 8 * FIRST_LUNS;
        return 0;
}

static int contact_failed(struct planner *planner, struct target_work *target, enum contact contact,
                          struct scan_time now) {
        int r = heard(planner, target, contact, now);

        if (r < 0)
                return r;
        jobs_count(planner->jobs, target->scan.order.jobs, SUMMARY_SKIPPED);
        return scan_end(planner, target, now);
}

/* Finds a device to ask through, or goes on looking for one. */
static int scan_choose(struct planner *planner, struct target_work *target, struct scan_time now) {
        struct target_scan *scan = &target->scan;
        const struct device *device;

        device = foothold_choose(topology_target(planner->topology, &target->address));
        if (device)
                return foothold_found(planner, target, device, now);
        if (!scan->order.attach || scan->contact > policy_contact_luns_count)
                return contact_failed(planner, target, CONTACT_NONE, now);
        if (++scan->chosen > CHOSEN_MAX)
                return scan_fail(planner, target, JOB_ERROR_FAILED,
                                 "nothing that is attached there can be asked", now);
        scan->phase = PHASE_CONTACT;
        return scan->known ? 0 : remember_known(planner, target);
}

static int scan_begin(struct planner *planner, struct target_work *target, struct scan_time now) {
        scan_reset(&target->scan);
        target->scan.order = target->next_order;
        target->wanted = false;
        target->next_order = (struct scan_order){};
        planner_count(planner, COUNTER_TARGET_SCANS);
        return scan_choose(planner, target, now);
}

/* ---- the next step of a scan ---- */

static struct step step_for(const struct planner *planner, const struct target_work *target,
                            enum step_kind kind, uint64_t lun) {
        return (struct step){
                .kind = kind,
                .address = {.target = target->address, .lun = lun},
                .timeout_ms = step_kind_writes(kind) ? planner->limits->attach_deadline_ms
                                                     : planner->limits->command_timeout_ms,
        };
}

static enum offer offer_write(const struct planner *planner, struct target_work *target,
                              enum step_kind kind, uint64_t lun, struct step *ret) {
        if (target->host->write_flying)
                return OFFER_LATER;
        target->scan.lun = lun;
        *ret = step_for(planner, target, kind, lun);
        return OFFER_STEP;
}

static bool is_attached(const struct planner *planner, const struct target_work *target,
                        uint64_t lun) {
        struct scsi_address address = {.target = target->address, .lun = lun};

        return topology_device(planner->topology, &address) != NULL;
}

/* Moves on to the next reported LUN that is to be attached; false when there is none. */
static bool attach_find(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;

        for (; scan->next < scan->lun_count; scan->next++) {
                struct target_lun *lun = &scan->luns[scan->next];

                if (lun->disposition == DISPOSITION_OBSERVED && scan->order.attach &&
                    lun_filter_has(&scan->order.filter, lun->lun) &&
                    jobs_want(planner->jobs, scan->order.jobs))
                        return true;
        }
        return false;
}

static bool sequential_find(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;

        for (; scan->next < scan->rules.sequential_end; scan->next++)
                if (!is_attached(planner, target, scan->next) &&
                    lun_filter_has(&scan->order.filter, scan->next))
                        return jobs_want(planner->jobs, scan->order.jobs);
        return false;
}

static enum offer scan_offer(struct planner *planner, struct target_work *target,
                             struct step *ret) {
        struct target_scan *scan = &target->scan;

        switch (scan->phase) {
        case PHASE_CONTACT:
                return offer_write(planner, target, STEP_ATTACH, policy_contact_luns[scan->contact],
                                   ret);
        case PHASE_WILDCARD:
                return offer_write(planner, target, STEP_SCAN_TARGET, 0, ret);
        case PHASE_FOOTHOLD:
                return offer_write(planner, target, STEP_ATTACH, SCSI_WLUN_REPORT_LUNS, ret);
        case PHASE_ATTACH:
                return offer_write(planner, target, STEP_ATTACH, scan->luns[scan->next].lun, ret);
        case PHASE_SEQUENTIAL:
                return offer_write(planner, target, STEP_ATTACH, scan->next, ret);
        case PHASE_ASK:
                *ret = step_for(planner, target, STEP_REPORT_LUNS, scan->lun);
                ret->allocation_length = scan->allocation;
                return OFFER_STEP;
        case PHASE_IDLE:
        case PHASE_LISTING:
        case PHASE_CHOOSE:
        case PHASE_VERIFY:
                break;
        }
        return OFFER_NONE;
}

/* Moves that need no step. The queue of devices is empty: what was attached is known by now. */
static int scan_move(struct planner *planner, struct target_work *target, struct scan_time now) {
        struct target_scan *scan = &target->scan;

        switch (scan->phase) {
        case PHASE_CHOOSE:
                return scan_choose(planner, target, now);
        case PHASE_CONTACT:
                if (!jobs_want(planner->jobs, scan->order.jobs))
                        return contact_failed(planner, target, CONTACT_NONE, now);
                if (scan->contact < policy_contact_luns_count)
                        return 0;
                if (!planner->limits->wildcard)
                        return contact_failed(planner, target, CONTACT_NONE, now);
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

enum offer target_work_next(struct planner *planner, struct target_work *target,
                            struct scan_time now, struct step *ret) {
        enum scan_phase before;
        enum offer offer;

        if (target->in_flight)
                return OFFER_NONE;
        for (;;) {
                if (!TAILQ_EMPTY(&target->devices)) {
                        device_work_next(planner, target, ret);
                        target->in_flight = true;
                        return OFFER_STEP;
                }
                before = target->scan.phase;
                if (before == PHASE_IDLE && !target->wanted)
                        return OFFER_NONE;
                if (before == PHASE_IDLE)
                        planner_note(planner, scan_begin(planner, target, now));
                else
                        planner_note(planner, scan_move(planner, target, now));
                if (target->scan.phase == before && before != PHASE_IDLE)
                        break;
        }
        offer = scan_offer(planner, target, ret);
        target->in_flight = offer == OFFER_STEP;
        return offer;
}

/* ---- what came of a step ---- */

static int attached(struct planner *planner, struct target_work *target,
                    struct observation *observation) {
        return device_work_attached(planner, target, observation->step.address.lun,
                                    &observation->device, target->scan.order.jobs);
}

static int seen_contact(struct planner *planner, struct target_work *target,
                        struct observation *observation, struct scan_time now) {
        struct target_scan *scan = &target->scan;
        bool well_known = policy_contact_luns[scan->contact] == SCSI_WLUN_REPORT_LUNS;

        switch (observation->observed) {
        case OBSERVED_GOOD:
                /* Once its identity is read, choose. */
                scan->phase = PHASE_CHOOSE;
                scan->contact++;
                jobs_expect(planner->jobs, scan->order.jobs, 1);
                return attached(planner, target, observation);
        case OBSERVED_OUT_OF_RANGE:
                if (scan->contact == 0)
                        return contact_failed(planner, target, CONTACT_OUT_OF_RANGE, now);
                scan->contact++;
                return 0;
        case OBSERVED_NOT_ATTACHED:
                scan->contact++;
                return 0;
        case OBSERVED_ERROR:
                /* Hosts refuse the well-known unit in their own ways; anything else is an error. */
                if (!well_known)
                        break;
                scan->contact++;
                return 0;
        default:
                break;
        }
        return scan_fail_observed(planner, target, observation, now);
}

static int seen_wildcard(struct planner *planner, struct target_work *target,
                         struct observation *observation, struct scan_time now) {
        if (observation->observed == OBSERVED_OUT_OF_RANGE)
                return contact_failed(planner, target, CONTACT_OUT_OF_RANGE, now);
        if (observation->observed != OBSERVED_GOOD)
                return scan_fail_observed(planner, target, observation, now);
        target->scan.phase = PHASE_LISTING;
        target->scan.contact = policy_contact_luns_count + 1; /* there is nothing left to try */
        planner_want_list(planner, 0);
        return 0;
}

/* Takes the list over, ascending, with what is to become of each. */
static int take_luns(struct planner *planner, struct target_work *target,
                     const struct scsi_lun_list *list) {
        struct target_scan *scan = &target->scan;
        uint32_t todo = 0;

        free(scan->luns);
        scan->luns = calloc(list->count + 1, sizeof(*scan->luns));
        if (!scan->luns)
                return -ENOMEM;
        scan->lun_count = list->count;
        scan->reported = true;
        for (size_t i = 0; i < list->count; i++) {
                struct target_lun *lun = &scan->luns[i];

                lun->lun = list->luns[i];
                lun->disposition = DISPOSITION_OBSERVED;
                if (is_attached(planner, target, lun->lun))
                        lun->disposition = DISPOSITION_ATTACHED;
                else if (!scsi_lun_fits_scan(lun->lun))
                        lun->disposition = DISPOSITION_UNWRITABLE;
                else if (scan->order.attach && lun_filter_has(&scan->order.filter, lun->lun))
                        todo++;
        }
        jobs_expect(planner->jobs, scan->order.jobs, todo);
        scan->phase = PHASE_ATTACH;
        scan->next = 0;
        return 0;
}

static int seen_luns(struct planner *planner, struct target_work *target,
                     const struct scsi_lun_list *list) {
        struct target_scan *scan = &target->scan;

        if (list->wanted_bytes > scan->allocation && ++scan->asked < ASKED_MAX) {
                scan->allocation = list->wanted_bytes < SCSI_REPORT_LUNS_BYTES_MAX
                                           ? (uint32_t)list->wanted_bytes
                                           : SCSI_REPORT_LUNS_BYTES_MAX;
                return 0;
        }
        return take_luns(planner, target, list);
}

/* The target does not know REPORT LUNS here: the well-known unit may, else count upwards. */
static int seen_no_report_luns(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;
        struct scsi_address address = {.target = target->address, .lun = scan->lun};
        const struct device *device = topology_device(planner->topology, &address);

        if (scan->lun != 0 && scan->lun != SCSI_WLUN_REPORT_LUNS && scan->order.attach &&
            !scan->foothold_tried) {
                scan->foothold_tried = true;
                scan->phase = PHASE_FOOTHOLD;
                return 0;
        }
        scan->rules = policy_scan_rules_sequential(device ? device->facts.scsi_level : 0,
                                                   device ? device->facts.blacklist : NULL);
        return sequential_begin(planner, target);
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
                break;
        default:
                break;
        }
        return scan_fail_observed(planner, target, observation, now);
}

static int seen_foothold(struct planner *planner, struct target_work *target,
                         struct observation *observation, struct scan_time now) {
        if (observation->observed == OBSERVED_STUCK)
                return scan_fail_observed(planner, target, observation, now);
        if (observation->observed != OBSERVED_GOOD)
                return seen_no_report_luns(planner, target);
        target->scan.phase = PHASE_CHOOSE;
        jobs_expect(planner->jobs, target->scan.order.jobs, 1);
        return attached(planner, target, observation);
}

static int seen_attach(struct planner *planner, struct target_work *target,
                       struct observation *observation, struct scan_time now) {
        struct target_scan *scan = &target->scan;
        struct target_lun *lun = &scan->luns[scan->next];
        int r = 0;

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
                return scan_fail_observed(planner, target, observation, now);
        default:
                lun->disposition = DISPOSITION_FAILED;
                break;
        }
        /* One bad LUN does not end the rest. */
        jobs_count(planner->jobs, scan->order.jobs, SUMMARY_FAILED);
        jobs_advance(planner->jobs, scan->order.jobs, 1);
        scan->next++;
        return r;
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
                return scan_fail_observed(planner, target, observation, now);
        }
}

void target_scan_listed(struct planner *planner, struct target_work *target) {
        if (target->scan.phase != PHASE_LISTING)
                return;
        target->scan.phase = PHASE_CHOOSE;
        target_work_wake(planner, target);
}

static bool may_retry(const struct planner *planner, const struct target_scan *scan,
                      const struct observation *observation) {
        if (scan->tries >= planner->limits->retries)
                return false;
        if (observation->observed == OBSERVED_LOST)
                return true;
        return observation->observed == OBSERVED_DEVICE &&
               (observation->outcome == SCSI_OUTCOME_UNIT_ATTENTION ||
                observation->outcome == SCSI_OUTCOME_BUSY);
}

static int scan_observe(struct planner *planner, struct target_work *target,
                        struct observation *observation, struct scan_time now) {
        struct target_scan *scan = &target->scan;

        if (may_retry(planner, scan, observation)) {
                scan->tries++;
                planner_count(planner, COUNTER_RETRIES);
                return 0;
        }
        scan->tries = 0;
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
        case PHASE_VERIFY:
                break; /* given up meanwhile: its host got stuck, or went */
        }
        return 0;
}

static bool is_device_step(enum step_kind kind) {
        return kind == STEP_READ_DEVICE || kind == STEP_READ_IDENTITY || kind == STEP_READ_SERIAL;
}

int target_work_observe(struct planner *planner, struct target_work *target,
                        struct observation *observation, struct scan_time now) {
        int r;

        target->in_flight = false;
        if (is_device_step(observation->step.kind))
                r = device_work_observe(planner, target, observation);
        else
                r = scan_observe(planner, target, observation, now);
        target_work_wake(planner, target);
        return r;
}
