/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "heartbeat.h"
#include "util/clock.h"

static void on_beat(uv_timer_t *timer) {
        const struct heartbeat *heartbeat = timer->data;

        if (heartbeat->ready)
                (void)sd_notify(0, "WATCHDOG=1");
        else
                (void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64, heartbeat->usec);
}

void heartbeat_start(struct heartbeat *heartbeat, uv_loop_t *loop) {
        uint64_t half_ms;

        uv_timer_init(loop, &heartbeat->timer);
        heartbeat->timer.data = heartbeat;
        if (sd_watchdog_enabled(0, &heartbeat->usec) <= 0)
                return;
        half_ms = heartbeat->usec / 2000;
        uv_timer_start(&heartbeat->timer, on_beat, 0, half_ms > 0 ? half_ms : 1);
}

void heartbeat_ready(struct heartbeat *heartbeat) {
        heartbeat->ready = true;
        (void)sd_notify(0, "READY=1");
}

void heartbeat_reloading(const struct heartbeat *heartbeat) {
        if (heartbeat->ready)
                (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_usec());
}

void heartbeat_reloaded(const struct heartbeat *heartbeat) {
        if (heartbeat->ready)
                (void)sd_notify(0, "READY=1");
}
