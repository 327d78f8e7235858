/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "dbus/append.h"
#include "dbus/emit.h"
#include "dbus/names.h"
#include "dbus/paths.h"
#include "dbus/publisher.h"
#include "dbus/server_private.h"

static const struct object_face *const faces[OBJECT_KINDS] = {
        [OBJECT_HOST] = &object_host,
        [OBJECT_TARGET] = &object_target,
        [OBJECT_DEVICE] = &object_device,
        [OBJECT_UNIT] = &object_unit,
};

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

typedef void (*publish_change)(struct server *server, const struct change_list *changes,
                               const struct change *change, const char *path);

static void publish_removed(struct server *server, const struct change_list *changes,
                            const struct change *change, const char *path) {
        if (!change->removed)
                return;
        if (change->id.kind == OBJECT_DEVICE)
                emit_detached(server, change, reason_of(changes, change), path);
        emit_removed(server, faces[change->id.kind], path);
}

static void publish_added(struct server *server, const struct change_list *changes,
                          const struct change *change, const char *path) {
        if (!change->added)
                return;
        emit_added(server, path);
        if (change->id.kind == OBJECT_DEVICE)
                emit_attached(server, change, path);
}

static void publish_changed(struct server *server, const struct change_list *changes,
                            const struct change *change, const char *path) {
        if (!change->removed && !change->added)
                emit_changed(server, faces[change->id.kind], path, change->properties);
}

/* ---- the batch ---- */

/* Of one kind, or of all (OBJECT_KINDS). */
static void publish_each(struct server *server, const struct change_list *changes,
                         enum object_kind kind, publish_change publish) {
        const struct change *change;

        TAILQ_FOREACH (change, changes, entry) {
                _cleanup_(freep) char *path = NULL;
                int r;

                if (!server->bus || (kind != OBJECT_KINDS && change->id.kind != kind))
                        continue;
                r = path_format(&change->id, &path);
                if (r < 0)
                        emit_fail(server, r);
                else
                        publish(server, changes, change, path);
        }
}

/* Whoever follows the signals never sees an object that names one it has not been told of, and as
 * few as can be that name one which is gone. */
static void publish_objects(struct server *server, const struct change_list *changes) {
        static const enum object_kind removal[] = {OBJECT_DEVICE, OBJECT_TARGET, OBJECT_UNIT,
                                                   OBJECT_HOST};
        static const enum object_kind addition[] = {OBJECT_HOST, OBJECT_UNIT, OBJECT_TARGET,
                                                    OBJECT_DEVICE};

        for (size_t i = 0; i < ELEMENTS_OF(removal); i++)
                publish_each(server, changes, removal[i], publish_removed);
        for (size_t i = 0; i < ELEMENTS_OF(addition); i++)
                publish_each(server, changes, addition[i], publish_added);
        publish_each(server, changes, OBJECT_KINDS, publish_changed);
}

static bool is_added(const struct change *change) {
        return change->added;
}

static bool is_removed(const struct change *change) {
        return change->removed;
}

static bool is_changed(const struct change *change) {
        return !change->added && !change->removed;
}

static int append_changes(sd_bus_message *message, const struct change_list *changes,
                          bool (*wanted)(const struct change *change)) {
        const struct change *change;
        int r = sd_bus_message_open_container(message, 'a', "o");

        TAILQ_FOREACH (change, changes, entry)
                if (r >= 0 && wanted(change))
                        r = append_path(message, &change->id);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static void publish_batch(struct server *server, const struct change_list *changes) {
        sd_bus_message *signal;
        int r;

        emit_root_changed(server, SCSISCAN_INTERFACE_TOPOLOGY, "Generation");
        signal = emit_begin(server, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY, "Changed");
        if (!signal)
                return;
        r = sd_bus_message_append_basic(signal, 't', &server->shown.generation);
        if (r >= 0)
                r = append_changes(signal, changes, is_added);
        if (r >= 0)
                r = append_changes(signal, changes, is_removed);
        if (r >= 0)
                r = append_changes(signal, changes, is_changed);
        emit_end(server, signal, r);
}

static void tell_changes(const struct server *server, const struct change_list *changes) {
        const struct server_handler *handler = &server->handler;
        const struct change *change;

        if (!handler->changed)
                return;
        TAILQ_FOREACH (change, changes, entry)
                handler->changed(change, handler->userdata);
}

bool publish_topology(struct server *server) {
        _cleanup_(change_set_freep) struct change_set *set =
                engine_take_changes(server->config.engine);

        if (!set || change_set_is_empty(set))
                return false;
        server->shown.generation++;
        tell_changes(server, change_set_entries(set));
        publish_objects(server, change_set_entries(set));
        publish_batch(server, change_set_entries(set));
        return true;
}

/* ---- the root object ---- */

void publish_root(struct server *server) {
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
        if (strcmp(shown->kernel_scan_mode, mode) != 0) {
                snprintf(shown->kernel_scan_mode, sizeof(shown->kernel_scan_mode), "%s", mode);
                emit_root_changed(server, SCSISCAN_INTERFACE_SCAN, "KernelScanMode");
        }
}
