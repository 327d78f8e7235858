/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/topology_state.h"

static struct object_id unit_id(const struct unit *unit) {
        return (struct object_id){.kind = OBJECT_UNIT, .identity = unit->identity};
}

const struct device *unit_speaker(const struct unit *unit) {
        const struct device *device, *silent = NULL;

        TAILQ_FOREACH (device, &unit->devices, unit_entry) {
                if (device->facts.size == 0)
                        continue;
                if (device->standing == STANDING_PRESENT)
                        return device;
                silent = silent ?: device;
        }
        return silent ?: TAILQ_FIRST(&unit->devices);
}

static unsigned designators_hash(const struct scsi_identity *identity) {
        unsigned hash = 0;

        for (size_t i = 0; i < identity->count; i++) {
                unsigned value;

                HASH_JEN(identity->designators[i], strlen(identity->designators[i]), value);
                hash = hash * 31 + value;
        }
        return hash;
}

struct unit_words unit_listen(const struct unit *unit) {
        const struct device *device = unit_speaker(unit);
        struct unit_words words = {.known = true};

        words.type = device->facts.type;
        memcpy(words.vendor, device->facts.vendor, sizeof(words.vendor));
        memcpy(words.model, device->facts.model, sizeof(words.model));
        memcpy(words.revision, device->facts.revision, sizeof(words.revision));
        memcpy(words.serial, device->serial, sizeof(words.serial));
        words.size = device->facts.size;
        words.block_size = device->facts.block_size;
        words.designators = designators_hash(&device->identity);
        return words;
}

static uint32_t unit_words_differ(const struct unit_words *a, const struct unit_words *b) {
        uint32_t mask = 0;

        mask |= a->type != b->type ? UNIT_PROPERTY_TYPE : 0;
        mask |= strcmp(a->vendor, b->vendor) != 0 ? UNIT_PROPERTY_VENDOR : 0;
        mask |= strcmp(a->model, b->model) != 0 ? UNIT_PROPERTY_MODEL : 0;
        mask |= strcmp(a->revision, b->revision) != 0 ? UNIT_PROPERTY_REVISION : 0;
        mask |= strcmp(a->serial, b->serial) != 0 ? UNIT_PROPERTY_SERIAL : 0;
        mask |= a->size != b->size ? UNIT_PROPERTY_SIZE : 0;
        mask |= a->block_size != b->block_size ? UNIT_PROPERTY_BLOCK_SIZE : 0;
        mask |= a->designators != b->designators ? UNIT_PROPERTY_DESIGNATORS : 0;
        return mask;
}

int unit_changed(const struct unit *unit, const struct unit_words *before, uint32_t mask,
                 struct change_set *changes) {
        struct unit_words after = unit_listen(unit);
        struct object_id id = unit_id(unit);

        return change_set_changed(changes, &id, mask | unit_words_differ(before, &after));
}

int unit_leave(struct topology *topology, struct device *device, struct change_set *changes) {
        struct unit *unit = device->unit;
        struct unit_words before;
        int r;

        if (!unit)
                return 0;
        before = unit_listen(unit);
        TAILQ_REMOVE(&unit->devices, device, unit_entry);
        device->unit = NULL;
        if (!TAILQ_EMPTY(&unit->devices))
                return unit_changed(unit, &before, UNIT_PROPERTY_DEVICES, changes);

        struct object_id id = unit_id(unit);
        r = change_set_removed(changes, &id, NULL, NULL);
        HASH_DEL(topology->by_identity, unit);
        TAILQ_REMOVE(&topology->units, unit, entry);
        free(unit->identity);
        free(unit);
        return r;
}

static struct unit *unit_new(struct topology *topology, const char *identity) {
        struct unit *unit = calloc(1, sizeof(*unit));

        if (!unit)
                return NULL;
        unit->identity = strdup(identity);
        if (!unit->identity) {
                free(unit);
                return NULL;
        }
        TAILQ_INIT(&unit->devices);
        TAILQ_INSERT_TAIL(&topology->units, unit, entry);
        HASH_ADD_KEYPTR(hh, topology->by_identity, unit->identity, strlen(unit->identity), unit);
        return unit;
}

int unit_join(struct topology *topology, struct device *device, struct change_set *changes) {
        const char *identity = device->identity.name;
        struct unit *unit;

        if (!identity || !*identity || device->standing == STANDING_REPLACED)
                return 0;
        unit = topology_unit(topology, identity);
        if (unit) {
                struct unit_words before = unit_listen(unit);

                TAILQ_INSERT_TAIL(&unit->devices, device, unit_entry);
                device->unit = unit;
                return unit_changed(unit, &before, UNIT_PROPERTY_DEVICES, changes);
        }
        unit = unit_new(topology, identity);
        if (!unit)
                return -ENOMEM;
        TAILQ_INSERT_TAIL(&unit->devices, device, unit_entry);
        device->unit = unit;

        struct object_id id = unit_id(unit);
        return change_set_added(changes, &id);
}
