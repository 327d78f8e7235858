/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/iface.h"
#include "dbus/names.h"

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_SIGNAL_WITH_NAMES("Attached", "oss",
                                 SD_BUS_PARAM(device) SD_BUS_PARAM(address) SD_BUS_PARAM(identity),
                                 0),
        SD_BUS_SIGNAL_WITH_NAMES("Detached", "osss",
                                 SD_BUS_PARAM(device) SD_BUS_PARAM(address) SD_BUS_PARAM(identity)
                                         SD_BUS_PARAM(reason),
                                 0),
        SD_BUS_VTABLE_END,
};

const struct iface iface_hotplug = {SCSISCAN_INTERFACE_HOTPLUG, vtable};
