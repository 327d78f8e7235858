/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Hotplug.Inhibit: answered with a descriptor. */

#include <systemd/sd-bus.h>

struct server;

int inhibit_call(struct server *server, sd_bus_message *call, sd_bus_error *error);
