/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "dbus/append.h"
#include "dbus/emit.h"
#include "dbus/names.h"
#include "dbus/paths.h"
#include "dbus/publisher.h"
#include "dbus/server_private.h"

static uint64_t realtime(const struct server *server) {
        return server->handler.now(server->handler.userdata).realtime;
}

static void emit_started(struct server *server, const struct job *job, const char *path) {
        sd_bus_message *signal =
                emit_begin(server, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Started");

        if (signal)
                emit_end(server, signal,
                         sd_bus_message_append(signal, "oss", path, job->scope_text,
                                               job_cause_name(job->cause)));
}

static void emit_completed(struct server *server, const struct job *job, const char *path) {
        sd_bus_message *signal = emit_begin(server, path, SCSISCAN_INTERFACE_JOB, "Completed");

        if (signal)
                emit_end(server, signal,
                         sd_bus_message_append(signal, "bs", job->state == JOB_DONE, job->message));
}

static void emit_finished(struct server *server, const struct job *job, const char *path) {
        sd_bus_message *signal =
                emit_begin(server, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Finished");
        int r;

        if (!signal)
                return;
        r = sd_bus_message_append(signal, "oss", path, job->scope_text, job_state_name(job->state));
        if (r >= 0)
                r = append_summary(signal, job->summary);
        emit_end(server, signal, r);
}

static void publish_begun(struct server *server, const struct job *job, const char *path) {
        if (job->operation == JOB_SCAN)
                emit_started(server, job, path);
}

static void publish_ended(struct server *server, const struct job *job, const char *path) {
        const struct server_handler *handler = &server->handler;

        emit_completed(server, job, path);
        if (job->operation == JOB_SCAN)
                emit_finished(server, job, path);
        if (handler->job_ended)
                handler->job_ended(job, handler->userdata);
}

/* A job may have come, run and ended since the last time: each is told all the same. */
static void publish_stages(struct server *server, struct job_view *view, const struct job *job,
                           const char *path) {
        if (!view->begun && job->state != JOB_QUEUED) {
                view->begun = true;
                publish_begun(server, job, path);
        }
        if (!view->ended && job_is_finished(job)) {
                view->ended = true;
                publish_ended(server, job, path);
        }
}

static int publish_new_job(struct server *server, const struct job *job, const char *path) {
        struct job_view *view = job_views_add(
                server->jobs, job, engine_topology(server->config.engine), realtime(server));
        struct job_object object;

        if (!view)
                return -ENOMEM;
        object = job_object(server, job);
        emit_added(server, &object_job, path, &object);
        publish_stages(server, view, job, path);
        return 0;
}

static void publish_known_job(struct server *server, struct job_view *view, const struct job *job,
                              const char *path) {
        struct job_object object = job_object(server, job);
        uint32_t properties = view->unpublished | job_view_update(view, job, realtime(server));

        view->unpublished = 0;
        emit_changed(server, &object_job, path, &object, properties);
        publish_stages(server, view, job, path);
}

static void publish_job(struct server *server, const struct job *job) {
        _cleanup_(freep) char *path = NULL;
        struct job_view *view = job_views_find(server->jobs, job->id);
        int r = path_format_job(job->id, &path);

        if (r >= 0 && view)
                publish_known_job(server, view, job, path);
        else if (r >= 0)
                r = publish_new_job(server, job, path);
        if (r < 0)
                emit_fail(server, r);
}

/* ---- those that work on other objects now ---- */

/* Whoever is about to be told of anyway is told of that with the rest. */
static void look_at_objects(struct server *server, const struct job *job) {
        struct job_view *view = job_views_find(server->jobs, job->id);
        int r = 0;

        if (view && !view->ended)
                r = job_view_update_objects(view, job, engine_topology(server->config.engine),
                                            &view->unpublished);
        if (r < 0)
                emit_fail(server, r);
        else if (view && view->unpublished)
                publish_job(server, job);
}

/* Jobs have ascending ids, and go nowhere but in publish_jobs(). */
bool publish_job_objects(struct server *server, struct publication *publication, uint64_t until) {
        const struct job *job;

        if (!publication->changes)
                return true;
        TAILQ_FOREACH (job, engine_jobs(server->config.engine), entry) {
                if (job->id <= publication->job)
                        continue;
                if (slice_is_over(until))
                        return false;
                look_at_objects(server, job);
                publication->job = job->id;
        }
        return true;
}

/* ---- those that changed, came, or are forgotten ---- */

static void publish_expired(struct server *server, uint64_t job) {
        _cleanup_(freep) char *path = NULL;
        int r = path_format_job(job, &path);

        if (r < 0)
                emit_fail(server, r);
        else if (job_views_find(server->jobs, job))
                emit_removed(server, &object_job, path);
        job_views_remove(server->jobs, job);
}

bool publish_jobs(struct server *server, struct publication *publication, uint64_t until) {
        struct scan_time now = server->handler.now(server->handler.userdata);
        const struct job *job;
        uint64_t expired;

        while (!slice_is_over(until)) {
                job = engine_take_job(server->config.engine);
                if (job)
                        publish_job(server, job);
                else if (engine_expire_job(server->config.engine, now, &expired))
                        publish_expired(server, expired);
                else
                        return true;
        }
        return false;
}
