/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Records as a worker sends them. */

#include <stdint.h>
#include <string.h>

#include "worker/messages.h"

/* "name\0value\0name\0value"; the literal's own NUL ends the last value. */
#define RECORDS(text) text, sizeof(text)

/* Puts one behind the first `at` bytes; how many there are then. */
static inline size_t record_put(uint8_t *data, size_t at, const char *name, const void *value,
                                size_t length) {
        const struct worker_record record = {(uint16_t)strlen(name), (uint16_t)length};

        memcpy(data + at, &record, sizeof(record));
        at += sizeof(record);
        memcpy(data + at, name, record.name_length);
        at += record.name_length;
        memcpy(data + at, value, length);
        return at + length;
}

/* Those of RECORDS(), which never need more than three bytes for each of its own; how many bytes.
 */
static inline size_t records_put(uint8_t *data, const char *text, size_t length) {
        size_t size = 0;

        for (const char *at = text; at < text + length;) {
                const char *name = at, *value = name + strlen(name) + 1;

                size = record_put(data, size, name, value, strlen(value));
                at = value + strlen(value) + 1;
        }
        return size;
}
