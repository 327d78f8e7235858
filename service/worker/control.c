/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scsi/lun.h"
#include "worker/control.h"
#include "worker/messages.h"
#include "worker/sysfs.h"

static int attribute_write(int directory, const char *name, const char *text) {
        _cleanup_(closep) int fd = openat(directory, name, O_WRONLY | O_TRUNC | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int scan_write(int sysfs, const struct scsi_target_address *target, const char *lun) {
        char name[SYSFS_NAME_MAX], text[SCSI_ADDRESS_TEXT_MAX];

        snprintf(name, sizeof(name), "class/scsi_host/host%" PRIu32 "/scan", target->host);
        snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32 " %s", target->channel, target->target,
                 lun);
        return attribute_write(sysfs, name, text);
}

int control_attach(int sysfs, const struct scsi_address *address) {
        char lun[SCSI_LUN_TEXT_MAX];

        /* At most 16 characters: a longer number fits in hexadecimal, or not at all. */
        if (strlen(scsi_lun_format(address->lun, lun)) > 16)
                snprintf(lun, sizeof(lun), "0x%" PRIx64, address->lun);
        return scan_write(sysfs, &address->target, lun);
}

int control_scan_target(int sysfs, const struct scsi_target_address *address) {
        return scan_write(sysfs, address, "-");
}

int control_set_kernel_scan(int sysfs, uint32_t kernel_scan) {
        static const char parameter[] = "module/scsi_mod/parameters/scan";
        /* Without a line's end: the kernel has room for six letters, and takes it for one. */
        static const char *const words[] = {
                [WORKER_KERNEL_SCAN_MANUAL] = "manual",
                [WORKER_KERNEL_SCAN_SYNC] = "sync",
                [WORKER_KERNEL_SCAN_ASYNC] = "async",
        };
        char now[SYSFS_VALUE_MAX];
        int r = kernel_scan < ELEMENTS_OF(words)
                        ? attribute_write(sysfs, parameter, words[kernel_scan])
                        : -EINVAL;

        if (r == 0)
                r = sysfs_read(sysfs, parameter, now);
        return r == 0 && strcmp(now, words[kernel_scan]) != 0 ? -EIO : r;
}

int control_delete(int device) {
        return attribute_write(device, "delete", "1");
}

int control_forget_cache(int device) {
        char disk[SYSFS_NAME_MAX], name[SYSFS_NAME_MAX + 32];

        if (sysfs_first(device, "scsi_disk", disk) < 0)
                return 0;
        snprintf(name, sizeof(name), "scsi_disk/%s/cache_type", disk);
        return attribute_write(device, name, "temporary write through");
}

int control_rescan(int device) {
        return attribute_write(device, "rescan", "1");
}

int control_set_state(int device, bool offline) {
        /* store_state_field() wants the newline. */
        return attribute_write(device, "state", offline ? "offline\n" : "running\n");
}
