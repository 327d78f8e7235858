/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "dbus/append.h"
#include "dbus/names.h"
#include "dbus/nodes.h"
#include "dbus/waiting.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/share.h"

enum wait_kind {
        WAIT_JOB,   /* told its result */
        WAIT_END,   /* told its path, or its error */
        WAIT_NODES, /* the same, and nodes have to exist */
        WAIT_PLAN,  /* told its plan, or its error */
        WAIT_SCOPE,
};

struct waiter {
        enum wait_kind kind;
        sd_bus_message *call;
        uint32_t uid;
        uint64_t job;       /* all but WAIT_SCOPE */
        struct scope scope; /* WAIT_SCOPE, WAIT_NODES */
        uint64_t lun;       /* WAIT_NODES */
        uint64_t until; /* µs, CLOCK_MONOTONIC; UINT64_MAX for ever. WAIT_NODES: since it ended */
        bool fresh;     /* nothing was published since it came */
        TAILQ_ENTRY(waiter) entry;
};

TAILQ_HEAD(waiter_list, waiter);

struct waiting {
        const struct engine *engine;
        const struct fair_queue *calls;
        const uint64_t *generation; /* of what was published last */
        uv_timer_t timer;           /* the first `until` */
        bool open;
        bool heard; /* within waiting_answer() alone */
        struct waiter_list list;
};

struct waiting *waiting_new(const struct engine *engine, const struct fair_queue *calls,
                            const uint64_t *generation) {
        struct waiting *waiting = calloc(1, sizeof(*waiting));

        if (!waiting)
                return NULL;
        waiting->engine = engine;
        waiting->calls = calls;
        waiting->generation = generation;
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
        scope_done(&waiter->scope);
        sd_bus_message_unref(waiter->call);
        free(waiter);
}

/* ---- who waits ---- */

static bool is_from(const struct waiter *waiter, const char *sender) {
        return strcmp(sd_bus_message_get_sender(waiter->call), sender) == 0;
}

static int find_room(const struct waiting *waiting, sd_bus_message *call, uint32_t *ret_uid,
                     sd_bus_error *error) {
        static const struct share share = {
                .user = WAITING_PER_USER_MAX,
                .users = WAITING_USERS_MAX,
                .root = WAITING_ROOT_MAX,
        };
        struct share_use use = {};
        const struct waiter *waiter;
        uint32_t uid;
        int r = fair_queue_user(waiting->calls, call, &uid);

        if (r < 0)
                return sd_bus_error_set(error, SCSISCAN_ERROR_ACCESS_DENIED,
                                        "The bus does not say who calls");
        TAILQ_FOREACH (waiter, &waiting->list, entry)
                share_count(&use, waiter->uid, uid);
        if (!share_has_room(&share, &use, uid))
                return sd_bus_error_set(error, SCSISCAN_ERROR_LIMIT, "Too many calls are waiting");
        *ret_uid = uid;
        return 0;
}

int waiting_has_room(const struct waiting *waiting, sd_bus_message *call, sd_bus_error *error) {
        uint32_t uid;

        return find_room(waiting, call, &uid, error);
}

