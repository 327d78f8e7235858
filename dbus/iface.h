/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The interfaces of the root object. */

#include <systemd/sd-bus.h>

struct iface {
        const char *name;
        const sd_bus_vtable *vtable;
};

extern const struct iface iface_scan;
extern const struct iface iface_topology;
extern const struct iface iface_hotplug;
extern const struct iface iface_policy;

/* All of them, and NULL. */
extern const struct iface *const ifaces[];
