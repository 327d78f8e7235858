/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "scan/jobs.h"

struct fixture {
        struct jobs *jobs;
        struct scan_time now;
};

static void fixture_set_up(struct fixture *f, const void *unused) {
        f->jobs = jobs_new();
        f->now = (struct scan_time){.realtime = 1000000, .monotonic = 1000};
}

static void fixture_tear_down(struct fixture *f, const void *unused) {
        jobs_free(f->jobs);
}

static int try_add(struct fixture *f, enum job_cause cause, uint32_t uid, struct job **ret) {
        struct scope scope = {.kind = SCOPE_HOST, .address.target.host = 3};
        struct job_order order = {
                .scope = &scope, .scope_text = "host3", .cause = cause, .uid = uid, .attach = true};

        return jobs_add(f->jobs, &order, f->now, ret);
}

static struct job *add(struct fixture *f, enum job_cause cause, uint32_t uid) {
        struct job *job = NULL;

        g_assert_cmpint(try_add(f, cause, uid, &job), ==, 0);
        g_assert_nonnull(job);
        return job;
}

static void take_all(struct fixture *f) {
        while (jobs_take_dirty(f->jobs))
                continue;
}

static void end(struct fixture *f, struct job *job) {
        job_mask bit = job_bit(job);

        jobs_task_begin(f->jobs, bit);
        jobs_task_end(f->jobs, bit, f->now);
}

/* ---- one job ---- */

static void test_words(void) {
        static const char *const causes[CAUSE_KINDS] = {"request", "uevent", "unit-attention",
                                                        "poll",    "resync", "boot"};
        static const char *const states[JOB_STATES] = {"queued", "running", "done", "failed",
                                                       "cancelled"};
        static const char *const fields[SUMMARY_FIELDS] = {"attached",  "detached", "changed",
                                                           "unchanged", "failed",   "skipped"};

        for (unsigned i = 0; i < CAUSE_KINDS; i++)
                g_assert_cmpstr(job_cause_name((enum job_cause)i), ==, causes[i]);
        for (unsigned i = 0; i < JOB_STATES; i++)
                g_assert_cmpstr(job_state_name((enum job_state)i), ==, states[i]);
        for (unsigned i = 0; i < SUMMARY_FIELDS; i++)
                g_assert_cmpstr(summary_field_name((enum summary_field)i), ==, fields[i]);
}

static void test_add(struct fixture *f, const void *unused) {
        struct scope scope = {.kind = SCOPE_NAME, .name = strdup("naa.1")};
        struct job_order order = {.scope = &scope,
                                  .scope_text = "naa.1",
                                  .cause = CAUSE_REQUEST,
                                  .uid = 7,
                                  .verify = true};
        struct job *job = NULL;

        g_assert_cmpint(jobs_add(f->jobs, &order, f->now, &job), ==, 0);
        scope_done(&scope);
        g_assert_cmpuint(job->id, !=, 0);
        g_assert_cmpint(job->state, ==, JOB_QUEUED);
        g_assert_cmpstr(job->scope.name, ==, "naa.1");
        g_assert_cmpstr(job->scope_text, ==, "naa.1");
        g_assert_cmpuint(job->uid, ==, 7);
        g_assert_true(job->verify);
        g_assert_false(job->attach);
        g_assert_cmpuint(job->started, ==, f->now.realtime);
        g_assert_cmpuint(job->ended, ==, 0);
        g_assert_true(jobs_find(f->jobs, job->id) == job);
        g_assert_null(jobs_find(f->jobs, job->id + 1));
        g_assert_true(jobs_take_dirty(f->jobs) == job);
        g_assert_null(jobs_take_dirty(f->jobs));
}

static void test_run(struct fixture *f, const void *unused) {
        struct job *job = add(f, CAUSE_BOOT, 0);
        job_mask bit = job_bit(job);

        jobs_task_begin(f->jobs, bit);
        g_assert_cmpint(job->state, ==, JOB_RUNNING);
        jobs_task_begin(f->jobs, bit);
        jobs_task_end(f->jobs, bit, f->now);
        g_assert_cmpint(job->state, ==, JOB_RUNNING);
        f->now.monotonic = 5000;
        jobs_task_end(f->jobs, bit, f->now);
        g_assert_cmpint(job->state, ==, JOB_DONE);
        g_assert_cmpuint(job->ended, ==, 5000);
        g_assert_cmpint(job->slot, <, 0);
        g_assert_cmpint(job->error, ==, JOB_ERROR_NONE);
}

