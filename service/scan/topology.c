/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/topology_state.h"

/* ---- looking things up ---- */

const struct host_list *topology_hosts(const struct topology *topology) {
        return &topology->hosts;
}

const struct unit_list *topology_units(const struct topology *topology) {
        return &topology->units;
}

size_t topology_device_count(const struct topology *topology) {
        return topology->device_count;
}

struct host *topology_host(const struct topology *topology, uint32_t number) {
        struct host *host;

        HASH_FIND(hh, topology->by_number, &number, sizeof(number), host);
        return host;
}

struct target *topology_target(const struct topology *topology,
                               const struct scsi_target_address *address) {
        struct target *target;

        HASH_FIND(hh, topology->by_address, address, sizeof(*address), target);
        return target;
}

struct device *topology_device(const struct topology *topology,
                               const struct scsi_address *address) {
        struct target *target = topology_target(topology, &address->target);
        struct device *device = NULL;

        if (target)
                HASH_FIND(hh, target->by_lun, &address->lun, sizeof(address->lun), device);
        return device;
}

const struct device *topology_next_device(const struct topology *topology,
                                          const struct device *device) {
        const struct host *host = device ? device->target->host : TAILQ_FIRST(&topology->hosts);
        const struct target *target = device ? TAILQ_NEXT(device->target, entry)
                                      : host ? TAILQ_FIRST(&host->targets)
                                             : NULL;

        if (device && TAILQ_NEXT(device, entry))
                return TAILQ_NEXT(device, entry);
        while (host) {
                for (; target; target = TAILQ_NEXT(target, entry))
                        if (!TAILQ_EMPTY(&target->devices))
                                return TAILQ_FIRST(&target->devices);
                host = TAILQ_NEXT(host, entry);
                target = host ? TAILQ_FIRST(&host->targets) : NULL;
        }
        return NULL;
}

struct unit *topology_unit(const struct topology *topology, const char *identity) {
        struct unit *unit;

        HASH_FIND_STR(topology->by_identity, identity, unit);
        return unit;
}

/* ---- naming things in the change set ---- */

static struct object_id host_id(const struct host *host) {
        return (struct object_id){.kind = OBJECT_HOST, .address.target.host = host->number};
}

static struct object_id target_id(const struct target *target) {
        return (struct object_id){.kind = OBJECT_TARGET, .address.target = target->address};
}

static struct object_id device_id(const struct device *device) {
        return (struct object_id){.kind = OBJECT_DEVICE, .address = device->address};
}

/* ---- targets ---- */

static struct target *target_new(struct topology *topology, struct host *host,
                                 const struct scsi_target_address *address,
                                 struct change_set *changes) {
        struct target *target = calloc(1, sizeof(*target));
        struct object_id id;

        if (!target)
                return NULL;
        target->address = *address;
        target->host = host;
        TAILQ_INIT(&target->devices);
        TAILQ_INSERT_TAIL(&host->targets, target, entry);
        HASH_ADD(hh, topology->by_address, address, sizeof(target->address), target);
        id = target_id(target);
        return change_set_added(changes, &id) < 0 ? NULL : target;
}

static int target_remove(struct topology *topology, struct target *target,
                         struct change_set *changes) {
        struct object_id id = target_id(target);

        assert(TAILQ_EMPTY(&target->devices));
        HASH_DEL(topology->by_address, target);
        TAILQ_REMOVE(&target->host->targets, target, entry);
        free(target->luns);
        free(target);
        return change_set_removed(changes, &id, NULL, NULL);
}

/* A target is there while something is attached to it or its transport knows its port. */
static int target_reap(struct topology *topology, struct target *target,
                       struct change_set *changes) {
        if (!TAILQ_EMPTY(&target->devices) || target->port_name[0])
                return 0;
        return target_remove(topology, target, changes);
}

static int target_changed(const struct target *target, uint32_t properties,
                          struct change_set *changes) {
        struct object_id id = target_id(target);

        return change_set_changed(changes, &id, properties);
}

static bool copy_text(char *to, size_t size, const char *from) {
        if (strcmp(to, from) == 0)
                return false;
        memset(to, 0, size);
        strncpy(to, from, size - 1);
        return true;
}

