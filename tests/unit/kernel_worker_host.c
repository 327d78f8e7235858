/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workers that are children; or, when it is started with SCSISCAN_FAKE_SYSTEMD, such as somebody
 * else starts for a connection. */

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <linux/close_range.h>

#include "kernel/worker_host.h"
#include "kernel/worker_lock.h"
#include "kernel_fake_hosts.h"
#include "kernel_fake_systemd.h"
#include "util/cleanup.h"

/* Well above what it takes to start a process on a busy machine. */
#define DEADLINE_MSEC 1000
#define IDLE_MSEC 100
/* Nothing here takes that long unless it is broken. */
#define LIMIT_MSEC 8000

struct fixture {
        uv_loop_t loop;
        uv_timer_t limit;
        struct worker_hosts *hosts;
        char *directory;
        GString *trace; /* what came back, in order: "answered 1, lost 2, " */
        guint count;    /* words in it */
        guint wanted;
        int error; /* of the last answer or failure */
        int worst_error;
        bool submitting;
        uint64_t next;      /* id */
        uint64_t follow_up; /* LUN that is asked for as soon as a step comes back, once */
        bool stop_on_answer;
};

__attribute__((format(printf, 2, 3))) static void note(struct fixture *fixture, const char *format,
                                                       ...) {
        va_list arguments;

        g_assert_false(fixture->submitting);
        va_start(arguments, format);
        g_string_append_vprintf(fixture->trace, format, arguments);
        va_end(arguments);
        g_string_append(fixture->trace, ", ");
        if (++fixture->count >= fixture->wanted)
                uv_stop(&fixture->loop);
}

static void answered(const struct step *step, const struct worker_reply *reply, const uint8_t *data,
                     void *userdata) {
        struct fixture *fixture = userdata;

        g_assert_cmpuint(reply->id, ==, step->id);
        fixture->error = reply->error;
        fixture->worst_error = MIN(fixture->worst_error, reply->error);
        note(fixture, "answered %" G_GUINT64_FORMAT, step->id);
        if (fixture->stop_on_answer)
                worker_hosts_stop(fixture->hosts);
}

static void submit(struct fixture *fixture, uint32_t host, uint64_t lun) {
        const struct step step = {
                .id = fixture->next++,
                .kind = STEP_READ_DEVICE,
                .address = {{host, 0, 0}, lun},
        };

        fixture->submitting = true;
        worker_hosts_submit(fixture->hosts, &step);
        fixture->submitting = false;
}

static void failed(const struct step *step, enum observed observed, int error, void *userdata) {
        struct fixture *fixture = userdata;

        fixture->error = error;
        note(fixture, "%s %" G_GUINT64_FORMAT, observed_name(observed), step->id);
        if (fixture->follow_up) {
                submit(fixture, step->address.target.host, fixture->follow_up);
                fixture->follow_up = 0;
        }
}

static void event(const struct event *what, void *userdata) {
        note(userdata, "%s %u", what->kind == EVENT_HOST_STUCK ? "host-stuck" : "host-released",
             what->address.target.host);
}

static void limit_reached(uv_timer_t *timer) {
        g_error("what was waited for has not come");
}

/* `elsewhere`: not where workers are. */
static void hosts_open(struct fixture *fixture, const char *elsewhere) {
        const char *systemd = g_getenv("SCSISCAN_FAKE_SYSTEMD"), *worker = elsewhere;
        const struct worker_hosts_config config = {
                .worker_socket = systemd && elsewhere ? elsewhere : systemd,
                .worker = worker ? worker : g_getenv("SCSISCAN_FAKE_WORKER"),
                .sysfs = "/sys",
                .runtime_dir = fixture->directory,
                .deadline_usec = DEADLINE_MSEC * 1000,
                .idle_msec = IDLE_MSEC,
        };
        const struct worker_hosts_handler handler = {answered, failed, event, fixture};

        g_assert_nonnull(config.worker);
        g_assert_cmpint(worker_hosts_new(&fixture->loop, &config, &handler, &fixture->hosts), ==,
                        0);
}

