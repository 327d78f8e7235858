/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "dbus/append.h"
#include "dbus/change_order.h"
#include "dbus/emit.h"
#include "dbus/history.h"
#include "dbus/ids.h"
#include "dbus/names.h"
#include "dbus/paths.h"
#include "dbus/publisher.h"
#include "dbus/server_private.h"
#include "util/log.h"

/* ---- signals of a device ---- */

static bool host_is_removed(const struct change_list *changes, uint32_t number) {
        const struct change *change;

        TAILQ_FOREACH (change, changes, entry)
                if (change->removed && change->id.kind == OBJECT_HOST &&
                    change->id.address.target.host == number)
                        return true;
        return false;
}

/* What goes with its host went because of it, whatever else would have been the reason. */
static const char *reason_of(const struct change_list *changes, const struct change *change) {
        if (host_is_removed(changes, change->id.address.target.host))
                return "host-removed";
        return change->reason ?: "removed";
}

static void emit_detached(struct server *server, const struct change *change, const char *reason,
                          const char *path) {
        sd_bus_message *signal =
                emit_begin(server, SCSISCAN_PATH, SCSISCAN_INTERFACE_HOTPLUG, "Detached");
        char address[SCSI_ADDRESS_TEXT_MAX];

        if (!signal)
                return;
        emit_end(server, signal,
                 sd_bus_message_append(signal, "osss", path,
                                       scsi_address_format(&change->id.address, address),
                                       change->identity_was ?: "", reason));
}

static void emit_attached(struct server *server, const struct change *change, const char *path) {
        const struct device *device =
                topology_device(engine_topology(server->config.engine), &change->id.address);
        sd_bus_message *signal =
                emit_begin(server, SCSISCAN_PATH, SCSISCAN_INTERFACE_HOTPLUG, "Attached");
        char address[SCSI_ADDRESS_TEXT_MAX];

        if (!signal)
                return;
        emit_end(server, signal,
                 sd_bus_message_append(
                         signal, "oss", path, scsi_address_format(&change->id.address, address),
                         device && device->identity.name ? device->identity.name : ""));
}

/* ---- one change ---- */

typedef void (*publish_signals)(struct server *server, const struct change_list *changes,
                                const struct change *change, const char *path);

static void *object_of(const struct server *server, const struct change *change) {
        return object_get(engine_topology(server->config.engine), &change->id);
}

static void publish_removed(struct server *server, const struct change_list *changes,
                            const struct change *change, const char *path) {
        if (change->id.kind == OBJECT_DEVICE)
                emit_detached(server, change, reason_of(changes, change), path);
        emit_removed(server, object_face(change->id.kind), path);
}

static void publish_added(struct server *server, const struct change_list *changes,
                          const struct change *change, const char *path) {
        emit_added(server, object_face(change->id.kind), path, object_of(server, change));
        if (change->id.kind == OBJECT_DEVICE)
                emit_attached(server, change, path);
}

static void publish_changed(struct server *server, const struct change_list *changes,
                            const struct change *change, const char *path) {
        emit_changed(server, object_face(change->id.kind), path, object_of(server, change),
                     change->properties);
}

/* ---- all of them ---- */

typedef void (*visit_change)(struct server *server, const struct publication *publication,
                             const struct change *change);

/* False when the time is over: publication->next is who comes next. */
static bool visit_all(struct server *server, struct publication *publication, visit_change visit,
                      uint64_t until) {
        while (publication->next) {
                if (slice_is_over(until))
                        return false;
                visit(server, publication, publication->next);
                publication->next = TAILQ_NEXT(publication->next, entry);
        }
        publication->next = TAILQ_FIRST(change_set_entries(publication->changes));
        return true;
}

static void log_change(struct server *server, const struct publication *publication,
                       const struct change *change) {
        if (server->handler.changed)
                server->handler.changed(change, server->handler.userdata);
}