static int target_set_port(struct target *target, const char *name, const char *state,
                           struct change_set *changes) {
        uint32_t mask = 0;

        if (copy_text(target->port_name, sizeof(target->port_name), name))
                mask |= TARGET_PROPERTY_PORT_NAME;
        if (copy_text(target->port_state, sizeof(target->port_state), state))
                mask |= TARGET_PROPERTY_PORT_STATE;
        return target_changed(target, mask, changes);
}

/* ---- devices ---- */

/* Who it was to those who used it. */
static const char *device_identity_was(const struct device *device) {
        const struct scsi_identity *identity =
                device->standing == STANDING_REPLACED ? &device->was : &device->identity;

        return identity->name ?: "";
}

static int device_remove(struct topology *topology, struct device *device, const char *reason,
                         struct change_set *changes) {
        struct target *target = device->target;
        struct object_id id = device_id(device);
        int r, q;

        r = unit_leave(topology, device, changes);
        q = change_set_removed(changes, &id, device_identity_was(device), reason);
        r = r < 0 ? r : q;
        q = target_changed(target, TARGET_PROPERTY_DEVICES | TARGET_PROPERTY_LUNS, changes);
        r = r < 0 ? r : q;
        target_lun_detached(target, device->address.lun, reason);
        HASH_DEL(target->by_lun, device);
        TAILQ_REMOVE(&target->devices, device, entry);
        target->device_count--;
        topology->device_count--;
        device_facts_done(&device->facts);
        scsi_identity_done(&device->identity);
        scsi_identity_done(&device->was);
        free(device);
        return r;
}

static int device_add(struct topology *topology, struct target *target, struct fact *fact,
                      struct change_set *changes) {
        struct device *device;
        struct object_id id;
        int r;

        device = calloc(1, sizeof(*device));
        if (!device)
                return -ENOMEM;
        device->address = fact->address;
        device->target = target;
        device->facts = fact->device;
        device->identity = fact->identity;
        device->was = fact->was;
        memcpy(device->serial, fact->serial, sizeof(device->serial));
        device->standing = fact->standing;
        device->since = fact->now;
        device->reattached = fact->reattached;
        device->judged = fact->judged;
        device->asked = fact->asked;
        device->ours = fact->ours;
        device->due = fact->due;
        fact->device = (struct device_facts){};
        fact->identity = fact->was = (struct scsi_identity){};
        TAILQ_INSERT_TAIL(&target->devices, device, entry);
        HASH_ADD(hh, target->by_lun, address.lun, sizeof(device->address.lun), device);
        target->device_count++;
        topology->device_count++;

        id = device_id(device);
        r = change_set_added(changes, &id);
        if (r < 0)
                return r;
        r = target_changed(target, TARGET_PROPERTY_DEVICES | TARGET_PROPERTY_LUNS, changes);
        return r < 0 ? r : unit_join(topology, device, changes);
}

static uint32_t device_facts_differ(const struct device_facts *a, const struct device_facts *b) {
        uint32_t mask = 0;

        mask |= a->type != b->type ? DEVICE_PROPERTY_TYPE : 0;
        mask |= a->qualifier != b->qualifier ? DEVICE_PROPERTY_QUALIFIER : 0;
        mask |= strcmp(a->vendor, b->vendor) != 0 ? DEVICE_PROPERTY_VENDOR : 0;
        mask |= strcmp(a->model, b->model) != 0 ? DEVICE_PROPERTY_MODEL : 0;
        mask |= strcmp(a->revision, b->revision) != 0 ? DEVICE_PROPERTY_REVISION : 0;
        mask |= strcmp(a->state, b->state) != 0 ? DEVICE_PROPERTY_STATE : 0;
        mask |= strcmp(a->access_state, b->access_state) != 0 ? DEVICE_PROPERTY_ACCESS_STATE : 0;
        mask |= strcmp(a->block, b->block) != 0 ? DEVICE_PROPERTY_BLOCK_DEVICE : 0;
        mask |= strcmp(a->generic, b->generic) != 0 ? DEVICE_PROPERTY_GENERIC_DEVICE : 0;
        mask |= device_facts_holders_equal(a, b) ? 0 : DEVICE_PROPERTY_HOLDERS;
        return mask;
}

