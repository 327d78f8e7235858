/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A simulated machine of one host with one target, its uevents as lines, and the last reply. */

#include <glib.h>

#include "sim/machine.h"

#define HOST "/devices/pseudo_0/adapter0/host0"
#define LU HOST "/target0:0:0/0:0:0:0"

struct fixture {
        struct sim_machine *machine;
        uint32_t host;
        struct scsi_target_address target;
        GString *events;
        struct worker_reply reply;
        uint8_t data[WORKER_DATA_MAX];
        char *attribute; /* the last one asked for */
};

void fixture_set_up(struct fixture *f, const void *unused);
void fixture_tear_down(struct fixture *f, const void *unused);

/* The uevents since it was asked last. */
void assert_events(struct fixture *f, const char *expected);
enum sim_fate serve(struct fixture *f, uint32_t kind, uint64_t lun);
enum sim_fate serve_flagged(struct fixture *f, uint32_t kind, uint64_t lun, uint32_t flags,
                            uint64_t instance);
/* The reply's error. */
int ask(struct fixture *f, uint32_t kind, uint64_t lun);
int ask_flagged(struct fixture *f, uint32_t kind, uint64_t lun, uint32_t flags, uint64_t instance);
void command(struct fixture *f, uint64_t lun, struct scsi_command cdb);
void assert_sense(const struct fixture *f, uint8_t key, uint8_t asc, uint8_t ascq);
/* Of the last reply, by its path or by its name alone, without blanks at its end, until it is asked
 * for the next one; NULL: it has none of that name. */
const char *attribute(struct fixture *f, const char *name);
/* The same, as it came. */
const uint8_t *attribute_bytes(const struct fixture *f, const char *name, size_t *ret);
/* What the last reply calls the object. */
uint64_t reply_instance(const struct fixture *f);
void map_disks(struct fixture *f, uint32_t count);
void assert_attached(struct fixture *f, const char *expected);
