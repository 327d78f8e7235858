/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values of the contract, appended to a message. */

#include <inttypes.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "dbus/ids.h"
#include "scan/change_set.h"
#include "scan/job.h"
#include "scan/topology.h"

/* Strings come from places that made them printable: one that is not valid UTF-8 is a bug. */
int append_text(sd_bus_message *message, const char *text);
/* "/dev/sda" for "sda", "" for "". */
int append_node(sd_bus_message *message, const char *node);
int append_path(sd_bus_message *message, const struct object_id *id);
int append_job_path(sd_bus_message *message, uint64_t job);
/* Answers the call with the job's path alone. */
int append_job_reply(sd_bus_message *call, uint64_t job);
int append_summary(sd_bus_message *message, const uint64_t summary[static SUMMARY_FIELDS]);
/* Answers the call with the plan that was made at that generation, or with LimitsExceeded when it
 * is more than the bus takes. */
int append_plan_reply(sd_bus_message *call, uint64_t generation, const struct plan *plan);
int append_counter(sd_bus_message *message, const char *name, uint64_t value);
