/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Every cause becomes an Event. An event says where to look, never what is so: whether a
 * uevent said "add" or "remove", the answer is read from the kernel.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scsi/address.h"

enum event_kind {
        EVENT_RESYNC,         /* anything may have changed (start, lost uevents) */
        EVENT_HOST,           /* something about address.target.host */
        EVENT_DEVICE,         /* something about the device at `address` */
        EVENT_HOLDER,         /* something about the block device `holder`, which may hold some */
        EVENT_UNIT_ATTENTION, /* the device at `address` reported `attention` */
        EVENT_HOST_STUCK,     /* a kernel call on that host has outlived its deadline */
        EVENT_HOST_RELEASED,  /* and has come back */
};

/* The kernel's SDEV_UA words (drivers/scsi/scsi_lib.c, scsi_evt_emit) and its media change. */
enum unit_attention {
        ATTENTION_NONE,
        ATTENTION_REPORTED_LUNS,
        ATTENTION_INQUIRY,
        ATTENTION_CAPACITY,
        ATTENTION_ACCESS_STATE,
        ATTENTION_MODE_PARAMETERS,
        ATTENTION_POWER_ON_RESET,
        ATTENTION_SOFT_THRESHOLD,
        ATTENTION_MEDIA_CHANGE,
        ATTENTION_KINDS
};

/* The contract's word: "reported-luns-data-has-changed" ...; "" for none. */
const char *unit_attention_name(enum unit_attention attention);

#define EVENT_HOLDER_MAX 32 /* DISK_NAME_LEN, include/linux/blkdev.h */

struct event {
        enum event_kind kind;
        struct scsi_address address;
        enum unit_attention attention;
        char holder[EVENT_HOLDER_MAX]; /* "dm-0" */
};
