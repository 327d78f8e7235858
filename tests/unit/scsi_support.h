/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of the scsi layer share. */

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define RANDOM_ROUNDS 20000

static inline size_t random_below(size_t end) {
        return (size_t)g_test_rand_int_range(0, (gint32)end);
}

/* Exactly as large as asked, so that the address sanitizer sees a read of one byte more. */
static inline uint8_t *random_bytes(size_t size) {
        uint8_t *bytes = g_malloc(size);

        for (size_t i = 0; i < size; i++)
                bytes[i] = (uint8_t)g_test_rand_int();
        return bytes;
}

/* Terminated within size, and nothing but 20h..7Eh. */
static inline void assert_printable(const char *text, size_t size) {
        size_t length = strnlen(text, size);

        g_assert_cmpuint(length, <, size);
        for (size_t i = 0; i < length; i++) {
                g_assert_cmpuint((unsigned char)text[i], >=, 0x20);
                g_assert_cmpuint((unsigned char)text[i], <=, 0x7e);
        }
}
