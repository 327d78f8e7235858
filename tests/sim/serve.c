/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A worker's requests, answered from the machine: what service/worker/serve.c does with a real one.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "scsi/lun.h"
#include "scsi/vpd.h"
#include "sim/internal.h"

struct records {
        uint8_t *data;
        uint32_t length;
};

G_GNUC_PRINTF(3, 4)
static void record_add(struct records *records, const char *name, const char *format, ...) {
        g_autofree char *value = NULL;
        va_list arguments;

        va_start(arguments, format);
        value = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        g_assert_cmpuint(records->length + strlen(name) + strlen(value) + 2, <=, WORKER_DATA_MAX);
        memcpy(records->data + records->length, name, strlen(name) + 1);
        records->length += (uint32_t)strlen(name) + 1;
        memcpy(records->data + records->length, value, strlen(value) + 1);
        records->length += (uint32_t)strlen(value) + 1;
}

static void record_add_port(struct records *records, const struct target *target) {
        g_autofree char *state = g_ascii_strdown(target->port_state, -1);

        g_strdelimit(state, " ", '-');
        record_add(records, "port", "%u %u %s %s", target->address.channel, target->address.target,
                   state, target->port_name);
}

static int host_read(const struct sim_machine *machine, uint32_t number, struct records *records) {
        const struct host *host = host_find(machine, number);
        g_autofree char *path = NULL;

        if (!host)
                return -ENOENT;
        path = host_path(host);
        record_add(records, "instance", "%" PRIu64, host->instance);
        record_add(records, "proc_name", "%s", host->driver);
        record_add(records, "state", "running");
        record_add(records, "unique_id", "%u", number);
        record_add(records, "scan", "%s", machine->scan_mode);
        record_add(records, "path", "%s", path);
        if (host_class(host))
                record_add(records, host_class(host), "1");
        if (host->port_name)
                record_add(records, "port_name", "%s", host->port_name);
        TREE_FOREACH(node, host->targets) {
                const struct target *target = g_tree_node_value(node);

                if (host->transport == SIM_SAS)
                        record_add(records, "port", "%u %u - %s", target->address.channel,
                                   target->address.target, target->port_name);
                else if (host->transport == SIM_FC || host->transport == SIM_ISCSI)
                        record_add_port(records, target);
        }
        return 0;
}

static void record_add_identity(struct records *records, const struct device *device) {
        g_autoptr(GString) hex = g_string_new(NULL);
        struct scsi_identity identity;
        uint8_t page[512];
        size_t length = unit_page_83(&device->unit, page);

        if (device->unit.naa == 0 && device->unit.designators_length == 0)
                return;
        if (scsi_identity_decode(page, length, &identity) < 0)
                g_assert_not_reached();
        if (identity.name[0])
                record_add(records, "wwid", "%s", identity.name);
        scsi_identity_done(&identity);
        for (size_t i = 0; i < length; i++)
                g_string_append_printf(hex, "%02x", page[i]);
        record_add(records, "vpd_pg83_hex", "%s", hex->str);
}

static void record_add_disk(struct records *records, const struct device *device) {
        g_autofree char *name = disk_name(device);
        unsigned major, minor;

        disk_device_number(device, &major, &minor);
        record_add(records, "block", "%s", name);
        record_add(records, "size", "%" G_GUINT64_FORMAT, device->unit.size);
        record_add(records, "block_size", "%u", device->unit.block_size);
        record_add(records, "dev", "%u:%u", major, minor);
        for (guint i = 0; i < device->holders->len; i++)
                record_add(records, "holder", "%s", (char *)g_ptr_array_index(device->holders, i));
}

static int device_read(const struct sim_machine *machine, const struct scsi_address *address,
                       struct records *records) {
        const struct device *device = device_find(machine, address);
        const struct sim_unit *unit;

        if (!device)
                return -ENOENT;
        unit = &device->unit;
        record_add(records, "instance", "%" PRIu64, device->instance);
        record_add(records, "vendor", "%-8s", unit->vendor);
        record_add(records, "model", "%-16s", unit->model);
        record_add(records, "rev", "%-4s", unit->revision);
        record_add(records, "type", "%u", unit->type);
        record_add(records, "scsi_level", "%d", device->version + 1);
        record_add(records, "state", "%s", device->state);
        record_add(records, "blacklist", "%s", target_get(machine, &address->target)->blacklist);
        record_add_identity(records, device);
        if (unit->serial[0])
                record_add(records, "vpd_pg80", "1");
        record_add(records, "pq", "%u", unit->qualifier);
        if (device->driver)
                record_add(records, "driver", "%s", device->driver);
        record_add(records, "generic", "sg%u", device->generic);
        if (device->probed)
                record_add_disk(records, device);
        return 0;
}

/* What scsi_scan() and the transport's user_scan() refuse before anything is asked. */
static int scan_check(const struct sim_machine *machine, const struct scsi_target_address *address,
                      bool wildcard, uint64_t lun) {
        const struct host *host = host_find(machine, address->host);
        bool checks;

        if (!host)
                return -ENOENT;
        checks = host->transport != SIM_SAS && host->transport != SIM_ISCSI;
        if (checks && (address->channel > host->max_channel || address->target >= host->max_id))
                return -EINVAL;
        if (wildcard)
                return 0;
        if (!scsi_lun_fits_scan(lun))
                return -EINVAL;
        if (checks && (host->transport == SIM_FC ? lun > host->max_lun : lun >= host->max_lun))
                return -EINVAL;
        return 0;
}

/* With scan=none the transports' own scans do nothing, and say that all is well (kernel-only hosts
 * do scan). */
