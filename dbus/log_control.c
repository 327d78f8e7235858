/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/append.h"
#include "dbus/log_control.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/server_private.h"
#include "util/log.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define ACTION_SET SCSISCAN_INTERFACE_LOG_CONTROL ".Set"

enum log_property {
        LOG_PROPERTY_LEVEL,
        LOG_PROPERTY_TARGET,
        LOG_PROPERTIES,
};

static const struct {
        const char *name;
        int (*parse)(const char *text);
        const char *values;
} properties[LOG_PROPERTIES] = {
        [LOG_PROPERTY_LEVEL] = {"LogLevel", log_level_parse,
                                "emerg, alert, crit, err, warning, notice, info or debug"},
        [LOG_PROPERTY_TARGET] = {"LogTarget", log_target_parse, "auto, console, journal or null"},
};

struct log_change {
        enum log_property property;
        int value;
};

static int on_allowed(sd_bus_message *call, uint32_t uid, void *request, sd_bus_error *error) {
        const struct log_change *change = request;

        switch (change->property) {
        case LOG_PROPERTY_LEVEL:
                log_set_level(change->value);
                break;
        case LOG_PROPERTY_TARGET:
                log_set_target((enum log_target)change->value);
                break;
        case LOG_PROPERTIES:
                return -EINVAL;
        }
        return sd_bus_reply_method_return(call, "");
}

static int set_begin(struct server *server, sd_bus_message *call, const struct log_change *change,
                     sd_bus_error *error) {
        struct caller_request request = {
                .action = ACTION_SET,
                .go = on_allowed,
                .request_free = free,
        };
        struct log_change *copy = malloc(sizeof(*copy));

        if (!copy)
                return -ENOMEM;
        *copy = *change;
        request.request = copy;
        return callers_authorize(server->callers, call, &request, error);
}

/* What Set is about; LOG_PROPERTIES when that is nothing of ours. */
static enum log_property property_find(const char *interface, const char *name) {
        enum log_property property = LOG_PROPERTY_LEVEL;

        if (strcmp(interface, SCSISCAN_INTERFACE_LOG_CONTROL) != 0)
                return LOG_PROPERTIES;
        while (property < LOG_PROPERTIES && strcmp(name, properties[property].name) != 0)
                property++;
        return property;
}

/*
 * In front of the properties, of which sd-bus would set one that is not for everybody only after it
 * has asked the bus who calls, and waited for the answer.
 */
static int set_filter(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        const char *interface, *name, *text;
        struct log_change change;

        if (!sd_bus_message_is_method_call(call, PROPERTIES, "Set"))
                return 0;
        if (sd_bus_message_read(call, "ss", &interface, &name) < 0)
                return sd_bus_error_set(error, SCSISCAN_ERROR_INVALID_ARGS,
                                        "Set takes an interface, a property and a value");
        change.property = property_find(interface, name);
        if (change.property == LOG_PROPERTIES)
                return sd_bus_message_rewind(call, true) < 0 ? -EBADMSG : 0;
        if (sd_bus_message_read(call, "v", "s", &text) < 0)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS, "%s is a string",
                                         name);
        change.value = properties[change.property].parse(text);
        if (change.value < 0)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS,
                                         "%s is one of %s, not '%s'", name,
                                         properties[change.property].values, text);
        return set_begin(userdata, call, &change, error);
}

static const char *text_of(const char *property) {
        if (strcmp(property, properties[LOG_PROPERTY_LEVEL].name) == 0)
                return log_level_name(log_level());
        if (strcmp(property, properties[LOG_PROPERTY_TARGET].name) == 0)
                return log_target_name(log_target());
        return program_invocation_short_name; /* as sd_journal_sendv(3) has it */
}

static int property_get(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return append_text(reply, text_of(property));
}

/* Nothing gets here past set_filter(). */
static int set_never(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *value, void *userdata, sd_bus_error *error) {
        return sd_bus_error_setf(error, SCSISCAN_ERROR_ACCESS_DENIED, "%s is not set like this",
                                 property);
}

/* SD_BUS_VTABLE_UNPRIVILEGED: without it sd-bus asks, and waits. */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_WRITABLE_PROPERTY("LogLevel", "s", property_get, set_never, 0,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_WRITABLE_PROPERTY("LogTarget", "s", property_get, set_never, 0,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        PROPERTY_CONST("SyslogIdentifier", "s", property_get),
        SD_BUS_VTABLE_END,
};

int log_control_export(struct server *server, sd_bus *bus) {
        int r = sd_bus_add_object(bus, NULL, SCSISCAN_PATH_LOG_CONTROL, set_filter, server);

        return r < 0 ? r
                     : sd_bus_add_object_vtable(bus, NULL, SCSISCAN_PATH_LOG_CONTROL,
                                                SCSISCAN_INTERFACE_LOG_CONTROL, vtable, server);
}
