/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Each job as the bus was last told of it, to know what has changed; and the two properties that
 * are worked out from it, so that a getter only has to look.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dbus/paths.h"
#include "scan/job.h"
#include "scan/topology.h"
#include "util/cleanup.h"

/* Which properties changed, as change_set.h has it for the topology. */
enum job_property {
        JOB_PROPERTY_PROGRESS = 1 << 0,
        JOB_PROPERTY_PROGRESS_VALID = 1 << 1,
        JOB_PROPERTY_STEPS_DONE = 1 << 2,
        JOB_PROPERTY_STEPS_TOTAL = 1 << 3,
        JOB_PROPERTY_STATE = 1 << 4,
        JOB_PROPERTY_SUMMARY = 1 << 5,
        JOB_PROPERTY_OBJECTS = 1 << 6,
        JOB_PROPERTY_EXPECTED_END = 1 << 7,
        JOB_PROPERTY_FINISHED = 1 << 8, /* Result and Cancelable */
};

struct job_view {
        uint64_t id;
        bool begun;           /* Started was sent */
        bool ended;           /* Completed and Finished were sent */
        uint32_t unpublished; /* what has changed besides */
        enum job_state state;
        uint32_t steps_done;
        uint32_t steps_total;
        uint64_t summary[SUMMARY_FIELDS];
        struct path_list objects;
        uint64_t expected_end; /* µs, CLOCK_REALTIME; 0 when not known */
        UT_hash_handle hh;
};

struct job_views;

struct job_views *job_views_new(void);
void job_views_free(struct job_views *views);
DEFINE_CLEANUP(struct job_views *, job_views_free)

struct job_view *job_views_find(const struct job_views *views, uint64_t id);
/* As the job is now; NULL without memory. */
struct job_view *job_views_add(struct job_views *views, const struct job *job,
                               const struct topology *topology, uint64_t now);
void job_views_remove(struct job_views *views, uint64_t id);

/* Brings the view up to date; returns what was different. now: µs, CLOCK_REALTIME. */
uint32_t job_view_update(struct job_view *view, const struct job *job, uint64_t now);
/* The same for the objects that an unfinished job works on: those that its scope names now, of
 * everything the hosts alone. Once it has ended they stay as they were. -ENOMEM. */
int job_view_update_objects(struct job_view *view, const struct job *job,
                            const struct topology *topology, uint32_t *properties);
