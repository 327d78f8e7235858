/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/inhibit.h"
#include "scan/work.h"

static void inhibition_free(struct inhibition *inhibition) {
        scope_done(&inhibition->scope);
        free(inhibition->devices);
        free(inhibition);
}

static struct inhibition *find(const struct planner *planner, uint64_t id) {
        struct inhibition *inhibition;

        TAILQ_FOREACH (inhibition, &planner->inhibitions, entry)
                if (inhibition->id == id)
                        return inhibition;
        return NULL;
}

/* ---- what a scope covers ---- */

static bool same_target(const struct scsi_target_address *a, const struct scsi_target_address *b) {
        return scsi_target_address_compare(a, b) == 0;
}

static bool has_device(const struct inhibition *inhibition,
                       const struct scsi_target_address *target, const uint64_t *lun) {
        for (size_t i = 0; i < inhibition->device_count; i++)
                if (same_target(&inhibition->devices[i].target, target) &&
                    (!lun || inhibition->devices[i].lun == *lun))
                        return true;
        return false;
}

static bool has_port_name(const struct planner *planner, const struct scsi_target_address *address,
                          const char *name) {
        const struct target *target = topology_target(planner->topology, address);

        return target && strcmp(target->port_name, name) == 0;
}

/* lun NULL: any of the target. */
static bool covers(const struct planner *planner, const struct inhibition *inhibition,
                   const struct scsi_target_address *target, const uint64_t *lun) {
        const struct scope *scope = &inhibition->scope;

        switch (scope->kind) {
        case SCOPE_ALL:
                return true;
        case SCOPE_HOST:
                return scope->address.target.host == target->host;
        case SCOPE_TARGET:
                return same_target(&scope->address.target, target);
        case SCOPE_DEVICE:
                return same_target(&scope->address.target, target) &&
                       (!lun || *lun == scope->address.lun);
        case SCOPE_NAME:
                return inhibition->devices ? has_device(inhibition, target, lun)
                                           : has_port_name(planner, target, scope->name);
        case SCOPE_NODE:
                return has_device(inhibition, target, lun);
        }
        return true;
}

static bool is_covered(const struct planner *planner, const struct scsi_target_address *target,
                       const uint64_t *lun) {
        const struct inhibition *inhibition;

        TAILQ_FOREACH (inhibition, &planner->inhibitions, entry)
                if (covers(planner, inhibition, target, lun))
                        return true;
        return false;
}

bool planner_is_inhibited(const struct planner *planner, const struct scsi_target_address *target,
                          uint64_t lun) {
        return is_covered(planner, target, &lun);
}

bool planner_is_inhibited_in_part(const struct planner *planner,
                                  const struct scsi_target_address *target) {
        return is_covered(planner, target, NULL);
}

/* ---- a lease begins ---- */

static int add_device(const struct object_id *id, void *userdata) {
        struct inhibition *inhibition = userdata;
        struct scsi_address *devices;

        if (id->kind != OBJECT_DEVICE)
                return 0;
        devices = reallocarray(inhibition->devices, inhibition->device_count + 1,
                               sizeof(*inhibition->devices));
        if (!devices)
                return -ENOMEM;
        devices[inhibition->device_count++] = id->address;
        inhibition->devices = devices;
        return 0;
}

static int inhibition_new(const struct planner *planner, const struct scope *scope, uint64_t id,
                          struct inhibition **ret) {
        struct inhibition *inhibition;
        int r;

        if (find(planner, id))
                return -EEXIST;
        inhibition = calloc(1, sizeof(*inhibition));
        if (!inhibition)
                return -ENOMEM;
        inhibition->id = id;
        r = scope_copy(scope, &inhibition->scope);
        if (r < 0)
                inhibition_free(inhibition);
        else
                *ret = inhibition;
        return r;
}

int planner_inhibit(struct planner *planner, const struct scope *scope, uint64_t id) {
        struct inhibition *inhibition;
        int r = scope_exists(scope, planner->topology);

        if (r >= 0)
                r = inhibition_new(planner, scope, id, &inhibition);
        if (r < 0)
                return r;
        if (scope->kind == SCOPE_NAME || scope->kind == SCOPE_NODE)
                r = scope_find(scope, planner->topology, add_device, inhibition);
        if (r < 0) {
                inhibition_free(inhibition);
                return r;
        }
        TAILQ_INSERT_TAIL(&planner->inhibitions, inhibition, entry);
        return 0;
}

