/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/agent.h"
#include "client/bus.h"
#include "client/cleanup.h"
#include "client/progress.h"
#include "client/value.h"
#include "client/verbs.h"
#include "dbus/names.h"

/* How long after its last property the Completed of a job may still be under way. */
#define COMPLETED_USEC UINT64_C(1000000)

struct scan {
        sd_bus *bus;
        sd_event *event;
        const struct options *options;
        struct progress progress;
        uint64_t started; /* µs, CLOCK_MONOTONIC */
        char *job;
        char *message;
        sd_bus_error error; /* of the call */
        bool lost;          /* the service went away */
};

static void scan_done(struct scan *scan) {
        json_object_put(scan->progress.properties);
        sd_event_unref(scan->event);
        free(scan->job);
        free(scan->message);
        sd_bus_error_free(&scan->error);
}

static uint64_t now_monotonic(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static int handle_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void properties_merge(struct scan *scan, struct json_object *changed) {
        json_object_object_foreach(changed, name, value) {
                json_object_object_add(scan->progress.properties, name, json_object_get(value));
        }
}

static int handle_properties(struct scan *scan, sd_bus_message *message) {
        _cleanup_(json_object_putp) struct json_object *changed = NULL;
        const char *interface;
        int r;

        r = sd_bus_message_read(message, "s", &interface);
        if (r < 0 || strcmp(interface, SCSISCAN_INTERFACE_JOB) != 0)
                return r;
        r = value_read(message, &changed);
        if (r < 0)
                return r;
        if (json_object_is_type(changed, json_type_object))
                properties_merge(scan, changed);
        return progress_print_step(&scan->progress, scan->options);
}

static int scan_refresh(struct scan *scan, sd_bus_error *error) {
        struct json_object *properties = NULL;
        int r = bus_get_properties(scan->bus, scan->job, SCSISCAN_INTERFACE_JOB, error,
                                   &properties);

        if (r < 0)
                return r;
        json_object_put(scan->progress.properties);
        scan->progress.properties = properties;
        return 0;
}

static int handle_completed(struct scan *scan, sd_bus_message *message) {
        const char *text;
        int success, r;

        r = sd_bus_message_read(message, "bs", &success, &text);
        if (r < 0)
                return r;
        free(scan->message);
        scan->message = strdup(text);
        /* Here, because leaving the loop closes the connection. What arrived with the signals will
         * do if the service has no more to say. */
        scan_refresh(scan, NULL);
        return sd_event_exit(scan->event, 0);
}

/* Signals of other jobs arrive as well: the match stands before the job is known. */
static int handle_job(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct scan *scan = userdata;

        if (!scan->job || strcmp(sd_bus_message_get_path(message), scan->job) != 0)
                return 0;
        if (sd_bus_message_is_signal(message, "org.freedesktop.DBus.Properties",
                                     "PropertiesChanged"))
                return handle_properties(scan, message);
        if (sd_bus_message_is_signal(message, SCSISCAN_INTERFACE_JOB, "Completed"))
                return handle_completed(scan, message);
        return 0;
}

static int handle_owner(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct scan *scan = userdata;

        scan->lost = true;
        return sd_event_exit(scan->event, 0);
}

static int append_options(sd_bus_message *call, const struct options *options) {
        int r = sd_bus_message_open_container(call, 'a', "{sv}");

        if (r >= 0 && options->remove)
                r = sd_bus_message_append(call, "{sv}", "remove", "b", true);
        if (r >= 0 && options->planned)
                r = sd_bus_message_append(call, "{sv}", "generation", "t", options->generation);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

static int scan_call_new(const struct scan *scan, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = bus_call_new(scan->bus, SCSISCAN_INTERFACE_SCAN, "Scan", scan->options, &call);
        if (r >= 0)
                r = sd_bus_message_append(call, "s", scan->progress.scope);
        if (r >= 0)
                r = append_options(call, scan->options);
        if (r < 0)
                return r;
        *ret = call;
        call = NULL;
        return 0;
}

static int scan_begun(struct scan *scan, sd_bus_message *reply) {
        int r = bus_read_job(reply, &scan->job);

        if (r < 0)
                return r;
        scan->progress.job = scan->job;
        r = progress_print_start(&scan->progress, scan->options);
        if (r >= 0)
                r = scan_refresh(scan, &scan->error);
        if (r >= 0 && progress_ended(&scan->progress))
                r = sd_event_add_time_relative(scan->event, NULL, CLOCK_MONOTONIC, COMPLETED_USEC,
                                               0, handle_timeout, scan);
        return r < 0 ? r : progress_print_step(&scan->progress, scan->options);
}

static int handle_called(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        struct scan *scan = userdata;
        const sd_bus_error *refused = sd_bus_message_get_error(reply);
        int r = refused ? sd_bus_error_copy(&scan->error, refused) : scan_begun(scan, reply);

        return r < 0 ? sd_event_exit(scan->event, r) : 0;
}

/* First the matches, then the call, then the properties: nothing that happens is missed. The reply
 * is not waited for outside the loop, where nobody would hear of a signal: somebody may be asked
 * for a password first. */
static int scan_start(struct scan *scan) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = bus_follow(scan->bus, SCSISCAN_PATH_JOB, handle_job, scan);
        if (r >= 0)
                r = bus_follow_owner(scan->bus, handle_owner, scan);
        if (r >= 0)
                r = scan_call_new(scan, &call);
        return r < 0 ? r
                     : sd_bus_call_async(scan->bus, NULL, call, handle_called, scan, UINT64_MAX);
}

static enum status scan_end(struct scan *scan) {
        int r;

        if (scan->lost) {
                progress_erase(&scan->progress, scan->options);
                fprintf(stderr, "scsictl: scsiscand went away before the scan had ended\n");
                return STATUS_NOT_RUNNING;
        }
        scan->progress.elapsed_usec = now_monotonic() - scan->started;
        scan->progress.message = scan->message ? scan->message : "";
        r = progress_print_end(&scan->progress, scan->options);
        if (r < 0)
                return bus_fail(NULL, r);
        return progress_succeeded(&scan->progress) ? STATUS_OK : STATUS_JOB_FAILED;
}

static enum status scan_leave(struct scan *scan) {
        if (scan->job)
                progress_print_left(&scan->progress, scan->options);
        return STATUS_INTERRUPTED;
}

static enum status scan_fail(struct scan *scan, int r) {
        const sd_bus_error *error = &scan->error;

        if (sd_bus_error_is_set(error)) {
                scan->progress.message = error->message ? error->message : "";
                (void)progress_print_failure(&scan->progress, error->name, scan->options);
        } else {
                progress_erase(&scan->progress, scan->options);
        }
        return bus_fail(error, r);
}

static enum status scan_follow(struct scan *scan) {
        int r;

        r = bus_loop_new(scan->bus, &scan->event);
        if (r >= 0)
                r = scan_start(scan);
        if (r < 0)
                return bus_fail(NULL, r);
        r = sd_event_loop(scan->event);
        if (r == -EINTR)
                return scan_leave(scan);
        if (r == 0)
                return scan_end(scan);
        return scan_fail(scan, r < 0 ? r : -ECONNRESET);
}

static enum status scan_leave_at_once(struct scan *scan) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r = scan_call_new(scan, &call);

        if (r >= 0)
                r = bus_call_for_job(scan->bus, call, &scan->error, &scan->job);
        if (r < 0)
                return scan_fail(scan, r);
        scan->progress.job = scan->job;
        r = progress_print_job(&scan->progress, scan->options);
        return r < 0 ? bus_fail(NULL, r) : STATUS_OK;
}

enum status scan_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        _cleanup_(scan_done) struct scan scan = {
                .bus = bus,
                .options = options,
                .progress = {.scope = arguments[0] ? arguments[0] : "", .message = ""},
                .started = now_monotonic(),
        };
        _cleanup_(agent_stop) struct agent agent = {};

        agent_start(&agent, options);
        return options->wait ? scan_follow(&scan) : scan_leave_at_once(&scan);
}
