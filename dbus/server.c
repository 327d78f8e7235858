/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/iface.h"
#include "dbus/log_control.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/reply.h"
#include "dbus/server_private.h"
#include "util/log.h"
#include "util/message_id.h"

#define BUS "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"

/* What RequestName answers, and the bus's word for it (D-Bus specification, message bus). */
enum name_reply {
        NAME_PRIMARY_OWNER = 1,
        NAME_IN_QUEUE = 2,
        NAME_EXISTS = 3,
        NAME_ALREADY_OWNER = 4,
};

const struct iface *const ifaces[] = {&iface_scan, &iface_topology, &iface_hotplug, &iface_policy,
                                      NULL};

/* ---- what is served ---- */

/* In front of sd-bus, which would answer at once, however long that takes, with what nobody was
 * told of yet. */
static int managed_objects_filter(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        struct server *server = userdata;
        struct long_reply *reply;

        if (!sd_bus_message_is_method_call(call, "org.freedesktop.DBus.ObjectManager",
                                           "GetManagedObjects"))
                return 0;
        reply = reply_new(&reply_objects, call);
        return reply ? replies_add(server->replies, reply, error) : -ENOMEM;
}

static int export_root(struct server *server, sd_bus *bus) {
        int r = sd_bus_add_object(bus, NULL, SCSISCAN_PATH, managed_objects_filter, server);

        if (r >= 0)
                r = sd_bus_add_object_manager(bus, NULL, SCSISCAN_PATH);
        for (size_t i = 0; r >= 0 && ifaces[i]; i++)
                r = sd_bus_add_object_vtable(bus, NULL, SCSISCAN_PATH, ifaces[i]->name,
                                             ifaces[i]->vtable, server);
        return r;
}

static int export_objects(struct server *server, sd_bus *bus) {
        static const struct object_face *const faces[] = {
                &object_host, &object_target, &object_device, &object_unit, &object_job};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(faces); i++) {
                r = sd_bus_add_fallback_vtable(bus, NULL, faces[i]->prefix, faces[i]->interface,
                                               faces[i]->vtable, faces[i]->find, server);
                if (r >= 0)
                        r = sd_bus_add_node_enumerator(bus, NULL, faces[i]->prefix,
                                                       faces[i]->enumerate, server);
        }
        return r;
}

static int on_prepare(sd_bus *bus, void *userdata) {
        struct server *server = userdata;
        int r = fair_queue_attach(server->calls, bus);

        if (r >= 0)
                r = export_root(userdata, bus);
        if (r >= 0)
                r = log_control_export(userdata, bus);
        return r < 0 ? r : export_objects(userdata, bus);
}

/* ---- the name ---- */

static int on_name_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const sd_bus_error *refused = sd_bus_message_get_error(reply);
        uint32_t result = 0;

        if (refused) {
                log_write(LOG_ERR, &(struct log_fields){.message_id = MESSAGE_ID_NAME_NOT_OURS},
                          "The bus refuses the name " SCSISCAN_BUS_NAME ": %s", refused->message);
                return 0;
        }
        (void)sd_bus_message_read_basic(reply, 'u', &result);
        if (result == NAME_PRIMARY_OWNER || result == NAME_ALREADY_OWNER)
                log_info("Serving " SCSISCAN_BUS_NAME);
        else
                log_write(LOG_ERR, &(struct log_fields){.message_id = MESSAGE_ID_NAME_NOT_OURS},
                          "Somebody else owns the name " SCSISCAN_BUS_NAME
                          ", taking it when it is free");
        return 0;
}

static bool is_our_name(sd_bus_message *signal) {
        const char *name;

        return sd_bus_message_read_basic(signal, 's', &name) >= 0 &&
               strcmp(name, SCSISCAN_BUS_NAME) == 0;
}

static int on_name_lost(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        if (is_our_name(signal))
                log_error("Lost the name " SCSISCAN_BUS_NAME);
        return 0;
}

static int on_name_acquired(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        if (is_our_name(signal))
                log_debug("Acquired the name " SCSISCAN_BUS_NAME);
        return 0;
}

/* ---- those who call ---- */

static int on_name_gone(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        struct server *server = userdata;
        const char *name;

        if (sd_bus_message_read_basic(signal, 's', &name) < 0)
                return 0;
        fair_queue_leave(server->calls, name);
        callers_leave(server->callers, name);
        waiting_leave(server->waiting, name);
        replies_leave(server->replies, name);
        return 0;
}

/* One match on every name that goes: sd_bus_track would ask for each one whether it is there,
 * and wait for the answer. */
