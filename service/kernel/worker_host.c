/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

#include "kernel/codec.h"
#include "kernel/worker_host.h"
#include "kernel/worker_lock.h"
#include "kernel/worker_process.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/message_id.h"

#define LOCK_RETRY_MSEC 1000
/* The worker of a service that was just killed is about to end: it is looked for that often, and
 * not longer than that. */
#define LOCK_POLL_MSEC 20
#define LOCK_PATIENCE_MSEC 1000
#define BACK_OFF_FIRST_MSEC 100
#define BACK_OFF_MAX_MSEC 10000
#define HOST_TEXT_MAX 16

struct request {
        struct step step;
        uint64_t sent_at; /* loop's ms */
        uint64_t due_at;
        TAILQ_ENTRY(request) entry;
};

TAILQ_HEAD(request_list, request);

/*
 * All that happens to a host, happens in host_run(), on its timer; everybody else notes what they
 * saw and arms the timer for the earliest time at which there is something to do. So nothing is
 * called back from within worker_hosts_submit(), and a handler may submit and stop as it likes.
 */
struct worker_host {
        uint32_t number;
        struct worker_hosts *hosts;
        uv_timer_t timer;
        struct worker_process *process; /* until the last of it has left the kernel */
        bool shut;                      /* its socket is closed: it is only waited for */
        bool broken;                    /* it ended, or had to be ended, unasked */
        bool answered;                  /* it has answered something */
        bool stuck;                     /* EVENT_HOST_STUCK was sent */
        bool dropped;
        unsigned owed; /* answers it owed when it broke */
        struct request_list waiting;
        struct request_list flying;
        unsigned flying_count;
        uint64_t shut_at;      /* when its socket was closed */
        uint64_t used_at;      /* when it last had something to do */
        uint64_t retry_at;     /* no worker is started before */
        uint64_t locked_since; /* ms: an earlier worker is in the way; 0 when none is known to be */
        uint32_t back_off;     /* ms */
        int start_error;       /* last -errno of starting one, logged already */
        UT_hash_handle hh;
};

struct worker_hosts {
        uv_loop_t *loop;
        char *worker_socket, *worker, *sysfs, *runtime_dir; /* owned */
        uint64_t deadline_msec;
        uint32_t idle_msec;
        bool stopped;
        struct worker_hosts_handler handler;
        struct worker_counters counters;
        struct worker_host *table;
        struct worker_buffer buffer;
};

static const char *host_name(const struct worker_host *host, char name[static HOST_TEXT_MAX]) {
        if (host->number == WORKER_NO_HOST)
                snprintf(name, HOST_TEXT_MAX, "scsi_mod");
        else
                snprintf(name, HOST_TEXT_MAX, "host%" PRIu32, host->number);
        return name;
}

/* `message_id` NULL: what happens is told by an event, too. */
__attribute__((format(printf, 5, 6))) static void host_log(const struct worker_host *host,
                                                           int level, const char *message_id,
                                                           int error, const char *format, ...) {
        char name[HOST_TEXT_MAX], text[512];
        const struct log_fields fields = {
                .message_id = message_id, .host = host_name(host, name), .error = error};
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        log_write(level, &fields, "%s: %s", name, text);
}

static void host_event(struct worker_host *host, enum event_kind kind) {
        const struct event event = {.kind = kind, .address.target.host = host->number};
        struct worker_hosts *hosts = host->hosts;

        if (!hosts->stopped && host->number != WORKER_NO_HOST)
                hosts->handler.event(&event, hosts->handler.userdata);
}

static void request_fail(struct worker_hosts *hosts, struct request *request,
                         enum observed observed, int error) {
        if (!hosts->stopped)
                hosts->handler.failed(&request->step, observed, error, hosts->handler.userdata);
        free(request);
}

