/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The real polkitd, with the policy and the example rules of this tree: what an ordinary user may
 * do, and what a person is asked. */

#include <fcntl.h>
#include <grp.h>
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "real_polkit.h"

#define EXAMPLE "docs/examples/polkit/50-scsiscan-operators.rules"
#define HOTPLUG SCSISCAN_INTERFACE_HOTPLUG

struct scene {
        struct harness *harness;
        struct real_polkit *polkit;
        struct client *nobody;
};

static struct scene *scene_new(const char *rules) {
        struct scene *scene = g_new0(struct scene, 1);

        scene->harness = harness_boot(machine_new(1, 1, 4));
        harness_check_complete(scene->harness);
        scene->polkit = real_polkit_new(scene->harness, rules);
        scene->nobody = client_new(harness_address(scene->harness), NOBODY);
        if (!scene->nobody)
                g_error("There is no second user here: polkit would not be asked");
        return scene;
}

static void scene_free(struct scene *scene) {
        client_free(scene->nobody);
        real_polkit_free(scene->polkit);
        harness_free(scene->harness);
        g_free(scene);
}

static GVariant *what(const char *what, const char *options) {
        return g_variant_new("(s@a{sv})", what, client_options(options));
}

static void needs_password(struct scene *scene, const char *method, GVariant *arguments,
                           const char *action) {
        client_refuses(scene->nobody, SCSISCAN_PATH, HOTPLUG, method, arguments,
                       SCSISCAN_ERROR_INTERACTIVE, action);
}

/* ---- nobody has said anything ---- */

static void test_defaults(void) {
        struct scene *scene = scene_new(NULL);
        g_auto(GStrv) found = client_find(scene->nobody, "0:0:0:3");

        g_assert_cmpstr(found[0], ==, DEVICE_PATH("0_0_0_3"));
        client_refuses(scene->nobody, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                       what("", NULL), SCSISCAN_ERROR_INTERACTIVE, SCSISCAN_ACTION_SCAN);
        needs_password(scene, "Detach", what("0:0:0:3", NULL), SCSISCAN_ACTION_DETACH);
        needs_password(scene, "Detach", what("0:0:0:3", "{'force': <true>}"),
                       SCSISCAN_ACTION_DETACH_IN_USE);
        /* There is nobody who could be asked. */
        client_set_interactive(scene->nobody);
        needs_password(scene, "Detach", what("0:0:0:3", NULL), SCSISCAN_ACTION_DETACH);
        client_scan_wait(harness_client(scene->harness), "");
        harness_check_complete(scene->harness);
        scene_free(scene);
}

/* ---- the example ---- */

static void test_example(void) {
        struct scene *scene = scene_new(EXAMPLE);

        client_scan_wait(scene->nobody, "");
        g_variant_unref(client_call(
                scene->nobody, SCSISCAN_PATH, HOTPLUG, "Attach",
                g_variant_new("(ss@a{sv})", "0:0:0", "3", client_options("{'wait': <true>}"))));
        needs_password(scene, "Detach", what("0:0:0:3", NULL), SCSISCAN_ACTION_DETACH);
        needs_password(scene, "Detach", what("0:0:0:3", "{'force': <true>}"),
                       SCSISCAN_ACTION_DETACH_IN_USE);
        harness_check_complete(scene->harness);
        scene_free(scene);
}

/* Rules can go by what they are told. */
static void test_details(void) {
        struct scene *scene = scene_new("tests/bus/one_disk.rules");

        client_refuses(scene->nobody, SCSISCAN_PATH, HOTPLUG, "Detach", what("0:0:0:2", NULL),
                       SCSISCAN_ERROR_ACCESS_DENIED, SCSISCAN_ACTION_DETACH);
        client_refuses(scene->nobody, SCSISCAN_PATH, HOTPLUG, "Detach",
                       what("naa.5000c50000000002", NULL), SCSISCAN_ERROR_ACCESS_DENIED,
                       SCSISCAN_ACTION_DETACH);
        harness_check_complete(scene->harness);
        g_variant_unref(client_call(scene->nobody, SCSISCAN_PATH, HOTPLUG, "Detach",
                                    what("0:0:0:3", "{'wait': <true>}")));
        g_assert_false(sim_is_attached(sim_server_lock(harness_sim(scene->harness)),
                                       (struct scsi_address){{0, 0, 0}, 3}));
        sim_server_unlock(harness_sim(scene->harness));
        scene_free(scene);
}

/* ---- what polkit has read ---- */

static GVariant *actions_in(struct scene *scene, const char *locale) {
        GDBusConnection *connection = client_connection(harness_address(scene->harness), 0);
        g_autoptr(GError) error = NULL;
        GVariant *reply = g_dbus_connection_call_sync(
                connection, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                "org.freedesktop.PolicyKit1.Authority", "EnumerateActions",
                g_variant_new("(s)", locale), G_VARIANT_TYPE("(a(ssssssuuua{ss}))"),
                G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);

        g_assert_no_error(error);
        (void)g_dbus_connection_close_sync(connection, NULL, NULL);
        g_object_unref(connection);
        return reply;
}

