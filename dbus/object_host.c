/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "dbus/append.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/paths.h"
#include "dbus/scan_call.h"
#include "dbus/server_private.h"

DEFINE_PROPERTY_GET(get_number, struct host, host,
                    sd_bus_message_append_basic(reply, 'u', &host->number))
DEFINE_PROPERTY_GET(get_driver, struct host, host, append_text(reply, host->facts.driver))
DEFINE_PROPERTY_GET(get_transport, struct host, host,
                    append_text(reply, transport_name(host->facts.transport)))
DEFINE_PROPERTY_GET(get_port_name, struct host, host, append_text(reply, host->facts.port_name))
DEFINE_PROPERTY_GET(get_state, struct host, host, append_text(reply, host->facts.state))
DEFINE_PROPERTY_GET(get_discovery, struct host, host,
                    append_text(reply, discovery_name(host->discovery)))
DEFINE_PROPERTY_GET(get_stuck, struct host, host, sd_bus_message_append(reply, "b", host->stuck))

static int on_scan(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        const struct host *host = userdata;
        struct scope scope = {.kind = SCOPE_HOST, .address.target.host = host->number};
        char text[sizeof("host4294967295")];

        snprintf(text, sizeof(text), "host%" PRIu32, host->number);
        return scan_call(object_server(sd_bus_message_get_bus(call)), call, text, &scope, error);
}

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                     sd_bus_error *error) {
        return object_enumerate(userdata, OBJECT_HOST, ret_nodes);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("Scan", "a{sv}", SD_BUS_PARAM(options), "o", SD_BUS_PARAM(job),
                                 on_scan, SD_BUS_VTABLE_UNPRIVILEGED),
        PROPERTY_CONST("Number", "u", get_number),
        PROPERTY_CHANGES("Driver", "s", get_driver),
        PROPERTY_CHANGES("Transport", "s", get_transport),
        PROPERTY_CHANGES("PortName", "s", get_port_name),
        PROPERTY_CHANGES("State", "s", get_state),
        PROPERTY_CHANGES("Discovery", "s", get_discovery),
        PROPERTY_CHANGES("Stuck", "b", get_stuck),
        SD_BUS_VTABLE_END,
};

static const struct property_bit properties[] = {
        {HOST_PROPERTY_DRIVER, "Driver"},
        {HOST_PROPERTY_TRANSPORT, "Transport"},
        {HOST_PROPERTY_PORT_NAME, "PortName"},
        {HOST_PROPERTY_STATE, "State"},
        {HOST_PROPERTY_DISCOVERY, "Discovery"},
        {HOST_PROPERTY_STUCK, "Stuck"},
        {0, NULL},
};

const struct object_face object_host = {
        .prefix = SCSISCAN_PATH_HOST,
        .interface = SCSISCAN_INTERFACE_HOST,
        .vtable = vtable,
        .find = object_find,
        .enumerate = enumerate,
        .properties = properties,
};
