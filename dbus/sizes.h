/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How long replies become. A bus daemon disconnects who sends a message above its limit
 * (dbus-daemon as it is shipped: 32 MiB), so that anybody could silence the service by asking: what
 * may become too long is refused, or made shorter, before it is begun.
 */

#include <stddef.h>

#include "scan/engine.h"

struct job_views;

#define SIZE_MAX_OF_REPLY (((size_t)32 << 20) - 65536)

/* Bytes on the wire with path, interface and properties: not less than they are, and not many times
 * more. 0 when there is no such object. */
size_t size_of_object(const struct topology *topology, const struct object_id *id);
/* What GetManagedObjects takes. */
size_t size_of_all(const struct engine *engine, const struct job_views *jobs);
