/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/append.h"
#include "dbus/job_views.h"

/* Steps after which their pace says something about the rest. */
#define ESTIMATE_STEPS_MIN 5

struct job_views {
        struct job_view *by_id;
};

static bool path_lists_equal(const struct path_list *a, const struct path_list *b) {
        if (a->count != b->count)
                return false;
        for (size_t i = 0; i < a->count; i++)
                if (strcmp(a->paths[i], b->paths[i]) != 0)
                        return false;
        return true;
}

static int found(const struct object_id *id, void *userdata) {
        return path_list_add(userdata, id);
}

static int find_objects(const struct job *job, const struct topology *topology,
                        struct path_list *list) {
        const struct host *host;
        struct object_id id;
        int r = 0;

        if (job->scope.kind != SCOPE_ALL)
                return scope_find(&job->scope, topology, found, list);
        TAILQ_FOREACH (host, topology_hosts(topology), entry) {
                id = host_id(host);
                if (r >= 0)
                        r = path_list_add(list, &id);
        }
        return r;
}

int job_view_update_objects(struct job_view *view, const struct job *job,
                            const struct topology *topology, uint32_t *properties) {
        _cleanup_(path_list_done) struct path_list list = {};
        int r = find_objects(job, topology, &list);

        if (r < 0 || path_lists_equal(&view->objects, &list))
                return r;
        path_list_done(&view->objects);
        view->objects = list;
        list = (struct path_list){};
        *properties |= JOB_PROPERTY_OBJECTS;
        return 0;
}

static uint64_t estimate_end(const struct job *job, uint64_t now) {
        uint64_t taken = now - job->started;

        if (job_is_finished(job) || now <= job->started || job->steps_done < ESTIMATE_STEPS_MIN ||
            job->steps_done > job->steps_total)
                return 0;
        return job->started + taken / job->steps_done * job->steps_total;
}

static void job_view_set(struct job_view *view, const struct job *job, uint64_t now) {
        view->state = job->state;
        view->steps_done = job->steps_done;
        view->steps_total = job->steps_total;
        view->expected_end = estimate_end(job, now);
        memcpy(view->summary, job->summary, sizeof(view->summary));
}

uint32_t job_view_update(struct job_view *view, const struct job *job, uint64_t now) {
        uint64_t expected_end = view->expected_end;
        uint32_t properties = 0;

        if (view->steps_done != job->steps_done)
                properties |= JOB_PROPERTY_STEPS_DONE | JOB_PROPERTY_PROGRESS;
        if (view->steps_total != job->steps_total)
                properties |= JOB_PROPERTY_STEPS_TOTAL | JOB_PROPERTY_PROGRESS;
        if ((view->steps_total > 0) != (job->steps_total > 0))
                properties |= JOB_PROPERTY_PROGRESS_VALID;
        if (view->state != job->state)
                properties |= JOB_PROPERTY_STATE;
        if (view->state != job->state && job_is_finished(job))
                properties |= JOB_PROPERTY_FINISHED;
        if (memcmp(view->summary, job->summary, sizeof(view->summary)) != 0)
                properties |= JOB_PROPERTY_SUMMARY;
        job_view_set(view, job, now);
        if (view->expected_end != expected_end)
                properties |= JOB_PROPERTY_EXPECTED_END;
        return properties;
}

struct job_views *job_views_new(void) {
        return calloc(1, sizeof(struct job_views));
}

static void job_view_free(struct job_view *view) {
        path_list_done(&view->objects);
        free(view);
}

void job_views_free(struct job_views *views) {
        struct job_view *view, *next;

        if (!views)
                return;
        HASH_ITER (hh, views->by_id, view, next) {
                HASH_DEL(views->by_id, view);
                job_view_free(view);
        }
        free(views);
}

struct job_view *job_views_find(const struct job_views *views, uint64_t id) {
        struct job_view *view;

        HASH_FIND(hh, views->by_id, &id, sizeof(id), view);
        return view;
}

struct job_view *job_views_add(struct job_views *views, const struct job *job,
                               const struct topology *topology, uint64_t now) {
        struct job_view *view = calloc(1, sizeof(*view));
        uint32_t ignored = 0;

        if (!view)
                return NULL;
        view->id = job->id;
        job_view_set(view, job, now);
        if (job_view_update_objects(view, job, topology, &ignored) < 0) {
                job_view_free(view);
                return NULL;
        }
        HASH_ADD(hh, views->by_id, id, sizeof(view->id), view);
        return view;
}

void job_views_remove(struct job_views *views, uint64_t id) {
        struct job_view *view = job_views_find(views, id);

        if (!view)
                return;
        HASH_DEL(views->by_id, view);
        job_view_free(view);
}