static int watch_names(struct server *server, sd_bus *bus) {
        int r = sd_bus_add_match_async(bus, NULL,
                                       "type='signal',sender='" BUS "',path='" BUS_PATH
                                       "',interface='" BUS "',member='NameOwnerChanged',arg2=''",
                                       on_name_gone, NULL, server);

        if (r >= 0)
                r = sd_bus_match_signal_async(bus, NULL, BUS, BUS_PATH, BUS, "NameLost",
                                              on_name_lost, NULL, server);
        if (r >= 0)
                r = sd_bus_match_signal_async(bus, NULL, BUS, BUS_PATH, BUS, "NameAcquired",
                                              on_name_acquired, NULL, server);
        return r;
}

/* ---- the connection ---- */

static void on_connected(sd_bus *bus, void *userdata) {
        struct server *server = userdata;
        int r = watch_names(server, bus);

        if (r >= 0)
                r = sd_bus_request_name_async(bus, NULL, SCSISCAN_BUS_NAME, SD_BUS_NAME_QUEUE,
                                              on_name_reply, server);
        if (r >= 0) {
                server->bus = bus;
                return;
        }
        log_error("Cannot ask for the name " SCSISCAN_BUS_NAME ": %s", strerror(-r));
        bus_loop_reset(server->bus_loop);
}

/* A publication may take long, and keeps the bus busy until it is through: others are answered
 * meanwhile. */
#define UNWRITTEN_MEANWHILE_MAX (TELLING_QUEUE_MAX + 64)

static bool on_idle(sd_bus *bus, void *userdata) {
        struct server *server = userdata;
        uint64_t most = telling_publishes(server->telling) ? UNWRITTEN_MEANWHILE_MAX : 0;

        return fair_queue_next(server->calls, bus, most);
}

static void on_lost(void *userdata) {
        struct server *server = userdata;

        server->bus = NULL;
        fair_queue_leave_all(server->calls);
        callers_leave_all(server->callers);
        waiting_leave_all(server->waiting);
        replies_leave_all(server->replies);
}

/* ---- the whole ---- */

static void server_parts_free(struct server *server) {
        bus_loop_free(server->bus_loop);
        telling_free(server->telling);
        replies_free(server->replies);
        history_free(server->history);
        waiting_free(server->waiting);
        callers_free(server->callers);
        fair_queue_free(server->calls);
        job_views_free(server->jobs);
        leases_free(server->leases);
        free(server);
}

int server_new(uv_loop_t *loop, const struct server_config *config,
               const struct server_handler *handler, struct server **ret) {
        struct server *server = calloc(1, sizeof(*server));

        if (!server)
                return -ENOMEM;
        server->config = *config;
        server->handler = *handler;
        server->shown.generation = config->generation;
        server->jobs = job_views_new();
        server->telling = telling_new(server);
        server->history = history_new(config->generation);
        server->calls = fair_queue_new();
        server->callers = callers_new(server->calls);
        server->replies = replies_new(server->calls);
        server->waiting = waiting_new(config->engine, server->calls, &server->shown.generation);
        server->leases = leases_new(config->engine, handler);
        server->bus_loop = bus_loop_new(&(struct bus_loop_handler){
                .prepare = on_prepare,
                .connected = on_connected,
                .idle = on_idle,
                .lost = on_lost,
                .userdata = server,
        });
        if (!server->calls || !server->jobs || !server->callers || !server->waiting ||
            !server->leases || !server->replies || !server->telling || !server->history ||
            !server->bus_loop) {
                server_parts_free(server);
                return -ENOMEM;
        }
        waiting_start(server->waiting, loop);
        leases_start(server->leases, loop);
        telling_start(server->telling, loop);
        if (!config->no_bus)
                bus_loop_start(server->bus_loop, loop);
        *ret = server;
        return 0;
}

int server_restore_lease(struct server *server, uint64_t id, int fd, const char *text) {
        return leases_restore(server->leases, id, fd, text);
}

void server_publish(struct server *server, const struct server_publication *what) {
        telling_begin(server->telling, what);
}

bool server_is_telling(const struct server *server) {
        return telling_is_under_way(server->telling);
}

bool server_is_urgent(const struct server *server) {
        const struct job *newest = TAILQ_LAST(engine_jobs(server->config.engine), job_list);

        return replies_are_due(server->replies, server->bus) ||
               (newest && !job_views_find(server->jobs, newest->id));
}

void server_stop(struct server *server) {
        if (!server->config.no_bus)
                bus_loop_stop(server->bus_loop);
        waiting_stop(server->waiting);
        leases_stop(server->leases);
        telling_stop(server->telling);
}

void server_free(struct server *server) {
        if (server)
                server_parts_free(server);
}
