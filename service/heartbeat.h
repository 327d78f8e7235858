/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Tells systemd how the service is, and that its loop turns. That is a timer of the loop and
 * nothing else, so a loop that hangs in one callback starves it. Until the service is ready it asks
 * for more time to start, for the watchdog only watches what has started.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct heartbeat {
        uv_timer_t timer;
        uint64_t usec; /* within which systemd wants to hear of us; 0: it does not */
        bool ready;    /* and told so */
};

/* Beats if systemd has asked for it (WatchdogSec=): now, and twice in its interval. */
void heartbeat_start(struct heartbeat *heartbeat, uv_loop_t *loop);
void heartbeat_ready(struct heartbeat *heartbeat);
/* Between these two systemd counts the service as reloading; before it is ready that would say so.
 */
void heartbeat_reloading(const struct heartbeat *heartbeat);
void heartbeat_reloaded(const struct heartbeat *heartbeat);
