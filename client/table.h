/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Tables and trees of objects: a column says for each kind of object what stands in its cell.
 */

#include <libsmartcols/libsmartcols.h>
#include <stddef.h>

#include "client/model.h"
#include "client/options.h"

enum cell_format {
        CELL_EMPTY,
        CELL_KEY,      /* what a person calls the object */
        CELL_TEXT,     /* a property: a string */
        CELL_COUNT,    /* how many items an array has */
        CELL_TIME,     /* µs since the epoch, 0 is none */
        CELL_SCOPE,    /* a string, empty is everything */
        CELL_SIZE,     /* the unit's size, 0 is none */
        CELL_NODES,    /* a device's nodes in /dev */
        CELL_ADAPTER,  /* a host's transport and driver */
        CELL_STATE,    /* the property, and what else is wrong with the object */
        CELL_PROGRESS, /* a job's */
        CELL_SUMMARY,  /* a job's */
};

struct cell {
        enum cell_format format;
        const char *property;
};

struct column {
        const char *title;
        int flags; /* SCOLS_FL_... */
        struct cell cells[OBJECT_KINDS];
};

/* NULL without memory. */
struct libscols_table *table_new(const struct column *columns, size_t count,
                                 const struct options *options);

static inline void table_freep(struct libscols_table **table) {
        scols_unref_table(*table);
}

/* One more line, below its parent in a tree. NULL without memory. */
struct libscols_line *table_add(struct libscols_table *table, const struct column *columns,
                                size_t count, struct libscols_line *parent,
                                const struct object *object);

/* Prints the table; one without lines not at all. */
int table_print(struct libscols_table *table);
