/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan/work.h"
#include "util/cleanup.h"

/* ---- the work of a host ---- */

struct host_work *host_work_find(struct planner *planner, uint32_t number) {
        struct host_work *host;

        HASH_FIND(hh, planner->hosts, &number, sizeof(number), host);
        return host;
}

int host_work_get(struct planner *planner, uint32_t number, struct host_work **ret) {
        struct host_work *host = host_work_find(planner, number);

        if (!host) {
                host = calloc(1, sizeof(*host));
                if (!host)
                        return -ENOMEM;
                host->number = number;
                host->read_at = UINT64_MAX;
                TAILQ_INIT(&host->ready_targets);
                HASH_ADD(hh, planner->hosts, number, sizeof(host->number), host);
                host_work_read(planner, host);
        }
        *ret = host;
        return 0;
}

void host_work_wake(struct planner *planner, struct host_work *host) {
        if (host->ready)
                return;
        host->ready = true;
        TAILQ_INSERT_TAIL(&planner->ready, host, ready_entry);
}

void host_work_read(struct planner *planner, struct host_work *host) {
        host->read_wanted = true;
        host_work_wake(planner, host);
}

bool host_work_is_idle(const struct host_work *host) {
        const struct target_work *target;

        if (host->read_wanted || host->in_flight > 0 || host->scan_wanted || host->scan_reading ||
            host->walk.active)
                return false;
        for (target = host->targets; target; target = target->hh.next)
                if (!target_work_is_idle(target))
                        return false;
        return true;
}

void host_work_free(struct planner *planner, struct host_work *host) {
        struct target_work *target, *next;

        HASH_ITER (hh, host->targets, target, next)
                target_work_free(planner, target);
        if (host->ready)
                TAILQ_REMOVE(&planner->ready, host, ready_entry);
        HASH_DEL(planner->hosts, host);
        free(host);
}

bool planner_driver_discovers(const struct planner *planner, uint32_t host) {
        const struct host *known = topology_host(planner->topology, host);

        return known && known->discovery == DISCOVERY_DRIVER;
}

/* ---- scanning a whole host ---- */

int host_work_scan(struct planner *planner, struct host_work *host, const struct scan_order *order,
                   struct scan_time now) {
        job_mask fresh = order->jobs & ~host->next_order.jobs;

        if (host->stuck) {
                jobs_task_begin(planner->jobs, order->jobs);
                jobs_task_fail(planner->jobs, order->jobs, JOB_ERROR_HOST_STUCK, HOST_STUCK_TEXT,
                               now);
                return 0;
        }
        if (host->scan_wanted) {
                planner_count(planner, COUNTER_COALESCED);
                scan_order_merge(&host->next_order, order);
        } else {
                host->next_order = *order;
        }
        host->scan_wanted = true;
        host->next_order.filter.all = true;
        jobs_task_begin(planner->jobs, fresh);
        host_work_wake(planner, host);
        return 0;
}

static void walk_end(struct planner *planner, struct host_work *host, struct scan_time now) {
        job_mask jobs = host->walk.order.jobs;

        host->walk = (struct host_walk){};
        jobs_task_end(planner->jobs, jobs, now);
        host_work_wake(planner, host);
}

static bool walk_is_over(struct planner *planner, struct host_walk *walk) {
        if (walk->target >= planner->limits->ids_per_channel_max) {
                walk->channel++;
                walk->target = 0;
        }
        return walk->channel >= planner->limits->channels_max ||
               !jobs_want(planner->jobs, walk->order.jobs);
}

/* Tries the next id that nothing is known of. Those that are known are scanned already. */
static int walk_on(struct planner *planner, struct host_work *host, struct scan_time now) {
        struct host_walk *walk = &host->walk;

        for (; !walk_is_over(planner, walk); walk->target++) {
                struct scsi_target_address address = {host->number, walk->channel, walk->target};
                struct scan_order order = walk->order;

                if (topology_target(planner->topology, &address))
                        continue;
                order.walking = true;
                return target_scan_want(planner, &address, &order, now);
        }
        walk_end(planner, host, now);
        return 0;
}

void host_took_lun(struct host_work *host, uint64_t lun) {
        if (lun > host->lun_taken)
                host->lun_taken = lun;
}

