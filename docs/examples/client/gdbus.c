/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A client of scsiscan in C with GLib, whose GDBusObjectManagerClient keeps a copy of all objects:
 *
 *     cc -D_GNU_SOURCE -o scsiscan gdbus.c $(pkg-config --cflags --libs gio-2.0)
 *
 *     ./scsiscan list              every device: ADDRESS IDENTITY BLOCKDEVICE STANDING
 *     ./scsiscan scan [SCOPE]      look for what is new, wait, and say what came of it
 *     ./scsiscan follow [COUNT]    what is attached and detached from now on
 *
 * On a machine with tens of thousands of LUNs GetManagedObjects answers LimitsExceeded, and there
 * is no such copy: the client then has no objects, and says why only in a warning. There, call
 * org.scsiscan1.Topology.List; the examples for sd-bus and in Python do.
 */
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "org.scsiscan1"
#define ROOT "/org/scsiscan1"

/* The text of a property, "-" for none. */
static char *text(GDBusProxy *device, const char *property) {
        g_autoptr(GVariant) value = g_dbus_proxy_get_cached_property(device, property);
        const char *found = value ? g_variant_get_string(value, NULL) : "";

        return g_strdup(*found ? found : "-");
}

static int list(GDBusObjectManager *manager) {
        GList *objects = g_dbus_object_manager_get_objects(manager), *lines = NULL;

        for (GList *object = objects; object; object = object->next) {
                g_autoptr(GDBusInterface) device =
                        g_dbus_object_get_interface(object->data, "org.scsiscan1.Device");
                g_autofree char *address = NULL, *identity = NULL, *block = NULL, *standing = NULL;

                if (!device)
                        continue;
                address = text(G_DBUS_PROXY(device), "Address");
                identity = text(G_DBUS_PROXY(device), "Identity");
                block = text(G_DBUS_PROXY(device), "BlockDevice");
                standing = text(G_DBUS_PROXY(device), "Standing");
                lines = g_list_prepend(lines,
                                       g_strjoin(" ", address, identity, block, standing, NULL));
        }
        /* Numbers count as numbers: 0:0:0:9 comes before 0:0:0:10. */
        lines = g_list_sort(lines, (GCompareFunc)strverscmp);
        for (GList *line = lines; line; line = line->next)
                g_print("%s\n", (char *)line->data);
        g_list_free_full(lines, g_free);
        g_list_free_full(objects, g_object_unref);
        return EXIT_SUCCESS;
}

/* A scan may take longer than the 25 s that a call usually has, and so may whoever is asked for a
 * password. What goes wrong ends the program. */
static GVariant *call(GDBusObjectManager *manager, const char *path, const char *interface,
                      const char *method, GVariant *arguments) {
        g_autoptr(GDBusConnection) bus = NULL;
        g_autoptr(GError) error = NULL;
        GVariant *reply;

        g_object_get(manager, "connection", &bus, NULL);
        reply = g_dbus_connection_call_sync(bus, NAME, path, interface, method, arguments, NULL,
                                            G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION,
                                            G_MAXINT, NULL, &error);
        if (reply)
                return reply;
        g_dbus_error_strip_remote_error(error);
        g_printerr("%s\n", error->message);
        exit(EXIT_FAILURE);
}

static int scan(GDBusObjectManager *manager, const char *scope) {
        g_autoptr(GVariant) started = NULL, ended = NULL;
        g_autoptr(GVariantIter) summary = NULL;
        const char *job, *result, *key;
        guint64 number;
        GList *words = NULL;

        started = call(manager, ROOT, "org.scsiscan1.Scan", "Scan",
                       g_variant_new_parsed("(%s, {'wait': <true>})", scope ? scope : ""));
        g_variant_get(started, "(&o)", &job);
        ended = call(manager, job, "org.scsiscan1.Job", "Wait", NULL);
        g_variant_get(ended, "(&sa{st})", &result, &summary);
        while (g_variant_iter_next(summary, "{&st}", &key, &number))
                words = g_list_insert_sorted(words,
                                             g_strdup_printf("%s=%" G_GUINT64_FORMAT, key, number),
                                             (GCompareFunc)g_strcmp0);
        g_print("%s", result);
        for (GList *word = words; word; word = word->next)
                g_print(" %s", (char *)word->data);
        g_print("\n");
        g_list_free_full(words, g_free);
        return EXIT_SUCCESS;
}

static void on_signal(GDBusObjectManagerClient *manager, GDBusObjectProxy *object,
                      GDBusProxy *interface, const char *sender, const char *signal,
                      GVariant *arguments, gint64 *left) {
        const char *address, *identity, *reason;

        if (*left == 0)
                return; /* one turn of the loop may bring several */
        if (g_str_equal(signal, "Attached")) {
                g_variant_get(arguments, "(&o&s&s)", NULL, &address, &identity);
                g_print("attached %s %s\n", address, *identity ? identity : "-");
        } else if (g_str_equal(signal, "Detached")) {
                g_variant_get(arguments, "(&o&s&s&s)", NULL, &address, NULL, &reason);
                g_print("detached %s %s\n", address, reason);
        } else {
                return;
        }
        --*left;
}

/* The manager listens since it was made. */
static int follow(GDBusObjectManager *manager, const char *count) {
        gint64 left = count ? g_ascii_strtoll(count, NULL, 10) : -1;

        g_signal_connect(manager, "interface-proxy-signal", G_CALLBACK(on_signal), &left);
        g_printerr("following\n");
        while (left != 0)
                g_main_context_iteration(NULL, TRUE);
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        const char *verb = argc > 1 ? argv[1] : "", *argument = argc > 2 ? argv[2] : NULL;
        g_autoptr(GDBusObjectManager) manager = NULL;
        g_autofree char *owner = NULL;
        g_autoptr(GError) error = NULL;

        manager = g_dbus_object_manager_client_new_for_bus_sync(
                G_BUS_TYPE_SYSTEM, G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_NONE, NAME, ROOT, NULL, NULL,
                NULL, NULL, &error);
        if (manager)
                g_object_get(manager, "name-owner", &owner, NULL);
        if (!owner)
                g_printerr("%s\n", error ? error->message : NAME " is not there");
        else if (g_str_equal(verb, "list"))
                return list(manager);
        else if (g_str_equal(verb, "scan"))
                return scan(manager, argument);
        else if (g_str_equal(verb, "follow"))
                return follow(manager, argument);
        else
                g_printerr("usage: %s list | scan [SCOPE] | follow [COUNT]\n", argv[0]);
        return EXIT_FAILURE;
}
