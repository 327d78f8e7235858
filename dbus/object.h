/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One kind of object each: a fallback vtable for all of its kind, so that an object costs nothing
 * but what the topology holds of it, and finding one is a look into a hash table.
 */

#include <stdint.h>
#include <systemd/sd-bus.h>

struct property_bit {
        uint32_t bit; /* of change_set.h or job_views.h */
        const char *name;
};

struct object_face {
        const char *prefix; /* the path above the objects */
        const char *interface;
        const sd_bus_vtable *vtable;
        sd_bus_object_find_t find;
        sd_bus_node_enumerator_t enumerate;
        const struct property_bit *properties; /* those that change; ends with a NULL name */
};

/* The most names that one mask can stand for, and a NULL. */
#define PROPERTY_NAMES_MAX 33

extern const struct object_face object_host;
extern const struct object_face object_target;
extern const struct object_face object_device;
extern const struct object_face object_unit;
extern const struct object_face object_job;

/* The names of the properties in a mask, NULL-terminated; how many. */
unsigned object_property_names(const struct object_face *face, uint32_t mask,
                               const char *names[static PROPERTY_NAMES_MAX]);

/* A getter that appends one value of the object; serves what is known, does nothing else. */
#define DEFINE_PROPERTY_GET(function, type, object, append)                                        \
        static int function(sd_bus *bus, const char *path, const char *interface,                  \
                            const char *property, sd_bus_message *reply, void *userdata,           \
                            sd_bus_error *error) {                                                 \
                const type *object = userdata;                                                     \
                                                                                                   \
                return append;                                                                     \
        }

#define PROPERTY_CONST(name, type, get)                                                            \
        SD_BUS_PROPERTY(name, type, get, 0, SD_BUS_VTABLE_PROPERTY_CONST)
#define PROPERTY_CHANGES(name, type, get)                                                          \
        SD_BUS_PROPERTY(name, type, get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

struct server;

/* Whom a vtable was registered for; only inside its callbacks, whose userdata is the object. */
struct server *object_server(sd_bus *bus);
