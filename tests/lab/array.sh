# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A real array, in the machine's own kernel: LIO exports backing files over iSCSI, and two
# initiators of open-iscsi log in on the loopback, each at a portal of its own. Each session is a
# SCSI host, so every unit has two paths. Nothing is attached by logging in: session.scan = manual.
#
# A backing file has a name (a, b, c ...); map_lun says behind which LUN it is seen.

readonly ARRAY=iqn.2024-01.org.example:array INITIATOR=iqn.2024-01.org.example:initiator
readonly LIO=/sys/kernel/config/target
readonly CORE=$LIO/core/fileio_0 GROUP=$LIO/iscsi/$ARRAY/tpgt_1
readonly PATHS='1 2' # numbers of portals, initiators and sessions: 127.0.0.1, 127.0.0.2

declare -A backing_number=() # NAME -> number; the unit's serial, and its place in the target's list
declare -A lun_backing=()    # LUN -> NAME; what is mapped

# array_create [SECONDS]: the array, with nothing mapped yet. SECONDS: how long a lost session may stay
# away before its I/O fails
array_create() {
        local path
        ip link set lo up
        modprobe -a target_core_mod target_core_file iscsi_target_mod iscsi_tcp sg sd_mod
        mkdir -p $CORE $GROUP/np/127.0.0.{1,2}:3260
        for path in $PATHS; do
                mkdir "$GROUP/acls/$INITIATOR$path"
        done
        echo 0 >$GROUP/attrib/authentication
        echo 1 >$GROUP/enable

        mkdir -p /run/lock/iscsi
        mount -t tmpfs tmpfs /etc/iscsi
        echo "InitiatorName=$INITIATOR" >/etc/iscsi/initiatorname.iscsi
        cat >/etc/iscsi/iscsid.conf <<END
node.startup = manual
node.session.scan = manual
node.session.timeo.replacement_timeout = ${1:-30}
node.session.err_timeo.abort_timeout = 2
node.session.err_timeo.lu_reset_timeout = 2
node.session.err_timeo.tgt_reset_timeout = 2
node.conn[0].timeo.login_timeout = 3
node.conn[0].timeo.noop_out_interval = 1
node.conn[0].timeo.noop_out_timeout = 1
END
        iscsid -f -c /etc/iscsi/iscsid.conf 2>/run/lab/results/iscsid.log >&2 &
        wait_until 'read_abstract_sockets' 10
        for path in $PATHS; do
                iscsiadm -m iface -I "path$path" -o new >/dev/null
                iscsiadm -m iface -I "path$path" -o update -n iface.initiatorname -v "$INITIATOR$path" >/dev/null
                iscsiadm -m node -o new -T $ARRAY -p "127.0.0.$path:3260,1" -I "path$path" >/dev/null
        done
}

read_abstract_sockets() {
        grep -q ISCSIADM_ABSTRACT_NAMESPACE /proc/net/unix
}

# log_in PATH..., log_out PATH...: PATH is 1 or 2
log_in() {
        session --login "$@"
}

log_out() {
        session --logout "$@"
}

session() {
        local verb=$1 path
        shift
        for path; do
                iscsiadm -m node -T $ARRAY -p "127.0.0.$path:3260" -I "path$path" "$verb" \
                        >/tmp/iscsiadm.log 2>&1 || fail "$(</tmp/iscsiadm.log)"
        done
}

