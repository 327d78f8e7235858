/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* CLOCK_MONOTONIC, and work that is done as far as time allows. */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t clock_usec(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* UINT64_MAX for "all of it". */
static inline bool slice_is_over(uint64_t until) {
        return until != UINT64_MAX && clock_usec() >= until;
}
