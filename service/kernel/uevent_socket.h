/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The kernel's uevents, read from the raw netlink socket on the loop: so that systemd may hold the
 * socket while the service restarts, and so that an overflow is seen.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "scan/event.h"

struct uevent_socket;

struct uevent_counters {
        uint64_t received; /* well-formed, whether they concern us or not */
        uint64_t refused;  /* not from the kernel, or malformed */
        uint64_t overruns; /* an unknown number was lost each time */
};

typedef void (*uevent_handler)(const struct event *event, void *userdata);

/* Listens on fd, or on a socket of its own when fd is -1. The fd is taken over, also on failure.
 * Beside the netlink socket it may be an AF_UNIX datagram or seqpacket socket, whose peer must then
 * be root or ourselves. -EINVAL: it is something else, or does not hear the kernel; -errno. */
int uevent_socket_open(uv_loop_t *loop, int fd, uevent_handler handler, void *userdata,
                       struct uevent_socket **ret);
/* Calls back no more; frees itself when the loop has closed its handle. Accepts NULL. */
void uevent_socket_close(struct uevent_socket *socket);

/* Reads what is waiting now, and calls the handler from within; false when there may be more than
 * could be read at once. */
bool uevent_socket_drain(struct uevent_socket *socket);

struct uevent_counters uevent_socket_counters(const struct uevent_socket *socket);
