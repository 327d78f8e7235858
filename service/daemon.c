/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "chronicle.h"
#include "daemon.h"
#include "dbus/server.h"
#include "fd_store.h"
#include "heartbeat.h"
#include "inbox.h"
#include "kernel/kernel.h"
#include "mode.h"
#include "one_shot.h"
#include "pace.h"
#include "policy/scan_rules.h"
#include "policy_files.h"
#include "rules.h"
#include "scan/engine.h"
#include "state.h"
#include "turns.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/message_id.h"
#include "worker/messages.h"

/* The loop is kept no longer than this at a time. */
#define SLICE_USEC 10000
/* Finished jobs are forgotten by somebody looking at the clock now and then. */
#define HOUSEKEEPING_MS 10000
/* How long it may take to write the kernel's parameter at the end. */
#define GIVE_BACK_MS 5000

struct daemon {
        uv_loop_t loop;
        uv_signal_t terminate, interrupt, hangup;
        uv_idle_t work; /* runs once when something went into the engine */
        uv_timer_t housekeeping;
        uv_timer_t wake;     /* the engine has something to begin by itself */
        uv_timer_t patience; /* with the last thing that is done */
        struct one_shot one_shot;
        struct turns turns;
        struct heartbeat heartbeat;
        struct mode mode;
        struct pace pace;
        struct policy_limits limits;
        struct rules *rules;
        struct engine *engine;
        struct inbox *inbox; /* what it is to be told */
        struct kernel *kernel;
        struct server *server;
        struct state *state;
        uint64_t last_host; /* ms of the loop's clock: when the last one came */
        bool deferred;      /* there is something to do when the bus has been told */
        bool owner;         /* what the layers go by: mode.owner, as soon as they can */
        bool stopping;
        int result;
};

static struct scan_time daemon_now(void *userdata) {
        struct timespec real;

        clock_gettime(CLOCK_REALTIME, &real);
        return (struct scan_time){
                .realtime = (uint64_t)real.tv_sec * 1000000 + (uint64_t)real.tv_nsec / 1000,
                .monotonic = clock_usec(),
        };
}

/* ---- stopping ---- */

static void close_handle(void *handle) {
        if (!uv_is_closing(handle))
                uv_close(handle, NULL);
}

static void daemon_stop(struct daemon *daemon, int result) {
        if (daemon->stopping)
                return;
        daemon->stopping = true;
        daemon->result = result;
        (void)sd_notify(0, "STOPPING=1");
        close_handle(&daemon->terminate);
        close_handle(&daemon->interrupt);
        close_handle(&daemon->hangup);
        close_handle(&daemon->work);
        close_handle(&daemon->pace.timer);
        close_handle(&daemon->housekeeping);
        close_handle(&daemon->wake);
        close_handle(&daemon->patience);
        close_handle(&daemon->one_shot.limit);
        close_handle(&daemon->one_shot.until);
        close_handle(&daemon->turns.prepare);
        close_handle(&daemon->heartbeat.timer);
        close_handle(&daemon->mode.timer);
        if (daemon->server)
                server_stop(daemon->server);
        if (daemon->kernel)
                kernel_stop(daemon->kernel);
        if (daemon->state)
                state_close(daemon->state);
}

/* Our own failure inside the engine (out of memory): what it knows may be incomplete, and a fresh
 * start rebuilds all of it from the kernel. */
static void daemon_check(struct daemon *daemon, int r) {
        if (r >= 0)
                return;
        log_error("cannot go on: %s", strerrordesc_np(-r) ?: "error");
        daemon_stop(daemon, r);
}

static void on_patience_end(uv_timer_t *timer) {
        daemon_stop(timer->data, 0);
}

/* Whom it is told twice does not wait for what is still to be given back. */
static void on_signal(uv_signal_t *handle, int number) {
        struct daemon *daemon = handle->data;

        log_info("stopping (%s)", number == SIGTERM ? "SIGTERM" : "SIGINT");
        if (mode_give_back(&daemon->mode))
                uv_timer_start(&daemon->patience, on_patience_end, GIVE_BACK_MS, 0);
        else
                daemon_stop(daemon, 0);
}

/* ---- the pump ---- */

