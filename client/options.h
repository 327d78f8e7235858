/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* How a verb is to speak. */
struct options {
        FILE *out;
        bool json;     /* JSON instead of text */
        bool legend;   /* tables have a heading */
        bool color;    /* text may be coloured */
        bool terminal; /* out is a terminal: a line may be overwritten */
        bool wait;     /* whatever begins a job: to its end */
        bool ask;      /* whatever begins a job or changes the policy: a person may be
                          asked for a password */
        bool remove;   /* scan: detach what is gone */
        bool force;    /* detach: even what is in use */
        bool preview;  /* policy reload: only show what would follow */
        bool planned;  /* scan: only what was planned at `generation` */
        uint64_t generation;
        const char *why;      /* inhibit: for those who look at Leases; NULL for no reason */
        const char *identity; /* attach: only that one; NULL for whichever */
};

/* The exit statuses, documented in scsictl(1). */
enum status {
        STATUS_OK = 0,
        STATUS_FAILED = 1,      /* anything that is none of the following */
        STATUS_USAGE = 2,       /* the command line */
        STATUS_NOT_RUNNING = 3, /* the service, or the bus, cannot be reached */
        STATUS_DENIED = 4,      /* the caller may not do that */
        STATUS_NOT_FOUND = 5,   /* the key or scope names nothing */
        STATUS_INVALID = 6,     /* the key or scope is none */
        STATUS_JOB_FAILED = 7,  /* the job ended as failed or cancelled, or was not begun */
        STATUS_IN_USE = 8,      /* what was to be detached is in use */
        STATUS_INTERRUPTED = 130,
};
