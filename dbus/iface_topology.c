/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/append.h"
#include "dbus/iface.h"
#include "dbus/key.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/paths.h"
#include "dbus/server_private.h"

DEFINE_PROPERTY_GET(get_generation, struct server, server,
                    sd_bus_message_append_basic(reply, 't', &server->shown.generation))
DEFINE_PROPERTY_GET(get_ready, struct server, server,
                    sd_bus_message_append(reply, "b", engine_is_ready(server->config.engine)))

struct finding {
        sd_bus_message *reply;
        size_t count;
};

static int found(const struct object_id *id, void *userdata) {
        struct finding *finding = userdata;
        int r = append_path(finding->reply, id);

        finding->count++;
        return r < 0 ? r : 0;
}

/* Whether there is such an object, and so whether to append it. */
static bool object_exists(const struct topology *topology, const struct object_id *id) {
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
        return false;
}

/* A path of ours names that one object, where as a scope it would name more. -EINVAL: it is none.
 */
static int find_path(const struct server *server, const char *key, struct finding *finding) {
        struct object_id id;
        uint64_t job;
        int r;

        if (path_parse_job(key, &job) == 0) {
                finding->count = engine_job(server->config.engine, job) ? 1 : 0;
                return finding->count ? append_job_path(finding->reply, job) : 0;
        }
        r = path_parse(key, &id);
        if (r < 0)
                return r;
        if (object_exists(engine_topology(server->config.engine), &id))
                r = found(&id, finding);
        path_done(&id);
        return r;
}

static int find_key(const struct server *server, const char *key, struct finding *finding,
                    sd_bus_error *error) {
        struct scope scope;
        int r = find_path(server, key, finding);

        if (r != -EINVAL)
                return r;
        r = key_parse(key, &scope, error);
        if (r < 0)
                return r;
        r = scope_find(&scope, engine_topology(server->config.engine), found, finding);
        /* Everything may be nothing. */
        if (scope.kind == SCOPE_ALL)
                finding->count++;
        scope_done(&scope);
        return r;
}

static int on_find(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        struct server *server = userdata;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        struct finding finding = {};
        const char *key;
        int r = sd_bus_message_read_basic(call, 's', &key);

        if (r >= 0)
                r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "o");
        finding.reply = reply;
        if (r >= 0)
                r = find_key(server, key, &finding, error);
        if (r >= 0 && finding.count == 0)
                return key_not_found(key, error);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("Find", "s", SD_BUS_PARAM(key), "ao", SD_BUS_PARAM(objects),
                                 on_find, SD_BUS_VTABLE_UNPRIVILEGED),
        PROPERTY_CHANGES("Generation", "t", get_generation),
        PROPERTY_CHANGES("Ready", "b", get_ready),
        SD_BUS_SIGNAL_WITH_NAMES("Changed", "taoaoao",
                                 SD_BUS_PARAM(generation) SD_BUS_PARAM(added) SD_BUS_PARAM(removed)
                                         SD_BUS_PARAM(changed),
                                 0),
        SD_BUS_VTABLE_END,
};

const struct iface iface_topology = {SCSISCAN_INTERFACE_TOPOLOGY, vtable};
