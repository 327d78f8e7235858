/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A topology, the facts that change it and the names of what is in it. */

#include <glib.h>
#include <string.h>

#include "scan/topology.h"

struct fixture {
        struct topology *topology;
        struct change_set *changes;
};

static inline void fixture_set_up(struct fixture *f, const void *unused) {
        f->topology = topology_new();
        f->changes = change_set_new();
}

static inline void fixture_tear_down(struct fixture *f, const void *unused) {
        topology_free(f->topology);
        change_set_free(f->changes);
}

static inline void publish(struct fixture *f) {
        change_set_free(f->changes);
        f->changes = change_set_new();
}

static inline void apply(struct fixture *f, struct fact *fact) {
        g_assert_cmpint(topology_apply(f->topology, fact, f->changes), ==, 0);
}

static inline struct fact host_fact(uint32_t number, uint64_t instance) {
        struct fact fact = {.kind = FACT_HOST, .address.target.host = number};

        fact.host.instance = instance;
        return fact;
}

static inline void fact_port(struct fact *fact, uint32_t target, const char *name,
                             const char *state) {
        size_t count = fact->host.port_count++;
        struct port_facts *port;

        fact->host.ports =
                reallocarray(fact->host.ports, fact->host.port_count, sizeof(*fact->host.ports));
        port = &fact->host.ports[count];
        *port = (struct port_facts){.target = target};
        g_strlcpy(port->name, name, sizeof(port->name));
        g_strlcpy(port->state, state, sizeof(port->state));
}

/* identity: its name, and its only designator; "" for none. */
static inline struct fact device_fact(struct scsi_address address, uint64_t instance,
                                      const char *identity) {
        struct fact fact = {.kind = FACT_DEVICE, .address = address, .standing = STANDING_PRESENT};

        fact.device.instance = instance;
        fact.identity.name = strdup(identity);
        fact.identity.designators = calloc(2, sizeof(char *));
        if (*identity) {
                fact.identity.designators[0] = strdup(identity);
                fact.identity.count = 1;
        }
        return fact;
}

static inline void drop_device(struct fixture *f, struct scsi_address address) {
        struct fact fact = {.kind = FACT_DEVICE_GONE, .address = address};

        apply(f, &fact);
}

static inline void append_name(GString *text, const struct object_id *id) {
        char address[SCSI_ADDRESS_TEXT_MAX];

        if (id->kind == OBJECT_HOST)
                g_string_append_printf(text, "host%u", id->address.target.host);
        else if (id->kind == OBJECT_TARGET)
                g_string_append(text, scsi_target_address_format(&id->address.target, address));
        else if (id->kind == OBJECT_DEVICE)
                g_string_append(text, scsi_address_format(&id->address, address));
        else
                g_string_append(text, id->identity);
}
