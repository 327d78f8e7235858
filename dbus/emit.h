/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Signals, sent if there is a bus. One that cannot be sent (no memory, a queue that is full) would
 * leave everybody with a wrong view for ever, so then the connection is given up: whoever listens
 * sees the name vanish and starts over.
 */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "dbus/object.h"

struct server;

/* Something could not be told. */
void emit_fail(struct server *server, int error);

/* InterfacesAdded, with all properties as they are now; InterfacesRemoved; PropertiesChanged, where
 * a mask that names none says nothing. The object is what the face's getters take. */
void emit_added(struct server *server, const struct object_face *face, const char *path,
                void *object);
void emit_removed(struct server *server, const struct object_face *face, const char *path);
void emit_changed(struct server *server, const struct object_face *face, const char *path,
                  void *object, uint32_t properties);
/* PropertiesChanged of the root object. */
void emit_root_changed(struct server *server, const char *interface, const char *property);

/* A signal in two halves: NULL when there is no bus. */
sd_bus_message *emit_begin(struct server *server, const char *path, const char *interface,
                           const char *member);
/* Sends it if filling it in went well (r >= 0), and unrefs it; NULL is fine. */
void emit_end(struct server *server, sd_bus_message *signal, int r);