static void fixture_open(struct fixture *fixture, const char *elsewhere) {
        *fixture = (struct fixture){.next = 1, .trace = g_string_new("")};
        fixture->directory = g_dir_make_tmp("hosts-XXXXXX", NULL);
        g_assert_cmpint(uv_loop_init(&fixture->loop), ==, 0);
        uv_timer_init(&fixture->loop, &fixture->limit);
        uv_unref((uv_handle_t *)&fixture->limit);
        uv_timer_start(&fixture->limit, limit_reached, LIMIT_MSEC, 0);
        hosts_open(fixture, elsewhere);
}

/* Until so many words more have come. */
static void await(struct fixture *fixture, guint words) {
        fixture->wanted = fixture->count + words;
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
        g_assert_cmpuint(fixture->count, >=, fixture->wanted);
}

#define assert_trace(fixture, expected)                                                            \
        do {                                                                                       \
                g_assert_cmpstr((fixture)->trace->str, ==, expected);                              \
                g_string_truncate((fixture)->trace, 0);                                            \
        } while (0)

/* Stops, which must neither wait nor call back. */
static void hosts_close(struct fixture *fixture) {
        gint64 begin = g_get_monotonic_time();
        guint count = fixture->count;

        worker_hosts_stop(fixture->hosts);
        while (uv_run(&fixture->loop, UV_RUN_DEFAULT) != 0) /* an earlier uv_stop() may end one */
                ;
        g_assert_cmpint(g_get_monotonic_time() - begin, <, 500000);
        g_assert_cmpuint(fixture->count, ==, count);
        worker_hosts_free(fixture->hosts);
}

static void fixture_close(struct fixture *fixture) {
        g_autofree char *command = g_strdup_printf("rm -rf '%s'", fixture->directory);

        hosts_close(fixture);
        uv_close((uv_handle_t *)&fixture->limit, NULL);
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
        g_assert_cmpint(uv_loop_close(&fixture->loop), ==, 0);
        g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
        g_free(fixture->directory);
        g_string_free(fixture->trace, TRUE);
}

static void assert_counters(const struct fixture *fixture, uint64_t started, uint64_t died,
                            uint64_t stuck) {
        const struct worker_counters counters = worker_hosts_counters(fixture->hosts);

        g_assert_cmpuint(counters.started, ==, started);
        g_assert_cmpuint(counters.died, ==, died);
        g_assert_cmpuint(counters.stuck, ==, stuck);
}

static void test_answered(void) {
        struct fixture fixture;

        fixture_open(&fixture, NULL);
        for (uint64_t lun = 0; lun < 10; lun++)
                submit(&fixture, FAKE_ANSWERS, lun);
        await(&fixture, 10);
        assert_trace(&fixture,
                     "answered 1, answered 2, answered 3, answered 4, answered 5, answered 6, "
                     "answered 7, answered 8, answered 9, answered 10, ");
        assert_counters(&fixture, 1, 0, 0);
        fixture_close(&fixture);
}

static void test_in_flight(void) {
        struct fixture fixture;

        fixture_open(&fixture, NULL);
        for (uint64_t lun = 0; lun < 20; lun++)
                submit(&fixture, FAKE_COUNTS, lun);
        await(&fixture, 20);
        g_assert_cmpint(-fixture.worst_error, ==, WORKER_THREADS);
        fixture_close(&fixture);
}

static void test_descriptors(void) {
        struct fixture fixture;

        /* Ours are all closed on exec; whoever runs the test may have left it others. */
        g_assert_cmpint(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC), ==, 0);
        fixture_open(&fixture, NULL);
        submit(&fixture, FAKE_ANSWERS, 0);
        await(&fixture, 1);
        submit(&fixture, FAKE_DESCRIPTORS, 0);
        await(&fixture, 1);
        g_assert_cmpint(fixture.error, ==, 0);
        fixture_close(&fixture);
}

