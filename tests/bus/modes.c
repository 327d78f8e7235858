/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who scans, and why: as the kernel's parameter scsi_mod.scan says, which here is a file, and may
 * be written at any time; and a service that writes it itself.
 */

#include <gio/gio.h>
#include <glib/gstdio.h>

#include "harness.h"

static char *parameter_path(struct harness *harness) {
        return g_build_filename(sim_server_root(harness_sim(harness)),
                                "module/scsi_mod/parameters/scan", NULL);
}

/* By somebody else than the service. */
static void set_parameter(struct harness *harness, const char *word) {
        g_autofree char *path = parameter_path(harness), *directory = g_path_get_dirname(path);
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(g_mkdir_with_parents(directory, 0700), ==, 0);
        g_file_set_contents(path, word, -1, &error);
        g_assert_no_error(error);
}

static bool parameter_is(struct harness *harness, const char *word) {
        g_autofree char *path = parameter_path(harness), *text = NULL;

        return g_file_get_contents(path, &text, NULL, NULL) && g_str_equal(g_strstrip(text), word);
}

static bool mode_is(struct client *client, const char *mode, const char *reason) {
        g_autofree char *is =
                client_get_text(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Mode");
        g_autofree char *why =
                client_get_text(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "ModeReason");

        return g_str_equal(is, mode) && strstr(why, reason);
}

static void wait_mode(struct harness *harness, const char *mode, const char *reason) {
        UNTIL(mode_is(harness_client(harness), mode, reason));
}

static struct harness *start(const char *parameter, struct daemon_start start) {
        struct harness *harness = harness_new(machine_new(1, 2, 4));

        set_parameter(harness, parameter);
        harness_start(harness, start);
        harness_wait_ready(harness);
        return harness;
}

static void finish(struct harness *harness) {
        g_autofree char *path = parameter_path(harness);

        if (harness_runs(harness))
                (void)harness_stop(harness);
        g_assert_cmpint(g_unlink(path), ==, 0);
        for (int i = 0; i < 3; i++) {
                char *slash = strrchr(path, '/');

                *slash = '\0';
                g_assert_cmpint(g_rmdir(path), ==, 0);
        }
        harness_free(harness);
}

static bool sees(struct harness *harness, unsigned devices) {
        g_autofree char *seen = harness_seen(harness);
        unsigned count = 0;

        for (const char *at = seen; *at; at++)
                count += *at == '\n';
        return count == devices;
}

/* The kernel stops scanning while the service runs, and begins again. */
static void test_follows(void) {
        struct harness *harness = start("sync", (struct daemon_start){.mode = "auto"});
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);

        g_assert_true(mode_is(client, "observer", "scsi_mod.scan is sync"));
        g_assert_true(sees(harness, 0));
        set_parameter(harness, "manual");
        harness_hang_up(harness);
        wait_mode(harness, "owner", "scsi_mod.scan is manual");
        client_signal(client, from, "PropertiesChanged", "'Mode': <'owner'>");
        client_signal(client, from, "PropertiesChanged",
                      "'ModeReason': <'scsi_mod.scan is manual'>");
        UNTIL(sees(harness, 8));
        harness_check_complete(harness);

        /* Unasked, within ten seconds. */
        from = client_arrived(client);
        set_parameter(harness, "async");
        client_signal(client, from, "PropertiesChanged", "'Mode': <'observer'>");
        g_assert_true(mode_is(client, "observer", "scsi_mod.scan is async"));
        g_assert_true(sees(harness, 8));
        finish(harness);
}

/* The drivers have had their time. It holds on when it is killed; and is given back, when that is
 * asked for. */
static void test_takes_over(void) {
        struct daemon_start how = {.mode = "take-over", .restore_scan = true};
        struct harness *harness = start("async", how);

        g_assert_true(mode_is(harness_client(harness), "observer", "will be taken over"));
        wait_mode(harness, "owner", "taken over from the kernel, whose scsi_mod.scan was async");
        g_assert_true(parameter_is(harness, "manual"));
        UNTIL(sees(harness, 8));
        harness_check_complete(harness);

        harness_kill(harness);
        harness_start(harness, how);
        harness_wait_ready(harness);
        g_assert_true(mode_is(harness_client(harness), "owner", "scsi_mod.scan was async"));
        g_assert_true(parameter_is(harness, "manual"));
        (void)harness_stop(harness);
        g_assert_true(parameter_is(harness, "async"));

        /* And begins anew, which ends with the kernel not scanning where that is not asked for. */
        how.restore_scan = false;
        harness_start(harness, how);
        harness_wait_ready(harness);
        wait_mode(harness, "owner", "scsi_mod.scan was async");
        (void)harness_stop(harness);
        g_assert_true(parameter_is(harness, "manual"));
        finish(harness);
}

/* Whoever writes the parameter meanwhile has the last word. */
static void test_others_write(void) {
        struct harness *harness =
                start("sync", (struct daemon_start){.mode = "take-over", .restore_scan = true});

        wait_mode(harness, "owner", "taken over");
        set_parameter(harness, "none");
        (void)harness_stop(harness);
        g_assert_true(parameter_is(harness, "none"));
        finish(harness);
}

/* What cannot be written is not taken over, and that is said. */
static void test_cannot(void) {
        struct harness *harness = harness_new(machine_new(1, 1, 1));
        g_autofree char *path = parameter_path(harness);

        set_parameter(harness, "sync");
        g_assert_cmpint(g_unlink(path), ==, 0);
        g_assert_cmpint(symlink("/proc/version", path), ==, 0); /* writing it is an error */
        harness_start(harness, (struct daemon_start){.mode = "take-over"});
        harness_wait_ready(harness);
        wait_mode(harness, "observer", "cannot take over");
        harness_wait_log(harness, "cannot take over from the kernel");
        g_assert_true(sees(harness, 0));
        finish(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/modes/follows", test_follows);
        g_test_add_func("/bus/modes/takes-over", test_takes_over);
        g_test_add_func("/bus/modes/others-write", test_others_write);
        g_test_add_func("/bus/modes/cannot", test_cannot);
        return g_test_run();
}
