/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/publisher.h"
#include "dbus/server_private.h"

typedef bool (*publish_stage)(struct server *server, struct publication *publication,
                              uint64_t until);

static const publish_stage stages[] = {
        publish_log,  publish_objects,     publish_batch, publish_notices,
        publish_root, publish_job_objects, publish_jobs,
};

/* A job that begins or ends says something of objects: all of them are told before it is. */
static bool jobs_allow_holding(const struct server *server) {
        const struct job *job;

        TAILQ_FOREACH (job, engine_jobs(server->config.engine), entry) {
                const struct job_view *view = job_views_find(server->jobs, job->id);

                if (!view || (job_is_finished(job) && !view->ended))
                        return false;
        }
        return true;
}

void publication_begin(struct server *server, struct publication *publication, bool held) {
        *publication = (struct publication){.held = held && jobs_allow_holding(server)};
        if (!publication->held)
                publication->changes = engine_take_changes(server->config.engine);
        if (publication->changes)
                publication->next = TAILQ_FIRST(change_set_entries(publication->changes));
}

bool publication_go_on(struct server *server, struct publication *publication, uint64_t until) {
        while (publication->stage < ELEMENTS_OF(stages)) {
                if (!stages[publication->stage](server, publication, until))
                        return false;
                publication->stage++;
        }
        return true;
}

void publication_done(struct publication *publication) {
        change_set_free(publication->changes);
        *publication = (struct publication){};
}
