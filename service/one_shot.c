/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <unistd.h>

#include "daemon.h"
#include "one_shot.h"
#include "util/log.h"

/* How often a pass looks whether the disk is there that it is for. */
#define UNTIL_MS 50

static void on_limit(uv_timer_t *timer) {
        struct one_shot *one_shot = timer->data;

        log_error("not everything could be looked at in time");
        one_shot->ended(-ETIMEDOUT, one_shot->userdata);
}

/* Who waits for one disk does not wait for the others. What is not looked at yet is left to the
 * service. */
static void on_until(uv_timer_t *timer) {
        struct one_shot *one_shot = timer->data;

        if (access(one_shot->path, F_OK) < 0)
                return;
        log_info("%s is there", one_shot->path);
        one_shot->ended(0, one_shot->userdata);
}

void one_shot_start(struct one_shot *one_shot, uv_loop_t *loop,
                    const struct daemon_options *options) {
        one_shot->on = options->one_shot_sec > 0;
        one_shot->path = options->one_shot_until;
        uv_timer_init(loop, &one_shot->limit);
        uv_timer_init(loop, &one_shot->until);
        one_shot->limit.data = one_shot->until.data = one_shot;
        if (!one_shot->on)
                return;
        uv_timer_start(&one_shot->limit, on_limit, (uint64_t)options->one_shot_sec * 1000, 0);
        if (one_shot->path)
                uv_timer_start(&one_shot->until, on_until, 0, UNTIL_MS);
}
