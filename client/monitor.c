/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "client/bus.h"
#include "client/cleanup.h"
#include "client/event.h"
#include "client/value.h"
#include "client/verbs.h"
#include "dbus/names.h"

static uint64_t now_realtime(void) {
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static int handle_signal(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const struct options *options = userdata;
        _cleanup_(json_object_putp) struct json_object *arguments = NULL;
        struct event event;
        int r;

        r = value_read_all(message, &arguments);
        if (r < 0)
                return r;
        event = (struct event){
                .time_usec = now_realtime(),
                .path = sd_bus_message_get_path(message),
                .interface = sd_bus_message_get_interface(message),
                .member = sd_bus_message_get_member(message),
                .arguments = arguments,
        };
        return event_print(&event, options);
}

/* A restart is two of these: the match on the service's name outlives both. */
static int handle_owner(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const struct options *options = userdata;
        const char *name, *old_owner, *new_owner;
        int r;

        r = sd_bus_message_read(message, "sss", &name, &old_owner, &new_owner);
        if (r < 0)
                return r;
        return event_print_service(now_realtime(), *new_owner != '\0', options);
}

static int monitor_start(sd_bus *bus, const struct options *options, sd_bus_error *error) {
        void *userdata = (void *)options;
        int r;

        r = bus_follow(bus, SCSISCAN_PATH, handle_signal, userdata);
        if (r < 0)
                return r;
        r = bus_follow_owner(bus, handle_owner, userdata);
        if (r < 0)
                return r;
        r = bus_has_owner(bus, error);
        if (r < 0)
                return r;
        return event_print_service(now_realtime(), r > 0, options);
}

enum status monitor_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        int r;

        r = bus_loop_new(bus, &event);
        if (r < 0)
                return bus_fail(NULL, r);
        r = monitor_start(bus, options, &error);
        if (r < 0)
                return bus_fail(&error, r);
        r = sd_event_loop(event);
        if (r == -EINTR) /* how one ends it */
                return STATUS_OK;
        return bus_fail(NULL, r < 0 ? r : -ECONNRESET);
}
