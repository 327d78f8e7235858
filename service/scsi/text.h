/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Strings from targets are made printable where they enter: what leaves these functions is
 * printable ASCII, so it is valid UTF-8, free of control characters and safe on a bus, in a
 * log and on a terminal.
 */

#include <stddef.h>

/* Copies at most length bytes up to a NUL, without leading and trailing blanks; every byte outside
 * 20h..7Eh becomes '?'. Truncates to size-1 characters. Returns the length written. */
size_t scsi_text_field(const void *bytes, size_t length, char *buffer, size_t size);

/* The kernel's "%*pE" (lib/vsprintf.c, escaped_string() with ESCAPE_ANY_NP) for designators:
 * printable characters stay, backslash too, others become the C escape (\0 \a \t \n \v \f \r \e) or
 * \ooo. The kernel's isprint() is Latin-1's and lets bytes A0h..FFh through; here they are \ooo. No
 * trimming. Truncates to size-1 characters at a whole escape. Returns the length written. */
size_t scsi_text_escape(const void *bytes, size_t length, char *buffer, size_t size);
