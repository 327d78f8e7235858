/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Parameter data of READ CAPACITY (16) (SBC-4 5.21). */

#include <stddef.h>
#include <stdint.h>

#define SCSI_CAPACITY_BYTES 32

/* How large the unit is, in bytes. -EINVAL: fewer than 12 bytes, or no such size. */
int scsi_capacity_decode(const uint8_t *data, size_t length, uint64_t *ret);
