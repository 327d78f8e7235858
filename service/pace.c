/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pace.h"
#include "dbus/server.h"
#include "scan/engine.h"
#include "state.h"

#define PUBLISH_PACE_MS 50
/* Where so many devices are about to come, the topology is published when the last one is there,
 * or after that time: mapping a thousand LUNs is one batch. */
#define BULK_DEVICES 32
#define BULK_PATIENCE_MS 5000
/* What has to be on the disk before it is published is waited for so long. */
#define KEEP_PATIENCE_MS 1000

void pace_start(struct pace *pace, uv_loop_t *loop, uv_timer_cb due, void *userdata) {
        uv_timer_init(loop, &pace->timer);
        pace->timer.data = userdata;
        pace->due = due;
}

/* Whoever is told that a device was stopped finds it so after a restart, too: that is written
 * first, unless the disk takes too long over it. */
static bool is_to_wait(struct pace *pace) {
        uint64_t now = uv_now(pace->timer.loop);

        state_touch(pace->state);
        if (!state_owes(pace->state)) {
                pace->owed_since = 0;
                return false;
        }
        if (pace->owed_since == 0)
                pace->owed_since = now;
        if (now - pace->owed_since >= KEEP_PATIENCE_MS)
                return false;
        uv_timer_start(&pace->timer, pace->due, PUBLISH_PACE_MS, 0);
        return true;
}

/* Once that has begun it lasts until none of them is awaited any more. */
static bool is_bulk(struct pace *pace) {
        size_t expected = engine_expected(pace->engine);
        uint64_t now = uv_now(pace->timer.loop);
        bool at_first;

        if (expected == 0 || (pace->bulk_since == 0 && expected < BULK_DEVICES)) {
                pace->bulk_since = 0;
                return false;
        }
        if (pace->bulk_since > 0 && now - pace->bulk_since < BULK_PATIENCE_MS)
                return true;
        /* It begins, or has taken too long and is told in part. */
        at_first = pace->bulk_since == 0;
        pace->bulk_since = now;
        return at_first;
}

/* heard: the engine knows of all that the kernel has said. */
static void publish(struct pace *pace, bool heard) {
        struct server_publication what = {.heard = heard};

        uv_timer_stop(&pace->timer);
        if (is_to_wait(pace))
                return;
        pace->published = uv_now(pace->timer.loop);
        what.held = is_bulk(pace);
        server_publish(pace->server, &what);
}

void pace_publish(struct pace *pace, bool at_rest) {
        uint64_t since = uv_now(pace->timer.loop) - pace->published;

        if ((at_rest && !engine_is_busy(pace->engine)) || since >= PUBLISH_PACE_MS ||
            server_is_urgent(pace->server))
                publish(pace, at_rest);
        else if (!uv_is_active((uv_handle_t *)&pace->timer))
                uv_timer_start(&pace->timer, pace->due, PUBLISH_PACE_MS - since, 0);
}
