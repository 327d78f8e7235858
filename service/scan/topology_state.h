/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The inside of the topology, for topology.c (hosts, targets, devices) and unit.c (what they are
 * paths to). */

#include "scan/topology.h"

struct topology {
        struct host_list hosts;
        struct host *by_number;
        struct target *by_address;
        struct unit_list units;
        struct unit *by_identity;
        size_t device_count;
};

/* What a unit says of itself, kept for the length of one change. */
struct unit_words {
        bool known;
        uint8_t type;
        char vendor[9];
        char model[17];
        char revision[5];
        char serial[SCSI_SERIAL_MAX];
        uint64_t size;
        uint32_t block_size;
        unsigned designators; /* a hash of them */
};

struct unit_words unit_listen(const struct unit *unit);
/* Notes what the unit says differently now, and `mask` besides. */
int unit_changed(const struct unit *unit, const struct unit_words *before, uint32_t mask,
                 struct change_set *changes);
/* The device is a path to the unit that its identity names, if it has one; a unit is there while it
 * has paths. */
int unit_join(struct topology *topology, struct device *device, struct change_set *changes);
int unit_leave(struct topology *topology, struct device *device, struct change_set *changes);

/* What the target reported stays reported; attached it is no longer. */
void target_lun_detached(struct target *target, uint64_t lun, const char *reason);
/* Whether the fact (FACT_LUNS) says something else than is shown of the target. */
bool target_luns_differ(const struct target *target, const struct fact *fact);
