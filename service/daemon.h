/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The composition root: the one place that knows every layer, and joins them on one loop. */

#include <stdbool.h>
#include <stdint.h>

enum daemon_mode {
        DAEMON_MODE_AUTO, /* owner while the kernel was told not to scan, else observer */
        DAEMON_MODE_TAKE_OVER,
        DAEMON_MODE_OWNER,
        DAEMON_MODE_OBSERVER,
};

struct fd_store;

#define DAEMON_POLICY_DIRS_MAX 16

struct daemon_options {
        const char *sysfs;
        const char *worker_socket; /* NULL: workers are children, with our own rights */
        const char *worker;
        const char *runtime_dir;
        const char *state_dir;
        /* The highest first, then NULL; none: where they usually are. */
        const char *policy_dirs[DAEMON_POLICY_DIRS_MAX + 1];
        int uevent_fd; /* -1: open one */
        uint64_t deadline_usec;
        uint32_t one_shot_sec;      /* one pass without a bus, within that time; 0: a service */
        const char *one_shot_until; /* which ends as soon as that file is there; NULL: does not */
        uint32_t poll_interval_ms;  /* a silent target is asked that often; 0: never */
        uint32_t attention_ms; /* the longest that 3F/0E waits before its target is asked again */
        uint32_t confirm_ms;   /* between the two times that a unit has to say it is gone */
        enum daemon_mode mode; /* see mode.h */
        bool restore_scan;     /* at the end the kernel scans again, if it was taken over */
};

/* Goes on with what was kept of an earlier run, and runs until SIGTERM or SIGINT: 0, or -errno of
 * what made it end. */
int daemon_run(const struct daemon_options *options, struct fd_store *store);
