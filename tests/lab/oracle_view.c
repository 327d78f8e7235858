/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the service says on the bus. */

#include <stdbool.h>
#include <string.h>

#include "tests/lab/oracle.h"
#include "util/cleanup.h"

#define CALL_TIMEOUT_USEC (120 * G_USEC_PER_SEC)

/* The object paths of an array, sorted. */
static int view_read_paths(sd_bus_message *message, char **ret) {
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
        const char *path;
        int r = sd_bus_message_enter_container(message, 'a', "o");

        while (r >= 0 && (r = sd_bus_message_read_basic(message, 'o', &path)) > 0)
                g_ptr_array_add(paths, g_strdup(path));
        if (r < 0)
                return r;
        *ret = list_text(paths);
        return sd_bus_message_exit_container(message);
}

/* Target.Luns: the Linux numbers of the LUNs that it reports, sorted. */
static int view_read_luns(sd_bus_message *message, char **ret) {
        g_autoptr(GPtrArray) luns = g_ptr_array_new_with_free_func(g_free);
        const char *number, *hex, *disposition, *reason;
        int r = sd_bus_message_enter_container(message, 'a', "(ssss)");

        while (r >= 0 && (r = sd_bus_message_read(message, "(ssss)", &number, &hex, &disposition,
                                                  &reason)) > 0)
                if (g_ascii_strtoull(number, NULL, 10) != WELL_KNOWN_REPORT_LUNS &&
                    strcmp(disposition, "not-reported") != 0)
                        g_ptr_array_add(luns, g_strdup(number));
        if (r < 0)
                return r;
        *ret = list_text(luns);
        return sd_bus_message_exit_container(message);
}

/* Any value that we compare, as text; *ret stays NULL for a type that none of them has. */
static int view_read_value(sd_bus_message *message, char **ret) {
        const char *signature, *text;
        uint64_t wide;
        uint32_t narrow;
        int truth;
        int r = sd_bus_message_peek_type(message, NULL, &signature);

        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(message, 'v', signature);
        if (r < 0)
                return r;
        if (strcmp(signature, "b") == 0) {
                r = sd_bus_message_read_basic(message, 'b', &truth);
                *ret = r > 0 ? g_strdup(truth ? "true" : "false") : NULL;
        } else if (strcmp(signature, "s") == 0 || strcmp(signature, "o") == 0) {
                r = sd_bus_message_read_basic(message, signature[0], &text);
                *ret = r > 0 ? g_strdup(text) : NULL;
        } else if (strcmp(signature, "t") == 0) {
                r = sd_bus_message_read_basic(message, 't', &wide);
                *ret = r > 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, wide) : NULL;
        } else if (strcmp(signature, "u") == 0) {
                r = sd_bus_message_read_basic(message, 'u', &narrow);
                *ret = r > 0 ? g_strdup_printf("%u", narrow) : NULL;
        } else if (strcmp(signature, "ao") == 0)
                r = view_read_paths(message, ret);
        else if (strcmp(signature, "a(ssss)") == 0)
                r = view_read_luns(message, ret);
        else
                r = sd_bus_message_skip(message, signature);
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* The properties that the kernel and the targets can vouch for. Those marked are compared only
 * where the other side knows them: a tape has no size in sysfs. */
static bool property_compared(GHashTable *truth, const char *interface, const char *path,
                              const char *property) {
        static const struct {
                const char *interface, *property;
                bool where_known;
        } compared[] = {
                {"Host", "Number", false},        {"Target", "Devices", false},
                {"Target", "Luns", true},         {"Device", "Address", false},
                {"Device", "Host", false},        {"Device", "Target", false},
                {"Device", "Unit", false},        {"Device", "Lun", false},
                {"Device", "LunHex", false},      {"Device", "Type", false},
                {"Device", "Vendor", false},      {"Device", "Model", false},
                {"Device", "Revision", false},    {"Device", "State", false},
                {"Device", "BlockDevice", false}, {"Device", "GenericDevice", false},
                {"Device", "Identity", false},    {"Device", "Standing", false},
                {"Device", "InUse", true},        {"Unit", "Identity", false},
                {"Unit", "Devices", false},       {"Unit", "Size", true},
                {"Unit", "BlockSize", true},
        };

        if (!g_str_has_prefix(interface, BUS_NAME "."))
                return false;
        for (size_t i = 0; i < ELEMENTS_OF(compared); i++)
                if (strcmp(interface + strlen(BUS_NAME "."), compared[i].interface) == 0 &&
                    strcmp(property, compared[i].property) == 0) {
                        g_autofree char *key = g_strdup_printf("%s %s", path, property);

                        return !compared[i].where_known || g_hash_table_contains(truth, key);
                }
        return false;
}

