# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The machine with systemd for its first process (bash, read by init): of the outer machine's units
# only udevd, the journal and the bus, and of the service what `meson install` lays out, as if it were
# installed and enabled; or, for the test of its package, nothing, and a system that dpkg can write to.
# A unit of the lab's runs the scenario. From here on init is systemd.

units=/run/systemd/system
mkdir -p $units /var/log
# There is no /lib/modules here, so what systemd loads by itself it cannot: it is there already.
modprobe -d /run/lab/modules -a scsi_mod sg

# drop_in UNIT LINE...
drop_in() {
        mkdir -p "$units/$1.d"
        printf '%s\n' "${@:2}" >"$units/$1.d/lab.conf"
}

# add_user FILE: whom it makes is on this machine, too, whose /etc is not
add_user() {
        local file
        mkdir -p /run/lab/users/etc
        cp /etc/{passwd,group,shadow,gshadow,login.defs} /run/lab/users/etc 2>/dev/null
        systemd-sysusers --root=/run/lab/users "$1"
        for file in passwd group; do
                mount --bind /run/lab/users/etc/$file /etc/$file
        done
}

installed() {
        local tree=/run/lab/results/root
        mkdir -p /run/udev/rules.d /run/lab/services /run/lab/build
        # ProtectHome= and the like must not hide what was built.
        mount --bind "/run/lab/outer$LAB_BUILD" /run/lab/build
        cp $tree/lib/systemd/system/* $units
        cp $tree/lib/udev/rules.d/* /run/udev/rules.d
        cp "$LAB_SOURCE"/systemd/org.scsiscan1.service /run/lab/services
        mount --bind /run/lab/services /usr/share/dbus-1/system-services
        add_user $tree/usr/lib/sysusers.d/scsiscan.conf
        systemd-tmpfiles --create $tree/usr/lib/tmpfiles.d/scsiscan.conf
        ln -s scsiscand.service $units/dbus-org.scsiscan1.service
        drop_in scsiscand.service '[Service]' 'ExecStart=' \
                'ExecStart=/run/lab/build/service/scsiscand --policy-dir /run/policy' 'WatchdogSec=5'
        drop_in scsiscan-worker@.service '[Service]' 'ExecStart=' \
                'ExecStart=/run/lab/build/service/worker/scsiscan-worker'
        drop_in scsiscan-fallback.service '[Service]' 'ExecStart=' \
                'ExecStart=sh /run/lab/build/systemd/initramfs_kernel_scan --if-unserved'
        ours='scsiscand.socket scsiscand.service'
}

# Of the packages that FILE.deb depends on, and of those whose triggers it pulls, dpkg's books: with all
# of the outer machine's it takes several times as long. What they depend on themselves is not in there.
keep_books() {
        local outer=/run/lab/outer/var/lib/dpkg books=/var/lib/dpkg pulled=(dbus dbus-broker systemd) name names
        mkdir -p $books/{info,updates,triggers}
        names=$(dpkg-deb --field "$1" Depends | sed 's/([^)]*)//g' | tr -s ',| ' '\n')
        names=$(printf '%s\n' $names "${pulled[@]}" | sort -u)
        # Virtual ones are not known; that dpkg wants a package which is not there, the scenario says.
        dpkg-query --admindir=$outer --status $names 2>/dev/null |
                sed -E '/^(Pre-)?Depends:/d' >$books/status
        for name in format $names; do
                cp $outer/info/"$name"{,.*,:*} $books/info 2>/dev/null
        done
        for name in "${pulled[@]}"; do
                grep " $name/" $outer/triggers/File
        done >$books/triggers/File
        touch $books/triggers/Unincorp
}

# What is written to the outer file system lies in /run/lab/written, as if it were there. The bus has
# not been told of our policy then: what init has mounted is below.
writable() {
        local directory
        modprobe -d /run/lab/modules overlay
        for directory in /usr /etc; do
                mkdir -p {/run/lab/written,/run/lab/overlay,}$directory
                mount -t overlay -o "lowerdir=/run/lab/outer$directory,upperdir=/run/lab/written$directory,workdir=/run/lab/overlay$directory" \
                        overlay $directory
        done
        # An image for containers may have units not started, and manual pages left out.
        rm -f /usr/sbin/policy-rc.d /etc/dpkg/dpkg.cfg.d/*
        keep_books "$LAB_BUILD/package/first.deb"
}

ours=
case $LAB_INIT in
systemd) installed ;;
package) writable ;;
esac
# They look for the outer machine's disks and the like, at each daemon-reload.
mount -t tmpfs tmpfs /usr/lib/systemd/system-generators
# They are after sysinit.target, which would bring the whole outer machine along.
for unit in dbus.socket dbus.service dbus-broker.service polkit.service scsiscan-settled.service; do
        drop_in $unit '[Unit]' 'DefaultDependencies=no'
done
cat >$units/lab.target <<END
[Unit]
DefaultDependencies=no
Wants=systemd-journald.service systemd-udevd.service dbus.socket $ours lab.service
END
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
