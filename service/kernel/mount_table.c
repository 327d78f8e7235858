/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <libmount/libmount.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernel/mount_table.h"
#include "util/cleanup.h"

/* The kernel's own limit for one mount namespace is 100,000 (fs.mount-max). */
#define USES_MAX 131072

void mount_table_done(struct mount_table *table) {
        for (size_t i = 0; i < table->count; i++)
                free(table->uses[i].name);
        free(table->uses);
        *table = (struct mount_table){};
}

/* What a node below /dev stands for; nothing else is looked at, a path elsewhere may hang. */
static dev_t node_number(const char *path) {
        struct stat st;

        if (!path || strncmp(path, "/dev/", strlen("/dev/")) != 0 || stat(path, &st) < 0)
                return 0;
        return S_ISBLK(st.st_mode) ? st.st_rdev : 0;
}

/* File systems that span devices (btrfs) show a number of their own, with major 0, and one of their
 * devices. */
static dev_t mount_number(struct libmnt_fs *fs) {
        dev_t number = mnt_fs_get_devno(fs);

        return major(number) != 0 ? number : node_number(mnt_fs_get_srcpath(fs));
}

static int use_add(struct mount_table *table, dev_t device, const char *name) {
        struct mount_use *uses;

        if (device == 0 || !name || table->count == USES_MAX)
                return 0;
        /* Grows at each power of two. */
        if ((table->count & (table->count - 1)) == 0) {
                uses = reallocarray(table->uses, table->count ? table->count * 2 : 1,
                                    sizeof(*uses));
                if (!uses)
                        return -ENOMEM;
                table->uses = uses;
        }
        table->uses[table->count] = (struct mount_use){device, strdup(name)};
        return table->uses[table->count].name ? (table->count++, 0) : -ENOMEM;
}

DEFINE_CLEANUP(struct libmnt_table *, mnt_unref_table)
DEFINE_CLEANUP(struct libmnt_iter *, mnt_free_iter)

static int file_read(const char *path, int (*parse)(struct libmnt_table *, const char *),
                     bool swaps, struct mount_table *table) {
        _cleanup_(mnt_unref_tablep) struct libmnt_table *entries = mnt_new_table();
        _cleanup_(mnt_free_iterp) struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
        struct libmnt_fs *fs;
        int r;

        if (!entries || !iterator)
                return -ENOMEM;
        r = parse(entries, path);
        if (r != 0)
                return r == -ENOENT ? 0 : r < 0 ? r : -EBADMSG;
        while (mnt_table_next_fs(entries, iterator, &fs) == 0) {
                r = swaps ? use_add(table, node_number(mnt_fs_get_source(fs)), "swap")
                          : use_add(table, mount_number(fs), mnt_fs_get_target(fs));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int device_compare(const void *a, const void *b) {
        const struct mount_use *x = a, *y = b;

        return (x->device > y->device) - (x->device < y->device);
}

static int use_compare(const void *a, const void *b) {
        const struct mount_use *x = a, *y = b;
        int order = device_compare(a, b);

        return order ? order : strcmp(x->name, y->name);
}

int mount_table_read(const char *mountinfo, const char *swaps, struct mount_table *ret) {
        _cleanup_(mount_table_done) struct mount_table table = {};
        int r = file_read(mountinfo, mnt_table_parse_file, false, &table);

        if (r == 0)
                r = file_read(swaps, mnt_table_parse_swaps, true, &table);
        if (r < 0)
                return r;
        if (table.count > 0)
                qsort(table.uses, table.count, sizeof(*table.uses), use_compare);
        *ret = table;
        table = (struct mount_table){};
        return 0;
}

const struct mount_use *mount_table_find(const struct mount_table *table, dev_t device,
                                         size_t *ret_count) {
        const struct mount_use key = {.device = device};
        const struct mount_use *end, *first, *last;

        *ret_count = 0;
        if (table->count == 0)
                return NULL;
        end = table->uses + table->count;
        first = bsearch(&key, table->uses, table->count, sizeof(key), device_compare);
        if (!first)
                return NULL;
        for (last = first + 1; last < end && last->device == device; last++)
                ;
        for (; first > table->uses && first[-1].device == device; first--)
                ;
        *ret_count = (size_t)(last - first);
        return first;
}

/* FNV-1a: nobody gains by finding two sets of mount points with one digest. */
static uint64_t digest_add(uint64_t digest, const void *data, size_t length) {
        for (const uint8_t *byte = data; length > 0; byte++, length--)
                digest = (digest ^ *byte) * UINT64_C(0x100000001b3);
        return digest;
}

uint64_t mount_table_digest(const struct mount_table *table, const dev_t *devices, size_t count) {
        uint64_t digest = UINT64_C(0xcbf29ce484222325);

        for (size_t i = 0; i < count; i++) {
                size_t n;
                const struct mount_use *uses = mount_table_find(table, devices[i], &n);

                for (size_t j = 0; j < n; j++)
                        digest = digest_add(digest, uses[j].name, strlen(uses[j].name) + 1);
        }
        return digest;
}
