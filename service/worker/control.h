/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Writes to attributes (drivers/scsi/scsi_sysfs.c). They sit in the kernel until all is done,
 * uninterruptible, and say little by succeeding. Return 0, or -errno of open(2) or write(2).
 */

#include <stdbool.h>

#include "scsi/address.h"

/* To a host's `scan`. Attach the one logical unit: "channel target lun", decimal. */
int control_attach(int sysfs, const struct scsi_address *address);
/* The kernel's own scan of that target: "channel target -". */
int control_scan_target(int sysfs, const struct scsi_target_address *address);

/* To scsi_mod's parameter `scan`, and what it is then: "manual", "sync" or "async", else -EINVAL.
 * -EIO: written, and not so. */
int control_set_kernel_scan(int sysfs, uint32_t kernel_scan);

/* To those of a device, whose pinned directory `device` is. */

/* Detach it: to `delete`. sd flushes its cache first. */
int control_delete(int device);
/* Tell sd, if the device is sd's, that there is no cache to flush: to `cache_type`. */
int control_forget_cache(int device);
/* Read size and VPD pages again: to `rescan`. */
int control_rescan(int device);
/* To `state`. -EINVAL where it is neither "running" nor "offline" now, as when its port is blocked.
 * The kernel goes on from "offline" to "running" with a rescan. */
int control_set_state(int device, bool offline);
