/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * scsiscan from C, with GLib's GDBusObjectManagerClient, which keeps a copy of all objects and
 * follows it:
 *
 *         cc gdbus.c $(pkg-config --cflags --libs gio-2.0)
 *
 *         gdbus list             each device: address, identity, block device, standing
 *         gdbus scan [SCOPE]     scan, wait, and say what came of it
 *         gdbus follow [COUNT]   print what is attached and detached from now on
 *
 * On a machine with more objects than one reply can hold its GetManagedObjects says LimitsExceeded:
 * then there is org.scsiscan1.Topology.List, see sd-bus.c.
 */

#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME "org.scsiscan1"
#define ROOT "/org/scsiscan1"

/* ---- devices ---- */

/* A property as it is known here; "-" for none. */
static char *text_of(GDBusObject *object, const char *property) {
        g_autoptr(GDBusInterface) device = g_dbus_object_get_interface(object, NAME ".Device");
        g_autoptr(GVariant) value =
                g_dbus_proxy_get_cached_property(G_DBUS_PROXY(device), property);
        const char *text = value ? g_variant_get_string(value, NULL) : "";

        return g_strdup(*text ? text : "-");
}

static gboolean is_device(GDBusObject *object) {
        return g_str_has_prefix(g_dbus_object_get_object_path(object), ROOT "/device/");
}

/* By the four numbers of the path, ".../3_0_1_5". */
static int compare(const void *a, const void *b) {
        const char *left = strrchr(g_dbus_object_get_object_path((GDBusObject *)a), '/') + 1;
        const char *right = strrchr(g_dbus_object_get_object_path((GDBusObject *)b), '/') + 1;
        guint64 x = 0, y = 0;

        for (int i = 0; i < 4 && x == y; i++) {
                x = g_ascii_strtoull(left, (char **)&left, 10);
                y = g_ascii_strtoull(right, (char **)&right, 10);
                left += *left == '_';
                right += *right == '_';
        }
        return x < y ? -1 : x > y;
}

static void print_device(GDBusObject *device) {
        g_autofree char *address = text_of(device, "Address");
        g_autofree char *identity = text_of(device, "Identity");
        g_autofree char *block = text_of(device, "BlockDevice");
        g_autofree char *standing = text_of(device, "Standing");

        printf("%s %s %s %s\n", address, identity, block, standing);
}

static void list(GDBusObjectManager *manager) {
        GList *objects = g_list_sort(g_dbus_object_manager_get_objects(manager), compare);

        for (GList *item = objects; item; item = item->next)
                if (is_device(item->data))
                        print_device(item->data);
        g_list_free_full(objects, g_object_unref);
}

/* ---- scan ---- */

static GVariant *call(GDBusObjectManager *manager, const char *path, const char *interface,
                      const char *method, GVariant *arguments, GError **error) {
        GDBusConnection *bus =
                g_dbus_object_manager_client_get_connection(G_DBUS_OBJECT_MANAGER_CLIENT(manager));

        return g_dbus_connection_call_sync(bus, NAME, path, interface, method, arguments, NULL,
                                           G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, error);
}

/* Job.Wait says what came of it, whether it went well or not. */
static void scan(GDBusObjectManager *manager, const char *scope, GError **error) {
        g_autoptr(GVariant) job = call(manager, ROOT, NAME ".Scan", "Scan",
                                       g_variant_new("(sa{sv})", scope, NULL), error);
        g_autoptr(GVariant) result = NULL, summary = NULL;
        const char *text, *name;
        GVariantIter iter;
        guint64 count;

        if (!job)
                return;
        g_variant_get(job, "(&o)", &text);
        result = call(manager, text, NAME ".Job", "Wait", NULL, error);
        if (!result)
                return;
        g_variant_get(result, "(&s@a{st})", &text, &summary);
        printf("%s", text);
        g_variant_iter_init(&iter, summary);
        while (g_variant_iter_next(&iter, "{&st}", &name, &count))
                printf(" %s=%" G_GUINT64_FORMAT, name, count);
        printf("\n");
}

/* ---- follow ---- */

struct follow {
        GMainLoop *loop;
        gint64 count;
};

static void print_event(struct follow *follow, const char *what, GDBusObject *object) {
        g_autofree char *address = NULL, *identity = NULL;

        if (!is_device(object))
                return;
        address = text_of(object, "Address");
        identity = text_of(object, "Identity");
        printf("%s %s %s\n", what, address, identity);
        fflush(stdout);
        if (--follow->count == 0)
                g_main_loop_quit(follow->loop);
}

static void on_added(GDBusObjectManager *manager, GDBusObject *object, gpointer userdata) {
        print_event(userdata, "attached", object);
}

static void on_removed(GDBusObjectManager *manager, GDBusObject *object, gpointer userdata) {
        print_event(userdata, "detached", object);
}

static void follow(GDBusObjectManager *manager, gint64 count) {
        struct follow follow = {g_main_loop_new(NULL, FALSE), count};

        g_signal_connect(manager, "object-added", G_CALLBACK(on_added), &follow);
        g_signal_connect(manager, "object-removed", G_CALLBACK(on_removed), &follow);
        fprintf(stderr, "following\n");
        g_main_loop_run(follow.loop);
        g_main_loop_unref(follow.loop);
}

int main(int argc, char **argv) {
        const char *verb = argc > 1 ? argv[1] : "", *word = argc > 2 ? argv[2] : "";
        g_autoptr(GDBusObjectManager) manager = NULL;
        g_autoptr(GError) error = NULL;

        manager = g_dbus_object_manager_client_new_for_bus_sync(
                G_BUS_TYPE_SYSTEM, G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_DO_NOT_AUTO_START, NAME, ROOT,
                NULL, NULL, NULL, NULL, &error);
        if (manager && g_str_equal(verb, "list"))
                list(manager);
        else if (manager && g_str_equal(verb, "scan"))
                scan(manager, word, &error);
        else if (manager && g_str_equal(verb, "follow"))
                follow(manager, *word ? g_ascii_strtoll(word, NULL, 10) : -1);
        else if (manager)
                fprintf(stderr, "%s list, scan [SCOPE] or follow [COUNT]\n", argv[0]);
        if (!error)
                return 0;
        g_dbus_error_strip_remote_error(error);
        fprintf(stderr, "%s: %s\n", argv[0], error->message);
        return 1;
}
