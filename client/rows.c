/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "client/cleanup.h"
#include "client/document.h"
#include "client/rows.h"
#include "client/text.h"

struct json_object *rows_field(struct json_object *row, size_t index) {
        return json_object_is_type(row, json_type_array) ? json_object_array_get_idx(row, index)
                                                         : NULL;
}

struct json_object *rows_document(const char *const members[ROWS_FIELDS], struct json_object *row) {
        struct json_object *document = json_object_new_object();

        for (size_t i = 0; document && i < ROWS_FIELDS; i++)
                json_object_object_add(document, members[i], json_object_get(rows_field(row, i)));
        return document;
}

static int rows_print_json(const struct rows_form *form, struct json_object *rows,
                           const struct options *options) {
        _cleanup_(json_object_putp) struct json_object *document = json_object_new_object();
        struct json_object *array = json_object_new_array();

        if (!document || !array) {
                json_object_put(array);
                return -ENOMEM;
        }
        json_object_object_add(document, form->name, array);
        for (size_t i = 0; i < json_object_array_length(rows); i++) {
                struct json_object *row =
                        rows_document(form->members, json_object_array_get_idx(rows, i));

                if (!row)
                        return -ENOMEM;
                json_object_array_add(array, row);
        }
        return document_print(document, options);
}

/* A rule's keys are a line each, and this is to be one. */
static char *line_of(const char *text) {
        size_t length = strlen(text);
        char *line = malloc(2 * length + 1), *out = line;

        if (!line)
                return NULL;
        for (const char *at = text; *at; at++) {
                if (*at != '\n') {
                        *out++ = *at;
                } else if (at[1]) {
                        *out++ = ';';
                        *out++ = ' ';
                }
        }
        *out = '\0';
        return line;
}

static int row_color(struct libscols_line *line, const struct rows_form *form,
                     struct json_object *row) {
        const char *field = json_object_get_string(rows_field(row, form->color_field));
        const char *color = form->color && field ? form->color(field) : NULL;

        return color ? scols_cell_set_color(scols_line_get_cell(line, form->color_field),
                                            text_color_sequence(color))
                     : 0;
}

static int row_add(struct libscols_table *table, const struct rows_form *form,
                   struct json_object *row) {
        struct libscols_line *line = scols_table_new_line(table, NULL);

        if (!line)
                return -ENOMEM;
        for (size_t i = 0; i < ROWS_FIELDS; i++) {
                const char *field = json_object_get_string(rows_field(row, i));
                _cleanup_(freep) char *text = line_of(field ? field : "");

                if (!text || scols_line_set_data(line, i, text) < 0)
                        return -ENOMEM;
        }
        return row_color(line, form, row);
}

int rows_print(const struct rows_form *form, struct json_object *rows,
               const struct options *options) {
        _cleanup_(table_freep) struct libscols_table *table = NULL;
        int r = 0;

        if (!json_object_is_type(rows, json_type_array))
                return -EBADMSG;
        if (options->json)
                return rows_print_json(form, rows, options);
        if (json_object_array_length(rows) == 0)
                fprintf(stderr, "scsictl: %s\n", form->nothing);
        table = table_new(form->columns, ROWS_FIELDS, options);
        if (!table)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < json_object_array_length(rows); i++)
                r = row_add(table, form, json_object_array_get_idx(rows, i));
        return r < 0 ? r : table_print(table);
}
