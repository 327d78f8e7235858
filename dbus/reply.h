/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One long reply and how it is made: GetManagedObjects, List, GetChanges. What they have in common
 * is a list of objects, found in one go and appended one by one, as time allows. While that lasts
 * the topology stays as it is (see publisher.h), and everything about it has been told: whoever
 * reads the reply and follows the signals from there on misses nothing.
 */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "dbus/change_order.h"
#include "dbus/ids.h"

struct server;
struct long_reply;

struct reply_item {
        struct object_id id; /* identity: the topology's, or that of the reply's changes */
        uint64_t job;        /* a job instead, when not 0 */
        /* Of a change: */
        enum change_word word;
        uint64_t generation;
        uint32_t properties; /* of CHANGE_CHANGED */
};

struct reply_kind {
        /* Finds the items and opens what they go into. Negative: answered with `error`. */
        int (*begin)(struct server *server, struct long_reply *reply, sd_bus_error *error);
        /* 0 to go on, 1 when that was the last one for this reply; negative as above. */
        int (*append)(struct server *server, struct long_reply *reply,
                      const struct reply_item *item);
        /* Closes it, and adds what comes last. */
        int (*end)(struct server *server, struct long_reply *reply);
};

extern const struct reply_kind reply_objects; /* a{oa{sa{sv}}} */
extern const struct reply_kind reply_page;    /* a(oa{sv}) s */
extern const struct reply_kind reply_changes; /* t b a(tsoa{sv}) */

/* Of List. */
#define PAGE_JOBS OBJECT_KINDS /* in the place of a kind */
#define PAGE_OBJECTS_MAX 1000
/* Where a page ends after the object that makes it as long. */
#define PAGE_BYTES_MAX (1 << 20)

struct long_reply {
        const struct reply_kind *kind;
        sd_bus_message *call;
        uint32_t uid; /* whose it is */
        /* What was asked for. */
        struct {
                enum object_kind kind;  /* of reply_page; PAGE_JOBS for jobs */
                struct object_id after; /* of reply_page, unless `first`; identity owned */
                uint64_t after_job;     /* the same, of jobs */
                bool first;
                uint32_t max;   /* of reply_page: objects, at least 1 */
                uint64_t since; /* of reply_changes */
        } asked;
        /* What has been made of it. */
        sd_bus_message *message; /* NULL: not begun */
        struct reply_item *items;
        size_t count, next, room;
        size_t bytes;               /* of the page so far */
        struct change_set *changes; /* owned */
        STAILQ_ENTRY(long_reply) entry;
};

/* NULL without memory. What is asked for is everything from the start. */
struct long_reply *reply_new(const struct reply_kind *kind, sd_bus_message *call);
/* The item is copied. 0, -ENOMEM. */
int reply_item_add(struct long_reply *reply, const struct reply_item *item);
void reply_free(struct long_reply *reply);
DEFINE_CLEANUP(struct long_reply *, reply_free)

/* Everything about jobs and the root object, told now, so that the reply says nothing that was not.
 */
void reply_tell_rest(struct server *server);
