/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What polkit says, when it says it, and what has changed meanwhile: somebody who is not root asks
 * for one thing, before a polkit that does what the test wants. */

#include <string.h>

#include "dbus/caller.h"
#include "fake_polkit.h"
#include "harness.h"

#define HOTPLUG SCSISCAN_INTERFACE_HOTPLUG
#define LAST ((struct scsi_address){{0, 0, 0}, 3})
#define LAST_PATH DEVICE_PATH("0_0_0_3")
#define LAST_DISK "naa.5000c50000000003"

struct scene {
        struct harness *harness;
        struct fake_polkit *polkit;
        struct client *nobody, *root;
        guint64 scans;
};

static struct scene *scene_new(void) {
        struct scene *scene = g_new0(struct scene, 1);

        scene->harness = harness_boot(machine_new(1, 2, 4));
        harness_check_complete(scene->harness);
        scene->polkit = fake_polkit_new(harness_address(scene->harness));
        scene->root = harness_client(scene->harness);
        scene->nobody = client_new(harness_address(scene->harness), NOBODY);
        if (!scene->nobody)
                g_error("There is no second user here: polkit would not be asked");
        scene->scans = client_get_number(scene->root, "target-scans");
        return scene;
}

static void scene_free(struct scene *scene) {
        client_free(scene->nobody);
        fake_polkit_free(scene->polkit);
        harness_free(scene->harness);
        g_free(scene);
}

/* All that there was is there, and no target was asked. */
static void assert_nothing_done(struct scene *scene) {
        g_assert_true(client_settle(scene->root, "", CLIENT_PATIENCE));
        g_assert_cmpuint(client_get_number(scene->root, "target-scans"), ==, scene->scans);
        harness_check_complete(scene->harness);
}

static GVariant *scan_arguments(const char *scope) {
        return g_variant_new("(s@a{sv})", scope, client_options("{'wait': <true>}"));
}

static guint32 scan_send(struct scene *scene) {
        return client_send(scene->nobody, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                           scan_arguments("0:0:0"));
}

static guint32 detach_send(struct scene *scene, const char *what, const char *options) {
        return client_send(scene->nobody, SCSISCAN_PATH, HOTPLUG, "Detach",
                           g_variant_new("(s@a{sv})", what, client_options(options)));
}

static void assert_error(struct scene *scene, guint32 serial, const char *error, const char *part) {
        g_autoptr(GDBusMessage) reply = client_reply(scene->nobody, serial);
        const char *message;

        g_assert_cmpstr(g_dbus_message_get_error_name(reply), ==, error);
        g_variant_get(g_dbus_message_get_body(reply), "(&s)", &message);
        if (!strstr(message, part))
                g_error("'%s' does not say '%s'", message, part);
}

static void assert_done(struct scene *scene, guint32 serial) {
        g_autoptr(GDBusMessage) reply = client_reply(scene->nobody, serial);

        g_assert_cmpstr(g_dbus_message_get_error_name(reply), ==, NULL);
}

static void assert_detail(struct scene *scene, guint index, const char *name, const char *wanted) {
        g_autofree char *value = fake_polkit_detail(scene->polkit, index, name);

        g_assert_cmpstr(value, ==, wanted);
}

/* ---- what is asked ---- */

