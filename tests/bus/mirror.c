/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "mirror.h"
#include "objects.h"

/* What was so at some generation. */
struct past {
        guint64 generation;
        GHashTable *objects; /* of the topology; NULL: none yet */
};

#define PASTS 8
/* A past is kept of every so many batches, in the place of the one of eight such ago. */
#define PAST_EVERY 5

struct mirror {
        struct client *client;
        guint next; /* message that was not looked at yet */
        bool begun;
        bool strict;         /* was equal once while all was quiet */
        GHashTable *objects; /* path -> GHashTable of "interface property" -> GVariant */
        GHashTable *added, *removed, *changed; /* paths, since the last Changed */
        GHashTable *unannounced;               /* devices added, before Attached */
        GHashTable *detached;                  /* devices in Detached, before they are removed */
        GHashTable *completed;                 /* jobs */
        guint64 generation;
        unsigned batches;
        struct past pasts[PASTS];
        GHashTable *asked; /* the past from which on GetChanges is asked for */
        unsigned answers;  /* of it */
};

static GHashTable *set_new(void) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void set_add(GHashTable *set, const char *path) {
        g_hash_table_add(set, g_strdup(path));
}

struct mirror *mirror_new(struct client *client) {
        struct mirror *mirror = g_new0(struct mirror, 1);
        guint32 serial;

        mirror->client = client;
        mirror->objects = objects_new();
        mirror->added = set_new();
        mirror->removed = set_new();
        mirror->changed = set_new();
        mirror->unannounced = set_new();
        mirror->detached = set_new();
        mirror->completed = set_new();
        mirror->next = client_arrived(client);
        serial = client_send(client, SCSISCAN_PATH, MANAGER_INTERFACE, "GetManagedObjects", NULL);
        g_object_unref(client_reply(client, serial));
        mirror_follow(mirror);
        g_assert_true(mirror->begun);
        return mirror;
}

void mirror_free(struct mirror *mirror) {
        if (!mirror)
                return;
        g_hash_table_unref(mirror->objects);
        g_hash_table_unref(mirror->added);
        g_hash_table_unref(mirror->removed);
        g_hash_table_unref(mirror->changed);
        g_hash_table_unref(mirror->unannounced);
        g_hash_table_unref(mirror->detached);
        g_hash_table_unref(mirror->completed);
        for (size_t i = 0; i < PASTS; i++)
                g_clear_pointer(&mirror->pasts[i].objects, g_hash_table_unref);
        g_free(mirror);
}

/* ---- objects ---- */

static void complain(const char *path, const char *what) {
        g_error("%s: %s", path, what);
}

static GHashTable *object_get(const struct mirror *mirror, const char *path) {
        return g_hash_table_lookup(mirror->objects, path);
}

GVariant *mirror_get(const struct mirror *mirror, const char *path, const char *interface,
                     const char *name) {
        g_autofree char *key = g_strdup_printf("%s %s", interface, name);
        GHashTable *object = object_get(mirror, path);

        return object ? g_hash_table_lookup(object, key) : NULL;
}

