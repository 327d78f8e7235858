/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "dbus/append.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/options.h"
#include "dbus/paths.h"
#include "dbus/server_private.h"
#include "util/cleanup.h"

static const char *result(const struct job *job) {
        return job_is_finished(job) ? job_state_name(job->state) : "";
}

static const struct job_view *view_of(const struct job_object *object) {
        return job_views_find(object->server->jobs, object->job->id);
}

/* A job is visible from the moment it was asked for; the view comes with its first publication. */
static int append_objects(sd_bus_message *message, const struct job_view *view) {
        int r = sd_bus_message_open_container(message, 'a', "o");

        for (size_t i = 0; r >= 0 && view && i < view->objects.count; i++)
                r = sd_bus_message_append_basic(message, 'o', view->objects.paths[i]);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_expected_end(sd_bus_message *message, const struct job_view *view) {
        return sd_bus_message_append(message, "t", view ? view->expected_end : UINT64_C(0));
}

DEFINE_PROPERTY_GET(get_operation, struct job_object, object,
                    append_text(reply, job_operation_name(object->job->operation)))
DEFINE_PROPERTY_GET(get_progress, struct job_object, object,
                    sd_bus_message_append(reply, "d", object->job->progress))
DEFINE_PROPERTY_GET(get_progress_valid, struct job_object, object,
                    sd_bus_message_append(reply, "b", object->job->steps_total > 0))
DEFINE_PROPERTY_GET(get_start_time, struct job_object, object,
                    sd_bus_message_append_basic(reply, 't', &object->job->started))
DEFINE_PROPERTY_GET(get_expected_end_time, struct job_object, object,
                    append_expected_end(reply, view_of(object)))
DEFINE_PROPERTY_GET(get_started_by_uid, struct job_object, object,
                    sd_bus_message_append_basic(reply, 'u', &object->job->uid))
DEFINE_PROPERTY_GET(get_objects, struct job_object, object, append_objects(reply, view_of(object)))
DEFINE_PROPERTY_GET(get_cancelable, struct job_object, object,
                    sd_bus_message_append(reply, "b", !job_is_finished(object->job)))
DEFINE_PROPERTY_GET(get_scope, struct job_object, object,
                    append_text(reply, object->job->scope_text))
DEFINE_PROPERTY_GET(get_cause, struct job_object, object,
                    append_text(reply, job_cause_name(object->job->cause)))
DEFINE_PROPERTY_GET(get_state, struct job_object, object,
                    append_text(reply, job_state_name(object->job->state)))
DEFINE_PROPERTY_GET(get_steps_done, struct job_object, object,
                    sd_bus_message_append_basic(reply, 'u', &object->job->steps_done))
DEFINE_PROPERTY_GET(get_steps_total, struct job_object, object,
                    sd_bus_message_append_basic(reply, 'u', &object->job->steps_total))
DEFINE_PROPERTY_GET(get_result, struct job_object, object, append_text(reply, result(object->job)))
DEFINE_PROPERTY_GET(get_summary, struct job_object, object,
                    append_summary(reply, object->job->summary))

struct cancel_call {
        struct server *server;
        uint64_t job;
};

static int on_cancel_allowed(sd_bus_message *call, uint32_t uid, void *userdata,
                             sd_bus_error *error) {
        const struct cancel_call *cancel = userdata;
        const struct server_handler *handler = &cancel->server->handler;
        int r = engine_cancel(cancel->server->config.engine, cancel->job,
                              handler->now(handler->userdata));

        if (r == -ENOENT || r == -EALREADY)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_FAILED, "Job %" PRIu64 " has ended",
                                         cancel->job);
        if (r < 0)
                return r;
        handler->poked(handler->userdata);
        return sd_bus_reply_method_return(call, NULL);
}

/* The job's number and what it is about: numbers are not used again. */
static int cancel_details(struct details *details, const struct job *job) {
        _cleanup_(freep) char *path = NULL;
        int r = path_format_job(job->id, &path);

        if (r >= 0)
                r = details_set(details, SCSISCAN_DETAIL_OBJECT, path);
        return r < 0 ? r : details_set(details, SCSISCAN_DETAIL_SCOPE, job->scope_text);
}

