/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The nodes of a device: SCSI commands through its sg node, and holding them all so that nobody
 * else can begin to use it. A block device is opened with O_EXCL, which fails while it or one of
 * its partitions is mounted, swapped to, or part of dm or md (bd_may_claim(), block/bdev.c); a
 * program that has it open without O_EXCL is not noticed. An sg node is opened with O_EXCL, which
 * fails while anybody has it open (sg_open()): a worker's own command in flight, too. A tape is its
 * opener's alone by itself (st_open()).
 */

#include <stdbool.h>

#include "worker/messages.h"

/* `device` is a device's pinned directory, `dev` is where the nodes are. */

#define CLAIM_NODES 3

struct claim {
        int nodes[CLAIM_NODES]; /* -1: the device has no such node, or nobody can open it now */
};

#define CLAIM_NONE ((struct claim){{-1, -1, -1}})

/* Into CLAIM_NONE: 0; -EBUSY when somebody has it; -EBADFD when a node is missing or is another
 * device's, so that nobody can tell; -errno of open(2). claim_release() is due in any case. */
int claim_take(int device, int dev, struct claim *claim);
void claim_release(struct claim *claim);

/* At most this long may a command take: error handling takes far longer than that anyway. */
#define COMMAND_TIMEOUT_MAX_MS 3600000

/* TEST UNIT READY, INQUIRY, REPORT LUNS and READ CAPACITY, no longer than the buffer, for some time
 * and at most that long. */
bool command_allows(const struct worker_request *request);

/*
 * Sends request->command to the device whose pinned directory that is and fills in status, sense
 * and data of the answer. 0: the device, or Linux for it, has answered. -ENOENT, -ENODEV, -ENXIO:
 * there is no such device or it has no sg node; -ESTALE: the node belongs to another device by now;
 * -errno of open(2) or SG_IO.
 */
int command_send(int device, int dev, const struct worker_request *request,
                 struct worker_answer *answer);
