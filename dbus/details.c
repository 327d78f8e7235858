/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/details.h"
#include "dbus/names.h"
#include "dbus/paths.h"
#include "scsi/lun.h"

static struct detail *find(const struct details *details, const char *name) {
        for (size_t i = 0; i < details->count; i++)
                if (strcmp(details->list[i].name, name) == 0)
                        return (struct detail *)&details->list[i];
        return NULL;
}

int details_set(struct details *details, const char *name, const char *value) {
        struct detail *detail = find(details, name);
        char *copy = strdup(value);

        if (!copy)
                return -ENOMEM;
        if (!detail) {
                assert(details->count < DETAILS_MAX);
                detail = &details->list[details->count++];
                *detail = (struct detail){.name = name};
        }
        free(detail->value);
        detail->value = copy;
        return 0;
}

const char *details_find(const struct details *details, const char *name) {
        const struct detail *detail = find(details, name);

        return detail ? detail->value : NULL;
}

int details_append(const struct details *details, sd_bus_message *message) {
        int r = sd_bus_message_open_container(message, 'a', "{ss}");

        for (size_t i = 0; r >= 0 && i < details->count; i++)
                r = sd_bus_message_append(message, "{ss}", details->list[i].name,
                                          details->list[i].value);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

void details_done(struct details *details) {
        for (size_t i = 0; i < details->count; i++)
                free(details->list[i].value);
        *details = (struct details){};
}

/* ---- of a scope ---- */

/* What the scope names, as it comes to light. A unit stands for its devices. */
struct view {
        const struct topology *topology;
        unsigned counts[OBJECT_KINDS];
        char *path; /* of the first object: a unit comes before its devices */
        const struct target *target;
        const struct device *device;
        const struct unit *unit;
        char holders[DETAILS_HOLDERS_MAX];
        size_t length;
        bool full;
};

static void add_holder(struct view *view, const char *holder) {
        const char *between = view->length > 0 ? ", " : "";
        size_t needed = strlen(between) + strlen(holder) + sizeof(", ...");

        if (view->full)
                return;
        if (view->length + needed > sizeof(view->holders)) {
                view->full = true;
                holder = "...";
        }
        view->length += (size_t)sprintf(view->holders + view->length, "%s%s", between, holder);
}

static void note_device(struct view *view, const struct object_id *id) {
        const struct device *device = topology_device(view->topology, &id->address);

        view->device = device;
        for (char *const *holder = device ? device->facts.holders : NULL; holder && *holder;
             holder++)
                add_holder(view, *holder);
}

static int note(const struct object_id *id, void *userdata) {
        struct view *view = userdata;

        view->counts[id->kind]++;
        if (id->kind == OBJECT_DEVICE)
                note_device(view, id);
        else if (id->kind == OBJECT_TARGET)
                view->target = topology_target(view->topology, &id->address.target);
        else if (id->kind == OBJECT_UNIT)
                view->unit = topology_unit(view->topology, id->identity);
        return view->path ? 0 : path_format(id, &view->path);
}

static bool is_one(const struct view *view) {
        unsigned others = view->counts[OBJECT_HOST] + view->counts[OBJECT_TARGET];

        return view->counts[OBJECT_UNIT] > 0 ? view->counts[OBJECT_UNIT] + others == 1
                                             : view->counts[OBJECT_DEVICE] + others == 1;
}

static int add_device(struct details *details, const struct device *device) {
        char lun[SCSI_LUN_TEXT_MAX];
        int r = details_set(details, SCSISCAN_DETAIL_LUN,
                            scsi_lun_format(device->address.lun, lun));

        if (r >= 0 && device->identity.name)
                r = details_set(details, SCSISCAN_DETAIL_IDENTITY, device->identity.name);
        return r;
}

static int add_view(struct details *details, const struct view *view) {
        int r = 0;

        if (is_one(view)) {
                r = details_set(details, SCSISCAN_DETAIL_OBJECT, view->path);
                if (r >= 0 && view->unit)
                        r = details_set(details, SCSISCAN_DETAIL_IDENTITY, view->unit->identity);
                else if (r >= 0 && view->device)
                        r = add_device(details, view->device);
                if (r >= 0 && view->target && *view->target->port_name)
                        r = details_set(details, SCSISCAN_DETAIL_PORT, view->target->port_name);
        }
        if (r >= 0 && view->length > 0)
                r = details_set(details, SCSISCAN_DETAIL_HOLDERS, view->holders);
        return r;
}

int details_set_scope(struct details *details, const struct scope *scope, const char *text,
                      const struct topology *topology) {
        struct view view = {.topology = topology};
        int r = details_set(details, SCSISCAN_DETAIL_SCOPE, text);

        if (r < 0)
                return r;
        if (scope->kind == SCOPE_ALL)
                return details_set(details, SCSISCAN_DETAIL_OBJECT, SCSISCAN_PATH);
        r = scope_find(scope, topology, note, &view);
        if (r >= 0)
                r = add_view(details, &view);
        free(view.path);
        return r;
}
