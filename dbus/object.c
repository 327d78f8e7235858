/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/object.h"
#include "dbus/ids.h"
#include "dbus/paths.h"
#include "dbus/server_private.h"

const struct object_face *object_face(enum object_kind kind) {
        static const struct object_face *const faces[OBJECT_KINDS] = {
                [OBJECT_HOST] = &object_host,
                [OBJECT_TARGET] = &object_target,
                [OBJECT_DEVICE] = &object_device,
                [OBJECT_UNIT] = &object_unit,
        };

        return faces[kind];
}

void *object_get(const struct topology *topology, const struct object_id *id) {
        switch (id->kind) {
        case OBJECT_HOST:
                return topology_host(topology, id->address.target.host);
        case OBJECT_TARGET:
                return topology_target(topology, &id->address.target);
        case OBJECT_DEVICE:
                return topology_device(topology, &id->address);
        case OBJECT_UNIT:
                return topology_unit(topology, id->identity);
        case OBJECT_KINDS:
                break;
        }
        return NULL;
}

int object_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
                void **ret_found, sd_bus_error *error) {
        const struct server *server = userdata;
        struct object_id id;

        if (path_parse(path, &id) < 0)
                return 0;
        *ret_found = object_get(engine_topology(server->config.engine), &id);
        path_done(&id);
        return *ret_found != NULL;
}

int object_enumerate(const struct server *server, enum object_kind kind, char ***ret_nodes) {
        _cleanup_(id_list_done) struct id_list list = {};
        struct path_list paths = {};
        int r = id_list_add_kind(&list, engine_topology(server->config.engine), kind);

        for (size_t i = 0; r >= 0 && i < list.count; i++)
                r = path_list_add(&paths, &list.ids[i]);
        if (r < 0)
                path_list_done(&paths);
        *ret_nodes = paths.paths;
        return r;
}

struct server *object_server(sd_bus *bus) {
        return sd_bus_slot_get_userdata(sd_bus_get_current_slot(bus));
}
