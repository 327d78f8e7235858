/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>

#include "scsi/kernel_scan.h"
#include "util/cleanup.h"

const char *kernel_scan_name(uint32_t scan) {
        static const char *const names[] = {
                [KERNEL_SCAN_MANUAL] = "manual",
                [KERNEL_SCAN_SYNC] = "sync",
                [KERNEL_SCAN_ASYNC] = "async",
        };

        return scan < ELEMENTS_OF(names) ? names[scan] : NULL;
}
