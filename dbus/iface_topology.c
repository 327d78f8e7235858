/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/append.h"
#include "dbus/iface.h"
#include "dbus/key.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/paths.h"
#include "dbus/server_private.h"
#include "util/cleanup.h"

DEFINE_PROPERTY_GET(get_generation, struct server, server,
                    sd_bus_message_append_basic(reply, 't', &server->shown.generation))
DEFINE_PROPERTY_GET(get_ready, struct server, server,
                    sd_bus_message_append(reply, "b", engine_is_ready(server->config.engine)))

/* What a scope names; the identities are the topology's. */
struct findings {
        struct object_id *ids;
        size_t count, room;
};

static void findings_done(struct findings *findings) {
        free(findings->ids);
}

static int found(const struct object_id *id, void *userdata) {
        struct findings *findings = userdata;

        if (findings->count == findings->room) {
                size_t room = findings->room ? 2 * findings->room : 8;
                struct object_id *ids = reallocarray(findings->ids, room, sizeof(*ids));

                if (!ids)
                        return -ENOMEM;
                findings->ids = ids;
                findings->room = room;
        }
        findings->ids[findings->count++] = *id;
        return 0;
}

static int id_compare(const void *left, const void *right) {
        const struct object_id *a = left, *b = right;

        if (a->kind != b->kind)
                return a->kind < b->kind ? -1 : 1;
        return a->kind == OBJECT_UNIT ? strcmp(a->identity, b->identity)
                                      : scsi_address_compare(&a->address, &b->address);
}

/* In the order of the contract: that in which things were discovered is nobody's concern. What
 * begins with a unit is that unit with its devices. */
static int append_findings(sd_bus_message *reply, const struct findings *findings) {
        size_t first = findings->count > 0 && findings->ids[0].kind == OBJECT_UNIT ? 1 : 0;
        int r = 0;

        if (findings->count > first)
                qsort(findings->ids + first, findings->count - first, sizeof(*findings->ids),
                      id_compare);
        for (size_t i = 0; r >= 0 && i < findings->count; i++)
                r = append_path(reply, &findings->ids[i]);
        return r;
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

/* A path of ours names that one object, where as a scope it would name more: 1 if there is one, 0
 * if not. -EINVAL: it is none. */
static int find_path(const struct server *server, const char *key, sd_bus_message *reply) {
        struct object_id id;
        uint64_t job;
        int r;

        if (path_parse_job(key, &job) == 0) {
                if (!engine_job(server->config.engine, job))
                        return 0;
                r = append_job_path(reply, job);
                return r < 0 ? r : 1;
        }
        r = path_parse(key, &id);
        if (r < 0)
                return r;
        if (object_exists(engine_topology(server->config.engine), &id)) {
                r = append_path(reply, &id);
                r = r < 0 ? r : 1;
        }
        path_done(&id);
        return r;
}

/* 1 if the scope names something, or everything, which may be nothing. */
static int find_scope(const struct server *server, const char *key, sd_bus_message *reply,
                      sd_bus_error *error) {
        _cleanup_(findings_done) struct findings findings = {};
        _cleanup_(scope_done) struct scope scope = {};
        int r = key_parse(key, &scope, error);

        if (r >= 0)
                r = scope_find(&scope, engine_topology(server->config.engine), found, &findings);
        if (r >= 0)
                r = append_findings(reply, &findings);
        return r < 0 ? r : findings.count > 0 || scope.kind == SCOPE_ALL;
}

static int on_find(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        struct server *server = userdata;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *key;
        int r = sd_bus_message_read_basic(call, 's', &key);

        if (r >= 0)
                r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "o");
        if (r >= 0) {
                r = find_path(server, key, reply);
                if (r == -EINVAL)
                        r = find_scope(server, key, reply, error);
        }
        if (r == 0)
                return key_not_found(key, error);
        if (r > 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int append_explanation(sd_bus_message *reply, const struct explanation *explanation) {
        int r = sd_bus_message_open_container(reply, 'a', "(sss)");

        for (size_t i = 0; r >= 0 && i < explanation->count; i++) {
                const struct finding *finding = &explanation->items[i];

                r = sd_bus_message_append(reply, "(sss)", finding->code,
                                          severity_name(finding->severity), finding->text);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int on_explain(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        struct server *server = userdata;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(explanation_done) struct explanation explanation = {};
        _cleanup_(scope_done) struct scope scope = {};
        const char *key;
        int r = sd_bus_message_read_basic(call, 's', &key);

        if (r >= 0)
                r = key_parse(key, &scope, error);
        if (r < 0)
                return r;
        r = engine_explain(server->config.engine, &scope, &explanation);
        if (r == -EINVAL)
                return sd_bus_error_set(error, SCSISCAN_ERROR_INVALID_ARGS,
                                        "Everything is more than can be explained: name a host, a "
                                        "target, a LUN or a device");
        if (r == -ENOENT)
                return key_not_found(key, error);
        if (r >= 0)
                r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = append_explanation(reply, &explanation);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("Find", "s", SD_BUS_PARAM(key), "ao", SD_BUS_PARAM(objects),
                                 on_find, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Explain", "s", SD_BUS_PARAM(key), "a(sss)",
                                 SD_BUS_PARAM(findings), on_explain, SD_BUS_VTABLE_UNPRIVILEGED),
        PROPERTY_CHANGES("Generation", "t", get_generation),
        PROPERTY_CHANGES("Ready", "b", get_ready),
        SD_BUS_SIGNAL_WITH_NAMES("Changed", "taoaoao",
                                 SD_BUS_PARAM(generation) SD_BUS_PARAM(added) SD_BUS_PARAM(removed)
                                         SD_BUS_PARAM(changed),
                                 0),
        SD_BUS_VTABLE_END,
};

const struct iface iface_topology = {SCSISCAN_INTERFACE_TOPOLOGY, vtable};
