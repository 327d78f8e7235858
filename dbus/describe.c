/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <string.h>

#include "dbus/describe.h"

static int append_property(sd_bus_message *message, const sd_bus_vtable *property, void *object) {
        const char *name = property->x.property.member;
        const char *signature = property->x.property.signature;
        int r = sd_bus_message_open_container(message, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append_basic(message, 's', name);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'v', signature);
        if (r >= 0)
                r = property->x.property.get(NULL, NULL, NULL, name, message, object, NULL);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static bool is_property(const sd_bus_vtable *entry) {
        return entry->type == _SD_BUS_VTABLE_PROPERTY ||
               entry->type == _SD_BUS_VTABLE_WRITABLE_PROPERTY;
}

int describe_all(sd_bus_message *message, const sd_bus_vtable *vtable, void *object) {
        const sd_bus_vtable *entry;
        int r = sd_bus_message_open_container(message, 'a', "{sv}");

        for (entry = vtable; r >= 0 && entry->type != _SD_BUS_VTABLE_END; entry++)
                if (is_property(entry))
                        r = append_property(message, entry, object);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static const sd_bus_vtable *property_find(const sd_bus_vtable *vtable, const char *name) {
        const sd_bus_vtable *entry = vtable;

        while (!is_property(entry) || strcmp(entry->x.property.member, name) != 0) {
                assert(entry->type != _SD_BUS_VTABLE_END);
                entry++;
        }
        return entry;
}

int describe_some(sd_bus_message *message, const struct object_face *face, void *object,
                  uint32_t mask) {
        const struct property_bit *property;
        int r = sd_bus_message_open_container(message, 'a', "{sv}");

        for (property = face->properties; r >= 0 && property->name; property++)
                if (mask & property->bit)
                        r = append_property(message, property_find(face->vtable, property->name),
                                            object);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

int describe_interface(sd_bus_message *message, const char *interface, const sd_bus_vtable *vtable,
                       void *object) {
        int r = sd_bus_message_open_container(message, 'e', "sa{sv}");

        if (r >= 0)
                r = sd_bus_message_append_basic(message, 's', interface);
        if (r >= 0)
                r = describe_all(message, vtable, object);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

int describe_object(sd_bus_message *message, const struct object_face *face, void *object) {
        int r = sd_bus_message_open_container(message, 'a', "{sa{sv}}");

        if (r >= 0)
                r = describe_interface(message, face->interface, face->vtable, object);
        return r < 0 ? r : sd_bus_message_close_container(message);
}
