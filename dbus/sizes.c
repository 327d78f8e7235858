/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <string.h>

#include "dbus/job_views.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/sizes.h"

/* What an object takes on the wire beside what is counted one by one below: its path, its
 * interface, the names of its properties, short values, padding. Measured, and rounded up. */
#define ROOT_BYTES 1024
#define HOST_BYTES 384
#define TARGET_BYTES 448
#define DEVICE_BYTES 816
#define UNIT_BYTES 384
#define JOB_BYTES 832
/* One entry of a list of devices, and of Luns. */
#define PATH_BYTES 56
#define LUN_BYTES 152

/* As it is, and in the path of a unit, where sd_bus_path_encode() makes three characters of one. */
static size_t identity_bytes(const char *identity) {
        size_t bytes = sizeof(SCSISCAN_PATH_UNIT);

        for (; *identity; identity++)
                bytes += isalnum((unsigned char)*identity) ? 2 : 4;
        return bytes;
}

static size_t strings_bytes(char *const *strings) {
        size_t bytes = 0;

        for (; strings && *strings; strings++)
                bytes += strlen(*strings) + 8;
        return bytes;
}

static size_t device_bytes(const struct device *device) {
        return DEVICE_BYTES + identity_bytes(device->identity.name ?: "") +
               strings_bytes(device->facts.holders);
}

static size_t host_bytes(const struct host *host) {
        return HOST_BYTES + strlen(host->facts.port_name);
}

static size_t target_bytes(const struct target *target) {
        return TARGET_BYTES + strlen(target->port_name) +
               LUN_BYTES * (target->lun_count + target->device_count) +
               PATH_BYTES * target->device_count;
}

static size_t unit_bytes(const struct unit *unit) {
        const struct device *device = unit_speaker(unit);
        size_t bytes = UNIT_BYTES + identity_bytes(unit->identity) + strlen(device->serial) +
                       strings_bytes(device->identity.designators);

        TAILQ_FOREACH (device, &unit->devices, unit_entry)
                bytes += PATH_BYTES;
        return bytes;
}

static size_t job_bytes(const struct job *job, const struct job_views *jobs) {
        const struct job_view *view = job_views_find(jobs, job->id);
        size_t bytes = JOB_BYTES + strlen(job->scope_text);

        for (size_t i = 0; view && i < view->objects.count; i++)
                bytes += strlen(view->objects.paths[i]) + 8;
        return bytes;
}

size_t size_of_object(const struct topology *topology, const struct object_id *id) {
        const void *object = object_get(topology, id);

        if (!object)
                return 0;
        switch (id->kind) {
        case OBJECT_HOST:
                return host_bytes(object);
        case OBJECT_TARGET:
                return target_bytes(object);
        case OBJECT_DEVICE:
                return device_bytes(object);
        case OBJECT_UNIT:
                return unit_bytes(object);
        case OBJECT_KINDS:
                break;
        }
        return 0;
}

static size_t host_tree_bytes(const struct host *host) {
        const struct target *target;
        const struct device *device;
        size_t bytes = host_bytes(host);

        TAILQ_FOREACH (target, &host->targets, entry) {
                bytes += target_bytes(target);
                TAILQ_FOREACH (device, &target->devices, entry)
                        bytes += device_bytes(device);
        }
        return bytes;
}

size_t size_of_all(const struct engine *engine, const struct job_views *jobs) {
        const struct topology *topology = engine_topology(engine);
        const struct host *host;
        const struct unit *unit;
        const struct job *job;
        size_t bytes = ROOT_BYTES;

        TAILQ_FOREACH (host, topology_hosts(topology), entry)
                bytes += host_tree_bytes(host);
        TAILQ_FOREACH (unit, topology_units(topology), entry)
                bytes += unit_bytes(unit);
        TAILQ_FOREACH (job, engine_jobs(engine), entry)
                bytes += job_bytes(job, jobs);
        return bytes;
}
