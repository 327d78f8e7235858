/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "client/cleanup.h"
#include "client/document.h"
#include "client/table.h"
#include "client/view.h"

static const struct column host_columns[] = {
        {"HOST", 0, {[OBJECT_HOST] = {CELL_KEY, NULL}}},
        {"DRIVER", 0, {[OBJECT_HOST] = {CELL_TEXT, "Driver"}}},
        {"TRANSPORT", 0, {[OBJECT_HOST] = {CELL_TEXT, "Transport"}}},
        {"STATE", 0, {[OBJECT_HOST] = {CELL_STATE, "State"}}},
        {"DISCOVERY", 0, {[OBJECT_HOST] = {CELL_TEXT, "Discovery"}}},
        {"PORT", 0, {[OBJECT_HOST] = {CELL_TEXT, "PortName"}}},
};

static const struct column target_columns[] = {
        {"TARGET", 0, {[OBJECT_TARGET] = {CELL_KEY, NULL}}},
        {"TRANSPORT", 0, {[OBJECT_TARGET] = {CELL_TEXT, "Transport"}}},
        {"STATE", 0, {[OBJECT_TARGET] = {CELL_STATE, "PortState"}}},
        {"LUNS", SCOLS_FL_RIGHT, {[OBJECT_TARGET] = {CELL_COUNT, "Luns"}}},
        {"DEVICES", SCOLS_FL_RIGHT, {[OBJECT_TARGET] = {CELL_COUNT, "Devices"}}},
        {"ASKED", 0, {[OBJECT_TARGET] = {CELL_TIME, "LastAsked"}}},
        {"PORT", 0, {[OBJECT_TARGET] = {CELL_TEXT, "PortName"}}},
};

static const struct column device_columns[] = {
        {"DEVICE", 0, {[OBJECT_DEVICE] = {CELL_KEY, NULL}}},
        {"TYPE", 0, {[OBJECT_DEVICE] = {CELL_TEXT, "Type"}}},
        {"SIZE", SCOLS_FL_RIGHT, {[OBJECT_DEVICE] = {CELL_SIZE, NULL}}},
        {"VENDOR", 0, {[OBJECT_DEVICE] = {CELL_TEXT, "Vendor"}}},
        {"MODEL", 0, {[OBJECT_DEVICE] = {CELL_TEXT, "Model"}}},
        {"REV", 0, {[OBJECT_DEVICE] = {CELL_TEXT, "Revision"}}},
        {"BLOCK", 0, {[OBJECT_DEVICE] = {CELL_TEXT, "BlockDevice"}}},
        {"GENERIC", 0, {[OBJECT_DEVICE] = {CELL_TEXT, "GenericDevice"}}},
        {"STATE", 0, {[OBJECT_DEVICE] = {CELL_STATE, "State"}}},
        {"IDENTITY", 0, {[OBJECT_DEVICE] = {CELL_TEXT, "Identity"}}},
};

static const struct column unit_columns[] = {
        {"UNIT", 0, {[OBJECT_UNIT] = {CELL_KEY, NULL}}},
        {"TYPE", 0, {[OBJECT_UNIT] = {CELL_TEXT, "Type"}}},
        {"SIZE", SCOLS_FL_RIGHT, {[OBJECT_UNIT] = {CELL_SIZE, NULL}}},
        {"VENDOR", 0, {[OBJECT_UNIT] = {CELL_TEXT, "Vendor"}}},
        {"MODEL", 0, {[OBJECT_UNIT] = {CELL_TEXT, "Model"}}},
        {"REV", 0, {[OBJECT_UNIT] = {CELL_TEXT, "Revision"}}},
        {"SERIAL", 0, {[OBJECT_UNIT] = {CELL_TEXT, "Serial"}}},
        {"PATHS", SCOLS_FL_RIGHT, {[OBJECT_UNIT] = {CELL_COUNT, "Devices"}}},
};

static const struct column job_columns[] = {
        {"JOB", 0, {[OBJECT_JOB] = {CELL_KEY, NULL}}},
        {"OPERATION", 0, {[OBJECT_JOB] = {CELL_TEXT, "Operation"}}},
        {"SCOPE", 0, {[OBJECT_JOB] = {CELL_SCOPE, "Scope"}}},
        {"CAUSE", 0, {[OBJECT_JOB] = {CELL_TEXT, "Cause"}}},
        {"STARTED", 0, {[OBJECT_JOB] = {CELL_TIME, "StartTime"}}},
        {"STATE", 0, {[OBJECT_JOB] = {CELL_STATE, "State"}}},
        {"DONE", SCOLS_FL_RIGHT, {[OBJECT_JOB] = {CELL_PROGRESS, NULL}}},
        {"SUMMARY", 0, {[OBJECT_JOB] = {CELL_SUMMARY, "Summary"}}},
};

static const struct {
        const struct column *columns;
        size_t count;
} lists[OBJECT_KINDS] = {
        [OBJECT_HOST] = {host_columns, ELEMENTS_OF(host_columns)},
        [OBJECT_TARGET] = {target_columns, ELEMENTS_OF(target_columns)},
        [OBJECT_DEVICE] = {device_columns, ELEMENTS_OF(device_columns)},
        [OBJECT_UNIT] = {unit_columns, ELEMENTS_OF(unit_columns)},
        [OBJECT_JOB] = {job_columns, ELEMENTS_OF(job_columns)},
};

static int list_print_json(const struct object *objects, size_t count, const char *name,
                           const struct options *options) {
        _cleanup_(json_object_putp) struct json_object *document = json_object_new_object();
        struct json_object *array = json_object_new_array();

        if (!document || !array) {
                json_object_put(array);
                return -ENOMEM;
        }
        json_object_object_add(document, name, array);
        for (size_t i = 0; i < count; i++) {
                struct json_object *item = document_from_object(&objects[i]);

                if (!item)
                        return -ENOMEM;
                json_object_array_add(array, item);
        }
        return document_print(document, options);
}

int list_print(const struct model *model, enum object_kind kind, const struct options *options) {
        _cleanup_(table_freep) struct libscols_table *table = NULL;
        size_t count;
        const struct object *objects = model_objects(model, kind, &count);

        if (options->json)
                return list_print_json(objects, count, kind_plural(kind), options);
        table = table_new(lists[kind].columns, lists[kind].count, options);
        if (!table)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                if (!table_add(table, lists[kind].columns, lists[kind].count, NULL, &objects[i]))
                        return -ENOMEM;
        return table_print(table);
}
