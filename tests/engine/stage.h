/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One host with one target whose LUNs are all attached, and what tests do with them. */

#include "world.h"

#define SECOND UINT64_C(1000000)

struct stage {
        struct sim_machine *machine;
        struct world *world;
        struct scsi_target_address target;
};

/* Disks 1 and on as LUN 0 and on, attached, and what the attaches raised is over. */
struct stage stage_new(unsigned quirks, uint32_t luns);
/* The same of a host with that driver; NULL for an ordinary one. */
struct stage stage_new_driver(const char *driver, unsigned quirks, uint32_t luns);
/* The same, under that policy (world_set_policy()), and nothing has been asked yet. */
struct stage stage_new_ruled(const char *rules, const char *quirks, unsigned target_quirks,
                             uint32_t luns);
/* The view has to equal the kernel. */
void stage_done(struct stage *stage);
struct scsi_address lun_of(const struct stage *stage, uint64_t lun);
const struct device *device_of(const struct stage *stage, uint64_t lun);
void map_disk(const struct stage *stage, uint64_t lun, uint32_t number);
/* Somebody uses LUN 0: its pending unit attention reaches the kernel. */
void touch(const struct stage *stage);
/* Somebody holds the LUN, as the service sees; NULL: nobody any more. */
void hold(const struct stage *stage, uint64_t lun, const char *holder);
/* The service starts again, on the same machine, with what it kept. */
void start_again(struct stage *stage, const char *boot, const char *next_boot);
