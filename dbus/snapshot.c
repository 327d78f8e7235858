/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <string.h>

#include "dbus/names.h"
#include "dbus/publisher.h"
#include "dbus/server_private.h"
#include "dbus/snapshot.h"

/* What an object takes on the wire beside what is counted one by one below: its path, four
 * interfaces, the names of its properties, short values, padding. Measured, and rounded up. */
#define ROOT_BYTES 1024
#define HOST_BYTES 512
#define TARGET_BYTES 576
#define DEVICE_BYTES 960
#define UNIT_BYTES 512
#define JOB_BYTES 960
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

static size_t target_bytes(const struct target *target) {
        const struct device *device;
        size_t bytes = TARGET_BYTES + strlen(target->port_name) +
                       LUN_BYTES * (target->lun_count + target->device_count) +
                       PATH_BYTES * target->device_count;

        TAILQ_FOREACH (device, &target->devices, entry)
                bytes += device_bytes(device);
        return bytes;
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

size_t snapshot_bytes(const struct engine *engine, const struct job_views *jobs) {
        const struct topology *topology = engine_topology(engine);
        const struct host *host;
        const struct target *target;
        const struct unit *unit;
        const struct job *job;
        size_t bytes = ROOT_BYTES;

        TAILQ_FOREACH (host, topology_hosts(topology), entry) {
                bytes += HOST_BYTES + strlen(host->facts.port_name);
                TAILQ_FOREACH (target, &host->targets, entry)
                        bytes += target_bytes(target);
        }
        TAILQ_FOREACH (unit, topology_units(topology), entry)
                bytes += unit_bytes(unit);
        TAILQ_FOREACH (job, engine_jobs(engine), entry)
                bytes += job_bytes(job, jobs);
        return bytes;
}

/* Objects are served as they are. So what is not told yet is told first: whoever finds here an
 * object that goes before anybody was told that it came would never hear of it again. */
int snapshot_filter(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct server *server = userdata;

        if (!sd_bus_message_is_method_call(message, "org.freedesktop.DBus.ObjectManager",
                                           "GetManagedObjects"))
                return 0;
        publish_all(server);
        if (snapshot_bytes(server->config.engine, server->jobs) <= SNAPSHOT_BYTES_MAX)
                return 0;
        return sd_bus_error_set(error, SCSISCAN_ERROR_LIMITS_EXCEEDED,
                                "There are more objects than one reply can hold");
}
