/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The XML in dbus/ is the contract: what the running service says of itself must be the same,
 * member by member and in both directions. Both sides are written down as lines of one form and
 * compared.
 */

#include <string.h>

#include "tests/unit/dbus_fixture.h"

static const struct {
        const char *path;
        const char *interfaces[5]; /* all of them but those that sd-bus adds */
} objects[] = {
        {SCSISCAN_PATH,
         {SCSISCAN_INTERFACE_SCAN, SCSISCAN_INTERFACE_TOPOLOGY, SCSISCAN_INTERFACE_HOTPLUG,
          SCSISCAN_INTERFACE_POLICY}},
        {FAKE_HOST, {SCSISCAN_INTERFACE_HOST}},
        {FAKE_TARGET, {SCSISCAN_INTERFACE_TARGET}},
        {FAKE_DEVICE_0, {SCSISCAN_INTERFACE_DEVICE}},
        {FAKE_UNIT_A, {SCSISCAN_INTERFACE_UNIT}},
        {FAKE_BOOT_JOB, {SCSISCAN_INTERFACE_JOB}},
        {SCSISCAN_PATH_LOG_CONTROL, {SCSISCAN_INTERFACE_LOG_CONTROL}},
};

static void add(GPtrArray *lines, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add(GPtrArray *lines, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        g_ptr_array_add(lines, g_strdup_vprintf(format, arguments));
        va_end(arguments);
}

static void write_arguments(GPtrArray *lines, const char *member, const char *direction,
                            GDBusArgInfo **arguments) {
        for (unsigned i = 0; arguments && arguments[i]; i++)
                add(lines, "%s: %s %u: %s %s", member, direction, i, arguments[i]->signature,
                    arguments[i]->name);
}

/* All of them; that properties emit changes is what D-Bus says where nothing is written. */
static void write_annotations(GPtrArray *lines, const char *member,
                              GDBusAnnotationInfo **annotations, bool property) {
        bool emits = !property;

        for (unsigned i = 0; annotations && annotations[i]; i++) {
                emits |= g_str_has_suffix(annotations[i]->key, ".EmitsChangedSignal");
                add(lines, "%s: %s=%s", member, annotations[i]->key, annotations[i]->value);
        }
        if (!emits)
                add(lines, "%s: org.freedesktop.DBus.Property.EmitsChangedSignal=true", member);
}

static void write_methods(GPtrArray *lines, const GDBusInterfaceInfo *interface) {
        for (unsigned i = 0; interface->methods && interface->methods[i]; i++) {
                const GDBusMethodInfo *method = interface->methods[i];
                g_autofree char *member =
                        g_strdup_printf("%s method %s", interface->name, method->name);

                add(lines, "%s", member);
                write_arguments(lines, member, "in", method->in_args);
                write_arguments(lines, member, "out", method->out_args);
                write_annotations(lines, member, method->annotations, false);
        }
}

static void write_signals(GPtrArray *lines, const GDBusInterfaceInfo *interface) {
        for (unsigned i = 0; interface->signals && interface->signals[i]; i++) {
                const GDBusSignalInfo *signal = interface->signals[i];
                g_autofree char *member =
                        g_strdup_printf("%s signal %s", interface->name, signal->name);

                add(lines, "%s", member);
                write_arguments(lines, member, "argument", signal->args);
                write_annotations(lines, member, signal->annotations, false);
        }
}

static void write_properties(GPtrArray *lines, const GDBusInterfaceInfo *interface) {
        for (unsigned i = 0; interface->properties && interface->properties[i]; i++) {
                const GDBusPropertyInfo *property = interface->properties[i];
                g_autofree char *member =
                        g_strdup_printf("%s property %s", interface->name, property->name);

                add(lines, "%s: %s access %u", member, property->signature, property->flags);
                write_annotations(lines, member, property->annotations, true);
        }
}

static int compare(gconstpointer a, gconstpointer b) {
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One interface as sorted lines. */
static GPtrArray *write_interface(const GDBusInterfaceInfo *interface) {
        GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

        write_methods(lines, interface);
        write_signals(lines, interface);
        write_properties(lines, interface);
        write_annotations(lines, interface->name, interface->annotations, false);
        g_ptr_array_sort(lines, compare);
        return lines;
}

static GDBusNodeInfo *parse_xml(const char *xml) {
        g_autoptr(GError) error = NULL;
        GDBusNodeInfo *node = g_dbus_node_info_new_for_xml(xml, &error);

        g_assert_no_error(error);
        return node;
}

static GDBusNodeInfo *read_contract(const char *interface) {
        g_autofree char *name = g_strdup_printf("%s.xml", interface);
        g_autofree char *path = g_test_build_filename(G_TEST_DIST, name, NULL);
        g_autofree char *xml = NULL;
        g_autoptr(GError) error = NULL;

        g_file_get_contents(path, &xml, NULL, &error);
        g_assert_no_error(error);
        return parse_xml(xml);
}

static GDBusNodeInfo *introspect(struct fixture *fixture, const char *path) {
        g_autoptr(GVariant) reply = fixture_call(
                fixture, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL, NULL);
        const char *xml;

        g_variant_get(reply, "(&s)", &xml);
        return parse_xml(xml);
}

static unsigned report_missing(GPtrArray *wanted, GPtrArray *there, const char *what) {
        unsigned missing = 0;

        for (unsigned i = 0; i < wanted->len; i++) {
                const char *line = g_ptr_array_index(wanted, i);

                if (g_ptr_array_find_with_equal_func(there, line, g_str_equal, NULL))
                        continue;
                g_test_message("%s: %s", what, line);
                missing++;
        }
        return missing;
}

static void compare_interface(const GDBusInterfaceInfo *contract,
                              const GDBusInterfaceInfo *served) {
        g_autoptr(GPtrArray) wanted = write_interface(contract);
        g_autoptr(GPtrArray) there = write_interface(served);
        unsigned different = report_missing(wanted, there, "in the contract, not served");

        different += report_missing(there, wanted, "served, not in the contract");
        g_assert_cmpuint(different, ==, 0);
        g_assert_cmpuint(wanted->len, ==, there->len);
}

static unsigned count_contracts(const GDBusNodeInfo *node) {
        unsigned count = 0;

        for (unsigned i = 0; node->interfaces && node->interfaces[i]; i++)
                count += !g_str_has_prefix(node->interfaces[i]->name, "org.freedesktop.DBus.");
        return count;
}

static void test_object(gconstpointer data) {
        size_t object = GPOINTER_TO_SIZE(data);
        struct fixture *fixture = fixture_set_up();
        g_autoptr(GDBusNodeInfo) served = introspect(fixture, objects[object].path);
        unsigned count = 0;

        for (; objects[object].interfaces[count]; count++) {
                const char *name = objects[object].interfaces[count];
                g_autoptr(GDBusNodeInfo) contract = read_contract(name);
                GDBusInterfaceInfo *interface = g_dbus_node_info_lookup_interface(served, name);

                g_assert_nonnull(interface);
                g_assert_nonnull(g_dbus_node_info_lookup_interface(contract, name));
                compare_interface(contract->interfaces[0], interface);
        }
        g_assert_cmpuint(count_contracts(served), ==, count);
        fixture_free(fixture);
}

static bool is_expected(const char *file) {
        for (size_t i = 0; i < G_N_ELEMENTS(objects); i++)
                for (const char *const *interface = objects[i].interfaces; *interface;
                     interface++) {
                        g_autofree char *name = g_strdup_printf("%s.xml", *interface);

                        if (strcmp(file, name) == 0)
                                return true;
                }
        return false;
}

/* No file that the other tests do not look at. */
static void test_files(void) {
        const char *folder = g_test_get_dir(G_TEST_DIST);
        g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
        const char *name;
        unsigned count = 0;

        g_assert_nonnull(dir);
        while ((name = g_dir_read_name(dir))) {
                if (!g_str_has_suffix(name, ".xml"))
                        continue;
                g_test_message("%s", name);
                g_assert_true(is_expected(name));
                count++;
        }
        g_assert_cmpuint(count, ==, 10);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(objects); i++) {
                g_autofree char *path =
                        g_strdup_printf("/dbus/contract%s", objects[i].path + strlen("/org"));

                g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_object);
        }
        g_test_add_func("/dbus/contract/files", test_files);
        return g_test_run();
}
