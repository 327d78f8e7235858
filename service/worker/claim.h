/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The nodes of a device, held so that nobody else can begin to use it. A block device is opened
 * with O_EXCL, which fails while it or one of its partitions is mounted, swapped to, or part of dm
 * or md (bd_may_claim(), block/bdev.c); a program that has it open without O_EXCL is not noticed.
 * An sg node is opened with O_EXCL, which fails while anybody has it open (sg_open()): a worker's
 * own command in flight, too. A tape is its opener's alone by itself (st_open()).
 */

#define CLAIM_NODES 3

struct claim {
        int nodes[CLAIM_NODES]; /* -1: the device has no such node, or nobody can open it now */
};

#define CLAIM_NONE ((struct claim){{-1, -1, -1}})

/* `device` is the device's pinned directory, `dev` is where the nodes are. 0, and claim_release()
 * is due; or, with nothing held: -EBUSY when somebody has it; -EBADFD when a node is missing or is
 * another device's, so that nobody can tell; -errno of open(2). */
int claim_take(int device, int dev, struct claim *ret);
void claim_release(struct claim *claim);