/* What the handler submits meanwhile waits for its own turn. */
static void requests_fail(struct worker_host *host, struct request_list *list,
                          enum observed observed, int error) {
        struct request_list failing = TAILQ_HEAD_INITIALIZER(failing);
        struct request *request;

        TAILQ_CONCAT(&failing, list, entry);
        if (list == &host->flying)
                host->flying_count = 0;
        while ((request = TAILQ_FIRST(&failing))) {
                TAILQ_REMOVE(&failing, request, entry);
                request_fail(host->hosts, request, observed, error);
        }
}

static void host_shut(struct worker_host *host) {
        worker_process_shut(host->process);
        host->shut = true;
        host->shut_at = uv_now(host->hosts->loop);
}

static uint64_t earlier(uint64_t a, uint64_t b) {
        return a < b ? a : b;
}

/* When there is something to do for this host; UINT64_MAX: not before something else happens. */
static uint64_t host_due(const struct worker_host *host) {
        uint64_t due = UINT64_MAX;
        const struct request *request;

        TAILQ_FOREACH (request, &host->flying, entry)
                due = earlier(due, request->due_at);
        if (host->stuck) {
                if (!host->process)
                        due = earlier(due, host->retry_at); /* try the lock */
                return TAILQ_EMPTY(&host->waiting) ? due : 0;
        }
        if (!TAILQ_EMPTY(&host->waiting)) {
                if (!host->process)
                        return earlier(due, host->retry_at);
                if (host->shut)
                        return earlier(due, host->shut_at + host->hosts->deadline_msec);
                return host->flying_count < WORKER_THREADS ? 0 : due;
        }
        if (host->flying_count == 0 && !host->shut)
                due = host->used_at + host->hosts->idle_msec;
        return due;
}

static void host_run(uv_timer_t *timer);

static void host_arm(struct worker_host *host) {
        uint64_t due = host_due(host), now = uv_now(host->hosts->loop);

        if (host->dropped)
                return;
        if (due == UINT64_MAX)
                uv_timer_stop(&host->timer);
        else
                uv_timer_start(&host->timer, host_run, due > now ? due - now : 0, 0);
}

/* Every answer that is owed is given now; whether the worker ever comes back is the kernel's
 * affair. */
static void host_stick(struct worker_host *host) {
        host->stuck = true;
        host->hosts->counters.stuck++;
        host_event(host, EVENT_HOST_STUCK);
        requests_fail(host, &host->flying, OBSERVED_STUCK, 0);
        requests_fail(host, &host->waiting, OBSERVED_STUCK, 0);
}

static void host_release(struct worker_host *host) {
        host->stuck = false;
        host_event(host, EVENT_HOST_RELEASED);
}

static struct request *request_overdue(struct worker_host *host) {
        uint64_t now = uv_now(host->hosts->loop);
        struct request *request;

        TAILQ_FOREACH (request, &host->flying, entry)
                if (request->due_at <= now)
                        return request;
        return NULL;
}

static void host_give_up(struct worker_host *host, const struct request *request) {
        char address[SCSI_ADDRESS_TEXT_MAX], name[HOST_TEXT_MAX];
        const struct log_fields fields = {.host = host_name(host, name), .address = address};

        scsi_address_format(&request->step.address, address);
        log_write(LOG_ERR, &fields,
                  "%s: stuck: %s of %s has not come back from the kernel for %" PRIu64 " s", name,
                  step_kind_name(request->step.kind), address,
                  (uv_now(host->hosts->loop) - request->sent_at) / 1000);
        host_shut(host);
        worker_process_kill(host->process);
        host_stick(host);
}

static void deadlines_check(struct worker_host *host) {
        const struct request *request;

        if (!request_overdue(host))
                return;
        /* If it was this process that stood still, the answers are there and only nobody has read
         * them. */
        worker_process_receive(host->process);
        request = request_overdue(host);
        if (request)
                host_give_up(host, request);
}

/* A worker that was shut for another reason, and does not go away, sticks like one that does not
 * answer. */
