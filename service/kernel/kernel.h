/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The door to Linux on the daemon's side: uevents come in as Events; Steps go out to a worker
 * process per host and come back as Observations. Nothing here blocks; the only sysfs access is
 * listing one directory.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "scan/event.h"
#include "scan/step.h"
#include "util/cleanup.h"

struct kernel;

struct kernel_config {
        const char *sysfs;         /* "/sys"; another root in tests */
        const char *worker_socket; /* where systemd starts workers; NULL: they are children */
        const char *worker;        /* path of a child's executable */
        const char *runtime_dir;   /* where the workers' lock files are, created if missing */
        int uevent_fd;             /* a uevent socket handed over (taken over), or -1 to open one */
        uint64_t deadline_usec; /* how long a kernel call may take beyond its own timeout before its
                                   host is stuck */
};

struct kernel_handler {
        /* Something may have changed. EVENT_RESYNC also when uevents were lost. */
        void (*event)(const struct event *event, void *userdata);
        /* What came of a step; takes over what the observation owns. Called from the loop, never
         * from within kernel_submit(). */
        void (*observed)(struct observation *observation, void *userdata);
        void *userdata;
};

/* 0, or -errno with a line in the log; the loop may then have handles to close, and must run once.
 */
int kernel_new(uv_loop_t *loop, const struct kernel_config *config,
               const struct kernel_handler *handler, struct kernel **ret);

/* Begins a step; its observation always comes, exactly once: also when no worker can be started,
 * when the worker dies (OBSERVED_LOST) and when it outlives its deadline (OBSERVED_STUCK). */
void kernel_submit(struct kernel *kernel, const struct step *step);

/* Reads what is waiting in the uevent socket now, so that the caller's next look is not older than
 * what the kernel has already said. False when there may be more than could be read at once. */
bool kernel_drain(struct kernel *kernel);

/* Ends all handles, and calls back no more: what is under way gets no observation. Waits for no
 * worker: they end when their socket closes, stuck ones when the kernel lets them. The loop must
 * run until it has no handles left before kernel_free(). */
void kernel_stop(struct kernel *kernel);
void kernel_free(struct kernel *kernel);

struct kernel_counters {
        uint64_t uevents;         /* received and well-formed */
        uint64_t uevents_refused; /* not from the kernel, or malformed */
        uint64_t uevent_overruns; /* times the socket overflowed: an unknown number was lost each
                                     time */
        uint64_t workers_started;
        uint64_t workers_died; /* ended while they owed an answer */
        uint64_t workers_stuck;
};

struct kernel_counters kernel_counters(const struct kernel *kernel);
