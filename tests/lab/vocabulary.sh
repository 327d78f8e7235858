# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The words that scenarios are written in, beside those of tests/words.sh. A word that fails ends the
# scenario.
# Starting a process costs 25 to 50 ms in user-mode Linux, and one that is linked to many libraries 200
# (busctl): so what looks at many devices is the oracle, a C program, what can be said in bash alone is,
# and these are bash's own.
enable -f /usr/lib/bash/mkdir mkdir
enable -f /usr/lib/bash/ln ln
enable -f /usr/lib/bash/rm rm
enable -f /usr/lib/bash/rmdir rmdir

PATIENCE=$LAB_PATIENCE
. "$LAB_SOURCE/tests/words.sh"

# How long the service may take to follow what somebody else did: the promise is one second, the rest
# is the lab's slow single CPU.
readonly SOON=3

service_pid=
service_wrapper=() # a command that runs the service, such as setpriv

# --- the kernel's side -----------------------------------------------------------------------

modprobe() {
        command modprobe -d /run/lab/modules "$@"
}

readonly DEBUG_DRIVER=/sys/bus/pseudo/drivers/scsi_debug

# load_devices [hosts=N] [targets=N] [luns=N] [type=TYPE] [driver=none] [scsi_debug argument]...:
# simulated hosts, each with N targets of N logical units. TYPE: disk tape processor cd changer
# enclosure. The kernel has the driver for that type, unless none is wanted: a disk that sd takes
# care of costs 50 ms here, one without a driver 3 ms.
load_devices() {
        local hosts=1 targets=1 luns=1 type=disk driver= argument arguments=() number=0
        for argument; do
                case $argument in
                hosts=* | targets=* | luns=* | type=* | driver=*) local "$argument" ;;
                *) arguments+=("$argument") ;;
                esac
        done
        case $type in
        disk) number=0 driver=${driver:-sd_mod} ;;
        tape) number=1 driver=${driver:-st} ;;
        processor) number=3 ;;
        cd) number=5 driver=${driver:-sr_mod} ;;
        changer) number=8 driver=${driver:-ch} ;;
        enclosure) number=13 driver=${driver:-ses} ;;
        *) fail "load_devices: no type $type" ;;
        esac
        [[ $driver ]] && [[ $driver != none ]] || driver=sg
        modprobe -a sg "$driver"
        modprobe scsi_debug add_host="$hosts" num_tgts="$targets" max_luns="$luns" \
                ptype="$number" dev_size_mb=8 "${arguments[@]}"
}

# unload_devices: rmmod, as soon as nobody has a device open
unload_devices() {
        wait_until 'modprobe -r scsi_debug 2>/dev/null' 10
}

add_hosts() {
        echo "$1" >$DEBUG_DRIVER/add_host
}

remove_hosts() {
        echo "-$1" >$DEBUG_DRIVER/add_host
}

# set_luns N: from now on every simulated target has N logical units. Nobody is told, unless
# somebody sends a command to one of them.
set_luns() {
        echo "$1" >$DEBUG_DRIVER/max_luns
}

# touch_devices H:C:T:L...: a TEST UNIT READY to each, so that what an array has to tell reaches the kernel
touch_devices() {
        local address node
        command -v sg_turs >/dev/null || fail "sg_turs is not here (sg3-utils)"
        for address; do
                for node in "/sys/bus/scsi/devices/$address/scsi_generic"/sg*; do
                        sg_turs "/dev/${node##*/}" >/dev/null 2>&1 || :
                done
        done
}

# disk H:C:T:L: prints its node, /dev/sdX
disk() {
        local block
        for block in "/sys/bus/scsi/devices/$1/block"/sd*; do
                [[ ! -e $block ]] || echo "/dev/${block##*/}"
        done
}

# wait_disks COUNT: until sd has probed so many and they have their nodes. That is not the service's
# work: it settles before.
wait_disks() {
        # shellcheck disable=SC2034 # wait_until evaluates them
        local count=$1 disks
        wait_until 'disks=(/sys/class/scsi_disk/*/device/block/sd*) && [[ -e ${disks[0]} ]] && ((${#disks[@]} == count))' 20
}

# kernel_devices: prints how many SCSI devices the kernel has
kernel_devices() {
        local devices=(/sys/bus/scsi/devices/[0-9]*)
        [[ -e ${devices[0]} ]] && echo "${#devices[@]}" || echo 0
}

# expect_sound_kernel: no warning and no oops in its log
expect_sound_kernel() {
        local log
        log=$(dmesg)
        [[ ! $log =~ (BUG:|WARNING:|Oops|blocked for more than) ]] ||
                fail "the kernel complains: ${BASH_REMATCH[1]}"
}

# --- the service's side ----------------------------------------------------------------------

