/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/slaves.h"
#include "kernel/uevent.h"

void slaves_list(const char *sysfs, const char *holder,
                 void (*found)(const struct scsi_address *address, void *userdata),
                 void *userdata) {
        char path[PATH_MAX], link[PATH_MAX];
        struct scsi_address address;
        const struct dirent *entry;
        DIR *directory;

        if (snprintf(path, sizeof(path), "%s/devices/virtual/block/%s/slaves", sysfs, holder) >=
            (int)sizeof(path))
                return;
        directory = opendir(path);
        if (!directory)
                return;
        for (unsigned i = 0; i < SLAVES_MAX && (entry = readdir(directory)); i++) {
                ssize_t length =
                        readlinkat(dirfd(directory), entry->d_name, link, sizeof(link) - 1);

                if (length < 0)
                        continue; /* "." and ".." */
                link[length] = '\0';
                if (uevent_path_device(link, &address))
                        found(&address, userdata);
        }
        closedir(directory);
}
