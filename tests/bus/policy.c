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

/* ---- Reload ---- */

static GVariant *call(struct harness *harness, const char *method, GVariant *arguments) {
        return client_call(harness_client(harness), SCSISCAN_PATH, SCSISCAN_INTERFACE_POLICY,
                           method, arguments);
}

static void settle(struct harness *harness) {
        g_assert_true(client_settle(harness_client(harness), "", CLIENT_PATIENCE / 2));
}

static void reload(struct harness *harness, const char *text) {
        write_policy(harness, text);
        g_variant_unref(call(harness, "Reload", NULL));
        settle(harness);
}

/* What the policy's file says, as Rules has it: so many rules, and where they are from. */
static void rules_are(struct harness *harness, const char *wanted) {
        g_autoptr(GVariant) rules = client_get(harness_client(harness), SCSISCAN_PATH,
                                               SCSISCAN_INTERFACE_POLICY, "Rules");
        g_autofree char *file = harness_policy_path(harness, "policy.conf");
        g_autoptr(GString) names = g_string_new("");
        const char *name, *from;
        GVariantIter iter;

        g_variant_iter_init(&iter, rules);
        while (g_variant_iter_next(&iter, "(&s&s&s)", &name, &from, NULL)) {
                g_string_append_printf(names, "%s%s", names->len ? " " : "", name);
                g_assert_cmpstr(from, ==, file);
        }
        g_assert_cmpstr(names->str, ==, wanted);
}

static void test_reload(void) {
        struct harness *harness = boot(NULL);
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);
        guint rules;

        rules_are(harness, "");
        reload(harness, only_zero);
        attached_are(harness, "0");
        rules_are(harness, "nothing zero");
        rules = client_signal(client, from, "PropertiesChanged", "'Rules'");
        g_assert_cmpuint(client_signal(client, from, "Reloaded", NULL), >, rules);
        (void)client_signal(client, rules, "Started", "'', 'request'");
        (void)client_signal(client, rules, "Detached", "'0:0:0:1'");
        (void)client_signal(client, rules, "Detached",
                            "'0:0:0:2', 'naa.5000c50000000002', "
                            "'policy'");
        harness_check(harness);

        from = client_arrived(client);
        reload(harness, "");
        attached_are(harness, "0 1 2");
        rules_are(harness, "");
        (void)client_signal(client, from, "Attached", "'0:0:0:2'");
        harness_check_complete(harness);
        harness_free(harness);
}

static void test_reload_broken(void) {
        static const char *const methods[] = {"Reload", "Preview"};
        struct harness *harness = boot(only_zero);
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);

        write_policy(harness, broken);
        for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
                client_refuses(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_POLICY, methods[i], NULL,
                               SCSISCAN_ERROR_FAILED,
                               "policy.conf:3: PollInterval=5 parsecs: expected a time span");
        settle(harness);
        rules_are(harness, "nothing zero");
        g_assert_cmpint(client_signal_seen(client, from, "Reloaded", NULL), ==, -1);
        g_assert_cmpint(client_signal_seen(client, from, "Started", NULL), ==, -1);
        attached_are(harness, "0");

        reload(harness, "");
        attached_are(harness, "0 1 2");
        harness_free(harness);
}

/* Mended, what could not be understood at the start holds. */
static void test_reload_mended(void) {
        struct harness *harness = boot(broken);

        attached_are(harness, "");
        reload(harness, only_zero);
        attached_are(harness, "0");
        harness_free(harness);
}

static void hold(struct harness *harness, uint64_t lun, const char *holder) {
        sim_set_holder(sim_server_lock(harness_sim(harness)), (struct scsi_address){A, lun},
                       holder);
        sim_server_unlock(harness_sim(harness));
}

static void test_reload_in_use(void) {
        struct harness *harness = boot(NULL);

        hold(harness, 1, "dm-0");
        reload(harness, only_zero);
        attached_are(harness, "0 1");
        hold(harness, 1, NULL);
        reload(harness, only_zero);
        attached_are(harness, "0");
        harness_free(harness);
}

/* ---- Evaluate ---- */

/* `line`: of the rule's header. */
static void evaluates(struct harness *harness, const char *key, const char *action,
                      const char *rule, unsigned line) {
        g_autoptr(GVariant) reply = call(harness, "Evaluate", g_variant_new("(s)", key));
        g_autofree char *file = harness_policy_path(harness, "policy.conf");
        g_autofree char *by = g_strdup_printf("%s (%s:%u)", rule, file, line);
        const char *said, *decided, *reason;

        g_variant_get(reply, "(&s&s&s)", &said, &decided, &reason);
        g_assert_cmpstr(said, ==, action);
        g_assert_cmpstr(decided, ==, by);
        g_assert_nonnull(strstr(reason, rule));
}

/* The target's ports have no names here; who is not attached is judged by the place. */
static void test_evaluate(void) {
        struct harness *harness = boot(only_zero);

        evaluates(harness, "0:0:0:0", "attach", "zero", 3);
        evaluates(harness, DEVICE_PATH("0_0_0_0"), "attach", "zero", 3);
        evaluates(harness, "naa.5000c50000000000", "attach", "zero", 3);
        evaluates(harness, "0:0:0:1", "ignore", "nothing", 1);
        evaluates(harness, "0:0:9:1", "ignore", "nothing", 1);
        evaluates(harness, "0:0:0", "ask", "zero", 3);
        client_refuses(harness_client(harness), SCSISCAN_PATH, SCSISCAN_INTERFACE_POLICY,
                       "Evaluate", g_variant_new("(s)", "naa.1"), SCSISCAN_ERROR_NOT_FOUND,
                       "naa.1");
        harness_free(harness);
}