/* The message of one action, and how many of ours there are. */
static char *message_of(struct scene *scene, const char *locale, const char *action,
                        unsigned *ret_count) {
        g_autoptr(GVariant) reply = actions_in(scene, locale);
        g_autoptr(GVariant) actions = g_variant_get_child_value(reply, 0);
        const char *id, *message;
        GVariantIter iter;
        char *found = NULL;

        *ret_count = 0;
        g_variant_iter_init(&iter, actions);
        while (g_variant_iter_next(&iter, "(&ss&ssssuuu@a{ss})", &id, NULL, &message, NULL, NULL,
                                   NULL, NULL, NULL, NULL, NULL)) {
                *ret_count += g_str_has_prefix(id, SCSISCAN_BUS_NAME ".");
                if (strcmp(id, action) == 0)
                        found = g_strdup(message);
        }
        return found;
}

static void test_actions(void) {
        struct scene *scene = scene_new(NULL);
        unsigned count, german_count;
        g_autofree char *message = message_of(scene, "C", SCSISCAN_ACTION_DETACH_IN_USE, &count);
        g_autofree char *german =
                message_of(scene, "de_DE.UTF-8", SCSISCAN_ACTION_DETACH_IN_USE, &german_count);

        g_assert_cmpuint(count, ==, 8);
        g_assert_cmpuint(german_count, ==, 8);
        g_assert_nonnull(strstr(message, "even if it is in use"));
        g_assert_nonnull(strstr(german, "auch wenn es benutzt wird"));
        scene_free(scene);
}

/* ---- a person at a terminal ---- */

#define WORDS_MAX 8

static _Noreturn void become_nobody(struct scene *scene, bool believed, char *const *words) {
        int program = open(g_getenv("SCSICTL"), O_RDONLY | O_CLOEXEC);

        real_polkit_enter(scene->polkit, believed);
        if (program >= 0 && setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
            setresuid(NOBODY, NOBODY, NOBODY) == 0 &&
            setenv("DBUS_SYSTEM_BUS_ADDRESS", harness_address(scene->harness), 1) == 0 &&
            setenv("LC_ALL", "C", 1) == 0)
                fexecve(program, words, environ);
        _exit(EXIT_FAILURE);
}

/* All that was written on the terminal until the program had closed it. */
static char *read_terminal(int terminal) {
        GString *said = g_string_new("");
        char buffer[1024];
        gssize n;

        while ((n = read(terminal, buffer, sizeof(buffer))) > 0)
                g_string_append_len(said, buffer, n);
        close(terminal);
        return g_string_free(said, FALSE);
}

/* scsictl on a terminal of its own, as nobody: what could be read there. */
static char *run_scsictl(struct scene *scene, bool believed, int wanted, const char *line) {
        g_auto(GStrv) words = g_strsplit(line, " ", WORDS_MAX);
        int terminal, status;
        char *said;
        pid_t pid = forkpty(&terminal, NULL, NULL, NULL);

        g_assert_cmpint(pid, >=, 0);
        if (pid == 0)
                become_nobody(scene, believed, words);
        said = read_terminal(terminal);
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_test_message("%s: %s", line, said);
        g_assert_true(WIFEXITED(status));
        g_assert_cmpint(WEXITSTATUS(status), ==, wanted);
        return said;
}

static void assert_says(struct scene *scene, bool believed, int wanted, const char *line,
                        const char *part) {
        g_autofree char *said = run_scsictl(scene, believed, wanted, line);

        if (!strstr(said, part))
                g_error("'%s' does not say '%s'", said, part);
}

static void test_terminal(void) {
        struct scene *scene = scene_new(NULL);

        assert_says(scene, false, 4, "scsictl scan", SCSISCAN_ACTION_SCAN);
        assert_says(scene, false, 4, "scsictl detach 0:0:0:3", "AUTHENTICATION FAILED");
        assert_says(scene, true, 4, "scsictl detach 0:0:0:3 --no-ask-password",
                    "try it on a terminal");
        harness_check_complete(scene->harness);
        assert_says(scene, true, 0, "scsictl scan",
                    "Authentication is required to scan for SCSI devices");
        assert_says(scene, true, 0, "scsictl detach 0:0:0:3",
                    "Authentication is required to detach 0:0:0:3 from this computer");
        assert_says(scene, true, 0, "scsictl attach 0:0:0 3 --no-wait",
                    "Authentication is required to attach LUN 3 of 0:0:0");
        g_assert_true(client_settle(harness_client(scene->harness), "", CLIENT_PATIENCE));
        harness_check_complete(scene->harness);
        scene_free(scene);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/polkitd/defaults", test_defaults);
        g_test_add_func("/bus/polkitd/example", test_example);
        g_test_add_func("/bus/polkitd/details", test_details);
        g_test_add_func("/bus/polkitd/actions", test_actions);
        g_test_add_func("/bus/polkitd/terminal", test_terminal);
        return g_test_run();
}
