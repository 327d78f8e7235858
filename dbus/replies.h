/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The queue of long replies. One is made at a time, and not before the one before has left for the
 * bus: a reply is up to 32 MiB, and nobody can make the service hold more than one.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "dbus/fair_queue.h"
#include "util/cleanup.h"

struct long_reply;
struct replies;
struct server;

/* Calls waiting for one, of one user, of all but root, and of root. */
#define REPLIES_PER_USER_MAX 16
#define REPLIES_USERS_MAX 192
#define REPLIES_ROOT_MAX 64

/* calls: where they come from; it has to live as long. */
struct replies *replies_new(const struct fair_queue *calls);
void replies_free(struct replies *replies);
DEFINE_CLEANUP(struct replies *, replies_free)

/* Takes over `reply`, whose call, kind and question are set. 1, as a method handler returns whose
 * answer comes later; Limit, with `error` set. */
int replies_add(struct replies *replies, struct long_reply *reply, sd_bus_error *error);

/* Whether one is waited for that could be begun now. */
bool replies_are_due(const struct replies *replies, sd_bus *bus);
/* Begins one if that is so, or goes on with it: false when it is not complete yet. Everything that
 * has changed must have been told. until: µs, CLOCK_MONOTONIC. */
bool replies_go_on(struct replies *replies, struct server *server, uint64_t until);

/* That name has left the bus, or everybody has. */
void replies_leave(struct replies *replies, const char *sender);
void replies_leave_all(struct replies *replies);
