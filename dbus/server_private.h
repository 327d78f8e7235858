/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of this folder share: the server's parts, and who may be told. */

#include "dbus/bus_loop.h"
#include "dbus/caller.h"
#include "dbus/job_views.h"
#include "dbus/leases.h"
#include "dbus/server.h"
#include "dbus/waiting.h"

/* The properties of the root object as they were last told. */
struct root_view {
        uint64_t generation;
        bool ready;
        bool busy;
        uint64_t leases; /* their serial */
        char kernel_scan_mode[FACT_NAME_MAX];
};

struct server {
        struct server_config config;
        struct server_handler handler;
        struct bus_loop *bus_loop;
        struct callers *callers;
        struct waiting *waiting;
        struct job_views *jobs;
        struct leases *leases;
        struct root_view shown;
        sd_bus *bus; /* while there is one that knows us, else NULL; not owned */
};
