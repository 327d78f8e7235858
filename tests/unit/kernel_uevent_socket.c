/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "kernel/uevent_socket.h"
#include "util/cleanup.h"

#define DISK "/devices/x/host3/target3:0:1/3:0:1:5"
#define ADD "add@" DISK "\0ACTION=add\0DEVPATH=" DISK "\0SUBSYSTEM=scsi\0DEVTYPE=scsi_device"
#define OTHER                                                                                      \
        "add@/devices/virtual/net/x\0ACTION=add\0DEVPATH=/devices/virtual/net/x\0SUBSYSTEM=net"

struct fixture {
        uv_loop_t loop;
        struct uevent_socket *socket;
        int peer;
        guint devices;
        guint resyncs;
        guint devices_at_resync;
        bool close_on_event;
};

static void event_count(const struct event *event, void *userdata) {
        struct fixture *fixture = userdata;

        if (event->kind == EVENT_RESYNC) {
                fixture->resyncs++;
                fixture->devices_at_resync = fixture->devices;
        } else
                fixture->devices++;
        if (fixture->close_on_event) {
                uevent_socket_close(fixture->socket);
                fixture->socket = NULL;
        }
}

static void fixture_open(struct fixture *fixture, int type) {
        int pair[2];

        *fixture = (struct fixture){};
        g_assert_cmpint(uv_loop_init(&fixture->loop), ==, 0);
        g_assert_cmpint(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair), ==, 0);
        fixture->peer = pair[1];
        g_assert_cmpint(
                uevent_socket_open(&fixture->loop, pair[0], event_count, fixture, &fixture->socket),
                ==, 0);
}

static void fixture_close(struct fixture *fixture) {
        uevent_socket_close(fixture->socket);
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
        g_assert_cmpint(uv_loop_close(&fixture->loop), ==, 0);
        if (fixture->peer >= 0)
                close(fixture->peer);
}

static void message_send(const struct fixture *fixture, const char *data, size_t length) {
        g_assert_cmpint(send(fixture->peer, data, length, 0), ==, (ssize_t)length);
}

static void test_receive(void) {
        static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};

        for (size_t i = 0; i < ELEMENTS_OF(types); i++) {
                struct fixture fixture;

                fixture_open(&fixture, types[i]);
                message_send(&fixture, ADD, sizeof(ADD));
                message_send(&fixture, OTHER, sizeof(OTHER));
                message_send(&fixture, "rubbish", sizeof("rubbish"));
                uv_run(&fixture.loop, UV_RUN_NOWAIT);
                g_assert_cmpuint(fixture.devices, ==, 1);
                g_assert_cmpuint(uevent_socket_counters(fixture.socket).received, ==, 2);
                g_assert_cmpuint(uevent_socket_counters(fixture.socket).refused, ==, 1);
                fixture_close(&fixture);
        }
}

static void test_too_long(void) {
        char data[16384] = ADD;
        struct fixture fixture;

        fixture_open(&fixture, SOCK_DGRAM);
        message_send(&fixture, data, sizeof(data));
        message_send(&fixture, ADD, sizeof(ADD));
        uv_run(&fixture.loop, UV_RUN_NOWAIT);
        g_assert_cmpuint(fixture.devices, ==, 1);
        g_assert_cmpuint(uevent_socket_counters(fixture.socket).refused, ==, 1);
        fixture_close(&fixture);
}

/* What was waiting before drain is handled when it returns, or it says that there may be more. */
static void test_drain(void) {
        struct fixture fixture;

        fixture_open(&fixture, SOCK_SEQPACKET);
        for (int i = 0; i < 100; i++)
                message_send(&fixture, ADD, sizeof(ADD));
        g_assert_true(uevent_socket_drain(fixture.socket));
        g_assert_cmpuint(fixture.devices, ==, 100);
        for (int i = 0; i < 200; i++)
                message_send(&fixture, ADD, sizeof(ADD));
        g_assert_false(uevent_socket_drain(fixture.socket));
        g_assert_cmpuint(fixture.devices, <, 300);
        g_assert_true(uevent_socket_drain(fixture.socket));
        g_assert_cmpuint(fixture.devices, ==, 300);
        fixture_close(&fixture);
}

static void test_close_within_event(void) {
        struct fixture fixture;

        fixture_open(&fixture, SOCK_SEQPACKET);
        fixture.close_on_event = true;
        message_send(&fixture, ADD, sizeof(ADD));
        message_send(&fixture, ADD, sizeof(ADD));
        uv_run(&fixture.loop, UV_RUN_NOWAIT);
        g_assert_cmpuint(fixture.devices, ==, 1);
        fixture_close(&fixture);
}

/* A peer that has gone leaves a socket that is always readable: the loop must not spin on it. */
static void test_peer_gone(void) {
        struct fixture fixture;

        fixture_open(&fixture, SOCK_SEQPACKET);
        message_send(&fixture, ADD, sizeof(ADD));
        close(fixture.peer);
        fixture.peer = -1;
        uv_run(&fixture.loop, UV_RUN_DEFAULT); /* returns when nothing is listened to any more */
        g_assert_cmpuint(fixture.devices, ==, 1);
        fixture_close(&fixture);
}

