/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "dbus/append.h"
#include "dbus/describe.h"
#include "dbus/reply.h"
#include "dbus/server_private.h"
#include "dbus/sizes.h"

static int find_jobs(struct long_reply *reply, const struct engine *engine) {
        const struct job *job;
        int r = 0;

        TAILQ_FOREACH (job, engine_jobs(engine), entry)
                if (r >= 0 && job->id > reply->asked.after_job)
                        r = reply_item_add(reply, &(struct reply_item){.job = job->id});
        return r;
}

/* In an order that does not depend on the objects that are there: a page goes on behind the last
 * object of the one before, also when that is gone. */
static int find_objects(struct long_reply *reply, const struct topology *topology) {
        _cleanup_(id_list_done) struct id_list list = {};
        int r = id_list_add_kind(&list, topology, reply->asked.kind);

        if (r >= 0 && list.count > 0)
                qsort(list.ids, list.count, sizeof(*list.ids), id_compare);
        for (size_t i = 0; r >= 0 && i < list.count; i++)
                if (reply->asked.first || id_compare(&list.ids[i], &reply->asked.after) > 0)
                        r = reply_item_add(reply, &(struct reply_item){.id = list.ids[i]});
        return r;
}

static int begin(struct server *server, struct long_reply *reply, sd_bus_error *error) {
        int r;

        if (reply->asked.kind == PAGE_JOBS) {
                reply_tell_rest(server);
                r = find_jobs(reply, server->config.engine);
        } else {
                r = find_objects(reply, engine_topology(server->config.engine));
        }
        return r < 0 ? r : sd_bus_message_open_container(reply->message, 'a', "(oa{sv})");
}

static int append_job(struct server *server, struct long_reply *reply,
                      const struct reply_item *item) {
        struct job_object object = job_object(server, engine_job(server->config.engine, item->job));
        int r = append_job_path(reply->message, item->job);

        return r < 0 ? r : describe_all(reply->message, object_job.vtable, &object);
}

static int append_object(struct server *server, struct long_reply *reply,
                         const struct reply_item *item) {
        const struct topology *topology = engine_topology(server->config.engine);
        int r = append_path(reply->message, &item->id);

        reply->bytes += size_of_object(topology, &item->id);
        return r < 0 ? r
                     : describe_all(reply->message, object_face(item->id.kind)->vtable,
                                    object_get(topology, &item->id));
}

/* A page is no longer than may be made without a pause, but the pages are as one when nothing
 * changes between them. */
static int append(struct server *server, struct long_reply *reply, const struct reply_item *item) {
        int r = sd_bus_message_open_container(reply->message, 'r', "oa{sv}");

        if (r >= 0)
                r = item->job ? append_job(server, reply, item)
                              : append_object(server, reply, item);
        if (r >= 0)
                r = sd_bus_message_close_container(reply->message);
        return r < 0 ? r : reply->next + 1 >= reply->asked.max || reply->bytes >= PAGE_BYTES_MAX;
}

/* Where the next page begins: "" when there is none. */
static int append_next(struct long_reply *reply) {
        _cleanup_(freep) char *path = NULL;
        const struct reply_item *last;
        int r;

        if (reply->next == 0 || reply->next == reply->count)
                return append_text(reply->message, "");
        last = &reply->items[reply->next - 1];
        r = last->job ? path_format_job(last->job, &path) : path_format(&last->id, &path);
        return r < 0 ? r : append_text(reply->message, path);
}

static int end(struct server *server, struct long_reply *reply) {
        int r = sd_bus_message_close_container(reply->message);

        return r < 0 ? r : append_next(reply);
}

const struct reply_kind reply_page = {.begin = begin, .append = append, .end = end};
