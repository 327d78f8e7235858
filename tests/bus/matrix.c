/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every method that changes something, as everybody who may call it: root, a user whom polkit
 * allows it, one whom it does not, and one where there is no polkit. */

#include <string.h>

#include "fake_polkit.h"
#include "harness.h"

enum who {
        ROOT,
        ALLOWED,
        DENIED,
        ALONE, /* no polkit */
        WHO_KINDS
};

/* Digits for '#', so that each takes a device of his own. */
static const struct row {
        const char *path, *interface, *method;
        const char *arguments; /* of GVariant's text format */
        const char *action;
} rows[] = {
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan", "('', {'wait': <true>})",
         SCSISCAN_ACTION_SCAN},
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Plan", "('', @a{sv} {})", SCSISCAN_ACTION_SCAN},
        {HOST_PATH("0"), SCSISCAN_INTERFACE_HOST, "Scan", "({'wait': <true>},)",
         SCSISCAN_ACTION_SCAN},
        {TARGET_PATH("0_0_0"), SCSISCAN_INTERFACE_TARGET, "Scan", "({'wait': <true>},)",
         SCSISCAN_ACTION_SCAN},
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_HOTPLUG, "Refresh", "('0:0:0:#', {'wait': <true>})",
         SCSISCAN_ACTION_SCAN},
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_HOTPLUG, "Detach", "('0:0:0:#', {'wait': <true>})",
         SCSISCAN_ACTION_DETACH},
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_HOTPLUG, "Attach", "('0:0:0', '#', {'wait': <true>})",
         SCSISCAN_ACTION_ATTACH},
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_HOTPLUG, "Detach",
         "('0:0:1:#', {'wait': <true>, 'force': <true>})", SCSISCAN_ACTION_DETACH_IN_USE},
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_HOTPLUG, "AcceptReplacement",
         "(objectpath '" DEVICE_PATH("0_0_0_#") "', {'wait': <true>})",
         SCSISCAN_ACTION_ACCEPT_REPLACEMENT},
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_HOTPLUG, "Inhibit", "('0:0:0', 'who', 'why', uint64 0)",
         SCSISCAN_ACTION_INHIBIT},
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_POLICY, "Reload", "()", SCSISCAN_ACTION_RELOAD_POLICY},
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_POLICY, "Preview", "()", SCSISCAN_ACTION_RELOAD_POLICY},
        {SCSISCAN_PATH_JOB "/1", SCSISCAN_INTERFACE_JOB, "Cancel", "(@a{sv} {},)",
         SCSISCAN_ACTION_CANCEL},
};

static GVariant *arguments_of(const struct row *row, enum who who) {
        g_autofree char *text = g_strdelimit(g_strdup(row->arguments), "#", (char)('0' + who));
        g_autoptr(GError) error = NULL;
        GVariant *arguments = g_variant_parse(NULL, text, NULL, NULL, &error);

        g_assert_no_error(error);
        return arguments;
}

static bool is_denial(const char *error) {
        return error && (strcmp(error, SCSISCAN_ERROR_ACCESS_DENIED) == 0 ||
                         strcmp(error, SCSISCAN_ERROR_INTERACTIVE) == 0);
}

static char *call_error(struct client *client, const struct row *row, enum who who) {
        g_autoptr(GVariant) arguments = arguments_of(row, who);
        guint32 serial = client_send(client, row->path, row->interface, row->method, arguments);
        g_autoptr(GDBusMessage) reply = client_reply(client, serial);

        return g_strdup(g_dbus_message_get_error_name(reply));
}

/* How many changes anybody has told of since: devices that went, scans that were begun. */
static bool was_done(struct client *client, guint from) {
        return client_signal_seen(client, from, "Detached", NULL) >= 0 ||
               client_signal_seen(client, from, "Started", NULL) >= 0 ||
               client_signal_seen(client, from, "InterfacesAdded", SCSISCAN_PATH_JOB) >= 0;
}

static void check_row(struct harness *harness, struct fake_polkit *polkit, struct client *client,
                      const struct row *row, enum who who) {
        struct client *root = harness_client(harness);
        guint asked = polkit ? fake_polkit_asked(polkit) : 0;
        guint from = client_arrived(root);
        g_autofree char *error = call_error(client, row, who);
        bool allowed = who == ROOT || who == ALLOWED;

        g_test_message("%s.%s as %d: %s", row->interface, row->method, who, error ?: "done");
        g_assert_true(is_denial(error) != allowed);
        if (allowed)
                g_assert_cmpstr(error, !=, "org.freedesktop.DBus.Error.UnknownMethod");
        if (polkit)
                g_assert_cmpuint(fake_polkit_asked(polkit), ==, asked + (who != ROOT));
        if (polkit && who != ROOT) {
                g_autofree char *action = fake_polkit_action(polkit, asked);

                g_assert_cmpstr(action, ==, row->action);
        }
        g_assert_true(client_settle(root, "", CLIENT_PATIENCE));
        if (!allowed)
                g_assert_false(was_done(root, from));
}

