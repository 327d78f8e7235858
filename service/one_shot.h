/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The limits of one pass over everything, as in the initramfs: a time, and a file. */

#include <stdbool.h>
#include <uv.h>

struct daemon_options;

struct one_shot {
        bool on; /* it is such a pass */
        const char *path;
        uv_timer_t limit; /* of the pass */
        uv_timer_t until; /* looks for what it waits for */
        /* 0: what it waited for is there; -ETIMEDOUT, and that has been said */
        void (*ended)(int result, void *userdata);
        void *userdata;
};

/* Does nothing but that handles are there to be closed, unless the options want one pass. `ended`
 * and `userdata` are set. */
void one_shot_start(struct one_shot *one_shot, uv_loop_t *loop,
                    const struct daemon_options *options);
