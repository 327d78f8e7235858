/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers that are lists of three texts each: a table for people, an array of objects in JSON. */

#include <json-c/json.h>

#include "client/options.h"
#include "client/table.h"

#define ROWS_FIELDS 3

struct rows_form {
        const char *name; /* of the array in JSON */
        const char *members[ROWS_FIELDS];
        struct column columns[ROWS_FIELDS];
        const char *nothing; /* for a person, where there are none */
        size_t color_field;
        const char *(*color)(const char *text); /* what that field deserves; NULL for no colours */
};

/* The text of that number; NULL if the row has none. */
struct json_object *rows_field(struct json_object *row, size_t index);
/* The row as an object. NULL without memory. */
struct json_object *rows_document(const char *const members[ROWS_FIELDS], struct json_object *row);
/* -EBADMSG: they are none. */
int rows_print(const struct rows_form *form, struct json_object *rows,
               const struct options *options);
