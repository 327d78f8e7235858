/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/cleanup.h"
#include "client/document.h"
#include "client/text.h"
#include "client/view.h"

#define LABEL_WIDTH 20

static char *text_from_bytes(uint64_t bytes) {
        _cleanup_(freep) char *size = text_from_size(bytes);
        char *text;

        if (!size)
                return NULL;
        return asprintf(&text, "%s (%lu bytes)", size, bytes) < 0 ? NULL : text;
}

/* A row of a table, such as one of Luns: its fields side by side. */
static char *text_from_row(struct json_object *row) {
        size_t size, count = json_object_array_length(row);
        char *text = NULL;
        FILE *stream = open_memstream(&text, &size);

        if (!stream)
                return NULL;
        for (size_t i = 0; i < count; i++) {
                const char *field = json_object_get_string(json_object_array_get_idx(row, i));

                if (field && *field)
                        fprintf(stream, "%s%s", ftell(stream) > 0 ? "  " : "", field);
        }
        fclose(stream);
        return text;
}

static char *text_from_string(const char *name, const char *text) {
        if (strcmp(name, "Scope") == 0)
                return strdup(text_scope(text));
        return strcmp(text, "/") == 0 ? strdup("") : path_to_key(text);
}

static char *text_from_number(const char *name, struct json_object *value) {
        uint64_t number = json_object_get_uint64(value);

        if (number > 0 && strcmp(name, "Size") == 0)
                return text_from_bytes(number);
        if (strstr(name, "Time") || strcmp(name, "LastAsked") == 0)
                return number > 0 ? text_from_time(number, false) : strdup("");
        return strdup(json_object_get_string(value));
}

/* One value, which is no list, in words. */
static char *text_from_value(const char *name, struct json_object *value) {
        switch (json_object_get_type(value)) {
        case json_type_string:
                return text_from_string(name, json_object_get_string(value));
        case json_type_int:
                return text_from_number(name, value);
        case json_type_boolean:
                return strdup(json_object_get_boolean(value) ? "yes" : "no");
        case json_type_array:
                return text_from_row(value);
        case json_type_object:
                return text_from_summary(value, true);
        default:
                return strdup(json_object_get_string(value));
        }
}

static int line_print(const char *label, const char *name, struct json_object *value, FILE *out) {
        _cleanup_(freep) char *text = text_from_value(name, value);

        if (!text)
                return -ENOMEM;
        if (*text)
                fprintf(out, "  %-*s %s\n", LABEL_WIDTH, label, text);
        else
                fprintf(out, "  %s\n", label);
        return 0;
}

/* A list takes a line for each item, the first one beside its name. */
static int property_print(const char *name, struct json_object *value, FILE *out) {
        size_t count;

        if (!json_object_is_type(value, json_type_array))
                return line_print(name, name, value, out);
        count = json_object_array_length(value);
        if (count == 0)
                fprintf(out, "  %s\n", name);
        for (size_t i = 0; i < count; i++) {
                int r = line_print(i == 0 ? name : "", name, json_object_array_get_idx(value, i),
                                   out);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int object_print(const struct object *object, const struct options *options) {
        fprintf(options->out, "%s%s %s%s\n", options->color ? text_color_sequence("bold") : "",
                kind_name(object->kind), object->key, options->color ? TEXT_COLOR_RESET : "");
        if (!json_object_is_type(object->properties, json_type_object))
                return 0;
        json_object_object_foreach(object->properties, name, value) {
                int r = property_print(name, value, options->out);

                if (r < 0)
                        return r;
        }
        return 0;
}

typedef int (*print_t)(const struct object *object, void *userdata);

static int kind_each(const struct model *model, enum object_kind kind, print_t print,
                     void *userdata) {
        size_t count;
        const struct object *objects = model_objects(model, kind, &count);
        int r = 0;

        for (size_t i = 0; i < count && r >= 0; i++)
                r = print(&objects[i], userdata);
        return r;
}

/* Those of the first kind, which may be OBJECT_KINDS, before the others. */
static int model_each(const struct model *model, enum object_kind first, print_t print,
                      void *userdata) {
        int r = first < OBJECT_KINDS ? kind_each(model, first, print, userdata) : 0;

        for (enum object_kind kind = 0; kind < OBJECT_KINDS && r >= 0; kind++)
                if (kind != first)
                        r = kind_each(model, kind, print, userdata);
        return r;
}

static int array_add(const struct object *object, void *array) {
        struct json_object *document = document_from_object(object);

        return document ? json_object_array_add(array, document) : -ENOMEM;
}

static int show_print_json(const struct model *model, enum object_kind first,
                           const struct options *options) {
        _cleanup_(json_object_putp) struct json_object *document = json_object_new_object();
        struct json_object *array = json_object_new_array();

        if (!document || !array) {
                json_object_put(array);
                return -ENOMEM;
        }
        json_object_object_add(document, "objects", array);
        if (model_each(model, first, array_add, array) < 0)
                return -ENOMEM;
        return document_print(document, options);
}

struct paragraphs {
        const struct options *options;
        bool begun;
};

static int paragraph_print(const struct object *object, void *userdata) {
        struct paragraphs *paragraphs = userdata;

        if (paragraphs->begun)
                fputc('\n', paragraphs->options->out);
        paragraphs->begun = true;
        return object_print(object, paragraphs->options);
}

int show_print(const struct model *model, enum object_kind first, const struct options *options) {
        struct paragraphs paragraphs = {.options = options};

        if (options->json)
                return show_print_json(model, first, options);
        return model_each(model, first, paragraph_print, &paragraphs);
}
