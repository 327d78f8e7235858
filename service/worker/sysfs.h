/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading below a pinned sysfs directory. `directory` is an O_PATH descriptor, names are relative
 * to it. */

#include <dirent.h>
#include <stddef.h>

#include "scsi/address.h"
#include "util/cleanup.h"

/* sysfs shows at most a page (Documentation/filesystems/sysfs.rst); its own names are far shorter.
 */
#define SYSFS_VALUE_MAX 4097
#define SYSFS_NAME_MAX 512

DEFINE_CLEANUP(DIR *, closedir)

/* O_PATH descriptor of the directory that the printed name means, links followed; -errno. */
__attribute__((format(printf, 2, 3))) int sysfs_pin(int directory, const char *format, ...);

/* The directory of the device at that address: -ESTALE when instance is neither 0 nor its inode,
 * which is never used twice (fs/kernfs/dir.c). What sysfs removes never comes back under the
 * descriptor.
 */
int sysfs_pin_device(int sysfs, const struct scsi_address *address, uint64_t instance);

/* The value without NUL bytes and without its trailing newline: 0, or -errno. */
int sysfs_read(int directory, const char *name, char value[static SYSFS_VALUE_MAX]);

/* The entries of a directory: NULL, and errno, when it is not there. */
DIR *sysfs_list(int directory, const char *name);
/* The next entry that is not hidden, or NULL. */
const struct dirent *sysfs_next(DIR *list);
/* The first entry: 0, or -ENOENT. */
int sysfs_first(int directory, const char *name, char entry[static SYSFS_NAME_MAX]);
