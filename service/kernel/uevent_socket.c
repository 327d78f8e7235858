/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/uevent.h"
#include "kernel/uevent_socket.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/message_id.h"

/* What udevd asks for; the default of 208 KiB holds 256 uevents, fewer than one target with its
 * LUNs raises. */
#define RECEIVE_BUFFER (128 * 1024 * 1024)
/* Messages read at once, so that a flood does not keep the loop from all else. */
#define TURN_MAX 128

#define KERNEL_GROUP 1
/* What the kernel shows for a user id that this user namespace does not map (fs.overflowuid's
 * default). */
#define OVERFLOW_UID 65534

struct uevent_socket {
        uv_poll_t poll;
        int fd;
        bool netlink;
        bool root_unmapped; /* in a user namespace, where the kernel's root may be nobody */
        bool lost;          /* overflowed, and not yet read empty */
        bool closed;
        uevent_handler handler;
        void *userdata;
        struct uevent_counters counters;
        char buffer[UEVENT_MAX];
};

static int netlink_open(void) {
        const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
        const int one = 1, size = RECEIVE_BUFFER;
        _cleanup_(closep) int fd =
                socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
                (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        /* Before bind(): nothing may come in without its sender's credentials. */
        if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0)
                return -errno;
        if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int option_get(int fd, int option) {
        int value;
        socklen_t length = sizeof(value);

        return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -errno : value;
}

/* A socket that somebody else has opened is of use if the kernel's own messages come to it, and not
 * only what udevd passes on. */
static bool hears_kernel(int fd) {
        struct sockaddr_nl address = {};
        socklen_t length = sizeof(address);

        return getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
               address.nl_groups & KERNEL_GROUP;
}

/* 1 for the uevent socket, 0 for a local one. */
static int socket_check(int fd) {
        const int one = 1;
        int domain = option_get(fd, SO_DOMAIN), type = option_get(fd, SO_TYPE);
        bool netlink =
                domain == AF_NETLINK && option_get(fd, SO_PROTOCOL) == NETLINK_KOBJECT_UEVENT;

        if (domain < 0)
                return domain;
        if (!netlink && (domain != AF_UNIX || (type != SOCK_DGRAM && type != SOCK_SEQPACKET)))
                return -EINVAL;
        if (netlink && !hears_kernel(fd))
                return -EINVAL;
        if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0 ||
            fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                return -errno;
        return netlink;
}

static bool root_is_unmapped(void) {
        FILE *file = fopen("/proc/self/uid_map", "re");
        unsigned inside, outside, count;
        bool whole;

        if (!file)
                return false; /* a kernel without user namespaces */
        whole = fscanf(file, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 &&
                outside == 0;
        fclose(file);
        return !whole;
}

static bool sender_is_kernel(const struct uevent_socket *socket, const struct msghdr *message) {
        const struct sockaddr_nl *from = message->msg_name;
        const struct cmsghdr *control = CMSG_FIRSTHDR(message);
        struct ucred credentials;

        if (!control || control->cmsg_level != SOL_SOCKET ||
            control->cmsg_type != SCM_CREDENTIALS ||
            control->cmsg_len != CMSG_LEN(sizeof(credentials)))
                return false;
        memcpy(&credentials, CMSG_DATA(control), sizeof(credentials));
        if (!socket->netlink)
                return credentials.uid == 0 || credentials.uid == geteuid();
        /* Anybody may send to our port by unicast; only the kernel, as port 0, is let into its
         * group. */
        if (message->msg_namelen != sizeof(*from) || from->nl_pid != 0 ||
            from->nl_groups != KERNEL_GROUP)
                return false;
        return credentials.uid == 0 || (socket->root_unmapped && credentials.uid == OVERFLOW_UID);
}

/* 1 with a message of *ret_length bytes from the kernel, 0 for one to be skipped, -errno. */
static int message_receive(struct uevent_socket *socket, size_t *ret_length) {
        struct sockaddr_nl from = {};
        struct iovec data = {socket->buffer, sizeof(socket->buffer)};
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
        struct msghdr message = {
                .msg_name = socket->netlink ? &from : NULL,
                .msg_namelen = socket->netlink ? sizeof(from) : 0,
                .msg_iov = &data,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof(control),
        };
        ssize_t n = recvmsg(socket->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (n < 0)
                return -errno;
        if (n == 0 && !socket->netlink)
                return -ECONNRESET;
        *ret_length = (size_t)n;
        return !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
               sender_is_kernel(socket, &message);
}

static void message_handle(struct uevent_socket *socket, size_t length) {
        struct uevent uevent;
        struct event event;

        if (uevent_parse(socket->buffer, length, &uevent) < 0) {
                socket->counters.refused++;
                return;
        }
        socket->counters.received++;
        if (uevent_map(&uevent, &event))
                socket->handler(&event, socket->userdata);
}

/*
 * From the overflow until its queue is empty the socket is congested, and the kernel drops
 * everything without another word (netlink_overrun(), netlink_rcv_wake(),
 * net/netlink/af_netlink.c). What happened meanwhile is only seen by a look that begins after that.
 */
static void emptied(struct uevent_socket *socket) {
        const struct event event = {.kind = EVENT_RESYNC};

        if (!socket->lost)
                return;
        socket->lost = false;
        socket->handler(&event, socket->userdata);
}

static void overflowed(struct uevent_socket *socket) {
        socket->counters.overruns++;
        socket->lost = true;
        log_write(
                LOG_WARNING, &(struct log_fields){.message_id = MESSAGE_ID_UEVENTS_LOST},
                "The kernel sent uevents faster than they were read, some are lost; looking at everything again");
}

enum heard {
        HEARD_ALL,
        HEARD_SOME, /* there may be more */
        HEARD_LAST, /* nothing will ever come out of the socket again */
};

static enum heard socket_read(struct uevent_socket *socket) {
        for (unsigned i = 0; i < TURN_MAX && !socket->closed; i++) {
                size_t length = 0;
                int r = message_receive(socket, &length);

                if (r == -EAGAIN) {
                        emptied(socket);
                        return HEARD_ALL;
                }
                if (r == -ENOBUFS)
                        overflowed(socket);
                else if (r < 0 && r != -EINTR && r != -ENOMEM) {
                        log_write(LOG_ERR,
                                  &(struct log_fields){.message_id = MESSAGE_ID_UEVENTS_DEAF,
                                                       .error = r},
                                  "Cannot read uevents any more: %s", strerror(-r));
                        return HEARD_LAST;
                } else if (r == 0)
                        socket->counters.refused++;
                else if (r > 0)
                        message_handle(socket, length);
        }
        return HEARD_SOME;
}

/*
 * An overflow raises POLLERR, on which libuv has already stopped the handle when it calls this with
 * UV_EBADF: without being started again it would stay deaf for good.
 */
static void socket_readable(uv_poll_t *poll, int status, int events) {
        struct uevent_socket *socket = poll->data;
        enum heard heard = socket_read(socket);

        if (socket->closed)
                return;
        if (heard == HEARD_LAST)
                uv_poll_stop(poll);
        else if (status < 0)
                uv_poll_start(poll, UV_READABLE, socket_readable);
}

int uevent_socket_open(uv_loop_t *loop, int given, uevent_handler handler, void *userdata,
                       struct uevent_socket **ret) {
        _cleanup_(closep) int fd = given >= 0 ? given : netlink_open();
        _cleanup_(freep) struct uevent_socket *socket = NULL;
        int r = fd < 0 ? fd : socket_check(fd);

        if (r < 0)
                return r;
        socket = calloc(1, sizeof(*socket));
        if (!socket)
                return -ENOMEM;
        socket->netlink = r;
        socket->root_unmapped = root_is_unmapped();
        socket->handler = handler;
        socket->userdata = userdata;
        r = uv_poll_init(loop, &socket->poll, fd);
        if (r < 0)
                return r;
        socket->poll.data = socket;
        socket->fd = TAKE_FD(fd);
        uv_poll_start(&socket->poll, UV_READABLE, socket_readable);
        *ret = TAKE_PTR(socket);
        return 0;
}

static void socket_closed(uv_handle_t *handle) {
        free(handle->data);
}

void uevent_socket_close(struct uevent_socket *socket) {
        if (!socket)
                return;
        socket->closed = true;
        uv_close((uv_handle_t *)&socket->poll, socket_closed);
        close(socket->fd);
}

bool uevent_socket_drain(struct uevent_socket *socket) {
        return socket_read(socket) != HEARD_SOME;
}

struct uevent_counters uevent_socket_counters(const struct uevent_socket *socket) {
        return socket->counters;
}
