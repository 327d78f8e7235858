/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One worker process and the daemon's end of its socket. It decides nothing: see worker_host.h.
 *
 * Either systemd starts it, as root and in a sandbox of its own, for a connection to
 * scsiscan-worker.socket; or it is a child, where there is no systemd to ask, and has the rights of
 * the daemon.
 */

#include <stdint.h>
#include <uv.h>

#include "worker/messages.h"

/* Whatever a worker sends; one for all workers, since nothing is kept in it across callbacks. */
struct worker_buffer {
        struct worker_reply reply;
        uint8_t data[WORKER_DATA_MAX];
};

struct worker_process_config {
        const char *socket; /* systemd's, to connect to; NULL: start a child */
        const char *worker; /* path of the child's executable */
        const char *sysfs;  /* its argument */
        uint32_t host;
        int lock_fd; /* handed to the process */
        struct worker_buffer *buffer;
};

struct worker_process_handler {
        /* A well-formed reply, in the buffer given; whether anybody asked is yet to be seen. */
        void (*replied)(const struct worker_reply *reply, const uint8_t *data, void *userdata);
        /* It has closed its socket, or sent what is no reply: nothing more will come from it. */
        void (*hung_up)(void *userdata);
        /* The last of its threads has left the kernel. A status of -1: it is systemd that knows. */
        void (*exited)(int64_t status, int signal, void *userdata);
        void *userdata;
};

struct worker_process;

/* Tells the worker at the other end of the socket whom it is for, and hands it the lock: 0, or
 * -errno. */
int worker_process_greet(int socket, uint32_t host, int lock_fd);
/* Starts one, and greets it: 0, or -errno when it cannot be started. */
int worker_process_start(uv_loop_t *loop, const struct worker_process_config *config,
                         const struct worker_process_handler *handler, struct worker_process **ret);
int worker_process_send(struct worker_process *process, const struct worker_request *request);
/* Takes what is waiting in the socket now; calls the handler from within. */
void worker_process_receive(struct worker_process *process);
/* Nothing more is said to it or heard, on which the process ends as soon as the kernel lets it. */
void worker_process_shut(struct worker_process *process);
/* Does nothing to one of systemd's, which is not ours to kill; shut, it does end. */
void worker_process_kill(struct worker_process *process);
/* Shuts it, calls back no more, and is freed when the loop has closed its handles. Accepts NULL. */
void worker_process_discard(struct worker_process *process);
