/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * GetManagedObjects is answered by sd-bus in one message, however long. A bus daemon disconnects
 * who sends one above its limit (dbus-daemon as it is shipped: 32 MiB), so that anybody could
 * silence the service by asking: a reply that may become too long is refused instead.
 *
 * And it is the moment from which on somebody follows the signals: it says what was told so far,
 * neither more nor less.
 */

#include <stddef.h>
#include <systemd/sd-bus.h>

#include "scan/engine.h"

struct job_views;

#define SNAPSHOT_BYTES_MAX (((size_t)32 << 20) - 65536)

/* Not less than what GetManagedObjects takes on the wire, and not many times more. */
size_t snapshot_bytes(const struct engine *engine, const struct job_views *jobs);

/* A message filter of the root object, userdata is the server: before GetManagedObjects it has told
 * of everything that changed, and answers one that is too long, LimitsExceeded. Everything else it
 * leaves alone. */
int snapshot_filter(sd_bus_message *message, void *userdata, sd_bus_error *error);
