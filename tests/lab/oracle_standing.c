/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the service says of devices that are not what they were, held against those who answer. */

#include <fcntl.h>
#include <scsi/sg_cmds_basic.h>
#include <stdbool.h>
#include <string.h>

#include "tests/lab/oracle.h"
#include "util/cleanup.h"

#define PAGE_DEVICE_ID 0x83
#define PAGE_MAX_BYTES 4096
#define PAGE_HEADER_BYTES 4

static const char *standing_of(GHashTable *view, const char *object) {
        g_autofree char *key = g_strdup_printf("%s Standing", object);
        const char *standing = g_hash_table_lookup(view, key);

        return standing ? standing : "";
}

/* ---- replaced ---- */

static void unit_forget(GHashTable *truth, const char *unit) {
        g_autofree char *prefix = g_strdup_printf("%s ", unit);
        GHashTableIter iterator;
        void *key;

        g_hash_table_iter_init(&iterator, truth);
        while (g_hash_table_iter_next(&iterator, &key, NULL))
                if (g_str_has_prefix(key, prefix))
                        g_hash_table_iter_remove(&iterator);
}

static void unit_leave(GHashTable *truth, GHashTable *lists, const char *unit, const char *device) {
        GPtrArray *devices = g_hash_table_lookup(lists, unit);

        for (guint i = 0; devices && i < devices->len; i++)
                if (strcmp(devices->pdata[i], device) == 0) {
                        g_ptr_array_remove_index(devices, i);
                        break;
                }
        if (!devices || devices->len > 0)
                return;
        g_hash_table_remove(lists, unit);
        unit_forget(truth, unit);
}

/* Who it is now the kernel cannot say; that it is not who it was, is all that sysfs can be asked.
 */
static void replaced_apply(GHashTable *truth, GHashTable *lists, GHashTable *view,
                           const char *device) {
        g_autofree char *unit_key = g_strdup_printf("%s Unit", device);
        g_autofree char *identity_key = g_strdup_printf("%s Identity", device);
        const char *unit = g_hash_table_lookup(truth, unit_key);
        const char *was = g_hash_table_lookup(truth, identity_key);
        const char *now = g_hash_table_lookup(view, identity_key);

        if (!unit || !was || !now)
                return;
        unit_leave(truth, lists, unit, device);
        fact_state(truth, device, "Unit", g_strdup("/"));
        fact_state(truth, device, "State", g_strdup("offline"));
        fact_state(truth, device, "Identity",
                   strcmp(was, now) == 0 ? g_strdup_printf("another than %s", was) : g_strdup(now));
}

/* What a path to nowhere says of its unit's size counts only when there is no other. */
static void missing_apply(GHashTable *truth, GHashTable *lists, GHashTable *view,
                          const char *device) {
        g_autofree char *unit_key = g_strdup_printf("%s Unit", device);
        const char *unit = g_hash_table_lookup(truth, unit_key);
        GPtrArray *devices = unit ? g_hash_table_lookup(lists, unit) : NULL;

        for (guint i = 0; devices && i < devices->len; i++)
                if (strcmp(standing_of(view, devices->pdata[i]), "present") == 0) {
                        unit_state_size_of(truth, unit, devices->pdata[i]);
                        return;
                }
}

/* Words that the truth cannot vouch for are taken from the view: they have been applied. */
void standings_apply(GHashTable *truth, GHashTable *lists, GHashTable *view) {
        g_autoptr(GPtrArray) replaced = g_ptr_array_new_with_free_func(g_free);
        GHashTableIter iterator;
        void *key, *value;

        g_hash_table_iter_init(&iterator, view);
        while (g_hash_table_iter_next(&iterator, &key, &value)) {
                g_autofree char *device = NULL;

                if (!g_str_has_suffix(key, " Standing"))
                        continue;
                device = g_strndup(key, strlen(key) - strlen(" Standing"));
                fact_state(truth, device, "Standing", g_strdup(value));
                if (strcmp(value, "missing") == 0)
                        missing_apply(truth, lists, view, device);
                if (strcmp(value, "replaced") == 0)
                        g_ptr_array_add(replaced, TAKE_PTR(device));
        }
        for (guint i = 0; i < replaced->len; i++)
                replaced_apply(truth, lists, view, replaced->pdata[i]);
}

/* ---- who answers ---- */

/* The page as long as it says to be; false when the device does not answer. */
static bool page_read(const char *node, uint8_t page[static PAGE_MAX_BYTES], size_t *ret_length) {
        _cleanup_(closep) int fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);

        for (int attempt = 0; fd >= 0 && attempt < 3; attempt++) {
                if (sg_ll_inquiry(fd, false, true, PAGE_DEVICE_ID, page, PAGE_MAX_BYTES, false,
                                  0) != 0)
                        continue; /* a unit attention, perhaps: ask again */
                *ret_length = PAGE_HEADER_BYTES + (size_t)(page[2] << 8 | page[3]);
                return *ret_length <= PAGE_MAX_BYTES;
        }
        return false;
}

void identities_ask(GHashTable *truth, GHashTable *view, GPtrArray *addresses) {
        for (guint i = 0; i < addresses->len; i++) {
                const char *address = addresses->pdata[i];
                g_autofree char *object = object_path("device", address);
                g_autofree char *node = device_generic_node(address);
                g_autofree uint8_t *page = g_malloc0(PAGE_MAX_BYTES), *attached = NULL;
                bool replaced = strcmp(standing_of(view, object), "replaced") == 0;
                size_t length, attached_length = 0;

                attached = device_attribute_bytes(address, "vpd_pg83", &attached_length);
                if (!attached || !page_read(node, page, &length))
                        continue;
                fact_state(truth, object, "is",
                           g_strdup(length == attached_length && memcmp(page, attached, length) == 0
                                            ? "what was attached"
                                            : "replaced"));
                fact_state(view, object, "is",
                           g_strdup(replaced ? "replaced" : "what was attached"));
        }
}