# host_of PATH: sets REPLY to the number of the SCSI host of that session; fails if there is none
host_of() {
        local connection address here=$PWD
        for connection in /sys/class/iscsi_connection/*; do
                read -r address <"$connection/persistent_address" 2>/dev/null || continue
                [[ $address == "127.0.0.$1" ]] || continue
                cd -P "$connection/device" 2>/dev/null || continue
                REPLY=${PWD#*/host} REPLY=${REPLY%%/*}
                cd "$here" || return
                return 0
        done
        return 1
}

# on_paths LUN: sets REPLY to the addresses of that LUN on all sessions
on_paths() {
        local path addresses=
        for path in $PATHS; do
                host_of "$path" && addresses+=" $REPLY:0:0:$1"
        done
        REPLY=${addresses# }
}

# identity_of NAME: sets REPLY to how the unit of that backing file is called (LIO makes a NAA 6 name of
# its company's number and the hexadecimal digits of the serial)
identity_of() {
        printf -v REPLY 'naa.6001405%025x' "${backing_number[$1]}"
}

# create_backing NAME [MIB]: a unit filled with blocks that name it, not mapped yet
create_backing() {
        local number=$((${#backing_number[@]} + 1)) bytes=$((${2:-4} << 20))
        backing_number[$1]=$number
        mkdir "$CORE/$1" "$GROUP/lun/lun_$number"
        truncate -s $bytes "/tmp/backing.$1"
        "$LAB_BUILD/tests/lab/stamps" fill "/tmp/backing.$1" "$1"
        echo "fd_dev_name=/tmp/backing.$1,fd_dev_size=$bytes" >"$CORE/$1/control"
        printf '%025x\n' $number >"$CORE/$1/wwn/vpd_unit_serial"
        echo 1 >"$CORE/$1/enable"
        ln -s "$CORE/$1" "$GROUP/lun/lun_$number/unit"
}

# map_lun LUN NAME [PATH]...: the initiators see that unit as that LUN
map_lun() {
        local lun=$1 name=$2 path
        shift 2
        # shellcheck disable=SC2086 # one word for each path
        (($#)) || set -- $PATHS
        for path; do
                mkdir -p "$GROUP/acls/$INITIATOR$path/lun_$lun"
                ln -s "$GROUP/lun/lun_${backing_number[$name]}" "$GROUP/acls/$INITIATOR$path/lun_$lun/unit"
        done
        lun_backing[$lun]=$name
}

unmap_lun() {
        local path links=()
        for path in $PATHS; do
                links+=("$GROUP/acls/$INITIATOR$path/lun_$1/unit")
        done
        rm "${links[@]}"
        unset "lun_backing[$1]"
}

# remap_lun LUN NAME: another unit behind that LUN, as fast as it goes
remap_lun() {
        unmap_lun "$1"
        map_lun "$1" "$2"
}

exchange_luns() {
        local first=${lun_backing[$1]} second=${lun_backing[$2]}
        unmap_lun "$1"
        unmap_lun "$2"
        map_lun "$1" "$second"
        map_lun "$2" "$first"
}

# grow_unit NAME MIB: LIO tells nobody
grow_unit() {
        truncate -s "${2}M" "/tmp/backing.$1"
        echo "fd_dev_size=$(($2 << 20))" >"$CORE/$1/control"
}

# something_changed: a unit attention 3F/0E for which no list of LUNs gives a reason: one was mapped, and
# is not any more
something_changed() {
        map_lun 200 "$1"
        unmap_lun 200
}

# touch_lun LUN: on all sessions
touch_lun() {
        on_paths "$1"
        # shellcheck disable=SC2086 # addresses have no blanks
        touch_devices $REPLY
}

# cut_path PATH, mend_path PATH: nothing gets to that portal any more, as if a cable was pulled
cut_path() {
        ip route add blackhole "127.0.0.$1/32" table local
}

mend_path() {
        ip route del blackhole "127.0.0.$1/32" table local
}

# stop_target, start_target: sessions break, and come back by themselves
stop_target() {
        echo 0 >$GROUP/enable
}

start_target() {
        echo 1 >$GROUP/enable
}

# expect_array [KIND=N]...: the judge agrees, and behind each LUN on each session is the unit that the
# array has there: either it was attached as that, or the service says that it was replaced. One that was
# stopped cannot be asked again, and is left out if unasked names it.
unasked=
expect_array() {
        local lun path facts=()
        for lun in "${!lun_backing[@]}"; do
                identity_of "${lun_backing[$lun]}"
                local identity=$REPLY
                for path in $PATHS; do
                        host_of "$path" || continue
                        [[ $unasked != "$REPLY:0:0:$lun" ]] || continue
                        facts+=("$REPLY:0:0:$lun.Identity=$identity")
                done
        done
        expect_view_equals_targets --identities "${facts[@]}" "$@"
}

# check_backing NAME: nobody has written to it who took it for another
check_backing() {
        local found
        found=$("$LAB_BUILD/tests/lab/stamps" check "/tmp/backing.$1" "$1") ||
                fail "${found% *} blocks of another unit are in $1, the last of ${found#* }"
}