/* With nothing to do the worker ends, the host is forgotten, and its lock's file goes. */
static void test_idle(void) {
        g_autoptr(GDir) directory = NULL;
        struct fixture fixture;

        fixture_open(&fixture, NULL);
        submit(&fixture, FAKE_ANSWERS, 0);
        await(&fixture, 1);
        g_assert_cmpint(worker_lock_take(fixture.directory, FAKE_ANSWERS), ==, -EWOULDBLOCK);
        uv_run(&fixture.loop, UV_RUN_DEFAULT); /* returns by itself: no handle is left */
        directory = g_dir_open(fixture.directory, 0, NULL);
        g_assert_null(g_dir_read_name(directory));
        submit(&fixture, FAKE_ANSWERS, 0);
        await(&fixture, 1);
        assert_trace(&fixture, "answered 1, answered 2, ");
        assert_counters(&fixture, 2, 0, 0);
        fixture_close(&fixture);
}

static void test_lost(void) {
        struct fixture fixture;
        gint64 begin;

        fixture_open(&fixture, NULL);
        submit(&fixture, FAKE_DIES, 0);
        await(&fixture, 1);
        submit(&fixture, FAKE_DIES, 0);
        begin = g_get_monotonic_time();
        await(&fixture, 1);
        g_assert_cmpint(g_get_monotonic_time() - begin, >=, 90000);
        submit(&fixture, FAKE_DIES, 0);
        begin = g_get_monotonic_time();
        await(&fixture, 1);
        g_assert_cmpint(g_get_monotonic_time() - begin, >=, 190000);
        assert_trace(&fixture, "lost 1, lost 2, lost 3, ");
        assert_counters(&fixture, 3, 3, 0);
        fixture_close(&fixture);
}

/* One that has answered is started again without delay; what was not sent yet is not lost with it.
 */
static void test_restarted(void) {
        struct fixture fixture;

        fixture_open(&fixture, NULL);
        submit(&fixture, FAKE_DIES_LATER, 0);
        await(&fixture, 1);
        submit(&fixture, FAKE_DIES_LATER, 0);
        await(&fixture, 1);
        submit(&fixture, FAKE_DIES_LATER, 0);
        await(&fixture, 1);
        assert_trace(&fixture, "answered 1, lost 2, answered 3, ");
        assert_counters(&fixture, 2, 1, 0);
        fixture_close(&fixture);
}

static void test_breaks(void) {
        static const enum fake_host hosts[] = {FAKE_DIES_AT_ONCE, FAKE_CLOSES, FAKE_WRONG_ID,
                                               FAKE_WRONG_VERSION};
        struct fixture fixture;

        fixture_open(&fixture, NULL);
        for (size_t i = 0; i < ELEMENTS_OF(hosts); i++) {
                submit(&fixture, hosts[i], 0);
                submit(&fixture, FAKE_ANSWERS, 0);
                await(&fixture, 2);
        }
        g_assert_cmpuint(g_strrstr(fixture.trace->str, "lost 7") != NULL, ==, 1);
        for (uint64_t id = 1; id <= 8; id++) {
                g_autofree char *word = g_strdup_printf("%s %" G_GUINT64_FORMAT ",",
                                                        id % 2 ? "lost" : "answered", id);

                g_assert_nonnull(strstr(fixture.trace->str, word));
        }
        fixture_close(&fixture);
}

static void test_cannot_start(void) {
        struct fixture fixture;

        fixture_open(&fixture, "/nonexistent/worker");
        submit(&fixture, FAKE_ANSWERS, 0);
        submit(&fixture, FAKE_ANSWERS, 1);
        await(&fixture, 2);
        assert_trace(&fixture, "error 1, error 2, ");
        g_assert_cmpint(fixture.error, ==, -ENOENT);
        assert_counters(&fixture, 0, 0, 0);
        fixture_close(&fixture);
}

/* The host is said to be stuck before its steps fail; the others notice nothing. */
static void test_deadline(void) {
        struct fixture fixture;
        gint64 begin = g_get_monotonic_time();

        fixture_open(&fixture, NULL);
        for (int i = 0; i < WORKER_THREADS + 1; i++)
                submit(&fixture, FAKE_HANGS, FAKE_LUN_HANGS);
        submit(&fixture, FAKE_ANSWERS, 0);
        await(&fixture, 1);
        assert_trace(&fixture, "answered 6, ");
        await(&fixture, 7);
        g_assert_cmpint(g_get_monotonic_time() - begin, >=, DEADLINE_MSEC * 1000);
        assert_trace(
                &fixture,
                "host-stuck 4, stuck 1, stuck 2, stuck 3, stuck 4, stuck 5, host-released 4, ");
        submit(&fixture, FAKE_HANGS, 0);
        await(&fixture, 1);
        assert_trace(&fixture, "answered 7, ");
        assert_counters(&fixture, 3, 0, 1);
        fixture_close(&fixture);
}

