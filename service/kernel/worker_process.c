/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "kernel/worker_process.h"
#include "util/cleanup.h"

struct worker_process {
        uv_process_t child; /* when `spawned` */
        uv_poll_t poll;
        int socket; /* -1 when closed */
        bool spawned;
        bool shut; /* nobody listens any more, but for its end */
        bool discarded;
        unsigned open_handles;
        struct worker_buffer *buffer;
        struct worker_process_handler handler;
};

/* The other end of the socket is closed when the last thread is gone: of a process that is no child
 * nothing else tells. */
static void handle_closed(uv_handle_t *handle) {
        struct worker_process *process = handle->data;

        process->open_handles--;
        if (!process->discarded && !process->spawned)
                process->handler.exited(-1, 0, process->handler.userdata);
        else if (process->discarded && process->open_handles == 0)
                free(process);
}

static void socket_close(struct worker_process *process) {
        uv_close((uv_handle_t *)&process->poll, handle_closed);
        close(process->socket);
        process->socket = -1;
}

void worker_process_shut(struct worker_process *process) {
        if (process->socket < 0 || process->shut)
                return;
        process->shut = true;
        if (process->spawned)
                socket_close(process);
        else
                (void)shutdown(process->socket, SHUT_WR); /* -ENOTCONN: so it is gone, and heard */
}

void worker_process_discard(struct worker_process *process) {
        if (!process)
                return;
        process->discarded = true;
        if (process->socket >= 0)
                socket_close(process);
        if (process->spawned)
                uv_close((uv_handle_t *)&process->child, handle_closed);
        else if (process->open_handles == 0)
                free(process);
}

void worker_process_kill(struct worker_process *process) {
        if (process->spawned)
                (void)uv_process_kill(&process->child, SIGKILL); /* -ESRCH: it is gone already */
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

/* Nothing more will come. Of one that sent what is no reply the end is still waited for. */
static void worker_end(struct worker_process *process, bool ended) {
        bool shut = process->shut;

        worker_process_shut(process);
        if (ended && process->socket >= 0)
                socket_close(process);
        if (!shut)
                process->handler.hung_up(process->handler.userdata);
}

/* One more than can be in flight: whoever sends more than it was asked for is shut by its owner. */
void worker_process_receive(struct worker_process *process) {
        for (int i = 0; i <= WORKER_THREADS && process->socket >= 0; i++) {
                int r = reply_receive(process);

                if (r == -EAGAIN)
                        return;
                if (r < 0 && r != -EBADMSG) {
                        worker_end(process, true);
                        return;
                }
                if (process->shut)
                        continue;
                if (r < 0)
                        worker_end(process, false);
                else
                        process->handler.replied(&process->buffer->reply, process->buffer->data,
                                                 process->handler.userdata);
        }
}

/* With a status below zero libuv has stopped the handle: the socket is broken, and reading says so.
 */
static void socket_readable(uv_poll_t *poll, int status, int events) {
        struct worker_process *process = poll->data;

        worker_process_receive(process);
        if (status < 0 && process->socket >= 0)
                worker_end(process, true);
}

static void process_exited(uv_process_t *handle, int64_t status, int signal) {
        struct worker_process *process = handle->data;

        if (!process->discarded)
                process->handler.exited(status, signal, process->handler.userdata);
}

static int child_spawn(uv_loop_t *loop, const struct worker_process_config *config, int socket,
                       uv_process_t *child) {
        char *arguments[] = {(char *)config->worker, (char *)config->sysfs, NULL};
        uv_stdio_container_t stdio[] = {
                {.flags = UV_IGNORE},
                {.flags = UV_INHERIT_FD, .data.fd = STDOUT_FILENO},
                {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
                [WORKER_SOCKET_FD] = {.flags = UV_INHERIT_FD, .data.fd = socket},
        };
        const uv_process_options_t options = {
                .exit_cb = process_exited,
                .file = config->worker,
                .args = arguments,
                .stdio_count = ELEMENTS_OF(stdio),
                .stdio = stdio,
        };

        return uv_spawn(loop, child, &options);
}

/* Our end of a socket whose other end a new child has: 0, or -errno. */
static int child_start(uv_loop_t *loop, const struct worker_process_config *config,
                       struct worker_process *process, int *ret_socket) {
        _cleanup_(closep) int theirs = -1;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        *ret_socket = pair[0];
        theirs = pair[1];
        /* The handle belongs to the loop also when nothing was started. */
        process->spawned = true;
        process->open_handles++;
        r = child_spawn(loop, config, theirs, &process->child);
        return r < 0 ? r : 0;
}

/* Does not wait: what is said before systemd has started the worker, it finds in its socket. */
static int service_connect(const char *path, int *ret_socket) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_(closep) int fd =
                socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        *ret_socket = TAKE_FD(fd);
        return 0;
}

int worker_process_greet(int socket, uint32_t host, int lock_fd) {
        struct worker_greeting greeting = {.version = WORKER_VERSION, .host = host};
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } lock = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                             .cmsg_level = SOL_SOCKET,
                             .cmsg_type = SCM_RIGHTS}};
        struct iovec part = {&greeting, sizeof(greeting)};
        const struct msghdr message = {.msg_iov = &part,
                                       .msg_iovlen = 1,
                                       .msg_control = &lock,
                                       .msg_controllen = sizeof(lock)};

        memcpy(CMSG_DATA(&lock.header), &lock_fd, sizeof(int));
        return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int worker_process_start(uv_loop_t *loop, const struct worker_process_config *config,
                         const struct worker_process_handler *handler,
                         struct worker_process **ret) {
        struct worker_process *process = calloc(1, sizeof(*process));
        _cleanup_(closep) int socket = -1;
        int r;

        if (!process)
                return -ENOMEM;
        *process = (struct worker_process){
                .socket = -1, .handler = *handler, .buffer = config->buffer};
        process->child.data = process->poll.data = process;
        r = config->socket ? service_connect(config->socket, &socket)
                           : child_start(loop, config, process, &socket);
        if (r == 0)
                r = worker_process_greet(socket, config->host, config->lock_fd);
        if (r == 0)
                r = uv_poll_init(loop, &process->poll, socket);
        if (r < 0) {
                worker_process_discard(process);
                return r;
        }
        process->open_handles++;
        process->socket = TAKE_FD(socket);
        uv_poll_start(&process->poll, UV_READABLE, socket_readable);
        *ret = process;
        return 0;
}

int worker_process_send(struct worker_process *process, const struct worker_request *request) {
        ssize_t n = send(process->socket, request, sizeof(*request), MSG_DONTWAIT | MSG_NOSIGNAL);

        return n < 0 ? -errno : 0;
}
