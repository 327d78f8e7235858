# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The words that boot cases are written in, beside those of tests/words.sh. A word that fails ends the
# case.
#
# The machine has two SCSI hosts. The first has the disk with the root file system, as 0:0:0:0, and
# two LUNs of another target; the second has a disk and a CD-ROM drive.

# shellcheck disable=SC2034,SC2154 # DEVICES is for cases; tests/boot/run sets build, limit, memory and results
readonly DEVICES='0:0:0:0 0:0:1:0 0:0:1:5 1:0:2:0 1:0:3:0'

overlay=  # what initrd_file has put together
machine=  # the process that is the machine
boots=0   # how many have been started

# --- before the machine starts -----------------------------------------------------------------

# root_file PATH [MODE]: the file has what standard input says, in the next machine's root file system
root_file() {
        local file=$results/file-$((++files)) mode=${2:-0100644} folder=/ part
        cat >"$file"
        while IFS= read -r -d / part; do
                [[ ! $part ]] || folder+=$part/ changes+=("mkdir ${folder%/}")
        done <<<"${1%/*}/"
        changes+=("rm $1" "write $file $1" "set_inode_field $1 mode $mode" "set_inode_field $1 uid 0"
                "set_inode_field $1 gid 0")
}
files=0 changes=()

# initrd_file PATH [MODE]: the same in its initramfs, in place of a file which that has
initrd_file() {
        overlay=$results/initrd
        mkdir -p "$overlay$(dirname "$1")"
        cat >"$overlay$1"
        chmod "${2:-644}" "$overlay$1"
}

# --- the machine -------------------------------------------------------------------------------

# drive_of NAME [SOURCE], device_of NAME PLACE: a disk as QEMU is told of it, in two parts. PLACE:
# bus=...,scsi-id=...,lun=...; an empty one has no file behind it
drive_of() {
        echo "if=none,id=$1,${2:-driver=null-co,size=16M,read-zeroes=on}"
}

device_of() {
        echo "scsi-hd,id=$1,drive=$1,serial=$1,channel=0,$2"
}

# disk NAME PLACE [SOURCE]: prints the options for one that is there from the start
disk() {
        echo "-drive $(drive_of "$1" "${3:-}") -device $(device_of "$1" "$2")"
}

