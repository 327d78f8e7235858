/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan/work.h"

void planner_wake_by(struct planner *planner, uint64_t time) {
        if (time < planner->wake_at)
                planner->wake_at = time;
}

void planner_note(struct planner *planner, int error) {
        if (error < 0 && planner->failed == 0)
                planner->failed = error;
}

/* ---- requests ---- */

static int scan_targets_of(struct planner *planner, const struct object_id *id,
                           const struct scan_order *order, struct scan_time now) {
        struct scan_order narrow = *order;

        switch (id->kind) {
        case OBJECT_TARGET:
                return target_scan_want(planner, &id->address.target, order, now);
        case OBJECT_DEVICE:
                narrow.filter = (struct lun_filter){.count = 1, .luns = {id->address.lun}};
                narrow.asked = narrow.request ? narrow.filter : (struct lun_filter){};
                return target_scan_want(planner, &id->address.target, &narrow, now);
        case OBJECT_HOST:
        case OBJECT_UNIT:
        case OBJECT_KINDS:
                break;
        }
        return 0;
}

bool planner_retries(struct planner *planner, const struct observation *observation,
                     unsigned *tries) {
        bool vain = observation->observed == OBSERVED_LOST ||
                    (observation->observed == OBSERVED_DEVICE &&
                     (observation->outcome == SCSI_OUTCOME_UNIT_ATTENTION ||
                      observation->outcome == SCSI_OUTCOME_BUSY));

        if (!vain || *tries >= judge_device_limits(planner, &observation->step.address)->retries)
                return false;
        ++*tries;
        planner_count(planner, COUNTER_RETRIES);
        return true;
}

struct scan_found {
        struct planner *planner;
        struct scan_order order;
        struct scan_time now;
};

static int scan_found_object(const struct object_id *id, void *userdata) {
        struct scan_found *found = userdata;

        return scan_targets_of(found->planner, id, &found->order, found->now);
}

/* Nobody may have heard what was said before: the port was away, or the whole host hung. */
static bool is_anew(const struct scan_request *request) {
        return request->cause == CAUSE_UEVENT ||
               (request->cause == CAUSE_RESYNC && request->scope->kind == SCOPE_HOST);
}

/* What a request asks of each target. */
static struct scan_order order_of_request(const struct scan_request *request) {
        /* Another policy is no reason to undo what somebody asked for. */
        bool asked = request->cause == CAUSE_REQUEST && !request->enforce;

        return (struct scan_order){
                .attach = request->attach,
                .verify = request->verify,
                .remove = request->remove,
                .enforce = request->enforce,
                .planned = request->planned,
                .request = asked,
                .asked.all = asked,
                .watched = request->cause == CAUSE_UNIT_ATTENTION,
                .measure = request->cause == CAUSE_UNIT_ATTENTION,
                .anew = is_anew(request),
                .poll = request->cause == CAUSE_POLL,
                .filter.all = true,
        };
}

static struct scan_order order_of(const struct job *job) {
        struct scan_request request = {
                .scope = &job->scope,
                .cause = job->cause,
                .verify = job->verify,
                .attach = job->attach,
                .remove = job->remove,
                .enforce = job->enforce,
                .planned = job->planned,
        };
        struct scan_order order = order_of_request(&request);

        order.jobs = job_bit(job);
        return order;
}

/* Turns a job into the tasks that its scope asks for. */
static int job_begin(struct planner *planner, const struct job *job, struct scan_time now) {
        struct scan_found found = {
                .planner = planner,
                .order = order_of(job),
                .now = now,
        };
        struct object_id id = {.kind = OBJECT_TARGET, .address = job->scope.address};
        struct host_work *host;
        int r;

        switch (job->scope.kind) {
        case SCOPE_ALL:
                planner_want_list(planner, found.order.jobs);
                return 0;
        case SCOPE_HOST:
                r = host_work_get(planner, job->scope.address.target.host, &host);
                return r < 0 ? r : host_work_scan(planner, host, &found.order, now);
        case SCOPE_DEVICE:
                id.kind = OBJECT_DEVICE;
                /* fall through */
        case SCOPE_TARGET:
                return scan_targets_of(planner, &id, &found.order, now);
        case SCOPE_NAME:
        case SCOPE_NODE:
                return scope_find(&job->scope, planner->topology, scan_found_object, &found);
        }
        return 0;
}

