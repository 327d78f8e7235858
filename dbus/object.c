/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>

#include "dbus/object.h"

unsigned object_property_names(const struct object_face *face, uint32_t mask,
                               const char *names[static PROPERTY_NAMES_MAX]) {
        unsigned count = 0;

        for (const struct property_bit *property = face->properties; property->name; property++) {
                if (!(mask & property->bit))
                        continue;
                assert(count < PROPERTY_NAMES_MAX - 1);
                names[count++] = property->name;
        }
        names[count] = NULL;
        return count;
}

struct server *object_server(sd_bus *bus) {
        return sd_bus_slot_get_userdata(sd_bus_get_current_slot(bus));
}
