/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "dbus/append.h"
#include "dbus/names.h"
#include "dbus/waiting.h"
#include "util/log.h"

enum wait_kind {
        WAIT_JOB,
        WAIT_SCAN,
        WAIT_SCOPE,
};

struct waiter {
        enum wait_kind kind;
        sd_bus_message *call;
        uint64_t job;       /* WAIT_JOB, WAIT_SCAN */
        struct scope scope; /* WAIT_SCOPE */
        uint64_t until;     /* µs, CLOCK_MONOTONIC; UINT64_MAX for ever */
        bool fresh;         /* nothing was published since it came */
        TAILQ_ENTRY(waiter) entry;
};

TAILQ_HEAD(waiter_list, waiter);

struct waiting {
        const struct engine *engine;
        uv_timer_t timer; /* the first `until` */
        bool open;
        struct waiter_list list;
        unsigned count;
};

static uint64_t now_usec(void) {
        return uv_hrtime() / 1000;
}

struct waiting *waiting_new(const struct engine *engine) {
        struct waiting *waiting = calloc(1, sizeof(*waiting));

        if (!waiting)
                return NULL;
        waiting->engine = engine;
        TAILQ_INIT(&waiting->list);
        return waiting;
}

void waiting_start(struct waiting *waiting, uv_loop_t *loop) {
        uv_timer_init(loop, &waiting->timer);
        waiting->timer.data = waiting;
        waiting->open = true;
}

static void on_closed(uv_handle_t *handle) {
        struct waiting *waiting = handle->data;

        waiting->open = false;
}

void waiting_stop(struct waiting *waiting) {
        uv_close((uv_handle_t *)&waiting->timer, on_closed);
}

void waiting_free(struct waiting *waiting) {
        if (!waiting)
                return;
        assert(!waiting->open);
        assert(TAILQ_EMPTY(&waiting->list));
        free(waiting);
}

static void waiter_free(struct waiting *waiting, struct waiter *waiter) {
        TAILQ_REMOVE(&waiting->list, waiter, entry);
        waiting->count--;
        scope_done(&waiter->scope);
        sd_bus_message_unref(waiter->call);
        free(waiter);
}

/* ---- who waits ---- */

static bool is_from(const struct waiter *waiter, const char *sender) {
        return strcmp(sd_bus_message_get_sender(waiter->call), sender) == 0;
}

int waiting_has_room(const struct waiting *waiting, sd_bus_message *call, sd_bus_error *error) {
        const char *sender = sd_bus_message_get_sender(call);
        const struct waiter *waiter;
        unsigned count = 0;

        TAILQ_FOREACH (waiter, &waiting->list, entry)
                count += sender && is_from(waiter, sender);
        if (!sender || waiting->count >= WAITING_MAX || count >= WAITING_PER_SENDER_MAX)
                return sd_bus_error_set(error, SCSISCAN_ERROR_LIMIT, "Too many calls are waiting");
        return 0;
}

static int waiter_new(struct waiting *waiting, sd_bus_message *call, enum wait_kind kind,
                      struct waiter **ret, sd_bus_error *error) {
        struct waiter *waiter;
        int r = waiting_has_room(waiting, call, error);

        if (r < 0)
                return r;
        waiter = calloc(1, sizeof(*waiter));
        if (!waiter)
                return -ENOMEM;
        waiter->kind = kind;
        waiter->call = sd_bus_message_ref(call);
        waiter->until = UINT64_MAX;
        TAILQ_INSERT_TAIL(&waiting->list, waiter, entry);
        waiting->count++;
        *ret = waiter;
        return 0;
}

/* ---- what they are told ---- */

