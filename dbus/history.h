/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What was published, batch by batch, for whoever was not listening for a while. Only which objects
 * came, went and changed: their values are those of now, because nobody needs older ones.
 *
 * Bounded: the oldest batches are forgotten first, and a batch that is larger than all of it leaves
 * nothing.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scan/change_set.h"
#include "util/cleanup.h"

struct history;

/* Objects in it, summed over the batches: about 2 MiB. */
#define HISTORY_MAX 16384

/* It begins after that generation. */
struct history *history_new(uint64_t generation);
void history_free(struct history *history);
DEFINE_CLEANUP(struct history *, history_free)

/* The changes led to that generation, the next one. -ENOMEM: it begins anew, after that one. */
int history_add(struct history *history, uint64_t generation, const struct change_list *changes);

/* It knows all that has changed since that generation, which has been. */
bool history_reaches(const struct history *history, uint64_t since);
/* The net effect of all that: what came and went in between is not in it. Each change carries the
 * generation in which it was seen last. Only when it reaches back so far; -ENOMEM. */
int history_since(const struct history *history, uint64_t since, struct change_set **ret);
