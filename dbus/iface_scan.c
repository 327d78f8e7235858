/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/append.h"
#include "dbus/iface.h"
#include "dbus/key.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/scan_call.h"
#include "dbus/server_private.h"

/* Counters of others that are shown beside the engine's. */
#define COUNTERS_MAX 32

void server_set_mode(struct server *server, bool owner, const char *reason) {
        server->config.owner = owner;
        server->config.mode_reason = reason;
        server->mode_serial++;
}

static int append_counters(sd_bus_message *message, const struct server *server) {
        struct server_counter counters[COUNTERS_MAX];
        size_t count = server->handler.counters(counters, COUNTERS_MAX, server->handler.userdata);
        int r = sd_bus_message_open_container(message, 'a', "{st}");

        for (enum engine_counter i = 0; r >= 0 && i < COUNTER_KINDS; i++)
                r = append_counter(message, engine_counter_name(i),
                                   engine_counter(server->config.engine, i));
        for (size_t i = 0; r >= 0 && i < count; i++)
                r = append_counter(message, counters[i].name, counters[i].value);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

DEFINE_PROPERTY_GET(get_busy, struct server, server,
                    sd_bus_message_append(reply, "b", engine_is_busy(server->config.engine)))
DEFINE_PROPERTY_GET(get_mode, struct server, server,
                    append_text(reply, server->config.owner ? "owner" : "observer"))
DEFINE_PROPERTY_GET(get_mode_reason, struct server, server,
                    append_text(reply, server->config.mode_reason))
DEFINE_PROPERTY_GET(get_kernel_scan_mode, struct server, server,
                    append_text(reply, engine_kernel_scan_mode(server->config.engine)))
DEFINE_PROPERTY_GET(get_counters, struct server, server, append_counters(reply, server))

static int scan_or_plan(struct server *server, sd_bus_message *call, bool plan,
                        sd_bus_error *error) {
        struct scope scope;
        const char *text;
        int r = sd_bus_message_read_basic(call, 's', &text);

        if (r < 0)
                return r;
        r = key_parse(text, &scope, error);
        if (r < 0)
                return r;
        return plan ? plan_call(server, call, text, &scope, error)
                    : scan_call(server, call, text, &scope, error);
}

static int on_scan(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        return scan_or_plan(userdata, call, false, error);
}

static int on_plan(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        return scan_or_plan(userdata, call, true, error);
}

static int on_settle(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        struct server *server = userdata;
        struct scope scope;
        const char *text;
        uint64_t timeout;
        int r = sd_bus_message_read(call, "st", &text, &timeout);

        if (r < 0)
                return r;
        r = key_parse_existing(text, engine_topology(server->config.engine), &scope, error);
        if (r < 0)
                return r;
        r = waiting_for_scope(server->waiting, call, &scope, timeout, error);
        scope_done(&scope);
        if (r >= 0)
                server->handler.poked(server->handler.userdata);
        return r;
}

/* Mode does not change while the service runs; the contract leaves that open. */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("Scan", "sa{sv}", SD_BUS_PARAM(scope) SD_BUS_PARAM(options), "o",
                                 SD_BUS_PARAM(job), on_scan, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Plan", "sa{sv}", SD_BUS_PARAM(scope) SD_BUS_PARAM(options),
                                 "ta(ssa{sv})", SD_BUS_PARAM(generation) SD_BUS_PARAM(steps),
                                 on_plan, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Settle", "st", SD_BUS_PARAM(scope) SD_BUS_PARAM(timeout_usec),
                                 "b", SD_BUS_PARAM(settled), on_settle, SD_BUS_VTABLE_UNPRIVILEGED),
        PROPERTY_CHANGES("Busy", "b", get_busy),
        PROPERTY_CHANGES("Mode", "s", get_mode),
        PROPERTY_CHANGES("ModeReason", "s", get_mode_reason),
        PROPERTY_CHANGES("KernelScanMode", "s", get_kernel_scan_mode),
        SD_BUS_PROPERTY("Counters", "a{st}", get_counters, 0, 0),
        SD_BUS_SIGNAL_WITH_NAMES("Started", "oss",
                                 SD_BUS_PARAM(job) SD_BUS_PARAM(scope) SD_BUS_PARAM(cause), 0),
        SD_BUS_SIGNAL_WITH_NAMES("Finished", "ossa{st}",
                                 SD_BUS_PARAM(job) SD_BUS_PARAM(scope) SD_BUS_PARAM(result)
                                         SD_BUS_PARAM(summary),
                                 0),
        SD_BUS_VTABLE_END,
};

const struct iface iface_scan = {SCSISCAN_INTERFACE_SCAN, vtable};