static void test_question(void) {
        struct scene *scene = scene_new();
        g_autofree char *action = NULL, *subject = NULL;

        sim_set_holder(sim_server_lock(harness_sim(scene->harness)), LAST, "dm-7");
        sim_server_unlock(harness_sim(scene->harness));
        g_variant_unref(client_call(
                scene->root, SCSISCAN_PATH, HOTPLUG, "Refresh",
                g_variant_new("(s@a{sv})", "0:0:0:3", client_options("{'wait': <true>}"))));
        UNTIL(client_get_flag(scene->root, LAST_PATH, SCSISCAN_INTERFACE_DEVICE, "InUse"));
        assert_error(scene, detach_send(scene, "0:0:0:3", "{'force': <true>}"),
                     SCSISCAN_ERROR_ACCESS_DENIED, SCSISCAN_ACTION_DETACH_IN_USE);
        action = fake_polkit_action(scene->polkit, 0);
        subject = fake_polkit_subject(scene->polkit, 0);
        g_assert_cmpstr(action, ==, SCSISCAN_ACTION_DETACH_IN_USE);
        g_assert_cmpstr(subject, ==, client_name(scene->nobody));
        g_assert_false(fake_polkit_interactive(scene->polkit, 0));
        assert_detail(scene, 0, SCSISCAN_DETAIL_SCOPE, "0:0:0:3");
        assert_detail(scene, 0, SCSISCAN_DETAIL_OBJECT, LAST_PATH);
        assert_detail(scene, 0, SCSISCAN_DETAIL_LUN, "3");
        assert_detail(scene, 0, SCSISCAN_DETAIL_IDENTITY, LAST_DISK);
        assert_detail(scene, 0, SCSISCAN_DETAIL_HOLDERS, "dm-7");
        scene_free(scene);
}

static void attach_is_refused(struct scene *scene, const char *target, const char *options) {
        client_refuses(
                scene->nobody, SCSISCAN_PATH, HOTPLUG, "Attach",
                g_variant_new("(ss@a{sv})", target, "0x0101000000000000", client_options(options)),
                SCSISCAN_ERROR_ACCESS_DENIED, SCSISCAN_ACTION_ATTACH);
}

/* Of a scope that is many things nothing is said but its name. */
static void test_details(void) {
        struct scene *scene = scene_new();

        client_set_interactive(scene->nobody);
        attach_is_refused(scene, "0:0:1", "{'identity': <'naa.7'>}");
        g_assert_true(fake_polkit_interactive(scene->polkit, 0));
        assert_detail(scene, 0, SCSISCAN_DETAIL_SCOPE, "0:0:1");
        assert_detail(scene, 0, SCSISCAN_DETAIL_OBJECT, TARGET_PATH("0_0_1"));
        assert_detail(scene, 0, SCSISCAN_DETAIL_LUN, "257");
        assert_detail(scene, 0, SCSISCAN_DETAIL_IDENTITY, "naa.7");
        assert_detail(scene, 0, SCSISCAN_DETAIL_HOLDERS, NULL);
        /* The identity of a unit is no port name; what was told is what is expected. */
        attach_is_refused(scene, LAST_DISK, "{'identity': <'naa.7'>}");
        assert_detail(scene, 1, SCSISCAN_DETAIL_IDENTITY, "naa.7");
        assert_error(scene, detach_send(scene, LAST_DISK, NULL), SCSISCAN_ERROR_ACCESS_DENIED,
                     SCSISCAN_ACTION_DETACH);
        assert_detail(scene, 2, SCSISCAN_DETAIL_OBJECT,
                      SCSISCAN_PATH_UNIT "/naa_2e5000c50000000003");
        assert_detail(scene, 2, SCSISCAN_DETAIL_IDENTITY, LAST_DISK);
        client_refuses(scene->nobody, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                       scan_arguments(""), SCSISCAN_ERROR_ACCESS_DENIED, SCSISCAN_ACTION_SCAN);
        assert_detail(scene, 3, SCSISCAN_DETAIL_SCOPE, "");
        assert_detail(scene, 3, SCSISCAN_DETAIL_OBJECT, SCSISCAN_PATH);
        assert_detail(scene, 3, SCSISCAN_DETAIL_IDENTITY, NULL);
        /* What is wrong is said before anybody is asked. */
        assert_error(scene, detach_send(scene, "0:0:0:9", NULL), SCSISCAN_ERROR_NOT_FOUND,
                     "0:0:0:9");
        assert_error(scene, detach_send(scene, "host0", NULL), SCSISCAN_ERROR_INVALID_ARGS,
                     "host0");
        g_assert_cmpuint(fake_polkit_asked(scene->polkit), ==, 4);
        assert_nothing_done(scene);
        scene_free(scene);
}

/* ---- what it says ---- */

