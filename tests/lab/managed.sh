# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The words of vocabulary.sh that mean something else where systemd runs the service.

# unit_property NAME: of the service
unit_property() {
        systemctl show --property "$1" --value scsiscand.service
}

start_bus() {
        wait_until '[[ -S /run/dbus/system_bus_socket ]]' 10
}

# start_service: it is already, or soon will be: waits until it has looked at the whole machine once
start_service() {
        (($# == 0)) || fail "systemd gives the service no options"
        systemctl start scsiscand.service
        service_pid=$(unit_property MainPID)
        ((service_pid)) || fail "the service does not run"
        wait_ready
}

# stop_service: and its socket, which would start it again
stop_service() {
        systemctl stop scsiscand.socket scsiscand.service
        service_pid=
        [[ $(unit_property Result) == success ]] || fail "the service ended with $(unit_property Result)"
        wait_until '! pidof -q scsiscan-worker' 2
}

# kill_service: and another is running in its place, which start_service waits for
kill_service() {
        kill -KILL "$service_pid"
        wait_restarted
}

# wait_restarted: until systemd has seen that it has ended, and has started another
wait_restarted() {
        wait_until '[[ $(unit_property MainPID) != $service_pid && $(unit_property ActiveState) == active ]]' 30
        service_pid=$(unit_property MainPID)
}

# journal FIELD=VALUE...: what the service has said of that
journal() {
        journalctl --sync
        journalctl --quiet --boot --output=cat --unit=scsiscand.service "$@"
}

expect_log() {
        wait_until "journal | grep -qF -- '$1'" "$SOON"
}
