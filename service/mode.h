/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who scans: the kernel, beside which the service is an observer, or the service, the owner. The
 * kernel's side is the parameter scsi_mod.scan (drivers/scsi/scsi_scan.c), which may be written at
 * any time: it is looked at now and then, by a timer of the loop.
 *
 *   auto       owner while the parameter is manual or none, else observer
 *   take-over  an observer until the drivers have probed their hosts, for some bring up their links
 *              only in the kernel's scan; then the parameter is written, and it is the owner
 *   owner, observer   whatever the kernel does
 *
 * The parameter is read here and written by a worker, for that takes root.
 *
 * What the parameter was before it was taken over is kept in RUNTIME_DIR/kernel-scan, so that it
 * can be given back by a service that was started anew meanwhile.
 */

#include <stdbool.h>
#include <uv.h>

#include "scan/step.h"

struct daemon_options;

#define MODE_WORD_MAX 16 /* the parameter: sync, async, manual, none */
#define MODE_REASON_MAX 160

struct mode {
        const struct daemon_options *options;
        uv_timer_t timer;
        void (*changed)(void *userdata); /* owner, or reason, is another */
        bool (*probed)(void *userdata);  /* whether all hosts that came have been there a while */
        /* mode_observe() follows */
        void (*submit)(const struct step *step, void *userdata);
        void (*given_back)(void *userdata);
        void *userdata;
        bool owner;
        bool writing;                   /* an observation is due */
        bool leaving;                   /* nothing is decided any more */
        bool restoring;                 /* what is being written is what it was before */
        bool again;                     /* `changed` could not do what it has to */
        bool failed;                    /* to take over, and that has been said */
        char taken_from[MODE_WORD_MAX]; /* the parameter as it was before; "" when not taken over */
        char reason[MODE_REASON_MAX];   /* why it is so, for people */
};

/* Sets who it is; `mode` has options, callbacks and userdata. Reads files that no device stands
 * behind. */
void mode_start(struct mode *mode, uv_loop_t *loop);
/* Looks now: at a reload. */
void mode_check(struct mode *mode);
/* From `changed`, which cannot do its work now: it is called again. */
void mode_retry(struct mode *mode);
/* What came of its step. */
void mode_observe(struct mode *mode, const struct observation *observation);
/* At the end: the kernel's parameter as it was, if that is asked for (--restore-scan). True when it
 * is being written, and `given_back` will say that no more comes of it. */
bool mode_give_back(struct mode *mode);
