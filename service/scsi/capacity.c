/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include <scsi/sg_unaligned.h>

#include "scsi/capacity.h"

int scsi_capacity_decode(const uint8_t *data, size_t length, uint64_t *ret) {
        uint64_t last, blocks, size;

        if (length < 12)
                return -EINVAL;
        last = (uint64_t)sg_get_unaligned_be16(data) << 48 |
               (uint64_t)sg_get_unaligned_be16(data + 2) << 32 |
               (uint64_t)sg_get_unaligned_be16(data + 4) << 16 | sg_get_unaligned_be16(data + 6);
        if (__builtin_add_overflow(last, 1, &blocks))
                return -EINVAL;
        size = (uint64_t)sg_get_unaligned_be16(data + 8) << 16 | sg_get_unaligned_be16(data + 10);
        return __builtin_mul_overflow(blocks, size, ret) ? -EINVAL : 0;
}
