/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "client/bus.h"
#include "client/cleanup.h"
#include "client/pages.h"
#include "client/value.h"
#include "dbus/names.h"

/* A bus at its limit carries 32 MiB, which takes seconds; the 25 s of sd-bus are for small replies.
 */
#define CALL_TIMEOUT_USEC UINT64_C(120000000)

#define NOT_RUNNING "scsiscand is not running; start it with: systemctl start scsiscand.service"

static const struct complaint {
        const char *error; /* a name, or the beginning of one that ends with '.' */
        enum status status;
        const char *text; /* instead of the service's, or NULL */
        const char *advice;
} complaints[] = {
        {SD_BUS_ERROR_SERVICE_UNKNOWN, STATUS_NOT_RUNNING, NOT_RUNNING, ""},
        {SD_BUS_ERROR_NAME_HAS_NO_OWNER, STATUS_NOT_RUNNING, NOT_RUNNING, ""},
        {"org.freedesktop.DBus.Error.Spawn.", STATUS_NOT_RUNNING, NOT_RUNNING, ""},
        {"org.freedesktop.systemd1.", STATUS_NOT_RUNNING, NOT_RUNNING, ""},
        {SD_BUS_ERROR_NO_REPLY, STATUS_NOT_RUNNING, "scsiscand did not answer", ""},
        {SCSISCAN_ERROR_ACCESS_DENIED, STATUS_DENIED, NULL, " (try sudo)"},
        {SCSISCAN_ERROR_INTERACTIVE, STATUS_DENIED, NULL, " (try it on a terminal, or sudo)"},
        {SCSISCAN_ERROR_NOT_FOUND, STATUS_NOT_FOUND, NULL, ""},
        {SCSISCAN_ERROR_UNKNOWN_OBJECT, STATUS_NOT_FOUND, "there is no such object", ""},
        {SCSISCAN_ERROR_INVALID_ARGS, STATUS_INVALID, NULL, ""},
        {SCSISCAN_ERROR_IN_USE, STATUS_IN_USE, NULL, " (--force detaches it all the same)"},
        {SCSISCAN_BUS_NAME ".Error.", STATUS_JOB_FAILED, NULL, ""}, /* any other */
};

static const struct complaint *complaint_find(const char *error) {
        for (size_t i = 0; i < ELEMENTS_OF(complaints); i++) {
                const char *name = complaints[i].error;
                size_t length = strlen(name);

                if (name[length - 1] == '.' ? strncmp(name, error, length) == 0
                                            : strcmp(name, error) == 0)
                        return &complaints[i];
        }
        return NULL;
}

enum status bus_fail(const sd_bus_error *error, int r) {
        const struct complaint *complaint;

        if (!error || !sd_bus_error_is_set(error)) {
                fprintf(stderr, "scsictl: %s\n", strerror(-r));
                return r == -ECONNRESET || r == -ENOTCONN ? STATUS_NOT_RUNNING : STATUS_FAILED;
        }
        complaint = complaint_find(error->name);
        fprintf(stderr, "scsictl: %s%s\n",
                complaint && complaint->text ? complaint->text
                : error->message             ? error->message
                                             : error->name,
                complaint ? complaint->advice : "");
        return complaint ? complaint->status : STATUS_FAILED;
}

int bus_open(sd_bus **ret) {
        int r = sd_bus_open_system(ret);

        if (r < 0)
                return r;
        sd_bus_set_method_call_timeout(*ret, CALL_TIMEOUT_USEC);
        return sd_bus_set_exit_on_disconnect(*ret, true);
}

/* The first value of a reply. */
static int reply_value(sd_bus_message *reply, struct json_object **ret) {
        int r = value_read(reply, ret);

        return r == 0 ? -EBADMSG : r < 0 ? r : 0;
}

int bus_get_properties(sd_bus *bus, const char *path, const char *interface, sd_bus_error *error,
                       struct json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(bus, SCSISCAN_BUS_NAME, path, "org.freedesktop.DBus.Properties",
                               "GetAll", error, &reply, "s", interface);
        return r < 0 ? r : reply_value(reply, ret);
}

int bus_get_objects(sd_bus *bus, sd_bus_error *error, struct json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(bus, SCSISCAN_BUS_NAME, SCSISCAN_PATH,
                               "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", error,
                               &reply, NULL);
        if (sd_bus_error_has_name(error, SCSISCAN_ERROR_LIMITS_EXCEEDED)) {
                sd_bus_error_free(error);
                return pages_get_objects(bus, error, ret);
        }
        if (r < 0)
                return r;
        r = sd_bus_message_has_signature(reply, "a{oa{sa{sv}}}");
        return r < 0 ? r : r == 0 ? -EBADMSG : reply_value(reply, ret);
}

int bus_find(sd_bus *bus, const char *key, sd_bus_error *error, struct json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(bus, SCSISCAN_BUS_NAME, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY,
                               "Find", error, &reply, "s", key);
        if (r < 0)
                return r;
        r = sd_bus_message_has_signature(reply, "ao");
        return r < 0 ? r : r == 0 ? -EBADMSG : reply_value(reply, ret);
}

int bus_call_new(sd_bus *bus, const char *interface, const char *method,
                 const struct options *options, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r = sd_bus_message_new_method_call(bus, &call, SCSISCAN_BUS_NAME, SCSISCAN_PATH,
                                               interface, method);

        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(call, options->ask);
        if (r < 0)
                return r;
        *ret = call;
        call = NULL;
        return 0;
}

int bus_read_job(sd_bus_message *reply, char **ret_job) {
        const char *job;
        int r = sd_bus_message_read(reply, "o", &job);

        if (r < 0)
                return r;
        *ret_job = strdup(job);
        return *ret_job ? 0 : -ENOMEM;
}

int bus_call_for_job(sd_bus *bus, sd_bus_message *call, sd_bus_error *error, char **ret_job) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_call(bus, call, UINT64_MAX, error, &reply);

        return r < 0 ? r : bus_read_job(reply, ret_job);
}

int bus_follow(sd_bus *bus, const char *path, sd_bus_message_handler_t handler, void *userdata) {
        _cleanup_(freep) char *match = NULL;

        if (asprintf(&match, "type='signal',sender='%s',path_namespace='%s'", SCSISCAN_BUS_NAME,
                     path) < 0)
                return -ENOMEM;
        return sd_bus_add_match(bus, NULL, match, handler, userdata);
}

int bus_follow_owner(sd_bus *bus, sd_bus_message_handler_t handler, void *userdata) {
        return sd_bus_add_match(bus, NULL,
                                "type='signal',sender='org.freedesktop.DBus',"
                                "member='NameOwnerChanged',arg0='" SCSISCAN_BUS_NAME "'",
                                handler, userdata);
}

int bus_has_owner(sd_bus *bus, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int owned, r;

        r = sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                               "org.freedesktop.DBus", "NameHasOwner", error, &reply, "s",
                               SCSISCAN_BUS_NAME);
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "b", &owned);
        return r < 0 ? r : owned;
}

static int signal_handle(sd_event_source *source, const struct signalfd_siginfo *info,
                         void *userdata) {
        return sd_event_exit(sd_event_source_get_event(source), -EINTR);
}

int bus_loop_new(sd_bus *bus, sd_event **ret) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        sigset_t signals;
        int r;

        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        r = sd_event_new(&event);
        if (r < 0)
                return r;
        r = sd_event_add_signal(event, NULL, SIGINT, signal_handle, NULL);
        if (r < 0)
                return r;
        r = sd_event_add_signal(event, NULL, SIGTERM, signal_handle, NULL);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        *ret = event;
        event = NULL;
        return 0;
}
