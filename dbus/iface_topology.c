/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/append.h"
#include "dbus/ids.h"
#include "dbus/iface.h"
#include "dbus/key.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/paths.h"
#include "dbus/replies.h"
#include "dbus/reply.h"
#include "dbus/server_private.h"
#include "util/cleanup.h"

DEFINE_PROPERTY_GET(get_generation, struct server, server,
                    sd_bus_message_append_basic(reply, 't', &server->shown.generation))
DEFINE_PROPERTY_GET(get_ready, struct server, server,
                    sd_bus_message_append(reply, "b", engine_is_ready(server->config.engine)))

/* In the order of the contract. What begins with a unit is that unit with its devices. */
static int append_findings(sd_bus_message *reply, const struct id_list *findings) {
        size_t first = findings->count > 0 && findings->ids[0].kind == OBJECT_UNIT ? 1 : 0;
        int r = 0;

        if (findings->count > first)
                qsort(findings->ids + first, findings->count - first, sizeof(*findings->ids),
                      id_compare);
        for (size_t i = 0; r >= 0 && i < findings->count; i++)
                r = append_path(reply, &findings->ids[i]);
        return r;
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
        if (object_get(engine_topology(server->config.engine), &id)) {
                r = append_path(reply, &id);
                r = r < 0 ? r : 1;
        }
        path_done(&id);
        return r;
}

/* 1 if the scope names something, or everything, which may be nothing. */
static int find_scope(const struct server *server, const char *key, sd_bus_message *reply,
                      sd_bus_error *error) {
        _cleanup_(id_list_done) struct id_list findings = {};
        _cleanup_(scope_done) struct scope scope = {};
        int r = key_parse(key, &scope, error);

        if (r >= 0)
                r = scope_find(&scope, engine_topology(server->config.engine), id_list_add,
                               &findings);
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

/* ---- pages and changes ---- */

static int page_kind(const char *word, enum object_kind *ret, sd_bus_error *error) {
        static const char *const words[] = {
                [OBJECT_HOST] = "host", [OBJECT_TARGET] = "target", [OBJECT_DEVICE] = "device",
                [OBJECT_UNIT] = "unit", [PAGE_JOBS] = "job",
        };

        for (size_t i = 0; i < ELEMENTS_OF(words); i++)
                if (strcmp(words[i], word) == 0) {
                        *ret = (enum object_kind)i;
                        return 0;
                }
        return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS,
                                 "'%s' is none of host, target, device, unit, job", word);
}

/* It need not be there any more. */
static int page_after(const char *path, const char *word, struct long_reply *reply,
                      sd_bus_error *error) {
        int r;

        reply->asked.first = !*path;
        if (reply->asked.first)
                return 0;
        if (reply->asked.kind == PAGE_JOBS)
                r = path_parse_job(path, &reply->asked.after_job);
        else
                r = path_parse(path, &reply->asked.after);
        if (r >= 0 && reply->asked.kind != PAGE_JOBS &&
            reply->asked.after.kind != reply->asked.kind)
                r = -EINVAL;
        if (r == -EINVAL)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS,
                                         "'%s' is not the path of a %s", path, word);
        return r;
}

static int on_list(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        struct server *server = userdata;
        _cleanup_(reply_freep) struct long_reply *reply = reply_new(&reply_page, call);
        const char *word, *path;
        uint32_t max;
        int r = reply ? sd_bus_message_read(call, "ssu", &word, &path, &max) : -ENOMEM;

        if (r >= 0)
                r = page_kind(word, &reply->asked.kind, error);
        if (r >= 0)
                r = page_after(path, word, reply, error);
        if (r < 0)
                return r;
        reply->asked.max = max == 0 || max > PAGE_OBJECTS_MAX ? PAGE_OBJECTS_MAX : max;
        return replies_add(server->replies, TAKE_PTR(reply), error);
}

static int on_get_changes(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        struct server *server = userdata;
        _cleanup_(reply_freep) struct long_reply *reply = reply_new(&reply_changes, call);
        int r = reply ? sd_bus_message_read_basic(call, 't', &reply->asked.since) : -ENOMEM;

        return r < 0 ? r : replies_add(server->replies, TAKE_PTR(reply), error);
}

/* ---- why ---- */

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
        SD_BUS_METHOD_WITH_NAMES("GetChanges", "t", SD_BUS_PARAM(since), "tba(tsoa{sv})",
                                 SD_BUS_PARAM(generation) SD_BUS_PARAM(complete)
                                         SD_BUS_PARAM(changes),
                                 on_get_changes, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("List", "ssu",
                                 SD_BUS_PARAM(kind) SD_BUS_PARAM(after) SD_BUS_PARAM(max),
                                 "a(oa{sv})s", SD_BUS_PARAM(page) SD_BUS_PARAM(next), on_list,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        PROPERTY_CHANGES("Generation", "t", get_generation),
        PROPERTY_CHANGES("Ready", "b", get_ready),
        SD_BUS_SIGNAL_WITH_NAMES("Changed", "taoaoao",
                                 SD_BUS_PARAM(generation) SD_BUS_PARAM(added) SD_BUS_PARAM(removed)
                                         SD_BUS_PARAM(changed),
                                 0),
        SD_BUS_VTABLE_END,
};

const struct iface iface_topology = {SCSISCAN_INTERFACE_TOPOLOGY, vtable};
