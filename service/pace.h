/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * When changes are published: at once when nothing is under way, else every 50 ms. Not before what
 * they say of stopped devices is on the disk; and the topology, where many devices are about to
 * come, when they are there.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct engine;
struct server;
struct state;

struct pace {
        uv_timer_t timer; /* the next publication is due */
        uv_timer_cb due;
        const struct engine *engine; /* these three: whoever makes them sets them */
        struct state *state;
        struct server *server;
        uint64_t published;  /* ms of the loop's clock */
        uint64_t owed_since; /* ms: what is not on the disk yet waits to be published; 0 for none */
        uint64_t bulk_since; /* ms: many devices are about to come since then; 0 when not */
};

/* `due` is called when pace_publish() may have something to do. */
void pace_start(struct pace *pace, uv_loop_t *loop, uv_timer_cb due, void *userdata);
/* Publishes if it is time, or sees that `due` is called when it is. at_rest: the engine knows all
 * that the kernel has said, and has nothing to begin. */
void pace_publish(struct pace *pace, bool at_rest);
