/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scsi/lun.h"
#include "worker/control.h"
#include "worker/sysfs.h"

static int scan_write(int sysfs, const struct scsi_target_address *target, const char *lun) {
        char name[SYSFS_NAME_MAX], text[SCSI_ADDRESS_TEXT_MAX];
        _cleanup_(closep) int fd = -1;

        snprintf(name, sizeof(name), "class/scsi_host/host%" PRIu32 "/scan", target->host);
        snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32 " %s", target->channel, target->target,
                 lun);
        fd = openat(sysfs, name, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return write(fd, text, strlen(text)) < 0 ? -errno : 0;
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
