/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Tells the bus what the engine's topology and jobs have become since the last time. Without a bus
 * nobody is told, and the generation still rises: who connects later starts with GetManagedObjects.
 *
 * A thousand new objects are more than the loop may be kept for. So a publication can stop after
 * any object and go on later; until it is complete nothing may go into the engine that changes the
 * topology, which is what keeps order and values right. What calls on the bus do (jobs come, end,
 * are cancelled) may go on.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan/change_set.h"
#include "util/clock.h"

struct server;

/* How far it has come. */
struct publication {
        unsigned stage;             /* of publish.c */
        bool held;                  /* of the topology there is nothing to tell yet */
        struct change_set *changes; /* NULL: none; owned */
        unsigned part;              /* of change_order */
        const struct change *next;  /* which goes on here */
        unsigned attentions;        /* told of */
        uint64_t job;               /* looked at last */
};

/* Takes what there is to tell; `held` leaves the topology out, and what is told of it. */
void publication_begin(struct server *server, struct publication *publication, bool held);
/* True when it is complete; false when the time is over, which slice_is_over() says. */
bool publication_go_on(struct server *server, struct publication *publication, uint64_t until);
/* Of one that is given up, too. */
void publication_done(struct publication *publication);

/* The stages, in their order. Each is true when there is nothing left of it. */

/* Changes, in the order in which they happened, for the log alone. */
bool publish_log(struct server *server, struct publication *publication, uint64_t until);
/* Removed objects, added ones, properties. */
bool publish_objects(struct server *server, struct publication *publication, uint64_t until);
/* And one Changed for all of them. */
bool publish_batch(struct server *server, struct publication *publication, uint64_t until);
/* What happened to objects, once they are as it left them. */
bool publish_notices(struct server *server, struct publication *publication, uint64_t until);
/* The root's properties that follow the engine. */
bool publish_root(struct server *server, struct publication *publication, uint64_t until);
/* The objects that jobs work on may be others now. */
bool publish_job_objects(struct server *server, struct publication *publication, uint64_t until);
/* Jobs that changed, that are new, that are forgotten. */
bool publish_jobs(struct server *server, struct publication *publication, uint64_t until);