/* The service may know of a target with nothing attached; the kernel then has none. */
static bool value_is_void(const char *property, const char *value) {
        return strcmp(property, "Devices") == 0 && !*value;
}

static int view_read_interface(sd_bus_message *message, GHashTable *truth, GHashTable *view,
                               const char *path) {
        const char *interface, *property;
        int r = sd_bus_message_read_basic(message, 's', &interface);

        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                g_autofree char *value = NULL;

                r = sd_bus_message_read_basic(message, 's', &property);
                if (r >= 0)
                        r = view_read_value(message, &value);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
                if (r >= 0 && value && property_compared(truth, interface, path, property) &&
                    !value_is_void(property, value))
                        fact_state(view, path, property, TAKE_PTR(value));
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int view_parse(sd_bus_message *message, GHashTable *truth, GHashTable *view) {
        int r = sd_bus_message_enter_container(message, 'a', "{oa{sa{sv}}}");

        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "oa{sa{sv}}")) > 0) {
                const char *path;

                r = sd_bus_message_read_basic(message, 'o', &path);
                if (r >= 0)
                        r = sd_bus_message_enter_container(message, 'a', "{sa{sv}}");
                while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sa{sv}")) > 0) {
                        r = view_read_interface(message, truth, view, path);
                        if (r >= 0)
                                r = sd_bus_message_exit_container(message);
                }
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        return r;
}

int view_read(sd_bus *bus, GHashTable *truth, GHashTable *view) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, ROOT_PATH,
                                               "org.freedesktop.DBus.ObjectManager",
                                               "GetManagedObjects");

        if (r >= 0)
                r = sd_bus_call(bus, call, CALL_TIMEOUT_USEC, &error, &reply);
        if (r >= 0)
                r = view_parse(reply, truth, view);
        if (r < 0)
                fact_state(view, "GetManagedObjects", "fails",
                           g_strdup(error.message ? error.message : g_strerror(-r)));
        sd_bus_error_free(&error);
        return r;
}

/* It is still there, and shown, and its target does not list it. One that was replaced first and
 * unmapped then is stopped, and can no longer say so itself. */
static bool is_missing(GHashTable *truth, GHashTable *view, const char *address) {
        g_autofree char *object = object_path("device", address);
        g_autofree char *target = target_of(address);
        g_autofree char *target_path = object_path("target", target);
        g_autofree char *key = g_strdup_printf("%s Standing", object);
        g_autofree char *attached_key = g_strdup_printf("%s attached", target_path);
        const char *standing = g_hash_table_lookup(view, key);
        const char *attached = g_hash_table_lookup(truth, attached_key);
        g_auto(GStrv) luns = g_strsplit(attached ? attached : "", " ", -1);

        return g_strcmp0(standing, "missing") == 0 ||
               (g_strcmp0(standing, "replaced") == 0 &&
                !g_strv_contains((const char *const *)luns, strrchr(address, ':') + 1));
}

void view_state_attached(GHashTable *truth, GHashTable *view) {
        g_autoptr(GHashTable) attached = lists_new();
        GHashTableIter iterator;
        void *key, *value;

        g_hash_table_iter_init(&iterator, view);
        while (g_hash_table_iter_next(&iterator, &key, &value)) {
                g_autofree char *target = NULL, *target_path = NULL;

                if (!g_str_has_suffix(key, " Address") || strchr(value, ':') == NULL ||
                    lun_of(value) == WELL_KNOWN_REPORT_LUNS || is_missing(truth, view, value))
                        continue;
                target = target_of(value);
                target_path = object_path("target", target);
                list_add(attached, target_path, strrchr(value, ':') + 1);
        }
        g_hash_table_iter_init(&iterator, attached);
        while (g_hash_table_iter_next(&iterator, &key, &value)) {
                g_autofree char *known = g_strdup_printf("%s attached", (char *)key);

                if (g_hash_table_contains(truth, known))
                        fact_state(view, key, "attached", list_text(value));
        }
}
