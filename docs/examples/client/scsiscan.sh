#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A client of scsiscan in shell. Needs systemd's busctl, and jq.
#
#     ./scsiscan.sh list              every device: ADDRESS IDENTITY BLOCKDEVICE STANDING
#     ./scsiscan.sh scan [SCOPE]      look for what is new, wait, and say what came of it
#     ./scsiscan.sh follow [COUNT]    what is attached and detached from now on; needs root
set -eu -o pipefail

root=(org.scsiscan1 /org/scsiscan1)

# On a machine with tens of thousands of LUNs GetManagedObjects answers LimitsExceeded. Then call
# org.scsiscan1.Topology.List with ssu device "$next" 0, beginning with next='', until the second
# value that it returns is empty; the Python example does.
#
# jq counts in floating point, which a LUN of eight bytes does not fit: sort has no such bounds.
list() {
        busctl --json=short call "${root[@]}" org.freedesktop.DBus.ObjectManager GetManagedObjects |
                jq -r '.data[0][]["org.scsiscan1.Device"] | values | map_values(.data)
                       | [.Address, .Identity, .BlockDevice, .Standing]
                       | map(if . == "" then "-" else . end) | join(" ")' |
                LC_ALL=C sort -t : -k 1,1n -k 2,2n -k 3,3n -k 4,4n
}

# A scan may take longer than the 25 s that a call usually has, and so may whoever types a password.
scan() {
        local job
        job=$(busctl --json=short --timeout=infinity call "${root[@]}" org.scsiscan1.Scan Scan \
                'sa{sv}' "${1-}" 1 wait b true | jq -r '.data[0]')
        busctl --json=short call org.scsiscan1 "$job" org.scsiscan1.Job Wait |
                jq -r '.data | [.[0], (.[1] | to_entries | sort_by(.key)[] | "\(.key)=\(.value)")]
                       | join(" ")'
}

# busctl says on its standard error when it listens; all else that it writes is one signal a line.
follow() {
        local count=${1-} line
        local match="type='signal',sender='org.scsiscan1',interface='org.scsiscan1.Hotplug'"
        exec 3< <(SYSTEMD_LOG_LEVEL=info SYSTEMD_LOG_TARGET=console exec busctl --json=short \
                --match="$match,member='Attached'" --match="$match,member='Detached'" monitor 2>&1)
        monitor=$!
        trap 'kill "$monitor" 2>/dev/null || true' EXIT
        while [[ $count != 0 ]]; do
                read -r line <&3
                case $line in
                'Monitoring '*) echo following >&2 ;;
                '{'*)
                        jq -r 'if .member == "Attached"
                               then "attached \(.payload.data | "\(.[1]) \(.[2] | if . == "" then "-" else . end)")"
                               else "detached \(.payload.data | "\(.[1]) \(.[3])")" end' <<<"$line"
                        count=${count:+$((count - 1))}
                        ;;
                *) echo "$line" >&2 ;;
                esac
        done
}

case ${1-} in
list | scan | follow) "$@" ;;
*)
        echo "usage: $0 list | scan [SCOPE] | follow [COUNT]" >&2
        exit 2
        ;;
esac
