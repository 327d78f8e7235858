/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel's mount table and its swaps, by block device. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mount_use {
        dev_t device;
        char *name; /* mount point as it is, or "swap"; owned */
};

struct mount_table {
        struct mount_use *uses; /* by device, then by name; owned */
        size_t count;
};

/* Reads files in the form of /proc/self/mountinfo and /proc/swaps; a file that is not there is
 * empty. -errno. */
int mount_table_read(const char *mountinfo, const char *swaps, struct mount_table *ret);
void mount_table_done(struct mount_table *table);

/* The uses of that device: the first one and how many, NULL and 0 without. */
const struct mount_use *mount_table_find(const struct mount_table *table, dev_t device,
                                         size_t *ret_count);
/* A number that changes when the uses of these devices do. */
uint64_t mount_table_digest(const struct mount_table *table, const dev_t *devices, size_t count);
