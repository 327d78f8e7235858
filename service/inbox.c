/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "inbox.h"

struct node {
        struct inbox_item item;
        STAILQ_ENTRY(node) entry;
};

struct inbox {
        STAILQ_HEAD(, node) nodes;
        size_t events;
        bool overrun; /* events were dropped since there was room last */
};

struct inbox *inbox_new(void) {
        struct inbox *inbox = calloc(1, sizeof(*inbox));

        if (inbox)
                STAILQ_INIT(&inbox->nodes);
        return inbox;
}

void inbox_free(struct inbox *inbox) {
        struct inbox_item item;

        if (!inbox)
                return;
        while (inbox_take(inbox, &item))
                if (!item.is_event)
                        observation_done(&item.observation);
        free(inbox);
}

static int add(struct inbox *inbox, const struct inbox_item *item) {
        struct node *node = malloc(sizeof(*node));

        if (!node)
                return -ENOMEM;
        node->item = *item;
        STAILQ_INSERT_TAIL(&inbox->nodes, node, entry);
        return 0;
}

/* Looking everywhere does not find out what these say. */
static bool is_known_otherwise(const struct event *event) {
        return event->kind != EVENT_HOST_STUCK && event->kind != EVENT_HOST_RELEASED;
}

int inbox_add_event(struct inbox *inbox, const struct event *event) {
        const struct inbox_item item = {.is_event = true, .event = *event};
        int r;

        if (inbox->events >= INBOX_EVENTS_MAX && is_known_otherwise(event)) {
                inbox->overrun = true;
                return 0;
        }
        r = add(inbox, &item);
        if (r >= 0)
                inbox->events++;
        return r;
}

int inbox_add_observation(struct inbox *inbox, struct observation *observation) {
        const struct inbox_item item = {.observation = *observation};
        int r = add(inbox, &item);

        if (r < 0)
                observation_done(observation);
        return r;
}

bool inbox_is_empty(const struct inbox *inbox) {
        return STAILQ_EMPTY(&inbox->nodes) && !inbox->overrun;
}

bool inbox_take(struct inbox *inbox, struct inbox_item *ret) {
        struct node *node = STAILQ_FIRST(&inbox->nodes);

        if (!node) {
                *ret = (struct inbox_item){.is_event = true, .event.kind = EVENT_RESYNC};
                return inbox->overrun && !(inbox->overrun = false);
        }
        STAILQ_REMOVE_HEAD(&inbox->nodes, entry);
        *ret = node->item;
        inbox->events -= node->item.is_event;
        free(node);
        return true;
}
