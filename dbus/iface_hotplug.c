/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/iface.h"
#include "dbus/inhibit_call.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/order_call.h"
#include "dbus/server_private.h"

static int on_attach(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        return order_call(userdata, call, JOB_ATTACH, error);
}

static int on_detach(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        return order_call(userdata, call, JOB_DETACH, error);
}

static int on_refresh(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        return order_call(userdata, call, JOB_REFRESH, error);
}

static int on_accept(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        return order_call(userdata, call, JOB_ACCEPT, error);
}

static int on_inhibit(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        return inhibit_call(userdata, call, error);
}

DEFINE_PROPERTY_GET(get_leases, struct server, server, leases_append(server->leases, reply))

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("Attach", "ssa{sv}",
                                 SD_BUS_PARAM(target) SD_BUS_PARAM(lun) SD_BUS_PARAM(options), "o",
                                 SD_BUS_PARAM(job), on_attach, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Detach", "sa{sv}", SD_BUS_PARAM(what) SD_BUS_PARAM(options), "o",
                                 SD_BUS_PARAM(job), on_detach, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Refresh", "sa{sv}", SD_BUS_PARAM(what) SD_BUS_PARAM(options), "o",
                                 SD_BUS_PARAM(job), on_refresh, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("AcceptReplacement", "oa{sv}",
                                 SD_BUS_PARAM(device) SD_BUS_PARAM(options), "o", SD_BUS_PARAM(job),
                                 on_accept, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Inhibit", "ssst",
                                 SD_BUS_PARAM(scope) SD_BUS_PARAM(who) SD_BUS_PARAM(why)
                                         SD_BUS_PARAM(timeout_usec),
                                 "h", SD_BUS_PARAM(lease), on_inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
        PROPERTY_CHANGES("Leases", "a(sssu)", get_leases),
        SD_BUS_SIGNAL_WITH_NAMES("Attached", "oss",
                                 SD_BUS_PARAM(device) SD_BUS_PARAM(address) SD_BUS_PARAM(identity),
                                 0),
        SD_BUS_SIGNAL_WITH_NAMES("Detached", "osss",
                                 SD_BUS_PARAM(device) SD_BUS_PARAM(address) SD_BUS_PARAM(identity)
                                         SD_BUS_PARAM(reason),
                                 0),
        SD_BUS_SIGNAL_WITH_NAMES("UnitAttention", "oss",
                                 SD_BUS_PARAM(device) SD_BUS_PARAM(address) SD_BUS_PARAM(kind), 0),
        SD_BUS_SIGNAL_WITH_NAMES("Replaced", "osssb",
                                 SD_BUS_PARAM(device) SD_BUS_PARAM(address)
                                         SD_BUS_PARAM(old_identity) SD_BUS_PARAM(new_identity)
                                                 SD_BUS_PARAM(in_use),
                                 0),
        SD_BUS_SIGNAL_WITH_NAMES("CapacityChanged", "ostt",
                                 SD_BUS_PARAM(unit) SD_BUS_PARAM(identity) SD_BUS_PARAM(old_bytes)
                                         SD_BUS_PARAM(new_bytes),
                                 0),
        SD_BUS_VTABLE_END,
};

const struct iface iface_hotplug = {SCSISCAN_INTERFACE_HOTPLUG, vtable};
