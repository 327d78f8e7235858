/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scsi/kernel_scan.h"
#include "scsi/lun.h"
#include "worker/control.h"
#include "worker/sysfs.h"

int control_write(int directory, const char *name, const char *text) {
        _cleanup_(closep) int fd = openat(directory, name, O_WRONLY | O_TRUNC | O_CLOEXEC);

        return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int scan_write(int sysfs, const struct scsi_target_address *target, const char *lun) {
        char name[SYSFS_NAME_MAX], text[SCSI_ADDRESS_TEXT_MAX];

        snprintf(name, sizeof(name), "class/scsi_host/host%" PRIu32 "/scan", target->host);
        snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32 " %s", target->channel, target->target,
                 lun);
        return control_write(sysfs, name, text);
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
        const char *word = kernel_scan_name(kernel_scan);

        /* Without a line's end: the kernel has room for six letters, and takes it for one. */
        return word ? control_write(sysfs, "module/scsi_mod/parameters/scan", word) : -EINVAL;
}

static int cache_type_write(int device, const char *name, void *unused) {
        return control_write(device, name, "temporary write through");
}

int control_forget_cache(int device) {
        return sysfs_match(device, "scsi_disk/*/cache_type", cache_type_write, NULL);
}
