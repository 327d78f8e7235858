/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A machine that changes at random, and what is to be known of it: what is mapped where, what is in
 * use, and of what the service was told so far. Hosts are iSCSI sessions' with two targets each;
 * twenty disks are mapped on some of all their LUNs, so that a unit has several paths.
 */

#include "harness.h"

#define PLAY_HOSTS 4
#define PLAY_TARGETS 2
#define PLAY_LUNS 6
#define PLAY_DISKS 20

struct play {
        struct harness *harness;
        struct sim_machine *machine; /* only while it is locked */
        GRand *random;
        uint32_t seed;
        unsigned changes; /* so far */
        bool hosts[PLAY_HOSTS];
        bool lost[PLAY_HOSTS][PLAY_TARGETS]; /* the session */
        /* Something changed of which the target has not told the service yet. */
        bool untold[PLAY_HOSTS][PLAY_TARGETS];
        uint32_t disks[PLAY_HOSTS][PLAY_TARGETS][PLAY_LUNS];   /* 1 to PLAY_DISKS; 0: not mapped */
        bool held[PLAY_HOSTS][PLAY_TARGETS][PLAY_LUNS];        /* somebody uses the device */
        bool known[PLAY_HOSTS][PLAY_TARGETS][PLAY_LUNS];       /* by the service, for what it is */
        bool withheld[PLAY_HOSTS][PLAY_TARGETS][PLAY_LUNS];    /* detached by request */
        unsigned swapped[PLAY_HOSTS][PLAY_TARGETS][PLAY_LUNS]; /* times that it became another */
        bool freed[PLAY_HOSTS][PLAY_TARGETS][PLAY_LUNS]; /* nobody any more: no event tells that */
        uint64_t sizes[PLAY_DISKS + 1];                  /* bytes */
        bool grown[PLAY_DISKS + 1];                      /* and none of its paths has told so yet */
};

/* In the order of addresses. */
#define PLAY_FOREACH_TARGET(play, at)                                                              \
        for (struct scsi_target_address at = {}; at.host < PLAY_HOSTS; at.host++)                  \
                for (at.target = 0; at.target < PLAY_TARGETS; at.target++)                         \
                        if (!(play)->hosts[at.host]) {                                             \
                        } else
#define PLAY_FOREACH(play, at)                                                                     \
        for (struct scsi_address at = {}; at.target.host < PLAY_HOSTS; at.target.host++)           \
                for (at.target.target = 0; at.target.target < PLAY_TARGETS; at.target.target++)    \
                        for (at.lun = 0; at.lun < PLAY_LUNS; at.lun++)                             \
                                if (!(play)->hosts[at.target.host]) {                              \
                                } else

/* Two hosts; the machine is the caller's, to be given to a harness. */
struct play *play_new(uint32_t seed, struct sim_machine **ret_machine);
/* With the harness, if there is one. */
void play_free(struct play *play);

/* Uniformly from 0 to end - 1. */
uint32_t play_below(struct play *play, uint32_t end);

void play_lock(struct play *play);
void play_unlock(struct play *play);

uint32_t *play_disk(struct play *play, struct scsi_address at);
bool *play_held(struct play *play, struct scsi_address at);
bool *play_freed(struct play *play, struct scsi_address at);
bool *play_known(struct play *play, struct scsi_address at);
bool *play_withheld(struct play *play, struct scsi_address at);
unsigned *play_swapped(struct play *play, struct scsi_address at);
bool *play_lost(struct play *play, struct scsi_target_address target);
bool *play_untold(struct play *play, struct scsi_target_address target);

/* The service has looked at everything that can be reached; because somebody asked: then what was
 * detached by request comes back. */
void play_told(struct play *play, bool asked);

/* ---- with the machine locked ---- */

/* One of: a disk mapped, also where another one was; unmapped; two exchanged; grown; somebody's
 * I/O; a session lost or back; a device held or let go; a host added or removed. */
void play_change(struct play *play);
/* Somebody's READ: what is reached, as sim_io() has it. The attentions that come out of the unit
 * tell the service of changes. */
uint64_t play_io(struct play *play, struct scsi_address at);
/* Through each device. */
void play_io_all(struct play *play);
/* All sessions are up, nothing is held, and LUN 0 is mapped everywhere: nothing stands in the way
 * of attaching all that is mapped, and only that. */
void play_clear(struct play *play);