int host_walk_heard(struct planner *planner, struct host_work *host,
                    const struct scsi_target_address *target, enum contact contact,
                    struct scan_time now) {
        struct host_walk *walk = &host->walk;

        if (!walk->active || target->channel != walk->channel || target->target != walk->target)
                return 0;
        switch (contact) {
        case CONTACT_MADE:
        case CONTACT_NONE:
                walk->target++;
                break;
        case CONTACT_OUT_OF_RANGE:
                if (walk->target == 0)
                        walk->channel = planner->limits->channels_max; /* no such channel */
                walk->channel++;
                walk->target = 0;
                break;
        case CONTACT_FAILED:
                walk->channel = planner->limits->channels_max;
                break;
        }
        return walk_on(planner, host, now);
}

/* Every target that is known, by what is attached, by its transport, or by work under way. */
static int scan_known_targets(struct planner *planner, struct host_work *host,
                              const struct scan_order *order, struct scan_time now) {
        const struct host *known = topology_host(planner->topology, host->number);
        const struct target *target;
        const struct device *device;
        struct target_work *work, *next;
        int r = 0;

        TAILQ_FOREACH (target, &known->targets, entry) {
                /* The highest LUN may be one more than a write may name: the kernel's own scan
                 * takes max_lun itself, too (scsi_report_lun_scan()). */
                TAILQ_FOREACH (device, &target->devices, entry)
                        if (device->address.lun > 0)
                                host_took_lun(host, device->address.lun - 1);
                if (r >= 0)
                        r = target_scan_want(planner, &target->address, order, now);
        }
        HASH_ITER (hh, host->targets, work, next)
                if (r >= 0 && !TAILQ_EMPTY(&work->devices))
                        r = target_scan_want(planner, &work->address, order, now);
        return r;
}

static int scan_begin(struct planner *planner, struct host_work *host, struct scan_time now) {
        const struct host *known = topology_host(planner->topology, host->number);
        struct scan_order order = host->order;
        int r;

        planner_count(planner, COUNTER_HOST_SCANS);
        if (known->discovery == DISCOVERY_DRIVER)
                order.attach = false; /* its driver attaches and removes by itself */
        r = scan_known_targets(planner, host, &order, now);
        host->walk = (struct host_walk){.active = true, .order = order};
        host->order = (struct scan_order){};
        if (r < 0)
                return r;
        if (!order.attach || transport_lists_ports(known->facts.transport)) {
                walk_end(planner, host, now);
                return 0;
        }
        return walk_on(planner, host, now);
}

/* ---- reading a host ---- */

/* A port that cannot be used now may come back without a uevent: an iSCSI session that logs in
 * sends none. */
#define READ_PAUSE_MIN UINT64_C(250000)
#define READ_PAUSE_MAX UINT64_C(30000000)

bool port_state_is_usable(const char *state) {
        static const char *const usable[] = {"", "online", "marginal", "logged_in", "running"};

        for (size_t i = 0; i < ELEMENTS_OF(usable); i++)
                if (strcmp(state, usable[i]) == 0)
                        return true;
        return false;
}

static bool port_is_usable(const struct port_facts *port) {
        return port_state_is_usable(port->state);
}

static bool awaits_port(const struct host_facts *facts) {
        for (size_t i = 0; i < facts->port_count; i++)
                if (!port_is_usable(&facts->ports[i]))
                        return true;
        /* An iSCSI host is there before its session. */
        return facts->transport == TRANSPORT_ISCSI && facts->port_count == 0;
}

static void read_later(struct planner *planner, struct host_work *host, struct scan_time now) {
        host->read_pause = host->read_pause == 0                   ? READ_PAUSE_MIN
                           : host->read_pause < READ_PAUSE_MAX / 2 ? 2 * host->read_pause
                                                                   : READ_PAUSE_MAX;
        host->read_at = now.monotonic + host->read_pause;
        planner_wake_by(planner, host->read_at);
}

static void read_again(struct planner *planner, struct host_work *host,
                       const struct host_facts *facts, struct scan_time now) {
        if (awaits_port(facts)) {
                read_later(planner, host, now);
                return;
        }
        host->read_at = UINT64_MAX;
        host->read_pause = 0;
}

void host_work_run(struct planner *planner, struct scan_time now) {
        struct host_work *host, *next;

        HASH_ITER (hh, planner->hosts, host, next) {
                if (host->read_at <= now.monotonic) {
                        host->read_at = UINT64_MAX; /* set again by what is seen */
                        host_work_read(planner, host);
                }
                planner_wake_by(planner, host->read_at);
        }
}

static void fail_targets(struct planner *planner, struct host_work *host, enum job_error error,
                         const char *message, struct scan_time now) {
        struct target_work *target, *next;

        HASH_ITER (hh, host->targets, target, next) {
                target_work_fail(planner, target, error, message, now);
                target_work_rest(planner, target);
        }
}

