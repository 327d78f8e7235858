/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "kernel/worker_lock.h"
#include "util/cleanup.h"

static int lock_path(const char *runtime_dir, uint32_t host, char path[static PATH_MAX]) {
        int length = snprintf(path, PATH_MAX, "%s/host%" PRIu32 ".lock", runtime_dir, host);

        return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int worker_lock_take(const char *runtime_dir, uint32_t host) {
        char path[PATH_MAX];
        int r = lock_path(runtime_dir, host, path);

        if (r < 0)
                return r;
        for (;;) {
                _cleanup_(closep) int fd =
                        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
                struct stat st;

                if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0)
                        return -errno;
                /* Locked, but removed since it was opened: the next one would lock another file. */
                if (st.st_nlink > 0)
                        return TAKE_FD(fd);
        }
}

void worker_lock_forget(const char *runtime_dir, uint32_t host) {
        char path[PATH_MAX];
        _cleanup_(closep) int fd = worker_lock_take(runtime_dir, host);

        if (fd >= 0 && lock_path(runtime_dir, host, path) == 0)
                unlink(path);
}
