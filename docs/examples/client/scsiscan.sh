#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# scsiscan from the shell, with busctl and jq.
#
#     scsiscan.sh list             each device: address, identity, block device, standing
#     scsiscan.sh scan [SCOPE]     scan, wait, and say what came of it
#     scsiscan.sh follow [COUNT]   print what is attached and detached from now on (as root)
#
# On a machine with more objects than one reply can hold, GetManagedObjects says LimitsExceeded:
# then ask org.scsiscan1.Topology.List for pages, as scsiscan.py does.
set -eu -o pipefail

name=org.scsiscan1 root=/org/scsiscan1

list() {
        busctl --json=short call $name $root org.freedesktop.DBus.ObjectManager GetManagedObjects |
                jq -r '
                        [.data[0][]["org.scsiscan1.Device"] | select(.) | map_values(.data)]
                        | sort_by(.Address | split(":") | map(tonumber))[]
                        | [.Address, .Identity, .BlockDevice, .Standing]
                        | map(if . == "" then "-" else . end) | join(" ")'
}

scan() {
        local job
        job=$(busctl --json=short --timeout=3600 call $name $root $name.Scan Scan 'sa{sv}' \
                "$1" 1 wait b true | jq -r '.data[0]')
        busctl --json=short call $name "$job" org.freedesktop.DBus.Properties GetAll s $name.Job |
                jq -r '.data[0] | [.Result.data,
                        (.Summary.data | to_entries[] | "\(.key)=\(.value)")]
                        | join(" ")'
}

# busctl says on standard error when it listens, and ends with the first line that nobody reads.
events() {
        busctl --json=short --match="type='signal',interface='$name.Hotplug',member='Attached'" \
                --match="type='signal',interface='$name.Hotplug',member='Detached'" monitor |
                jq --unbuffered -r 'select(.member) | .payload.data as $data
                        | [(.member | ascii_downcase), $data[1], $data[2]]
                        | map(if . == "" then "-" else . end) | join(" ")'
}

follow() {
        local left=${1:--1} line
        while ((left-- != 0)) && read -r line; do
                echo "$line"
        done < <(events)
}

case ${1-} in
list) list ;;
scan) scan "${2-}" ;;
follow) follow "${2-}" ;;
*) sed -n 's/^#     //p' "$0" && exit 2 ;;
esac
