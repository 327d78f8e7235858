/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is said of a job that was asked for; nothing here needs a bus. All: 0 or -errno. */

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/options.h"

enum progress_verb {
        PROGRESS_SCAN,
        PROGRESS_ATTACH,
        PROGRESS_DETACH,
        PROGRESS_REFRESH,
        PROGRESS_ACCEPT,
};

struct progress {
        enum progress_verb verb;
        const char *scope;              /* as it was asked for */
        const char *lun;                /* PROGRESS_ATTACH, as it was asked for */
        const char *job;                /* its path, or NULL */
        struct json_object *properties; /* the job's, as far as they are known */
        const char *message;            /* why it failed, or "" */
        uint64_t elapsed_usec;
        bool drawn; /* a progress line stands on the terminal */
};

/* The job was accepted: a line in JSON, nothing in text. */
int progress_print_start(const struct progress *progress, const struct options *options);
/* The same for who will not wait: in text the job's path. */
int progress_print_job(const struct progress *progress, const struct options *options);

/* Where it stands: a line in JSON, on a terminal in place of the last one, else nothing. */
int progress_print_step(struct progress *progress, const struct options *options);

/* How it ended: its result, its summary. */
int progress_print_end(struct progress *progress, const struct options *options);
/* It was refused or failed with that D-Bus error and progress->message: a line in JSON. */
int progress_print_failure(struct progress *progress, const char *error,
                           const struct options *options);

/* Takes the line away, so that something else can be said. */
void progress_erase(struct progress *progress, const struct options *options);

/* Nobody waits for it any more, but it goes on. */
int progress_print_left(struct progress *progress, const struct options *options);

/* Whether the result is "done". */
bool progress_succeeded(const struct progress *progress);
/* Whether the job has ended. */
bool progress_ended(const struct progress *progress);
