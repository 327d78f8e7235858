/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "client/cleanup.h"
#include "client/document.h"
#include "client/table.h"
#include "client/view.h"
#include "dbus/names.h"

static const struct column topology_columns[] = {
        {"DEVICE",
         SCOLS_FL_TREE,
         {[OBJECT_HOST] = {CELL_KEY, NULL},
          [OBJECT_TARGET] = {CELL_KEY, NULL},
          [OBJECT_DEVICE] = {CELL_KEY, NULL}}},
        {"TYPE", 0, {[OBJECT_HOST] = {CELL_ADAPTER, NULL}, [OBJECT_DEVICE] = {CELL_TEXT, "Type"}}},
        {"SIZE", SCOLS_FL_RIGHT, {[OBJECT_DEVICE] = {CELL_SIZE, NULL}}},
        {"MODEL", 0, {[OBJECT_DEVICE] = {CELL_TEXT, "Model"}}},
        {"REV", 0, {[OBJECT_DEVICE] = {CELL_TEXT, "Revision"}}},
        {"NODES", 0, {[OBJECT_DEVICE] = {CELL_NODES, NULL}}},
        {"STATE",
         0,
         {[OBJECT_HOST] = {CELL_STATE, "State"},
          [OBJECT_TARGET] = {CELL_STATE, "PortState"},
          [OBJECT_DEVICE] = {CELL_STATE, "State"}}},
        {"IDENTITY",
         0,
         {[OBJECT_HOST] = {CELL_TEXT, "PortName"},
          [OBJECT_TARGET] = {CELL_TEXT, "PortName"},
          [OBJECT_DEVICE] = {CELL_TEXT, "Identity"}}},
};

static const struct column unit_columns[] = {
        {"UNIT",
         SCOLS_FL_TREE,
         {[OBJECT_UNIT] = {CELL_KEY, NULL}, [OBJECT_DEVICE] = {CELL_KEY, NULL}}},
        {"TYPE", 0, {[OBJECT_UNIT] = {CELL_TEXT, "Type"}}},
        {"SIZE", SCOLS_FL_RIGHT, {[OBJECT_UNIT] = {CELL_SIZE, NULL}}},
        {"MODEL", 0, {[OBJECT_UNIT] = {CELL_TEXT, "Model"}}},
        {"SERIAL", 0, {[OBJECT_UNIT] = {CELL_TEXT, "Serial"}}},
        {"NODES", 0, {[OBJECT_DEVICE] = {CELL_NODES, NULL}}},
        {"STATE", 0, {[OBJECT_DEVICE] = {CELL_STATE, "State"}}},
};

/* The lines (or JSON objects) of the objects in the model, by kind and index. */
struct places {
        void **of[OBJECT_KINDS];
};

static void places_done(struct places *places) {
        for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++)
                free(places->of[kind]);
}

static int places_init(struct places *places, const struct model *model) {
        for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++) {
                size_t count;

                model_objects(model, kind, &count);
                places->of[kind] = calloc(count + 1, sizeof(void *));
                if (!places->of[kind])
                        return -ENOMEM;
        }
        return 0;
}

static void *place_of(const struct places *places, const struct object *object) {
        return object ? places->of[object->kind][object->index] : NULL;
}

/* An object whose parent the service did not tell of stands at the root. */
static int topology_print(const struct model *model, const struct options *options) {
        const size_t columns = ELEMENTS_OF(topology_columns);
        _cleanup_(table_freep) struct libscols_table *table = NULL;
        _cleanup_(places_done) struct places places = {};

        table = table_new(topology_columns, columns, options);
        if (!table || places_init(&places, model) < 0)
                return -ENOMEM;
        for (enum object_kind kind = OBJECT_HOST; kind <= OBJECT_DEVICE; kind++) {
                size_t count;
                const struct object *objects = model_objects(model, kind, &count);

                for (size_t i = 0; i < count; i++) {
                        places.of[kind][i] =
                                table_add(table, topology_columns, columns,
                                          place_of(&places, objects[i].parent), &objects[i]);
                        if (!places.of[kind][i])
                                return -ENOMEM;
                }
        }
        return table_print(table);
}

static int units_print(const struct model *model, const struct options *options) {
        const size_t columns = ELEMENTS_OF(unit_columns);
        _cleanup_(table_freep) struct libscols_table *table = NULL;
        _cleanup_(places_done) struct places places = {};
        const struct object *objects;
        size_t count;

        table = table_new(unit_columns, columns, options);
        if (!table || places_init(&places, model) < 0)
                return -ENOMEM;
        objects = model_objects(model, OBJECT_UNIT, &count);
        for (size_t i = 0; i < count; i++) {
                places.of[OBJECT_UNIT][i] =
                        table_add(table, unit_columns, columns, NULL, &objects[i]);
                if (!places.of[OBJECT_UNIT][i])
                        return -ENOMEM;
        }
        if (count > 0)
                fputc('\n', options->out);
        objects = model_objects(model, OBJECT_DEVICE, &count);
        for (size_t i = 0; i < count; i++)
                if (objects[i].unit && !table_add(table, unit_columns, columns,
                                                  place_of(&places, objects[i].unit), &objects[i]))
                        return -ENOMEM;
        return table_print(table);
}

/* The array of that name in a JSON object. What a target says of its devices by name gives way
 * to the devices themselves. */
static struct json_object *array_in(struct json_object *document, const char *name) {
        struct json_object *array;

        if (json_object_object_get_ex(document, name, &array) &&
            (json_object_array_length(array) == 0 ||
             json_object_is_type(json_object_array_get_idx(array, 0), json_type_object)))
                return array;
        array = json_object_new_array();
        if (array)
                json_object_object_add(document, name, array);
        return array;
}

static int document_add_kind(struct json_object *document, const struct model *model,
                             enum object_kind kind, struct places *places) {
        size_t count;
        const struct object *objects = model_objects(model, kind, &count);

        for (size_t i = 0; i < count; i++) {
                struct json_object *parent = place_of(places, objects[i].parent);
                struct json_object *array, *item;

                array = array_in(parent ? parent : document, kind_plural(kind));
                item = document_from_object(&objects[i]);
                if (!array || !item) {
                        json_object_put(item);
                        return -ENOMEM;
                }
                json_object_array_add(array, item);
                places->of[kind][i] = item;
        }
        return 0;
}

static void document_add_root(struct json_object *document, const struct model *model,
                              const char *property, const char *name) {
        struct json_object *value =
                model_root_property(model, SCSISCAN_INTERFACE_TOPOLOGY, property);

        if (value)
                json_object_object_add(document, name, json_object_get(value));
}

static int tree_print_json(const struct model *model, const struct options *options) {
        _cleanup_(json_object_putp) struct json_object *document = json_object_new_object();
        _cleanup_(places_done) struct places places = {};

        if (!document || places_init(&places, model) < 0)
                return -ENOMEM;
        document_add_root(document, model, "Generation", "generation");
        document_add_root(document, model, "Ready", "ready");
        if (!array_in(document, "hosts") || !array_in(document, "units"))
                return -ENOMEM;
        for (enum object_kind kind = OBJECT_HOST; kind <= OBJECT_UNIT; kind++) {
                int r = document_add_kind(document, model, kind, &places);

                if (r < 0)
                        return r;
        }
        return document_print(document, options);
}

int tree_print(const struct model *model, const struct options *options) {
        int r;

        if (options->json)
                return tree_print_json(model, options);
        r = topology_print(model, options);
        return r < 0 ? r : units_print(model, options);
}