/* The unit that a device of such an identity and standing is a path to, "" for none. */
static const char *unit_name(const struct scsi_identity *identity, enum standing standing) {
        return identity->name && standing != STANDING_REPLACED ? identity->name : "";
}

static bool device_moves(const struct device *device, const struct fact *fact) {
        return strcmp(unit_name(&device->identity, device->standing),
                      unit_name(&fact->identity, fact->standing)) != 0;
}

uint32_t device_difference(const struct device *device, const struct fact *fact) {
        uint32_t mask = device_facts_differ(&device->facts, &fact->device);

        if (strcmp(device->identity.name ?: "", fact->identity.name ?: "") != 0)
                mask |= DEVICE_PROPERTY_IDENTITY;
        if (device_moves(device, fact))
                mask |= DEVICE_PROPERTY_UNIT;
        if (device->standing != fact->standing)
                mask |= DEVICE_PROPERTY_STANDING;
        return mask;
}

static int device_update(struct topology *topology, struct device *device, struct fact *fact,
                         struct change_set *changes) {
        struct unit_words before = device->unit ? unit_listen(device->unit) : (struct unit_words){};
        uint32_t mask = device_difference(device, fact);
        bool moved = device_moves(device, fact);
        struct object_id id = device_id(device);
        int r = moved ? unit_leave(topology, device, changes) : 0;

        device_facts_done(&device->facts);
        device->facts = fact->device;
        fact->device = (struct device_facts){};
        scsi_identity_done(&device->identity);
        device->identity = fact->identity;
        scsi_identity_done(&device->was);
        device->was = fact->was;
        fact->identity = fact->was = (struct scsi_identity){};
        memcpy(device->serial, fact->serial, sizeof(device->serial));
        device->standing = fact->standing;
        device->judged |= fact->judged;
        device->asked |= fact->asked;
        device->ours |= fact->ours;
        device->due |= fact->due;
        if (device->standing == STANDING_PRESENT)
                device->absent_since = 0; /* it said who it is */
        if (r < 0)
                return r;

        r = change_set_changed(changes, &id, mask);
        if (r < 0)
                return r;
        if (moved)
                return unit_join(topology, device, changes);
        return device->unit ? unit_changed(device->unit, &before, 0, changes) : 0;
}

/* ---- facts, one by one ---- */

static int apply_device_gone(struct topology *topology, const struct scsi_address *address,
                             const char *reason, struct change_set *changes) {
        struct device *device = topology_device(topology, address);
        struct target *target;
        int r;

        if (!device)
                return 0;
        target = device->target;
        r = device_remove(topology, device, reason ?: "removed", changes);
        return r < 0 ? r : target_reap(topology, target, changes);
}

static int apply_device(struct topology *topology, struct fact *fact, struct change_set *changes) {
        struct host *host = topology_host(topology, fact->address.target.host);
        struct device *device = topology_device(topology, &fact->address);
        struct target *target;
        int r;

        if (!host)
                return 0; /* it went while its device was looked at */
        if (device && device->facts.instance != fact->device.instance) {
                /* Another kernel object under the same address. */
                r = apply_device_gone(topology, &fact->address, NULL, changes);
                if (r < 0)
                        return r;
                device = NULL;
        }
        if (device)
                return device_update(topology, device, fact, changes);
        if (topology->device_count >= TOPOLOGY_DEVICES_MAX)
                return -E2BIG;
        target = topology_target(topology, &fact->address.target);
        if (!target)
                target = target_new(topology, host, &fact->address.target, changes);
        return target ? device_add(topology, target, fact, changes) : -ENOMEM;
}

static int apply_host_gone(struct topology *topology, uint32_t number, struct change_set *changes) {
        struct host *host = topology_host(topology, number);
        struct object_id id;
        int r = 0, q;

        if (!host)
                return 0;
        while (!TAILQ_EMPTY(&host->targets)) {
                struct target *target = TAILQ_FIRST(&host->targets);

                while (!TAILQ_EMPTY(&target->devices)) {
                        q = device_remove(topology, TAILQ_FIRST(&target->devices), "host-removed",
                                          changes);
                        r = r < 0 ? r : q;
                }
                q = target_remove(topology, target, changes);
                r = r < 0 ? r : q;
        }
        id = host_id(host);
        HASH_DEL(topology->by_number, host);
        TAILQ_REMOVE(&topology->hosts, host, entry);
        host_facts_done(&host->facts);
        free(host);
        q = change_set_removed(changes, &id, NULL, NULL);
        return r < 0 ? r : q;
}

