/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The attributes of worker/messages.h, read from sysfs as they are, each directory's below one
 * descriptor of it. As long as the object is there, its number and its names are nobody else's:
 * whether it still is, is looked at last, so one answer never mixes two objects.
 *
 * Return 0; -ENOENT, -ENODEV when the object is not there; -E2BIG when the records do not fit.
 */

#include <stdint.h>

#include "worker/messages.h"

int attributes_read_host(int sysfs, uint32_t host, struct worker_answer *answer);
/* `device` is the device's pinned directory. */
int attributes_read_device(int device, struct worker_answer *answer);
