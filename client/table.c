/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/cleanup.h"
#include "client/table.h"
#include "client/text.h"

static char *cell_size(const struct object *object) {
        const struct object *unit = object->kind == OBJECT_DEVICE ? object->unit : object;
        uint64_t size = unit ? object_number(unit, "Size") : 0;

        return size ? text_from_size(size) : strdup("");
}

static char *cell_time(const struct object *object, const char *property) {
        uint64_t usec = object_number(object, property);

        return usec ? text_from_time(usec, false) : strdup("");
}

static char *cell_count(const struct object *object, const char *property) {
        struct json_object *array = object_array(object, property);
        char *text;

        return asprintf(&text, "%zu", array ? json_object_array_length(array) : 0) < 0 ? NULL
                                                                                       : text;
}

static char *cell_nodes(const struct object *object) {
        const char *block = object_string(object, "BlockDevice");
        const char *generic = object_string(object, "GenericDevice");
        char *text;

        return asprintf(&text, "%s%s%s", block, *block && *generic ? " " : "", generic) < 0 ? NULL
                                                                                            : text;
}

static char *cell_adapter(const struct object *object) {
        const char *transport = object_string(object, "Transport");
        const char *driver = object_string(object, "Driver");
        char *text;

        if (!*transport || strcmp(transport, driver) == 0)
                return strdup(driver);
        return asprintf(&text, "%s%s%s", transport, *driver ? " " : "", driver) < 0 ? NULL : text;
}

/* What else is wrong with the object, or "". */
static const char *object_trouble(const struct object *object) {
        const char *standing = object_string(object, "Standing");

        if (object_bool(object, "Stuck"))
                return "stuck";
        return strcmp(standing, "present") == 0 ? "" : standing;
}

static char *cell_state(const struct object *object, const char *property) {
        const char *state = object_string(object, property);
        const char *trouble = object_trouble(object);
        char *text;

        return asprintf(&text, "%s%s%s", state, *state && *trouble ? "," : "", trouble) < 0 ? NULL
                                                                                            : text;
}

static const char *cell_color(const struct object *object, const char *property) {
        const char *color = text_state_color(object_trouble(object));

        return color ? color : text_state_color(object_string(object, property));
}

static char *cell_progress(const struct object *object) {
        struct json_object *progress;
        char *text;

        if (!object_bool(object, "ProgressValid") ||
            !json_object_object_get_ex(object->properties, "Progress", &progress))
                return strdup("");
        return asprintf(&text, "%.0f%%", 100 * json_object_get_double(progress)) < 0 ? NULL : text;
}

static char *cell_summary(const struct object *object, const char *property) {
        struct json_object *summary = NULL;

        json_object_object_get_ex(object->properties, property, &summary);
        return text_from_summary(summary, false);
}

static char *cell_text(const struct object *object, const struct cell *cell) {
        switch (cell->format) {
        case CELL_EMPTY:
                return strdup("");
        case CELL_KEY:
                return strdup(object->key);
        case CELL_TEXT:
                return strdup(object_string(object, cell->property));
        case CELL_COUNT:
                return cell_count(object, cell->property);
        case CELL_TIME:
                return cell_time(object, cell->property);
        case CELL_SCOPE:
                return strdup(text_scope(object_string(object, cell->property)));
        case CELL_SIZE:
                return cell_size(object);
        case CELL_NODES:
                return cell_nodes(object);
        case CELL_ADAPTER:
                return cell_adapter(object);
        case CELL_STATE:
                return cell_state(object, cell->property);
        case CELL_PROGRESS:
                return cell_progress(object);
        case CELL_SUMMARY:
                return cell_summary(object, cell->property);
        }
        return NULL;
}

/* Headings are underlined, as systemd's are. */
static int column_add(struct libscols_table *table, const struct column *column, bool color) {
        struct libscols_column *added =
                scols_table_new_column(table, column->title, 0, column->flags);

        if (!added)
                return -ENOMEM;
        return color ? scols_cell_set_color(scols_column_get_header(added),
                                            text_color_sequence("underline"))
                     : 0;
}

struct libscols_table *table_new(const struct column *columns, size_t count,
                                 const struct options *options) {
        struct libscols_table *table = scols_new_table();

        if (!table)
                return NULL;
        scols_table_set_stream(table, options->out);
        scols_table_enable_noheadings(table, !options->legend);
        scols_table_enable_colors(table, options->color);
        /* A long line is the terminal's to wrap: half an identity is of no use to anybody. */
        scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
        for (size_t i = 0; i < count; i++)
                if (column_add(table, &columns[i], options->color) < 0) {
                        scols_unref_table(table);
                        return NULL;
                }
        return table;
}

static int line_fill(struct libscols_line *line, size_t index, const struct cell *cell,
                     const struct object *object) {
        _cleanup_(freep) char *text = cell_text(object, cell);

        if (!text || scols_line_set_data(line, index, text) < 0)
                return -ENOMEM;
        if (cell->format == CELL_STATE)
                scols_cell_set_color(scols_line_get_cell(line, index),
                                     cell_color(object, cell->property));
        return 0;
}

struct libscols_line *table_add(struct libscols_table *table, const struct column *columns,
                                size_t count, struct libscols_line *parent,
                                const struct object *object) {
        struct libscols_line *line = scols_table_new_line(table, parent);

        for (size_t i = 0; line && i < count; i++)
                if (line_fill(line, i, &columns[i].cells[object->kind], object) < 0)
                        return NULL;
        return line;
}

int table_print(struct libscols_table *table) {
        return scols_table_is_empty(table) ? 0 : scols_print_table(table);
}