/* What becomes of a job by what became of its tasks: e(nded), f(ailed), l(eft). */
static void test_outcome(struct fixture *f, const void *unused) {
        static const struct {
                const char *tasks;
                enum job_state state;
                uint64_t failed;
        } table[] = {
                {"e", JOB_DONE, 0},    {"l", JOB_DONE, 0},    {"f", JOB_FAILED, 1},
                {"ff", JOB_FAILED, 2}, {"fl", JOB_FAILED, 1}, {"lf", JOB_FAILED, 1},
                {"ef", JOB_DONE, 1},   {"fe", JOB_DONE, 1},   {"ffel", JOB_DONE, 2},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
                struct job *job = add(f, CAUSE_UEVENT, 0);
                job_mask bit = job_bit(job);

                g_test_message("%s", table[i].tasks);
                for (const char *task = table[i].tasks; *task; task++)
                        jobs_task_begin(f->jobs, bit);
                for (const char *task = table[i].tasks; *task; task++) {
                        g_assert_cmpint(job->state, ==, JOB_RUNNING);
                        if (*task == 'e')
                                jobs_task_end(f->jobs, bit, f->now);
                        else if (*task == 'l')
                                jobs_task_leave(f->jobs, bit, f->now);
                        else
                                jobs_task_fail(f->jobs, bit, JOB_ERROR_FAILED, "no", f->now);
                }
                g_assert_cmpint(job->state, ==, table[i].state);
                g_assert_cmpuint(job->summary[SUMMARY_FAILED], ==, table[i].failed);
        }
}

/* The first failure is the one that is told, and its sentence fits. */
static void test_first_failure(struct fixture *f, const void *unused) {
        g_autofree char *sentence = g_strnfill(500, 's');
        struct job *job = add(f, CAUSE_UEVENT, 0);
        job_mask bit = job_bit(job);

        for (int i = 0; i < 3; i++)
                jobs_task_begin(f->jobs, bit);
        jobs_task_fail(f->jobs, bit, JOB_ERROR_DEVICE_TIMEOUT, sentence, f->now);
        jobs_task_fail(f->jobs, bit, JOB_ERROR_HOST_STUCK, "host3 is stuck", f->now);
        jobs_task_end(f->jobs, bit, f->now);
        g_assert_cmpint(job->state, ==, JOB_DONE);
        g_assert_cmpint(job->error, ==, JOB_ERROR_DEVICE_TIMEOUT);
        g_assert_cmpuint(strlen(job->message), ==, sizeof(job->message) - 1);
        g_assert_true(g_str_has_prefix(sentence, job->message));
}

static void test_progress(struct fixture *f, const void *unused) {
        struct job *job = add(f, CAUSE_UEVENT, 0);
        job_mask bit = job_bit(job);

        jobs_task_begin(f->jobs, bit);
        g_assert_cmpuint(job->steps_total, ==, 1);
        g_assert_cmpuint(job->steps_done, ==, 0);
        take_all(f);
        jobs_expect(f->jobs, bit, 16);
        g_assert_cmpuint(job->steps_total, ==, 17);
        g_assert_true(jobs_take_dirty(f->jobs) == job);
        jobs_advance(f->jobs, bit, 4);
        g_assert_cmpuint(job->steps_done, ==, 4);
        g_assert_true(jobs_take_dirty(f->jobs) == job);
        jobs_count(f->jobs, bit, SUMMARY_ATTACHED);
        g_assert_true(jobs_take_dirty(f->jobs) == job);
        jobs_count(f->jobs, bit, SUMMARY_ATTACHED);
        jobs_count(f->jobs, bit, SUMMARY_SKIPPED);
        jobs_task_end(f->jobs, bit, f->now);
        g_assert_cmpuint(job->steps_done, ==, job->steps_total);
        g_assert_cmpuint(job->summary[SUMMARY_ATTACHED], ==, 2);
        g_assert_cmpuint(job->summary[SUMMARY_SKIPPED], ==, 1);
        g_assert_cmpuint(job->summary[SUMMARY_FAILED], ==, 0);
}

/* ---- several ---- */