static int waiter_new(struct waiting *waiting, sd_bus_message *call, enum wait_kind kind,
                      struct waiter **ret, sd_bus_error *error) {
        struct waiter *waiter;
        uint32_t uid = 0;
        int r = find_room(waiting, call, &uid, error);

        if (r < 0)
                return r;
        waiter = calloc(1, sizeof(*waiter));
        if (!waiter)
                return -ENOMEM;
        waiter->kind = kind;
        waiter->uid = uid;
        waiter->call = sd_bus_message_ref(call);
        waiter->until = UINT64_MAX;
        TAILQ_INSERT_TAIL(&waiting->list, waiter, entry);
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

static const char *const job_errors[] = {
        [JOB_ERROR_NONE] = SCSISCAN_ERROR_FAILED,
        [JOB_ERROR_FAILED] = SCSISCAN_ERROR_FAILED,
        [JOB_ERROR_HOST_STUCK] = SCSISCAN_ERROR_HOST_STUCK,
        [JOB_ERROR_DEVICE_TIMEOUT] = SCSISCAN_ERROR_DEVICE_TIMEOUT,
        [JOB_ERROR_IN_USE] = SCSISCAN_ERROR_IN_USE,
        [JOB_ERROR_IDENTITY_MISMATCH] = SCSISCAN_ERROR_IDENTITY_MISMATCH,
        [JOB_ERROR_NOT_REPORTED] = SCSISCAN_ERROR_NOT_REPORTED,
        [JOB_ERROR_NOT_FOUND] = SCSISCAN_ERROR_NOT_FOUND,
        [JOB_ERROR_REFUSED] = SCSISCAN_ERROR_REFUSED,
        [JOB_ERROR_INHIBITED] = SCSISCAN_ERROR_INHIBITED,
        [JOB_ERROR_STALE_PLAN] = SCSISCAN_ERROR_STALE_PLAN,
};

/* NULL when it went well. A scan that found something has done what it could; of an order each part
 * was asked for. */
static const char *error_of(const struct job *job) {
        if (job->state == JOB_CANCELLED)
                return SCSISCAN_ERROR_CANCELLED;
        if (job->state == JOB_DONE && (job->operation == JOB_SCAN || job->error == JOB_ERROR_NONE))
                return NULL;
        return job_errors[job->error];
}

static int answer_end(const struct job *job, sd_bus_message *call) {
        const char *error = error_of(job);

        if (!error)
                return append_job_reply(call, job->id);
        if (job->operation != JOB_SCAN && *job->message)
                return sd_bus_reply_method_errorf(call, error, "%s", job->message);
        return sd_bus_reply_method_errorf(call, error, "Job %" PRIu64 " %s%s%s", job->id,
                                          job_state_name(job->state), *job->message ? ": " : "",
                                          job->message);
}

static int answer_gone(const struct waiter *waiter) {
        return sd_bus_reply_method_errorf(waiter->call, SCSISCAN_ERROR_FAILED,
                                          "Job %" PRIu64 " is forgotten", waiter->job);
}

static bool nodes_are_due(const struct waiting *waiting, struct waiter *waiter) {
        if (waiter->until == UINT64_MAX)
                waiter->until = clock_usec() + NODES_PATIENCE_USEC;
        return waiter->until <= clock_usec() ||
               nodes_exist(engine_topology(waiting->engine), &waiter->scope, waiter->lun);
}

static bool job_is_due(const struct waiting *waiting, struct waiter *waiter,
                       const struct job *job) {
        if (!job)
                return true;
        if (!job_is_finished(job))
                return false;
        return waiter->kind != WAIT_NODES || error_of(job) || nodes_are_due(waiting, waiter);
}

static int answer_waiter(const struct waiting *waiting, const struct waiter *waiter,
                         const struct job *job) {
        if (!job)
                return answer_gone(waiter);
        if (waiter->kind == WAIT_PLAN && !error_of(job))
                return append_plan_reply(waiter->call, *waiting->generation, &job->plan);
        return waiter->kind == WAIT_JOB ? answer_job(job, waiter->call)
                                        : answer_end(job, waiter->call);
}

/* Answers if it can: false when there is still something to wait for. */
static bool waiter_answer(const struct waiting *waiting, struct waiter *waiter) {
        const struct job *job;
        bool settled;
        int r;

        if (waiter->kind == WAIT_SCOPE) {
                if (waiter->fresh)
                        return false;
                settled = waiting->heard && engine_is_settled(waiting->engine, &waiter->scope);
                if (!settled && waiter->until > clock_usec())
                        return false;
                r = sd_bus_reply_method_return(waiter->call, "b", settled);
        } else {
                job = engine_job(waiting->engine, waiter->job);
                if (!job_is_due(waiting, waiter, job))
                        return false;
                r = answer_waiter(waiting, waiter, job);
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
        uint64_t until = UINT64_MAX, now = clock_usec();

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

/* In a storm that does not end, everything is never heard: who has no patience left is told so. */
void waiting_answer(struct waiting *waiting, bool heard) {
        struct waiter *waiter;
        uint64_t now = clock_usec();

        TAILQ_FOREACH (waiter, &waiting->list, entry)
                if (heard || waiter->until <= now)
                        waiter->fresh = false;
        waiting->heard = heard;
        answer_those_due(waiting);
        waiting->heard = false;
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

/* Answered at the earliest when its end was published. */
int waiting_for_end(struct waiting *waiting, sd_bus_message *call, uint64_t job,
                    sd_bus_error *error) {
        struct waiter *waiter;
        int r = waiter_new(waiting, call, WAIT_END, &waiter, error);

        if (r < 0)
                return r;
        waiter->job = job;
        return 1;
}

int waiting_for_plan(struct waiting *waiting, sd_bus_message *call, uint64_t job,
                     sd_bus_error *error) {
        struct waiter *waiter;
        int r = waiter_new(waiting, call, WAIT_PLAN, &waiter, error);

        if (r < 0)
                return r;
        waiter->job = job;
        return 1;
}

int waiting_for_nodes(struct waiting *waiting, sd_bus_message *call, uint64_t job,
                      const struct scope *scope, uint64_t lun, sd_bus_error *error) {
        struct waiter *waiter;
        int r = waiter_new(waiting, call, WAIT_NODES, &waiter, error);

        if (r < 0)
                return r;
        r = scope_copy(scope, &waiter->scope);
        if (r < 0) {
                waiter_free(waiting, waiter);
                return r;
        }
        waiter->job = job;
        waiter->lun = lun;
        return 1;
}

int waiting_for_scope(struct waiting *waiting, sd_bus_message *call, const struct scope *scope,
                      uint64_t timeout, sd_bus_error *error) {
        struct waiter *waiter;
        uint64_t now = clock_usec();
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
