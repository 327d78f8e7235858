/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/append.h"
#include "dbus/describe.h"
#include "dbus/iface.h"
#include "dbus/names.h"
#include "dbus/reply.h"
#include "dbus/server_private.h"
#include "dbus/sizes.h"

/* As they are announced: nothing names what has not been there yet. */
static int find_items(struct long_reply *reply, const struct topology *topology) {
        static const enum object_kind kinds[] = {OBJECT_HOST, OBJECT_UNIT, OBJECT_TARGET,
                                                 OBJECT_DEVICE};
        _cleanup_(id_list_done) struct id_list list = {};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(kinds); i++)
                r = id_list_add_kind(&list, topology, kinds[i]);
        for (size_t i = 0; r >= 0 && i < list.count; i++)
                r = reply_item_add(reply, &(struct reply_item){.id = list.ids[i]});
        return r;
}

static int begin(struct server *server, struct long_reply *reply, sd_bus_error *error) {
        int r;

        if (size_of_all(server->config.engine, server->jobs) > SIZE_MAX_OF_REPLY)
                return sd_bus_error_set(error, SCSISCAN_ERROR_LIMITS_EXCEEDED,
                                        "There are more objects than one reply can hold: " //
                                        "ask " SCSISCAN_INTERFACE_TOPOLOGY ".List for pages");
        r = find_items(reply, engine_topology(server->config.engine));
        return r < 0 ? r : sd_bus_message_open_container(reply->message, 'a', "{oa{sa{sv}}}");
}

static int append(struct server *server, struct long_reply *reply, const struct reply_item *item) {
        void *object = object_get(engine_topology(server->config.engine), &item->id);
        int r = sd_bus_message_open_container(reply->message, 'e', "oa{sa{sv}}");

        if (r >= 0)
                r = append_path(reply->message, &item->id);
        if (r >= 0)
                r = describe_object(reply->message, object_face(item->id.kind), object);
        return r < 0 ? r : sd_bus_message_close_container(reply->message);
}

static int append_root(sd_bus_message *message, struct server *server) {
        int r = sd_bus_message_open_container(message, 'e', "oa{sa{sv}}");

        if (r >= 0)
                r = sd_bus_message_append_basic(message, 'o', SCSISCAN_PATH);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "{sa{sv}}");
        for (size_t i = 0; r >= 0 && ifaces[i]; i++)
                r = describe_interface(message, ifaces[i]->name, ifaces[i]->vtable, server);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_job(sd_bus_message *message, struct server *server, const struct job *job) {
        struct job_object object = job_object(server, job);
        int r = sd_bus_message_open_container(message, 'e', "oa{sa{sv}}");

        if (r >= 0)
                r = append_job_path(message, job->id);
        if (r >= 0)
                r = describe_object(message, &object_job, &object);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

/* Jobs go on while the rest is appended, so they come last. */
static int end(struct server *server, struct long_reply *reply) {
        const struct job *job;
        int r;

        reply_tell_rest(server);
        r = append_root(reply->message, server);
        TAILQ_FOREACH (job, engine_jobs(server->config.engine), entry)
                if (r >= 0)
                        r = append_job(reply->message, server, job);
        return r < 0 ? r : sd_bus_message_close_container(reply->message);
}

const struct reply_kind reply_objects = {.begin = begin, .append = append, .end = end};
