/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of Hotplug that have something done with devices: each is a job. */

#include <systemd/sd-bus.h>

#include "scan/job.h"

struct server;

/* Reads the arguments of the operation's method (not JOB_SCAN) from the message and goes on from
 * there, as a method handler does. */
int order_call(struct server *server, sd_bus_message *call, enum job_operation operation,
               sd_bus_error *error);