# boot INITRD [KERNEL ARGUMENT]...: starts a machine (and ends that before) and waits until it answers
# what `guest` asks. INITRD: initramfs-tools or dracut.
boot() {
        local initrd=$build/boot/initrd.$1 root=$build/boot/root.img devices
        end_machine
        boots=$((boots + 1)) console=$results/console-$boots.log
        if [[ $overlay ]]; then
                # The kernel unpacks one archive after the other; each begins at a multiple of 4.
                cp "$initrd" "$results/initrd.img"
                truncate -s %4 "$results/initrd.img"
                initrd=$results/initrd.img
                (cd "$overlay" && find . | cpio --quiet -o -H newc -R 0:0) >>"$initrd"
        fi
        if ((${#changes[@]})); then
                cp --sparse=always "$root" "$results/root.img"
                root=$results/root.img
                printf '%s\n' "${changes[@]}" | debugfs -w -f - "$root" >"$results/debugfs.log" 2>&1
        fi
        mkfifo "$results/monitor-$boots".{in,out}
        read -rd '' -a devices < <(
                disk root bus=host0.0,scsi-id=0,lun=0 "file=$root,format=raw,snapshot=on"
                disk second bus=host0.0,scsi-id=1,lun=0
                disk third bus=host0.0,scsi-id=1,lun=5
                disk fourth bus=host1.0,scsi-id=2,lun=0
        ) || :
        coproc timeout --foreground -k 5 "$((limit * PATIENCE))" \
                qemu-system-x86_64 -accel tcg -cpu max -smp 1 -m "$memory" -nodefaults -no-user-config \
                -machine q35,sata=off -display none -no-reboot \
                -kernel "$build/boot/vmlinux" -initrd "$initrd" \
                -append "root=LABEL=boot-test ro console=ttyS0 panic=-1 rd.shell=0 rd.emergency=poweroff ${*:2}" \
                -serial "file:$console" -serial stdio \
                -chardev "pipe,id=monitor,path=$results/monitor-$boots" -monitor chardev:monitor \
                -device virtio-scsi-pci,id=host0 -device virtio-scsi-pci,id=host1 -device virtio-rng-pci \
                "${devices[@]}" -device scsi-cd,bus=host1.0,scsi-id=3 2>"$results/qemu-$boots.log"
        # Its own descriptors bash keeps from subshells.
        machine=$COPROC_PID
        exec {from}<&"${COPROC[0]}" {to}>&"${COPROC[1]}" \
                {monitor_in}<>"$results/monitor-$boots.in" {monitor_out}<>"$results/monitor-$boots.out"
        read_to_monitor_prompt
        answer ready >"$results/before-$boots.log"
}

# answer WHAT: prints what the machine says up to the line that says so, whose rest is its status
answer() {
        local line
        while IFS= read -r line <&"$from"; do
                if [[ $line == $'\036'"$1"* ]]; then
                        return "${line##*"$1"}"
                fi
                echo "$line"
        done
        fail "the machine has ended"
}

# guest COMMAND: a line of bash, done in the machine: prints what it prints, with its exit status
guest() {
        local output status=0
        echo "$1" >&"$to"
        output=$(answer end) || status=$?
        printf '%s' "${output%$'\n'}"
        return "$status"
}

read_to_monitor_prompt() {
        local said=
        read -r -t "$((10 * PATIENCE))" -d ')' said <&"$monitor_out" && [[ $said == *'(qemu' && $said != *Error* ]] ||
                fail "QEMU's monitor says: $said"
        echo "$said)" >>"$results/monitor.log"
}

# monitor COMMAND: what QEMU's monitor is told
monitor() {
        echo "$1" >&"$monitor_in"
        read_to_monitor_prompt
}

# plug NAME PLACE: a disk comes
plug() {
        monitor "drive_add 0 $(drive_of "$1")"
        monitor "device_add $(device_of "$1" "$2")"
}

# unplug NAME: and goes
unplug() {
        monitor "device_del $1"
}

# end_machine: as if its plug were pulled
end_machine() {
        [[ $machine ]] || return 0
        kill "$machine" 2>/dev/null || :
        wait "$machine" 2>/dev/null || :
        exec {from}<&- {to}>&- {monitor_in}>&- {monitor_out}>&-
        rm -f "$results/monitor-$boots".{in,out}
        machine=
}

show_log() {
        [[ ! -s $console ]] || printf '\n--- the last lines of %s ---\n' "$console"
        tail -n 40 "$console" | tr -d '\r'
}
console=/dev/null

# --- what became of it -------------------------------------------------------------------------

# expect_up [STATE]: all units of the default target have been started, and systemd is content
expect_up() {
        local state
        state=$(guest 'systemctl is-system-running --wait') || :
        [[ $state == "${1:-running}" ]] || fail "the system is $state: $(guest 'systemctl --failed --no-legend --plain; systemctl list-jobs')"
        [[ $(guest 'systemctl is-active multi-user.target') == active ]] || fail "not in multi-user"
}

# expect_failed UNIT...: those have failed, and no others
expect_failed() {
        local failed
        failed=$(guest 'systemctl --failed --no-legend --plain' | awk '{ printf "%s%s", space, $1; space = " " }')
        [[ $failed == "$*" ]] || fail "failed have: $failed"
}

# expect_devices DEVICE...: those are what the kernel has, and no others
expect_devices() {
        local wanted=$* there
        wait_until "there=\$(kernel_devices) && [[ \$there == '$wanted' ]]" 10
}

# kernel_devices: prints the SCSI devices that the machine's kernel has
kernel_devices() {
        guest 'cd /sys/bus/scsi/devices && echo [0-9]*'
}

# expect_on_bus DEVICE...: the same on D-Bus
expect_on_bus() {
        local there
        there=$(guest 'scsictl --no-legend list devices' | awk '{ printf "%s%s", space, $1; space = " " }')
        [[ $there == "$*" ]] || fail "on D-Bus are: $there"
}

# listen: scsictl monitor writes down what happens from now on, and has heard something
listen() {
        guest 'scsictl monitor >/run/happened 2>&1 &'
        wait_until 'guest "scsictl scan 1:0:2 >/dev/null"; happened Finished' 10
}

# happened WHAT: it has said so, as D-Bus names its signals
happened() {
        guest "grep -q -- '$1' /run/happened"
}

# kernel_scans WHY: it has been made to, and said so
kernel_scans() {
        guest "dmesg --color=never | grep -q -- 'scsiscan: .*$1.*: the kernel scans SCSI by itself'"
}

# root_after: prints when the root file system was mounted first, in ms of the kernel's time
root_after() {
        local after
        after=$(guest 'dmesg --color=never' | sed -n '/EXT4-fs (sd[a-z]): mounted/ { s/^\[ *\([0-9]*\)\.\([0-9]\{3\}\).*/\1\2/p }')
        [[ $after ]] || fail "the root file system was not mounted"
        echo "$after"
}