static void on_work(uv_idle_t *handle);

/* There is something to do, within this turn of the loop or the next. */
static void daemon_poke(struct daemon *daemon) {
        if (!daemon->stopping)
                uv_idle_start(&daemon->work, on_work);
}

/* Something is due: to be published, to be begun, or to be forgotten. */
static void on_due(uv_timer_t *timer) {
        daemon_poke(timer->data);
}

static void on_poked(void *userdata) {
        daemon_poke(userdata);
}

static void tell_ready(struct daemon *daemon) {
        size_t count = topology_device_count(engine_topology(daemon->engine));

        if (daemon->heartbeat.ready || !engine_is_ready(daemon->engine))
                return;
        log_write(LOG_INFO, &(struct log_fields){.message_id = MESSAGE_ID_READY},
                  "ready: %zu device%s", count, count == 1 ? "" : "s");
        heartbeat_ready(&daemon->heartbeat);
}

static void rearm_wake(struct daemon *daemon) {
        uint64_t at = engine_wake_at(daemon->engine), now = daemon_now(daemon).monotonic;

        if (at == UINT64_MAX) {
                uv_timer_stop(&daemon->wake);
                return;
        }
        /* At least a millisecond from now: never a loop that does nothing else. */
        uv_update_time(&daemon->loop);
        uv_timer_start(&daemon->wake, on_due, at > now ? (at - now + 999) / 1000 : 1, 0);
}

/* Hands over what has come in; false when there is more. */
static bool take_in(struct daemon *daemon, uint64_t until) {
        struct inbox_item item;
        int r = 0;

        while (r >= 0 && !slice_is_over(until)) {
                if (!inbox_take(daemon->inbox, &item))
                        return true;
                r = item.is_event
                            ? engine_event(daemon->engine, &item.event, daemon_now(daemon))
                            : engine_observe(daemon->engine, &item.observation, daemon_now(daemon));
                daemon_check(daemon, r);
        }
        return inbox_is_empty(daemon->inbox);
}

/* Hands out what may begin; false when there may be more. */
static bool begin_steps(struct daemon *daemon, uint64_t until) {
        struct step step;

        while (!daemon->stopping && !slice_is_over(until)) {
                if (!engine_next(daemon->engine, daemon_now(daemon), &step))
                        return true;
                kernel_submit(daemon->kernel, &step);
        }
        return false;
}

static void on_work(uv_idle_t *handle) {
        struct daemon *daemon = handle->data;
        uint64_t until;
        bool heard, at_rest;

        uv_idle_stop(handle);
        daemon->deferred = server_is_telling(daemon->server);
        if (daemon->deferred)
                return;
        /* What the kernel has said already belongs into this turn: Settle relies on it. */
        heard = kernel_drain(daemon->kernel);
        until = clock_usec() + SLICE_USEC;
        at_rest = take_in(daemon, until) && begin_steps(daemon, until) && heard;
        if (daemon->stopping)
                return;
        rearm_wake(daemon);
        pace_publish(&daemon->pace, at_rest);
        if (!at_rest)
                daemon_poke(daemon);
}

/* ---- the policy ---- */

/* The files' policy takes the place of what holds, or nothing changes: -errno, with a sentence in
 * *ret_error (owned) unless it is -EBUSY (too many jobs) or -ENOMEM. */
static int reload_policy(uint32_t uid, char **ret_error, void *userdata) {
        struct daemon *daemon = userdata;
        _cleanup_(policy_freep) struct policy *policy = NULL;
        uint64_t job;
        int r = rules_read(daemon->rules, &policy, ret_error);

        if (r < 0)
                return r;
        r = engine_set_policy(daemon->engine, policy, uid, daemon_now(daemon), &job);
        if (r == -EBUSY)
                return r;
        rules_replace(daemon->rules, TAKE_PTR(policy));
        server_set_policy(daemon->server, rules_policy(daemon->rules));
        daemon_check(daemon, r);
        daemon_poke(daemon);
        return r < 0 ? r : 0;
}

static int read_policy(struct policy **ret, char **ret_error, void *userdata) {
        const struct daemon *daemon = userdata;

        return rules_read(daemon->rules, ret, ret_error);
}