static int on_cancel(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        const struct job_object *object = userdata;
        const struct job *job = object->job;
        struct server *server = object->server;
        struct caller_request request = {
                .action = SCSISCAN_ACTION_CANCEL,
                .owner = job->uid,
                .go = on_cancel_allowed,
                .request_free = free,
        };
        struct cancel_call *cancel;
        int r = options_read(call, NULL, 0, NULL, error);

        if (r >= 0)
                r = cancel_details(&request.details, job);
        cancel = r < 0 ? NULL : calloc(1, sizeof(*cancel));
        if (!cancel) {
                details_done(&request.details);
                return r < 0 ? r : -ENOMEM;
        }
        *cancel = (struct cancel_call){.server = server, .job = job->id};
        request.request = cancel;
        return callers_authorize(server->callers, call, &request, error);
}

static int on_wait(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        const struct job_object *object = userdata;

        return waiting_for_job(object->server->waiting, call, object->job->id, error);
}

/* Good until the next one is looked up: nobody keeps it. */
static int find(sd_bus *bus, const char *path, const char *interface, void *userdata,
                void **ret_found, sd_bus_error *error) {
        struct server *server = userdata;
        uint64_t id;

        if (path_parse_job(path, &id) < 0)
                return 0;
        server->found_job = job_object(server, engine_job(server->config.engine, id));
        *ret_found = &server->found_job;
        return server->found_job.job != NULL;
}

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                     sd_bus_error *error) {
        struct server *server = userdata;
        struct path_list list = {};
        const struct job *job;
        int r = 0;

        TAILQ_FOREACH (job, engine_jobs(server->config.engine), entry)
                if (r >= 0)
                        r = path_list_add_job(&list, job->id);
        if (r < 0)
                path_list_done(&list);
        *ret_nodes = list.paths;
        return r;
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("Cancel", "a{sv}", SD_BUS_PARAM(options), NULL, , on_cancel,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Wait", NULL, , "sa{st}",
                                 SD_BUS_PARAM(result) SD_BUS_PARAM(summary), on_wait,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_NAMES("Completed", "bs", SD_BUS_PARAM(success) SD_BUS_PARAM(message), 0),
        PROPERTY_CONST("Operation", "s", get_operation),
        PROPERTY_CHANGES("Progress", "d", get_progress),
        PROPERTY_CHANGES("ProgressValid", "b", get_progress_valid),
        PROPERTY_CONST("StartTime", "t", get_start_time),
        PROPERTY_CHANGES("ExpectedEndTime", "t", get_expected_end_time),
        PROPERTY_CONST("StartedByUID", "u", get_started_by_uid),
        PROPERTY_CHANGES("Objects", "ao", get_objects),
        PROPERTY_CHANGES("Cancelable", "b", get_cancelable),
        PROPERTY_CONST("Scope", "s", get_scope),
        PROPERTY_CONST("Cause", "s", get_cause),
        PROPERTY_CHANGES("State", "s", get_state),
        PROPERTY_CHANGES("StepsDone", "u", get_steps_done),
        PROPERTY_CHANGES("StepsTotal", "u", get_steps_total),
        PROPERTY_CHANGES("Result", "s", get_result),
        PROPERTY_CHANGES("Summary", "a{st}", get_summary),
        SD_BUS_VTABLE_END,
};

static const struct property_bit properties[] = {
        {JOB_PROPERTY_PROGRESS, "Progress"},
        {JOB_PROPERTY_PROGRESS_VALID, "ProgressValid"},
        {JOB_PROPERTY_EXPECTED_END, "ExpectedEndTime"},
        {JOB_PROPERTY_OBJECTS, "Objects"},
        {JOB_PROPERTY_FINISHED, "Cancelable"},
        {JOB_PROPERTY_STATE, "State"},
        {JOB_PROPERTY_STEPS_DONE, "StepsDone"},
        {JOB_PROPERTY_STEPS_TOTAL, "StepsTotal"},
        {JOB_PROPERTY_FINISHED, "Result"},
        {JOB_PROPERTY_SUMMARY, "Summary"},
        {0, NULL},
};

const struct object_face object_job = {
        .prefix = SCSISCAN_PATH_JOB,
        .interface = SCSISCAN_INTERFACE_JOB,
        .vtable = vtable,
        .find = find,
        .enumerate = enumerate,
        .properties = properties,
};
