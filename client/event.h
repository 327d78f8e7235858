/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One line for each thing that happens; nothing here needs a bus. All: 0 or -errno. */

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/options.h"

/* A signal of the service. */
struct event {
        uint64_t time_usec; /* when it arrived, CLOCK_REALTIME */
        const char *path;
        const char *interface;
        const char *member;
        struct json_object *arguments; /* an array */
};

int event_print(const struct event *event, const struct options *options);

/* The service itself came or went. */
int event_print_service(uint64_t time_usec, bool running, const struct options *options);
