/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dbus/call_size.h"

/* The D-Bus specification allows 32 arrays in 32 structures, and variants in variants to 64. */
#define DEPTH_MAX 64
/* Of a fixed type, or what stands before a string or a container, padding included. */
#define VALUE_BYTES 8
/* The fixed header, and the fields that every call has beside those that are counted. */
#define HEADER_BYTES 128

static size_t text_bytes(const char *text) {
        return text ? VALUE_BYTES + strlen(text) : 0;
}

static int value_add(sd_bus_message *call, char type, size_t *size) {
        union {
                const char *text;
                uint64_t largest;
        } value = {};
        int r = sd_bus_message_read_basic(call, type, &value);

        *size += VALUE_BYTES;
        if (r >= 0 && (type == 's' || type == 'o' || type == 'g'))
                *size += strlen(value.text);
        return r;
}

/* Depth first, without a recursion that somebody else would decide the depth of. Returns 0 at the
 * end, or a negative errno for what cannot be read. */
static int body_add(sd_bus_message *call, size_t max, size_t *size) {
        unsigned depth = 0;

        while (*size <= max) {
                const char *contents;
                char type;
                int r = sd_bus_message_peek_type(call, &type, &contents);

                if (r == 0 && depth == 0)
                        return 0;
                if (r == 0) {
                        depth--;
                        r = sd_bus_message_exit_container(call);
                } else if (r > 0 && contents) {
                        if (++depth > DEPTH_MAX)
                                return -ELOOP;
                        *size += VALUE_BYTES + (type == 'v' ? strlen(contents) : 0);
                        r = sd_bus_message_enter_container(call, type, contents);
                } else if (r > 0) {
                        r = value_add(call, type, size);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

size_t call_size(sd_bus_message *call, size_t max) {
        size_t size = HEADER_BYTES + text_bytes(sd_bus_message_get_path(call)) +
                      text_bytes(sd_bus_message_get_interface(call)) +
                      text_bytes(sd_bus_message_get_member(call)) +
                      text_bytes(sd_bus_message_get_signature(call, true));

        if (sd_bus_message_rewind(call, true) < 0 || body_add(call, max, &size) < 0)
                return SIZE_MAX;
        return size > max ? SIZE_MAX : size;
}
