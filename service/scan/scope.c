/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/scope.h"
#include "scsi/lun.h"

static bool is_printable(const char *text) {
        for (; *text; text++)
                if (*text < 0x20 || *text > 0x7e)
                        return false;
        return true;
}

static int scope_named(enum scope_kind kind, const char *name, struct scope *ret) {
        char *copy = strdup(name);

        if (!copy)
                return -ENOMEM;
        *ret = (struct scope){.kind = kind, .name = copy};
        return 0;
}

/* "3:0:1:" and a LUN in either spelling. */
static int parse_device(const char *text, struct scope *ret, const char **reason) {
        const char *colon = strrchr(text, ':');
        char target[SCSI_ADDRESS_TEXT_MAX];
        size_t length = (size_t)(colon - text);
        struct scope scope = {.kind = SCOPE_DEVICE};

        if (length >= sizeof(target))
                return -EINVAL;
        memcpy(target, text, length);
        target[length] = 0;
        if (scsi_target_address_parse(target, &scope.address.target) < 0)
                return -EINVAL;
        if (scsi_lun_parse(colon + 1, &scope.address.lun, reason) < 0)
                return -EINVAL;
        *ret = scope;
        return 0;
}

/* Digits and colons alone can be nothing but an address: then a bad one is an error, not a name. */
static bool looks_like_address(const char *text) {
        size_t digits = strspn(text, "0123456789");

        return digits > 0 && text[digits] == ':' &&
               strspn(text, "0123456789:-xXabcdefABCDEF") == strlen(text);
}

static unsigned count_colons(const char *text) {
        unsigned colons = 0;

        for (; *text; text++)
                colons += *text == ':';
        return colons;
}

static int parse_address(const char *text, struct scope *ret, const char **reason) {
        struct scope scope = {.kind = SCOPE_TARGET};
        unsigned colons = count_colons(text);

        *reason = "not host:channel:target or host:channel:target:LUN";
        if (colons == 3)
                return parse_device(text, ret, reason);
        if (colons != 2 || scsi_target_address_parse(text, &scope.address.target) < 0)
                return -EINVAL;
        *ret = scope;
        return 0;
}

int scope_parse(const char *text, struct scope *ret, const char **reason) {
        const char *unused;
        uint32_t number;

        reason = reason ?: &unused;
        *reason = "not a scope";
        if (!*text) {
                *ret = (struct scope){.kind = SCOPE_ALL};
                return 0;
        }
        if (strlen(text) >= SCOPE_NAME_MAX) {
                *reason = "longer than any name can be";
                return -EINVAL;
        }
        if (!is_printable(text)) {
                *reason = "holds characters that are not printable ASCII";
                return -EINVAL;
        }
        if (scsi_host_parse(text, &number) == 0) {
                *ret = (struct scope){.kind = SCOPE_HOST, .address.target.host = number};
                return 0;
        }
        if (looks_like_address(text))
                return parse_address(text, ret, reason);
        return scope_named(SCOPE_NAME, text, ret);
}

int scope_node(const char *node, struct scope *ret) {
        return scope_named(SCOPE_NODE, node, ret);
}

int scope_copy(const struct scope *from, struct scope *ret) {
        if (from->name)
                return scope_named(from->kind, from->name, ret);
        *ret = *from;
        return 0;
}

void scope_done(struct scope *scope) {
        free(scope->name);
        scope->name = NULL;
}

/* ---- finding what a scope names ---- */

typedef int (*found_t)(const struct object_id *id, void *userdata);

static int found_host(const struct host *host, found_t found, void *userdata) {
        struct object_id id = {.kind = OBJECT_HOST, .address.target.host = host->number};

        return found(&id, userdata);
}

static int found_target(const struct target *target, found_t found, void *userdata) {
        struct object_id id = {.kind = OBJECT_TARGET, .address.target = target->address};

        return found(&id, userdata);
}