/* A task reports to the jobs of its mask, and to no other. */
static void test_mask(struct fixture *f, const void *unused) {
        struct job *a = add(f, CAUSE_UEVENT, 0), *b = add(f, CAUSE_POLL, 0),
                   *c = add(f, CAUSE_RESYNC, 0);
        job_mask both = job_bit(a) | job_bit(b), bit_b = job_bit(b);

        g_assert_cmpint(__builtin_popcountll(both | job_bit(c)), ==, 3);
        jobs_task_begin(f->jobs, both);
        jobs_task_begin(f->jobs, bit_b);
        jobs_expect(f->jobs, both, 2);
        jobs_count(f->jobs, both, SUMMARY_CHANGED);
        jobs_task_end(f->jobs, both, f->now);
        g_assert_cmpint(a->state, ==, JOB_DONE);
        g_assert_cmpint(b->state, ==, JOB_RUNNING);
        g_assert_cmpint(c->state, ==, JOB_QUEUED);
        g_assert_cmpuint(c->steps_total, ==, 0);
        g_assert_cmpuint(c->summary[SUMMARY_CHANGED], ==, 0);
        g_assert_cmpuint(b->summary[SUMMARY_CHANGED], ==, 1);
        jobs_task_fail(f->jobs, bit_b, JOB_ERROR_FAILED, "no", f->now);
        g_assert_cmpint(b->state, ==, JOB_DONE);

        jobs_task_begin(f->jobs, 0);
        jobs_task_end(f->jobs, 0, f->now);
        jobs_task_fail(f->jobs, 0, JOB_ERROR_FAILED, "no", f->now);
        g_assert_cmpint(c->state, ==, JOB_QUEUED);
}

/* In the order they first changed, each once. */
static void test_dirty(struct fixture *f, const void *unused) {
        struct job *a = add(f, CAUSE_UEVENT, 0), *b = add(f, CAUSE_UEVENT, 0);
        job_mask both = job_bit(a) | job_bit(b);

        take_all(f);
        jobs_task_begin(f->jobs, job_bit(b));
        jobs_task_begin(f->jobs, both);
        jobs_advance(f->jobs, both, 1);
        g_assert_true(jobs_take_dirty(f->jobs) == b);
        g_assert_true(jobs_take_dirty(f->jobs) == a);
        g_assert_null(jobs_take_dirty(f->jobs));
        g_assert_true(TAILQ_FIRST(jobs_all(f->jobs)) == a);
        g_assert_true(TAILQ_NEXT(a, entry) == b);
}

/* ---- limits ---- */

static void test_limit_user(struct fixture *f, const void *unused) {
        struct job *job, *first = add(f, CAUSE_REQUEST, 7);

        for (int i = 1; i < JOBS_ACTIVE_PER_USER_MAX; i++)
                add(f, CAUSE_REQUEST, 7);
        g_assert_cmpint(try_add(f, CAUSE_REQUEST, 7, &job), ==, -EBUSY);
        add(f, CAUSE_REQUEST, 8);
        /* What the service does by itself counts for nobody, and is bound by nobody's. */
        add(f, CAUSE_UEVENT, 7);
        end(f, first);
        add(f, CAUSE_REQUEST, 7);
        g_assert_cmpint(try_add(f, CAUSE_REQUEST, 7, &job), ==, -EBUSY);
}

/* All others together cannot take root's part, nor can all together take the service's own. */
static void test_limit_all(struct fixture *f, const void *unused) {
        const unsigned own = JOBS_ACTIVE_MAX - JOBS_ACTIVE_USERS_MAX - JOBS_ACTIVE_ROOT_MAX;
        job_mask slots = 0;
        struct job *job = NULL;

        for (unsigned i = 0; i < JOBS_ACTIVE_USERS_MAX; i++)
                slots |= job_bit(add(f, CAUSE_REQUEST, 1 + i / JOBS_ACTIVE_PER_USER_MAX));
        g_assert_cmpint(try_add(f, CAUSE_REQUEST, 100, &job), ==, -EBUSY);
        for (unsigned i = 0; i < JOBS_ACTIVE_ROOT_MAX; i++)
                slots |= job_bit(add(f, CAUSE_REQUEST, 0));
        g_assert_cmpint(try_add(f, CAUSE_REQUEST, 0, &job), ==, -EBUSY);
        for (unsigned i = 0; i < own; i++)
                slots |= job_bit(add(f, CAUSE_RESYNC, 0));
        g_assert_cmpuint(slots, ==, UINT64_MAX);
        g_assert_cmpint(try_add(f, CAUSE_RESYNC, 0, &job), ==, -EBUSY);
        g_assert_null(job);

        jobs_task_begin(f->jobs, slots);
        jobs_task_end(f->jobs, slots, f->now);
        TAILQ_FOREACH (job, jobs_all(f->jobs), entry)
                g_assert_cmpint(job->state, ==, JOB_DONE);
        add(f, CAUSE_REQUEST, 100);
}

