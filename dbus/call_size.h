/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <systemd/sd-bus.h>

/* About so many bytes a sealed call takes on the wire, never much less; SIZE_MAX for more than
 * `max`, which is not counted to its end. It is read from its beginning, and left anywhere. */
size_t call_size(sd_bus_message *call, size_t max);