static void test_answers(void) {
        static const struct {
                enum polkit_says says;
                const char *error, *part;
        } cases[] = {
                {POLKIT_NO, SCSISCAN_ERROR_ACCESS_DENIED, "does not allow"},
                {POLKIT_CHALLENGE, SCSISCAN_ERROR_INTERACTIVE, "authenticate"},
                {POLKIT_DISMISSED, SCSISCAN_ERROR_ACCESS_DENIED, "called off"},
                {POLKIT_FAILS, SCSISCAN_ERROR_ACCESS_DENIED, "the rules are broken"},
                {POLKIT_RAVES, SCSISCAN_ERROR_ACCESS_DENIED, "not understood"},
                {POLKIT_EMPTY, SCSISCAN_ERROR_ACCESS_DENIED, "not understood"},
                {POLKIT_CANCELLED, SCSISCAN_ERROR_ACCESS_DENIED, "cancelled"},
        };
        struct scene *scene = scene_new();

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                fake_polkit_says(scene->polkit, cases[i].says);
                assert_error(scene, scan_send(scene), cases[i].error, cases[i].part);
                assert_error(scene, detach_send(scene, "0:0:0:3", "{'wait': <true>}"),
                             cases[i].error, cases[i].part);
        }
        assert_nothing_done(scene);
        fake_polkit_says(scene->polkit, POLKIT_YES);
        assert_done(scene, detach_send(scene, "0:0:0:3", "{'wait': <true>}"));
        g_assert_false(sim_is_attached(sim_server_lock(harness_sim(scene->harness)), LAST));
        sim_server_unlock(harness_sim(scene->harness));
        assert_done(scene, scan_send(scene));
        g_assert_cmpuint(client_get_number(scene->root, "target-scans"), >, scene->scans);
        g_assert_cmpuint(fake_polkit_asked(scene->polkit), ==, 2 * G_N_ELEMENTS(cases) + 2);
        scene_free(scene);
}

/* ---- when it says it ---- */

static void test_slow(void) {
        struct scene *scene = scene_new();
        g_auto(GStrv) found = NULL;
        guint32 serial;

        fake_polkit_says(scene->polkit, POLKIT_NOTHING);
        serial = scan_send(scene);
        UNTIL(fake_polkit_asked(scene->polkit) == 1);
        client_scan_wait(scene->root, "");
        found = client_find(scene->nobody, "0:0:0:3");
        g_assert_cmpstr(found[0], ==, LAST_PATH);
        g_usleep(G_USEC_PER_SEC / 2);
        g_assert_false(client_is_answered(scene->nobody, serial));
        g_assert_false(fake_polkit_is_cancelled(scene->polkit, 0));
        fake_polkit_answer(scene->polkit, 0, POLKIT_YES);
        assert_done(scene, serial);
        scene_free(scene);
}

static void test_caller_gone(void) {
        struct scene *scene = scene_new();

        fake_polkit_says(scene->polkit, POLKIT_NOTHING);
        (void)scan_send(scene);
        (void)detach_send(scene, "0:0:0:3", NULL);
        UNTIL(fake_polkit_asked(scene->polkit) == 2);
        client_free(g_steal_pointer(&scene->nobody));
        UNTIL(fake_polkit_is_cancelled(scene->polkit, 0) &&
              fake_polkit_is_cancelled(scene->polkit, 1));
        fake_polkit_answer(scene->polkit, 0, POLKIT_YES);
        fake_polkit_answer(scene->polkit, 1, POLKIT_YES);
        assert_nothing_done(scene);
        scene_free(scene);
}

