/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/append.h"
#include "dbus/change_order.h"
#include "dbus/describe.h"
#include "dbus/history.h"
#include "dbus/reply.h"
#include "dbus/server_private.h"
#include "dbus/sizes.h"

static int find_part(struct long_reply *reply, const struct change_part *part) {
        const struct change *change;
        int r = 0;

        TAILQ_FOREACH (change, change_set_entries(reply->changes), entry)
                if (r >= 0 && change_is_in(change, part))
                        r = reply_item_add(reply, &(struct reply_item){
                                                          .id = change->id,
                                                          .word = part->word,
                                                          .generation = change->generation,
                                                          .properties = change->properties,
                                                  });
        return r;
}

static bool is_too_long(const struct long_reply *reply, const struct topology *topology) {
        size_t bytes = 0;

        /* What is removed takes no more than what is there, and has no size. */
        for (size_t i = 0; i < reply->count; i++)
                bytes += 256 + size_of_object(topology, &reply->items[i].id);
        return bytes > SIZE_MAX_OF_REPLY;
}

/* 1 when the history has all of it, and it is not too long. */
static int find_items(struct server *server, struct long_reply *reply) {
        int r;

        if (!history_reaches(server->history, reply->asked.since))
                return 0;
        r = history_since(server->history, reply->asked.since, &reply->changes);
        for (size_t i = 0; r >= 0 && i < CHANGE_PARTS; i++)
                r = find_part(reply, &change_order[i]);
        if (r < 0)
                return r;
        if (!is_too_long(reply, engine_topology(server->config.engine)))
                return 1;
        reply->count = 0;
        return 0;
}

static int begin(struct server *server, struct long_reply *reply, sd_bus_error *error) {
        int complete = find_items(server, reply), r = complete;

        if (r >= 0)
                r = sd_bus_message_append(reply->message, "tb", server->shown.generation, complete);
        return r < 0 ? r : sd_bus_message_open_container(reply->message, 'a', "(tsoa{sv})");
}

static int append_values(struct server *server, struct long_reply *reply,
                         const struct reply_item *item) {
        const struct object_face *face = object_face(item->id.kind);
        void *object = object_get(engine_topology(server->config.engine), &item->id);

        if (item->word == CHANGE_ADDED)
                return describe_all(reply->message, face->vtable, object);
        return describe_some(reply->message, face, object,
                             item->word == CHANGE_CHANGED ? item->properties : 0);
}

static int append(struct server *server, struct long_reply *reply, const struct reply_item *item) {
        int r = sd_bus_message_open_container(reply->message, 'r', "tsoa{sv}");

        if (r >= 0)
                r = sd_bus_message_append(reply->message, "ts", item->generation,
                                          change_word_name(item->word));
        if (r >= 0)
                r = append_path(reply->message, &item->id);
        if (r >= 0)
                r = append_values(server, reply, item);
        return r < 0 ? r : sd_bus_message_close_container(reply->message);
}

static int end(struct server *server, struct long_reply *reply) {
        return sd_bus_message_close_container(reply->message);
}

const struct reply_kind reply_changes = {.begin = begin, .append = append, .end = end};
