/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Objects as they are told: their properties, from the same vtables that serve them one by one.
 * sd-bus would do it for each signal from the path on, and all objects in one message without a
 * pause; and it tells of three interfaces more that every object of every service has.
 */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "dbus/object.h"

/* a{sv}: all properties of the vtable. */
int describe_all(sd_bus_message *message, const sd_bus_vtable *vtable, void *object);
/* a{sv}: those of the face that the mask names; which may be none. */
int describe_some(sd_bus_message *message, const struct object_face *face, void *object,
                  uint32_t mask);
/* {sa{sv}}: the interface and all of its properties. */
int describe_interface(sd_bus_message *message, const char *interface, const sd_bus_vtable *vtable,
                       void *object);
/* a{sa{sv}} of an object with that face. */
int describe_object(sd_bus_message *message, const struct object_face *face, void *object);
