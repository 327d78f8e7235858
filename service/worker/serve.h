/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One request in, one reply out. */

#include "worker/messages.h"

/* What all threads share, and none of them changes. */
struct worker {
        uint32_t host;
        int sysfs; /* O_PATH descriptors of the two trees */
        int dev;
        int socket; /* SOCK_SEQPACKET */
};

/* Serves requests until the other end closes the socket: 0; or -errno of the socket, or -ENOMEM.
 * Any number of threads may be in it with the same worker. */
int worker_serve(const struct worker *worker);