int planner_request(struct planner *planner, const struct scan_request *request,
                    struct scan_time now, uint64_t *ret_job) {
        struct job_order order = {
                .scope = request->scope,
                .scope_text = request->scope_text,
                .cause = request->cause,
                .uid = request->uid,
                .verify = request->verify,
                .attach = request->attach,
                .remove = request->remove,
                .enforce = request->enforce,
                .planned = request->planned,
        };
        struct job *job;
        job_mask bit;
        int r = scope_exists(request->scope, planner->topology);

        if (r < 0 && request->cause == CAUSE_REQUEST)
                return r;
        r = jobs_add(planner->jobs, &order, now, &job);
        if (r < 0)
                return r;
        if (ret_job)
                *ret_job = job->id;
        /* A task of its own keeps the job from ending before all others have begun. */
        bit = job_bit(job);
        jobs_task_begin(planner->jobs, bit);
        r = job_begin(planner, job, now);
        jobs_task_leave(planner->jobs, bit, now);
        return r;
}

static struct scan_request own_scan(const struct scope *scope, enum job_cause cause) {
        return (struct scan_request){
                .scope = scope,
                .cause = cause,
                .attach = true,
                .verify = true,
                .remove = true,
        };
}

int planner_scan_host(struct planner *planner, uint32_t number, enum job_cause cause,
                      struct scan_time now) {
        struct scope scope = {.kind = SCOPE_HOST, .address.target.host = number};
        struct scan_request request = own_scan(&scope, cause);
        struct scan_order order = order_of_request(&request);
        struct host_work *host;
        char text[32];
        int r;

        snprintf(text, sizeof(text), "host%" PRIu32, number);
        request.scope_text = text;
        r = planner_request(planner, &request, now, NULL);
        if (r != -EBUSY)
                return r;
        r = host_work_get(planner, number, &host);
        return r < 0 ? r : host_work_scan(planner, host, &order, now);
}

int planner_scan_target(struct planner *planner, const struct scsi_target_address *address,
                        enum job_cause cause, struct scan_time now) {
        struct scope scope = {.kind = SCOPE_TARGET, .address.target = *address};
        struct scan_request request = own_scan(&scope, cause);
        struct scan_order order = order_of_request(&request);
        struct target_work *target;
        struct host_work *host = host_work_find(planner, address->host);
        char text[SCSI_ADDRESS_TEXT_MAX];
        int r;

        /* Many say the same at once: one scan that has not begun will do for all. */
        target = host ? target_work_find(host, address) : NULL;
        if (target && target->wanted)
                return target_scan_want(planner, address, &order, now);
        request.scope_text = scsi_target_address_format(address, text);
        r = planner_request(planner, &request, now, NULL);
        return r == -EBUSY ? target_scan_want(planner, address, &order, now) : r;
}

/* ---- events ---- */

static int look_at(struct planner *planner, const struct scsi_address *address) {
        struct target_work *target;
        int r = target_work_get(planner, &address->target, &target);

        return r < 0 ? r : device_work_look(planner, target, address->lun);
}

static int host_event(struct planner *planner, uint32_t number, struct scan_time now) {
        struct host_work *host = host_work_find(planner, number);

        if (host) {
                host_work_read(planner, host);
                return 0;
        }
        if (planner->config.owner)
                return planner_scan_host(planner, number, CAUSE_UEVENT, now);
        return host_work_get(planner, number, &host);
}

