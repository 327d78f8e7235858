/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What somebody knows who asked GetManagedObjects once, and has only listened since. On the way it
 * holds every signal against what the contract says of their order.
 */

#include "client.h"

struct mirror;

struct mirror *mirror_new(struct client *client);
void mirror_free(struct mirror *mirror);

/* Takes in what has arrived so far. Each answer to GetManagedObjects among it says the same as the
 * signals before it. */
void mirror_follow(struct mirror *mirror);
/* Asks for such an answer, at whatever moment, and follows; then for what has changed since some
 * generation that it has gone through, which leads to the same. */
void mirror_ask(struct mirror *mirror);
/* The same while nothing changes. From the first time on nothing may be signalled that is known
 * already, or gone. */
void mirror_check(struct mirror *mirror);

/* What it knows of that property, of its own type; NULL when it knows no such thing. Valid until
 * it follows again. */
GVariant *mirror_get(const struct mirror *mirror, const char *path, const char *interface,
                     const char *name);
/* The paths below `prefix` (SCSISCAN_PATH_DEVICE), in the order of their texts. */
GPtrArray *mirror_list(const struct mirror *mirror, const char *prefix);

/* Of the last Changed; and how many there have been. */
guint64 mirror_generation(const struct mirror *mirror);
unsigned mirror_batches(const struct mirror *mirror);
/* How many times GetChanges led to what it knows. */
unsigned mirror_answers(const struct mirror *mirror);
unsigned mirror_objects(const struct mirror *mirror);
