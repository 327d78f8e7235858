/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "dbus/names.h"
#include "dbus/replies.h"
#include "dbus/reply.h"
#include "dbus/server_private.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/share.h"

struct replies {
        const struct fair_queue *calls;
        STAILQ_HEAD(reply_list, long_reply) waiting; /* the first may have been begun */
};

struct replies *replies_new(const struct fair_queue *calls) {
        struct replies *replies = calloc(1, sizeof(*replies));

        if (!replies)
                return NULL;
        replies->calls = calls;
        STAILQ_INIT(&replies->waiting);
        return replies;
}

void replies_free(struct replies *replies) {
        if (!replies)
                return;
        replies_leave_all(replies);
        free(replies);
}

/* ---- who waits ---- */

static bool is_from(const struct long_reply *reply, const char *sender) {
        return strcmp(sd_bus_message_get_sender(reply->call), sender) == 0;
}

static bool has_room(const struct replies *replies, uint32_t uid) {
        static const struct share share = {
                .user = REPLIES_PER_USER_MAX,
                .users = REPLIES_USERS_MAX,
                .root = REPLIES_ROOT_MAX,
        };
        struct share_use use = {};
        const struct long_reply *reply;

        STAILQ_FOREACH(reply, &replies->waiting, entry)
        share_count(&use, reply->uid, uid);
        return share_has_room(&share, &use, uid);
}

int replies_add(struct replies *replies, struct long_reply *reply, sd_bus_error *error) {
        if (fair_queue_user(replies->calls, reply->call, &reply->uid) < 0 ||
            !has_room(replies, reply->uid)) {
                reply_free(reply);
                return sd_bus_error_set(error, SCSISCAN_ERROR_LIMIT,
                                        "Too many long replies are waited for");
        }
        STAILQ_INSERT_TAIL(&replies->waiting, reply, entry);
        return 1;
}

static void drop(struct replies *replies, struct long_reply *reply) {
        STAILQ_REMOVE(&replies->waiting, reply, long_reply, entry);
        reply_free(reply);
}

void replies_leave(struct replies *replies, const char *sender) {
        struct long_reply *reply, *next;

        for (reply = STAILQ_FIRST(&replies->waiting); reply; reply = next) {
                next = STAILQ_NEXT(reply, entry);
                if (is_from(reply, sender))
                        drop(replies, reply);
        }
}

void replies_leave_all(struct replies *replies) {
        while (!STAILQ_EMPTY(&replies->waiting))
                drop(replies, STAILQ_FIRST(&replies->waiting));
}

/* ---- the first of them ---- */

bool replies_are_due(const struct replies *replies, sd_bus *bus) {
        uint64_t queued;

        return bus && !STAILQ_EMPTY(&replies->waiting) &&
               sd_bus_get_n_queued_write(bus, &queued) >= 0 && queued == 0;
}

/* 1 when all is appended, 0 when the time is over. */
static int append_items(struct server *server, struct long_reply *reply, uint64_t until) {
        int r = 0;

        while (r == 0 && reply->next < reply->count) {
                if (slice_is_over(until))
                        return 0;
                r = reply->kind->append(server, reply, &reply->items[reply->next]);
                reply->next++;
        }
        return r < 0 ? r : 1;
}

static int begin(struct server *server, struct long_reply *reply, sd_bus_error *error) {
        int r;

        if (reply->message)
                return 0;
        r = sd_bus_message_new_method_return(reply->call, &reply->message);
        return r < 0 ? r : reply->kind->begin(server, reply, error);
}

/* 1 when it is on its way, 0 when the time is over. */
static int make(struct server *server, struct long_reply *reply, uint64_t until,
                sd_bus_error *error) {
        int r = begin(server, reply, error);

        if (r >= 0)
                r = append_items(server, reply, until);
        if (r <= 0)
                return r;
        r = reply->kind->end(server, reply);
        if (r >= 0)
                r = sd_bus_send(NULL, reply->message, NULL);
        return r < 0 ? r : 1;
}

bool replies_go_on(struct replies *replies, struct server *server, uint64_t until) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct long_reply *reply = STAILQ_FIRST(&replies->waiting);
        int r;

        if (!reply || (!reply->message && !replies_are_due(replies, server->bus)))
                return true;
        r = make(server, reply, until, &error);
        if (r == 0)
                return false;
        if (r < 0) {
                r = sd_bus_reply_method_errno(reply->call, r, &error);
                if (r < 0)
                        log_debug("Cannot answer %s: %s", sd_bus_message_get_sender(reply->call),
                                  strerror(-r));
        }
        drop(replies, reply);
        return true;
}