static void test_refuses(void) {
        struct uevent_socket *socket_ = NULL;
        uv_loop_t loop;
        int fds[] = {
                open("/dev/null", O_RDWR | O_CLOEXEC),
                socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
                socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT),
                socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT),
        };
        /* The last one hears what udevd passes on, the one before nothing. */
        const struct sockaddr_nl udev = {.nl_family = AF_NETLINK, .nl_groups = 2};

        g_assert_cmpint(bind(fds[4], (const struct sockaddr *)&udev, sizeof(udev)), ==, 0);
        g_assert_cmpint(uv_loop_init(&loop), ==, 0);
        for (size_t i = 0; i < ELEMENTS_OF(fds); i++) {
                g_assert_cmpint(fds[i], >=, 0);
                g_assert_cmpint(uevent_socket_open(&loop, fds[i], event_count, NULL, &socket_), ==,
                                i == 0 ? -ENOTSOCK : -EINVAL);
                g_assert_cmpint(fcntl(fds[i], F_GETFD), ==, -1); /* taken over, and closed */
        }
        g_assert_cmpint(uv_loop_close(&loop), ==, 0);
}

/* One uevent for each write; false where the kernel does not let us. */
static bool uevent_raise(guint count) {
        _cleanup_(closep) int fd =
                open("/sys/devices/virtual/mem/null/uevent", O_WRONLY | O_CLOEXEC);

        for (guint i = 0; fd >= 0 && i < count; i++)
                if (write(fd, "change", 6) != 6)
                        return false;
        return fd >= 0;
}

/*
 * The overflow itself: a small buffer, more uevents than it holds, and then the socket must still
 * hear. Uevents of /dev/null are not ours, so they are counted and nothing more.
 */
static void test_overflow(void) {
        const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
        struct fixture fixture = {.peer = -1};
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT), small = 8192;
        guint64 before;

        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), ==, 0);
        g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
        g_assert_cmpint(uv_loop_init(&fixture.loop), ==, 0);
        g_assert_cmpint(
                uevent_socket_open(&fixture.loop, fd, event_count, &fixture, &fixture.socket), ==,
                0);
        if (!uevent_raise(200)) {
                g_test_skip("the kernel lets us raise no uevents");
                fixture_close(&fixture);
                return;
        }
        for (int i = 0; i < 10; i++)
                uv_run(&fixture.loop, UV_RUN_NOWAIT);
        before = uevent_socket_counters(fixture.socket).received;
        if (before == 0) {
                g_test_skip("the kernel sends no uevents to this namespace");
                fixture_close(&fixture);
                return;
        }
        g_assert_cmpuint(uevent_socket_counters(fixture.socket).overruns, ==, 1);
        g_assert_cmpuint(fixture.resyncs, ==, 1);
        g_assert_cmpuint(before, <, 200);
        g_assert_true(uevent_raise(3));
        uv_run(&fixture.loop, UV_RUN_NOWAIT);
        g_assert_cmpuint(uevent_socket_counters(fixture.socket).received, >=, before + 3);
        g_assert_cmpuint(fixture.resyncs, ==, 1);
        fixture_close(&fixture);
}

/* A message by unicast from a process is not the kernel's, whatever it says. */
static void test_spoof(void) {
        struct fixture fixture = {.peer = -1};
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
        struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
        socklen_t length = sizeof(address);
        _cleanup_(closep) int sender =
                socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

        g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
        g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &length), ==, 0);
        g_assert_cmpint(uv_loop_init(&fixture.loop), ==, 0);
        g_assert_cmpint(
                uevent_socket_open(&fixture.loop, fd, event_count, &fixture, &fixture.socket), ==,
                0);
        address.nl_groups = 0;
        if (sendto(sender, ADD, sizeof(ADD), 0, (const struct sockaddr *)&address,
                   sizeof(address)) < 0)
                g_test_skip("only the kernel may send here at all");
        else {
                uv_run(&fixture.loop, UV_RUN_NOWAIT);
                g_assert_cmpuint(fixture.devices, ==, 0);
                g_assert_cmpuint(uevent_socket_counters(fixture.socket).refused, ==, 1);
        }
        fixture_close(&fixture);
}

static void test_own(void) {
        struct fixture fixture = {.peer = -1};

        g_assert_cmpint(uv_loop_init(&fixture.loop), ==, 0);
        g_assert_cmpint(
                uevent_socket_open(&fixture.loop, -1, event_count, &fixture, &fixture.socket), ==,
                0);
        uv_run(&fixture.loop, UV_RUN_NOWAIT);
        g_assert_cmpuint(uevent_socket_counters(fixture.socket).overruns, ==, 0);
        fixture_close(&fixture);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/kernel/uevent-socket/receive", test_receive);
        g_test_add_func("/kernel/uevent-socket/too-long", test_too_long);
        g_test_add_func("/kernel/uevent-socket/drain", test_drain);
        g_test_add_func("/kernel/uevent-socket/close-within-event", test_close_within_event);
        g_test_add_func("/kernel/uevent-socket/peer-gone", test_peer_gone);
        g_test_add_func("/kernel/uevent-socket/refuses", test_refuses);
        g_test_add_func("/kernel/uevent-socket/overflow", test_overflow);
        g_test_add_func("/kernel/uevent-socket/spoof", test_spoof);
        g_test_add_func("/kernel/uevent-socket/own", test_own);
        return g_test_run();
}