static void on_hangup(uv_signal_t *handle, int number) {
        struct daemon *daemon = handle->data;
        _cleanup_(freep) char *error = NULL;
        int r;

        heartbeat_reloading(&daemon->heartbeat);
        mode_check(&daemon->mode);
        r = reload_policy(0, &error, daemon);
        if (r < 0)
                log_write(LOG_ERR, &(struct log_fields){.message_id = MESSAGE_ID_POLICY_INVALID},
                          "policy: %s; what held before still holds",
                          error ?: strerrordesc_np(-r) ?: "error");
        heartbeat_reloaded(&daemon->heartbeat);
}

/* ---- who scans ---- */

/* How long no host has come when those that came have been probed: what a driver does after it has
 * added its host is not to be seen. */
#define PROBED_MS 5000

static bool have_probed(void *userdata) {
        const struct daemon *daemon = userdata;

        return daemon->heartbeat.ready && uv_now(&daemon->loop) - daemon->last_host >= PROBED_MS;
}

static int on_recalled(const struct memory *earlier, void *userdata) {
        struct daemon *daemon = userdata;
        int r = engine_recall(daemon->engine, earlier);

        daemon_check(daemon, r);
        daemon_poke(daemon);
        return r;
}

static void on_mode_changed(void *userdata) {
        struct daemon *daemon = userdata;
        int r = 0;

        if (!daemon->server) /* it starts */
                return;
        if (daemon->owner != daemon->mode.owner)
                r = engine_set_owner(daemon->engine, daemon->mode.owner, daemon_now(daemon));
        if (r == -EBUSY) {
                mode_retry(&daemon->mode);
                return;
        }
        daemon->owner = daemon->mode.owner;
        server_set_mode(daemon->server, daemon->owner, daemon->mode.reason);
        daemon_check(daemon, r);
        daemon_poke(daemon);
}

static void submit_step(const struct step *step, void *userdata) {
        const struct daemon *daemon = userdata;

        kernel_submit(daemon->kernel, step);
}

static void on_given_back(void *userdata) {
        daemon_stop(userdata, 0);
}

/* ---- what the layers say ---- */

static void on_event(const struct event *event, void *userdata) {
        struct daemon *daemon = userdata;

        if (daemon->stopping)
                return;
        chronicle_event(event);
        daemon_check(daemon, inbox_add_event(daemon->inbox, event));
        daemon_poke(daemon);
}

static void on_observed(struct observation *observation, void *userdata) {
        struct daemon *daemon = userdata;

        if (daemon->stopping) {
                observation_done(observation);
                return;
        }
        if (observation->step.kind == STEP_SET_KERNEL_SCAN) {
                mode_observe(&daemon->mode, observation);
                return;
        }
        chronicle_observation(observation);
        daemon_check(daemon, inbox_add_observation(daemon->inbox, observation));
        daemon_poke(daemon);
}

static void on_told(void *userdata) {
        struct daemon *daemon = userdata;

        tell_ready(daemon);
        if (daemon->one_shot.on && daemon->heartbeat.ready && !engine_is_busy(daemon->engine))
                daemon_stop(daemon, 0);
        if (daemon->deferred)
                daemon_poke(daemon);
}

static void on_job_ended(const struct job *job, void *userdata) {
        chronicle_job(job);
}

/* What the policy wanted stopped, or did not want. */
static bool is_policy_s(const struct change *change, const struct device *device) {
        if (device->standing == STANDING_QUARANTINED)
                return change->added || change->properties & DEVICE_PROPERTY_STANDING;
        return change->added && device->asked;
}

static void tell_policy(const struct daemon *daemon, const struct device *device) {
        const struct scope scope = {.kind = SCOPE_DEVICE, .address = device->address};
        struct policy_decision decision;

        if (engine_evaluate(daemon->engine, &scope, NULL, &decision) == 0)
                chronicle_policy(device, decision.reason);
}

