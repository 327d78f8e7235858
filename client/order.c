/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* attach, detach, refresh and accept: one call that is answered when the job has ended. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/agent.h"
#include "client/bus.h"
#include "client/cleanup.h"
#include "client/name.h"
#include "client/progress.h"
#include "client/value.h"
#include "client/verbs.h"
#include "dbus/names.h"

struct order {
        sd_bus *bus;
        sd_event *event;
        const struct options *options;
        struct agent agent;
        struct progress progress;
        uint64_t started; /* µs, CLOCK_MONOTONIC */
        char *job;
        enum status status;
};

static void order_done(struct order *order) {
        agent_stop(&order->agent);
        json_object_put(order->progress.properties);
        sd_event_unref(order->event);
        free(order->job);
}

static uint64_t now_monotonic(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* ---- what comes back ---- */

static enum status order_fail(struct order *order, const sd_bus_error *error, int r) {
        if (error && sd_bus_error_is_set(error)) {
                order->progress.message = error->message ? error->message : "";
                (void)progress_print_failure(&order->progress, error->name, order->options);
        } else {
                progress_erase(&order->progress, order->options);
        }
        return bus_fail(error, r);
}

static const char *text_of(struct json_object *properties, const char *name) {
        struct json_object *value;

        return json_object_object_get_ex(properties, name, &value) ? json_object_get_string(value)
                                                                   : "";
}

/* The device at that LUN of one target, in a line; nothing if there is none. */
static void attached_print(const struct order *order, const char *target) {
        _cleanup_(json_object_putp) struct json_object *paths = NULL, *properties = NULL;
        _cleanup_(freep) char *address = NULL, *key = path_to_key(target);
        const char *node;

        if (!key || asprintf(&address, "%s:%s", key, order->progress.lun) < 0)
                return;
        if (bus_find(order->bus, address, NULL, &paths) < 0 ||
            json_object_array_length(paths) != 1 ||
            bus_get_properties(order->bus,
                               json_object_get_string(json_object_array_get_idx(paths, 0)),
                               SCSISCAN_INTERFACE_DEVICE, NULL, &properties) < 0)
                return;
        node = text_of(properties, "BlockDevice");
        fprintf(order->options->out, "%s %s %s\n", text_of(properties, "Address"),
                *node ? node : text_of(properties, "GenericDevice"),
                text_of(properties, "Identity"));
}

/* What a person who attaches something does next is to use it. */
static void all_attached_print(const struct order *order) {
        struct json_object *targets;

        if (order->options->json || order->progress.verb != PROGRESS_ATTACH ||
            !json_object_object_get_ex(order->progress.properties, "Objects", &targets))
                return;
        for (size_t i = 0; i < json_object_array_length(targets); i++)
                attached_print(order,
                               json_object_get_string(json_object_array_get_idx(targets, i)));
}

/* Answered while the connection is still there: leaving the loop closes it. */
static enum status order_end(struct order *order, sd_bus_message *reply) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = bus_read_job(reply, &order->job);

        if (r >= 0)
                r = bus_get_properties(order->bus, order->job, SCSISCAN_INTERFACE_JOB, &error,
                                       &order->progress.properties);
        if (r < 0)
                return order_fail(order, &error, r);
        order->progress.job = order->job;
        order->progress.elapsed_usec = now_monotonic() - order->started;
        r = progress_print_end(&order->progress, order->options);
        if (r < 0)
                return bus_fail(NULL, r);
        all_attached_print(order);
        return progress_succeeded(&order->progress) ? STATUS_OK : STATUS_JOB_FAILED;
}

static int handle_reply(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        struct order *order = userdata;
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        order->status = error ? order_fail(order, error, -sd_bus_error_get_errno(error))
                              : order_end(order, reply);
        return sd_event_exit(order->event, 0);
}

/* ---- waiting, or not ---- */

static enum status order_wait(struct order *order, sd_bus_message *call) {
        int r = bus_loop_new(order->bus, &order->event);

        if (r >= 0)
                r = sd_bus_call_async(order->bus, NULL, call, handle_reply, order, UINT64_MAX);
        if (r >= 0 && !order->options->json && !order->agent.pid) /* its line is the agent's */
                r = progress_print_step(&order->progress, order->options);
        if (r < 0)
                return order_fail(order, NULL, r);
        order->status = STATUS_NOT_RUNNING;
        r = sd_event_loop(order->event);
        if (r == -EINTR) {
                (void)progress_print_left(&order->progress, order->options);
                return STATUS_INTERRUPTED;
        }
        if (r < 0)
                return order_fail(order, NULL, r);
        return order->status;
}