static bool scan_is_ignored(const struct sim_machine *machine, uint32_t host) {
        enum sim_transport transport = host_get(machine, host)->transport;

        return strcmp(machine->scan_mode, "none") == 0 &&
               (transport == SIM_FC || transport == SIM_SAS || transport == SIM_ISCSI);
}

/* Replies as for a read; sd adds the block device only afterwards, as it does on a real kernel. */
static int attach(struct sim_machine *machine, const struct scsi_address *address,
                  struct worker_reply *reply, struct records *records) {
        struct device *device = NULL;
        int r;

        reply->write_error = scan_check(machine, &address->target, false, address->lun);
        if (reply->write_error == 0 && !scan_is_ignored(machine, address->target.host))
                device = kernel_attach(machine, address);
        r = device_read(machine, address, records);
        if (device)
                kernel_finish_probe(machine, device);
        return r;
}

static enum sim_fate scan_target(struct sim_machine *machine,
                                 const struct scsi_target_address *address,
                                 struct worker_reply *reply) {
        struct target *target = target_find(machine, address);

        reply->write_error = scan_check(machine, address, true, 0);
        reply->error = reply->write_error;
        if (reply->write_error == 0 && target && !scan_is_ignored(machine, address->host) &&
            !kernel_scan_target(machine, target))
                return SIM_HELD;
        return SIM_ANSWERED;
}

static int command(struct sim_machine *machine, const struct worker_request *request,
                   struct worker_reply *reply, uint8_t data[static WORKER_DATA_MAX]) {
        struct device *device = device_find(machine, &request->address);

        if (!device)
                return -ENOENT;
        if (machine->command)
                machine->command(machine->command_userdata, &request->address, &request->command);
        if (manner_of(machine, &request->address) == SIM_TIMES_OUT) {
                machine->commands[request->command.cdb[0]]++;
                reply->host_status = 0x03; /* DID_TIME_OUT */
        } else {
                array_execute(machine, device, &request->command, reply, data);
        }
        return 0;
}

/* The device that is meant: 0, or -errno. */
static int device_pin(const struct sim_machine *machine, const struct worker_request *request,
                      struct device **ret) {
        *ret = device_find(machine, &request->address);
        if (!*ret)
                return -ENOENT;
        return request->instance != 0 && request->instance != (*ret)->instance ? -ESTALE : 0;
}

static int detach(struct sim_machine *machine, const struct worker_request *request) {
        struct device *device;
        int r = device_pin(machine, request, &device);

        if (r < 0)
                return r;
        if (!(request->flags & WORKER_FORCE) && (device->open || device->holders->len > 0))
                return -EBUSY;
        kernel_detach(machine, device);
        return 0;
}

static int change(struct sim_machine *machine, const struct worker_request *request,
                  struct worker_reply *reply, struct records *records) {
        struct device *device;
        int r = device_pin(machine, request, &device);

        if (r < 0)
                return r;
        if (request->kind == WORKER_REFRESH)
                kernel_rescan(machine, device);
        else
                reply->write_error = kernel_set_state(
                        machine, device, request->flags & WORKER_OFFLINE ? "offline" : "running");
        return reply->write_error < 0 ? reply->write_error
                                      : device_read(machine, &request->address, records);
}

/* Detaching flushes the cache, and setting a device to running makes the kernel read it again. */
static bool reaches_the_device(const struct worker_request *request) {
        switch (request->kind) {
        case WORKER_COMMAND:
        case WORKER_ATTACH:
        case WORKER_SCAN_TARGET:
        case WORKER_DETACH:
        case WORKER_REFRESH:
                return true;
        case WORKER_SET_STATE:
                return !(request->flags & WORKER_OFFLINE);
        default:
                return false;
        }
}

uint32_t sim_machine_delay(const struct sim_machine *machine,
                           const struct worker_request *request) {
        const struct target *target = target_find(machine, &request->address.target);

        if (!target || !reaches_the_device(request))
                return 0;
        if (manner_of(machine, &request->address) == SIM_TIMES_OUT &&
            !(request->flags & WORKER_PROVEN_GONE))
                return MAX(request->timeout_ms, target->delay);
        return target->delay;
}

enum sim_fate sim_machine_serve(struct sim_machine *machine, const struct worker_request *request,
                                struct worker_reply *reply, uint8_t data[static WORKER_DATA_MAX]) {
        const struct scsi_address *address = &request->address;
        struct records records = {.data = data};
        enum sim_manner manner = manner_of(machine, address);

        *reply = (struct worker_reply){
                .version = WORKER_VERSION, .kind = request->kind, .id = request->id};
        if (reaches_the_device(request) && manner == SIM_HANGS)
                return SIM_HELD;
        if (reaches_the_device(request) && manner == SIM_DIES)
                return SIM_DIED;
        switch (request->kind) {
        case WORKER_COMMAND:
                reply->error = command(machine, request, reply, data);
                break;
        case WORKER_READ_HOST:
                reply->error = host_read(machine, address->target.host, &records);
                break;
        case WORKER_READ_DEVICE:
                reply->error = device_read(machine, address, &records);
                break;
        case WORKER_ATTACH:
                reply->error = attach(machine, address, reply, &records);
                break;
        case WORKER_SCAN_TARGET:
                if (scan_target(machine, &address->target, reply) == SIM_HELD)
                        return SIM_HELD;
                break;
        case WORKER_DETACH:
                reply->error = detach(machine, request);
                break;
        case WORKER_REFRESH:
        case WORKER_SET_STATE:
                reply->error = change(machine, request, reply, &records);
                break;
        default:
                reply->error = request->version == WORKER_VERSION ? -EINVAL : -EBADMSG;
                return SIM_ANSWERED;
        }
        machine->requests[request->kind]++;
        if (request->kind != WORKER_COMMAND)
                reply->data_length = reply->error == 0 ? records.length : 0;
        return SIM_ANSWERED;
}
