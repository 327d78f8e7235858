/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <fnmatch.h>
#include <stddef.h>

#include "policy/discovery.h"
#include "util/cleanup.h"

struct known_driver {
        const char *pattern; /* fnmatch(3) */
        enum discovery discovery;
};

/* Read in Linux 6.12. A driver that calls scsi_add_device() finds its devices in any mode but none;
 * a driver that starts its links in scan_start(), which only scsi_scan_host() calls, has none in
 * manual mode: to scan beside it would find nothing. */
static const struct known_driver known_drivers[] = {
        /* libata attaches what its port probe finds: ata_scsi_scan_host(). */
        {"ahci", DISCOVERY_DRIVER},
        {"ahci[-_]*", DISCOVERY_DRIVER},
        {"*-ahci", DISCOVERY_DRIVER},
        {"ata_*", DISCOVERY_DRIVER},
        {"pata_*", DISCOVERY_DRIVER},
        {"sata_*", DISCOVERY_DRIVER},
        {"pdc_adma", DISCOVERY_DRIVER},
        /* RAID adapters attach the volumes and disks that their firmware lists. */
        {"hpsa", DISCOVERY_DRIVER},
        {"smartpqi", DISCOVERY_DRIVER},
        {"aacraid", DISCOVERY_DRIVER},
        {"ipr", DISCOVERY_DRIVER}, /* ipr_add_remove_thread() */
        /* A configfs link is the attach: tcm_loop_port_link(). */
        {"tcm_loopback", DISCOVERY_DRIVER},
        /* The well-known logical units, then the rest, by ufshcd_async_scan(). */
        {"ufshcd*", DISCOVERY_DRIVER},

        {"mpt2sas", DISCOVERY_KERNEL},   /* mpt3sas_port_enable() in scan_start */
        {"mpt3sas", DISCOVERY_KERNEL},   /* the same */
        {"mpi3mr", DISCOVERY_KERNEL},    /* port enable in scan_start */
        {"hisi_sas*", DISCOVERY_KERNEL}, /* phys_init() in scan_start */
        {"aic94xx", DISCOVERY_KERNEL},   /* asd_enable_phys() in scan_start */
        {"pm80xx", DISCOVERY_KERNEL},    /* phy_start_req() in scan_start */
        {"pm8001", DISCOVERY_KERNEL},    /* the same */
        {"mvsas", DISCOVERY_KERNEL},     /* phys come up in scan_start */
        {"isci", DISCOVERY_KERNEL},      /* sci_controller_start() in scan_start */
};

enum discovery policy_discovery(const char *driver, bool kernel_scans) {
        for (size_t i = 0; driver && i < ELEMENTS_OF(known_drivers); i++)
                if (fnmatch(known_drivers[i].pattern, driver, 0) == 0)
                        return known_drivers[i].discovery;

        return kernel_scans ? DISCOVERY_KERNEL : DISCOVERY_SERVICE;
}

const char *discovery_name(enum discovery discovery) {
        static const char *const names[] = {
                [DISCOVERY_SERVICE] = "service",
                [DISCOVERY_KERNEL] = "kernel",
                [DISCOVERY_DRIVER] = "driver",
        };

        assert((size_t)discovery < ELEMENTS_OF(names));
        return names[discovery];
}
