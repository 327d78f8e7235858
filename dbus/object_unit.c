/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/append.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/paths.h"
#include "dbus/server_private.h"
#include "scsi/inquiry.h"

static int append_designators(sd_bus_message *message, const struct scsi_identity *identity) {
        int r = sd_bus_message_open_container(message, 'a', "s");

        for (size_t i = 0; r >= 0 && i < identity->count; i++)
                r = append_text(message, identity->designators[i]);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_devices(sd_bus_message *message, const struct unit *unit) {
        const struct device *device;
        int r = sd_bus_message_open_container(message, 'a', "o");

        TAILQ_FOREACH (device, &unit->devices, unit_entry) {
                struct object_id id = device_id(device);

                if (r >= 0)
                        r = append_path(message, &id);
        }
        return r < 0 ? r : sd_bus_message_close_container(message);
}

DEFINE_PROPERTY_GET(get_identity, struct unit, unit, append_text(reply, unit->identity))
DEFINE_PROPERTY_GET(get_designators, struct unit, unit,
                    append_designators(reply, &unit_speaker(unit)->identity))
DEFINE_PROPERTY_GET(get_serial, struct unit, unit, append_text(reply, unit_speaker(unit)->serial))
DEFINE_PROPERTY_GET(get_type, struct unit, unit,
                    append_text(reply, scsi_type_name(unit_speaker(unit)->facts.type)))
DEFINE_PROPERTY_GET(get_vendor, struct unit, unit,
                    append_text(reply, unit_speaker(unit)->facts.vendor))
DEFINE_PROPERTY_GET(get_model, struct unit, unit,
                    append_text(reply, unit_speaker(unit)->facts.model))
DEFINE_PROPERTY_GET(get_revision, struct unit, unit,
                    append_text(reply, unit_speaker(unit)->facts.revision))
DEFINE_PROPERTY_GET(get_size, struct unit, unit,
                    sd_bus_message_append_basic(reply, 't', &unit_speaker(unit)->facts.size))
DEFINE_PROPERTY_GET(get_block_size, struct unit, unit,
                    sd_bus_message_append_basic(reply, 'u', &unit_speaker(unit)->facts.block_size))
DEFINE_PROPERTY_GET(get_devices, struct unit, unit, append_devices(reply, unit))

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                     sd_bus_error *error) {
        return object_enumerate(userdata, OBJECT_UNIT, ret_nodes);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        PROPERTY_CONST("Identity", "s", get_identity),
        PROPERTY_CHANGES("Designators", "as", get_designators),
        PROPERTY_CHANGES("Serial", "s", get_serial),
        PROPERTY_CHANGES("Type", "s", get_type),
        PROPERTY_CHANGES("Vendor", "s", get_vendor),
        PROPERTY_CHANGES("Model", "s", get_model),
        PROPERTY_CHANGES("Revision", "s", get_revision),
        PROPERTY_CHANGES("Size", "t", get_size),
        PROPERTY_CHANGES("BlockSize", "u", get_block_size),
        PROPERTY_CHANGES("Devices", "ao", get_devices),
        SD_BUS_VTABLE_END,
};

static const struct property_bit properties[] = {
        {UNIT_PROPERTY_DESIGNATORS, "Designators"},
        {UNIT_PROPERTY_SERIAL, "Serial"},
        {UNIT_PROPERTY_TYPE, "Type"},
        {UNIT_PROPERTY_VENDOR, "Vendor"},
        {UNIT_PROPERTY_MODEL, "Model"},
        {UNIT_PROPERTY_REVISION, "Revision"},
        {UNIT_PROPERTY_SIZE, "Size"},
        {UNIT_PROPERTY_BLOCK_SIZE, "BlockSize"},
        {UNIT_PROPERTY_DEVICES, "Devices"},
        {0, NULL},
};

const struct object_face object_unit = {
        .prefix = SCSISCAN_PATH_UNIT,
        .interface = SCSISCAN_INTERFACE_UNIT,
        .vtable = vtable,
        .find = object_find,
        .enumerate = enumerate,
        .properties = properties,
};
