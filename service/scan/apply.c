/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Facts on their way into the topology, and what follows from each of them: what is remembered of a
 * nexus, what is watched, what is told.
 */
#include <errno.h>
#include <string.h>

#include "scan/work.h"

/* A device that is there is remembered as what it was attached as, one whose going was seen is not.
 */
static int remember(struct planner *planner, const struct device *device) {
        bool replaced = device->standing == STANDING_REPLACED;
        struct memory_mark mark = {
                .instance = device->facts.instance,
                .standing =
                        device->standing >= STANDING_REPLACED ? device->standing : STANDING_PRESENT,
                .asked = device->asked,
        };
        struct scsi_identity identity = {};
        _cleanup_(freep) char *nexus = NULL;
        int r;

        if (device->standing == STANDING_UNVERIFIED ||
            ((replaced ? device->was : device->identity).count == 0 &&
             mark.standing == STANDING_PRESENT && !mark.asked))
                return 0;
        nexus = memory_nexus(device);
        r = nexus ? scsi_identity_copy(replaced ? &device->was : &device->identity, &identity)
                  : -ENOMEM;
        if (r >= 0)
                r = memory_set(planner->memory, nexus, &mark, &identity);
        return r == -E2BIG ? 0 : r;
}

const struct memory_entry *planner_recall(struct planner *planner,
                                          const struct scsi_address *address) {
        struct target *target = topology_target(planner->topology, &address->target), none;
        struct host *host = topology_host(planner->topology, address->target.host);
        struct device device = {.address = *address, .target = target ?: &none};
        _cleanup_(freep) char *nexus = NULL;

        if (!host)
                return NULL;
        if (!target)
                none = (struct target){.address = address->target, .host = host};
        nexus = memory_nexus(&device);
        return nexus ? memory_get(planner->memory, nexus) : NULL;
}

static int recall_device(struct planner *planner, const struct memory *earlier,
                         const struct device *device) {
        _cleanup_(freep) char *nexus = memory_nexus(device);
        const struct memory_entry *entry = nexus ? memory_get(earlier, nexus) : NULL;

        if (!nexus)
                return -ENOMEM;
        if (!entry || entry->mark.instance != 0 || entry->identity.count == 0 ||
            device->identity.count == 0 ||
            (device->standing != STANDING_PRESENT && device->standing != STANDING_QUARANTINED) ||
            scsi_identity_equal(&entry->identity, &device->identity))
                return 0;
        return planner_notice_replaced(planner, &device->address, &entry->identity,
                                       &device->identity, device->facts.holders[0] != NULL, false);
}

int planner_recall_late(struct planner *planner, const struct memory *earlier) {
        const struct device *device;
        int r = 0;

        TOPOLOGY_FOREACH_DEVICE (device, planner->topology)
                if (r >= 0)
                        r = recall_device(planner, earlier, device);
        return r < 0 ? r : memory_add(planner->memory, earlier);
}

static int seen(struct planner *planner, const struct device *device, uint64_t now) {
        int r = remember(planner, device);

        admission_release(planner, &device->address);
        if (r >= 0)
                r = watch_seen(planner, &device->address.target, now);
        return r < 0 ? r : planner_notice_capacity(planner, &device->address);
}

int planner_apply(struct planner *planner, struct fact *fact) {
        struct scsi_address address = fact->address;
        enum fact_kind kind = fact->kind;
        uint64_t now = fact->now;
        const struct device *device = topology_device(planner->topology, &address);
        _cleanup_(freep) char *gone = NULL;
        int r;

        if (kind == FACT_DEVICE_GONE && device)
                gone = memory_nexus(device);
        r = topology_apply(planner->topology, fact, planner->changes);
        if (gone)
                memory_forget(planner->memory, gone);
        if (kind == FACT_HOST)
                judge_forget(planner); /* its ports may bear other names */
        if (kind == FACT_DEVICE || kind == FACT_DEVICE_GONE)
                judge_forget_device(planner, &address);
        if (r == -E2BIG) {
                /* It is there, and there is no room to say so. */
                planner_count(planner, COUNTER_DEVICES_DROPPED);
                return 0;
        }
        device = topology_device(planner->topology, &address);
        if (r >= 0 && device && (device->standing >= STANDING_MISSING || device->due))
                r = watch_guard(planner, &address.target);
        return r < 0 || kind != FACT_DEVICE || !device ? r : seen(planner, device, now);
}
