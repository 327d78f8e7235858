/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "mode.h"
#include "util/cleanup.h"

static bool says_no_scan(const char *mode) {
        return strncmp(mode, "manual", 6) == 0 || strncmp(mode, "none", 4) == 0;
}

/* False when there is no such file. */
static bool read_head(const char *path, char *buffer, size_t size) {
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, buffer, size - 1);

        buffer[n < 0 ? 0 : n] = '\0';
        return n >= 0;
}

/* Before the loop runs, and of files that no device stands behind. Where scsi_mod is not loaded
 * yet, the kernel's command line says how it will be. */
static bool kernel_scans(const char *sysfs) {
        static const char parameter[] = "scsi_mod.scan=";
        char path[4096], text[4096];
        const char *found;

        snprintf(path, sizeof(path), "%s/module/scsi_mod/parameters/scan", sysfs);
        if (read_head(path, text, sizeof(text)))
                return !says_no_scan(text);
        if (!read_head("/proc/cmdline", text, sizeof(text)))
                return true;
        found = strstr(text, parameter);
        return !found || !says_no_scan(found + sizeof(parameter) - 1);
}

bool mode_is_owner(const struct daemon_options *options) {
        switch (options->mode) {
        case DAEMON_MODE_OWNER:
                return true;
        case DAEMON_MODE_OBSERVER:
                return false;
        case DAEMON_MODE_AUTO:
                break;
        }
        return !kernel_scans(options->sysfs);
}