/* Every attach raises one: it says nothing but that. */
#define EXPECTED_RESET_USEC UINT64_C(5000000)

static bool is_expected(const struct planner *planner, const struct event *event,
                        struct scan_time now) {
        const struct device *device = topology_device(planner->topology, &event->address);

        return event->attention == ATTENTION_POWER_ON_RESET &&
               (!device || now.monotonic - device->since < EXPECTED_RESET_USEC);
}

static int attention_event(struct planner *planner, const struct event *event,
                           struct scan_time now) {
        struct fact fact = {
                .kind = FACT_ATTENTION, .address = event->address, .attention = event->attention};
        struct notice *notice;
        int r = planner_apply(planner, &fact);

        planner_count(planner, COUNTER_UNIT_ATTENTIONS);
        if (r < 0)
                return r;
        notice = planner_notice(planner, NOTICE_ATTENTION, &event->address);
        if (!notice)
                return -ENOMEM;
        notice->attention = event->attention;
        switch (event->attention) {
        case ATTENTION_CAPACITY:
                r = planner_refresh_paths(planner, &event->address, now);
                break;
        case ATTENTION_INQUIRY:
        case ATTENTION_ACCESS_STATE:
        case ATTENTION_MEDIA_CHANGE:
                r = look_at(planner, &event->address);
                break;
        default:
                break;
        }
        if (r < 0 || event->attention == ATTENTION_MEDIA_CHANGE ||
            event->attention == ATTENTION_SOFT_THRESHOLD || is_expected(planner, event, now))
                return r;
        return watch_attention(planner, &event->address.target, event->attention, now);
}

static int look_at_known(struct planner *planner, const struct host *host) {
        const struct target *target;
        const struct device *device;
        int r = 0;

        TAILQ_FOREACH (target, &host->targets, entry)
                TAILQ_FOREACH (device, &target->devices, entry)
                        if (r >= 0)
                                r = look_at(planner, &device->address);
        return r;
}

/* What came while it was stuck is in the list, and so is all of a host that was so from the start.
 */
static int released_event(struct planner *planner, uint32_t number, struct scan_time now) {
        struct host_work *host = host_work_find(planner, number);
        const struct host *known = topology_host(planner->topology, number);
        int r = host ? host_work_released(planner, host) : 0;

        if (!host || r < 0)
                return r;
        planner_want_list(planner, 0);
        if (known)
                r = look_at_known(planner, known);
        if (r >= 0)
                r = planner_scan_host(planner, number, CAUSE_RESYNC, now);
        return r;
}

/* It held them, and may hold them no longer. */
static int holder_event(struct planner *planner, const char *holder) {
        const struct device *device;
        int r = 0;

        TOPOLOGY_FOREACH_DEVICE (device, planner->topology)
                if (r >= 0 && device_facts_has_holder(&device->facts, holder))
                        r = look_at(planner, &device->address);
        return r;
}

int planner_event(struct planner *planner, const struct event *event, struct scan_time now) {
        uint32_t number = event->address.target.host;
        struct host_work *host;

        planner_count(planner, COUNTER_EVENTS);
        switch (event->kind) {
        case EVENT_RESYNC:
                planner_count(planner, COUNTER_RESYNCS);
                planner->look_at_all = true;
                planner_want_list(planner, 0);
                return 0;
        case EVENT_HOST:
                return host_event(planner, number, now);
        case EVENT_DEVICE:
                if (!host_work_find(planner, number)) {
                        int r = host_event(planner, number, now);

                        if (r < 0)
                                return r;
                }
                return look_at(planner, &event->address);
        case EVENT_HOLDER:
                return holder_event(planner, event->holder);
        case EVENT_UNIT_ATTENTION:
                return attention_event(planner, event, now);
        case EVENT_HOST_STUCK:
                host = host_work_find(planner, number);
                return host ? host_work_stuck(planner, host, now) : 0;
        case EVENT_HOST_RELEASED:
                return released_event(planner, number, now);
        }
        return 0;
}