static void on_changed(const struct change *change, void *userdata) {
        struct daemon *daemon = userdata;
        const struct device *device;
        const struct host *host;

        host = topology_host(engine_topology(daemon->engine), change->id.address.target.host);
        if (change->id.kind == OBJECT_HOST && change->added)
                daemon->last_host = uv_now(&daemon->loop);
        if (change->id.kind == OBJECT_HOST && change->added && host && daemon->owner)
                chronicle_host(host);
        if (change->id.kind != OBJECT_DEVICE)
                return;
        device = topology_device(engine_topology(daemon->engine), &change->id.address);
        chronicle_device(change, device);
        if (device && is_policy_s(change, device))
                tell_policy(daemon, device);
}

static void on_noticed(const struct notice *notice, void *userdata) {
        chronicle_notice(notice);
}

static size_t list_counters(struct server_counter *counters, size_t max, void *userdata) {
        struct daemon *daemon = userdata;
        const struct kernel_counters seen = kernel_counters(daemon->kernel);
        const struct server_counter all[] = {
                {"uevents", seen.uevents},
                {"uevents-refused", seen.uevents_refused},
                {"uevent-overruns", seen.uevent_overruns},
                {"workers-started", seen.workers_started},
                {"workers-died", seen.workers_died},
                {"workers-stuck", seen.workers_stuck},
                {"longest-turn-usec", daemon->turns.longest_usec},
                {"turns-over-50-msec", daemon->turns.over},
        };
        size_t count = ELEMENTS_OF(all) < max ? ELEMENTS_OF(all) : max;

        memcpy(counters, all, count * sizeof(*all));
        return count;
}

static void on_one_shot_ended(int result, void *userdata) {
        daemon_stop(userdata, result);
}

/* ---- leases, for the next run ---- */

static int keep_lease(uint64_t id, int fd, const char *text, void *userdata) {
        return fd_store_keep(id, fd, text);
}

static void drop_lease(uint64_t id, void *userdata) {
        fd_store_drop(id);
}

static int restore_lease(uint64_t id, int fd, const char *text, void *userdata) {
        const struct daemon *daemon = userdata;

        return server_restore_lease(daemon->server, id, fd, text);
}

/* ---- starting ---- */

/* What attentions that may mean anything wait for grows and shrinks with what 3F/0E waits for. */
static struct policy_limits limits_of(const struct daemon_options *options) {
        const struct policy_limits *usual = &policy_limits_default;
        struct policy_limits limits = *usual;

        limits.poll_interval_ms = options->poll_interval_ms;
        limits.attention_pause_ms = options->attention_ms;
        limits.attention_pause_max_ms =
                options->attention_ms * (usual->attention_pause_max_ms / usual->attention_pause_ms);
        limits.confirm_ms = options->confirm_ms;
        return limits;
}

static const char *const *policy_roots(const struct daemon_options *options) {
        return options->policy_dirs[0] ? options->policy_dirs : policy_files_roots;
}

static int start_layers(struct daemon *daemon, const struct daemon_options *options,
                        struct fd_store *store) {
        struct engine_config engine = {
                .owner = daemon->owner,
                .steps_per_host = WORKER_THREADS,
                .limits = &daemon->limits,
        };
        struct kernel_config kernel = {
                .sysfs = options->sysfs,
                .worker_socket = options->worker_socket,
                .worker = options->worker,
                .runtime_dir = options->runtime_dir,
                .uevent_fd = options->uevent_fd,
                .deadline_usec = options->deadline_usec,
        };
        struct kernel_handler from_kernel = {
                .event = on_event, .observed = on_observed, .userdata = daemon};
        struct server_config server = {
                .owner = daemon->owner,
                .mode_reason = daemon->mode.reason,
                .no_bus = daemon->one_shot.on,
                .generation = daemon_now(daemon).realtime / 1000,
        };
        struct server_handler from_server = {
                .poked = on_poked,
                .told = on_told,
                .now = daemon_now,
                .counters = list_counters,
                .reload = reload_policy,
                .read_policy = read_policy,
                .job_ended = on_job_ended,
                .changed = on_changed,
                .noticed = on_noticed,
                .lease_kept = keep_lease,
                .lease_dropped = drop_lease,
                .userdata = daemon,
        };
        const struct state_handler from_state = {
                .kept = on_poked, .found = on_recalled, .userdata = daemon};
        char inherited[4096];
        int r;

        daemon->limits = limits_of(options);
        r = rules_new(policy_roots(options), &daemon->limits, &daemon->rules);
        if (r < 0)
                return r;
        /* Whoever waits for the root file system has to know that nothing will be attached. */
        if (daemon->one_shot.on && rules_are_broken(daemon->rules))
                return -EINVAL;
        daemon->inbox = inbox_new();
        if (!daemon->inbox)
                return -ENOMEM;
        engine.policy = server.policy = rules_policy(daemon->rules);
        daemon->engine = engine_new(&engine);
        if (!daemon->engine)
                return -ENOMEM;
        server.engine = daemon->engine;
        snprintf(inherited, sizeof(inherited), "%s/initramfs", options->runtime_dir);
        r = state_open(&daemon->loop, options->state_dir, daemon->one_shot.on ? NULL : inherited,
                       engine_memory(daemon->engine), &from_state, &daemon->state);
        if (r < 0)
                return r;
        r = kernel_new(&daemon->loop, &kernel, &from_kernel, &daemon->kernel);
        if (r < 0)
                return r;
        r = server_new(&daemon->loop, &server, &from_server, &daemon->server);
        if (r < 0)
                return r;
        daemon->pace.engine = daemon->engine;
        daemon->pace.state = daemon->state;
        daemon->pace.server = daemon->server;
        fd_store_restore(store, restore_lease, daemon);
        return engine_start(daemon->engine, daemon_now(daemon));
}

