/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "client/bus.h"
#include "client/cleanup.h"
#include "client/name.h"
#include "client/pages.h"
#include "client/value.h"
#include "dbus/names.h"

/* As many objects as the service gives at once. */
#define PAGE_MAX UINT32_C(1000)

/* {path: {interface: properties}}; takes the properties over. */
static int document_add(struct json_object *document, const char *path, const char *interface,
                        struct json_object *properties) {
        struct json_object *object = json_object_object_get(document, path);

        if (!object) {
                object = json_object_new_object();
                if (!object || json_object_object_add(document, path, object) < 0) {
                        json_object_put(object);
                        json_object_put(properties);
                        return -ENOMEM;
                }
        }
        if (json_object_object_add(object, interface, properties) == 0)
                return 0;
        json_object_put(properties);
        return -ENOMEM;
}

/* One page, of [[path, properties]...]. */
static int page_add(struct json_object *document, const char *interface, struct json_object *page) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < json_object_array_length(page); i++) {
                struct json_object *entry = json_object_array_get_idx(page, i);

                r = document_add(document,
                                 json_object_get_string(json_object_array_get_idx(entry, 0)),
                                 interface, json_object_get(json_object_array_get_idx(entry, 1)));
        }
        return r;
}

/* *next is the path that the page goes on behind, and then what the one after it does. */
static int page_get(sd_bus *bus, enum object_kind kind, char **next, sd_bus_error *error,
                    struct json_object *document) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_object_putp) struct json_object *page = NULL;
        const char *after;
        int r;

        r = sd_bus_call_method(bus, SCSISCAN_BUS_NAME, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY,
                               "List", error, &reply, "ssu", kind_name(kind), *next, PAGE_MAX);
        if (r < 0)
                return r;
        if (sd_bus_message_has_signature(reply, "a(oa{sv})s") <= 0)
                return -EBADMSG;
        r = value_read(reply, &page);
        if (r >= 0)
                r = page_add(document, kind_interface(kind), page);
        if (r >= 0)
                r = sd_bus_message_read_basic(reply, 's', &after);
        if (r < 0)
                return r;
        free(*next);
        *next = strdup(after);
        return *next ? 0 : -ENOMEM;
}

static int kind_get(sd_bus *bus, enum object_kind kind, sd_bus_error *error,
                    struct json_object *document) {
        _cleanup_(freep) char *next = strdup("");
        int r = next ? 0 : -ENOMEM;

        do {
                if (r >= 0)
                        r = page_get(bus, kind, &next, error, document);
        } while (r >= 0 && *next);
        return r;
}

static int root_get(sd_bus *bus, sd_bus_error *error, struct json_object *document) {
        static const char *const interfaces[] = {
                SCSISCAN_INTERFACE_SCAN,
                SCSISCAN_INTERFACE_TOPOLOGY,
                SCSISCAN_INTERFACE_HOTPLUG,
                SCSISCAN_INTERFACE_POLICY,
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(interfaces); i++) {
                struct json_object *properties;

                r = bus_get_properties(bus, SCSISCAN_PATH, interfaces[i], error, &properties);
                if (r >= 0)
                        r = document_add(document, SCSISCAN_PATH, interfaces[i], properties);
        }
        return r;
}

int pages_get_objects(sd_bus *bus, sd_bus_error *error, struct json_object **ret) {
        _cleanup_(json_object_putp) struct json_object *document = json_object_new_object();
        int r = document ? root_get(bus, error, document) : -ENOMEM;

        for (enum object_kind kind = 0; r >= 0 && kind < OBJECT_KINDS; kind++)
                r = kind_get(bus, kind, error, document);
        if (r < 0)
                return r;
        *ret = document;
        document = NULL;
        return 0;
}
