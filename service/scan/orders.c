/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/work.h"

/* ---- refreshing, unasked ---- */

static int refresh_device(struct planner *planner, const struct device *device,
                          struct scan_time now) {
        struct device_order *order = calloc(1, sizeof(*order));
        struct target_work *target;
        int r = order ? target_work_get(planner, &device->address.target, &target) : -ENOMEM;

        if (r < 0) {
                free(order);
                return r;
        }
        order->operation = JOB_REFRESH;
        order->instance = device->facts.instance;
        return device_work_order(planner, target, device->address.lun, order, now);
}

int planner_refresh_paths(struct planner *planner, const struct scsi_address *address,
                          struct scan_time now) {
        const struct device *device = topology_device(planner->topology, address), *path;
        int r = 0;

        if (!device || !device->unit)
                return device && judge_of_itself(planner, device, POLICY_WHEN_GROWN)
                               ? refresh_device(planner, device, now)
                               : 0;
        TAILQ_FOREACH (path, &device->unit->devices, unit_entry)
                if (r >= 0 && judge_of_itself(planner, path, POLICY_WHEN_GROWN))
                        r = refresh_device(planner, path, now);
        return r;
}

/* ---- what a job wants done with devices ---- */

struct order_found {
        struct planner *planner;
        const struct device_request *request;
        job_mask jobs;
        unsigned count;
        struct scan_time now;
};

/* An order is for this kernel object and, when it is taken for what it is now, for this unit: what
 * is under the address when its turn comes may be another. */
static int order_pin(struct device_order *order, const struct device *device) {
        if (!device)
                return 0;
        order->instance = device->facts.instance;
        if (order->operation != JOB_ACCEPT)
                return 0;
        order->identity = strdup(device->identity.name ?: "");
        return order->identity ? 0 : -ENOMEM;
}

static int order_device(const struct order_found *found, const struct scsi_address *address) {
        const struct device_request *request = found->request;
        struct device_order *order = calloc(1, sizeof(*order));
        struct target_work *target;
        int r = order ? target_work_get(found->planner, &address->target, &target) : -ENOMEM;

        if (r >= 0 && request->identity) {
                order->identity = strdup(request->identity);
                r = order->identity ? 0 : -ENOMEM;
        }
        if (r >= 0) {
                order->operation = request->operation;
                order->jobs = found->jobs;
                order->force = request->force;
                if (order->operation != JOB_ATTACH)
                        r = order_pin(order, topology_device(found->planner->topology, address));
        }
        if (r < 0) {
                device_order_free(order);
                return r;
        }
        return device_work_order(found->planner, target, address->lun, order, found->now);
}

static int order_found(const struct object_id *id, void *userdata) {
        struct order_found *found = userdata;
        struct scsi_address address = id->address;
        enum object_kind wanted =
                found->request->operation == JOB_ATTACH ? OBJECT_TARGET : OBJECT_DEVICE;

        if (id->kind != wanted)
                return 0;
        if (wanted == OBJECT_TARGET)
                address.lun = found->request->lun;
        found->count++;
        return found->jobs ? order_device(found, &address) : 0;
}

/* Of a target that was never seen there is nothing to find yet: attaching may bring it. */
static int orders_begin(struct order_found *found) {
        const struct device_request *request = found->request;
        struct object_id id = {.kind = OBJECT_TARGET, .address = request->scope->address};

        if (request->operation == JOB_ATTACH && request->scope->kind == SCOPE_TARGET)
                return topology_host(found->planner->topology, id.address.target.host)
                               ? order_found(&id, found)
                               : 0;
        return scope_find(request->scope, found->planner->topology, order_found, found);
}

int planner_order(struct planner *planner, const struct device_request *request,
                  struct scan_time now, uint64_t *ret_job) {
        struct order_found found = {.planner = planner, .request = request, .now = now};
        struct job_order order = {
                .scope = request->scope,
                .scope_text = request->scope_text,
                .operation = request->operation,
                .cause = CAUSE_REQUEST,
                .uid = request->uid,
        };
        struct job *job;
        job_mask bit;
        int r = orders_begin(&found);

        if (r >= 0 && found.count == 0)
                r = -ENOENT;
        if (r >= 0)
                r = jobs_add(planner->jobs, &order, now, &job);
        if (r < 0)
                return r;
        *ret_job = job->id;
        bit = job_bit(job);
        jobs_task_begin(planner->jobs, bit);
        found.jobs = bit;
        r = orders_begin(&found);
        jobs_task_leave(planner->jobs, bit, now);
        return r;
}
