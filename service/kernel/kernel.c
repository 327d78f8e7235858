/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "kernel/codec.h"
#include "kernel/kernel.h"
#include "kernel/listing.h"
#include "kernel/mounts.h"
#include "kernel/records.h"
#include "kernel/slaves.h"
#include "kernel/uevent_socket.h"
#include "kernel/worker_host.h"
#include "util/log.h"

/* A worker costs a process of a megabyte, and to start one some milliseconds, many in a sandbox: it
 * stays for the next poll of a target (--poll-interval, 60 s). */
#define WORKER_IDLE_MSEC 90000

struct list_request {
        struct step step;
        STAILQ_ENTRY(list_request) entry;
};

STAILQ_HEAD(list_requests, list_request);

struct kernel {
        char *sysfs; /* owned */
        struct kernel_handler handler;
        struct uevent_socket *uevents;
        struct uevent_counters uevents_counted; /* when the socket was closed */
        struct worker_hosts *hosts;
        struct mounts *mounts;
        uv_timer_t timer; /* of `lists`: answered on the next turn of the loop */
        struct list_requests lists;
        bool stopped;
};

static void observe(struct kernel *kernel, struct observation *observation) {
        kernel->handler.observed(observation, kernel->handler.userdata);
}

static void event_pass(const struct event *event, void *userdata) {
        struct kernel *kernel = userdata;

        kernel->handler.event(event, kernel->handler.userdata);
}

static void device_changed(const struct scsi_address *address, void *userdata) {
        const struct event event = {.kind = EVENT_DEVICE, .address = *address};

        event_pass(&event, userdata);
}

/* What it holds now is listed; what it held before, the engine knows. */
static void uevent_pass(const struct event *event, void *userdata) {
        struct kernel *kernel = userdata;

        if (event->kind == EVENT_HOLDER)
                slaves_list(kernel->sysfs, event->holder, device_changed, kernel);
        event_pass(event, kernel);
}

/* The worker knows what stacks on a device; who has mounted it is known here. */
static void mounts_add(struct kernel *kernel, struct observation *observation,
                       const struct worker_reply *reply, const uint8_t *data) {
        dev_t numbers[RECORDS_BLOCK_MAX];
        size_t count = records_block_numbers(data, reply->data_length, numbers);
        int r = mounts_add_holders(kernel->mounts, &observation->step.address, numbers, count,
                                   &observation->device);

        if (r == 0)
                return;
        observation_done(observation);
        *observation = (struct observation){
                .step = observation->step, .observed = OBSERVED_ERROR, .error = r};
}

static bool has_device_facts(enum step_kind kind) {
        return kind == STEP_READ_DEVICE || kind == STEP_ATTACH || kind == STEP_REFRESH ||
               kind == STEP_SET_STATE;
}

static void step_answered(const struct step *step, const struct worker_reply *reply,
                          const uint8_t *data, void *userdata) {
        struct kernel *kernel = userdata;
        struct observation observation = codec_observe(step, reply, data);

        if (observation.observed == OBSERVED_GOOD && has_device_facts(step->kind))
                mounts_add(kernel, &observation, reply, data);
        observe(kernel, &observation);
}

static void step_failed(const struct step *step, enum observed observed, int error,
                        void *userdata) {
        struct observation observation = {.step = *step, .observed = observed, .error = error};

        observe(userdata, &observation);
}

static void list_answer(struct kernel *kernel, const struct step *step) {
        struct observation observation = {.step = *step, .observed = OBSERVED_GOOD};
        int r = listing_read(kernel->sysfs, &observation.inventory);

        if (r < 0) {
                observation.observed = OBSERVED_ERROR;
                observation.error = r;
        } else
                mounts_forget_absent(kernel->mounts, &observation.inventory);
        observe(kernel, &observation);
}

/* Only those that are there now: a handler that asks again at once is served on the next turn. */
static void lists_answer(uv_timer_t *timer) {
        struct kernel *kernel = timer->data;
        struct list_requests lists = STAILQ_HEAD_INITIALIZER(lists);
        struct list_request *request;

        STAILQ_CONCAT(&lists, &kernel->lists);
        while ((request = STAILQ_FIRST(&lists))) {
                STAILQ_REMOVE_HEAD(&lists, entry);
                if (!kernel->stopped)
                        list_answer(kernel, &request->step);
                free(request);
        }
}

static void list_submit(struct kernel *kernel, const struct step *step) {
        struct list_request *request = calloc(1, sizeof(*request));

        if (!request) {
                log_error("Out of memory");
                abort(); /* as worker_hosts_submit() does, and for its reason */
        }
        request->step = *step;
        STAILQ_INSERT_TAIL(&kernel->lists, request, entry);
        uv_timer_start(&kernel->timer, lists_answer, 0, 0);
}