/* At any moment between the call and the answer, and after it: what is done was allowed. */
static void test_caller_vanishes(void) {
        struct scene *scene = scene_new();

        for (unsigned i = 0; i < 200; i++) {
                struct client *passing = client_new(harness_address(scene->harness), NOBODY);

                fake_polkit_says(scene->polkit, i % 2 ? POLKIT_NO : POLKIT_NOTHING);
                (void)client_send(passing, SCSISCAN_PATH, HOTPLUG, "Detach",
                                  g_variant_new("(s@a{sv})", "0:0:0:3", client_options(NULL)));
                g_usleep((gulong)g_random_int_range(0, 2000));
                client_free(passing);
        }
        fake_polkit_says(scene->polkit, POLKIT_NO);
        assert_error(scene, scan_send(scene), SCSISCAN_ERROR_ACCESS_DENIED, SCSISCAN_ACTION_SCAN);
        assert_nothing_done(scene);
        scene_free(scene);
}

static void test_polkit_gone(void) {
        struct scene *scene = scene_new();
        guint32 serial;

        fake_polkit_says(scene->polkit, POLKIT_NOTHING);
        serial = scan_send(scene);
        UNTIL(fake_polkit_asked(scene->polkit) == 1);
        fake_polkit_free(g_steal_pointer(&scene->polkit));
        assert_error(scene, serial, SCSISCAN_ERROR_ACCESS_DENIED, SCSISCAN_ACTION_SCAN);
        assert_error(scene, scan_send(scene), SCSISCAN_ERROR_ACCESS_DENIED, "only root");
        assert_nothing_done(scene);
        scene->polkit = fake_polkit_new(harness_address(scene->harness));
        fake_polkit_says(scene->polkit, POLKIT_YES);
        assert_done(scene, scan_send(scene));
        scene_free(scene);
}

/* ---- what has changed meanwhile ---- */

static void test_object_gone(void) {
        struct scene *scene = scene_new();
        guint32 serial;

        fake_polkit_says(scene->polkit, POLKIT_NOTHING);
        serial = detach_send(scene, "0:0:0:3", NULL);
        UNTIL(fake_polkit_asked(scene->polkit) == 1);
        g_variant_unref(client_call(
                scene->root, SCSISCAN_PATH, HOTPLUG, "Detach",
                g_variant_new("(s@a{sv})", "0:0:0:3", client_options("{'wait': <true>}"))));
        g_assert_false(client_is_answered(scene->nobody, serial));
        fake_polkit_answer(scene->polkit, 0, POLKIT_YES);
        assert_error(scene, serial, SCSISCAN_ERROR_NOT_FOUND, "0:0:0:3");
        scene_free(scene);
}

static void test_host_gone(void) {
        struct scene *scene = scene_new();
        guint32 serial;

        fake_polkit_says(scene->polkit, POLKIT_NOTHING);
        serial = scan_send(scene);
        UNTIL(fake_polkit_asked(scene->polkit) == 1);
        sim_remove_host(sim_server_lock(harness_sim(scene->harness)), 0);
        sim_server_unlock(harness_sim(scene->harness));
        harness_check(scene->harness);
        fake_polkit_answer(scene->polkit, 0, POLKIT_YES);
        assert_error(scene, serial, SCSISCAN_ERROR_NOT_FOUND, "0:0:0");
        scene_free(scene);
}

/* Somebody may detach a disk, and while that was found out another took its address. */
static void test_object_replaced(void) {
        struct scene *scene = scene_new();
        const struct sim_unit other = sim_disk(9);
        guint from = client_arrived(scene->root);
        struct sim_machine *machine;
        guint32 serial;

        fake_polkit_says(scene->polkit, POLKIT_NOTHING);
        serial = detach_send(scene, "0:0:0:3", NULL);
        UNTIL(fake_polkit_asked(scene->polkit) == 1);
        machine = sim_server_lock(harness_sim(scene->harness));
        sim_map(machine, LAST.target, LAST.lun, &other);
        sim_touch(machine, (struct scsi_address){LAST.target, 0});
        sim_server_unlock(harness_sim(scene->harness));
        (void)client_signal(scene->root, from, "Attached", "'naa.5000c50000000009'");
        fake_polkit_answer(scene->polkit, 0, POLKIT_YES);
        assert_error(scene, serial, SCSISCAN_ERROR_IDENTITY_MISMATCH, "0:0:0:3");
        g_assert_true(client_settle(scene->root, "", CLIENT_PATIENCE));
        harness_check_complete(scene->harness);
        scene_free(scene);
}

