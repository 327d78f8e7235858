#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
scsiscan from Python, with GLib's D-Bus (python3-gi).

    scsiscan.py list             each device: address, identity, block device, standing
    scsiscan.py scan [SCOPE]     scan, wait, and say what came of it
    scsiscan.py follow [COUNT]   print what is attached and detached from now on
"""

import sys

from gi.repository import Gio, GLib

NAME, ROOT = "org.scsiscan1", "/org/scsiscan1"
FOR_EVER = 2**31 - 1


def call(bus, path, interface, method, arguments=None, timeout=-1):
    return bus.call_sync(
        NAME, path, interface, method, arguments, None, Gio.DBusCallFlags.NONE, timeout, None
    ).unpack()


def devices_in_pages(bus):
    """For a machine with more objects than one reply can hold."""
    after = ""
    while True:
        question = GLib.Variant("(ssu)", ("device", after, 0))
        page, after = call(bus, ROOT, f"{NAME}.Topology", "List", question)
        yield from (properties for path, properties in page)
        if not after:
            return


def devices(bus):
    try:
        (objects,) = call(bus, ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
    except GLib.Error as error:
        if not error.matches(Gio.dbus_error_quark(), Gio.DBusError.LIMITS_EXCEEDED):
            raise
        return list(devices_in_pages(bus))
    return [o[f"{NAME}.Device"] for o in objects.values() if f"{NAME}.Device" in o]


def list_devices(bus):
    found = devices(bus)
    found.sort(key=lambda device: [int(number) for number in device["Address"].split(":")])
    for device in found:
        names = ("Address", "Identity", "BlockDevice", "Standing")
        print(*(device[name] or "-" for name in names))


def scan(bus, scope):
    question = GLib.Variant("(sa{sv})", (scope, {"wait": GLib.Variant("b", True)}))
    (job,) = call(bus, ROOT, f"{NAME}.Scan", "Scan", question, FOR_EVER)
    (properties,) = call(
        bus, job, "org.freedesktop.DBus.Properties", "GetAll", GLib.Variant("(s)", (f"{NAME}.Job",)))
    summary = properties["Summary"].items()
    print(properties["Result"], *(f"{name}={count}" for name, count in summary))


def follow(bus, count):
    loop = GLib.MainLoop()

    def on_signal(bus, sender, path, interface, member, arguments):
        nonlocal count
        if member not in ("Attached", "Detached"):
            return
        device, address, identity = arguments.unpack()[:3]
        print(member.lower(), address, identity or "-", flush=True)
        count -= 1
        if count == 0:
            loop.quit()

    bus.signal_subscribe(
        NAME, f"{NAME}.Hotplug", None, ROOT, None, Gio.DBusSignalFlags.NONE, on_signal)
    call(bus, ROOT, "org.freedesktop.DBus.Peer", "Ping")  # the bus has taken the subscription
    print("following", file=sys.stderr, flush=True)
    loop.run()


def main():
    words = sys.argv[1:] + [None, None]
    bus = Gio.bus_get_sync(Gio.BusType.SYSTEM, None)
    try:
        if words[0] == "list":
            list_devices(bus)
        elif words[0] == "scan":
            scan(bus, words[1] or "")
        elif words[0] == "follow":
            follow(bus, int(words[1] or -1))
        else:
            sys.exit(__doc__)
    except GLib.Error as error:
        sys.exit(f"scsiscan.py: {error.message}")


main()
