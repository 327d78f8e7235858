/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The examples of docs/examples/client, before the real daemon: what is copied from them works. */

#include <string.h>

#include "harness.h"

#define TARGET ((struct scsi_target_address){0, 0, 1})

static const char *const programs[] = {"EXAMPLE_SHELL", "EXAMPLE_PYTHON", "EXAMPLE_SD_BUS",
                                       "EXAMPLE_GDBUS"};

static GSubprocess *spawn(struct harness *harness, const char *program, const char *words,
                          GSubprocessFlags flags) {
        g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(flags);
        g_autofree char *line = g_strdup_printf("%s %s", g_getenv(program), words);
        g_auto(GStrv) arguments = g_strsplit(line, " ", -1);
        g_autoptr(GError) error = NULL;
        GSubprocess *child;

        g_subprocess_launcher_setenv(launcher, "DBUS_SYSTEM_BUS_ADDRESS", harness_address(harness),
                                     TRUE);
        child = g_subprocess_launcher_spawnv(launcher, (const char *const *)arguments, &error);
        g_assert_no_error(error);
        return child;
}

/* What it prints; it ends well, or (part) says that on its standard error. */
static char *run(struct harness *harness, const char *program, const char *words,
                 const char *part) {
        g_autoptr(GSubprocess) child =
                spawn(harness, program, words,
                      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
        g_autofree char *errors = NULL;
        char *output = NULL;

        g_assert_true(g_subprocess_communicate_utf8(child, NULL, NULL, &output, &errors, NULL));
        g_test_message("%s %s: %s%s", program, words, output, errors);
        g_assert_true(g_subprocess_get_successful(child) == (part == NULL));
        if (part && !strstr(errors, part))
                g_error("%s says %s, not %s", program, errors, part);
        return output;
}

static void test_list(void) {
        struct harness *harness = harness_boot(machine_new(2, 2, 12));

        harness_check_complete(harness);
        for (size_t i = 0; i < G_N_ELEMENTS(programs); i++) {
                g_autofree char *output = run(harness, programs[i], "list", NULL);
                g_auto(GStrv) lines = g_strsplit(output, "\n", -1);

                g_assert_cmpuint(g_strv_length(lines), ==, 2 * 2 * 12 + 1);
                g_assert_cmpstr(lines[0], ==, "0:0:0:0 naa.5000c50000000000 /dev/sda present");
                g_assert_true(g_str_has_prefix(lines[2], "0:0:0:2 "));
                g_assert_true(g_str_has_prefix(lines[10], "0:0:0:10 "));
                g_assert_true(g_str_has_prefix(lines[47], "1:0:1:11 "));
        }
        harness_free(harness);
}

static struct sim_machine *lock(struct harness *harness) {
        struct sim_machine *machine = sim_server_lock(harness_sim(harness));

        sim_set_target_quirks(machine, TARGET, SIM_QUIET);
        return machine;
}

static void map(struct harness *harness, uint64_t lun) {
        const struct sim_unit unit = sim_disk(100 + (uint32_t)lun);

        sim_map(lock(harness), TARGET, lun, &unit);
        sim_server_unlock(harness_sim(harness));
}

static void test_scan(void) {
        struct harness *harness = harness_boot(machine_new(1, 2, 2));

        harness_check_complete(harness);
        for (size_t i = 0; i < G_N_ELEMENTS(programs); i++) {
                g_autofree char *output = NULL, *refused = NULL;

                map(harness, 10 + i);
                output = run(harness, programs[i], "scan 0:0:1", NULL);
                g_assert_true(g_str_has_prefix(output, "done attached=1 detached=0 "));
                refused = run(harness, programs[i], "scan 9:0:1", "9:0:1");
                g_assert_cmpstr(refused, ==, "");
        }
        harness_check_complete(harness);
        harness_free(harness);
}

static void assert_line(GDataInputStream *stream, const char *expected) {
        g_autoptr(GError) error = NULL;
        g_autofree char *line = g_data_input_stream_read_line_utf8(stream, NULL, NULL, &error);

        g_assert_no_error(error);
        if (expected)
                g_assert_cmpstr(line, ==, expected);
        else
                g_assert_nonnull(line);
}

static void follow(struct harness *harness, const char *program, uint64_t lun) {
        g_autoptr(GSubprocess) child =
                spawn(harness, program, "follow 2",
                      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
        g_autoptr(GDataInputStream) output =
                g_data_input_stream_new(g_subprocess_get_stdout_pipe(child));
        g_autoptr(GDataInputStream) errors =
                g_data_input_stream_new(g_subprocess_get_stderr_pipe(child));
        const struct scsi_address address = {TARGET, lun};
        g_autofree char *attached = g_strdup_printf("attached 0:0:1:%" G_GUINT64_FORMAT
                                                    " naa.5000c50000000%03" G_GINT64_MODIFIER "x",
                                                    lun, 100 + lun);
        g_autofree char *detached = g_strdup_printf("detached%s", attached + strlen("attached"));

        assert_line(errors, NULL); /* it follows */
        map(harness, lun);
        client_scan_wait(harness_client(harness), "0:0:1");
        assert_line(output, attached);
        sim_unmap(lock(harness), TARGET, lun);
        sim_server_unlock(harness_sim(harness));
        sim_detach_by_hand(lock(harness), address);
        sim_server_unlock(harness_sim(harness));
        assert_line(output, detached);
        g_assert_true(g_subprocess_wait(child, NULL, NULL));
}

static void test_follow(void) {
        struct harness *harness = harness_boot(machine_new(1, 2, 2));

        harness_check_complete(harness);
        for (size_t i = 0; i < G_N_ELEMENTS(programs); i++)
                follow(harness, programs[i], 10 + i);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/examples/list", test_list);
        g_test_add_func("/bus/examples/scan", test_scan);
        g_test_add_func("/bus/examples/follow", test_follow);
        return g_test_run();
}
