/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/cleanup.h"
#include "client/model.h"
#include "dbus/names.h"

struct model {
        struct json_object *document;
        struct object *objects; /* by kind, and in a kind in order */
        size_t count;
        size_t first[OBJECT_KINDS + 1]; /* of each kind in objects */
        struct object *by_path;
};

static int object_compare(const void *left, const void *right) {
        const struct object *a = left, *b = right;

        if (a->kind != b->kind)
                return a->kind < b->kind ? -1 : 1;
        for (size_t i = 0; i < ELEMENTS_OF(a->numbers); i++)
                if (a->numbers[i] != b->numbers[i])
                        return a->numbers[i] < b->numbers[i] ? -1 : 1;
        return strcmp(a->key, b->key);
}

/* Fills the next object if this is one: 0, also if it is none, or -ENOMEM. */
static int model_add(struct model *model, const char *path, struct json_object *interfaces) {
        struct object *object = &model->objects[model->count];

        if (path_parse(path, &object->kind, object->numbers) < 0)
                return 0;
        if (!json_object_object_get_ex(interfaces, kind_interface(object->kind),
                                       &object->properties))
                return 0;
        object->path = path;
        object->key = path_to_key(path);
        if (!object->key)
                return -ENOMEM;
        model->count++;
        return 0;
}

static int model_fill(struct model *model) {
        size_t length = (size_t)json_object_object_length(model->document);

        if (length > MODEL_OBJECTS_MAX)
                return -E2BIG;
        model->objects = calloc(length + 1, sizeof(*model->objects));
        if (!model->objects)
                return -ENOMEM;
        json_object_object_foreach(model->document, path, interfaces) {
                int r = model_add(model, path, interfaces);

                if (r < 0)
                        return r;
        }
        qsort(model->objects, model->count, sizeof(*model->objects), object_compare);
        return 0;
}

static void model_index(struct model *model) {
        size_t i = 0;

        for (enum object_kind kind = 0; kind <= OBJECT_KINDS; kind++) {
                model->first[kind] = i;
                for (; i < model->count && model->objects[i].kind == kind; i++) {
                        struct object *object = &model->objects[i];

                        object->index = i - model->first[kind];
                        HASH_ADD_KEYPTR(hh, model->by_path, object->path, strlen(object->path),
                                        object);
                }
        }
}

static const struct object *model_follow(const struct model *model, const struct object *object,
                                         const char *property, enum object_kind kind) {
        const struct object *found = model_find(model, object_string(object, property));

        return found && found->kind == kind ? found : NULL;
}

static void model_link(struct model *model) {
        for (size_t i = 0; i < model->count; i++) {
                struct object *object = &model->objects[i];

                if (object->kind == OBJECT_DEVICE) {
                        object->unit = model_follow(model, object, "Unit", OBJECT_UNIT);
                        object->parent = model_follow(model, object, "Target", OBJECT_TARGET);
                }
                if (!object->parent && object->kind <= OBJECT_DEVICE)
                        object->parent = model_follow(model, object, "Host", OBJECT_HOST);
        }
}

int model_new(struct json_object *document, struct model **ret) {
        _cleanup_(model_freep) struct model *model = calloc(1, sizeof(*model));
        int r;

        if (!model)
                return -ENOMEM;
        model->document = json_object_get(document);
        r = model_fill(model);
        if (r < 0)
                return r;
        model_index(model);
        model_link(model);
        *ret = model;
        model = NULL;
        return 0;
}

void model_free(struct model *model) {
        if (!model)
                return;
        HASH_CLEAR(hh, model->by_path);
        for (size_t i = 0; i < model->count; i++)
                free(model->objects[i].key);
        free(model->objects);
        json_object_put(model->document);
        free(model);
}

const struct object *model_objects(const struct model *model, enum object_kind kind,
                                   size_t *ret_count) {
        *ret_count = model->first[kind + 1] - model->first[kind];
        return model->objects + model->first[kind];
}

const struct object *model_find(const struct model *model, const char *path) {
        struct object *object;

        HASH_FIND_STR(model->by_path, path, object);
        return object;
}

struct json_object *model_root_property(const struct model *model, const char *interface,
                                        const char *property) {
        struct json_object *value;

        if (json_object_object_get_ex(model->document, SCSISCAN_PATH, &value) &&
            json_object_object_get_ex(value, interface, &value) &&
            json_object_object_get_ex(value, property, &value))
                return value;
        return NULL;
}

static struct json_object *object_get(const struct object *object, const char *property,
                                      enum json_type type) {
        struct json_object *value;

        if (json_object_object_get_ex(object->properties, property, &value) &&
            json_object_is_type(value, type))
                return value;
        return NULL;
}

const char *object_string(const struct object *object, const char *property) {
        struct json_object *value = object_get(object, property, json_type_string);

        return value ? json_object_get_string(value) : "";
}

uint64_t object_number(const struct object *object, const char *property) {
        struct json_object *value = object_get(object, property, json_type_int);

        return value ? json_object_get_uint64(value) : 0;
}

bool object_bool(const struct object *object, const char *property) {
        struct json_object *value = object_get(object, property, json_type_boolean);

        return value && json_object_get_boolean(value);
}

struct json_object *object_array(const struct object *object, const char *property) {
        return object_get(object, property, json_type_array);
}
