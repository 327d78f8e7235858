/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The attribute records of worker/messages.h, read from sysfs: all below one descriptor of the
 * object's directory. What sysfs removes never comes back under it, so one answer never mixes two
 * objects that had the same name.
 *
 * Return 0; -ENOENT, -ENODEV when the object is not there; -E2BIG when the records do not fit.
 */

#include <stddef.h>
#include <stdint.h>

struct attributes {
        char *data;
        size_t size;   /* of data */
        size_t length; /* bytes written; above size when something did not fit */
};

/* Appends the record "name\0value\0"; a record that does not fit is left out and marks the whole as
 * too big. */
__attribute__((format(printf, 3, 4))) void
attributes_add(struct attributes *attributes, const char *name, const char *format, ...);

int attributes_read_host(int sysfs, uint32_t host, struct attributes *attributes);
/* `device` is the device's pinned directory. */
int attributes_read_device(int device, struct attributes *attributes);
