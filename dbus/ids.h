/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Lists of object ids. The identities in them are the topology's: a list does not outlive the next
 * change.
 */

#include <stddef.h>

#include "scan/change_set.h"
#include "scan/topology.h"

struct id_list {
        struct object_id *ids;
        size_t count, room;
};

/* 0, -ENOMEM. `list` is a struct id_list: it fits scope_find(). */
int id_list_add(const struct object_id *id, void *list);
/* Every object of that kind. 0, -ENOMEM; what was added before an error stays. */
int id_list_add_kind(struct id_list *list, const struct topology *topology, enum object_kind kind);
void id_list_done(struct id_list *list);

/* The order of the contract, for qsort() too: by kind, then by address as numbers, or by identity.
 * In which order things were discovered is nobody's concern. */
int id_compare(const void *left, const void *right);

static inline struct object_id host_id(const struct host *host) {
        return (struct object_id){.kind = OBJECT_HOST, .address.target.host = host->number};
}

static inline struct object_id target_id(const struct target *target) {
        return (struct object_id){.kind = OBJECT_TARGET, .address.target = target->address};
}

static inline struct object_id device_id(const struct device *device) {
        return (struct object_id){.kind = OBJECT_DEVICE, .address = device->address};
}

static inline struct object_id unit_id(const struct unit *unit) {
        return (struct object_id){.kind = OBJECT_UNIT, .identity = unit->identity};
}