static void farewell_check(struct worker_host *host) {
        if (!host->shut || host->stuck || TAILQ_EMPTY(&host->waiting) ||
            uv_now(host->hosts->loop) < host->shut_at + host->hosts->deadline_msec)
                return;
        host_log(host, LOG_ERR, NULL, 0, "stuck: its last worker does not leave the kernel");
        worker_process_kill(host->process);
        host_stick(host);
}

static struct request *request_find(struct worker_host *host, uint64_t id) {
        struct request *request;

        TAILQ_FOREACH (request, &host->flying, entry)
                if (request->step.id == id)
                        return request;
        return NULL;
}

/* Kills a worker that cannot be talked to any more: it would otherwise serve nobody, holding the
 * lock. */
static void host_break(struct worker_host *host) {
        host->broken = true;
        host->owed = host->flying_count;
        host_shut(host);
        worker_process_kill(host->process);
        if (host->owed > 0)
                host->hosts->counters.died++;
        requests_fail(host, &host->flying, OBSERVED_LOST, 0);
        host_arm(host);
}

static void worker_replied(const struct worker_reply *reply, const uint8_t *data, void *userdata) {
        struct worker_host *host = userdata;
        struct worker_hosts *hosts = host->hosts;
        struct request *request = request_find(host, reply->id);

        if (!request || codec_request(&request->step).kind != reply->kind) {
                host_log(host, LOG_ERR, MESSAGE_ID_WORKER_FAILED, 0,
                         "its worker answered what it was not asked");
                host_break(host);
                return;
        }
        TAILQ_REMOVE(&host->flying, request, entry);
        host->flying_count--;
        host->answered = true;
        host->used_at = uv_now(hosts->loop);
        hosts->handler.answered(&request->step, reply, data, hosts->handler.userdata);
        free(request);
        if (!hosts->stopped)
                host_arm(host);
}

static void worker_hung_up(void *userdata) {
        host_break(userdata);
}

static void back_off_set(struct worker_host *host) {
        if (host->answered)
                host->back_off = 0;
        else if (host->back_off == 0)
                host->back_off = BACK_OFF_FIRST_MSEC;
        else if (host->back_off < BACK_OFF_MAX_MSEC / 2)
                host->back_off *= 2;
        else
                host->back_off = BACK_OFF_MAX_MSEC;
        host->retry_at = uv_now(host->hosts->loop) + host->back_off;
}

static void farewell_log(const struct worker_host *host, int64_t status, int signal) {
        char how[64] = "ended";

        if (signal != 0)
                snprintf(how, sizeof(how), "was killed by signal %d", signal);
        else if (status >= 0)
                snprintf(how, sizeof(how), "ended with status %d", (int)status);
        host_log(host, LOG_WARNING, MESSAGE_ID_WORKER_FAILED, 0,
                 "its worker %s and owed %u answer%s", how, host->owed, host->owed == 1 ? "" : "s");
}

static void worker_exited(int64_t status, int signal, void *userdata) {
        struct worker_host *host = userdata;

        if (!host->shut) {
                /* What it said last is still in the socket. */
                worker_process_receive(host->process);
                if (host->hosts->stopped)
                        return;
                if (!host->shut)
                        host_break(host);
        }
        if (host->hosts->stopped)
                return;
        worker_process_discard(host->process);
        host->process = NULL;
        host->shut = false;
        if (host->broken) {
                farewell_log(host, status, signal);
                back_off_set(host);
        }
        if (host->stuck)
                host_release(host);
        if (!host->hosts->stopped)
                host_arm(host);
}

static int host_start_locked(struct worker_host *host, int lock) {
        struct worker_hosts *hosts = host->hosts;
        const struct worker_process_config config = {
                .socket = hosts->worker_socket,
                .worker = hosts->worker,
                .sysfs = hosts->sysfs,
                .host = host->number,
                .lock_fd = lock,
                .buffer = &hosts->buffer,
        };
        const struct worker_process_handler handler = {
                .replied = worker_replied,
                .hung_up = worker_hung_up,
                .exited = worker_exited,
                .userdata = host,
        };

        return worker_process_start(hosts->loop, &config, &handler, &host->process);
}