int planner_inhibit_again(struct planner *planner, const struct scope *scope,
                          const struct scsi_address *devices, size_t count, uint64_t id) {
        struct inhibition *inhibition;
        int r = inhibition_new(planner, scope, id, &inhibition);

        for (size_t i = 0; i < count && r >= 0; i++) {
                const struct object_id device = {.kind = OBJECT_DEVICE, .address = devices[i]};

                r = add_device(&device, inhibition);
                if (r < 0)
                        inhibition_free(inhibition);
        }
        if (r >= 0)
                TAILQ_INSERT_TAIL(&planner->inhibitions, inhibition, entry);
        return r;
}

const struct inhibition *planner_inhibition(const struct planner *planner, uint64_t id) {
        return find(planner, id);
}

/* ---- and ends ---- */

static bool is_host_covered(const struct planner *planner, uint32_t host) {
        const struct inhibition *inhibition;

        TAILQ_FOREACH (inhibition, &planner->inhibitions, entry)
                if (inhibition->scope.kind == SCOPE_ALL ||
                    (inhibition->scope.kind == SCOPE_HOST &&
                     inhibition->scope.address.target.host == host))
                        return true;
        return false;
}

/* Also what has no target in the topology: it may have come while it was held back. */
static int ask_hosts(struct planner *planner, const struct scope *scope, struct scan_time now) {
        const struct host *host;
        int r = 0;

        TAILQ_FOREACH (host, topology_hosts(planner->topology), entry) {
                if (scope->kind == SCOPE_HOST && scope->address.target.host != host->number)
                        continue;
                if (r >= 0 && !is_host_covered(planner, host->number))
                        r = planner_scan_host(planner, host->number, CAUSE_RESYNC, now);
        }
        return r;
}

/* One LUN of it that is still held back by another lease is left out by whoever attaches. */
static int ask_target(struct planner *planner, const struct scsi_target_address *target,
                      struct scan_time now) {
        if (!topology_host(planner->topology, target->host) ||
            is_host_covered(planner, target->host))
                return 0;
        return planner_scan_target(planner, target, CAUSE_RESYNC, now);
}

struct asking {
        struct planner *planner;
        struct scan_time now;
};

static int ask_found(const struct object_id *id, void *userdata) {
        struct asking *asking = userdata;

        return id->kind == OBJECT_TARGET
                       ? ask_target(asking->planner, &id->address.target, asking->now)
                       : 0;
}

static int ask_devices(struct planner *planner, const struct inhibition *inhibition,
                       struct scan_time now) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < inhibition->device_count; i++) {
                const struct scsi_target_address *target = &inhibition->devices[i].target;

                if (i == 0 || !same_target(target, &inhibition->devices[i - 1].target))
                        r = ask_target(planner, target, now);
        }
        return r;
}

static int ask_again(struct planner *planner, const struct inhibition *inhibition,
                     struct scan_time now) {
        const struct scope *scope = &inhibition->scope;
        struct asking asking = {.planner = planner, .now = now};

        switch (scope->kind) {
        case SCOPE_ALL:
        case SCOPE_HOST:
                return ask_hosts(planner, scope, now);
        case SCOPE_TARGET:
        case SCOPE_DEVICE:
                return ask_target(planner, &scope->address.target, now);
        case SCOPE_NAME:
        case SCOPE_NODE:
                break;
        }
        return inhibition->devices ? ask_devices(planner, inhibition, now)
                                   : scope_find(scope, planner->topology, ask_found, &asking);
}

int planner_uninhibit(struct planner *planner, uint64_t id, struct scan_time now) {
        struct inhibition *inhibition = find(planner, id);
        int r;

        if (!inhibition)
                return -ENOENT;
        TAILQ_REMOVE(&planner->inhibitions, inhibition, entry);
        r = ask_again(planner, inhibition, now);
        inhibition_free(inhibition);
        return r;
}

void planner_inhibit_free(struct planner *planner) {
        struct inhibition *inhibition;

        while ((inhibition = TAILQ_FIRST(&planner->inhibitions))) {
                TAILQ_REMOVE(&planner->inhibitions, inhibition, entry);
                inhibition_free(inhibition);
        }
}
