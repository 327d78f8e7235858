/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a signal tells and no property holds, until somebody takes it. An outsider can make any
 * number of attentions, so of those the oldest go when nobody does; what is told of a unit that was
 * replaced or grew is bounded by what is attached.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/work.h"

/* The next in time, of the two that wait longest. */
struct notice *planner_take_notice(struct planner *planner) {
        struct notice *attention = TAILQ_FIRST(&planner->attentions),
                      *notice = TAILQ_FIRST(&planner->notices);

        if (attention && (!notice || attention->serial < notice->serial)) {
                TAILQ_REMOVE(&planner->attentions, attention, entry);
                planner->attention_count--;
                return attention;
        }
        if (notice)
                TAILQ_REMOVE(&planner->notices, notice, entry);
        return notice;
}

static void add_attention(struct planner *planner, struct notice *notice) {
        if (planner->attention_count >= ATTENTIONS_MAX) {
                struct notice *oldest = TAILQ_FIRST(&planner->attentions);

                TAILQ_REMOVE(&planner->attentions, oldest, entry);
                notice_free(oldest);
                planner->attention_count--;
                planner_count(planner, COUNTER_ATTENTIONS_DROPPED);
        }
        planner->attention_count++;
        TAILQ_INSERT_TAIL(&planner->attentions, notice, entry);
}

struct notice *planner_notice(struct planner *planner, enum notice_kind kind,
                              const struct scsi_address *address) {
        struct notice *notice = calloc(1, sizeof(*notice));

        if (!notice)
                return NULL;
        notice->kind = kind;
        notice->address = *address;
        notice->serial = ++planner->next_notice;
        if (kind == NOTICE_ATTENTION)
                add_attention(planner, notice);
        else
                TAILQ_INSERT_TAIL(&planner->notices, notice, entry);
        return notice;
}

int planner_notice_replaced(struct planner *planner, const struct scsi_address *address,
                            const struct scsi_identity *was, const struct scsi_identity *now,
                            bool in_use, bool stopped) {
        struct notice *notice = planner_notice(planner, NOTICE_REPLACED, address);

        if (!notice)
                return -ENOMEM;
        notice->identity = strdup(was->name ?: "");
        notice->identity_now = strdup(now->name ?: "");
        notice->in_use = in_use;
        notice->stopped = stopped;
        return notice->identity && notice->identity_now ? 0 : -ENOMEM;
}

static bool agree_on_size(const struct unit *unit, uint64_t size) {
        const struct device *path;

        TAILQ_FOREACH (path, &unit->devices, unit_entry)
                if (path->standing != STANDING_MISSING && path->facts.size != size)
                        return false;
        return true;
}

int planner_notice_capacity(struct planner *planner, const struct scsi_address *address) {
        const struct device *device = topology_device(planner->topology, address);
        struct unit *unit = device ? device->unit : NULL;
        struct notice *notice;
        uint64_t was;

        /* One that was just attached has no size until sd has probed it, and neither has one that
         * sd has let go: that is no size. */
        if (!unit || device->facts.size == 0 || device->facts.size == unit->size ||
            !agree_on_size(unit, device->facts.size))
                return 0;
        was = unit->size;
        unit->size = device->facts.size;
        if (was == 0)
                return 0;
        notice = planner_notice(planner, NOTICE_CAPACITY, address);
        if (!notice)
                return -ENOMEM;
        notice->identity = strdup(unit->identity);
        notice->size_was = was;
        notice->size = unit->size;
        return notice->identity ? 0 : -ENOMEM;
}