static void start_mode(struct daemon *daemon, const struct daemon_options *options) {
        daemon->mode = (struct mode){
                .options = options,
                .changed = on_mode_changed,
                .probed = have_probed,
                .submit = submit_step,
                .given_back = on_given_back,
                .userdata = daemon,
        };
        log_info("scsiscand %s starts", SCSISCAN_VERSION);
        mode_start(&daemon->mode, &daemon->loop);
        daemon->owner = daemon->mode.owner;
}

static void start_handles(struct daemon *daemon) {
        turns_start(&daemon->turns, &daemon->loop);
        uv_signal_init(&daemon->loop, &daemon->terminate);
        uv_signal_init(&daemon->loop, &daemon->interrupt);
        uv_signal_init(&daemon->loop, &daemon->hangup);
        uv_idle_init(&daemon->loop, &daemon->work);
        pace_start(&daemon->pace, &daemon->loop, on_due, daemon);
        uv_timer_init(&daemon->loop, &daemon->housekeeping);
        uv_timer_init(&daemon->loop, &daemon->wake);
        uv_timer_init(&daemon->loop, &daemon->patience);
        heartbeat_start(&daemon->heartbeat, &daemon->loop);
        daemon->terminate.data = daemon->interrupt.data = daemon->hangup.data = daemon;
        daemon->work.data = daemon;
        daemon->housekeeping.data = daemon->wake.data = daemon;
        daemon->patience.data = daemon;
        uv_signal_start(&daemon->terminate, on_signal, SIGTERM);
        uv_signal_start(&daemon->interrupt, on_signal, SIGINT);
        uv_signal_start(&daemon->hangup, on_hangup, SIGHUP);
        uv_timer_start(&daemon->housekeeping, on_due, HOUSEKEEPING_MS, HOUSEKEEPING_MS);
}

int daemon_run(const struct daemon_options *options, struct fd_store *store) {
        struct daemon daemon = {};
        int r = uv_loop_init(&daemon.loop);

        if (r < 0)
                return r;
        start_handles(&daemon);
        daemon.one_shot.ended = on_one_shot_ended;
        daemon.one_shot.userdata = &daemon;
        one_shot_start(&daemon.one_shot, &daemon.loop, options);
        start_mode(&daemon, options);
        r = start_layers(&daemon, options, store);
        if (r < 0)
                daemon_stop(&daemon, r);
        else
                daemon_poke(&daemon);
        uv_run(&daemon.loop, UV_RUN_DEFAULT);

        state_free(daemon.state);
        server_free(daemon.server);
        kernel_free(daemon.kernel);
        inbox_free(daemon.inbox);
        engine_free(daemon.engine);
        rules_free(daemon.rules);
        r = uv_loop_close(&daemon.loop);
        assert(r == 0);
        return daemon.result;
}