/* The lock stays with the process; ours is closed. */
static int host_start(struct worker_host *host) {
        _cleanup_(closep) int lock = worker_lock_take(host->hosts->runtime_dir, host->number);
        int r = lock < 0 ? lock : host_start_locked(host, lock);

        if (r == -EWOULDBLOCK)
                return r;
        if (r < 0) {
                if (r != host->start_error)
                        host_log(host, LOG_ERR, MESSAGE_ID_WORKER_FAILED, r,
                                 "cannot start a worker: %s", strerror(-r));
                host->start_error = r;
                return r;
        }
        host->start_error = 0;
        host->shut = false;
        host->broken = false;
        host->answered = false;
        host->hosts->counters.started++;
        host_log(host, LOG_DEBUG, NULL, 0, "worker started");
        return 0;
}

static void host_is_locked(struct worker_host *host) {
        uint64_t now = uv_now(host->hosts->loop);

        host->locked_since = host->locked_since ?: now;
        if (now - host->locked_since < LOCK_PATIENCE_MSEC) {
                host->retry_at = now + LOCK_POLL_MSEC;
                return;
        }
        host->locked_since = 0;
        host_log(host, LOG_ERR, NULL, 0, "stuck: an earlier worker is still in the kernel");
        host->retry_at = now + LOCK_RETRY_MSEC;
        host_stick(host);
}

static void host_start_or_fail(struct worker_host *host) {
        int r = host_start(host);

        if (r == -EWOULDBLOCK) {
                host_is_locked(host);
                return;
        }
        host->locked_since = 0;
        if (r < 0)
                requests_fail(host, &host->waiting, OBSERVED_ERROR, r);
}

static void lock_retry(struct worker_host *host) {
        _cleanup_(closep) int lock = worker_lock_take(host->hosts->runtime_dir, host->number);

        if (lock != -EWOULDBLOCK)
                host_release(host);
        else
                host->retry_at = uv_now(host->hosts->loop) + LOCK_RETRY_MSEC;
}

static void requests_send(struct worker_host *host) {
        struct worker_hosts *hosts = host->hosts;
        struct request *request;

        while (host->flying_count < WORKER_THREADS && (request = TAILQ_FIRST(&host->waiting))) {
                struct worker_request message = codec_request(&request->step);

                if (worker_process_send(host->process, &message) < 0) {
                        host_break(host);
                        return;
                }
                request->sent_at = uv_now(hosts->loop);
                request->due_at =
                        request->sent_at + request->step.timeout_ms + hosts->deadline_msec;
                TAILQ_REMOVE(&host->waiting, request, entry);
                TAILQ_INSERT_TAIL(&host->flying, request, entry);
                host->flying_count++;
        }
}

static void host_closed(uv_handle_t *handle) {
        free(handle->data);
}

/* Without a worker, a request, or an open question nothing needs to be known of a host. */
static void host_drop(struct worker_host *host) {
        worker_lock_forget(host->hosts->runtime_dir, host->number);
        HASH_DEL(host->hosts->table, host);
        host->dropped = true;
        uv_close((uv_handle_t *)&host->timer, host_closed);
}

static void idle_check(struct worker_host *host) {
        uint64_t now = uv_now(host->hosts->loop);

        if (host->flying_count > 0 || host->shut || host->stuck || !TAILQ_EMPTY(&host->waiting) ||
            now < host->used_at + host->hosts->idle_msec)
                return;
        if (!host->process)
                host_drop(host);
        else {
                host_shut(host);
                host->used_at = now;
        }
}