static const struct port_facts *port_of(const struct host_facts *facts,
                                        const struct target *target) {
        for (size_t i = 0; i < facts->port_count; i++)
                if (facts->ports[i].channel == target->address.channel &&
                    facts->ports[i].target == target->address.target)
                        return &facts->ports[i];
        return NULL;
}

static int host_set_ports(struct topology *topology, struct host *host,
                          struct change_set *changes) {
        struct target *target, *next;
        int r = 0, q;

        for (size_t i = 0; i < host->facts.port_count; i++) {
                const struct port_facts *port = &host->facts.ports[i];
                struct scsi_target_address address = {host->number, port->channel, port->target};

                target = topology_target(topology, &address);
                if (!target)
                        target = target_new(topology, host, &address, changes);
                if (!target)
                        return -ENOMEM;
                q = target_set_port(target, port->name, port->state, changes);
                r = r < 0 ? r : q;
        }
        for (target = TAILQ_FIRST(&host->targets); target; target = next) {
                next = TAILQ_NEXT(target, entry);
                if (!target->port_name[0] || port_of(&host->facts, target))
                        continue;
                q = target_set_port(target, "", "", changes);
                r = r < 0 ? r : q;
                q = target_reap(topology, target, changes);
                r = r < 0 ? r : q;
        }
        return r;
}

static struct host *host_new(struct topology *topology, uint32_t number,
                             struct change_set *changes) {
        struct host *host = calloc(1, sizeof(*host));
        struct object_id id;

        if (!host)
                return NULL;
        host->number = number;
        TAILQ_INIT(&host->targets);
        TAILQ_INSERT_TAIL(&topology->hosts, host, entry);
        HASH_ADD(hh, topology->by_number, number, sizeof(host->number), host);
        id = host_id(host);
        return change_set_added(changes, &id) < 0 ? NULL : host;
}

static uint32_t host_differs(const struct host *host, const struct fact *fact) {
        uint32_t mask = 0;

        mask |= strcmp(host->facts.driver, fact->host.driver) != 0 ? HOST_PROPERTY_DRIVER : 0;
        mask |= host->facts.transport != fact->host.transport ? HOST_PROPERTY_TRANSPORT : 0;
        mask |= strcmp(host->facts.port_name, fact->host.port_name) != 0 ? HOST_PROPERTY_PORT_NAME
                                                                         : 0;
        mask |= strcmp(host->facts.state, fact->host.state) != 0 ? HOST_PROPERTY_STATE : 0;
        mask |= host->discovery != fact->discovery ? HOST_PROPERTY_DISCOVERY : 0;
        return mask;
}

static int apply_host(struct topology *topology, struct fact *fact, struct change_set *changes) {
        uint32_t number = fact->address.target.host;
        struct host *host = topology_host(topology, number);
        struct target *target;
        struct object_id id;
        uint32_t mask;
        int r;

        /* One that was shown before it could be read has no instance. */
        if (host && host->facts.instance != 0 && host->facts.instance != fact->host.instance) {
                r = apply_host_gone(topology, number, changes);
                if (r < 0)
                        return r;
                host = NULL;
        }
        if (!host)
                host = host_new(topology, number, changes);
        if (!host)
                return -ENOMEM;
        mask = host_differs(host, fact);
        host_facts_done(&host->facts);
        host->facts = fact->host;
        host->discovery = fact->discovery;
        fact->host = (struct host_facts){};

        id = host_id(host);
        r = change_set_changed(changes, &id, mask);
        if (mask & HOST_PROPERTY_TRANSPORT)
                TAILQ_FOREACH (target, &host->targets, entry)
                        if (r >= 0)
                                r = target_changed(target, TARGET_PROPERTY_TRANSPORT, changes);
        return r < 0 ? r : host_set_ports(topology, host, changes);
}

