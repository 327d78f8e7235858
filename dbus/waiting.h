/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Calls whose answer comes later: when a job has ended, when device nodes exist, when a scope has
 * settled, or when the caller's patience is over. They are looked at each time something was
 * published.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <uv.h>

#include "dbus/fair_queue.h"
#include "scan/engine.h"
#include "util/cleanup.h"

struct waiting;

/* Calls waiting at once, of one user, of all but root, and of root. */
#define WAITING_PER_USER_MAX 64
#define WAITING_USERS_MAX 896
#define WAITING_ROOT_MAX 96
#define NODES_PATIENCE_USEC UINT64_C(10000000)

/* calls: where they come from; generation: that of what was published last. Both have to live as
 * long. */
struct waiting *waiting_new(const struct engine *engine, const struct fair_queue *calls,
                            const uint64_t *generation);
void waiting_start(struct waiting *waiting, uv_loop_t *loop);
/* Nobody may be waiting any more; the loop has to run between these two. */
void waiting_stop(struct waiting *waiting);
void waiting_free(struct waiting *waiting);
DEFINE_CLEANUP(struct waiting *, waiting_free)

/* Limit, with `error` set, when one more call of this one's user may not wait. */
int waiting_has_room(const struct waiting *waiting, sd_bus_message *call, sd_bus_error *error);

/* Each returns 1, as a method handler does whose answer comes later; or negative with `error` set.
 */

/* Replies (s result, a{st} summary), for a job that failed too. */
int waiting_for_job(struct waiting *waiting, sd_bus_message *call, uint64_t job,
                    sd_bus_error *error);
/* Replies (o job), or with the job's error: of a scan if nothing of it was done, of an order if any
 * part of it was not. */
int waiting_for_end(struct waiting *waiting, sd_bus_message *call, uint64_t job,
                    sd_bus_error *error);
/* Replies (t generation, a(ssa{sv}) steps), or with the job's error. */
int waiting_for_plan(struct waiting *waiting, sd_bus_message *call, uint64_t job,
                     sd_bus_error *error);
/* The same for the job that attaches `lun` on the scope's targets, and when it went well not before
 * their device nodes exist, or NODES_PATIENCE_USEC have passed. */
int waiting_for_nodes(struct waiting *waiting, sd_bus_message *call, uint64_t job,
                      const struct scope *scope, uint64_t lun, sd_bus_error *error);
/* Replies (b settled), at the earliest when something was published once more: what the kernel has
 * said and the engine has not heard yet counts as in flight. timeout in µs, UINT64_MAX for ever. */
int waiting_for_scope(struct waiting *waiting, sd_bus_message *call, const struct scope *scope,
                      uint64_t timeout, sd_bus_error *error);

/* Answers those whose time has come: something was published. heard: the engine knows of everything
 * that the kernel had said by then; nothing is settled before that. */
void waiting_answer(struct waiting *waiting, bool heard);

/* The sender has left the bus; all have, for there is no bus. */
void waiting_leave(struct waiting *waiting, const char *sender);
void waiting_leave_all(struct waiting *waiting);
