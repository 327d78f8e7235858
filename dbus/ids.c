/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/ids.h"

int id_list_add(const struct object_id *id, void *userdata) {
        struct id_list *list = userdata;

        if (list->count == list->room) {
                size_t room = list->room ? 2 * list->room : 8;
                struct object_id *ids = reallocarray(list->ids, room, sizeof(*ids));

                if (!ids)
                        return -ENOMEM;
                list->ids = ids;
                list->room = room;
        }
        list->ids[list->count++] = *id;
        return 0;
}

static int add_devices(struct id_list *list, const struct target *target) {
        const struct device *device;
        int r = 0;

        TAILQ_FOREACH (device, &target->devices, entry) {
                struct object_id id = device_id(device);

                if (r >= 0)
                        r = id_list_add(&id, list);
        }
        return r;
}

static int add_targets(struct id_list *list, const struct host *host, enum object_kind kind) {
        const struct target *target;
        int r = 0;

        TAILQ_FOREACH (target, &host->targets, entry) {
                struct object_id id = target_id(target);

                if (r >= 0)
                        r = kind == OBJECT_TARGET ? id_list_add(&id, list)
                                                  : add_devices(list, target);
        }
        return r;
}

static int add_hosts(struct id_list *list, const struct topology *topology, enum object_kind kind) {
        const struct host *host;
        int r = 0;

        TAILQ_FOREACH (host, topology_hosts(topology), entry) {
                struct object_id id = host_id(host);

                if (r >= 0)
                        r = kind == OBJECT_HOST ? id_list_add(&id, list)
                                                : add_targets(list, host, kind);
        }
        return r;
}

static int add_units(struct id_list *list, const struct topology *topology) {
        const struct unit *unit;
        int r = 0;

        TAILQ_FOREACH (unit, topology_units(topology), entry) {
                struct object_id id = unit_id(unit);

                if (r >= 0)
                        r = id_list_add(&id, list);
        }
        return r;
}

int id_list_add_kind(struct id_list *list, const struct topology *topology, enum object_kind kind) {
        return kind == OBJECT_UNIT ? add_units(list, topology) : add_hosts(list, topology, kind);
}

void id_list_done(struct id_list *list) {
        free(list->ids);
        *list = (struct id_list){};
}

int id_compare(const void *left, const void *right) {
        const struct object_id *a = left, *b = right;

        if (a->kind != b->kind)
                return a->kind < b->kind ? -1 : 1;
        return a->kind == OBJECT_UNIT ? strcmp(a->identity, b->identity)
                                      : scsi_address_compare(&a->address, &b->address);
}