bool publish_log(struct server *server, struct publication *publication, uint64_t until) {
        return !publication->changes || visit_all(server, publication, log_change, until);
}

static void publish_change(struct server *server, const struct publication *publication,
                           const struct change *change) {
        static const publish_signals publishers[] = {
                [CHANGE_REMOVED] = publish_removed,
                [CHANGE_ADDED] = publish_added,
                [CHANGE_CHANGED] = publish_changed,
        };
        const struct change_part *part = &change_order[publication->part];
        _cleanup_(freep) char *path = NULL;
        int r;

        if (!change_is_in(change, part))
                return;
        r = path_format(&change->id, &path);
        if (r < 0)
                emit_fail(server, r);
        else
                publishers[part->word](server, change_set_entries(publication->changes), change,
                                       path);
}

bool publish_objects(struct server *server, struct publication *publication, uint64_t until) {
        for (; publication->changes && publication->part < CHANGE_PARTS; publication->part++)
                if (!visit_all(server, publication, publish_change, until))
                        return false;
        return true;
}

static int append_changes(sd_bus_message *message, const struct change_list *changes,
                          enum change_word word) {
        const struct change *change;
        int r = sd_bus_message_open_container(message, 'a', "o");

        TAILQ_FOREACH (change, changes, entry)
                if (r >= 0 && change_is(change, word))
                        r = append_path(message, &change->id);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static void emit_batch(struct server *server, const struct change_list *changes) {
        sd_bus_message *signal;
        int r;

        emit_root_changed(server, SCSISCAN_INTERFACE_TOPOLOGY, "Generation");
        signal = emit_begin(server, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY, "Changed");
        if (!signal)
                return;
        r = sd_bus_message_append_basic(signal, 't', &server->shown.generation);
        if (r >= 0)
                r = append_changes(signal, changes, CHANGE_ADDED);
        if (r >= 0)
                r = append_changes(signal, changes, CHANGE_REMOVED);
        if (r >= 0)
                r = append_changes(signal, changes, CHANGE_CHANGED);
        emit_end(server, signal, r);
}

bool publish_batch(struct server *server, struct publication *publication, uint64_t until) {
        const struct change_list *changes;

        if (!publication->changes)
                return true;
        changes = change_set_entries(publication->changes);
        server->shown.generation++;
        emit_batch(server, changes);
        if (history_add(server->history, server->shown.generation, changes) < 0)
                log_warning("Out of memory: the history of changes starts over");
        return true;
}

/* ---- the root object ---- */

bool publish_root(struct server *server, struct publication *publication, uint64_t until) {
        const struct engine *engine = server->config.engine;
        const char *mode = engine_kernel_scan_mode(engine);
        struct root_view *shown = &server->shown;

        if (shown->ready != engine_is_ready(engine)) {
                shown->ready = !shown->ready;
                emit_root_changed(server, SCSISCAN_INTERFACE_TOPOLOGY, "Ready");
        }
        if (shown->busy != engine_is_busy(engine)) {
                shown->busy = !shown->busy;
                emit_root_changed(server, SCSISCAN_INTERFACE_SCAN, "Busy");
        }
        if (shown->leases != leases_serial(server->leases)) {
                shown->leases = leases_serial(server->leases);
                emit_root_changed(server, SCSISCAN_INTERFACE_HOTPLUG, "Leases");
        }
        if (shown->mode != server->mode_serial) {
                shown->mode = server->mode_serial;
                emit_root_changed(server, SCSISCAN_INTERFACE_SCAN, "Mode");
                emit_root_changed(server, SCSISCAN_INTERFACE_SCAN, "ModeReason");
        }
        if (strcmp(shown->kernel_scan_mode, mode) != 0) {
                snprintf(shown->kernel_scan_mode, sizeof(shown->kernel_scan_mode), "%s", mode);
                emit_root_changed(server, SCSISCAN_INTERFACE_SCAN, "KernelScanMode");
        }
        return true;
}
