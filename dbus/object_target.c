/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "dbus/append.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/paths.h"
#include "dbus/scan_call.h"
#include "dbus/server_private.h"
#include "dbus/target_luns.h"
#include "scsi/lun.h"

static int append_address(sd_bus_message *message, const struct target *target) {
        char text[SCSI_ADDRESS_TEXT_MAX];

        return append_text(message, scsi_target_address_format(&target->address, text));
}

static int append_host(sd_bus_message *message, const struct target *target) {
        struct object_id id = host_id(target->host);

        return append_path(message, &id);
}

static int append_devices(sd_bus_message *message, const struct target *target) {
        const struct device *device;
        int r = sd_bus_message_open_container(message, 'a', "o");

        TAILQ_FOREACH (device, &target->devices, entry) {
                struct object_id id = device_id(device);

                if (r >= 0)
                        r = append_path(message, &id);
        }
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_lun(sd_bus_message *message, const struct target_lun *lun) {
        char number[SCSI_LUN_TEXT_MAX], hex[SCSI_LUN_HEX_MAX];

        return sd_bus_message_append(message, "(ssss)", scsi_lun_format(lun->lun, number),
                                     scsi_lun_format_hex(lun->lun, hex),
                                     disposition_name(lun->disposition),
                                     disposition_reason(lun->disposition));
}

static int append_luns(sd_bus_message *message, const struct target *target) {
        _cleanup_(freep) struct target_lun *luns = NULL;
        size_t count;
        int r = target_luns_seen(target, &luns, &count);

        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "(ssss)");
        for (size_t i = 0; r >= 0 && i < count; i++)
                r = append_lun(message, &luns[i]);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

DEFINE_PROPERTY_GET(get_address, struct target, target, append_address(reply, target))
DEFINE_PROPERTY_GET(get_host, struct target, target, append_host(reply, target))
DEFINE_PROPERTY_GET(get_transport, struct target, target,
                    append_text(reply, transport_name(target->host->facts.transport)))
DEFINE_PROPERTY_GET(get_port_name, struct target, target, append_text(reply, target->port_name))
DEFINE_PROPERTY_GET(get_port_state, struct target, target, append_text(reply, target->port_state))
DEFINE_PROPERTY_GET(get_luns, struct target, target, append_luns(reply, target))
DEFINE_PROPERTY_GET(get_devices, struct target, target, append_devices(reply, target))
DEFINE_PROPERTY_GET(get_last_asked, struct target, target,
                    sd_bus_message_append_basic(reply, 't', &target->last_asked))

static int on_scan(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        const struct target *target = userdata;
        struct scope scope = {.kind = SCOPE_TARGET, .address.target = target->address};
        char text[SCSI_ADDRESS_TEXT_MAX];

        scsi_target_address_format(&target->address, text);
        return scan_call(object_server(sd_bus_message_get_bus(call)), call, text, &scope, error);
}

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                     sd_bus_error *error) {
        return object_enumerate(userdata, OBJECT_TARGET, ret_nodes);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("Scan", "a{sv}", SD_BUS_PARAM(options), "o", SD_BUS_PARAM(job),
                                 on_scan, SD_BUS_VTABLE_UNPRIVILEGED),
        PROPERTY_CONST("Address", "s", get_address),
        PROPERTY_CONST("Host", "o", get_host),
        PROPERTY_CHANGES("Transport", "s", get_transport),
        PROPERTY_CHANGES("PortName", "s", get_port_name),
        PROPERTY_CHANGES("PortState", "s", get_port_state),
        PROPERTY_CHANGES("Luns", "a(ssss)", get_luns),
        PROPERTY_CHANGES("Devices", "ao", get_devices),
        PROPERTY_CHANGES("LastAsked", "t", get_last_asked),
        SD_BUS_VTABLE_END,
};

static const struct property_bit properties[] = {
        {TARGET_PROPERTY_TRANSPORT, "Transport"},
        {TARGET_PROPERTY_PORT_NAME, "PortName"},
        {TARGET_PROPERTY_PORT_STATE, "PortState"},
        {TARGET_PROPERTY_LUNS, "Luns"},
        {TARGET_PROPERTY_DEVICES, "Devices"},
        {TARGET_PROPERTY_LAST_ASKED, "LastAsked"},
        {0, NULL},
};

const struct object_face object_target = {
        .prefix = SCSISCAN_PATH_TARGET,
        .interface = SCSISCAN_INTERFACE_TARGET,
        .vtable = vtable,
        .find = object_find,
        .enumerate = enumerate,
        .properties = properties,
};