/* ---- how much ---- */

static void test_limit(void) {
        struct scene *scene = scene_new();
        struct client *other = client_new(harness_address(scene->harness), NOBODY);

        fake_polkit_says(scene->polkit, POLKIT_NOTHING);
        for (guint i = 0; i < CALLERS_PER_USER_MAX; i++)
                (void)scan_send(scene);
        UNTIL(fake_polkit_asked(scene->polkit) == CALLERS_PER_USER_MAX);
        assert_error(scene, scan_send(scene), SCSISCAN_ERROR_LIMIT, "wait for polkit");
        client_refuses(other, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan", scan_arguments(""),
                       SCSISCAN_ERROR_LIMIT, "wait for polkit");
        client_scan_wait(scene->root, "");
        client_free(g_steal_pointer(&scene->nobody));
        for (guint i = 0; i < CALLERS_PER_USER_MAX; i++)
                UNTIL(fake_polkit_is_cancelled(scene->polkit, i));
        fake_polkit_says(scene->polkit, POLKIT_YES);
        g_variant_unref(client_call(other, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                                    scan_arguments("")));
        client_free(other);
        scene_free(scene);
}

/* ---- whose job ---- */

static void delay(struct scene *scene, uint32_t milliseconds) {
        sim_set_target_delay(sim_server_lock(harness_sim(scene->harness)), LAST.target,
                             milliseconds);
        sim_server_unlock(harness_sim(scene->harness));
}

static GVariant *no_options(void) {
        return g_variant_new("(@a{sv})", client_options(NULL));
}

static void test_cancel(void) {
        struct scene *scene = scene_new();
        g_autofree char *own = NULL, *theirs = NULL, *result = NULL, *object = NULL;

        fake_polkit_says(scene->polkit, POLKIT_YES);
        delay(scene, 500);
        own = client_scan(scene->nobody, "", NULL);
        theirs = client_scan(scene->root, "", NULL);
        fake_polkit_says(scene->polkit, POLKIT_NO);
        client_refuses(scene->nobody, theirs, SCSISCAN_INTERFACE_JOB, "Cancel", no_options(),
                       SCSISCAN_ERROR_ACCESS_DENIED, SCSISCAN_ACTION_CANCEL);
        object = fake_polkit_detail(scene->polkit, 1, SCSISCAN_DETAIL_OBJECT);
        g_assert_cmpstr(object, ==, theirs);
        g_variant_unref(
                client_call(scene->nobody, own, SCSISCAN_INTERFACE_JOB, "Cancel", no_options()));
        g_assert_cmpuint(fake_polkit_asked(scene->polkit), ==, 2);
        result = client_get_text(scene->root, own, SCSISCAN_INTERFACE_JOB, "State");
        g_assert_cmpstr(result, ==, "cancelled");
        fake_polkit_says(scene->polkit, POLKIT_YES);
        g_variant_unref(
                client_call(scene->nobody, theirs, SCSISCAN_INTERFACE_JOB, "Cancel", no_options()));
        delay(scene, 0);
        scene_free(scene);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/polkit/question", test_question);
        g_test_add_func("/bus/polkit/details", test_details);
        g_test_add_func("/bus/polkit/answers", test_answers);
        g_test_add_func("/bus/polkit/slow", test_slow);
        g_test_add_func("/bus/polkit/caller-gone", test_caller_gone);
        g_test_add_func("/bus/polkit/caller-vanishes", test_caller_vanishes);
        g_test_add_func("/bus/polkit/polkit-gone", test_polkit_gone);
        g_test_add_func("/bus/polkit/object-gone", test_object_gone);
        g_test_add_func("/bus/polkit/host-gone", test_host_gone);
        g_test_add_func("/bus/polkit/object-replaced", test_object_replaced);
        g_test_add_func("/bus/polkit/limit", test_limit);
        g_test_add_func("/bus/polkit/cancel", test_cancel);
        return g_test_run();
}
