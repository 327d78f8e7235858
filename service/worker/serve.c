/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/socket.h>

#include "worker/attributes.h"
#include "worker/control.h"
#include "worker/node.h"
#include "worker/serve.h"
#include "worker/sysfs.h"

static int device_detach(int device, int dev, uint32_t flags, int32_t *write_error) {
        _cleanup_(claim_release) struct claim claim = CLAIM_NONE;
        int r = flags & WORKER_FORCE ? 0 : claim_take(device, dev, &claim);

        if (r < 0)
                return sysfs_object_exists(device) ? r : 0;
        if (flags & WORKER_PROVEN_GONE)
                control_forget_cache(device); /* if it cannot, the flush takes its time */
        *write_error = control_write(device, "delete", "1");
        return sysfs_object_exists(device) ? -EEXIST : 0;
}

static int device_execute(const struct worker *worker, const struct worker_request *request,
                          int device, struct worker_answer *answer) {
        /* store_state_field() wants the newline. */
        const char *state = request->flags & WORKER_OFFLINE ? "offline\n" : "running\n";
        int32_t *write_error = &answer->reply.write_error;
        int r = 0;

        if (request->kind == WORKER_COMMAND)
                return command_send(device, worker->dev, request, answer);
        if (request->kind == WORKER_DETACH)
                return device_detach(device, worker->dev, request->flags, write_error);
        if (request->kind == WORKER_REFRESH)
                r = *write_error = control_write(device, "rescan", "1");
        else if (request->kind == WORKER_SET_STATE)
                r = *write_error = control_write(device, "state", state);
        /* After WORKER_ATTACH even if its write failed: the truth is what is there. */
        return r < 0 ? r : attributes_read_device(device, answer);
}

static bool means_instance(uint32_t kind) {
        return kind == WORKER_DETACH || kind == WORKER_REFRESH || kind == WORKER_SET_STATE;
}

static int request_execute(const struct worker *worker, const struct worker_request *request,
                           size_t length, struct worker_answer *answer) {
        uint64_t instance = means_instance(request->kind) ? request->instance : 0;
        int32_t *write_error = &answer->reply.write_error;
        _cleanup_(closep) int device = -1;

        if (length != sizeof(*request) || request->version != WORKER_VERSION)
                return -EBADMSG;
        if (request->address.target.host != worker->host || request->kind < WORKER_COMMAND ||
            request->kind > WORKER_SET_KERNEL_SCAN ||
            (request->kind == WORKER_COMMAND && !command_allows(request)))
                return -EINVAL;
        if (request->kind == WORKER_READ_HOST)
                return attributes_read_host(worker->sysfs, worker->host, answer);
        if (request->kind == WORKER_SCAN_TARGET)
                return *write_error = control_scan_target(worker->sysfs, &request->address.target);
        if (request->kind == WORKER_SET_KERNEL_SCAN)
                return control_set_kernel_scan(worker->sysfs, request->kernel_scan);
        if (request->kind == WORKER_ATTACH)
                *write_error = control_attach(worker->sysfs, &request->address);
        device = sysfs_pin_device(worker->sysfs, &request->address, instance);
        return device < 0 ? device : device_execute(worker, request, device, answer);
}

int worker_serve(const struct worker *worker) {
        _cleanup_(freep) struct worker_answer *answer = malloc(sizeof(*answer));

        if (!answer)
                return -ENOMEM;
        for (;;) {
                struct worker_request request = {};
                struct worker_reply *reply = &answer->reply;
                /* MSG_TRUNC: the length that was sent, so that a longer message is seen to be one.
                 */
                ssize_t n = recv(worker->socket, &request, sizeof(request), MSG_TRUNC);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 && errno != ECONNRESET ? -errno : 0;
                *reply = (struct worker_reply){
                        .version = WORKER_VERSION, .kind = request.kind, .id = request.id};
                reply->error = request_execute(worker, &request, (size_t)n, answer);
                if (reply->error < 0)
                        reply->data_length = 0;
                n = send(worker->socket, answer, sizeof(*reply) + reply->data_length, MSG_NOSIGNAL);
                if (n < 0)
                        return errno == EPIPE ? 0 : -errno;
        }
}
