/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One message of the kernel's uevent socket (lib/kobject_uevent.c): "add@/devices/...", then
 * "KEY=value" strings, each ended by a NUL; and which of them mean that something of ours may have
 * changed.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scan/event.h"

/* The kernel's own are at most UEVENT_BUFFER_SIZE (2048) bytes and a path. */
#define UEVENT_MAX 8192

/* Strings point into the message; never NULL after uevent_parse(). */
struct uevent {
        const char *action;
        const char *devpath;
        const char *subsystem;
        const char *devtype;   /* "" without */
        const char *attention; /* SDEV_UA, "" without */
        bool media_change;     /* SDEV_MEDIA_CHANGE=1 */
};

/* -EBADMSG: longer than UEVENT_MAX, no header, no NUL at the end, or no ACTION, DEVPATH, SUBSYSTEM.
 * Messages of udevd (they begin with "libudev") are not the kernel's and have no such header. */
int uevent_parse(const char *data, size_t length, struct uevent *ret);

/* Which device a path of sysfs leads to or through. "H:C:T:L" alone proves nothing (other buses
 * number their things too): it must stand below its target. */
bool uevent_path_device(const char *path, struct scsi_address *ret);

/* False when it says nothing about what we show. */
bool uevent_map(const struct uevent *uevent, struct event *ret);