/* ---- Preview ---- */

/* What it says of that address, "" for nothing. */
static char *previewed(GVariant *changes, const char *address) {
        const char *of, *action;
        GVariantIter iter;

        g_variant_iter_init(&iter, changes);
        while (g_variant_iter_next(&iter, "(&s&s&s)", &of, &action, NULL))
                if (strcmp(of, address) == 0)
                        return g_strdup(action);
        return g_strdup("");
}

static const char *state_of(struct harness *harness, uint64_t lun) {
        g_autofree char *path = g_strdup_printf(DEVICE_PATH("0_0_0_%" PRIu64), lun);
        g_autofree char *standing = NULL;

        if (!is_attached(harness, lun))
                return "detached";
        standing = client_get_text(harness_client(harness), path, SCSISCAN_INTERFACE_DEVICE,
                                   "Standing");
        return strcmp(standing, "quarantined") == 0 ? "quarantined" : "attached";
}

/* What becomes of the LUN is what was foreseen. */
static void came_true(struct harness *harness, uint64_t lun, const char *before,
                      const char *action) {
        static const struct {
                const char *action, *state;
        } outcomes[] = {
                {"attach", "attached"}, {"detach", "detached"},  {"quarantine", "quarantined"},
                {"keep", "attached"},   {"release", "attached"},
        };
        const char *wanted = before;

        for (size_t i = 0; i < G_N_ELEMENTS(outcomes); i++)
                if (strcmp(action, outcomes[i].action) == 0)
                        wanted = outcomes[i].state;
        g_assert_cmpstr(state_of(harness, lun), ==, wanted);
}

static void preview_then_reload(struct harness *harness, const char *rules,
                                const char *const foreseen[3]) {
        g_autoptr(GVariant) reply = NULL, changes = NULL;
        const char *before[3];

        write_policy(harness, rules);
        reply = call(harness, "Preview", NULL);
        changes = g_variant_get_child_value(reply, 0);
        settle(harness);
        for (uint64_t lun = 0; lun < 3; lun++) {
                g_autofree char *address = g_strdup_printf("0:0:0:%" PRIu64, lun);
                g_autofree char *action = previewed(changes, address);

                before[lun] = state_of(harness, lun);
                g_assert_cmpstr(action, ==, foreseen[lun]);
        }
        reload(harness, rules);
        for (uint64_t lun = 0; lun < 3; lun++)
                came_true(harness, lun, before[lun], foreseen[lun]);
}

static void test_preview(void) {
        static const struct {
                const char *rules;
                const char *foreseen[3];
        } steps[] = {
                {only_zero, {"", "keep", "detach"}},
                {"", {"", "", "attach"}},
                {"[Rule stop]\nMatchLun=0\nAction=quarantine\n", {"quarantine", "", ""}},
                {"[Rule less]\nMatchLun=1-2\nAction=ignore\n", {"release", "keep", "detach"}},
                {"[Rule stop]\nMatchLun=2\nAction=quarantine\n", {"", "", "quarantine"}},
        };
        struct harness *harness = boot(NULL);
        guint from = client_arrived(harness_client(harness));

        write_policy(harness, only_zero);
        g_variant_unref(call(harness, "Preview", NULL));
        settle(harness);
        g_assert_cmpint(client_signal_seen(harness_client(harness), from, "Started", NULL), ==, -1);
        rules_are(harness, "");
        hold(harness, 1, "dm-0");
        client_scan_wait(harness_client(harness), "");
        UNTIL(client_get_flag(harness_client(harness), DEVICE_PATH("0_0_0_1"),
                              SCSISCAN_INTERFACE_DEVICE, "InUse"));
        for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
                preview_then_reload(harness, steps[i].rules, steps[i].foreseen);
        harness_free(harness);
}

/* ---- nobody ---- */

static void test_nobody(void) {
        static const char *const methods[] = {"Reload", "Preview"};
        struct harness *harness = boot(only_zero);
        struct client *nobody = client_new(harness_address(harness), NOBODY);

        write_policy(harness, "");
        for (size_t i = 0; nobody && i < G_N_ELEMENTS(methods); i++)
                client_refuses(nobody, SCSISCAN_PATH, SCSISCAN_INTERFACE_POLICY, methods[i], NULL,
                               SCSISCAN_ERROR_ACCESS_DENIED, SCSISCAN_ACTION_RELOAD_POLICY);
        rules_are(harness, "nothing zero");
        if (nobody)
                g_variant_unref(client_call(nobody, SCSISCAN_PATH, SCSISCAN_INTERFACE_POLICY,
                                            "Evaluate", g_variant_new("(s)", "0:0:0:1")));
        else
                g_test_skip("no second user in this user namespace");
        client_free(nobody);
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
        g_test_add_func("/bus/policy/reload", test_reload);
        g_test_add_func("/bus/policy/reload-broken", test_reload_broken);
        g_test_add_func("/bus/policy/reload-mended", test_reload_mended);
        g_test_add_func("/bus/policy/reload-in-use", test_reload_in_use);
        g_test_add_func("/bus/policy/evaluate", test_evaluate);
        g_test_add_func("/bus/policy/preview", test_preview);
        g_test_add_func("/bus/policy/nobody", test_nobody);
        g_test_add_func("/bus/policy/hangup", test_hangup);
        return g_test_run();
}
