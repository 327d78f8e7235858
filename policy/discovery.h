/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who finds the logical units of a host. */

#include <stdbool.h>

enum discovery {
        DISCOVERY_SERVICE, /* we do: ask the targets, attach what they report */
        DISCOVERY_KERNEL,  /* the kernel's own scan does; we follow, and rescan incrementally */
        DISCOVERY_DRIVER,  /* the host's driver does, in any scan mode; we only follow */
};

/* By the quirks.conf that this was built with, read anew each time; policy_host_discovery() is for
 * who has a policy. driver: sysfs `proc_name` of the host; NULL, or a name that no section knows,
 * is an ordinary host. kernel_scans: the kernel scanned, or scans, this host by itself
 * (scsi_mod.scan is not manual or none); it decides for ordinary hosts. */
enum discovery policy_discovery(const char *driver, bool kernel_scans);

/* "service", "kernel", "driver"; static. */
const char *discovery_name(enum discovery discovery);