static enum status order_leave(struct order *order, sd_bus_message *call) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = bus_call_for_job(order->bus, call, &error, &order->job);

        if (r < 0)
                return order_fail(order, &error, r);
        order->progress.job = order->job;
        r = progress_print_job(&order->progress, order->options);
        return r < 0 ? bus_fail(NULL, r) : STATUS_OK;
}

static int option_append(sd_bus_message *call, const char *name, const char *type,
                         const void *value) {
        int r = sd_bus_message_open_container(call, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append_basic(call, 's', name);
        if (r >= 0)
                r = sd_bus_message_open_container(call, 'v', type);
        if (r >= 0)
                r = sd_bus_message_append_basic(call, type[0], value);
        if (r >= 0)
                r = sd_bus_message_close_container(call);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

static int options_append(sd_bus_message *call, const struct options *options) {
        const int yes = true;
        int r = sd_bus_message_open_container(call, 'a', "{sv}");

        if (r >= 0 && options->wait)
                r = option_append(call, "wait", "b", &yes);
        if (r >= 0 && options->force)
                r = option_append(call, "force", "b", &yes);
        if (r >= 0 && options->identity)
                r = option_append(call, "identity", "s", options->identity);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

/* types: "s", "ss" or "o", of the arguments before the options. */
static enum status order_run(sd_bus *bus, const char *method, const char *types,
                             const char *const *arguments, const struct progress *progress,
                             const struct options *options) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(order_done) struct order order = {
                .bus = bus,
                .options = options,
                .progress = *progress,
                .started = now_monotonic(),
        };
        int r = bus_call_new(bus, SCSISCAN_INTERFACE_HOTPLUG, method, options, &call);

        for (size_t i = 0; r >= 0 && types[i]; i++)
                r = sd_bus_message_append_basic(call, types[i], arguments[i]);
        if (r >= 0)
                r = options_append(call, options);
        if (r < 0)
                return bus_fail(NULL, r);
        agent_start(&order.agent, options);
        return options->wait ? order_wait(&order, call) : order_leave(&order, call);
}

/* ---- the verbs ---- */

enum status attach_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        const struct progress progress = {
                .verb = PROGRESS_ATTACH, .scope = arguments[0], .lun = arguments[1], .message = ""};
        const char *const both[] = {arguments[0], arguments[1]};

        return order_run(bus, "Attach", "ss", both, &progress, options);
}

enum status detach_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        const struct progress progress = {
                .verb = PROGRESS_DETACH, .scope = arguments[0], .message = ""};
        const char *const what[] = {arguments[0]};

        return order_run(bus, "Detach", "s", what, &progress, options);
}

enum status refresh_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        const struct progress progress = {
                .verb = PROGRESS_REFRESH, .scope = arguments[0], .message = ""};
        const char *const what[] = {arguments[0]};

        return order_run(bus, "Refresh", "s", what, &progress, options);
}

/* How many devices the paths name; the last of them. */
static size_t devices_of(struct json_object *paths, const char **ret) {
        size_t count = 0;

        for (size_t i = 0; i < json_object_array_length(paths); i++) {
                const char *path = json_object_get_string(json_object_array_get_idx(paths, i));
                enum object_kind kind;
                uint64_t numbers[4];

                if (path_parse(path, &kind, numbers) < 0 || kind != OBJECT_DEVICE)
                        continue;
                *ret = path;
                count++;
        }
        return count;
}

enum status accept_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_putp) struct json_object *paths = NULL;
        const struct progress progress = {
                .verb = PROGRESS_ACCEPT, .scope = arguments[0], .message = ""};
        const char *device[1] = {};
        size_t count;
        int r = bus_find(bus, arguments[0], &error, &paths);

        if (r < 0)
                return bus_fail(&error, r);
        count = devices_of(paths, device);
        if (count != 1) {
                fprintf(stderr,
                        "scsictl: '%s' names %s: accept takes one device, as 3:0:1:5 or /dev/sdX\n",
                        arguments[0], count == 0 ? "no device" : "several devices");
                return STATUS_INVALID;
        }
        return order_run(bus, "AcceptReplacement", "o", device, &progress, options);
}
