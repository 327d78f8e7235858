/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "worker/sysfs.h"

int sysfs_pin(int directory, const char *format, ...) {
        char name[SYSFS_NAME_MAX];
        va_list arguments;
        int fd;

        va_start(arguments, format);
        vsnprintf(name, sizeof(name), format, arguments);
        va_end(arguments);
        fd = openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int sysfs_pin_device(int sysfs, const struct scsi_address *address, uint64_t instance) {
        char text[SCSI_ADDRESS_TEXT_MAX];
        _cleanup_(closep) int device =
                sysfs_pin(sysfs, "bus/scsi/devices/%s", scsi_address_format(address, text));
        struct stat status;

        if (device < 0)
                return device;
        if (fstat(device, &status) < 0)
                return -errno;
        if (instance != 0 && instance != status.st_ino)
                return -ESTALE;
        return TAKE_FD(device);
}

int sysfs_read(int directory, const char *name, char value[static SYSFS_VALUE_MAX]) {
        _cleanup_(closep) int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        size_t length = 0;
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, value, SYSFS_VALUE_MAX - 1);
        if (n < 0)
                return -errno;
        for (ssize_t i = 0; i < n; i++)
                if (value[i] != '\0')
                        value[length++] = value[i];
        if (length > 0 && value[length - 1] == '\n')
                length--;
        value[length] = '\0';
        return 0;
}

DIR *sysfs_list(int directory, const char *name) {
        _cleanup_(closep) int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *list = fd < 0 ? NULL : fdopendir(fd);

        if (list)
                fd = -1; /* now the stream's */
        return list;
}

const struct dirent *sysfs_next(DIR *list) {
        const struct dirent *entry;

        do
                entry = readdir(list);
        while (entry && entry->d_name[0] == '.');
        return entry;
}

int sysfs_first(int directory, const char *name, char entry[static SYSFS_NAME_MAX]) {
        _cleanup_(closedirp) DIR *list = sysfs_list(directory, name);
        const struct dirent *first = list ? sysfs_next(list) : NULL;

        if (!first)
                return -ENOENT;
        snprintf(entry, SYSFS_NAME_MAX, "%s", first->d_name);
        return 0;
}
