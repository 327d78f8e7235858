/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

/* At most `size` bytes, and a NUL behind them: text has room for one more. -errno. */
static inline int read_bytes(int fd, char *text, size_t size, size_t *ret_length) {
        size_t length = 0;

        while (length < size) {
                ssize_t n = read(fd, text + length, size - length);

                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                length += (size_t)n;
        }
        text[length] = '\0';
        *ret_length = length;
        return 0;
}
