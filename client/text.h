/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How values read to a person. All strings are to be freed; NULL without memory. */

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/* Bytes in powers of 1024 with at most one decimal, as lsblk(8) writes them: "512B", "1.5T". */
char *text_from_size(uint64_t bytes);

/* µs since the epoch in local time, "2026-01-31 12:00:00", with ".123456" if fraction. */
char *text_from_time(uint64_t usec, bool fraction);

/* A job's summary, "4 attached, 1 changed": what is not zero, or all of it. */
char *text_from_summary(struct json_object *summary, bool all);

/* "everything" for the empty scope. */
const char *text_scope(const char *scope);

/* The colour that a state deserves, for libsmartcols: NULL if it is a good one. */
const char *text_state_color(const char *state);

/* The escape sequence for one of those colours, "bold" or "underline"; NULL gives "". */
const char *text_color_sequence(const char *color);
#define TEXT_COLOR_RESET "\033[0m"