/* ---- cancelling ---- */

static void test_cancel(struct fixture *f, const void *unused) {
        struct job *job = add(f, CAUSE_REQUEST, 7), *other;
        job_mask bit = job_bit(job);

        jobs_task_begin(f->jobs, bit);
        jobs_task_begin(f->jobs, bit);
        take_all(f);
        g_assert_cmpint(jobs_cancel(f->jobs, job->id + 1, f->now), ==, -ENOENT);
        g_assert_cmpint(jobs_cancel(f->jobs, job->id, f->now), ==, 0);
        g_assert_cmpint(job->state, ==, JOB_CANCELLED);
        g_assert_cmpuint(job->ended, ==, f->now.monotonic);
        g_assert_cmpstr(job->message, !=, "");
        g_assert_true(jobs_take_dirty(f->jobs) == job);
        g_assert_cmpint(jobs_cancel(f->jobs, job->id, f->now), ==, -EALREADY);

        /* Its bit is nobody else's while a task carries it. */
        g_assert_cmpint(job->slot, >=, 0);
        other = add(f, CAUSE_REQUEST, 7);
        g_assert_cmpint(other->slot, !=, job->slot);
        jobs_task_end(f->jobs, bit, f->now);
        g_assert_cmpint(job->slot, >=, 0);
        jobs_task_fail(f->jobs, bit, JOB_ERROR_FAILED, "no", f->now);
        g_assert_cmpint(job->slot, <, 0);
        g_assert_cmpint(job->state, ==, JOB_CANCELLED);
}

static void test_cancel_ended(struct fixture *f, const void *unused) {
        struct job *job = add(f, CAUSE_REQUEST, 7);

        end(f, job);
        g_assert_cmpint(jobs_cancel(f->jobs, job->id, f->now), ==, -EALREADY);
        g_assert_cmpint(job->state, ==, JOB_DONE);
}

static void test_want(struct fixture *f, const void *unused) {
        struct job *a = add(f, CAUSE_REQUEST, 7), *b = add(f, CAUSE_REQUEST, 7);
        job_mask both = job_bit(a) | job_bit(b);

        jobs_task_begin(f->jobs, both);
        g_assert_true(jobs_want(f->jobs, 0));
        g_assert_true(jobs_want(f->jobs, both));
        g_assert_cmpint(jobs_cancel(f->jobs, a->id, f->now), ==, 0);
        g_assert_true(jobs_want(f->jobs, both));
        g_assert_false(jobs_want(f->jobs, job_bit(a)));
        g_assert_cmpint(jobs_cancel(f->jobs, b->id, f->now), ==, 0);
        g_assert_false(jobs_want(f->jobs, both));
        jobs_task_end(f->jobs, both, f->now);
}

/* ---- forgetting ---- */

static void test_expire(struct fixture *f, const void *unused) {
        struct job *a = add(f, CAUSE_REQUEST, 7), *b = add(f, CAUSE_REQUEST, 7);
        uint64_t first = a->id, second = b->id, id = 0;

        end(f, a);
        f->now.monotonic += 10;
        end(f, b);
        f->now.monotonic += JOB_KEPT_USEC - 10;
        /* Not before its end was told. */
        g_assert_false(jobs_expire(f->jobs, f->now, &id));
        take_all(f);
        g_assert_true(jobs_expire(f->jobs, f->now, &id));
        g_assert_cmpuint(id, ==, first);
        g_assert_null(jobs_find(f->jobs, first));
        g_assert_false(jobs_expire(f->jobs, f->now, &id));
        f->now.monotonic += 9;
        g_assert_false(jobs_expire(f->jobs, f->now, &id));
        f->now.monotonic += 1;
        g_assert_true(jobs_expire(f->jobs, f->now, &id));
        g_assert_cmpuint(id, ==, second);
        g_assert_true(TAILQ_EMPTY(jobs_all(f->jobs)));
        g_assert_false(jobs_expire(f->jobs, f->now, &id));
        g_assert_cmpuint(add(f, CAUSE_REQUEST, 7)->id, >, second);
}

