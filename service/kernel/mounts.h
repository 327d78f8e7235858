/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who uses a block device as file system or swap: no uevent says so, the mount table does. It knows
 * device numbers alone, so this remembers which device of ours has which.
 */

#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

#include "scan/step.h"

struct mounts;

/* The mounts of a device have changed. */
typedef void (*mounts_handler)(const struct scsi_address *address, void *userdata);

/* Watches /proc/self/mountinfo and /proc/swaps. -errno. */
int mounts_open(uv_loop_t *loop, mounts_handler handler, void *userdata, struct mounts **ret);
/* Calls back no more; frees itself when the loop has closed its handles. Accepts NULL. */
void mounts_close(struct mounts *mounts);

/* Adds what is mounted from these block devices to the facts' holders (mount points, and "swap"),
 * and from now on tells when that changes. They replace what was given before for that address.
 * -ENOMEM. */
int mounts_add_holders(struct mounts *mounts, const struct scsi_address *address,
                       const dev_t *numbers, size_t count, struct device_facts *facts);
/* Forgets the devices that are not in the inventory. */
void mounts_forget_absent(struct mounts *mounts, const struct inventory *inventory);
