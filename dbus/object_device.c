/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/append.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/paths.h"
#include "dbus/server_private.h"
#include "scsi/inquiry.h"
#include "scsi/lun.h"

static int append_address(sd_bus_message *message, const struct device *device) {
        char text[SCSI_ADDRESS_TEXT_MAX];

        return append_text(message, scsi_address_format(&device->address, text));
}

static int append_host(sd_bus_message *message, const struct device *device) {
        struct object_id id = host_id(device->target->host);

        return append_path(message, &id);
}

static int append_target(sd_bus_message *message, const struct device *device) {
        struct object_id id = target_id(device->target);

        return append_path(message, &id);
}

static int append_unit(sd_bus_message *message, const struct device *device) {
        struct object_id id;

        if (!device->unit)
                return sd_bus_message_append_basic(message, 'o', SCSISCAN_PATH_NONE);
        id = unit_id(device->unit);
        return append_path(message, &id);
}

static int append_lun(sd_bus_message *message, const struct device *device) {
        char text[SCSI_LUN_TEXT_MAX];

        return append_text(message, scsi_lun_format(device->address.lun, text));
}

static int append_lun_hex(sd_bus_message *message, const struct device *device) {
        char text[SCSI_LUN_HEX_MAX];

        return append_text(message, scsi_lun_format_hex(device->address.lun, text));
}

static int append_holders(sd_bus_message *message, const struct device *device) {
        int r = sd_bus_message_open_container(message, 'a', "s");

        for (char *const *holder = device->facts.holders; r >= 0 && *holder; holder++)
                r = append_text(message, *holder);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

DEFINE_PROPERTY_GET(get_address, struct device, device, append_address(reply, device))
DEFINE_PROPERTY_GET(get_host, struct device, device, append_host(reply, device))
DEFINE_PROPERTY_GET(get_target, struct device, device, append_target(reply, device))
DEFINE_PROPERTY_GET(get_unit, struct device, device, append_unit(reply, device))
DEFINE_PROPERTY_GET(get_lun, struct device, device, append_lun(reply, device))
DEFINE_PROPERTY_GET(get_lun_hex, struct device, device, append_lun_hex(reply, device))
DEFINE_PROPERTY_GET(get_type, struct device, device,
                    append_text(reply, scsi_type_name(device->facts.type)))
DEFINE_PROPERTY_GET(get_qualifier, struct device, device,
                    sd_bus_message_append_basic(reply, 'y', &device->facts.qualifier))
DEFINE_PROPERTY_GET(get_vendor, struct device, device, append_text(reply, device->facts.vendor))
DEFINE_PROPERTY_GET(get_model, struct device, device, append_text(reply, device->facts.model))
DEFINE_PROPERTY_GET(get_revision, struct device, device, append_text(reply, device->facts.revision))
DEFINE_PROPERTY_GET(get_state, struct device, device, append_text(reply, device->facts.state))
DEFINE_PROPERTY_GET(get_standing, struct device, device,
                    append_text(reply, standing_name(device->standing)))
DEFINE_PROPERTY_GET(get_block_device, struct device, device,
                    append_node(reply, device->facts.block))
DEFINE_PROPERTY_GET(get_generic_device, struct device, device,
                    append_node(reply, device->facts.generic))
DEFINE_PROPERTY_GET(get_identity, struct device, device,
                    append_text(reply, device->identity.name ?: ""))
DEFINE_PROPERTY_GET(get_in_use, struct device, device,
                    sd_bus_message_append(reply, "b", device->facts.holders[0] != NULL))
DEFINE_PROPERTY_GET(get_holders, struct device, device, append_holders(reply, device))
DEFINE_PROPERTY_GET(get_access_state, struct device, device,
                    append_text(reply, device->facts.access_state))
DEFINE_PROPERTY_GET(get_last_unit_attention, struct device, device,
                    append_text(reply, unit_attention_name(device->last_attention)))

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                     sd_bus_error *error) {
        return object_enumerate(userdata, OBJECT_DEVICE, ret_nodes);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        PROPERTY_CONST("Address", "s", get_address),
        PROPERTY_CONST("Host", "o", get_host),
        PROPERTY_CONST("Target", "o", get_target),
        PROPERTY_CHANGES("Unit", "o", get_unit),
        PROPERTY_CONST("Lun", "s", get_lun),
        PROPERTY_CONST("LunHex", "s", get_lun_hex),
        PROPERTY_CHANGES("Type", "s", get_type),
        PROPERTY_CHANGES("Qualifier", "y", get_qualifier),
        PROPERTY_CHANGES("Vendor", "s", get_vendor),
        PROPERTY_CHANGES("Model", "s", get_model),
        PROPERTY_CHANGES("Revision", "s", get_revision),
        PROPERTY_CHANGES("State", "s", get_state),
        PROPERTY_CHANGES("Standing", "s", get_standing),
        PROPERTY_CHANGES("BlockDevice", "s", get_block_device),
        PROPERTY_CHANGES("GenericDevice", "s", get_generic_device),
        PROPERTY_CHANGES("Identity", "s", get_identity),
        PROPERTY_CHANGES("InUse", "b", get_in_use),
        PROPERTY_CHANGES("Holders", "as", get_holders),
        PROPERTY_CHANGES("AccessState", "s", get_access_state),
        PROPERTY_CHANGES("LastUnitAttention", "s", get_last_unit_attention),
        SD_BUS_VTABLE_END,
};

static const struct property_bit properties[] = {
        {DEVICE_PROPERTY_UNIT, "Unit"},
        {DEVICE_PROPERTY_TYPE, "Type"},
        {DEVICE_PROPERTY_QUALIFIER, "Qualifier"},
        {DEVICE_PROPERTY_VENDOR, "Vendor"},
        {DEVICE_PROPERTY_MODEL, "Model"},
        {DEVICE_PROPERTY_REVISION, "Revision"},
        {DEVICE_PROPERTY_STATE, "State"},
        {DEVICE_PROPERTY_STANDING, "Standing"},
        {DEVICE_PROPERTY_BLOCK_DEVICE, "BlockDevice"},
        {DEVICE_PROPERTY_GENERIC_DEVICE, "GenericDevice"},
        {DEVICE_PROPERTY_IDENTITY, "Identity"},
        {DEVICE_PROPERTY_HOLDERS, "InUse"},
        {DEVICE_PROPERTY_HOLDERS, "Holders"},
        {DEVICE_PROPERTY_ACCESS_STATE, "AccessState"},
        {DEVICE_PROPERTY_LAST_ATTENTION, "LastUnitAttention"},
        {0, NULL},
};

const struct object_face object_device = {
        .prefix = SCSISCAN_PATH_DEVICE,
        .interface = SCSISCAN_INTERFACE_DEVICE,
        .vtable = vtable,
        .find = object_find,
        .enumerate = enumerate,
        .properties = properties,
};
