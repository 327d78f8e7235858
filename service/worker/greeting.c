/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "worker/greeting.h"
#include "worker/messages.h"

int worker_greeting_receive(int socket, uint32_t *ret_host) {
        struct worker_greeting greeting;
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } lock;
        struct iovec part = {&greeting, sizeof(greeting)};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = &lock,
                                 .msg_controllen = sizeof(lock)};
        ssize_t n;

        do
                n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (n == 0)
                return -ECONNRESET;
        if (n != sizeof(greeting) || greeting.version != WORKER_VERSION)
                return -EBADMSG;
        if (!CMSG_FIRSTHDR(&message) || CMSG_FIRSTHDR(&message)->cmsg_type != SCM_RIGHTS)
                return -ENOLCK;
        /* The descriptor is never closed: the kernel drops the lock with the process. */
        *ret_host = greeting.host;
        return 0;
}
