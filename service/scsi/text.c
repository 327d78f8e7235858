/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "scsi/text.h"

/* Not isprint(): the answer must not depend on a locale. */
static bool byte_is_printable(uint8_t byte) {
        return byte >= 0x20 && byte <= 0x7e;
}

size_t scsi_text_field(const void *bytes, size_t length, char *buffer, size_t size) {
        const uint8_t *at = bytes;
        size_t written = 0;

        assert(size > 0);

        length = length > 0 ? strnlen(bytes, length) : 0;
        for (; length > 0 && *at == ' '; length--)
                at++;

        for (; written < length && written < size - 1; written++)
                buffer[written] = (char)(byte_is_printable(at[written]) ? at[written] : '?');

        while (written > 0 && buffer[written - 1] == ' ')
                written--;
        buffer[written] = '\0';
        return written;
}

/* The letter behind the backslash, or 0 for a byte that has none: ESCAPE_SPACE, ESCAPE_SPECIAL and
 * ESCAPE_NULL of string_escape_mem() (lib/string_helpers.c), without the printable ones. */
static char escape_letter(uint8_t byte) {
        switch (byte) {
        case '\0':
                return '0';
        case '\a':
                return 'a';
        case '\t':
                return 't';
        case '\n':
                return 'n';
        case '\v':
                return 'v';
        case '\f':
                return 'f';
        case '\r':
                return 'r';
        case 0x1b:
                return 'e';
        default:
                return 0;
        }
}

/* Spells one byte into at most four characters, returns how many. */
static size_t escape_byte(uint8_t byte, char text[static 4]) {
        char letter = escape_letter(byte);

        if (byte_is_printable(byte)) {
                text[0] = (char)byte;
                return 1;
        }

        text[0] = '\\';
        if (letter) {
                text[1] = letter;
                return 2;
        }

        text[1] = (char)('0' + (byte >> 6));
        text[2] = (char)('0' + (byte >> 3 & 7));
        text[3] = (char)('0' + (byte & 7));
        return 4;
}

size_t scsi_text_escape(const void *bytes, size_t length, char *buffer, size_t size) {
        const uint8_t *at = bytes;
        size_t written = 0;

        assert(size > 0);

        for (size_t i = 0; i < length; i++) {
                char text[4];
                size_t n = escape_byte(at[i], text);

                if (n > size - 1 - written)
                        break;
                memcpy(buffer + written, text, n);
                written += n;
        }

        buffer[written] = '\0';
        return written;
}
