/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "objects.h"

static GHashTable *object_new(void) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                     (GDestroyNotify)g_variant_unref);
}

GHashTable *objects_new(void) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                     (GDestroyNotify)g_hash_table_unref);
}

static GHashTable *object_copy(GHashTable *object) {
        GHashTable *copy = object_new();
        GHashTableIter iter;
        const char *key;
        GVariant *value;

        g_hash_table_iter_init(&iter, object);
        while (g_hash_table_iter_next(&iter, (void **)&key, (void **)&value))
                g_hash_table_insert(copy, g_strdup(key), g_variant_ref(value));
        return copy;
}

GHashTable *objects_copy(GHashTable *objects) {
        GHashTable *copy = objects_new(), *object;
        GHashTableIter iter;
        const char *path;

        g_hash_table_iter_init(&iter, objects);
        while (g_hash_table_iter_next(&iter, (void **)&path, (void **)&object))
                if (path_is_topology(path))
                        g_hash_table_insert(copy, g_strdup(path), object_copy(object));
        return copy;
}

bool path_is_kind(const char *path, const char *prefix) {
        return g_str_has_prefix(path, prefix) && path[strlen(prefix)] == '/';
}

bool path_is_topology(const char *path) {
        return strcmp(path, SCSISCAN_PATH) != 0 && !path_is_kind(path, SCSISCAN_PATH_JOB);
}

/* Each value is told with its changes, but for the counters. */
void object_take(GHashTable *object, const char *interface, GVariant *properties) {
        GVariantIter iter;
        const char *name;
        GVariant *value;

        g_hash_table_insert(object, g_strdup_printf("%s ", interface),
                            g_variant_ref_sink(g_variant_new("()")));
        g_variant_iter_init(&iter, properties);
        while (g_variant_iter_next(&iter, "{&sv}", &name, &value))
                if (strcmp(name, "Counters") != 0)
                        g_hash_table_insert(object, g_strdup_printf("%s %s", interface, name),
                                            value);
                else
                        g_variant_unref(value);
}

GHashTable *object_read(GVariant *interfaces) {
        GHashTable *object = object_new();
        GVariantIter iter;
        const char *interface;
        GVariant *properties;

        g_variant_iter_init(&iter, interfaces);
        while (g_variant_iter_loop(&iter, "{&s@a{sv}}", &interface, &properties))
                object_take(object, interface, properties);
        return object;
}

void objects_read(GHashTable *objects, GVariant *reply) {
        g_autoptr(GVariant) all = g_variant_get_child_value(reply, 0);
        GVariantIter iter;
        const char *path;
        GVariant *interfaces;

        g_variant_iter_init(&iter, all);
        while (g_variant_iter_loop(&iter, "{&o@a{sa{sv}}}", &path, &interfaces))
                g_hash_table_insert(objects, g_strdup(path), object_read(interfaces));
}

/* ---- references ---- */

static void reference_check(GHashTable *objects, const char *path, const char *to) {
        if (strcmp(to, SCSISCAN_PATH_NONE) != 0 && !g_hash_table_contains(objects, to))
                g_error("%s names %s, which nobody has told of", path, to);
}

void references_check(GHashTable *objects, const char *path, bool all) {
        GHashTableIter iter;
        GVariant *value;

        g_hash_table_iter_init(&iter, g_hash_table_lookup(objects, path));
        while (g_hash_table_iter_next(&iter, NULL, (void **)&value)) {
                if (g_variant_is_of_type(value, G_VARIANT_TYPE_OBJECT_PATH))
                        reference_check(objects, path, g_variant_get_string(value, NULL));
                for (gsize i = 0; all && g_variant_is_of_type(value, G_VARIANT_TYPE("ao")) &&
                                  i < g_variant_n_children(value);
                     i++) {
                        g_autoptr(GVariant) to = g_variant_get_child_value(value, i);

                        reference_check(objects, path, g_variant_get_string(to, NULL));
                }
        }
}

/* ---- comparing ---- */

static void object_compare(const char *path, GHashTable *mine, GHashTable *theirs) {
        GHashTableIter iter;
        const char *key;
        GVariant *value;

        g_hash_table_iter_init(&iter, mine);
        while (g_hash_table_iter_next(&iter, (void **)&key, (void **)&value)) {
                GVariant *other = g_hash_table_lookup(theirs, key);
                g_autofree char *heard = g_variant_print(value, TRUE);
                g_autofree char *listed = other ? g_variant_print(other, TRUE) : NULL;

                if (g_strcmp0(heard, listed) != 0)
                        g_error("%s: %s was told to be %s, and is %s", path, key, heard, listed);
        }
        g_assert_cmpuint(g_hash_table_size(mine), ==, g_hash_table_size(theirs));
}

void objects_compare(GHashTable *heard, GHashTable *listed, bool topology_alone) {
        GHashTableIter iter;
        const char *path;
        GHashTable *mine;

        g_hash_table_iter_init(&iter, heard);
        while (g_hash_table_iter_next(&iter, (void **)&path, (void **)&mine)) {
                GHashTable *theirs = g_hash_table_lookup(listed, path);

                if (topology_alone && !path_is_topology(path))
                        continue;
                if (!theirs)
                        g_error("%s: was not told to be gone", path);
                object_compare(path, mine, theirs);
        }
        g_hash_table_iter_init(&iter, listed);
        while (g_hash_table_iter_next(&iter, (void **)&path, NULL))
                if ((!topology_alone || path_is_topology(path)) &&
                    !g_hash_table_contains(heard, path))
                        g_error("%s: was not told of", path);
}

/* ---- changing ---- */

/* Each object has one. */
static const char *interface_of(const char *path) {
        if (path_is_kind(path, SCSISCAN_PATH_HOST))
                return SCSISCAN_INTERFACE_HOST;
        if (path_is_kind(path, SCSISCAN_PATH_TARGET))
                return SCSISCAN_INTERFACE_TARGET;
        if (path_is_kind(path, SCSISCAN_PATH_DEVICE))
                return SCSISCAN_INTERFACE_DEVICE;
        g_assert_true(path_is_kind(path, SCSISCAN_PATH_UNIT));
        return SCSISCAN_INTERFACE_UNIT;
}

static void object_change(GHashTable *objects, const char *word, const char *path,
                          GVariant *properties) {
        GHashTable *object = g_hash_table_lookup(objects, path);

        if (strcmp(word, "added") == 0 ? object != NULL : object == NULL)
                g_error("%s cannot be %s", path, word);
        if (strcmp(word, "removed") == 0) {
                g_assert_cmpuint(g_variant_n_children(properties), ==, 0);
                g_hash_table_remove(objects, path);
                return;
        }
        if (strcmp(word, "added") == 0) {
                object = object_new();
                g_hash_table_insert(objects, g_strdup(path), object);
        } else {
                g_assert_cmpstr(word, ==, "changed");
                g_assert_cmpuint(g_variant_n_children(properties), >, 0);
        }
        object_take(object, interface_of(path), properties);
        references_check(objects, path, false);
}

void objects_change(GHashTable *objects, GVariant *changes) {
        GVariantIter iter;
        const char *word, *path;
        GVariant *properties;

        g_variant_iter_init(&iter, changes);
        while (g_variant_iter_loop(&iter, "(t&s&o@a{sv})", NULL, &word, &path, &properties))
                object_change(objects, word, path, properties);
}
