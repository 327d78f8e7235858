/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "dbus/describe.h"
#include "dbus/emit.h"
#include "dbus/names.h"
#include "dbus/server_private.h"
#include "util/log.h"

void emit_fail(struct server *server, int error) {
        if (!server->bus)
                return;
        log_error("Cannot send a signal, leaving the bus: %s", strerror(-error));
        server->bus = NULL;
        bus_loop_reset(server->bus_loop);
}

/* A bus that has just gone is noticed by the loop. */
static void check(struct server *server, int r) {
        if (r < 0 && r != -ENOTCONN)
                emit_fail(server, r);
}

static sd_bus_message *manager_begin(struct server *server, const char *member) {
        return emit_begin(server, SCSISCAN_PATH, "org.freedesktop.DBus.ObjectManager", member);
}

void emit_added(struct server *server, const struct object_face *face, const char *path,
                void *object) {
        sd_bus_message *signal = manager_begin(server, "InterfacesAdded");
        int r;

        if (!signal)
                return;
        r = sd_bus_message_append_basic(signal, 'o', path);
        if (r >= 0)
                r = describe_object(signal, face, object);
        emit_end(server, signal, r);
}

void emit_removed(struct server *server, const struct object_face *face, const char *path) {
        sd_bus_message *signal = manager_begin(server, "InterfacesRemoved");

        if (signal)
                emit_end(server, signal,
                         sd_bus_message_append(signal, "oas", path, 1, face->interface));
}

void emit_changed(struct server *server, const struct object_face *face, const char *path,
                  void *object, uint32_t properties) {
        sd_bus_message *signal;
        int r;

        if (properties == 0)
                return;
        signal = emit_begin(server, path, "org.freedesktop.DBus.Properties", "PropertiesChanged");
        if (!signal)
                return;
        r = sd_bus_message_append_basic(signal, 's', face->interface);
        if (r >= 0)
                r = describe_some(signal, face, object, properties);
        if (r >= 0)
                r = sd_bus_message_append(signal, "as", 0);
        emit_end(server, signal, r);
}

void emit_root_changed(struct server *server, const char *interface, const char *property) {
        if (server->bus)
                check(server, sd_bus_emit_properties_changed(server->bus, SCSISCAN_PATH, interface,
                                                             property, NULL));
}

sd_bus_message *emit_begin(struct server *server, const char *path, const char *interface,
                           const char *member) {
        sd_bus_message *signal = NULL;

        if (server->bus)
                check(server,
                      sd_bus_message_new_signal(server->bus, &signal, path, interface, member));
        return signal;
}

void emit_end(struct server *server, sd_bus_message *signal, int r) {
        if (!signal)
                return;
        if (r >= 0)
                r = sd_bus_send(NULL, signal, NULL);
        sd_bus_message_unref(signal);
        check(server, r);
}