static int found_device(const struct device *device, found_t found, void *userdata) {
        struct object_id id = {.kind = OBJECT_DEVICE, .address = device->address};

        return found(&id, userdata);
}

static int found_unit(const struct unit *unit, found_t found, void *userdata) {
        struct object_id id = {.kind = OBJECT_UNIT, .identity = unit->identity};

        return found(&id, userdata);
}

static int find_name(const char *name, const struct topology *topology, found_t found,
                     void *userdata) {
        const struct unit *unit = topology_unit(topology, name);
        const struct device *device;
        const struct host *host;
        const struct target *target;
        int r = 0;

        if (unit) {
                r = found_unit(unit, found, userdata);
                for (device = TAILQ_FIRST(&unit->devices); device && r == 0;
                     device = TAILQ_NEXT(device, unit_entry))
                        r = found_device(device, found, userdata);
                return r;
        }
        TAILQ_FOREACH (host, topology_hosts(topology), entry)
                TAILQ_FOREACH (target, &host->targets, entry)
                        if (r == 0 && strcmp(target->port_name, name) == 0)
                                r = found_target(target, found, userdata);
        return r;
}

struct every {
        found_t found;
        void *userdata;
        const char *node; /* only the device with this node, NULL for all there is */
};

static int every_target(const struct target *target, const struct every *every) {
        const struct device *device;
        int r = every->node ? 0 : found_target(target, every->found, every->userdata);

        for (device = TAILQ_FIRST(&target->devices); device && r == 0;
             device = TAILQ_NEXT(device, entry)) {
                if (every->node && strcmp(device->facts.block, every->node) != 0 &&
                    strcmp(device->facts.generic, every->node) != 0)
                        continue;
                r = found_device(device, every->found, every->userdata);
        }
        return r;
}

static int find_every(const struct topology *topology, const struct every *every) {
        const struct host *host;
        const struct target *target;
        const struct unit *unit;
        int r = 0;

        TAILQ_FOREACH (host, topology_hosts(topology), entry) {
                if (!every->node && r == 0)
                        r = found_host(host, every->found, every->userdata);
                for (target = TAILQ_FIRST(&host->targets); target && r == 0;
                     target = TAILQ_NEXT(target, entry))
                        r = every_target(target, every);
        }
        if (every->node)
                return r;
        for (unit = TAILQ_FIRST(topology_units(topology)); unit && r == 0;
             unit = TAILQ_NEXT(unit, entry))
                r = found_unit(unit, every->found, every->userdata);
        return r;
}

int scope_find(const struct scope *scope, const struct topology *topology, found_t found,
               void *userdata) {
        struct every every = {.found = found, .userdata = userdata};
        const struct host *host;
        const struct target *target;
        const struct device *device;

        switch (scope->kind) {
        case SCOPE_ALL:
                return find_every(topology, &every);
        case SCOPE_HOST:
                host = topology_host(topology, scope->address.target.host);
                return host ? found_host(host, found, userdata) : 0;
        case SCOPE_TARGET:
                target = topology_target(topology, &scope->address.target);
                return target ? found_target(target, found, userdata) : 0;
        case SCOPE_DEVICE:
                device = topology_device(topology, &scope->address);
                return device ? found_device(device, found, userdata) : 0;
        case SCOPE_NAME:
                return find_name(scope->name, topology, found, userdata);
        case SCOPE_NODE:
                every.node = scope->name;
                return find_every(topology, &every);
        }
        return 0;
}

static int found_any(const struct object_id *id, void *userdata) {
        return 1;
}

int scope_exists(const struct scope *scope, const struct topology *topology) {
        switch (scope->kind) {
        case SCOPE_ALL:
                return 0;
        case SCOPE_TARGET:
        case SCOPE_DEVICE:
                return topology_host(topology, scope->address.target.host) ? 0 : -ENOENT;
        case SCOPE_HOST:
        case SCOPE_NAME:
        case SCOPE_NODE:
                break;
        }
        return scope_find(scope, topology, found_any, NULL) != 0 ? 0 : -ENOENT;
}
