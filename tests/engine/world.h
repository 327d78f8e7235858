/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The whole pipeline in one process and in simulated time: the engine, the codec, and the simulated
 * machine. Steps are done in an order that the seed decides, uevents arrive when the seed lets
 * them, so thousands of interleavings run in a second and any of them can be run again.
 */

#include <glib.h>

#include "policy/scan_rules.h"
#include "scan/engine.h"
#include "sim/machine.h"
#include "util/cleanup.h"

struct world;

struct world *world_new(struct sim_machine *machine, bool owner, uint32_t seed);
/* Takes the machine with it. */
void world_free(struct world *world);
DEFINE_CLEANUP(struct world *, world_free)
/* Frees it without the machine, which goes on: the service was killed. */
void world_leave(struct world *world);

struct engine *world_engine(struct world *world);
struct sim_machine *world_machine(struct world *world);

void world_start(struct world *world);
/* From here on that policy holds; what follows from it is a job, whose id is returned. NULL: no
 * quirks but those that are built in. */
uint64_t world_set_policy(struct world *world, const char *rules, const char *quirks);
/* Does one thing that can be done now: begins a step, finishes one, delivers an event. False when
 * nothing can. */
bool world_step(struct world *world);
/* Until nothing can be done any more, and everything that came to light is taken in. */
void world_settle(struct world *world);
/* Lets so much simulated time go by, doing what becomes due. */
void world_pass(struct world *world, uint64_t usec);
struct scan_time world_now(struct world *world);
/* Orders something for devices, checks that it is taken, and returns its job once all has settled.
 */
const struct job *world_order(struct world *world, const struct device_request *request,
                              const char *scope);
/* How often such a notice was given; the last one of them. */
unsigned world_notices(struct world *world, enum notice_kind kind);
const struct notice *world_last_notice(struct world *world, enum notice_kind kind);
/* Why the device was last detached, "" when it was not. */
const char *world_detach_reason(struct world *world, struct scsi_address address);
/* Uevents get lost while it is set; then the engine is told to look at everything. */
void world_lose_uevents(struct world *world, bool lose);

/* Asks for a scan, checks that it is taken, and returns its job. */
uint64_t world_scan(struct world *world, const char *scope);
const struct job *world_job(struct world *world, uint64_t id);

/* The topology's devices, as sim_attached() lists the kernel's. */
char *world_devices(struct world *world);
/* The view equals the kernel, and what was announced equals the view. */
void world_check(struct world *world);
