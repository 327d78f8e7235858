/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who scans: the values of the kernel's parameter scsi_mod.scan (drivers/scsi/scsi_scan.c) that are
 * ever written. */

#include <stdint.h>

enum kernel_scan {
        KERNEL_SCAN_MANUAL, /* user space only */
        KERNEL_SCAN_SYNC,
        KERNEL_SCAN_ASYNC,
};

/* The kernel's word for it; NULL for whatever is none of these. */
const char *kernel_scan_name(uint32_t scan);