static int apply_host_stuck(struct topology *topology, const struct fact *fact,
                            struct change_set *changes) {
        struct host *host = topology_host(topology, fact->address.target.host);
        struct object_id id;

        if (!host || host->stuck == fact->flag)
                return 0;
        host->stuck = fact->flag;
        id = host_id(host);
        return change_set_changed(changes, &id, HOST_PROPERTY_STUCK);
}

static int apply_attention(struct topology *topology, const struct fact *fact,
                           struct change_set *changes) {
        struct device *device = topology_device(topology, &fact->address);
        struct object_id id;

        if (!device || device->last_attention == fact->attention)
                return 0;
        device->last_attention = fact->attention;
        id = device_id(device);
        return change_set_changed(changes, &id, DEVICE_PROPERTY_LAST_ATTENTION);
}

/* The first time is remembered; being there again ends being missing. */
static int apply_absent(struct topology *topology, const struct fact *fact,
                        struct change_set *changes) {
        struct device *device = topology_device(topology, &fact->address);
        struct unit_words before = {};
        struct object_id id;
        enum standing standing;
        int r;

        if (!device)
                return 0;
        if (device->unit)
                before = unit_listen(device->unit);
        standing = device->standing;
        /* One that was stopped stays stopped, whatever happens to the unit. */
        if (fact->standing == STANDING_MISSING && device->standing < STANDING_REPLACED)
                device->standing = STANDING_MISSING;
        else if (fact->now == 0 && device->standing == STANDING_MISSING)
                device->standing = STANDING_PRESENT;
        device->absent_since = fact->now;
        id = device_id(device);
        r = change_set_changed(changes, &id,
                               device->standing != standing ? DEVICE_PROPERTY_STANDING : 0);
        return r >= 0 && device->unit ? unit_changed(device->unit, &before, 0, changes) : r;
}

static int apply_luns(struct topology *topology, struct fact *fact, struct change_set *changes) {
        struct target *target = topology_target(topology, &fact->address.target);
        uint32_t mask = TARGET_PROPERTY_LAST_ASKED;

        if (!target)
                return 0;
        if (target_luns_differ(target, fact))
                mask |= TARGET_PROPERTY_LUNS;
        free(target->luns);
        target->luns = TAKE_PTR(fact->luns);
        target->lun_count = fact->lun_count;
        target->last_asked = fact->now;
        return target_changed(target, mask, changes);
}

static void fact_done(struct fact *fact) {
        host_facts_done(&fact->host);
        device_facts_done(&fact->device);
        scsi_identity_done(&fact->identity);
        scsi_identity_done(&fact->was);
        free(TAKE_PTR(fact->luns));
}

int topology_apply(struct topology *topology, struct fact *fact, struct change_set *changes) {
        int r = 0;

        switch (fact->kind) {
        case FACT_HOST:
                r = apply_host(topology, fact, changes);
                break;
        case FACT_HOST_GONE:
                r = apply_host_gone(topology, fact->address.target.host, changes);
                break;
        case FACT_HOST_STUCK:
                r = apply_host_stuck(topology, fact, changes);
                break;
        case FACT_DEVICE:
                r = apply_device(topology, fact, changes);
                break;
        case FACT_DEVICE_GONE:
                r = apply_device_gone(topology, &fact->address, fact->reason, changes);
                break;
        case FACT_ABSENT:
                r = apply_absent(topology, fact, changes);
                break;
        case FACT_ATTENTION:
                r = apply_attention(topology, fact, changes);
                break;
        case FACT_LUNS:
                r = apply_luns(topology, fact, changes);
                break;
        }
        fact_done(fact);
        return r;
}

struct topology *topology_new(void) {
        struct topology *topology = calloc(1, sizeof(*topology));

        if (topology) {
                TAILQ_INIT(&topology->hosts);
                TAILQ_INIT(&topology->units);
        }
        return topology;
}

void topology_free(struct topology *topology) {
        _cleanup_(change_set_freep) struct change_set *changes = NULL;

        if (!topology)
                return;
        changes = change_set_new();
        while (changes && !TAILQ_EMPTY(&topology->hosts))
                (void)apply_host_gone(topology, TAILQ_FIRST(&topology->hosts)->number, changes);
        free(topology);
}
