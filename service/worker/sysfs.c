/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "worker/sysfs.h"

int sysfs_pin(int directory, const char *name) {
        int fd = openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int sysfs_pin_device(int sysfs, const struct scsi_address *address, uint64_t instance) {
        char text[SCSI_ADDRESS_TEXT_MAX], name[SYSFS_NAME_MAX];
        _cleanup_(closep) int device = -1;
        struct stat status;

        snprintf(name, sizeof(name), "bus/scsi/devices/%s", scsi_address_format(address, text));
        device = sysfs_pin(sysfs, name);
        if (device < 0)
                return device;
        if (fstat(device, &status) < 0)
                return -errno;
        return instance == 0 || instance == status.st_ino ? TAKE_FD(device) : -ESTALE;
}

bool sysfs_object_exists(int object) {
        return faccessat(object, "state", F_OK, 0) == 0;
}

/* The first `fixed` bytes of the pattern are a name already, whatever they are. */
static int match(int directory, const char *pattern, size_t fixed, sysfs_found *found,
                 void *userdata) {
        char above[SYSFS_NAME_MAX], part[SYSFS_NAME_MAX], name[3 * SYSFS_NAME_MAX];
        const char *star = strchr(pattern + fixed, '*'), *begin = star, *rest;
        struct dirent **list;
        int n, r = 0;

        if (!star)
                return found(directory, pattern, userdata);
        while (begin[-1] != '/')
                begin--;
        rest = strchrnul(star, '/');
        snprintf(above, sizeof(above), "%.*s", (int)(begin - pattern), pattern);
        snprintf(part, sizeof(part), "%.*s", (int)(rest - begin), begin);
        n = scandirat(directory, above, &list, NULL, NULL);
        if (n < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        for (int i = 0; i < n; i++) {
                snprintf(name, sizeof(name), "%s%s%s", above, list[i]->d_name, rest);
                if (r == 0 && fnmatch(part, list[i]->d_name, FNM_PERIOD) == 0)
                        r = match(directory, name, strlen(name) - strlen(rest), found, userdata);
                free(list[i]);
        }
        free(list);
        return r;
}

int sysfs_match(int directory, const char *pattern, sysfs_found *found, void *userdata) {
        return match(directory, pattern, 0, found, userdata);
}

static int name_keep(int directory, const char *name, void *ret) {
        snprintf(ret, SYSFS_NAME_MAX, "%s", name);
        return 1;
}

int sysfs_first(int directory, const char *pattern, char name[static SYSFS_NAME_MAX]) {
        int r = sysfs_match(directory, pattern, name_keep, name);

        return r == 0 ? -ENOENT : r < 0 ? r : 0;
}
