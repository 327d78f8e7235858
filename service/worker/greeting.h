/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a worker is told first, see struct worker_greeting. */

#include <stdint.h>

/* 0 and the host's number, with the lock held for good; -ECONNRESET when there is nobody to serve,
 * -EBADMSG, -ENOLCK when no lock came along, -errno of the socket. */
int worker_greeting_receive(int socket, uint32_t *ret_host);
