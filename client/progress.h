/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What `scan` says of its job; nothing here needs a bus. All: 0 or -errno. */

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/options.h"

struct progress {
        const char *scope;              /* as it was asked for */
        const char *job;                /* its path */
        struct json_object *properties; /* the job's, as far as they are known */
        const char *message;            /* why it failed, or "" */
        uint64_t elapsed_usec;
        bool drawn; /* a progress line stands on the terminal */
};

/* The job was accepted: a line in JSON, nothing in text. */
int progress_print_start(const struct progress *progress, const struct options *options);

/* Where it stands: a line in JSON, on a terminal in place of the last one, else nothing. */
int progress_print_step(struct progress *progress, const struct options *options);

/* How it ended: its result, its summary. */
int progress_print_end(struct progress *progress, const struct options *options);

/* Takes the line away, so that something else can be said. */
void progress_erase(struct progress *progress, const struct options *options);

/* Nobody waits for it any more, but it goes on. */
int progress_print_left(struct progress *progress, const struct options *options);

/* Whether the result is "done". */
bool progress_succeeded(const struct progress *progress);
/* Whether the job has ended. */
bool progress_ended(const struct progress *progress);