static int compare_texts(const void *a, const void *b) {
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *mirror_list(const struct mirror *mirror, const char *prefix) {
        GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
        GHashTableIter iter;
        const char *path;

        g_hash_table_iter_init(&iter, mirror->objects);
        while (g_hash_table_iter_next(&iter, (void **)&path, NULL))
                if (path_is_kind(path, prefix))
                        g_ptr_array_add(list, g_strdup(path));
        g_ptr_array_sort(list, compare_texts);
        return list;
}

/* ---- references ---- */

static void all_references_check(const struct mirror *mirror) {
        GHashTableIter iter;
        const char *path;

        g_hash_table_iter_init(&iter, mirror->objects);
        while (g_hash_table_iter_next(&iter, (void **)&path, NULL))
                if (path_is_topology(path))
                        references_check(mirror->objects, path, true);
}

/* ---- signals of objects ---- */

static void on_added(struct mirror *mirror, GVariant *body) {
        g_autoptr(GVariant) interfaces = NULL;
        const char *path;

        g_variant_get(body, "(&o@a{sa{sv}})", &path, &interfaces);
        if (mirror->strict && object_get(mirror, path))
                complain(path, "is added a second time");
        g_hash_table_insert(mirror->objects, g_strdup(path), object_read(interfaces));
        if (path_is_topology(path))
                set_add(mirror->added, path);
        if (path_is_kind(path, SCSISCAN_PATH_DEVICE))
                set_add(mirror->unannounced, path);
        if (mirror->strict)
                references_check(mirror->objects, path, false);
}

static gboolean is_of_interface(void *key, void *value, void *interface) {
        size_t length = strlen(interface);

        return strncmp(key, interface, length) == 0 && ((const char *)key)[length] == ' ';
}

static void on_removed(struct mirror *mirror, GVariant *body) {
        g_autofree const char **interfaces = NULL;
        GHashTable *object;
        const char *path;

        g_variant_get(body, "(&o^a&s)", &path, &interfaces);
        object = object_get(mirror, path);
        if (path_is_topology(path))
                set_add(mirror->removed, path);
        if (path_is_kind(path, SCSISCAN_PATH_DEVICE) &&
            !g_hash_table_remove(mirror->detached, path))
                complain(path, "is removed without Detached");
        if (mirror->strict && !object)
                complain(path, "is removed, and was not there");
        if (!object)
                return;
        for (const char **interface = interfaces; *interface; interface++)
                g_hash_table_foreach_remove(object, is_of_interface, (void *)*interface);
        if (g_hash_table_size(object) > 0)
                complain(path, "keeps an interface when it is removed");
        g_hash_table_remove(mirror->objects, path);
}

static void on_changed(struct mirror *mirror, const char *path, GVariant *body) {
        g_autoptr(GVariant) properties = NULL;
        g_autofree const char **invalidated = NULL;
        const char *interface;
        GHashTable *object = object_get(mirror, path);

        g_variant_get(body, "(&s@a{sv}^a&s)", &interface, &properties, &invalidated);
        if (invalidated[0])
                complain(path, "sends a change without its value");
        if (path_is_topology(path))
                set_add(mirror->changed, path);
        if (mirror->strict && !object && strcmp(path, SCSISCAN_PATH) != 0)
                complain(path, "changes, and was not there");
        if (g_hash_table_contains(mirror->completed, path))
                complain(path, "changes after Completed");
        if (!object)
                return;
        object_take(object, interface, properties);
        if (mirror->strict && path_is_topology(path))
                references_check(mirror->objects, path, false);
}

/* ---- signals of the root ---- */

static void text_check(const struct mirror *mirror, const char *path, const char *name,
                       const char *value) {
        GVariant *known = mirror_get(mirror, path, SCSISCAN_INTERFACE_DEVICE, name);

        if (!known || strcmp(g_variant_get_string(known, NULL), value) != 0)
                g_error("%s: its signal says %s '%s', the object '%s'", path, name, value,
                        known ? g_variant_get_string(known, NULL) : "nothing");
}

static void on_attached(struct mirror *mirror, GVariant *body) {
        const char *path, *address, *identity;

        g_variant_get(body, "(&o&s&s)", &path, &address, &identity);
        if (!g_hash_table_remove(mirror->unannounced, path))
                complain(path, "Attached, but not just added");
        text_check(mirror, path, "Address", address);
        text_check(mirror, path, "Identity", identity);
}

/* Its signal names the one that it was attached as. */
static bool is_replaced(const struct mirror *mirror, const char *path) {
        GVariant *standing = mirror_get(mirror, path, SCSISCAN_INTERFACE_DEVICE, "Standing");

        return standing && strcmp(g_variant_get_string(standing, NULL), "replaced") == 0;
}

static void on_detached(struct mirror *mirror, GVariant *body) {
        static const char *const reasons[] = {"removed",  "host-removed", "requested",
                                              "unmapped", "replaced",     NULL};
        const char *path, *address, *identity, *reason;

        g_variant_get(body, "(&o&s&s&s)", &path, &address, &identity, &reason);
        set_add(mirror->detached, path);
        if (!g_strv_contains(reasons, reason))
                complain(path, "Detached without a reason");
        if (!mirror->strict)
                return;
        text_check(mirror, path, "Address", address);
        if (!is_replaced(mirror, path) && strcmp(reason, "replaced") != 0)
                text_check(mirror, path, "Identity", identity);
}

static void list_check(GHashTable *signalled, GVariant *body, gsize index, const char *what) {
        g_autoptr(GVariant) list = g_variant_get_child_value(body, index);

        for (gsize i = 0; i < g_variant_n_children(list); i++) {
                g_autoptr(GVariant) path = g_variant_get_child_value(list, i);

                if (!g_hash_table_remove(signalled, g_variant_get_string(path, NULL)))
                        g_error("Changed lists %s as %s, without a signal of it",
                                g_variant_get_string(path, NULL), what);
        }
        if (g_hash_table_size(signalled) > 0)
                g_error("Changed does not list %u objects that were %s",
                        g_hash_table_size(signalled), what);
}

static void past_keep(struct mirror *mirror) {
        struct past *past = &mirror->pasts[mirror->batches / PAST_EVERY % PASTS];

        if (mirror->batches % PAST_EVERY > 0)
                return;
        g_clear_pointer(&past->objects, g_hash_table_unref);
        past->objects = objects_copy(mirror->objects);
        past->generation = mirror->generation;
}

static void on_batch(struct mirror *mirror, GVariant *body) {
        g_autoptr(GVariant) generation = g_variant_get_child_value(body, 0);

        if (mirror->batches > 0)
                g_assert_cmpuint(g_variant_get_uint64(generation), ==, mirror->generation + 1);
        mirror->generation = g_variant_get_uint64(generation);
        mirror->batches++;
        if (mirror->strict) {
                list_check(mirror->added, body, 1, "added");
                list_check(mirror->removed, body, 2, "removed");
                list_check(mirror->changed, body, 3, "changed");
                g_assert_cmpuint(g_hash_table_size(mirror->unannounced), ==, 0);
                g_assert_cmpuint(g_hash_table_size(mirror->detached), ==, 0);
                all_references_check(mirror);
        }
        past_keep(mirror);
        g_hash_table_remove_all(mirror->added);
        g_hash_table_remove_all(mirror->removed);
        g_hash_table_remove_all(mirror->changed);
}

static void job_check(const struct mirror *mirror, const char *path, const char *name,
                      const char *wanted) {
        GVariant *known = mirror_get(mirror, path, SCSISCAN_INTERFACE_JOB, name);

        g_assert_nonnull(known);
        g_assert_cmpstr(g_variant_get_string(known, NULL), ==, wanted);
}

static void on_completed(struct mirror *mirror, const char *path, GVariant *body) {
        gboolean success;

        g_variant_get(body, "(b&s)", &success, NULL);
        if (g_hash_table_contains(mirror->completed, path))
                complain(path, "Completed a second time");
        set_add(mirror->completed, path);
        if (mirror->strict && success)
                job_check(mirror, path, "Result", "done");
}

static void on_started(const struct mirror *mirror, GVariant *body) {
        const char *path, *scope, *cause;

        g_variant_get(body, "(&o&s&s)", &path, &scope, &cause);
        if (!mirror->strict)
                return;
        job_check(mirror, path, "Scope", scope);
        job_check(mirror, path, "Cause", cause);
}

static void on_finished(const struct mirror *mirror, GVariant *body) {
        const char *path, *scope, *result;

        g_variant_get(body, "(&o&s&s@a{st})", &path, &scope, &result, NULL);
        if (!g_hash_table_contains(mirror->completed, path))
                complain(path, "Finished before Completed");
        if (!mirror->strict)
                return;
        job_check(mirror, path, "Scope", scope);
        job_check(mirror, path, "Result", result);
}

/* ---- following ---- */

static void take_signal(struct mirror *mirror, GDBusMessage *message) {
        const char *path = g_dbus_message_get_path(message);
        const char *member = g_dbus_message_get_member(message);
        GVariant *body = g_dbus_message_get_body(message);

        if (strcmp(member, "InterfacesAdded") == 0)
                on_added(mirror, body);
        else if (strcmp(member, "InterfacesRemoved") == 0)
                on_removed(mirror, body);
        else if (strcmp(member, "PropertiesChanged") == 0)
                on_changed(mirror, path, body);
        else if (strcmp(member, "Attached") == 0)
                on_attached(mirror, body);
        else if (strcmp(member, "Detached") == 0)
                on_detached(mirror, body);
        else if (strcmp(member, "Changed") == 0)
                on_batch(mirror, body);
        else if (strcmp(member, "Completed") == 0)
                on_completed(mirror, path, body);
        else if (strcmp(member, "Started") == 0)
                on_started(mirror, body);
        else if (strcmp(member, "Finished") == 0)
                on_finished(mirror, body);
}

static bool is_of_service(GDBusMessage *message) {
        const char *path = g_dbus_message_get_path(message);

        return g_dbus_message_get_message_type(message) == G_DBUS_MESSAGE_TYPE_SIGNAL &&
               g_str_has_prefix(path, SCSISCAN_PATH);
}

static bool is_reply(GDBusMessage *message, const char *signature) {
        return g_dbus_message_get_message_type(message) == G_DBUS_MESSAGE_TYPE_METHOD_RETURN &&
               g_strcmp0(g_dbus_message_get_signature(message), signature) == 0;
}

/* It says what was told before it, at whatever moment somebody asks. */
static void take_objects(struct mirror *mirror, GDBusMessage *message) {
        g_autoptr(GHashTable) theirs = objects_new();

        objects_read(theirs, g_dbus_message_get_body(message));
        if (mirror->begun) {
                objects_compare(mirror->objects, theirs, false);
                return;
        }
        g_hash_table_unref(mirror->objects);
        mirror->objects = g_steal_pointer(&theirs);
        mirror->begun = true;
}

/* The same, from a past on. */
static void take_changes(struct mirror *mirror, GVariant *body) {
        g_autoptr(GHashTable) objects = objects_copy(mirror->asked);
        g_autoptr(GVariant) changes = NULL;
        guint64 generation;
        gboolean complete;

        g_variant_get(body, "(tb@a(tsoa{sv}))", &generation, &complete, &changes);
        g_assert_cmpuint(generation, ==, mirror->generation);
        g_assert_true(complete);
        objects_change(objects, changes);
        objects_compare(objects, mirror->objects, true);
        mirror->answers++;
}

void mirror_follow(struct mirror *mirror) {
        for (guint end = client_arrived(mirror->client); mirror->next < end; mirror->next++) {
                g_autoptr(GDBusMessage) message = client_message(mirror->client, mirror->next);

                if (is_reply(message, "a{oa{sa{sv}}}"))
                        take_objects(mirror, message);
                else if (is_reply(message, "tba(tsoa{sv})"))
                        take_changes(mirror, g_dbus_message_get_body(message));
                else if (mirror->begun && is_of_service(message))
                        take_signal(mirror, message);
        }
}

/* ---- all quiet ---- */

static bool signals_came(struct mirror *mirror, guint from) {
        for (guint end = client_arrived(mirror->client); from < end; from++) {
                g_autoptr(GDBusMessage) message = client_message(mirror->client, from);

                if (is_of_service(message))
                        return true;
        }
        return false;
}

/* Each past in its turn. Until the answer is there, another may have come in its place. */
static void ask_for_changes(struct mirror *mirror) {
        const struct past *past = &mirror->pasts[mirror->answers % PASTS];

        if (!past->objects)
                past = &mirror->pasts[0];
        if (past->objects) {
                mirror->asked = g_hash_table_ref(past->objects);
                g_variant_unref(client_call(mirror->client, SCSISCAN_PATH,
                                            SCSISCAN_INTERFACE_TOPOLOGY, "GetChanges",
                                            g_variant_new("(t)", past->generation)));
        }
        mirror_follow(mirror);
        g_clear_pointer(&mirror->asked, g_hash_table_unref);
}

void mirror_ask(struct mirror *mirror) {
        g_variant_unref(client_call(mirror->client, SCSISCAN_PATH, MANAGER_INTERFACE,
                                    "GetManagedObjects", NULL));
        mirror_follow(mirror);
        ask_for_changes(mirror);
}

/* Between two moments at which nothing was under way. */
void mirror_check(struct mirror *mirror) {
        guint arrived;

        do {
                g_assert_true(client_settle(mirror->client, "", CLIENT_PATIENCE / 2));
                arrived = client_arrived(mirror->client);
                mirror_ask(mirror);
                g_assert_true(client_settle(mirror->client, "", CLIENT_PATIENCE / 2));
        } while (signals_came(mirror, arrived));
        mirror->strict = true;
}

guint64 mirror_generation(const struct mirror *mirror) {
        return mirror->generation;
}

unsigned mirror_batches(const struct mirror *mirror) {
        return mirror->batches;
}

unsigned mirror_answers(const struct mirror *mirror) {
        return mirror->answers;
}

unsigned mirror_objects(const struct mirror *mirror) {
        return g_hash_table_size(mirror->objects);
}
