/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether the device nodes of what was attached exist: the kernel probes disks after it has told of
 * the device. */

#include <stdbool.h>
#include <stdint.h>

#include "scan/scope.h"
#include "scan/topology.h"

/* A block node belongs to such a device and is not there yet: a connected one of a type that sd or
 * sr binds (drivers/scsi/sd.c, sd_probe(); sr.c, sr_probe()). Of other nodes the kernel has told
 * together with the device. */
bool node_is_awaited(const struct device_facts *facts);

/* That LUN's of each target that the scope names; also when nothing is attached there. */
bool nodes_exist(const struct topology *topology, const struct scope *scope, uint64_t lun);
