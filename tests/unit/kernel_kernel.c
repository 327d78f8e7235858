/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <sys/socket.h>

#include "kernel/kernel.h"
#include "kernel_fake_hosts.h"
#include "util/cleanup.h"

#define DISK "/devices/x/host3/target3:0:1/3:0:1:5"
#define ADD "add@" DISK "\0ACTION=add\0DEVPATH=" DISK "\0SUBSYSTEM=scsi\0DEVTYPE=scsi_device"
/* Nothing here takes that long unless it is broken. */
#define LIMIT_MSEC 8000

struct fixture {
        uv_loop_t loop;
        uv_timer_t limit;
        struct kernel *kernel;
        char *root;
        int peer;
        GString *trace;
        guint count;
        guint wanted;
        bool submitting;
        bool stop_on_observation;
};

static void note(struct fixture *fixture, const char *word) {
        g_assert_false(fixture->submitting);
        g_string_append_printf(fixture->trace, "%s, ", word);
        if (++fixture->count >= fixture->wanted)
                uv_stop(&fixture->loop);
}

static void on_event(const struct event *event, void *userdata) {
        char address[SCSI_ADDRESS_TEXT_MAX];

        g_assert_cmpint(event->kind, ==, EVENT_DEVICE);
        note(userdata, scsi_address_format(&event->address, address));
}

/* "<step> <what>: <some of the payload>" */
static void on_observed(struct observation *observation, void *userdata) {
        struct fixture *fixture = userdata;
        g_autoptr(GString) word = g_string_new(step_kind_name(observation->step.kind));

        g_string_append_printf(word, " %s", observed_name(observation->observed));
        if (observation->observed == OBSERVED_GOOD && observation->step.kind == STEP_LIST)
                g_string_append_printf(word, " %zu %zu", observation->inventory.host_count,
                                       observation->inventory.device_count);
        else if (observation->observed == OBSERVED_GOOD && observation->step.kind == STEP_READ_HOST)
                g_string_append_printf(word, " %s", observation->host.driver);
        else if (observation->observed == OBSERVED_GOOD)
                g_string_append_printf(word, " %s", observation->device.vendor);
        observation_done(observation);
        note(fixture, word->str);
        if (fixture->stop_on_observation)
                kernel_stop(fixture->kernel);
}

static void limit_reached(uv_timer_t *timer) {
        g_error("what was waited for has not come");
}

static int kernel_open(struct fixture *fixture, const char *runtime_dir, int uevent_fd) {
        const struct kernel_config config = {
                .sysfs = fixture->root,
                .worker = g_getenv("SCSISCAN_FAKE_WORKER"),
                .runtime_dir = runtime_dir,
                .uevent_fd = uevent_fd,
                .deadline_usec = 2000000,
        };
        const struct kernel_handler handler = {on_event, on_observed, fixture};

        g_assert_nonnull(config.worker);
        return kernel_new(&fixture->loop, &config, &handler, &fixture->kernel);
}

static void sysfs_make(const char *root) {
        static const char *const names[] = {"host0",   "host4",   "target0:0:0",
                                            "0:0:0:0", "0:0:0:1", "4:0:0:0"};

        for (size_t i = 0; i < ELEMENTS_OF(names); i++) {
                g_autofree char *path = g_strconcat(root, "/bus/scsi/devices/", names[i], NULL);

                g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
        }
}

static void fixture_open(struct fixture *fixture) {
        g_autofree char *runtime_dir = NULL;
        int pair[2];

        *fixture = (struct fixture){.trace = g_string_new("")};
        fixture->root = g_dir_make_tmp("kernel-XXXXXX", NULL);
        runtime_dir = g_build_filename(fixture->root, "run", NULL);
        sysfs_make(fixture->root);
        g_assert_cmpint(uv_loop_init(&fixture->loop), ==, 0);
        uv_timer_init(&fixture->loop, &fixture->limit);
        uv_timer_start(&fixture->limit, limit_reached, LIMIT_MSEC, 0);
        uv_unref((uv_handle_t *)&fixture->limit);
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), ==, 0);
        fixture->peer = pair[1];
        g_assert_cmpint(kernel_open(fixture, runtime_dir, pair[0]), ==, 0);
}

static void fixture_close(struct fixture *fixture) {
        g_autofree char *command = g_strdup_printf("rm -rf '%s'", fixture->root);
        guint count = fixture->count;

        kernel_stop(fixture->kernel);
        uv_close((uv_handle_t *)&fixture->limit, NULL);
        while (uv_run(&fixture->loop, UV_RUN_DEFAULT) != 0) /* an earlier uv_stop() may end one */
                ;
        g_assert_cmpuint(fixture->count, ==, count);
        kernel_free(fixture->kernel);
        g_assert_cmpint(uv_loop_close(&fixture->loop), ==, 0);
        close(fixture->peer);
        g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
        g_free(fixture->root);
        g_string_free(fixture->trace, TRUE);
}

static void submit(struct fixture *fixture, uint64_t id, enum step_kind kind, uint32_t host,
                   uint64_t lun) {
        const struct step step = {
                .id = id, .kind = kind, .address = {{host, 0, 0}, lun}, .allocation_length = 16};

        fixture->submitting = true;
        kernel_submit(fixture->kernel, &step);
        fixture->submitting = false;
}

