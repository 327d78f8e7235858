/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Every method call waits here for its turn, so that who asks much waits for himself. All that has
 * arrived is read first, then one call is served at a time, and only while not too much waits to be
 * written: what would be said now would wait behind that anyway. Whose turn it is goes round: by
 * users, and by connections of the same user. Calls of one connection stay in their order.
 *
 * Whose connection it is the bus is asked once, at its first call, which waits for the answer; so
 * whoever serves a call knows its user without asking. A call that is one too many (Limit) or too
 * large (InvalidArgs) is refused at once. Root's calls have room of their own.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "util/cleanup.h"

struct fair_queue;

/* Calls that wait for their turn: of one connection (stock dbus-daemon lets it have 128 calls
 * without a reply), of one user, of all users but root, and of root. */
#define FAIR_QUEUE_PER_SENDER_MAX 128
#define FAIR_QUEUE_PER_USER_MAX 1024
#define FAIR_QUEUE_USERS_MAX 4096
#define FAIR_QUEUE_ROOT_MAX 1024
/* Bytes of one call, and of all that wait of one user. */
#define FAIR_QUEUE_CALL_BYTES_MAX 16384
#define FAIR_QUEUE_USER_BYTES_MAX 1048576
/* Connections that are known; a system has hundreds. */
#define FAIR_QUEUE_SENDERS_MAX 4096

struct fair_queue *fair_queue_new(void);
/* Nothing may be in it any more. */
void fair_queue_free(struct fair_queue *queue);
DEFINE_CLEANUP(struct fair_queue *, fair_queue_free)

/* On a connection that is not started yet. */
int fair_queue_attach(struct fair_queue *queue, sd_bus *bus);
/* Lets the next one go, to be dispatched by sd_bus_process(), while no more than so many messages
 * wait to be written: true when there was one. To be called when there is nothing more to be read,
 * and before every poll. */
bool fair_queue_next(struct fair_queue *queue, sd_bus *bus, uint64_t unwritten_max);

/* Whose call it is: 0, or -ENOENT for one that did not come through the queue, or whose sender has
 * left. */
int fair_queue_user(const struct fair_queue *queue, sd_bus_message *call, uint32_t *ret_uid);

/* The sender has left the bus; all have, for there is no bus. */
void fair_queue_leave(struct fair_queue *queue, const char *sender);
void fair_queue_leave_all(struct fair_queue *queue);
