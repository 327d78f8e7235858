/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A worker that behaves as its host's number says, see kernel_fake_hosts.h. It touches no device,
 * and ends by itself after some seconds whatever happens to the test.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "kernel_fake_hosts.h"
#include "record_support.h"
#include "util/cleanup.h"
#include "worker/greeting.h"
#include "worker/messages.h"

#define LIFE_SECONDS 10

static void reply_send(const struct worker_request *request, struct worker_reply reply) {
        uint8_t data[256];
        struct iovec parts[2];

        reply.kind = request->kind;
        if (reply.version == 0)
                reply.version = WORKER_VERSION;
        if (reply.id == 0)
                reply.id = request->id;
        if (reply.error == 0 && request->kind == WORKER_READ_HOST)
                reply.data_length = (uint32_t)records_put(
                        data, RECORDS("class/scsi_host/host1/\0\0proc_name\0fake\0state\0running"));
        else if (reply.error == 0 && request->kind != WORKER_COMMAND)
                reply.data_length = (uint32_t)records_put(
                        data, RECORDS("./\0\0vendor\0Fake\0type\0000\0block/sda/\0\0dev\000250:1"));
        parts[0] = (struct iovec){&reply, sizeof(reply)};
        parts[1] = (struct iovec){data, reply.data_length};
        if (writev(WORKER_SOCKET_FD, parts, ELEMENTS_OF(parts)) < 0)
                _exit(0);
}

static struct worker_request request_receive(int flags) {
        struct worker_request request = {};
        ssize_t n = recv(WORKER_SOCKET_FD, &request, sizeof(request), flags);

        if (n < 0 && errno == EAGAIN)
                return request;
        if (n != sizeof(request))
                _exit(0);
        return request;
}

/* Does not even notice at once that nobody speaks to it any more. */
static void hang(void) {
        struct pollfd socket = {.fd = WORKER_SOCKET_FD, .events = POLLRDHUP};

        while (poll(&socket, 1, -1) < 0)
                ;
        usleep(FAKE_LINGERS_MSEC * 1000);
        _exit(0);
}

/*
 * A process that SIGKILL does not end, as one in an uninterruptible sleep: while it is traced, its
 * parent does not see it end; the tracer also keeps the lock that it inherited. False when no
 * process may be traced here.
 */
static bool undead_become(void) {
        pid_t self = getpid(), tracer;
        int pair[2];
        char ok = 0;

        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
                return false;
        tracer = fork();
        if (tracer == 0) {
                /* Not before the prctl() below. */
                ok = (char)(read(pair[1], &ok, 1) == 1 && ptrace(PTRACE_SEIZE, self, 0, 0) == 0);
                if (write(pair[1], &ok, 1) == 1 && ok)
                        usleep(FAKE_UNDEAD_MSEC * 1000);
                _exit(0);
        }
        prctl(PR_SET_PTRACER, tracer);
        return tracer > 0 && write(pair[0], "", 1) == 1 && read(pair[0], &ok, 1) == 1 && ok;
}

/* The worker's descriptors are 0 to 3 and what came through the last: the lock of its host. */
static int descriptors_check(unsigned host) {
        DIR *list = opendir("/proc/self/fd");
        char path[PATH_MAX], expected[32];
        const struct dirent *entry;
        int strangers = 0;
        ssize_t n = readlink("/proc/self/fd/4", path, sizeof(path) - 1);

        while ((entry = readdir(list)))
                if (atoi(entry->d_name) > 4 && atoi(entry->d_name) != dirfd(list))
                        strangers++;
        closedir(list);
        if (n < 0)
                return -errno;
        path[n] = '\0';
        snprintf(expected, sizeof(expected), "/host%u.lock", host);
        return strangers > 0 || !strstr(path, expected) ? -EBADF : 0;
}

/* How many requests are there at once, as the error of each. */
static void count_serve(void) {
        struct worker_request requests[2 * WORKER_THREADS];
        int count = 1;

        requests[0] = request_receive(0);
        usleep(50000);
        while (count < (int)ELEMENTS_OF(requests) &&
               (requests[count] = request_receive(MSG_DONTWAIT)).version != 0)
                count++;
        for (int i = 0; i < count; i++)
                reply_send(&requests[i], (struct worker_reply){.error = -count});
}

static void request_serve(unsigned host, unsigned served, const struct worker_request *request) {
        uint64_t lun = request->address.lun;

        if (host == FAKE_DIES || (host == FAKE_DIES_LATER && served % 2 == 1))
                _exit(7);
        if (host == FAKE_WRONG_ID)
                reply_send(request, (struct worker_reply){.id = request->id + 1000});
        else if (host == FAKE_WRONG_VERSION)
                reply_send(request, (struct worker_reply){.version = WORKER_VERSION + 1});
        else if (host == FAKE_DESCRIPTORS)
                reply_send(request, (struct worker_reply){.error = descriptors_check(host)});
        else if (host == FAKE_CLOSES) {
                close(WORKER_SOCKET_FD);
                for (;;)
                        pause();
        } else if (host == FAKE_HANGS && lun == FAKE_LUN_HANGS)
                hang();
        else if (host == FAKE_HANGS && lun == FAKE_LUN_UNDEAD) {
                if (undead_become())
                        hang();
                reply_send(request, (struct worker_reply){.error = -EPERM});
        } else
                reply_send(request, (struct worker_reply){});
}

int main(void) {
        uint32_t host;

        alarm(LIFE_SECONDS);
        if (worker_greeting_receive(WORKER_SOCKET_FD, &host) < 0 || host == FAKE_DIES_AT_ONCE)
                return 3;
        for (unsigned served = 0;; served++) {
                struct worker_request request;

                if (host == FAKE_COUNTS) {
                        count_serve();
                        continue;
                }
                request = request_receive(0);
                request_serve(host, served, &request);
        }
}
