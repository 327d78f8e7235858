/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who finds the logical units of a host. */

enum discovery {
        DISCOVERY_SERVICE, /* we do: ask the targets, attach what they report */
        DISCOVERY_KERNEL,  /* the kernel's own scan does; we follow, and rescan incrementally */
        DISCOVERY_DRIVER,  /* the host's driver does, in any scan mode; we only follow */
};

/* "service", "kernel", "driver"; static. */
const char *discovery_name(enum discovery discovery);