start_bus() {
        dbus-daemon --config-file=/usr/share/dbus-1/system.conf --nofork --nosyslog \
                2>/run/lab/results/dbus.log &
        wait_until '[[ -S /run/dbus/system_bus_socket ]]' 10
}

# Where the service looks for its policy, and for nothing of the outer machine's.
readonly POLICY=/run/policy

# write_policy FILE: what is on standard input becomes that file of the policy
write_policy() {
        local directory=$POLICY/$1
        mkdir -p "${directory%/*}"
        cat >"$POLICY/$1"
}

# reload_policy: the service reads it again, and has done what follows from it
reload_policy() {
        call org.scsiscan1.Policy Reload
        wait_settled
}

# start_service [OPTION]...: runs scsiscand and waits until it has looked at the whole machine once
start_service() {
        "${service_wrapper[@]}" "$LAB_BUILD/service/scsiscand" --worker "$LAB_BUILD/service/worker/scsiscan-worker" \
                --policy-dir $POLICY "$@" 2>>/run/lab/results/service.log &
        service_pid=$!
        wait_ready
}

# stop_service: asks scsiscand to end; it must do so soon, cleanly and with all its workers
stop_service() {
        local status=0
        kill -TERM "$service_pid"
        wait_until '[[ ! -e /proc/$service_pid/exe ]]' 10
        wait "$service_pid" || status=$?
        service_pid=
        ((status == 0)) || fail "the service ended with status $status"
        wait_until '! pidof -q scsiscan-worker' 2
}

# kill_service: SIGKILL; nothing can be tidied up
kill_service() {
        kill -KILL "$service_pid"
        wait "$service_pid" 2>/dev/null || :
        service_pid=
}

call() {
        busctl --timeout=$((150 * LAB_PATIENCE)) call org.scsiscan1 /org/scsiscan1 "$@"
}

# wait_property SECONDS OBJECT INTERFACE PROPERTY REGEX: see await.c
wait_property() {
        local is
        is=$("$LAB_BUILD/tests/lab/await" --pid "$service_pid" "$1" "/org/scsiscan1$2" "org.scsiscan1.$3" \
                "$4" "$5") || fail "not within $(($1 * LAB_PATIENCE)) s: $3.$4 of /org/scsiscan1$2 is $5, but: $is"
}

wait_ready() {
        wait_property 60 '' Topology Ready true
}

# wait_settled [SECONDS]: until the service has nothing left to do
# shellcheck disable=SC2120 # scenarios say how long
wait_settled() {
        expect 'b true' call org.scsiscan1.Scan Settle st '' $((${1:-60} * LAB_PATIENCE * 1000000))
}

# scan [SCOPE]: ask the service to scan, and wait for the end of it
scan() {
        call org.scsiscan1.Scan Scan 'sa{sv}' "${1:-}" 1 wait b true >/dev/null
}

# hotplug METHOD SIGNATURE ARGUMENT...: call a method of org.scsiscan1.Hotplug
hotplug() {
        call org.scsiscan1.Hotplug "$@"
}

# refused ERROR TEXT COMMAND...: the command fails with that D-Bus error, whose message says the text
refused() {
        local error=$1 text=$2 output
        shift 2
        ! output=$("$@" 2>&1) || fail "$* succeeds"
        # busctl shows the message of an error whose name it does not know, and not the name
        [[ $output == *"$error"* && $output == *"$text"* ]] || fail "$*: not '$error', '$text' but: $output"
}

# device_property H:C:T:L NAME: prints the value as busctl does, such as: s "present"
device_property() {
        busctl get-property org.scsiscan1 "/org/scsiscan1/device/${1//:/_}" org.scsiscan1.Device "$2" 2>&1
}

# wait_device H:C:T:L NAME VALUE: until the property of the device is that, as await writes it
wait_device() {
        wait_property "$SOON" "/device/${1//:/_}" Device "$2" "^$3\$"
}

# wait_attached H:C:T:L..., wait_detached H:C:T:L...: until the kernel has, or has not, the devices
wait_attached() {
        local address
        for address; do
                wait_until '[[ -e /sys/bus/scsi/devices/$address ]]' "$SOON"
        done
}

wait_detached() {
        local address
        for address; do
                wait_until '[[ ! -e /sys/bus/scsi/devices/$address ]]' "$SOON"
        done
}

# wait_lun H:C:T LUN DISPOSITION: until the target says that of its LUN
wait_lun() {
        wait_property "$SOON" "/target/${1//:/_}" Target Luns "\"$2\" \"0x[0-9a-f]+\" \"$3\""
}

