/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SCSI commands through a device's sg node. */

#include <stdbool.h>

#include "worker/messages.h"

/* At most this long may a command take: error handling takes far longer than that anyway. */
#define PASS_THROUGH_TIMEOUT_MAX_MS 3600000

/* TEST UNIT READY, INQUIRY, REPORT LUNS and READ CAPACITY, and no longer than the buffer. */
bool pass_through_allows(const struct scsi_command *command);

/*
 * Sends request->command to the device at request->address and fills in status, sense and
 * data_length of the reply. 0: the device, or Linux for it, has answered. -ENOENT, -ENODEV, -ENXIO:
 * there is no such device or it has no sg node; -ESTALE: the node belongs to another device by now;
 * -errno of open(2) or SG_IO.
 */
int pass_through(int sysfs, int dev, const struct worker_request *request,
                 struct worker_reply *reply, uint8_t data[static WORKER_DATA_MAX]);
