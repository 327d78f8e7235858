/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Writes to a host's `scan` attribute (scsi_scan(), drivers/scsi/scsi_sysfs.c). They sit in the
 * kernel until the scan has ended, uninterruptible, and say nothing by succeeding. Return 0, or
 * -errno of open(2) or write(2).
 */

#include "scsi/address.h"

/* Attach the one logical unit: "channel target lun", decimal. */
int control_attach(int sysfs, const struct scsi_address *address);
/* The kernel's own scan of that target: "channel target -". */
int control_scan_target(int sysfs, const struct scsi_target_address *address);