/* The command's own timeout comes on top of the deadline. */
static void test_deadline_of_command(void) {
        struct fixture fixture;
        const struct step step = {
                .id = 1,
                .kind = STEP_READ_SERIAL,
                .address = {{FAKE_HANGS, 0, 0}, FAKE_LUN_HANGS},
                .timeout_ms = 400,
        };
        gint64 begin = g_get_monotonic_time();

        fixture_open(&fixture, NULL);
        worker_hosts_submit(fixture.hosts, &step);
        await(&fixture, 2);
        g_assert_cmpint(g_get_monotonic_time() - begin, >=, (DEADLINE_MSEC + 400) * 1000);
        assert_trace(&fixture, "host-stuck 4, stuck 1, ");
        fixture_close(&fixture);
}

/* True when a worker of ours is now beyond SIGKILL; its host is stuck. */
static bool undead_make(struct fixture *fixture) {
        submit(fixture, FAKE_HANGS, FAKE_LUN_UNDEAD);
        await(fixture, 1);
        if (g_str_has_prefix(fixture->trace->str, "answered")) {
                g_test_skip("no process may be traced here");
                return false;
        }
        assert_trace(fixture, "host-stuck 4, stuck 1, "); /* both in one turn of the loop */
        return true;
}

static void test_stuck(void) {
        struct fixture fixture;
        gint64 begin;

        fixture_open(&fixture, NULL);
        if (undead_make(&fixture)) {
                /* At once, and no second worker while the first one is still inside. */
                begin = g_get_monotonic_time();
                fixture.follow_up = 3;
                submit(&fixture, FAKE_HANGS, 0);
                await(&fixture, 2);
                g_assert_cmpint(g_get_monotonic_time() - begin, <, 100000);
                assert_trace(&fixture, "stuck 2, stuck 3, ");
                g_assert_cmpint(worker_lock_take(fixture.directory, FAKE_HANGS), ==, -EWOULDBLOCK);
                assert_counters(&fixture, 1, 0, 1);
                await(&fixture, 1);
                assert_trace(&fixture, "host-released 4, ");
                submit(&fixture, FAKE_HANGS, 0);
                await(&fixture, 1);
                assert_trace(&fixture, "answered 4, ");
                assert_counters(&fixture, 2, 0, 1);
        }
        fixture_close(&fixture);
}

/* hosts_close() checks that nobody waits; whoever comes next finds the lock held until the old
 * worker is out. */
static void test_stop_while_stuck(void) {
        struct fixture fixture;

        fixture_open(&fixture, NULL);
        if (undead_make(&fixture)) {
                hosts_close(&fixture);
                hosts_open(&fixture, NULL);
                submit(&fixture, FAKE_HANGS, 0);
                await(&fixture, 2);
                assert_trace(&fixture, "host-stuck 4, stuck 2, ");
                await(&fixture, 1);
                assert_trace(&fixture, "host-released 4, ");
                submit(&fixture, FAKE_HANGS, 0);
                await(&fixture, 1);
                assert_trace(&fixture, "answered 3, ");
        }
        fixture_close(&fixture);
}

static void test_locked(void) {
        struct fixture fixture;
        int lock;

        fixture_open(&fixture, NULL);
        lock = worker_lock_take(fixture.directory, FAKE_ANSWERS);
        g_assert_cmpint(lock, >=, 0);
        submit(&fixture, FAKE_ANSWERS, 0);
        await(&fixture, 2);
        submit(&fixture, FAKE_ANSWERS, 0);
        await(&fixture, 1);
        assert_trace(&fixture, "host-stuck 0, stuck 1, stuck 2, ");
        assert_counters(&fixture, 0, 0, 1);
        close(lock);
        await(&fixture, 1);
        assert_trace(&fixture, "host-released 0, ");
        submit(&fixture, FAKE_ANSWERS, 0);
        await(&fixture, 1);
        assert_trace(&fixture, "answered 3, ");
        fixture_close(&fixture);
}

