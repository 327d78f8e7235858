/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What changed in the topology since it was last published, by object: an object that came and went
 * in between is not in it, one that went and came again is both removed and added.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "scsi/address.h"
#include "util/cleanup.h"

enum object_kind {
        OBJECT_HOST,
        OBJECT_TARGET,
        OBJECT_DEVICE,
        OBJECT_UNIT,
        OBJECT_KINDS
};

/* Names an object across time. For hosts and targets the lower parts of the address are zero. */
struct object_id {
        enum object_kind kind;
        struct scsi_address address;
        const char *identity; /* of a unit, else NULL */
};

/* Which properties changed; each kind of object uses its own bits, 0 up. */
enum host_property {
        HOST_PROPERTY_DRIVER = 1 << 0,
        HOST_PROPERTY_TRANSPORT = 1 << 1,
        HOST_PROPERTY_PORT_NAME = 1 << 2,
        HOST_PROPERTY_STATE = 1 << 3,
        HOST_PROPERTY_DISCOVERY = 1 << 4,
        HOST_PROPERTY_STUCK = 1 << 5,
};

enum target_property {
        TARGET_PROPERTY_PORT_NAME = 1 << 0,
        TARGET_PROPERTY_PORT_STATE = 1 << 1,
        TARGET_PROPERTY_LUNS = 1 << 2,
        TARGET_PROPERTY_DEVICES = 1 << 3,
        TARGET_PROPERTY_LAST_ASKED = 1 << 4,
        TARGET_PROPERTY_TRANSPORT = 1 << 5,
};

enum device_property {
        DEVICE_PROPERTY_UNIT = 1 << 0,
        DEVICE_PROPERTY_TYPE = 1 << 1,
        DEVICE_PROPERTY_QUALIFIER = 1 << 2,
        DEVICE_PROPERTY_VENDOR = 1 << 3,
        DEVICE_PROPERTY_MODEL = 1 << 4,
        DEVICE_PROPERTY_REVISION = 1 << 5,
        DEVICE_PROPERTY_STATE = 1 << 6,
        DEVICE_PROPERTY_STANDING = 1 << 7,
        DEVICE_PROPERTY_BLOCK_DEVICE = 1 << 8,
        DEVICE_PROPERTY_GENERIC_DEVICE = 1 << 9,
        DEVICE_PROPERTY_IDENTITY = 1 << 10,
        DEVICE_PROPERTY_HOLDERS = 1 << 11, /* and InUse */
        DEVICE_PROPERTY_ACCESS_STATE = 1 << 12,
        DEVICE_PROPERTY_LAST_ATTENTION = 1 << 13,
};

enum unit_property {
        UNIT_PROPERTY_DESIGNATORS = 1 << 0,
        UNIT_PROPERTY_SERIAL = 1 << 1,
        UNIT_PROPERTY_TYPE = 1 << 2,
        UNIT_PROPERTY_VENDOR = 1 << 3,
        UNIT_PROPERTY_MODEL = 1 << 4,
        UNIT_PROPERTY_REVISION = 1 << 5,
        UNIT_PROPERTY_SIZE = 1 << 6,
        UNIT_PROPERTY_BLOCK_SIZE = 1 << 7,
        UNIT_PROPERTY_DEVICES = 1 << 8,
};

struct change {
        struct object_id id; /* identity is owned */
        bool removed; /* something published is gone; for a device, identity_was is what it was */
        bool added;   /* something is there that was not published */
        uint32_t properties; /* of what is neither removed nor added */
        const char *reason;  /* device that was removed: why, a word; static */
        char *identity_was;  /* device that was removed: its identity, "" without; owned */
        uint64_t generation; /* for whoever puts several batches together; else 0 */
        TAILQ_ENTRY(change) entry;
};

TAILQ_HEAD(change_list, change);

struct change_set;

struct change_set *change_set_new(void);
void change_set_free(struct change_set *set);
DEFINE_CLEANUP(struct change_set *, change_set_free)

bool change_set_is_empty(const struct change_set *set);
/* In the order things happened first; entries that came to nothing are not there. */
const struct change_list *change_set_entries(struct change_set *set);
/* That of the object, NULL when nothing came of it. */
struct change *change_set_find(struct change_set *set, const struct object_id *id);

int change_set_added(struct change_set *set, const struct object_id *id);
/* For a device: what its identity was, and why it went (static); else NULL. */
int change_set_removed(struct change_set *set, const struct object_id *id, const char *identity_was,
                       const char *reason);
int change_set_changed(struct change_set *set, const struct object_id *id, uint32_t properties);
