/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How long the loop is kept: the time between two waits for something to happen. While it lasts
 * nobody is answered, so it is counted where it is too long.
 */

#include <stdint.h>
#include <uv.h>

/* What a turn may take at most. */
#define TURN_MAX_USEC 50000

struct turns {
        uv_prepare_t prepare;
        uint64_t begun; /* ns, the last prepare; 0 before the first */
        uint64_t idle;  /* ns, waited for by then, since the loop began */
        uint64_t longest_usec;
        uint64_t over; /* that took more than TURN_MAX_USEC */
};

/* Before the loop runs. close() the prepare handle to end it. */
void turns_start(struct turns *turns, uv_loop_t *loop);