/* Ends all that is wanted of the host itself. */
static void fail_scans(struct planner *planner, struct host_work *host, enum job_error error,
                       const char *message, struct scan_time now) {
        job_mask jobs;

        if (host->scan_wanted) {
                jobs = host->next_order.jobs;
                host->scan_wanted = false;
                host->next_order = (struct scan_order){};
                jobs_task_fail(planner->jobs, jobs, error, message, now);
        }
        if (host->scan_reading) {
                jobs = host->order.jobs;
                host->scan_reading = false;
                host->order = (struct scan_order){};
                jobs_task_fail(planner->jobs, jobs, error, message, now);
        }
        if (host->walk.active) {
                jobs = host->walk.order.jobs;
                host->walk = (struct host_walk){};
                jobs_task_fail(planner->jobs, jobs, error, message, now);
        }
}

static int host_gone(struct planner *planner, struct host_work *host, struct scan_time now) {
        struct fact fact = {.kind = FACT_HOST_GONE, .address.target.host = host->number};
        char message[64];
        int r = planner_apply(planner, &fact);

        host->known = false;
        host->gone = true;
        host->read_at = UINT64_MAX;
        watch_forget_host(planner, host->number);
        admission_forget_host(planner, host->number);
        snprintf(message, sizeof(message), "host%" PRIu32 " is gone", host->number);
        fail_scans(planner, host, JOB_ERROR_FAILED, message, now);
        fail_targets(planner, host, JOB_ERROR_FAILED, message, now);
        return r;
}

/* Ports that were not there, or were in another state, when the host was last read. */
static int scan_new_ports(struct planner *planner, struct host_work *host,
                          const struct host_facts *facts, struct scan_time now) {
        int r = 0;

        for (size_t i = 0; i < facts->port_count && r >= 0; i++) {
                const struct port_facts *port = &facts->ports[i];
                struct scsi_target_address address = {host->number, port->channel, port->target};
                const struct target *target = topology_target(planner->topology, &address);

                if (port_is_usable(port) &&
                    (!target || strcmp(target->port_state, port->state) != 0))
                        r = planner_scan_target(planner, &address, CAUSE_UEVENT, now);
        }
        return r;
}

/* The number is another host's now: what was read of its devices went with the old one. */
static int host_replaced(struct planner *planner, struct host_work *host, struct scan_time now) {
        admission_forget_host(planner, host->number);
        host->lun_taken = 0;
        planner_want_list(planner, 0);
        if (!planner->config.owner || host->scan_reading)
                return 0;
        return planner_scan_host(planner, host->number, CAUSE_UEVENT, now);
}

static int host_seen(struct planner *planner, struct host_work *host,
                     struct observation *observation, struct scan_time now) {
        struct fact fact = {.kind = FACT_HOST, .address.target.host = host->number};
        const struct host *known = topology_host(planner->topology, host->number);
        bool kernel_scans = !planner->config.owner;
        bool scan_ports = host->known && !host->scan_reading;
        bool another = host->gone || (known && known->facts.instance != 0 &&
                                      known->facts.instance != observation->host.instance);
        int r = 0;

        read_again(planner, host, &observation->host, now);
        fact.discovery = policy_host_discovery(planner->policy, observation->host.driver,
                                               kernel_scans, NULL);
        memcpy(planner->scan_mode, observation->host.scan_mode, sizeof(planner->scan_mode));
        if (scan_ports && fact.discovery != DISCOVERY_DRIVER)
                r = scan_new_ports(planner, host, &observation->host, now);
        if (r < 0)
                return r;
        fact.host = observation->host;
        observation->host = (struct host_facts){};
        r = planner_apply(planner, &fact);
        if (r < 0)
                return r;
        host->known = true;
        host->gone = false;
        if (another)
                r = host_replaced(planner, host, now);
        if (r < 0)
                return r;
        if (!host->scan_reading)
                return 0;
        host->scan_reading = false;
        return scan_begin(planner, host, now);
}

static int read_observe(struct planner *planner, struct host_work *host,
                        struct observation *observation, struct scan_time now) {
        char message[96];

        host->read_flying = false;
        if (observation->observed != OBSERVED_LOST)
                host->read_tries = 0;
        switch (observation->observed) {
        case OBSERVED_GOOD:
                return host_seen(planner, host, observation, now);
        case OBSERVED_GONE:
                return host_gone(planner, host, now);
        case OBSERVED_LOST:
                if (host->read_tries++ < planner->limits->retries) {
                        planner_count(planner, COUNTER_RETRIES);
                        host_work_read(planner, host);
                        return 0;
                }
                /* fall through */
        default:
                snprintf(message, sizeof(message), "host%" PRIu32 " could not be read: %s",
                         host->number,
                         observation->observed == OBSERVED_ERROR
                                 ? strerrordesc_np(-observation->error) ?: "error"
                                 : observed_name(observation->observed));
                fail_scans(planner, host,
                           observation->observed == OBSERVED_STUCK ? JOB_ERROR_HOST_STUCK
                                                                   : JOB_ERROR_FAILED,
                           message, now);
                read_later(planner, host, now); /* it has not said that it is gone */
                return 0;
        }
}

