/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/ids.h"
#include "scan/scope.h"

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

struct kind_search {
        struct id_list *list;
        enum object_kind kind;
};

static int add_of_kind(const struct object_id *id, void *userdata) {
        const struct kind_search *search = userdata;

        return id->kind == search->kind ? id_list_add(id, search->list) : 0;
}

int id_list_add_kind(struct id_list *list, const struct topology *topology, enum object_kind kind) {
        const struct scope everything = {.kind = SCOPE_ALL};
        struct kind_search search = {.list = list, .kind = kind};

        return scope_find(&everything, topology, add_of_kind, &search);
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