static void host_run(uv_timer_t *timer) {
        struct worker_host *host = timer->data;
        struct worker_hosts *hosts = host->hosts;
        uint64_t now = uv_now(hosts->loop);

        deadlines_check(host);
        farewell_check(host);
        if (host->stuck && !host->process && now >= host->retry_at)
                lock_retry(host);
        if (hosts->stopped)
                return;
        if (host->stuck)
                requests_fail(host, &host->waiting, OBSERVED_STUCK, 0);
        else if (!TAILQ_EMPTY(&host->waiting) && !host->process && now >= host->retry_at)
                host_start_or_fail(host);
        if (hosts->stopped)
                return;
        if (host->process && !host->shut && !host->stuck)
                requests_send(host);
        if (hosts->stopped)
                return;
        idle_check(host);
        host_arm(host);
}

/* There is no answer to be had without memory for the question. The service may be killed at any
 * instant, and this is such an instant. */
static void *allocate(size_t size) {
        void *memory = calloc(1, size);

        if (!memory) {
                log_error("Out of memory");
                abort();
        }
        return memory;
}

static struct worker_host *host_get(struct worker_hosts *hosts, uint32_t number) {
        struct worker_host *host;

        HASH_FIND(hh, hosts->table, &number, sizeof(number), host);
        if (host)
                return host;
        host = allocate(sizeof(*host));
        host->number = number;
        host->hosts = hosts;
        TAILQ_INIT(&host->waiting);
        TAILQ_INIT(&host->flying);
        uv_timer_init(hosts->loop, &host->timer);
        host->timer.data = host;
        HASH_ADD(hh, hosts->table, number, sizeof(number), host);
        return host;
}

void worker_hosts_submit(struct worker_hosts *hosts, const struct step *step) {
        struct worker_host *host = host_get(hosts, step->address.target.host);
        struct request *request = allocate(sizeof(*request));

        assert(!hosts->stopped);
        request->step = *step;
        TAILQ_INSERT_TAIL(&host->waiting, request, entry);
        host->used_at = uv_now(hosts->loop);
        host_arm(host);
}

int worker_hosts_new(uv_loop_t *loop, const struct worker_hosts_config *config,
                     const struct worker_hosts_handler *handler, struct worker_hosts **ret) {
        struct worker_hosts *hosts = calloc(1, sizeof(*hosts));

        if (!hosts)
                return -ENOMEM;
        hosts->loop = loop;
        hosts->handler = *handler;
        hosts->deadline_msec = config->deadline_usec / 1000;
        hosts->idle_msec = config->idle_msec;
        hosts->worker_socket = config->worker_socket ? strdup(config->worker_socket) : NULL;
        hosts->worker = strdup(config->worker);
        hosts->sysfs = strdup(config->sysfs);
        hosts->runtime_dir = strdup(config->runtime_dir);
        if ((config->worker_socket && !hosts->worker_socket) || !hosts->worker || !hosts->sysfs ||
            !hosts->runtime_dir) {
                worker_hosts_free(hosts);
                return -ENOMEM;
        }
        *ret = hosts;
        return 0;
}

void worker_hosts_stop(struct worker_hosts *hosts) {
        struct worker_host *host, *next;

        hosts->stopped = true;
        HASH_ITER (hh, hosts->table, host, next) {
                requests_fail(host, &host->waiting, OBSERVED_LOST, 0);
                requests_fail(host, &host->flying, OBSERVED_LOST, 0);
                worker_process_discard(host->process);
                HASH_DEL(hosts->table, host);
                host->dropped = true;
                uv_close((uv_handle_t *)&host->timer, host_closed);
        }
}

void worker_hosts_free(struct worker_hosts *hosts) {
        if (!hosts)
                return;
        assert(!hosts->table);
        free(hosts->worker_socket);
        free(hosts->worker);
        free(hosts->sysfs);
        free(hosts->runtime_dir);
        free(hosts);
}

struct worker_counters worker_hosts_counters(const struct worker_hosts *hosts) {
        return hosts->counters;
}