static void check_everybody(struct harness *harness, enum who who) {
        struct client *client = client_new(harness_address(harness), who == ROOT ? 0 : NOBODY);
        struct fake_polkit *polkit =
                who == ALONE ? NULL : fake_polkit_new(harness_address(harness));

        if (!client)
                g_error("There is no second user here: polkit would not be asked");
        if (polkit)
                fake_polkit_says(polkit, who == ALLOWED ? POLKIT_YES : POLKIT_NO);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                check_row(harness, polkit, client, &rows[i], who);
        client_free(client);
        fake_polkit_free(polkit);
}

static void test_matrix(gconstpointer data) {
        struct harness *harness = harness_boot(machine_new(1, 2, 4));
        guint64 scans;

        harness_check_complete(harness);
        scans = client_get_number(harness_client(harness), "target-scans");
        check_everybody(harness, (enum who)GPOINTER_TO_UINT(data));
        if (GPOINTER_TO_UINT(data) == DENIED || GPOINTER_TO_UINT(data) == ALONE) {
                g_assert_cmpuint(client_get_number(harness_client(harness), "target-scans"), ==,
                                 scans);
                harness_check_complete(harness);
        }
        harness_free(harness);
}

/* ---- none is left out ---- */

static bool is_in_matrix(const char *interface, const char *method) {
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                if (strcmp(rows[i].interface, interface) == 0 &&
                    strcmp(rows[i].method, method) == 0)
                        return true;
        return false;
}

/* What sends nothing and changes nothing, by the contract. */
static bool is_free(const char *interface, const char *method) {
        static const char *const free_ones[] = {"Settle", "Find", "Explain",   "Evaluate",
                                                "Wait",   "List", "GetChanges"};

        for (size_t i = 0; i < G_N_ELEMENTS(free_ones); i++)
                if (strcmp(free_ones[i], method) == 0)
                        return true;
        return !g_str_has_prefix(interface, SCSISCAN_BUS_NAME);
}

static unsigned check_interfaces(struct client *client, const char *path) {
        g_autoptr(GVariant) reply = client_call(client, path, "org.freedesktop.DBus.Introspectable",
                                                "Introspect", NULL);
        g_autoptr(GDBusNodeInfo) node = NULL;
        const char *text;
        unsigned found = 0;

        g_variant_get(reply, "(&s)", &text);
        node = g_dbus_node_info_new_for_xml(text, NULL);
        g_assert_nonnull(node);
        for (GDBusInterfaceInfo **face = node->interfaces; face && *face; face++) {
                for (GDBusPropertyInfo **property = (*face)->properties; property && *property;
                     property++)
                        g_assert_cmpuint((*property)->flags, ==,
                                         G_DBUS_PROPERTY_INFO_FLAGS_READABLE);
                for (GDBusMethodInfo **method = (*face)->methods; method && *method; method++) {
                        if (is_free((*face)->name, (*method)->name))
                                continue;
                        if (!is_in_matrix((*face)->name, (*method)->name))
                                g_error("%s.%s is not in the matrix", (*face)->name,
                                        (*method)->name);
                        found++;
                }
        }
        return found;
}

static void test_complete(void) {
        static const char *const paths[] = {SCSISCAN_PATH,
                                            HOST_PATH("0"),
                                            TARGET_PATH("0_0_0"),
                                            DEVICE_PATH("0_0_0_0"),
                                            SCSISCAN_PATH_UNIT "/naa_2e5000c50000000000",
                                            SCSISCAN_PATH_JOB "/1"};
        struct harness *harness = harness_boot(machine_new(1, 1, 1));
        unsigned found = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
                found += check_interfaces(harness_client(harness), paths[i]);
        g_assert_cmpuint(found, >=, 8);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_data_func("/bus/matrix/root", GUINT_TO_POINTER(ROOT), test_matrix);
        g_test_add_data_func("/bus/matrix/allowed", GUINT_TO_POINTER(ALLOWED), test_matrix);
        g_test_add_data_func("/bus/matrix/denied", GUINT_TO_POINTER(DENIED), test_matrix);
        g_test_add_data_func("/bus/matrix/alone", GUINT_TO_POINTER(ALONE), test_matrix);
        g_test_add_func("/bus/matrix/complete", test_complete);
        return g_test_run();
}
