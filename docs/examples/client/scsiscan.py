#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A client of scsiscan in Python, with GLib's D-Bus. Needs Debian's python3-gi.

    ./scsiscan.py list              every device: ADDRESS IDENTITY BLOCKDEVICE STANDING
    ./scsiscan.py scan [SCOPE]      look for what is new, wait, and say what came of it
    ./scsiscan.py follow [COUNT]    what is attached and detached from now on
"""

import sys

from gi.repository import Gio, GLib

NAME = "org.scsiscan1"
ROOT = "/org/scsiscan1"
DEFAULT_TIMEOUT = -1
NO_TIMEOUT = GLib.MAXINT


def call(bus, path, method, arguments=None, timeout=DEFAULT_TIMEOUT):
    """Calls a method, given with its interface; its results come as a tuple."""
    interface, _, member = method.rpartition(".")
    flags = Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION
    reply = bus.call_sync(NAME, path, interface, member, arguments, None, flags, timeout, None)
    return reply.unpack()


def devices_by_page(bus):
    after = ""
    while True:
        arguments = GLib.Variant("(ssu)", ("device", after, 0))
        page, after = call(bus, ROOT, "org.scsiscan1.Topology.List", arguments)
        yield from (properties for _, properties in page)
        if not after:
            return


def devices(bus):
    """The properties of every device."""
    try:
        (objects,) = call(bus, ROOT, "org.freedesktop.DBus.ObjectManager.GetManagedObjects")
    except GLib.Error as error:
        # More than one reply can hold, on a machine with tens of thousands of LUNs.
        if not error.matches(Gio.dbus_error_quark(), Gio.DBusError.LIMITS_EXCEEDED):
            raise
        return devices_by_page(bus)
    interface = "org.scsiscan1.Device"
    return [object[interface] for object in objects.values() if interface in object]


def show_list(bus):
    def place(device):
        return [int(number) for number in device["Address"].split(":")]

    for device in sorted(devices(bus), key=place):
        print(*(device[key] or "-" for key in ("Address", "Identity", "BlockDevice", "Standing")))


def scan(bus, scope=""):
    options = {"wait": GLib.Variant("b", True)}
    arguments = GLib.Variant("(sa{sv})", (scope, options))
    # A scan may take longer than the 25 s that a call usually has, and so may whoever is asked for
    # a password.
    (job,) = call(bus, ROOT, "org.scsiscan1.Scan.Scan", arguments, NO_TIMEOUT)
    result, summary = call(bus, job, "org.scsiscan1.Job.Wait")
    print(result, *(f"{key}={number}" for key, number in sorted(summary.items())))


def follow(bus, count=None):
    left = int(count) if count else -1
    loop = GLib.MainLoop()

    def on_signal(_bus, _sender, _path, _interface, signal, arguments):
        nonlocal left
        if left == 0:
            return  # one turn of the loop may bring several
        if signal == "Attached":
            _device, address, identity = arguments.unpack()
            print("attached", address, identity or "-", flush=True)
        elif signal == "Detached":
            _device, address, _identity, reason = arguments.unpack()
            print("detached", address, reason, flush=True)
        else:
            return
        left -= 1
        if left == 0:
            loop.quit()

    bus.signal_subscribe(NAME, "org.scsiscan1.Hotplug", None, ROOT, None,
                         Gio.DBusSignalFlags.NONE, on_signal)
    # Subscribing does not wait for the bus. What is answered later than it was asked for shows
    # that the bus knows, and that the service runs.
    call(bus, ROOT, "org.freedesktop.DBus.Peer.Ping")
    print("following", file=sys.stderr)
    if left != 0:
        loop.run()


def main():
    verbs = {"list": show_list, "scan": scan, "follow": follow}
    verb, *arguments = sys.argv[1:] or [None]
    if verb not in verbs:
        sys.exit(__doc__)
    try:
        verbs[verb](Gio.bus_get_sync(Gio.BusType.SYSTEM), *arguments)
    except GLib.Error as error:
        # strip_remote_error() works on a copy in Python.
        name = Gio.DBusError.get_remote_error(error)
        sys.exit(error.message.removeprefix(f"GDBus.Error:{name}: "))


main()