# expect_attaches COUNT H:C:T:L...: so often has the kernel attached each of them, by its log
expect_attaches() {
        local count=$1 address found log
        shift
        log=$(dmesg)
        for address; do
                found=$(grep -c "scsi $address: .* ANSI:" <<<"$log" || :)
                ((found == count)) || fail "the kernel attached $address $found times, not $count"
        done
}

# counter NAME: prints that one of the service's Counters
counter() {
        local counters
        counters=$(busctl get-property org.scsiscan1 /org/scsiscan1 org.scsiscan1.Scan Counters)
        [[ $counters =~ \"$1\"\ ([0-9]+) ]] || fail "there is no counter $1"
        echo "${BASH_REMATCH[1]}"
}

# freeze PROCESS, thaw: it stands still, and not even SIGKILL ends it, as if the kernel did not let go of it
freeze() {
        if [[ ! -d /tmp/freezer ]]; then
                mkdir /tmp/freezer
                mount -t cgroup -o freezer freezer /tmp/freezer
                mkdir /tmp/freezer/cold
        fi
        echo "$1" >/tmp/freezer/cold/cgroup.procs
        echo FROZEN >/tmp/freezer/cold/freezer.state
        wait_until '[[ $(</tmp/freezer/cold/freezer.state) == FROZEN ]]' 5
}

thaw() {
        echo THAWED >/tmp/freezer/cold/freezer.state
}

# --- signals ---------------------------------------------------------------------------------

signal_file=/tmp/signals.json signals_forgotten=0

# record_signals [INTERFACE]...: from now on the service's signals of these interfaces and of Hotplug are
# written down, one line of JSON for each
record_signals() {
        local interface matches=()
        for interface in org.scsiscan1.Hotplug "$@"; do
                matches+=("--match=type='signal',path_namespace='/org/scsiscan1',interface='$interface'")
        done
        busctl --json=short monitor "${matches[@]}" >$signal_file 2>/tmp/signals.err &
        wait_until '[[ -s /tmp/signals.err ]]' 10
}

# forget_signals: what comes from now on is looked at by the words below
forget_signals() {
        local -a lines
        mapfile -t lines <$signal_file
        signals_forgotten=${#lines[@]}
}

# signals MEMBER [TEXT]...: prints those not forgotten that have all the texts
signals() {
        local member=$1 line text
        local -a lines
        shift
        mapfile -t -s "$signals_forgotten" lines <$signal_file
        for line in "${lines[@]}"; do
                [[ $line == *"\"member\":\"$member\""* ]] || continue
                for text; do
                        [[ ${line#*\"payload\"} == *"$text"* ]] || continue 2
                done
                echo "$line"
        done
}

# wait_signal MEMBER [TEXT]...: until there is one
wait_signal() {
        # shellcheck disable=SC2034 # wait_until evaluates them
        local words=("$@") found
        wait_until 'found=$(signals "${words[@]}") && [[ $found ]]' "$SOON"
}

# expect_signals COUNT MEMBER [TEXT]...: there are so many, once the service has settled
expect_signals() {
        local count=$1 end=$((${EPOCHREALTIME/./} + LAB_PATIENCE * 1000000))
        local -a found
        shift
        wait_settled
        while mapfile -t found < <(signals "$@"); do
                ((${#found[@]} != count)) || return 0
                ((${EPOCHREALTIME/./} < end)) || break
                pause 0.1
        done
        fail "${#found[@]} signals $*, expected $count: ${found[*]}"
}

# signal_time LINE: when it was sent, in microseconds
signal_time() {
        [[ $1 =~ \"timestamp-realtime\":([0-9]+) ]] || fail "no time in $1"
        echo "${BASH_REMATCH[1]}"
}

# expect_log TEXT: the service's log says it, now or soon
expect_log() {
        wait_until "grep -qF -- '$1' /run/lab/results/service.log" "$SOON"
}

# --- the judge -------------------------------------------------------------------------------

# expect_view_equals_kernel [--within SECONDS] [KIND=N]...: what the service shows on the bus is what
# sysfs says, and there are N of each KIND (hosts targets devices units)
expect_view_equals_kernel() {
        "$LAB_BUILD/tests/lab/oracle" --within "$SOON" "$@" || fail "the view differs from the kernel's"
}

# expect_view_equals_targets ...: and each target's logical units are those that it reports itself
expect_view_equals_targets() {
        "$LAB_BUILD/tests/lab/oracle" --within "$SOON" --targets "$@" ||
                fail "the view differs from the targets'"
}

# expect_difference TEXT [--targets] [KIND=N]...: the judge sees a difference, and names it so
expect_difference() {
        local text=$1 output
        shift
        ! output=$("$LAB_BUILD/tests/lab/oracle" "$@" 2>&1) || fail "no difference"
        [[ $output == *"$text"* ]] || fail "another difference: $output"
}