static void await(struct fixture *fixture, guint words) {
        fixture->wanted = fixture->count + words;
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
        g_assert_cmpuint(fixture->count, ==, fixture->wanted);
}

#define assert_trace(fixture, expected)                                                            \
        do {                                                                                       \
                g_assert_cmpstr((fixture)->trace->str, ==, expected);                              \
                g_string_truncate((fixture)->trace, 0);                                            \
        } while (0)

static void test_submit(void) {
        struct fixture fixture;

        fixture_open(&fixture);
        submit(&fixture, 1, STEP_LIST, 0, 0);
        await(&fixture, 1);
        submit(&fixture, 2, STEP_READ_HOST, FAKE_ANSWERS, 0);
        await(&fixture, 1);
        submit(&fixture, 3, STEP_ATTACH, FAKE_ANSWERS, 1);
        await(&fixture, 1);
        submit(&fixture, 4, STEP_READ_DEVICE, FAKE_ANSWERS, 1);
        await(&fixture, 1);
        submit(&fixture, 5, STEP_REPORT_LUNS, FAKE_ANSWERS, 1);
        await(&fixture, 1);
        submit(&fixture, 6, STEP_READ_DEVICE, FAKE_DIES, 1);
        await(&fixture, 1);
        assert_trace(&fixture,
                     "list good 2 3, read-host good fake, attach good Fake, read-device good Fake, "
                     "report-luns device, read-device lost, ");
        g_assert_cmpuint(kernel_counters(fixture.kernel).workers_started, ==, 2);
        g_assert_cmpuint(kernel_counters(fixture.kernel).workers_died, ==, 1);
        g_assert_cmpuint(kernel_counters(fixture.kernel).workers_stuck, ==, 0);
        fixture_close(&fixture);
}

static void test_events(void) {
        struct fixture fixture;

        fixture_open(&fixture);
        g_assert_cmpint(send(fixture.peer, ADD, sizeof(ADD), 0), ==, sizeof(ADD));
        await(&fixture, 1);
        g_assert_cmpint(send(fixture.peer, ADD, sizeof(ADD), 0), ==, sizeof(ADD));
        g_assert_cmpint(send(fixture.peer, "x", 1, 0), ==, 1);
        kernel_drain(fixture.kernel);
        assert_trace(&fixture, "3:0:1:5, 3:0:1:5, ");
        g_assert_cmpuint(kernel_counters(fixture.kernel).uevents, ==, 2);
        g_assert_cmpuint(kernel_counters(fixture.kernel).uevents_refused, ==, 1);
        g_assert_cmpuint(kernel_counters(fixture.kernel).uevent_overruns, ==, 0);
        fixture_close(&fixture);
}

/* With all kinds of steps under way; fixture_close() sees that nothing is called back, and nothing
 * waited for. */
static void test_stop(void) {
        struct fixture fixture;

        fixture_open(&fixture);
        submit(&fixture, 1, STEP_READ_DEVICE, FAKE_HANGS, FAKE_LUN_HANGS);
        submit(&fixture, 2, STEP_READ_DEVICE, FAKE_ANSWERS, 0);
        await(&fixture, 1);
        submit(&fixture, 3, STEP_LIST, 0, 0);
        submit(&fixture, 4, STEP_READ_DEVICE, FAKE_ANSWERS, 0);
        fixture_close(&fixture);
}

static void test_stop_within_observation(void) {
        struct fixture fixture;

        fixture_open(&fixture);
        fixture.stop_on_observation = true;
        submit(&fixture, 1, STEP_LIST, 0, 0);
        submit(&fixture, 2, STEP_LIST, 0, 0);
        submit(&fixture, 3, STEP_READ_DEVICE, FAKE_ANSWERS, 0);
        await(&fixture, 1);
        assert_trace(&fixture, "list good 2 3, ");
        kernel_stop(fixture.kernel);
        fixture_close(&fixture);
}

static void test_new_fails(void) {
        struct fixture fixture = {.root = (char *)"/nonexistent"};
        int pair[2];

        g_assert_cmpint(uv_loop_init(&fixture.loop), ==, 0);
        g_assert_cmpint(pipe(pair), ==, 0);
        g_assert_cmpint(kernel_open(&fixture, "/nonexistent/run", pair[0]), ==, -ENOENT);
        g_assert_cmpint(kernel_open(&fixture, g_get_tmp_dir(), pair[1]), ==, -ENOTSOCK);
        uv_run(&fixture.loop, UV_RUN_DEFAULT);
        g_assert_cmpint(uv_loop_close(&fixture.loop), ==, 0);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/kernel/kernel/submit", test_submit);
        g_test_add_func("/kernel/kernel/events", test_events);
        g_test_add_func("/kernel/kernel/stop", test_stop);
        g_test_add_func("/kernel/kernel/stop-within-observation", test_stop_within_observation);
        g_test_add_func("/kernel/kernel/new-fails", test_new_fails);
        return g_test_run();
}
