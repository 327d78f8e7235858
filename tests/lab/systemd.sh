# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The machine with systemd for its first process (bash, read by init): what `meson install` lays out,
# as if it were installed and enabled, and of the outer machine's units only udevd, the journal and
# the bus. A unit of the lab's runs the scenario. From here on init is systemd.

units=/run/systemd/system
tree=/run/lab/results/root
mkdir -p $units /run/udev/rules.d /run/lab/services /run/lab/build /var/log

# ProtectHome= and the like must not hide what was built.
mount --bind "/run/lab/outer$LAB_BUILD" /run/lab/build

cp $tree/lib/systemd/system/* $units
cp $tree/lib/udev/rules.d/* /run/udev/rules.d
cp "$LAB_SOURCE"/systemd/org.scsiscan1.service /run/lab/services
mount --bind /run/lab/services /usr/share/dbus-1/system-services
# There is no /lib/modules here, so what systemd loads by itself it cannot: it is there already.
modprobe -d /run/lab/modules -a scsi_mod sg
systemd-tmpfiles --create $tree/usr/lib/tmpfiles.d/scsiscan.conf

# drop_in UNIT LINE...
drop_in() {
        mkdir -p "$units/$1.d"
        printf '%s\n' "${@:2}" >"$units/$1.d/lab.conf"
}

drop_in scsiscand.service '[Service]' 'ExecStart=' \
        "ExecStart=/run/lab/build/service/scsiscand --worker /run/lab/build/service/worker/scsiscan-worker --policy-dir /run/policy" \
        'WatchdogSec=5'
drop_in scsiscan-fallback.service '[Service]' 'ExecStart=' \
        'ExecStart=sh /run/lab/build/systemd/initramfs_kernel_scan --if-unserved'
# They are after sysinit.target, which would bring the whole outer machine along.
for unit in dbus.socket dbus.service dbus-broker.service scsiscan-settled.service; do
        drop_in $unit '[Unit]' 'DefaultDependencies=no'
done
cat >$units/lab.target <<END
[Unit]
DefaultDependencies=no
Wants=systemd-journald.service systemd-udevd.service dbus.socket scsiscand.socket scsiscand.service lab.service
END
ln -s scsiscand.service $units/dbus-org.scsiscan1.service
cat >$units/lab.service <<END
[Unit]
DefaultDependencies=no
After=dbus.socket systemd-udevd.service systemd-journald.service
SuccessAction=poweroff-immediate
FailureAction=poweroff-immediate

[Service]
Type=oneshot
TimeoutStartSec=infinity
WorkingDirectory=/tmp
StandardOutput=tty
StandardError=tty
TTYPath=/dev/tty1
EnvironmentFile=$LAB
Environment=PATH=$PATH HOME=/tmp LC_ALL=C.UTF-8
ExecStart=bash -c 'bash "\$LAB_SOURCE/tests/lab/session"; echo \$? >/run/lab/results/status'
END

# systemd does that itself, unless the outer machine is a container, whose marks it finds in /.
mount --make-rshared /
stty -F /dev/tty1 -opost
exec /lib/systemd/systemd --unit=lab.target --log-target=console --show-status=no
