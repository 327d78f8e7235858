/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who was attached where, for a service that starts again: of each nexus that has a device, the
 * identity it was attached as. A unit that was swapped while nobody watched is found by comparing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "scan/topology.h"
#include "scsi/vpd.h"

/* More nexuses than devices are not remembered. */
#define MEMORY_MAX TOPOLOGY_DEVICES_MAX

/* What is remembered of the device itself. */
struct memory_mark {
        uint64_t instance;      /* the kernel object; 0 when that was in an earlier boot */
        enum standing standing; /* PRESENT; REPLACED, QUARANTINED: it is stopped */
        bool asked;             /* see struct device */
};

struct memory_entry {
        char *nexus; /* names it across boots: see memory_nexus() */
        struct memory_mark mark;
        struct scsi_identity identity; /* what it was attached as */
        UT_hash_handle hh;
};

struct memory;

struct memory *memory_new(void);
void memory_free(struct memory *memory);

/* The host's device path without its number (but of an iSCSI host with it), the port's name or else
 * channel:target, and the LUN:
 * "/devices/pci0000:00/0000:00:05.0 naa.500a09848cde0001 5". NULL: out of memory. */
char *memory_nexus(const struct device *device);

/* Takes over what the identity owns. -ENOMEM, -E2BIG. */
int memory_set(struct memory *memory, const char *nexus, const struct memory_mark *mark,
               struct scsi_identity *identity);
void memory_forget(struct memory *memory, const char *nexus);
const struct memory_entry *memory_get(const struct memory *memory, const char *nexus);

/* Takes over what the other one knows of nexuses of which this one knows nothing from this boot.
 * -ENOMEM. */
int memory_add(struct memory *memory, const struct memory *other);

/* Rises with every change. */
uint64_t memory_serial(const struct memory *memory);
/* Its value at the last change that nobody may be told of before it is kept: a device was stopped.
 */
uint64_t memory_urgent(const struct memory *memory);
/* As text, a line for each nexus; and back, where a line that is not one is left out. The text
 * begins with the boot it was written in: of another boot, no instance is kept. */
char *memory_format(const struct memory *memory, const char *boot_id);
/* How many lines were not understood, or negative. */
int memory_parse(struct memory *memory, const char *text, const char *boot_id);
/* The same of what somebody wrote who went before in this boot; of another boot it is nothing. */
int memory_merge(struct memory *memory, const char *text, const char *boot_id);