static void on_unlock(uv_timer_t *timer) {
        close(*(int *)timer->data);
        uv_close((uv_handle_t *)timer, NULL);
}

/* The worker of a service that was killed is about to end: nobody is told that the host is stuck.
 */
static void test_locked_for_a_moment(void) {
        struct fixture fixture;
        uv_timer_t unlock;
        int lock;

        fixture_open(&fixture, NULL);
        lock = worker_lock_take(fixture.directory, FAKE_ANSWERS);
        g_assert_cmpint(lock, >=, 0);
        uv_timer_init(&fixture.loop, &unlock);
        unlock.data = &lock;
        submit(&fixture, FAKE_ANSWERS, 0);
        uv_timer_start(&unlock, on_unlock, 100, 0);
        await(&fixture, 1);
        assert_trace(&fixture, "answered 1, ");
        assert_counters(&fixture, 1, 0, 0);
        fixture_close(&fixture);
}

static void test_stop_in_flight(void) {
        struct fixture fixture;

        fixture_open(&fixture, NULL);
        for (int i = 0; i < 10; i++)
                submit(&fixture, FAKE_HANGS, FAKE_LUN_HANGS);
        uv_run(&fixture.loop, UV_RUN_NOWAIT);
        fixture_close(&fixture);
}

static void test_stop_within_answer(void) {
        struct fixture fixture;

        fixture_open(&fixture, NULL);
        fixture.stop_on_answer = true;
        for (int i = 0; i < 10; i++)
                submit(&fixture, FAKE_ANSWERS, 0);
        await(&fixture, 1);
        uv_run(&fixture.loop, UV_RUN_DEFAULT);
        assert_trace(&fixture, "answered 1, ");
        fixture_close(&fixture);
}

static char *start_systemd(void) {
        g_autofree char *path = NULL;
        char *directory;

        if (!g_getenv("SCSISCAN_FAKE_SYSTEMD"))
                return NULL;
        directory = g_dir_make_tmp("systemd-XXXXXX", NULL);
        path = g_build_filename(directory, "socket", NULL);
        g_setenv("SCSISCAN_FAKE_SYSTEMD", path, TRUE);
        fake_systemd_start(path, g_getenv("SCSISCAN_FAKE_WORKER"));
        return directory;
}

static void stop_systemd(char *directory) {
        if (!directory)
                return;
        g_assert_cmpint(g_unlink(g_getenv("SCSISCAN_FAKE_SYSTEMD")), ==, 0);
        g_assert_cmpint(g_rmdir(directory), ==, 0);
        g_free(directory);
}

int main(int argc, char **argv) {
        char *directory;
        int r;

        g_test_init(&argc, &argv, NULL);
        directory = start_systemd();
        g_test_add_func("/kernel/worker-host/answered", test_answered);
        g_test_add_func("/kernel/worker-host/in-flight", test_in_flight);
        g_test_add_func("/kernel/worker-host/descriptors", test_descriptors);
        g_test_add_func("/kernel/worker-host/idle", test_idle);
        g_test_add_func("/kernel/worker-host/lost", test_lost);
        g_test_add_func("/kernel/worker-host/restarted", test_restarted);
        g_test_add_func("/kernel/worker-host/breaks", test_breaks);
        g_test_add_func("/kernel/worker-host/cannot-start", test_cannot_start);
        g_test_add_func("/kernel/worker-host/deadline", test_deadline);
        g_test_add_func("/kernel/worker-host/deadline-of-command", test_deadline_of_command);
        g_test_add_func("/kernel/worker-host/stuck", test_stuck);
        g_test_add_func("/kernel/worker-host/stop-while-stuck", test_stop_while_stuck);
        g_test_add_func("/kernel/worker-host/locked", test_locked);
        g_test_add_func("/kernel/worker-host/locked-for-a-moment", test_locked_for_a_moment);
        g_test_add_func("/kernel/worker-host/stop-in-flight", test_stop_in_flight);
        g_test_add_func("/kernel/worker-host/stop-within-answer", test_stop_within_answer);
        r = g_test_run();
        stop_systemd(directory);
        return r;
}