/* ---- the list of all there is ---- */

void planner_want_list(struct planner *planner, job_mask jobs) {
        jobs_task_begin(planner->jobs, jobs & ~planner->list_jobs);
        planner->list_jobs |= jobs;
        planner->list_wanted = true;
}

static int list_hosts(struct planner *planner, const struct inventory *inventory,
                      struct scan_time now) {
        struct host_work *host, *next;
        int r = 0;

        for (size_t i = 0; i < inventory->host_count && r >= 0; i++) {
                host = host_work_find(planner, inventory->hosts[i]);
                /* The first pass scans what it finds by its own job. */
                if (!host && planner->ready_reached)
                        r = host_event(planner, inventory->hosts[i], now);
                else if (!host)
                        r = host_work_get(planner, inventory->hosts[i], &host);
        }
        if (planner->look_at_all)
                HASH_ITER (hh, planner->hosts, host, next)
                        host_work_read(planner, host);
        return r;
}

/* What the kernel has and we do not is looked at, and what we have and it does not. */
static int list_devices(struct planner *planner, const struct inventory *inventory) {
        const struct device *device;
        int r = 0;

        for (size_t i = 0; i < inventory->device_count && r >= 0; i++)
                if (planner->look_at_all ||
                    !topology_device(planner->topology, &inventory->devices[i]))
                        r = look_at(planner, &inventory->devices[i]);
        TOPOLOGY_FOREACH_DEVICE (device, planner->topology) {
                bool there =
                        bsearch(&device->address, inventory->devices, inventory->device_count,
                                sizeof(*inventory->devices),
                                (int (*)(const void *, const void *))scsi_address_compare) != NULL;
                if (!there && r >= 0)
                        r = look_at(planner, &device->address);
        }
        return r;
}

/* Every host gets its part of the jobs that asked for everything, once for each job. */
static int list_scans(struct planner *planner, const struct inventory *inventory, job_mask jobs,
                      struct scan_time now) {
        const struct job *job;
        int r = 0;

        TAILQ_FOREACH (job, jobs_all(planner->jobs), entry) {
                if (job->slot < 0 || !(jobs & job_bit(job)) || job_is_finished(job))
                        continue;
                for (size_t i = 0; i < inventory->host_count && r >= 0; i++) {
                        struct scan_order order = order_of(job);
                        struct host_work *host;

                        r = host_work_get(planner, inventory->hosts[i], &host);
                        if (r >= 0)
                                r = host_work_scan(planner, host, &order, now);
                }
        }
        return r;
}

static void targets_listed(struct planner *planner) {
        struct host_work *host, *next;
        struct target_work *target, *next_target;

        HASH_ITER (hh, planner->hosts, host, next)
                HASH_ITER (hh, host->targets, target, next_target)
                        target_scan_listed(planner, target);
}

static int list_seen(struct planner *planner, const struct inventory *inventory, job_mask jobs,
                     struct scan_time now) {
        int r;

        r = list_hosts(planner, inventory, now);
        if (r >= 0)
                r = list_devices(planner, inventory);
        if (r >= 0)
                r = list_scans(planner, inventory, jobs, now);
        planner->look_at_all = false;
        if (!planner->list_wanted) /* else somebody needs a younger one */
                targets_listed(planner);
        return r;
}

/* Whoever waits for it goes on without; what it would have brought to light is not lost. */
#define LIST_PAUSE_MIN UINT64_C(100000)
#define LIST_PAUSE_MAX UINT64_C(10000000)

static void list_later(struct planner *planner, struct scan_time now) {
        planner->list_pause = planner->list_pause == 0                   ? LIST_PAUSE_MIN
                              : planner->list_pause < LIST_PAUSE_MAX / 2 ? 2 * planner->list_pause
                                                                         : LIST_PAUSE_MAX;
        planner->list_at = now.monotonic + planner->list_pause;
        planner_wake_by(planner, planner->list_at);
        targets_listed(planner);
}

