/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The policy as it is found in files and changed under the running service: what is attached by it
 * at the start, what a reload attaches and detaches, what an error in a file does not change, and
 * what is told of it.
 */

#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>

#include "harness.h"

#define A ((struct scsi_target_address){0, 0, 0})

static const char only_zero[] = "[Rule nothing]\n"
                                "Action=ignore\n"
                                "[Rule zero]\n"
                                "MatchLun=0\n"
                                "Action=attach\n";
static const char broken[] = "[Rule nothing]\n"
                             "Action=ignore\n"
                             "PollInterval=5 parsecs\n";

static void write_policy(const struct harness *harness, const char *text) {
        g_autofree char *directory = harness_policy_path(harness, NULL);
        g_autofree char *path = harness_policy_path(harness, "policy.conf");
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
        g_file_set_contents(path, text, -1, &error);
        g_assert_no_error(error);
}

/* One target with three disks; no policy where `text` is NULL. */
static struct harness *boot(const char *text) {
        struct harness *harness = harness_new(machine_new(1, 1, 3));

        if (text)
                write_policy(harness, text);
        harness_start(harness, (struct daemon_start){});
        harness_wait_ready(harness);
        g_assert_true(client_settle(harness_client(harness), "", CLIENT_PATIENCE / 2));
        return harness;
}

static bool is_attached(struct harness *harness, uint64_t lun) {
        bool attached = sim_is_attached(sim_server_lock(harness_sim(harness)),
                                        (struct scsi_address){A, lun});

        sim_server_unlock(harness_sim(harness));
        return attached;
}

/* "0", "0 1 2": the LUNs that the kernel has. */
static void attached_are(struct harness *harness, const char *wanted) {
        g_autoptr(GString) text = g_string_new("");

        for (uint64_t lun = 0; lun < 3; lun++)
                if (is_attached(harness, lun))
                        g_string_append_printf(text, "%s%" PRIu64, text->len ? " " : "", lun);
        g_assert_cmpstr(text->str, ==, wanted);
}

/* A call of Hotplug. */
static void order(struct harness *harness, const char *method, GVariant *arguments) {
        g_variant_unref(client_call(harness_client(harness), SCSISCAN_PATH,
                                    SCSISCAN_INTERFACE_HOTPLUG, method, arguments));
}

static void attach(struct harness *harness, const char *lun) {
        order(harness, "Attach",
              g_variant_new("(ss@a{sv})", "0:0:0", lun, client_options("{'wait': <true>}")));
}

/* ---- the start ---- */

static void test_deny_at_start(void) {
        struct harness *harness = boot(only_zero);

        attached_are(harness, "0");
        harness_free(harness);
}

/* Nobody can say what was wanted: nothing is attached, and who asks is served. */
static void test_broken_at_start(void) {
        struct harness *harness = boot(broken);

        harness_wait_log(harness, "policy.conf:3: PollInterval=5 parsecs: expected a time span");
        attached_are(harness, "");
        attach(harness, "1");
        attached_are(harness, "1");
        harness_wait_log(harness, "0:0:0:1: attached as somebody asked for it, but "
                                  "[Rule policy-not-understood]");
        harness_free(harness);
}

/* ---- what is asked for ---- */

static void is_standing(struct harness *harness, const char *path, const char *wanted) {
        g_autofree char *standing = client_get_text(harness_client(harness), path,
                                                    SCSISCAN_INTERFACE_DEVICE, "Standing");

        g_assert_cmpstr(standing, ==, wanted);
}

static void test_refused(void) {
        struct harness *harness = boot(only_zero);

        client_refuses(
                harness_client(harness), SCSISCAN_PATH, SCSISCAN_INTERFACE_HOTPLUG, "Attach",
                g_variant_new("(ss@a{sv})", "0:0:0", "1", client_options("{'wait': <true>}")),
                SCSISCAN_ERROR_REFUSED, "[Rule nothing] (");
        attached_are(harness, "0");
        harness_free(harness);
}

static void test_quarantine(void) {
        struct harness *harness = boot("[Rule new]\nMatchLun=1\nAction=quarantine\n");
        struct client *client = harness_client(harness);

        attached_are(harness, "0 1 2");
        is_standing(harness, DEVICE_PATH("0_0_0_0"), "present");
        is_standing(harness, DEVICE_PATH("0_0_0_1"), "quarantined");
        harness_wait_log(harness,
                         "0:0:0:1: quarantined, I/O to it is stopped until it is accepted: "
                         "[Rule new] (");
        client_refuses(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_HOTPLUG, "Refresh",
                       g_variant_new("(s@a{sv})", "0:0:0:1", client_options("{'wait': <true>}")),
                       SCSISCAN_ERROR_REFUSED, "quarantined");
        order(harness, "AcceptReplacement",
              g_variant_new("(o@a{sv})", DEVICE_PATH("0_0_0_1"),
                            client_options("{'wait': <true>}")));
        is_standing(harness, DEVICE_PATH("0_0_0_1"), "present");
        harness_free(harness);
}

/* ---- SIGHUP ---- */

static void test_hangup(void) {
        struct harness *harness = boot(NULL);

        attached_are(harness, "0 1 2");
        write_policy(harness, only_zero);
        harness_hang_up(harness);
        harness_wait_log(harness, "policy: 2 rules");
        g_assert_true(client_settle(harness_client(harness), "", CLIENT_PATIENCE / 2));
        attached_are(harness, "0");

        write_policy(harness, broken);
        harness_hang_up(harness);
        harness_wait_log(harness, "policy.conf:3: PollInterval=5 parsecs: expected a time span");
        harness_wait_log(harness, "what held before still holds");
        client_scan_wait(harness_client(harness), "");
        attached_are(harness, "0");
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/policy/deny-at-start", test_deny_at_start);
        g_test_add_func("/bus/policy/broken-at-start", test_broken_at_start);
        g_test_add_func("/bus/policy/refused", test_refused);
        g_test_add_func("/bus/policy/quarantine", test_quarantine);
        g_test_add_func("/bus/policy/hangup", test_hangup);
        return g_test_run();
}
