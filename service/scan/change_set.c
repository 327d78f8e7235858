/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "scan/change_set.h"

/* The hash key: fixed bytes, so padding is cleared; a unit's identity is compared by its own table.
 */
struct change_key {
        uint32_t kind;
        uint32_t host, channel, target;
        uint64_t lun;
};

struct change_node {
        struct change change; /* first: a change is its node */
        struct change_key key;
        UT_hash_handle hh;
};

struct change_set {
        struct change_list entries;
        struct change_node *objects; /* hosts, targets, devices by key */
        struct change_node *units;   /* by identity */
};

struct change_set *change_set_new(void) {
        struct change_set *set = calloc(1, sizeof(*set));

        if (set)
                TAILQ_INIT(&set->entries);
        return set;
}

static void node_free(struct change_node *node) {
        free((char *)node->change.id.identity);
        free(node->change.identity_was);
        free(node);
}

void change_set_free(struct change_set *set) {
        struct change *change;

        if (!set)
                return;
        HASH_CLEAR(hh, set->objects);
        HASH_CLEAR(hh, set->units);
        while ((change = TAILQ_FIRST(&set->entries))) {
                TAILQ_REMOVE(&set->entries, change, entry);
                node_free((struct change_node *)change);
        }
        free(set);
}

static struct change_key key_of(const struct object_id *id) {
        struct change_key key;

        memset(&key, 0, sizeof(key));
        key.kind = id->kind;
        key.host = id->address.target.host;
        if (id->kind >= OBJECT_TARGET) {
                key.channel = id->address.target.channel;
                key.target = id->address.target.target;
        }
        if (id->kind == OBJECT_DEVICE)
                key.lun = id->address.lun;
        return key;
}

static struct change_node *node_find(struct change_set *set, const struct object_id *id) {
        struct change_node *node;

        if (id->kind == OBJECT_UNIT) {
                HASH_FIND_STR(set->units, id->identity, node);
        } else {
                struct change_key key = key_of(id);

                HASH_FIND(hh, set->objects, &key, sizeof(key), node);
        }
        return node;
}

static struct change_node *node_new(struct change_set *set, const struct object_id *id) {
        struct change_node *node = calloc(1, sizeof(*node));

        if (!node)
                return NULL;
        node->change.id = *id;
        node->key = key_of(id);
        if (id->kind == OBJECT_UNIT) {
                char *identity = strdup(id->identity);

                node->change.id.identity = identity;
                if (!identity) {
                        free(node);
                        return NULL;
                }
                HASH_ADD_KEYPTR(hh, set->units, identity, strlen(identity), node);
        } else {
                node->change.id.identity = NULL;
                HASH_ADD(hh, set->objects, key, sizeof(node->key), node);
        }
        TAILQ_INSERT_TAIL(&set->entries, &node->change, entry);
        return node;
}

static struct change_node *node_get(struct change_set *set, const struct object_id *id) {
        struct change_node *node = node_find(set, id);

        return node ?: node_new(set, id);
}

static void node_drop(struct change_set *set, struct change_node *node) {
        if (node->change.id.kind == OBJECT_UNIT)
                HASH_DEL(set->units, node);
        else
                HASH_DEL(set->objects, node);
        TAILQ_REMOVE(&set->entries, &node->change, entry);
        node_free(node);
}

bool change_set_is_empty(const struct change_set *set) {
        return TAILQ_EMPTY(&set->entries);
}

const struct change_list *change_set_entries(struct change_set *set) {
        return &set->entries;
}

struct change *change_set_find(struct change_set *set, const struct object_id *id) {
        struct change_node *node = node_find(set, id);

        return node ? &node->change : NULL;
}

int change_set_added(struct change_set *set, const struct object_id *id) {
        struct change_node *node = node_get(set, id);

        if (!node)
                return -ENOMEM;
        assert(!node->change.added);
        node->change.added = true;
        node->change.properties = 0;
        return 0;
}

int change_set_removed(struct change_set *set, const struct object_id *id, const char *identity_was,
                       const char *reason) {
        struct change_node *node = node_get(set, id);

        if (!node)
                return -ENOMEM;
        if (node->change.added) {
                /* Nobody was told of it: what nobody saw come, nobody sees go. */
                node->change.added = false;
                if (!node->change.removed)
                        node_drop(set, node);
                return 0;
        }
        if (identity_was) {
                node->change.identity_was = strdup(identity_was);
                if (!node->change.identity_was)
                        return -ENOMEM;
        }
        node->change.reason = reason;
        node->change.removed = true;
        node->change.properties = 0;
        return 0;
}

int change_set_changed(struct change_set *set, const struct object_id *id, uint32_t properties) {
        struct change_node *node;

        if (properties == 0)
                return 0;
        node = node_get(set, id);
        if (!node)
                return -ENOMEM;
        if (!node->change.added)
                node->change.properties |= properties;
        return 0;
}