void kernel_submit(struct kernel *kernel, const struct step *step) {
        assert(!kernel->stopped);
        assert(step->id != 0);
        if (step->kind == STEP_LIST)
                list_submit(kernel, step);
        else
                worker_hosts_submit(kernel->hosts, step);
}

bool kernel_drain(struct kernel *kernel) {
        return uevent_socket_drain(kernel->uevents);
}

static int failed(int error, const char *what, const char *name) {
        log_write(LOG_ERR, &(struct log_fields){.error = error}, "%s %s: %s", what, name,
                  strerror(-error));
        return error;
}

static int hosts_open(struct kernel *kernel, uv_loop_t *loop, const struct kernel_config *config) {
        const struct worker_hosts_config hosts = {
                .worker_socket = config->worker_socket,
                .worker = config->worker,
                .sysfs = config->sysfs,
                .runtime_dir = config->runtime_dir,
                .deadline_usec = config->deadline_usec,
                .idle_msec = WORKER_IDLE_MSEC,
        };
        const struct worker_hosts_handler handler = {
                .answered = step_answered,
                .failed = step_failed,
                .event = event_pass,
                .userdata = kernel,
        };

        if (mkdir(config->runtime_dir, 0755) < 0 && errno != EEXIST)
                return failed(-errno, "Cannot make", config->runtime_dir);
        return worker_hosts_new(loop, &hosts, &handler, &kernel->hosts);
}

static int parts_open(struct kernel *kernel, uv_loop_t *loop, const struct kernel_config *config,
                      int *uevent_fd) {
        int r;

        kernel->sysfs = strdup(config->sysfs);
        if (!kernel->sysfs)
                return -ENOMEM;
        r = hosts_open(kernel, loop, config);
        if (r < 0)
                return r;
        r = mounts_open(loop, device_changed, kernel, &kernel->mounts);
        if (r < 0)
                return failed(r, "Cannot watch", "the mount table");
        r = uevent_socket_open(loop, TAKE_FD(*uevent_fd), uevent_pass, kernel, &kernel->uevents);
        return r < 0 ? failed(r, "Cannot listen to", "uevents") : 0;
}

int kernel_new(uv_loop_t *loop, const struct kernel_config *config,
               const struct kernel_handler *handler, struct kernel **ret) {
        struct kernel *kernel = calloc(1, sizeof(*kernel));
        _cleanup_(closep) int uevent_fd = config->uevent_fd;
        int r;

        if (!kernel)
                return failed(-ENOMEM, "Cannot set up", "the door to the kernel");
        kernel->handler = *handler;
        STAILQ_INIT(&kernel->lists);
        r = parts_open(kernel, loop, config, &uevent_fd);
        if (r < 0) {
                uevent_socket_close(kernel->uevents);
                mounts_close(kernel->mounts);
                worker_hosts_free(kernel->hosts);
                free(kernel->sysfs);
                free(kernel);
                return r;
        }
        uv_timer_init(loop, &kernel->timer);
        kernel->timer.data = kernel;
        *ret = kernel;
        return 0;
}

void kernel_stop(struct kernel *kernel) {
        struct list_request *request;

        if (kernel->stopped)
                return;
        kernel->stopped = true;
        kernel->uevents_counted = uevent_socket_counters(kernel->uevents);
        uevent_socket_close(kernel->uevents);
        mounts_close(kernel->mounts);
        worker_hosts_stop(kernel->hosts);
        uv_close((uv_handle_t *)&kernel->timer, NULL);
        while ((request = STAILQ_FIRST(&kernel->lists))) {
                STAILQ_REMOVE_HEAD(&kernel->lists, entry);
                free(request);
        }
}

void kernel_free(struct kernel *kernel) {
        if (!kernel)
                return;
        assert(kernel->stopped);
        worker_hosts_free(kernel->hosts);
        free(kernel->sysfs);
        free(kernel);
}

struct kernel_counters kernel_counters(const struct kernel *kernel) {
        const struct uevent_counters uevents =
                kernel->stopped ? kernel->uevents_counted : uevent_socket_counters(kernel->uevents);
        const struct worker_counters workers = worker_hosts_counters(kernel->hosts);

        return (struct kernel_counters){
                .uevents = uevents.received,
                .uevents_refused = uevents.refused,
                .uevent_overruns = uevents.overruns,
                .workers_started = workers.started,
                .workers_died = workers.died,
                .workers_stuck = workers.stuck,
        };
}
