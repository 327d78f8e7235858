/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One kind of object each: a fallback vtable for all of its kind, so that an object costs nothing
 * but what the topology holds of it, and finding one is a look into a hash table.
 */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "scan/change_set.h"
#include "scan/topology.h"

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

extern const struct object_face object_host;
extern const struct object_face object_target;
extern const struct object_face object_device;
extern const struct object_face object_unit;
extern const struct object_face object_job;

struct server;

/* Of what the topology holds; jobs are found by themselves. */
const struct object_face *object_face(enum object_kind kind);
/* What its vtable's getters take for userdata; NULL when there is no such object. */
void *object_get(const struct topology *topology, const struct object_id *id);
/* A face's find(), of whatever the topology holds. */
int object_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
                void **ret_found, sd_bus_error *error);
/* What a face's enumerate() does: paths for sd-bus to free. */
int object_enumerate(const struct server *server, enum object_kind kind, char ***ret_nodes);

/* A getter that appends one value of the object; serves what is known, does nothing else. It looks
 * at `reply` and `userdata` alone: describe.c calls it, too, outside any call of the bus. */
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

/* Whom a vtable was registered for; only inside its methods, whose userdata is the object. */
struct server *object_server(sd_bus *bus);
