/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/history.h"

/* A change without what only its signals need. */
struct entry {
        struct object_id id; /* identity is owned */
        bool removed, added;
        uint32_t properties;
};

struct batch {
        uint64_t generation;
        STAILQ_ENTRY(batch) next;
        size_t count;
        struct entry entries[];
};

struct history {
        uint64_t before; /* the generation that it begins after */
        uint64_t latest;
        size_t count; /* entries in all batches */
        STAILQ_HEAD(, batch) batches;
};

struct history *history_new(uint64_t generation) {
        struct history *history = calloc(1, sizeof(*history));

        if (!history)
                return NULL;
        history->before = history->latest = generation;
        STAILQ_INIT(&history->batches);
        return history;
}

static void batch_free(struct batch *batch) {
        for (size_t i = 0; i < batch->count; i++)
                free((char *)batch->entries[i].id.identity);
        free(batch);
}

DEFINE_CLEANUP(struct batch *, batch_free)

static void forget_oldest(struct history *history) {
        struct batch *batch = STAILQ_FIRST(&history->batches);

        STAILQ_REMOVE_HEAD(&history->batches, next);
        history->before = batch->generation;
        history->count -= batch->count;
        batch_free(batch);
}

void history_free(struct history *history) {
        if (!history)
                return;
        while (!STAILQ_EMPTY(&history->batches))
                forget_oldest(history);
        free(history);
}

static int entry_set(struct entry *entry, const struct change *change) {
        *entry = (struct entry){
                .id = change->id,
                .removed = change->removed,
                .added = change->added,
                .properties = change->properties,
        };
        if (!change->id.identity)
                return 0;
        entry->id.identity = strdup(change->id.identity);
        return entry->id.identity ? 0 : -ENOMEM;
}

static struct batch *batch_new(uint64_t generation, const struct change_list *changes) {
        _cleanup_(batch_freep) struct batch *batch = NULL;
        const struct change *change;
        size_t count = 0;

        TAILQ_FOREACH (change, changes, entry)
                count++;
        batch = calloc(1, sizeof(*batch) + count * sizeof(*batch->entries));
        if (!batch)
                return NULL;
        batch->generation = generation;
        TAILQ_FOREACH (change, changes, entry)
                if (entry_set(&batch->entries[batch->count++], change) < 0)
                        return NULL;
        return TAKE_PTR(batch);
}

int history_add(struct history *history, uint64_t generation, const struct change_list *changes) {
        struct batch *batch = batch_new(generation, changes);

        assert(generation == history->latest + 1);
        history->latest = generation;
        if (batch) {
                STAILQ_INSERT_TAIL(&history->batches, batch, next);
                history->count += batch->count;
        }
        while (!STAILQ_EMPTY(&history->batches) && (!batch || history->count > HISTORY_MAX))
                forget_oldest(history);
        if (batch)
                return 0;
        history->before = generation;
        return -ENOMEM;
}

bool history_reaches(const struct history *history, uint64_t since) {
        return since >= history->before && since <= history->latest;
}

static int replay(struct change_set *set, const struct entry *entry, uint64_t generation) {
        struct change *change;
        int r = 0;

        if (entry->removed)
                r = change_set_removed(set, &entry->id, NULL, NULL);
        if (r >= 0 && entry->added)
                r = change_set_added(set, &entry->id);
        if (r >= 0)
                r = change_set_changed(set, &entry->id, entry->properties);
        change = change_set_find(set, &entry->id);
        if (change)
                change->generation = generation;
        return r;
}

int history_since(const struct history *history, uint64_t since, struct change_set **ret) {
        _cleanup_(change_set_freep) struct change_set *set = change_set_new();
        const struct batch *batch;
        int r = set ? 0 : -ENOMEM;

        assert(history_reaches(history, since));
        STAILQ_FOREACH(batch, &history->batches, next)
        for (size_t i = 0; r >= 0 && batch->generation > since && i < batch->count; i++)
                r = replay(set, &batch->entries[i], batch->generation);
        if (r >= 0)
                *ret = TAKE_PTR(set);
        return r;
}
