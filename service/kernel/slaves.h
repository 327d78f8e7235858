/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which of our devices a stacked block device (dm, md, bcache ...) holds. */

#include "scsi/address.h"

/* More are not looked at: who stacks so many is seen when its disks are looked at next. */
#define SLAVES_MAX 1024

/* Calls `found` for each device that `holder` ("dm-0") holds, itself or by a partition. Lists a
 * directory of links below `sysfs` and reads where they lead; nothing when there is none. */
void slaves_list(const char *sysfs, const char *holder,
                 void (*found)(const struct scsi_address *address, void *userdata), void *userdata);
