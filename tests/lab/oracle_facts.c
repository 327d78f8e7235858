/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "tests/lab/oracle.h"

void fact_state(GHashTable *facts, const char *object, const char *property, char *value) {
        g_hash_table_replace(facts, g_strdup_printf("%s %s", object, property), value);
}

void list_add(GHashTable *lists, const char *key, const char *word) {
        GPtrArray *list = g_hash_table_lookup(lists, key);

        if (!list) {
                list = g_ptr_array_new_with_free_func(g_free);
                g_hash_table_insert(lists, g_strdup(key), list);
        }
        g_ptr_array_add(list, g_strdup(word));
}

int word_compare(const void *a, const void *b) {
        return strverscmp(*(char *const *)a, *(char *const *)b);
}

char *list_text(GPtrArray *list) {
        GString *text = g_string_new(NULL);

        g_ptr_array_sort(list, word_compare);
        for (guint i = 0; i < list->len; i++)
                g_string_append_printf(text, i ? " %s" : "%s", (char *)list->pdata[i]);
        return g_string_free(text, FALSE);
}

GHashTable *facts_new(void) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

GHashTable *lists_new(void) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                     (GDestroyNotify)g_ptr_array_unref);
}

char *object_path(const char *kind, const char *address) {
        return g_strdelimit(g_strdup_printf(ROOT_PATH "/%s/%s", kind, address), ":", '_');
}

char *target_of(const char *address) {
        return g_strndup(address, (size_t)(strrchr(address, ':') - address));
}

uint64_t lun_of(const char *address) {
        return g_ascii_strtoull(strrchr(address, ':') + 1, NULL, 10);
}
