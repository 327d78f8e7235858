/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which hosts and devices the kernel has: the names in bus/scsi/devices, the one directory that the
 * daemon reads. */

#include "scan/step.h"

#define LISTING_HOSTS_MAX 65536
#define LISTING_DEVICES_MAX 65536

/* Without the directory (no SCSI in this kernel) the inventory is empty. -E2BIG above the bounds: a
 * part of the truth would pass for the rest being gone. -ENOMEM, -errno. */
int listing_read(const char *sysfs, struct inventory *ret);
