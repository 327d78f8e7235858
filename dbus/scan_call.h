/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods called Scan: of the root for any scope, of a host and of a target for themselves; and
 * Plan. */

#include <systemd/sd-bus.h>

#include "scan/scope.h"

struct server;

/* Reads the options at the message's cursor and goes on from there, as a method handler does. Takes
 * over what the scope owns; `text` is what the job will call it. */
int scan_call(struct server *server, sd_bus_message *call, const char *text, struct scope *scope,
              sd_bus_error *error);
/* The same, for what it would do. */
int plan_call(struct server *server, sd_bus_message *call, const char *text, struct scope *scope,
              sd_bus_error *error);
