/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "turns.h"

/* libuv calls I/O callbacks within its poll, so a turn is what was not waited for between two
 * prepares. */
static void on_prepare(uv_prepare_t *prepare) {
        struct turns *turns = prepare->data;
        uint64_t now = uv_hrtime(), idle = uv_metrics_idle_time(prepare->loop), usec;

        if (turns->begun > 0) {
                usec = (now - turns->begun - (idle - turns->idle)) / 1000;
                if (usec > turns->longest_usec)
                        turns->longest_usec = usec;
                turns->over += usec > TURN_MAX_USEC;
        }
        turns->begun = now;
        turns->idle = idle;
}

void turns_start(struct turns *turns, uv_loop_t *loop) {
        (void)uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
        uv_prepare_init(loop, &turns->prepare);
        turns->prepare.data = turns;
        uv_prepare_start(&turns->prepare, on_prepare);
}
