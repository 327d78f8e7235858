/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The a{sv} that every method which changes something takes last: read by a table, and strictly. An
 * option that is not known, is of another type or is given twice is InvalidArgs, naming it.
 */

#include <stddef.h>
#include <systemd/sd-bus.h>

struct option {
        const char *name;
        char type; /* 'b' into a bool, 't' into a uint64_t, 's' into a const char *, which lives as
                      long as the message */
        size_t offset; /* of the value in what `ret` points to */
        size_t given;  /* of a bool that says it was there */
};

/* Reads the whole dictionary at the message's cursor; what is not given is left alone. 0, or
 * negative with `error` set. */
int options_read(sd_bus_message *message, const struct option *options, size_t count, void *ret,
                 sd_bus_error *error);
