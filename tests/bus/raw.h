/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A client that is nothing but a socket: it sends as many calls at once as it likes, and reads what
 * it likes, or nothing. Whatever does not go as said fails the test.
 */

#include <gio/gio.h>
#include <stdbool.h>
#include <sys/types.h>

/* Known to the bus, whose reply to that is read; -1 where this process cannot become that user. */
int raw_client(const char *address, uid_t uid);

/* The bytes of a call, of the service's methods or of anybody's. */
GByteArray *raw_call(const char *path, const char *interface, const char *method,
                     GVariant *arguments);
GByteArray *raw_call_to(const char *to, const char *path, const char *interface, const char *method,
                        GVariant *arguments);
/* Sends it `count` times, with serials from `serial` on; 1 is that of Hello. */
void raw_send_many(int fd, GByteArray *call, guint32 serial, guint count);
/* The same without waiting. False when the bus has gone or did not take all: then there may be half
 * a call, and nothing more can be sent. */
bool raw_send_some(int fd, GByteArray *call, guint32 serial, guint count);

GDBusMessage *raw_receive(int fd);
/* Reads until so many replies, or errors, have come. False when the bus has gone. */
bool raw_skip_replies(int fd, guint count);