static int list_observe(struct planner *planner, const struct observation *observation,
                        struct scan_time now) {
        job_mask jobs = planner->list_jobs_flying;
        int r = 0;

        planner->list_flying = false;
        planner->list_jobs_flying = 0;
        if (observation->observed != OBSERVED_GOOD) {
                jobs_task_fail(planner->jobs, jobs, JOB_ERROR_FAILED,
                               "the kernel's list of devices could not be read", now);
                list_later(planner, now);
                return 0;
        }
        planner->list_pause = 0;
        r = list_seen(planner, &observation->inventory, jobs, now);
        jobs_task_leave(planner->jobs, jobs, now);
        return r;
}

/* ---- steps ---- */

static bool list_next(struct planner *planner, struct step *ret) {
        if (!planner->list_wanted || planner->list_flying)
                return false;
        planner->list_wanted = false;
        planner->list_flying = true;
        planner->list_jobs_flying = planner->list_jobs;
        planner->list_jobs = 0;
        *ret = (struct step){.kind = STEP_LIST, .timeout_ms = planner->limits->command_timeout_ms};
        return true;
}

static bool flight_begin(struct planner *planner, struct step *step) {
        struct flight *flight = calloc(1, sizeof(*flight));

        if (!flight) {
                planner_note(planner, -ENOMEM);
                return false;
        }
        step->id = ++planner->next_step;
        flight->step = *step;
        HASH_ADD(hh, planner->flights, step.id, sizeof(flight->step.id), flight);
        planner->counters[COUNTER_STEP_FIRST + step->kind]++;
        return true;
}

bool planner_next(struct planner *planner, struct scan_time now, struct step *ret) {
        struct host_work *host;

        planner->now = now.monotonic;
        if (now.monotonic >= planner->wake_at) {
                planner->wake_at = UINT64_MAX;
                if (planner->list_at <= now.monotonic) {
                        planner->list_at = UINT64_MAX;
                        planner_want_list(planner, 0);
                }
                planner_wake_by(planner, planner->list_at);
                host_work_run(planner, now);
                planner_note(planner, watch_run(planner, now));
        }
        if (list_next(planner, ret))
                return flight_begin(planner, ret);
        while ((host = TAILQ_FIRST(&planner->ready))) {
                /* Taken out first: a wake while it chooses puts it in again. */
                TAILQ_REMOVE(&planner->ready, host, ready_entry);
                host->ready = false;
                if (!host_work_next(planner, host, now, ret))
                        continue;
                host_work_wake(planner, host);
                return flight_begin(planner, ret);
        }
        return false;
}

int planner_observe(struct planner *planner, struct observation *observation,
                    struct scan_time now) {
        struct flight *flight;
        struct host_work *host;
        int r = 0;

        HASH_FIND(hh, planner->flights, &observation->step.id, sizeof(observation->step.id),
                  flight);
        assert(flight);
        assert(flight->step.kind == observation->step.kind);
        HASH_DEL(planner->flights, flight);
        free(flight);

        if (observation->step.kind == STEP_LIST) {
                r = list_observe(planner, observation, now);
        } else {
                host = host_work_find(planner, observation->step.address.target.host);
                assert(host);
                r = host_work_observe(planner, host, observation, now);
                if (!host->known && !host->stuck && host->read_at == UINT64_MAX &&
                    host_work_is_idle(host))
                        host_work_free(planner, host);
        }
        observation_done(observation);
        return r;
}

bool planner_is_idle(const struct planner *planner) {
        const struct host_work *host;

        if (planner->list_wanted || planner->list_flying)
                return false;
        for (host = planner->hosts; host; host = host->hh.next)
                if (!host_work_is_idle(host))
                        return false;
        return true;
}
