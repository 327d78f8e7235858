/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a scan would do: the steps of a job whose operation is JOB_PLAN. */

#include <stdbool.h>
#include <stddef.h>

#include "scsi/address.h"

enum plan_action {
        PLAN_TRY_IDS,    /* a host that does not know its ports: attach something on each id */
        PLAN_CONTACT,    /* nothing is attached to ask through: try a few LUNs */
        PLAN_ATTACH,     /* a LUN that is listed */
        PLAN_LOOK,       /* the same; whether it stays depends on what it is */
        PLAN_QUARANTINE, /* the same, and stop it until it is accepted */
        PLAN_COUNT_UP,   /* the target does not report: attach 0, 1, 2 ... */
        PLAN_LEAVE,      /* a LUN that is listed, and is not attached */
        PLAN_KEEP,       /* a device that is as it was */
        PLAN_READ_AGAIN, /* a device that could not be asked, or not be told apart */
        PLAN_CONFIRM,    /* it says that it is gone: ask once more, then detach it or tell */
        PLAN_DETACH,     /* it has been gone twice */
        PLAN_STOP,       /* another unit is behind it: stop it, and wait */
        PLAN_REATTACH,   /* the same, and nobody uses it: attach it anew */
        PLAN_NOTHING,    /* the target or host cannot be scanned, or is not to be */
        PLAN_ACTIONS
};

/* "attach", "leave", ...; static. */
const char *plan_action_name(enum plan_action action);

enum plan_place {
        PLAN_HOST,
        PLAN_TARGET,
        PLAN_DEVICE,
};

struct plan_step {
        enum plan_place place;
        struct scsi_address address;
        enum plan_action action;
        char *reason;   /* a sentence: the rule or the fact behind it; owned */
        char *identity; /* of the unit that is there, "" when not known; owned */
};

/* More are not kept, and the job fails: nobody could read them in one reply. */
#define PLAN_STEPS_MAX 65536

struct plan {
        struct plan_step *steps; /* in the order in which they would be done */
        size_t count, room;
        bool full; /* there would have been more */
};

/* -ENOMEM; 0 also when it is full. identity may be NULL. */
int plan_add(struct plan *plan, enum plan_place place, const struct scsi_address *address,
             enum plan_action action, const char *reason, const char *identity);
void plan_done(struct plan *plan);
