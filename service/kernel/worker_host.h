/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The workers, one for each SCSI host that has something to do: started on demand, ended when idle,
 * given up when a kernel call outlives its deadline. A host is then stuck until the last thread of
 * its worker has left the kernel: meanwhile every step for it is answered at once, and no second
 * worker is started.
 */

#include <stdint.h>
#include <uv.h>

#include "scan/event.h"
#include "scan/step.h"
#include "worker/messages.h"

struct worker_hosts_config {
        const char *worker_socket; /* systemd's, that starts workers; NULL: they are children */
        const char *worker;        /* path of their executable */
        const char *sysfs;
        const char *runtime_dir; /* of the lock files; exists */
        uint64_t deadline_usec;  /* beyond a command's own timeout */
        uint32_t idle_msec;      /* a worker with nothing to do is ended after that, and its host
                                    forgotten */
};

/* Called from the loop, never from within worker_hosts_submit(). For each step either `answered` or
 * `failed` is called, once. */
struct worker_hosts_handler {
        void (*answered)(const struct step *step, const struct worker_reply *reply,
                         const uint8_t *data, void *userdata);
        /* OBSERVED_LOST, OBSERVED_STUCK, or OBSERVED_ERROR with a -errno. */
        void (*failed)(const struct step *step, enum observed observed, int error, void *userdata);
        /* EVENT_HOST_STUCK, before the steps that were in flight fail, and EVENT_HOST_RELEASED. */
        void (*event)(const struct event *event, void *userdata);
        void *userdata;
};

struct worker_counters {
        uint64_t started;
        uint64_t died; /* ended while they owed an answer */
        uint64_t stuck;
};

struct worker_hosts;

/* Copies the strings. -ENOMEM. */
int worker_hosts_new(uv_loop_t *loop, const struct worker_hosts_config *config,
                     const struct worker_hosts_handler *handler, struct worker_hosts **ret);
/* Calls back no more; waits for no worker. */
void worker_hosts_stop(struct worker_hosts *hosts);
/* After the loop has closed its handles, or before anything was submitted. Accepts NULL. */
void worker_hosts_free(struct worker_hosts *hosts);

void worker_hosts_submit(struct worker_hosts *hosts, const struct step *step);

struct worker_counters worker_hosts_counters(const struct worker_hosts *hosts);