static int answer_job(const struct job *job, sd_bus_message *call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(call, &reply);

        if (r >= 0)
                r = append_text(reply, job_state_name(job->state));
        if (r >= 0)
                r = append_summary(reply, job->summary);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static const char *error_of(const struct job *job) {
        if (job->state == JOB_CANCELLED)
                return SCSISCAN_ERROR_CANCELLED;
        switch (job->error) {
        case JOB_ERROR_HOST_STUCK:
                return SCSISCAN_ERROR_HOST_STUCK;
        case JOB_ERROR_DEVICE_TIMEOUT:
                return SCSISCAN_ERROR_DEVICE_TIMEOUT;
        case JOB_ERROR_NONE:
        case JOB_ERROR_FAILED:
                break;
        }
        return SCSISCAN_ERROR_FAILED;
}

static int answer_scan(const struct job *job, sd_bus_message *call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        if (job->state != JOB_DONE)
                return sd_bus_reply_method_errorf(call, error_of(job), "Job %" PRIu64 " %s%s%s",
                                                  job->id, job_state_name(job->state),
                                                  *job->message ? ": " : "", job->message);
        r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = append_job_path(reply, job->id);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int answer_gone(const struct waiter *waiter) {
        return sd_bus_reply_method_errorf(waiter->call, SCSISCAN_ERROR_FAILED,
                                          "Job %" PRIu64 " is forgotten", waiter->job);
}

/* Answers if it can: false when there is still something to wait for. */
static bool waiter_answer(const struct waiting *waiting, const struct waiter *waiter) {
        const struct job *job;
        bool settled;
        int r;

        if (waiter->kind == WAIT_SCOPE) {
                if (waiter->fresh)
                        return false;
                settled = engine_is_settled(waiting->engine, &waiter->scope);
                if (!settled && waiter->until > now_usec())
                        return false;
                r = sd_bus_reply_method_return(waiter->call, "b", settled);
        } else {
                job = engine_job(waiting->engine, waiter->job);
                if (job && !job_is_finished(job))
                        return false;
                if (!job)
                        r = answer_gone(waiter);
                else
                        r = waiter->kind == WAIT_JOB ? answer_job(job, waiter->call)
                                                     : answer_scan(job, waiter->call);
        }
        if (r < 0)
                log_debug("Cannot answer %s: %s", sd_bus_message_get_sender(waiter->call),
                          strerror(-r));
        return true;
}

/* ---- time ---- */

static void on_timer(uv_timer_t *timer);

static void rearm_timer(struct waiting *waiting) {
        const struct waiter *waiter;
        uint64_t until = UINT64_MAX, now = now_usec();

        TAILQ_FOREACH (waiter, &waiting->list, entry)
                if (!waiter->fresh && waiter->until < until)
                        until = waiter->until;
        if (until == UINT64_MAX) {
                uv_timer_stop(&waiting->timer);
                return;
        }
        uv_update_time(waiting->timer.loop);
        uv_timer_start(&waiting->timer, on_timer, until > now ? (until - now + 999) / 1000 : 0, 0);
}

static void answer_those_due(struct waiting *waiting) {
        struct waiter *waiter, *next;

        for (waiter = TAILQ_FIRST(&waiting->list); waiter; waiter = next) {
                next = TAILQ_NEXT(waiter, entry);
                if (waiter_answer(waiting, waiter))
                        waiter_free(waiting, waiter);
        }
        rearm_timer(waiting);
}

static void on_timer(uv_timer_t *timer) {
        answer_those_due(timer->data);
}

void waiting_answer(struct waiting *waiting) {
        struct waiter *waiter;

        TAILQ_FOREACH (waiter, &waiting->list, entry)
                waiter->fresh = false;
        answer_those_due(waiting);
}

/* ---- who comes and goes ---- */

int waiting_for_job(struct waiting *waiting, sd_bus_message *call, uint64_t job,
                    sd_bus_error *error) {
        struct waiter *waiter;
        int r = waiter_new(waiting, call, WAIT_JOB, &waiter, error);

        if (r < 0)
                return r;
        waiter->job = job;
        if (waiter_answer(waiting, waiter))
                waiter_free(waiting, waiter);
        return 1;
}

int waiting_for_scan(struct waiting *waiting, sd_bus_message *call, uint64_t job,
                     sd_bus_error *error) {
        struct waiter *waiter;
        int r = waiter_new(waiting, call, WAIT_SCAN, &waiter, error);

        if (r < 0)
                return r;
        waiter->job = job;
        return 1; /* at the earliest when it was published */
}

int waiting_for_scope(struct waiting *waiting, sd_bus_message *call, const struct scope *scope,
                      uint64_t timeout, sd_bus_error *error) {
        struct waiter *waiter;
        uint64_t now = now_usec();
        int r = waiter_new(waiting, call, WAIT_SCOPE, &waiter, error);

        if (r < 0)
                return r;
        r = scope_copy(scope, &waiter->scope);
        if (r < 0) {
                waiter_free(waiting, waiter);
                return r;
        }
        waiter->until = timeout > UINT64_MAX - now ? UINT64_MAX : now + timeout;
        waiter->fresh = true;
        return 1;
}

void waiting_leave(struct waiting *waiting, const char *sender) {
        struct waiter *waiter, *next;

        for (waiter = TAILQ_FIRST(&waiting->list); waiter; waiter = next) {
                next = TAILQ_NEXT(waiter, entry);
                if (is_from(waiter, sender))
                        waiter_free(waiting, waiter);
        }
}

void waiting_leave_all(struct waiting *waiting) {
        while (!TAILQ_EMPTY(&waiting->list))
                waiter_free(waiting, TAILQ_FIRST(&waiting->list));
}
