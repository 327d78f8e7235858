/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of this folder share: the server's parts, and who may be told. */

#include "dbus/bus_loop.h"
#include "dbus/caller.h"
#include "dbus/fair_queue.h"
#include "dbus/history.h"
#include "dbus/job_views.h"
#include "dbus/leases.h"
#include "dbus/replies.h"
#include "dbus/server.h"
#include "dbus/telling.h"
#include "dbus/waiting.h"

/* The properties of the root object as they were last told. */
struct root_view {
        uint64_t generation;
        bool ready;
        bool busy;
        uint64_t leases; /* their serial */
        char kernel_scan_mode[FACT_NAME_MAX];
        uint64_t mode; /* server.mode_serial */
};

/* What the getters of a job look at. */
struct job_object {
        struct server *server;
        const struct job *job;
};

static inline struct job_object job_object(struct server *server, const struct job *job) {
        return (struct job_object){.server = server, .job = job};
}

struct server {
        struct server_config config;
        struct server_handler handler;
        struct bus_loop *bus_loop;
        struct fair_queue *calls; /* those whose turn has not come */
        struct callers *callers;
        struct waiting *waiting;
        struct job_views *jobs;
        struct leases *leases;
        struct replies *replies;
        struct telling *telling;
        struct history *history;
        struct root_view shown;
        uint64_t mode_serial;        /* grows when Mode or ModeReason changes */
        struct job_object found_job; /* by sd-bus, for the call it is in */
        sd_bus *bus;                 /* while there is one that knows us, else NULL; not owned */
};
