/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The numbers of the hosts that kernel_fake_worker.c serves: what befalls their workers. */
enum fake_host {
        FAKE_ANSWERS,
        FAKE_DIES,         /* with status 7, when it is asked */
        FAKE_DIES_LATER,   /* so, at every second request */
        FAKE_DIES_AT_ONCE, /* with status 3, unasked */
        FAKE_HANGS,        /* on the LUNs below */
        FAKE_CLOSES,       /* its socket, and lives on */
        FAKE_WRONG_ID,
        FAKE_WRONG_VERSION,
        FAKE_COUNTS,      /* the error is how many requests were there at once */
        FAKE_DESCRIPTORS, /* an error unless it has its own descriptors and no others */
};

#define FAKE_LUN_HANGS 1
/* Not even SIGKILL ends it for that long. */
#define FAKE_LUN_UNDEAD 2
#define FAKE_UNDEAD_MSEC 2500
/* Those that hang end only that long after their socket was closed. */
#define FAKE_LINGERS_MSEC 1000
