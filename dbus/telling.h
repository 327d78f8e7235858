/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What takes long on the bus is told in slices of the loop's time: a publication, and then one long
 * reply if somebody waits for it. In between everything else has its turn, calls too, and the
 * topology stays as it is.
 */

#include <stdbool.h>
#include <uv.h>

#include "util/cleanup.h"

struct server;
struct server_publication;
struct telling;

/* The loop is kept no longer than this at a time. */
#define TELLING_SLICE_USEC 10000
/* Messages on their way to the bus above which it waits, so that a slow bus does not make the
 * service grow; and for how long in all, so that a bus that hangs does not stop the service. */
#define TELLING_QUEUE_MAX 1024
#define TELLING_PATIENCE_USEC 2000000

struct telling *telling_new(struct server *server);
void telling_start(struct telling *telling, uv_loop_t *loop);
/* The loop has to run between these two. */
void telling_stop(struct telling *telling);
void telling_free(struct telling *telling);
DEFINE_CLEANUP(struct telling *, telling_free)

/* Tells what there is, as far as that goes in one slice. Not while something is under way. */
void telling_begin(struct telling *telling, const struct server_publication *what);
bool telling_is_under_way(const struct telling *telling);
/* The same, but for a long reply. */
bool telling_publishes(const struct telling *telling);
