# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The words that scenarios are written in. A word that fails ends the scenario.
# Starting a process costs some 25 ms in user-mode Linux, so what looks at many devices is the
# oracle, a C program, and what can be said in bash alone is.

# How long the service may take to follow what somebody else did, in seconds: the promise is one
# second, the rest is the lab's slow single CPU.
readonly SOON=5

service_pid=

# say WORDS: a line of the scenario's story
say() {
        echo "* $*"
}

fail() {
        echo "FAILED: $*"
        trap - ERR
        exit 1
}

# skip WHY: end the scenario, as not run
skip() {
        echo "SKIPPED: $*"
        trap - ERR
        exit 77
}

# pause SECONDS: sleep without starting a process
exec {never_written}<> <(:)
pause() {
        read -rt "$1" -u "$never_written" || :
}

# wait_until CONDITION SECONDS: try a bash condition until it holds
wait_until() {
        local end=$((${EPOCHREALTIME/./} + $2 * 1000000))
        until eval "$1"; do
                ((${EPOCHREALTIME/./} < end)) || fail "not within $2 s: $1"
                pause 0.05
        done
}

# expect TEXT COMMAND...: the command succeeds and says the text
expect() {
        local text=$1 output
        shift
        output=$("$@" 2>&1) || fail "$*: $output"
        [[ $output == *"$text"* ]] || fail "$* does not say '$text' but: $output"
}

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

# start_service: runs scsiscand and waits until it has looked at the whole machine once
start_service() {
        "$LAB_BUILD/service/scsiscand" --worker "$LAB_BUILD/service/worker/scsiscan-worker" \
                2>>/run/lab/results/service.log &
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

call() {
        busctl --timeout=300 call org.scsiscan1 /org/scsiscan1 "$@"
}

wait_ready() {
        wait_until '[[ ! -e /proc/$service_pid/exe || $(call org.freedesktop.DBus.Properties Get ss org.scsiscan1.Topology Ready 2>&1) == "v b true" ]]' 60
        [[ -e /proc/$service_pid/exe ]] || fail "the service has ended"
}

# wait_settled [SECONDS]: until the service has nothing left to do
wait_settled() {
        expect 'b true' call org.scsiscan1.Scan Settle st '' $((${1:-60} * 1000000))
}

# scan [SCOPE]: ask the service to scan, and wait for the end of it
scan() {
        call org.scsiscan1.Scan Scan 'sa{sv}' "${1:-}" 1 wait b true >/dev/null
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
