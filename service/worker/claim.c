/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "worker/claim.h"
#include "worker/sysfs.h"

/* O_NONBLOCK: for want of a medium, or while the host recovers, no open has to fail or to wait. */
static const struct {
        const char *class;
        const char
                *names; /* of nodes that will do: a tape that rewinds when it is closed will not */
        int flags;
} kinds[CLAIM_NODES] = {
        {"block", "*", O_RDONLY | O_EXCL},
        {"scsi_tape", "nst*[0-9]", O_RDONLY},
        {"scsi_generic", "*", O_RDWR | O_EXCL},
};

static int name_find(int device, const char *class, const char *names,
                     char name[static SYSFS_NAME_MAX]) {
        _cleanup_(closedirp) DIR *list = sysfs_list(device, class);
        const struct dirent *entry;

        while (list && (entry = sysfs_next(list)))
                if (fnmatch(names, entry->d_name, 0) == 0) {
                        snprintf(name, SYSFS_NAME_MAX, "%s", entry->d_name);
                        return 0;
                }
        return -ENOENT;
}

/* Names and numbers are used again, but as long as the pinned entry can be read they are its own.
 */
static bool node_is(int fd, int entry) {
        char dev[SYSFS_VALUE_MAX];
        unsigned major, minor;
        struct stat status;

        return sysfs_read(entry, "dev", dev) >= 0 && sscanf(dev, "%u:%u", &major, &minor) == 2 &&
               fstat(fd, &status) == 0 && status.st_rdev == makedev(major, minor);
}

/* A descriptor; -ENOENT: there is nothing to open. */
static int node_claim(int device, int dev, size_t kind) {
        char name[SYSFS_NAME_MAX];
        _cleanup_(closep) int entry = -1, fd = -1;

        if (name_find(device, kinds[kind].class, kinds[kind].names, name) < 0)
                return -ENOENT;
        entry = sysfs_pin(device, "%s/%s", kinds[kind].class, name);
        if (entry < 0)
                return entry;
        fd = openat(dev, name, kinds[kind].flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        /* The driver takes no opener, whoever asks: the device is offline or on its way out. That
         * somebody has the block device is told before that. */
        if (fd < 0 && (errno == ENXIO || errno == ENODEV))
                return -ENOENT;
        if (fd < 0)
                return errno == ENOENT ? -EBADFD : -errno;
        return node_is(fd, entry) ? TAKE_FD(fd) : -EBADFD;
}

int claim_take(int device, int dev, struct claim *ret) {
        *ret = CLAIM_NONE;
        for (size_t i = 0; i < CLAIM_NODES; i++) {
                int r = node_claim(device, dev, i);

                if (r >= 0)
                        ret->nodes[i] = r;
                else if (r != -ENOENT) {
                        claim_release(ret);
                        return r;
                }
        }
        return 0;
}

void claim_release(struct claim *claim) {
        for (size_t i = 0; i < CLAIM_NODES; i++)
                closep(&claim->nodes[i]);
        *claim = CLAIM_NONE;
}
