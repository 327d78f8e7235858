/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What has come in for the engine and was not handed to it yet, in its order: the loop hears of
 * everything at once, and takes it in as time allows and as the engine may be changed.
 *
 * Bounded: observations are no more than the steps under way; of events that only say where to look
 * there are so many, and then one that says "everywhere".
 */

#include <stdbool.h>
#include <stddef.h>

#include "scan/event.h"
#include "scan/step.h"
#include "util/cleanup.h"

struct inbox;

/* Events kept. */
#define INBOX_EVENTS_MAX 65536

struct inbox_item {
        bool is_event;
        union {
                struct event event;
                struct observation observation; /* owned by whoever takes the item */
        };
};

struct inbox *inbox_new(void);
void inbox_free(struct inbox *inbox);
DEFINE_CLEANUP(struct inbox *, inbox_free)

/* Both copy; what the observation owns is taken over, also when it cannot be kept. -ENOMEM. */
int inbox_add_event(struct inbox *inbox, const struct event *event);
int inbox_add_observation(struct inbox *inbox, struct observation *observation);

bool inbox_is_empty(const struct inbox *inbox);
/* The oldest; false when there is none. */
bool inbox_take(struct inbox *inbox, struct inbox_item *ret);
