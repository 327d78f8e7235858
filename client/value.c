/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "client/cleanup.h"
#include "client/name.h"
#include "client/value.h"

union basic {
        uint8_t byte;
        int boolean; /* sd-bus reads a boolean, and a file descriptor, into an int */
        int16_t int16;
        uint16_t uint16;
        int32_t int32;
        uint32_t uint32;
        int64_t int64;
        uint64_t uint64;
        double real;
        const char *string;
};

/* As few digits as name the number: 0.8, not 0.80000000000000004. */
static struct json_object *real_to_json(double real) {
        char text[32];

        snprintf(text, sizeof(text), "%.15g", real);
        return json_object_new_double_s(real, text);
}

static struct json_object *basic_to_json(char type, const union basic *value) {
        switch (type) {
        case SD_BUS_TYPE_BYTE:
                return json_object_new_int(value->byte);
        case SD_BUS_TYPE_BOOLEAN:
                return json_object_new_boolean(value->boolean);
        case SD_BUS_TYPE_INT16:
                return json_object_new_int(value->int16);
        case SD_BUS_TYPE_UINT16:
                return json_object_new_int(value->uint16);
        case SD_BUS_TYPE_INT32:
        case SD_BUS_TYPE_UNIX_FD:
                return json_object_new_int(value->int32);
        case SD_BUS_TYPE_UINT32:
                return json_object_new_int64(value->uint32);
        case SD_BUS_TYPE_INT64:
                return json_object_new_int64(value->int64);
        case SD_BUS_TYPE_UINT64:
                return json_object_new_uint64(value->uint64);
        case SD_BUS_TYPE_DOUBLE:
                return real_to_json(value->real);
        default: /* string, object path, signature */
                return json_object_new_string(value->string);
        }
}

static int basic_read(sd_bus_message *message, char type, struct json_object **ret) {
        union basic value = {};
        int r = sd_bus_message_read_basic(message, type, &value);

        if (r < 0)
                return r;
        *ret = basic_to_json(type, &value);
        return *ret ? 1 : -ENOMEM;
}

static int entry_read(sd_bus_message *message, struct json_object *dictionary) {
        _cleanup_(json_object_putp) struct json_object *key = NULL, *value = NULL;
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(message, &type, &contents);
        if (r <= 0)
                return r;
        r = sd_bus_message_enter_container(message, type, contents);
        if (r < 0)
                return r;
        r = value_read(message, &key);
        if (r < 0)
                return r;
        r = value_read(message, &value);
        if (r < 0)
                return r;
        if (json_object_object_add(dictionary, json_object_get_string(key), value) < 0)
                return -ENOMEM;
        json_object_take(&value);
        r = sd_bus_message_exit_container(message);
        return r < 0 ? r : 1;
}

static int item_read(sd_bus_message *message, struct json_object *array) {
        _cleanup_(json_object_putp) struct json_object *value = NULL;
        int r = value_read(message, &value);

        if (r <= 0)
                return r;
        if (json_object_array_add(array, value) < 0)
                return -ENOMEM;
        json_object_take(&value);
        return 1;
}

static int path_sort(const void *left, const void *right) {
        struct json_object *const *a = left, *const *b = right;

        return path_compare(json_object_get_string(*a), json_object_get_string(*b));
}

static int items_read(sd_bus_message *message, bool entries, struct json_object **ret) {
        _cleanup_(json_object_putp) struct json_object *items = NULL;
        int r;

        items = entries ? json_object_new_object() : json_object_new_array();
        if (!items)
                return -ENOMEM;
        do {
                r = entries ? entry_read(message, items) : item_read(message, items);
        } while (r > 0);
        if (r < 0)
                return r;
        *ret = json_object_take(&items);
        return 1;
}

/* The depth of the recursion is bounded by that of D-Bus signatures. */
static int container_read(sd_bus_message *message, char type, const char *contents,
                          struct json_object **ret) {
        _cleanup_(json_object_putp) struct json_object *value = NULL;
        bool entries = type == SD_BUS_TYPE_ARRAY && contents[0] == SD_BUS_TYPE_DICT_ENTRY_BEGIN;
        int r;

        r = sd_bus_message_enter_container(message, type, contents);
        if (r < 0)
                return r;
        if (type == SD_BUS_TYPE_VARIANT)
                r = value_read(message, &value);
        else
                r = items_read(message, entries, &value);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(message);
        if (r < 0)
                return r;
        if (type == SD_BUS_TYPE_ARRAY && strcmp(contents, "o") == 0)
                json_object_array_sort(value, path_sort);
        *ret = json_object_take(&value);
        return 1;
}

int value_read(sd_bus_message *message, struct json_object **ret) {
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(message, &type, &contents);
        if (r <= 0)
                return r;
        if (contents)
                return container_read(message, type, contents, ret);
        return basic_read(message, type, ret);
}

int value_read_all(sd_bus_message *message, struct json_object **ret) {
        int r = items_read(message, false, ret);

        return r < 0 ? r : 0;
}
