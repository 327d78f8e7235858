/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Target.Luns: what the target reported and what is attached, in one list. */

#include <stddef.h>

#include "scan/topology.h"

/*
 * Ascending, each LUN once: those last reported, attached if there is a device whatever was noted
 * when they were, and the devices that were not reported. A target that was never asked has
 * reported nothing about any: its devices are just attached. 0 with a list that the caller frees
 * (NULL when empty), -ENOMEM.
 */
int target_luns_seen(const struct target *target, struct target_lun **ret, size_t *ret_count);
