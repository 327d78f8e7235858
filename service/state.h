/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the service remembers across restarts, in STATE_DIR/identities: read at the start, written
 * some time after it has changed, by a thread of libuv's pool, as a new file that takes the old
 * one's place. A file that cannot be read or written is said once in the log, and the service goes
 * on without.
 *
 * The service starts before /var is mounted. When STATE_DIR turns out to be another directory than
 * the one that was read, which is looked for now and then and before each write, what lies in the
 * new one is read before it is written over.
 */

#include <uv.h>

#include "scan/memory.h"

struct state;

struct state_handler {
        /* Something was written, or could not be. */
        void (*kept)(void *userdata);
        /* What was read late; the handler has the memory take over of it what it wants. -ENOMEM: it
         * will be read once more. */
        int (*found)(const struct memory *earlier, void *userdata);
        void *userdata;
};

/* Reads what is there into the memory. `inherited`: the directory where somebody who went before us
 * in this boot, from the initramfs, has left what he knows; NULL for none. It is removed when it is
 * kept in ours. -ENOMEM. */
int state_open(uv_loop_t *loop, const char *directory, const char *inherited, struct memory *memory,
               const struct state_handler *handler, struct state **ret);
/* The memory may have changed. */
void state_touch(struct state *state);
/* Something that nobody may be told of before it is kept is on its way to the disk. */
bool state_owes(const struct state *state);
/* Writes what has not been written; the loop must run until it has no handles left before
 * state_free(). */
void state_close(struct state *state);
void state_free(struct state *state);
