/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Step and Observation: what the planner wants done in the world, and what was seen when it was
 * tried. Both are values; a step is known again by its id, never by a pointer.
 */

#include <stdint.h>

#include "scan/facts.h"
#include "scsi/address.h"
#include "scsi/inquiry.h"
#include "scsi/kernel_scan.h"
#include "scsi/outcome.h"
#include "scsi/report_luns.h"
#include "scsi/vpd.h"

enum step_kind {
        STEP_LIST,          /* which hosts and devices has the kernel? */
        STEP_READ_HOST,     /* attributes of address.target.host */
        STEP_READ_DEVICE,   /* attributes of the device */
        STEP_ATTACH,        /* let the kernel attach that one logical unit, and look */
        STEP_SCAN_TARGET,   /* the kernel's own scan of that target: the last resort */
        STEP_REPORT_LUNS,   /* ask the target, through the device at `address` */
        STEP_READ_IDENTITY, /* VPD 83h of the device */
        STEP_READ_SERIAL,   /* VPD 80h of the device */
        STEP_READ_CAPACITY, /* how large the unit is, live */
        STEP_INQUIRE,       /* standard INQUIRY, live: is a logical unit there? */
        STEP_PROBE,     /* TEST UNIT READY: what does the unit itself say? Lets the kernel report
                           a unit attention that waits */
        STEP_DETACH,    /* let the kernel forget the device, and look */
        STEP_REFRESH,   /* let the kernel read size and VPD pages again, and look */
        STEP_SET_STATE, /* stop the device's I/O, or let it go on, and look */
        STEP_KINDS,
        /* Not the planner's: who scans is for the daemon to decide (mode.h). Write scsi_mod.scan,
           and look */
        STEP_SET_KERNEL_SCAN
};

const char *step_kind_name(enum step_kind kind);
/* The step changes what the kernel has: one of them per host at a time (it holds scan_mutex). */
bool step_kind_writes(enum step_kind kind);
/* The kernel sends commands of its own, or waits for some, before it returns. */
bool step_kind_is_long(enum step_kind kind);

struct step {
        uint64_t id; /* never 0, never used twice */
        enum step_kind kind;
        struct scsi_address address;
        uint32_t timeout_ms;        /* of the command, where there is one */
        uint32_t allocation_length; /* STEP_REPORT_LUNS, bytes */
        /* STEP_DETACH, _REFRESH, _SET_STATE: this kernel object and no other, 0 for whichever */
        uint64_t instance;
        bool force;   /* STEP_DETACH: even if somebody has it open */
        bool proven;  /* STEP_DETACH: proven gone, so do not wait for its cache to be flushed */
        bool offline; /* STEP_SET_STATE: "offline", else "running" */
        enum kernel_scan kernel_scan; /* STEP_SET_KERNEL_SCAN */
};

/* What became of a step on the way to the device and back. */
enum observed {
        OBSERVED_GOOD,         /* the payload holds */
        OBSERVED_GONE,         /* the host, or the device to be asked, is not in the kernel */
        OBSERVED_NOT_ATTACHED, /* STEP_ATTACH: the kernel took the order and attached nothing */
        OBSERVED_IN_USE,       /* STEP_DETACH: somebody has it open, nothing was done */
        OBSERVED_OUT_OF_RANGE, /* STEP_ATTACH: channel, target or LUN beyond what the host takes
                                  (EINVAL) */
        OBSERVED_DEVICE,       /* the device answered something else: see `outcome` */
        OBSERVED_ERROR,        /* our failure: see `error` */
        OBSERVED_LOST,         /* the worker ended before it answered: may be tried again */
        OBSERVED_STUCK,        /* the kernel did not return within the deadline */
};

const char *observed_name(enum observed observed);

struct inventory {
        uint32_t *hosts; /* ascending; owned */
        size_t host_count;
        struct scsi_address *devices; /* ascending; owned */
        size_t device_count;
};

struct observation {
        struct step step;
        enum observed observed;
        enum scsi_outcome outcome; /* OBSERVED_DEVICE */
        struct scsi_sense_code sense;
        int error; /* OBSERVED_ERROR: -errno */
        /* The payload of OBSERVED_GOOD, by step.kind; owned. */
        union {
                struct inventory inventory;    /* STEP_LIST */
                struct host_facts host;        /* STEP_READ_HOST */
                struct device_facts device;    /* STEP_READ_DEVICE, _ATTACH, _REFRESH, _SET_STATE */
                struct scsi_lun_list luns;     /* STEP_REPORT_LUNS */
                struct scsi_identity identity; /* STEP_READ_IDENTITY */
                char serial[SCSI_SERIAL_MAX];  /* STEP_READ_SERIAL */
                uint64_t capacity;             /* STEP_READ_CAPACITY, bytes */
                struct scsi_inquiry inquiry;   /* STEP_INQUIRE */
        };
};

void observation_done(struct observation *observation);
