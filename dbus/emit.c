/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

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

void emit_added(struct server *server, const char *path) {
        if (server->bus)
                check(server, sd_bus_emit_object_added(server->bus, path));
}

/* sd_bus_emit_object_removed() would look for the object, which is gone: so the interfaces are
 * named here, the same ones that sd_bus_emit_object_added() told of. */
void emit_removed(struct server *server, const struct object_face *face, const char *path) {
        if (server->bus)
                check(server, sd_bus_emit_interfaces_removed(
                                      server->bus, path, "org.freedesktop.DBus.Peer",
                                      "org.freedesktop.DBus.Introspectable",
                                      "org.freedesktop.DBus.Properties", face->interface, NULL));
}

void emit_changed(struct server *server, const struct object_face *face, const char *path,
                  uint32_t properties) {
        const char *names[PROPERTY_NAMES_MAX];

        if (server->bus && object_property_names(face, properties, names) > 0)
                check(server, sd_bus_emit_properties_changed_strv(server->bus, path,
                                                                  face->interface, (char **)names));
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
