/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "dbus/paths.h"
#include "dbus/publisher.h"
#include "dbus/reply.h"

struct long_reply *reply_new(const struct reply_kind *kind, sd_bus_message *call) {
        struct long_reply *reply = calloc(1, sizeof(*reply));

        if (!reply)
                return NULL;
        reply->kind = kind;
        reply->call = sd_bus_message_ref(call);
        reply->asked.first = true;
        return reply;
}

int reply_item_add(struct long_reply *reply, const struct reply_item *item) {
        if (reply->count == reply->room) {
                size_t room = reply->room ? 2 * reply->room : 64;
                struct reply_item *items = reallocarray(reply->items, room, sizeof(*items));

                if (!items)
                        return -ENOMEM;
                reply->items = items;
                reply->room = room;
        }
        reply->items[reply->count++] = *item;
        return 0;
}

void reply_free(struct long_reply *reply) {
        if (!reply)
                return;
        path_done(&reply->asked.after);
        change_set_free(reply->changes);
        free(reply->items);
        sd_bus_message_unref(reply->message);
        sd_bus_message_unref(reply->call);
        free(reply);
}

void reply_tell_rest(struct server *server) {
        struct publication publication;

        publication_begin(server, &publication, false);
        (void)publication_go_on(server, &publication, UINT64_MAX);
        publication_done(&publication);
}