/* ---- steps ---- */

static struct step step_read(const struct planner *planner, const struct host_work *host) {
        return (struct step){
                .kind = STEP_READ_HOST,
                .address.target.host = host->number,
                .timeout_ms = planner->limits->command_timeout_ms,
        };
}

/* The scan that waits begins with a fresh look at the host: its ports may be others by now. */
static void scan_prepare(struct planner *planner, struct host_work *host) {
        if (!host->scan_wanted || host->scan_reading || host->walk.active || host->read_flying)
                return;
        host->order = host->next_order;
        host->next_order = (struct scan_order){};
        host->scan_wanted = false;
        host->scan_reading = true;
        host->read_wanted = true;
}

static bool targets_next(struct planner *planner, struct host_work *host, struct scan_time now,
                         struct step *ret) {
        struct target_work *target, *next, *last;

        last = TAILQ_LAST(&host->ready_targets, target_queue);
        for (target = TAILQ_FIRST(&host->ready_targets); target; target = next) {
                enum offer offer = target_work_next(planner, target, now, ret);

                next = target == last ? NULL : TAILQ_NEXT(target, ready_entry);
                if (offer == OFFER_LATER)
                        continue;
                TAILQ_REMOVE(&host->ready_targets, target, ready_entry);
                target->ready = false;
                if (offer == OFFER_STEP)
                        return true;
                target_work_rest(planner, target);
        }
        return false;
}

bool host_work_next(struct planner *planner, struct host_work *host, struct scan_time now,
                    struct step *ret) {
        bool found = false;

        if (host->stuck || host->in_flight >= judge_commands(planner, host->number))
                return false;
        scan_prepare(planner, host);
        if (host->read_wanted && !host->read_flying) {
                host->read_wanted = false;
                host->read_flying = true;
                *ret = step_read(planner, host);
                found = true;
        } else if (host->known) {
                found = targets_next(planner, host, now, ret);
        }
        if (!found)
                return false;
        host->in_flight++;
        host->write_flying |= step_kind_writes(ret->kind);
        return true;
}

int host_work_observe(struct planner *planner, struct host_work *host,
                      struct observation *observation, struct scan_time now) {
        struct target_work *target;
        int r = 0;

        assert(host->in_flight > 0);
        host->in_flight--;
        if (step_kind_writes(observation->step.kind))
                host->write_flying = false;
        host_work_wake(planner, host);
        if (observation->step.kind == STEP_READ_HOST)
                return read_observe(planner, host, observation, now);
        target = target_work_find(host, &observation->step.address.target);
        if (target)
                r = target_work_observe(planner, target, observation, now);
        return r;
}

/* ---- a host that hangs ---- */

/* Of a host that is stuck before it could be read there is this to say, and no more. */
static int show_unread(struct planner *planner, const struct host_work *host) {
        struct fact fact = {
                .kind = FACT_HOST,
                .address.target.host = host->number,
                .discovery =
                        policy_host_discovery(planner->policy, NULL, !planner->config.owner, NULL),
        };

        return topology_host(planner->topology, host->number) ? 0 : planner_apply(planner, &fact);
}

int host_work_stuck(struct planner *planner, struct host_work *host, struct scan_time now) {
        struct fact fact = {
                .kind = FACT_HOST_STUCK, .address.target.host = host->number, .flag = true};
        char message[96];
        int r;

        host->stuck = true;
        snprintf(message, sizeof(message),
                 "host%" PRIu32 ": a kernel call has outlived its deadline", host->number);
        fail_scans(planner, host, JOB_ERROR_HOST_STUCK, message, now);
        fail_targets(planner, host, JOB_ERROR_HOST_STUCK, message, now);
        r = show_unread(planner, host);
        return r < 0 ? r : planner_apply(planner, &fact);
}

int host_work_released(struct planner *planner, struct host_work *host) {
        struct fact fact = {.kind = FACT_HOST_STUCK, .address.target.host = host->number};

        host->stuck = false;
        host_work_read(planner, host);
        return planner_apply(planner, &fact);
}
