/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <ctype.h>
#include <errno.h>

#include "scsi/decimal.h"

int scsi_decimal_read(const char **cursor, uint64_t max, uint64_t *ret) {
        const char *at = *cursor;
        uint64_t value = 0;

        assert(ret);

        if (!isdigit((unsigned char)at[0]))
                return -EINVAL;
        if (at[0] == '0' && isdigit((unsigned char)at[1]))
                return -EINVAL;

        for (; isdigit((unsigned char)*at); at++) {
                uint64_t digit = (uint64_t)(*at - '0');

                if (value > max / 10 || value * 10 > max - digit)
                        return -ERANGE;
                value = value * 10 + digit;
        }

        *cursor = at;
        *ret = value;
        return 0;
}
