/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How much the service logs, and where to, as systemctl(1) asks for it and sets it:
 * org.freedesktop.LogControl1(5). */

#include <systemd/sd-bus.h>

struct server;

/* 0, or -errno. */
int log_control_export(struct server *server, sd_bus *bus);
