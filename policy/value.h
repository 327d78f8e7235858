/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How values are spelled: words, numbers, time spans, sizes; private to this layer. Those that
 * parse return -EINVAL and leave *ret alone when the text is not wholly what they read. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct policy_error;

#define WORD_MAX 256

struct word {
        bool negated; /* began with ! */
        char text[WORD_MAX];
};

/* The next of the words that blanks separate; "..." may contain blanks, and "" is an empty word. 1
 * with *ret, 0 at the end, -EINVAL with the error's found and expected. */
int word_next(const char **cursor, struct word *ret, struct policy_error *error);

/* A decimal number, "-" before it if min is negative. */
int integer_parse(const char *text, int64_t min, int64_t max, int64_t *ret);
/* "500ms", "10s", "1min 30s", "5" (seconds) -> ms. */
int span_parse(const char *text, uint64_t *ret_ms);
/* The shortest such text with one unit. */
const char *span_format(uint64_t ms, char *buffer, size_t size);
/* Bytes: "4096", "10G"; K, M, G, T, P and E are powers of 1024. */
int size_parse(const char *text, uint64_t *ret);

/* Says what was there and what should be; returns -EINVAL. */
int policy_expected(struct policy_error *error, const char *found, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
