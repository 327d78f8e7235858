/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/bus.h"
#include "client/cleanup.h"
#include "client/model.h"
#include "client/verbs.h"
#include "client/view.h"
#include "dbus/names.h"

static enum status model_fail(int r) {
        if (r != -E2BIG)
                return bus_fail(NULL, r);
        fprintf(stderr, "scsictl: the service tells of more than %d objects\n", MODEL_OBJECTS_MAX);
        return STATUS_FAILED;
}

static void model_warn(const struct model *model) {
        struct json_object *ready =
                model_root_property(model, SCSISCAN_INTERFACE_TOPOLOGY, "Ready");

        if (ready && !json_object_get_boolean(ready))
                fprintf(stderr, "scsictl: the first pass over the machine is not complete yet\n");
}

/* The object at the root is not among those that the ObjectManager lists. */
static int root_fetch(sd_bus *bus, struct json_object *document, sd_bus_error *error) {
        struct json_object *properties = NULL, *interfaces;
        int r = bus_get_properties(bus, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY, error,
                                   &properties);

        if (r < 0)
                return r;
        interfaces = json_object_new_object();
        if (!interfaces) {
                json_object_put(properties);
                return -ENOMEM;
        }
        json_object_object_add(interfaces, SCSISCAN_INTERFACE_TOPOLOGY, properties);
        return json_object_object_add(document, SCSISCAN_PATH, interfaces) < 0 ? -ENOMEM : 0;
}

static enum status model_get(sd_bus *bus, struct model **ret) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_putp) struct json_object *document = NULL;
        int r;

        r = bus_get_objects(bus, &error, &document);
        if (r >= 0)
                r = root_fetch(bus, document, &error);
        if (r < 0)
                return bus_fail(&error, r);
        r = model_new(document, ret);
        if (r < 0)
                return model_fail(r);
        model_warn(*ret);
        return STATUS_OK;
}

/* An empty table would leave a person guessing. */
static void kind_warn(const struct model *model, enum object_kind kind,
                      const struct options *options) {
        size_t count;

        model_objects(model, kind, &count);
        if (count == 0 && !options->json)
                fprintf(stderr, "scsictl: there are no %s\n", kind_plural(kind));
}

enum status tree_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        _cleanup_(model_freep) struct model *model = NULL;
        enum status status = model_get(bus, &model);
        int r;

        if (status != STATUS_OK)
                return status;
        kind_warn(model, OBJECT_HOST, options);
        r = tree_print(model, options);
        return r < 0 ? model_fail(r) : STATUS_OK;
}

enum status list_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        _cleanup_(model_freep) struct model *model = NULL;
        enum object_kind kind = OBJECT_DEVICE;
        enum status status;
        int r;

        if (arguments[0] && kind_from_plural(arguments[0], &kind) < 0) {
                fprintf(stderr,
                        "scsictl: list takes hosts, targets, devices, units or jobs, not '%s'\n",
                        arguments[0]);
                return STATUS_USAGE;
        }
        status = model_get(bus, &model);
        if (status != STATUS_OK)
                return status;
        kind_warn(model, kind, options);
        r = list_print(model, kind, options);
        return r < 0 ? model_fail(r) : STATUS_OK;
}

/* Adds one object to the document, and to a device its unit, which knows the size. */
static int document_fetch(sd_bus *bus, const char *path, struct json_object *document,
                          sd_bus_error *error) {
        _cleanup_(json_object_putp) struct json_object *properties = NULL, *interfaces = NULL;
        struct json_object *unit;
        enum object_kind kind;
        uint64_t numbers[4];
        int r;

        if (path_parse(path, &kind, numbers) < 0 || json_object_object_get_ex(document, path, NULL))
                return 0;
        r = bus_get_properties(bus, path, kind_interface(kind), error, &properties);
        if (r < 0)
                return r;
        interfaces = json_object_new_object();
        if (!interfaces)
                return -ENOMEM;
        json_object_object_add(interfaces, kind_interface(kind), json_object_get(properties));
        json_object_object_add(document, path, json_object_take(&interfaces));
        if (kind != OBJECT_DEVICE || !json_object_object_get_ex(properties, "Unit", &unit))
                return 0;
        return document_fetch(bus, json_object_get_string(unit), document, error);
}

static enum object_kind kind_at(struct json_object *paths, size_t index) {
        const char *path = json_object_get_string(json_object_array_get_idx(paths, index));
        enum object_kind kind;
        uint64_t numbers[4];

        return path && path_parse(path, &kind, numbers) == 0 ? kind : OBJECT_KINDS;
}

/* The kind of what was asked for. The paths are in order of their kinds, so that nothing but an
 * identity gives devices at first and at last a unit. */
static enum object_kind kind_asked(struct json_object *paths) {
        size_t count = json_object_array_length(paths);
        enum object_kind first = kind_at(paths, 0), last = kind_at(paths, count - 1);

        return first == OBJECT_DEVICE && last == OBJECT_UNIT ? last : first;
}

enum status show_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_putp) struct json_object *paths = NULL, *document = NULL;
        _cleanup_(model_freep) struct model *model = NULL;
        int r;

        document = json_object_new_object();
        r = document ? bus_find(bus, arguments[0], &error, &paths) : -ENOMEM;
        if (r < 0)
                return bus_fail(&error, r);
        for (size_t i = 0; i < json_object_array_length(paths); i++) {
                const char *path = json_object_get_string(json_object_array_get_idx(paths, i));

                r = document_fetch(bus, path, document, &error);
                if (r < 0)
                        return bus_fail(&error, r);
        }
        r = model_new(document, &model);
        if (r >= 0)
                r = show_print(model, kind_asked(paths), options);
        return r < 0 ? model_fail(r) : STATUS_OK;
}
