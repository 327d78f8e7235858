/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/nodes.h"

/* scsi/scsi_proto.h; SPC-5 table 150. */
enum block_type {
        TYPE_DISK = 0x00,
        TYPE_WORM = 0x04,
        TYPE_ROM = 0x05,
        TYPE_MOD = 0x07,
        TYPE_RBC = 0x0e,
        TYPE_ZBC = 0x14,
};

bool node_is_awaited(const struct device_facts *facts) {
        if (facts->qualifier != 0 || facts->block[0])
                return false;
        switch (facts->type) {
        case TYPE_DISK:
        case TYPE_WORM:
        case TYPE_ROM:
        case TYPE_MOD:
        case TYPE_RBC:
        case TYPE_ZBC:
                return true;
        default:
                return false;
        }
}

struct search {
        const struct topology *topology;
        uint64_t lun;
};

/* 1 to stop at the first one that is awaited. */
static int look_at(const struct object_id *id, void *userdata) {
        const struct search *search = userdata;
        struct scsi_address address = {.target = id->address.target, .lun = search->lun};
        const struct device *device;

        if (id->kind != OBJECT_TARGET)
                return 0;
        device = topology_device(search->topology, &address);
        return device && node_is_awaited(&device->facts);
}

bool nodes_exist(const struct topology *topology, const struct scope *scope, uint64_t lun) {
        struct search search = {.topology = topology, .lun = lun};

        return scope_find(scope, topology, look_at, &search) == 0;
}