static void test_expire_cancelled(struct fixture *f, const void *unused) {
        struct job *job = add(f, CAUSE_REQUEST, 7);
        job_mask bit = job_bit(job);
        uint64_t id = 0;

        jobs_task_begin(f->jobs, bit);
        g_assert_cmpint(jobs_cancel(f->jobs, job->id, f->now), ==, 0);
        take_all(f);
        f->now.monotonic += JOB_KEPT_USEC;
        g_assert_false(jobs_expire(f->jobs, f->now, &id));
        jobs_task_end(f->jobs, bit, f->now);
        take_all(f);
        g_assert_true(jobs_expire(f->jobs, f->now, &id));
}

static void end_many(struct fixture *f, enum job_cause cause, uint32_t uid, unsigned count) {
        for (unsigned i = 0; i < count; i++)
                end(f, add(f, cause, uid));
        take_all(f);
}

/* Who has too many kept is refused, and nobody else; what was asked for stays as long as said,
 * whatever others do; of the service's own, what ended beyond so many goes at once. */
static void test_kept_max(struct fixture *f, const void *unused) {
        const unsigned users = JOBS_KEPT_USERS_MAX / JOBS_KEPT_PER_USER_MAX;
        struct job *job;
        uint64_t id = 0;

        end_many(f, CAUSE_REQUEST, 7, JOBS_KEPT_PER_USER_MAX);
        g_assert_cmpint(try_add(f, CAUSE_REQUEST, 7, &job), ==, -EBUSY);
        for (unsigned i = 1; i < users; i++)
                end_many(f, CAUSE_REQUEST, 100 + i, JOBS_KEPT_PER_USER_MAX);
        g_assert_cmpint(try_add(f, CAUSE_REQUEST, 100, &job), ==, -EBUSY);
        end_many(f, CAUSE_REQUEST, 0, JOBS_KEPT_ROOT_MAX);
        g_assert_cmpint(try_add(f, CAUSE_REQUEST, 0, &job), ==, -EBUSY);
        end_many(f, CAUSE_UEVENT, 0, JOBS_KEPT_OWN_MAX);
        g_assert_false(jobs_expire(f->jobs, f->now, &id));
        end_many(f, CAUSE_UEVENT, 0, 1);
        g_assert_true(jobs_expire(f->jobs, f->now, &id));
        g_assert_false(jobs_expire(f->jobs, f->now, &id));
        f->now.monotonic += JOB_KEPT_USEC;
        for (unsigned i = 0; i < JOBS_KEPT_USERS_MAX + JOBS_KEPT_ROOT_MAX + JOBS_KEPT_OWN_MAX; i++)
                g_assert_true(jobs_expire(f->jobs, f->now, &id));
        g_assert_false(jobs_expire(f->jobs, f->now, &id));
        add(f, CAUSE_REQUEST, 7);
        add(f, CAUSE_REQUEST, 0);
}

int main(int argc, char **argv) {
        static const struct {
                const char *path;
                void (*test)(struct fixture *f, const void *unused);
        } tests[] = {
                {"/scan/jobs/add", test_add},
                {"/scan/jobs/run", test_run},
                {"/scan/jobs/outcome", test_outcome},
                {"/scan/jobs/first-failure", test_first_failure},
                {"/scan/jobs/progress", test_progress},
                {"/scan/jobs/mask", test_mask},
                {"/scan/jobs/dirty", test_dirty},
                {"/scan/jobs/limit-user", test_limit_user},
                {"/scan/jobs/limit-all", test_limit_all},
                {"/scan/jobs/cancel", test_cancel},
                {"/scan/jobs/cancel-ended", test_cancel_ended},
                {"/scan/jobs/want", test_want},
                {"/scan/jobs/expire", test_expire},
                {"/scan/jobs/expire-cancelled", test_expire_cancelled},
                {"/scan/jobs/kept-max", test_kept_max},
        };

        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/scan/jobs/words", test_words);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, struct fixture, NULL, fixture_set_up, tests[i].test,
                           fixture_tear_down);
        return g_test_run();
}
