/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/cleanup.h"
#include "client/document.h"
#include "dbus/names.h"

/* "LunHex" -> "lun_hex", "StartedByUID" -> "started_by_uid" */
static char *snake_case(const char *name) {
        char *snake = malloc(2 * strlen(name) + 1), *out = snake;

        if (!snake)
                return NULL;
        for (size_t i = 0; name[i]; i++) {
                bool upper = isupper((unsigned char)name[i]);
                bool starts = i > 0 && (islower((unsigned char)name[i - 1]) ||
                                        islower((unsigned char)name[i + 1]));

                if (upper && starts)
                        *out++ = '_';
                *out++ = (char)tolower((unsigned char)name[i]);
        }
        *out = '\0';
        return snake;
}

static bool property_is_reference(const char *name) {
        static const char *const names[] = {"Host", "Target", "Unit", "Devices", "Objects"};

        for (size_t i = 0; i < ELEMENTS_OF(names); i++)
                if (strcmp(names[i], name) == 0)
                        return true;
        return false;
}

/* null for the path that stands for no object; NULL is also JSON's null in json-c. */
static struct json_object *reference_convert(struct json_object *path) {
        const char *text = json_object_get_string(path);
        _cleanup_(freep) char *key = NULL;

        if (!json_object_is_type(path, json_type_string))
                return json_object_get(path);
        if (strcmp(text, SCSISCAN_PATH_NONE) == 0)
                return NULL;
        key = path_to_key(text);
        return key ? json_object_new_string(key) : NULL;
}

struct json_object *document_from_reference(struct json_object *value) {
        struct json_object *keys;

        if (!json_object_is_type(value, json_type_array))
                return reference_convert(value);
        keys = json_object_new_array();
        for (size_t i = 0; keys && i < json_object_array_length(value); i++)
                json_object_array_add(keys, reference_convert(json_object_array_get_idx(value, i)));
        return keys;
}

static int properties_convert(struct json_object *properties, struct json_object *document) {
        json_object_object_foreach(properties, name, value) {
                _cleanup_(freep) char *snake = snake_case(name);

                if (!snake)
                        return -ENOMEM;
                value = property_is_reference(name) ? document_from_reference(value)
                                                    : json_object_get(value);
                json_object_object_add(document, snake, value);
        }
        return 0;
}

struct json_object *document_from_properties(struct json_object *properties) {
        struct json_object *document = json_object_new_object();

        if (document && json_object_is_type(properties, json_type_object) &&
            properties_convert(properties, document) < 0) {
                json_object_put(document);
                return NULL;
        }
        return document;
}

static struct json_object *number_or_null(const struct object *object, const char *property) {
        uint64_t number = object ? object_number(object, property) : 0;

        return number ? json_object_new_uint64(number) : NULL;
}

struct json_object *document_from_object(const struct object *object) {
        struct json_object *document = json_object_new_object();

        if (!document)
                return NULL;
        json_object_object_add(document, "kind", json_object_new_string(kind_name(object->kind)));
        json_object_object_add(document, "key", json_object_new_string(object->key));
        json_object_object_add(document, "path", json_object_new_string(object->path));
        if (object->kind == OBJECT_DEVICE) {
                json_object_object_add(document, "size", number_or_null(object->unit, "Size"));
                json_object_object_add(document, "block_size",
                                       number_or_null(object->unit, "BlockSize"));
        }
        if (json_object_is_type(object->properties, json_type_object) &&
            properties_convert(object->properties, document) < 0) {
                json_object_put(document);
                return NULL;
        }
        return document;
}

static int print(struct json_object *document, int flags, const struct options *options) {
        const char *text =
                json_object_to_json_string_ext(document, flags | JSON_C_TO_STRING_NOSLASHESCAPE);

        if (!text)
                return -ENOMEM;
        fprintf(options->out, "%s\n", text);
        return 0;
}

int document_print(struct json_object *document, const struct options *options) {
        return print(document, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_PRETTY, options);
}

int document_print_line(struct json_object *document, const struct options *options) {
        int r = print(document, JSON_C_TO_STRING_PLAIN, options);

        fflush(options->out);
        return r;
}
