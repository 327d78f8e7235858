/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "kernel/worker_process.h"
#include "util/cleanup.h"

#define WORKER_LOCK_FD (WORKER_SOCKET_FD + 1)

struct worker_process {
        uv_process_t process;
        uv_poll_t poll;
        int socket; /* -1 when shut */
        bool discarded;
        unsigned open_handles;
        struct worker_buffer *buffer;
        struct worker_process_handler handler;
};

static void handle_closed(uv_handle_t *handle) {
        struct worker_process *process = handle->data;

        if (--process->open_handles == 0)
                free(process);
}

void worker_process_shut(struct worker_process *process) {
        if (process->socket < 0)
                return;
        uv_close((uv_handle_t *)&process->poll, handle_closed);
        close(process->socket);
        process->socket = -1;
}

void worker_process_discard(struct worker_process *process) {
        if (!process)
                return;
        process->discarded = true;
        worker_process_shut(process);
        uv_close((uv_handle_t *)&process->process, handle_closed);
}

void worker_process_kill(struct worker_process *process) {
        (void)uv_process_kill(&process->process, SIGKILL); /* -ESRCH: it is gone already */
}

static bool reply_is_sound(const struct worker_reply *reply, size_t length) {
        return length >= sizeof(*reply) && reply->version == WORKER_VERSION &&
               reply->data_length <= WORKER_DATA_MAX &&
               length == sizeof(*reply) + reply->data_length &&
               reply->sense_length <= WORKER_SENSE_MAX;
}

/* 1 with a reply in the buffer, -EAGAIN when none is waiting, -errno when none will come. */
static int reply_receive(struct worker_process *process) {
        struct worker_buffer *buffer = process->buffer;
        struct iovec parts[] = {{&buffer->reply, sizeof(buffer->reply)},
                                {buffer->data, sizeof(buffer->data)}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = ELEMENTS_OF(parts)};
        ssize_t n;

        do
                n = recvmsg(process->socket, &message, MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (n == 0)
                return -ECONNRESET;
        if ((message.msg_flags & MSG_TRUNC) || !reply_is_sound(&buffer->reply, (size_t)n))
                return -EBADMSG;
        return 1;
}

/* One more than can be in flight: whoever sends more than it was asked for is shut by its owner. */
void worker_process_receive(struct worker_process *process) {
        for (int i = 0; i <= WORKER_THREADS && process->socket >= 0; i++) {
                int r = reply_receive(process);

                if (r == -EAGAIN)
                        return;
                if (r < 0) {
                        worker_process_shut(process);
                        process->handler.hung_up(process->handler.userdata);
                        return;
                }
                process->handler.replied(&process->buffer->reply, process->buffer->data,
                                         process->handler.userdata);
        }
}

/* With a status below zero libuv has stopped the handle: the socket is broken, and reading says so.
 */
static void socket_readable(uv_poll_t *poll, int status, int events) {
        struct worker_process *process = poll->data;

        worker_process_receive(process);
        if (status < 0 && process->socket >= 0) {
                worker_process_shut(process);
                process->handler.hung_up(process->handler.userdata);
        }
}

static void process_exited(uv_process_t *handle, int64_t status, int signal) {
        struct worker_process *process = handle->data;

        if (!process->discarded)
                process->handler.exited(status, signal, process->handler.userdata);
}

static int process_spawn(uv_loop_t *loop, const struct worker_process_config *config, int socket,
                         uv_process_t *process) {
        char number[11], *sysfs_option = (char[]){"--sysfs"};
        char *arguments[] = {(char *)config->worker, number, sysfs_option, (char *)config->sysfs,
                             NULL};
        uv_stdio_container_t stdio[] = {
                {.flags = UV_IGNORE},
                {.flags = UV_INHERIT_FD, .data.fd = STDOUT_FILENO},
                {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
                [WORKER_SOCKET_FD] = {.flags = UV_INHERIT_FD, .data.fd = socket},
                [WORKER_LOCK_FD] = {.flags = UV_INHERIT_FD, .data.fd = config->lock_fd},
        };
        const uv_process_options_t options = {
                .exit_cb = process_exited,
                .file = config->worker,
                .args = arguments,
                .stdio_count = ELEMENTS_OF(stdio),
                .stdio = stdio,
        };

        snprintf(number, sizeof(number), "%" PRIu32, config->host);
        return uv_spawn(loop, process, &options);
}

int worker_process_start(uv_loop_t *loop, const struct worker_process_config *config,
                         const struct worker_process_handler *handler,
                         struct worker_process **ret) {
        _cleanup_(closep) int ours = -1, theirs = -1;
        struct worker_process *process;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];
        process = calloc(1, sizeof(*process));
        if (!process)
                return -ENOMEM;
        *process = (struct worker_process){
                .socket = -1, .handler = *handler, .buffer = config->buffer};
        process->process.data = process;
        /* The handle belongs to the loop also when nothing was started. */
        process->open_handles = 1;
        r = process_spawn(loop, config, theirs, &process->process);
        if (r == 0)
                r = uv_poll_init(loop, &process->poll, ours);
        if (r < 0) {
                worker_process_discard(process);
                return r;
        }
        process->poll.data = process;
        process->open_handles++;
        process->socket = TAKE_FD(ours);
        uv_poll_start(&process->poll, UV_READABLE, socket_readable);
        *ret = process;
        return 0;
}

int worker_process_send(struct worker_process *process, const struct worker_request *request) {
        ssize_t n = send(process->socket, request, sizeof(*request), MSG_DONTWAIT | MSG_NOSIGNAL);

        return n < 0 ? -errno : 0;
}
