/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "util/cleanup.h"
#include "worker/attributes.h"
#include "worker/claim.h"
#include "worker/control.h"
#include "worker/pass_through.h"
#include "worker/serve.h"
#include "worker/sysfs.h"

static int request_check(const struct worker *worker, const struct worker_request *request,
                         size_t length) {
        if (length != sizeof(*request) || request->version != WORKER_VERSION)
                return -EBADMSG;
        if (request->address.target.host != worker->host)
                return -EINVAL;
        if (request->kind == WORKER_COMMAND &&
            (request->timeout_ms == 0 || request->timeout_ms > PASS_THROUGH_TIMEOUT_MAX_MS ||
             !pass_through_allows(&request->command)))
                return -EINVAL;
        return 0;
}

static int device_read(const struct worker *worker, const struct worker_request *request,
                       struct attributes *attributes) {
        _cleanup_(closep) int device = sysfs_pin_device(worker->sysfs, &request->address, 0);

        return device < 0 ? device : attributes_read_device(device, attributes);
}

static bool device_is_gone(int device) {
        return faccessat(device, "type", F_OK, 0) < 0;
}

static int device_detach(const struct worker *worker, const struct worker_request *request,
                         struct worker_reply *reply) {
        _cleanup_(claim_release) struct claim claim = CLAIM_NONE;
        _cleanup_(closep) int device =
                sysfs_pin_device(worker->sysfs, &request->address, request->instance);
        int r = 0;

        if (device < 0)
                return device;
        if (!(request->flags & WORKER_FORCE))
                r = claim_take(device, worker->dev, &claim);
        if (r < 0)
                return device_is_gone(device) ? 0 : r;
        if (request->flags & WORKER_PROVEN_GONE)
                control_forget_cache(device); /* if it cannot, the flush takes its time */
        reply->write_error = control_delete(device);
        return device_is_gone(device) ? 0 : -EEXIST;
}

static int device_change(const struct worker *worker, const struct worker_request *request,
                         struct worker_reply *reply, struct attributes *attributes) {
        _cleanup_(closep) int device =
                sysfs_pin_device(worker->sysfs, &request->address, request->instance);

        if (device < 0)
                return device;
        reply->write_error = request->kind == WORKER_REFRESH
                                     ? control_rescan(device)
                                     : control_set_state(device, request->flags & WORKER_OFFLINE);
        return reply->write_error < 0 ? reply->write_error
                                      : attributes_read_device(device, attributes);
}

static int request_execute(const struct worker *worker, const struct worker_request *request,
                           struct worker_reply *reply, uint8_t data[static WORKER_DATA_MAX]) {
        struct attributes attributes = {.data = (char *)data, .size = WORKER_DATA_MAX};
        int r;

        switch (request->kind) {
        case WORKER_COMMAND:
                return pass_through(worker->sysfs, worker->dev, request, reply, data);
        case WORKER_READ_HOST:
                r = attributes_read_host(worker->sysfs, worker->host, &attributes);
                break;
        case WORKER_READ_DEVICE:
                r = device_read(worker, request, &attributes);
                break;
        case WORKER_ATTACH:
                reply->write_error = control_attach(worker->sysfs, &request->address);
                /* Look even after a failed write: the truth is what is there. */
                r = device_read(worker, request, &attributes);
                break;
        case WORKER_SCAN_TARGET:
                reply->write_error = control_scan_target(worker->sysfs, &request->address.target);
                return reply->write_error;
        case WORKER_DETACH:
                return device_detach(worker, request, reply);
        case WORKER_REFRESH:
        case WORKER_SET_STATE:
                r = device_change(worker, request, reply, &attributes);
                break;
        case WORKER_SET_KERNEL_SCAN:
                return control_set_kernel_scan(worker->sysfs, request->kernel_scan);
        default:
                return -EINVAL;
        }
        if (r == 0)
                reply->data_length = (uint32_t)attributes.length;
        return r;
}

static int reply_send(int socket, struct worker_reply *reply, uint8_t *data) {
        struct iovec parts[] = {{reply, sizeof(*reply)}, {data, reply->data_length}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = ELEMENTS_OF(parts)};

        return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int worker_serve(const struct worker *worker) {
        _cleanup_(freep) uint8_t *data = malloc(WORKER_DATA_MAX);

        if (!data)
                return -ENOMEM;
        for (;;) {
                struct worker_request request = {};
                struct worker_reply reply = {.version = WORKER_VERSION};
                /* MSG_TRUNC: the length that was sent, so that a longer message is seen to be one.
                 */
                ssize_t n = recv(worker->socket, &request, sizeof(request), MSG_TRUNC);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 && errno != ECONNRESET ? -errno : 0;
                reply.kind = request.kind;
                reply.id = request.id;
                reply.error = request_check(worker, &request, (size_t)n);
                if (reply.error == 0)
                        reply.error = request_execute(worker, &request, &reply, data);
                r = reply_send(worker->socket, &reply, data);
                if (r < 0)
                        return r == -EPIPE ? 0 : r;
        }
}
