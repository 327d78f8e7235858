/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>

#include "dbus/job_views.h"

#define SECOND UINT64_C(1000000)

struct views {
        struct topology *topology;
        struct job_views *views;
        struct job job;
};

static void add_host(struct views *views, uint32_t number) {
        struct fact fact = {.kind = FACT_HOST, .address.target.host = number};
        struct change_set *changes = change_set_new();

        g_assert_cmpint(topology_apply(views->topology, &fact, changes), ==, 0);
        change_set_free(changes);
}

static struct job_view *set_up(struct views *views) {
        *views = (struct views){
                .topology = topology_new(),
                .views = job_views_new(),
                .job = {.id = 7, .state = JOB_RUNNING, .started = 100 * SECOND},
        };
        return job_views_add(views->views, &views->job, views->topology, 100 * SECOND);
}

static void tear_down(struct views *views) {
        job_views_free(views->views);
        topology_free(views->topology);
}

static void test_difference(void) {
        struct views views;
        struct job_view *view = set_up(&views);
        struct job *job = &views.job;

        g_assert_cmpuint(job_view_update(view, job, 100 * SECOND), ==, 0);
        job->steps_total = 10;
        g_assert_cmpuint(job_view_update(view, job, 100 * SECOND), ==,
                         JOB_PROPERTY_STEPS_TOTAL | JOB_PROPERTY_PROGRESS |
                                 JOB_PROPERTY_PROGRESS_VALID);
        job->steps_done = 1;
        g_assert_cmpuint(job_view_update(view, job, 101 * SECOND), ==,
                         JOB_PROPERTY_STEPS_DONE | JOB_PROPERTY_PROGRESS);
        job->summary[SUMMARY_ATTACHED]++;
        g_assert_cmpuint(job_view_update(view, job, 101 * SECOND), ==, JOB_PROPERTY_SUMMARY);
        job->state = JOB_FAILED;
        g_assert_cmpuint(job_view_update(view, job, 101 * SECOND), ==,
                         JOB_PROPERTY_STATE | JOB_PROPERTY_FINISHED);
        g_assert_cmpuint(job_view_update(view, job, 102 * SECOND), ==, 0);
        tear_down(&views);
}

/* Five steps of ten in five seconds: five more. A clock that was set back says nothing. */
static void test_expected_end(void) {
        struct views views;
        struct job_view *view = set_up(&views);
        struct job *job = &views.job;

        job->steps_total = 10;
        job->steps_done = 4;
        (void)job_view_update(view, job, 104 * SECOND);
        g_assert_cmpuint(view->expected_end, ==, 0);
        job->steps_done = 5;
        g_assert_true(job_view_update(view, job, 105 * SECOND) & JOB_PROPERTY_EXPECTED_END);
        g_assert_cmpuint(view->expected_end, ==, 110 * SECOND);
        (void)job_view_update(view, job, 99 * SECOND);
        g_assert_cmpuint(view->expected_end, ==, 0);
        (void)job_view_update(view, job, 105 * SECOND);
        job->state = JOB_DONE;
        (void)job_view_update(view, job, 106 * SECOND);
        g_assert_cmpuint(view->expected_end, ==, 0);
        tear_down(&views);
}

static void test_objects(void) {
        struct views views;
        struct job_view *view = set_up(&views);
        uint32_t properties = 0;

        g_assert_cmpuint(view->objects.count, ==, 0);
        add_host(&views, 3);
        g_assert_cmpint(job_view_update_objects(view, &views.job, views.topology, &properties), ==,
                        0);
        g_assert_cmpuint(properties, ==, JOB_PROPERTY_OBJECTS);
        g_assert_cmpuint(view->objects.count, ==, 1);
        g_assert_cmpstr(view->objects.paths[0], ==, "/org/scsiscan1/host/3");
        properties = 0;
        g_assert_cmpint(job_view_update_objects(view, &views.job, views.topology, &properties), ==,
                        0);
        g_assert_cmpuint(properties, ==, 0);
        tear_down(&views);
}

static void test_table(void) {
        struct views views;
        struct job_view *view = set_up(&views);

        g_assert_true(job_views_find(views.views, 7) == view);
        g_assert_null(job_views_find(views.views, 8));
        job_views_remove(views.views, 8);
        job_views_remove(views.views, 7);
        g_assert_null(job_views_find(views.views, 7));
        tear_down(&views);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/job-views/difference", test_difference);
        g_test_add_func("/dbus/job-views/expected-end", test_expected_end);
        g_test_add_func("/dbus/job-views/objects", test_objects);
        g_test_add_func("/dbus/job-views/table", test_table);
        return g_test_run();
}
