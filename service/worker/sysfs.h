/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Below a pinned sysfs directory. `directory` is an O_PATH descriptor, names are relative to it:
 * what sysfs removes never comes back under it. */

#include <stdbool.h>
#include <stddef.h>

#include "scsi/address.h"
#include "util/cleanup.h"

#define SYSFS_NAME_MAX 512 /* its own names are far shorter */

/* O_PATH descriptor of that directory, links followed; -errno. */
int sysfs_pin(int directory, const char *name);

/* The directory of the device at that address: -ESTALE when instance is neither 0 nor its inode,
 * which is never used twice (fs/kernfs/dir.c). */
int sysfs_pin_device(int sysfs, const struct scsi_address *address, uint64_t instance);

/* Whether the kernel still has the host or device whose pinned directory that is. */
bool sysfs_object_exists(int object);

/* What sysfs_match() has found; nothing but 0 ends the search. */
typedef int sysfs_found(int directory, const char *name, void *userdata);

/* Each name that fits the pattern, where `*` in a part of it behind the first lists the directory
 * before. 0; what `found` returned; -errno when a directory that is there cannot be listed. Without
 * a `*` the name need not be there. */
int sysfs_match(int directory, const char *pattern, sysfs_found *found, void *userdata);

/* The first such name: 0, or -ENOENT, or -errno. */
int sysfs_first(int directory, const char *pattern, char name[static SYSFS_NAME_MAX]);
