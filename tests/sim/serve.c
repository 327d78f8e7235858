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

static void record_add_bytes(struct records *records, const char *name, const void *value,
                             size_t length) {
        const struct worker_record record = {(uint16_t)strlen(name), (uint16_t)length};
        uint8_t *to = records->data + records->length;

        records->length += (uint32_t)(sizeof(record) + strlen(name) + length);
        g_assert_cmpuint(records->length, <=, WORKER_DATA_MAX);
        memcpy(to, &record, sizeof(record));
        memcpy(to + sizeof(record), name, strlen(name));
        memcpy(to + sizeof(record) + strlen(name), value, length);
}

G_GNUC_PRINTF(3, 4)
static void record_add(struct records *records, const char *name, const char *format, ...) {
        g_autofree char *value = NULL;
        va_list arguments;

        va_start(arguments, format);
        value = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        record_add_bytes(records, name, value, strlen(value));
}

/* What follows is below it. */
G_GNUC_PRINTF(2, 3)
static void record_add_directory(struct records *records, const char *format, ...) {
        g_autofree char *name = NULL;
        va_list arguments;

        va_start(arguments, format);
        name = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        record_add_bytes(records, name, "", 0);
}

/* "naa.<hex>" */
static const char *port_hex(const struct target *target) {
        return g_str_has_prefix(target->port_name, "naa.") ? target->port_name + strlen("naa.")
                                                           : target->port_name;
}

static void record_add_rport(struct records *records, const struct target *target) {
        record_add_directory(records, "class/fc_remote_ports/rport-%u:%u-%u/", target->address.host,
                             target->address.channel, target->port_number);
        record_add(records, "roles", "FCP Target\n");
        record_add(records, "scsi_target_id", "%u\n", target->address.target);
        record_add(records, "port_state", "%s\n", target->port_state);
        record_add(records, "port_name", "0x%s\n", port_hex(target));
}

static void record_add_end_device(struct records *records, const struct target *target) {
        record_add_directory(records, "class/sas_device/end_device-%u:%u/", target->address.host,
                             target->port_number);
        record_add(records, "scsi_target_id", "%u\n", target->address.target);
        record_add(records, "sas_address", "0x%s\n", port_hex(target));
}

/* "<iqn>,t,0x<target portal group>" */
static void record_add_session(struct records *records, const struct target *target) {
        g_auto(GStrv) parts = g_strsplit(target->port_name, ",t,0x", 2);

        record_add_directory(records, "bus/scsi/devices/host%u/session%u/iscsi_session/session%u/",
                             target->address.host, target->port_number, target->port_number);
        record_add(records, "targetname", "%s\n", parts[0] ? parts[0] : "");
        if (parts[0] && parts[1])
                record_add(records, "tpgt", "%" G_GUINT64_FORMAT "\n",
                           g_ascii_strtoull(parts[1], NULL, 16));
        record_add(records, "target_id", "%u\n", target->address.target);
        record_add(records, "state", "%s\n", target->port_state);
}

static int host_read(const struct sim_machine *machine, uint32_t number, struct records *records) {
        const struct host *host = host_find(machine, number);
        g_autofree char *path = NULL, *link = NULL;

        if (!host)
                return -ENOENT;
        path = host_path(host);
        record_add_bytes(records, "instance", &host->instance, sizeof(host->instance));
        link = g_strdup_printf("class/scsi_host/host%u", number);
        record_add(records, link, "../..%s/scsi_host/host%u", path, number);
        record_add(records, "module/scsi_mod/parameters/scan", "%s\n", machine->scan_mode);
        record_add_directory(records, "class/scsi_host/host%u/", number);
        record_add(records, "proc_name", "%s\n", host->driver);
        record_add(records, "state", "running\n");
        record_add(records, "unique_id", "%u\n", number);
        if (host_class(host))
                record_add_directory(records, "class/%s/host%u/", host_class(host), number);
        if (host->port_name)
                record_add(records, "port_name", "%s\n", host->port_name);
        TREE_FOREACH(node, host->targets) {
                const struct target *target = g_tree_node_value(node);

                if (host->transport == SIM_FC)
                        record_add_rport(records, target);
                else if (host->transport == SIM_SAS)
                        record_add_end_device(records, target);
                else if (host->transport == SIM_ISCSI)
                        record_add_session(records, target);
        }
        return 0;
}

static void record_add_identity(struct records *records, const struct device *device) {
        struct scsi_identity identity;
        uint8_t page[512];
        size_t length = unit_page_83(&device->unit, page);

        if (device->unit.naa == 0 && device->unit.designators_length == 0)
                return;
        if (scsi_identity_decode(page, length, &identity) < 0)
                g_assert_not_reached();
        if (identity.name[0])
                record_add(records, "wwid", "%s\n", identity.name);
        scsi_identity_done(&identity);
        record_add_bytes(records, "vpd_pg83", page, length);
}

static void record_add_disk(struct records *records, const struct device *device) {
        g_autofree char *name = disk_name(device);
        unsigned major, minor;

        disk_device_number(device, &major, &minor);
        record_add_directory(records, "block/%s/", name);
        record_add(records, "size", "%" G_GUINT64_FORMAT "\n", device->unit.size / 512);
        record_add(records, "queue/logical_block_size", "%u\n", device->unit.block_size);
        record_add(records, "dev", "%u:%u\n", major, minor);
        for (guint i = 0; i < device->holders->len; i++) {
                const char *holder = g_ptr_array_index(device->holders, i);
                g_autofree char *entry = g_strdup_printf("holders/%s", holder);

                record_add(records, entry, "../../../../virtual/block/%s", holder);
        }
}

static int device_read(const struct sim_machine *machine, const struct scsi_address *address,
                       struct records *records) {
        const struct device *device = device_find(machine, address);
        g_autofree char *generic = NULL;
        const struct sim_unit *unit;
        uint8_t byte;

        if (!device)
                return -ENOENT;
        unit = &device->unit;
        byte = (uint8_t)(unit->qualifier << 5 | (unit->type & 0x1f));
        record_add_bytes(records, "instance", &device->instance, sizeof(device->instance));
        record_add_directory(records, "./");
        record_add(records, "vendor", "%-8s\n", unit->vendor);
        record_add(records, "model", "%-16s\n", unit->model);
        record_add(records, "rev", "%-4s\n", unit->revision);
        record_add(records, "type", "%u\n", unit->type);
        record_add(records, "scsi_level", "%d\n", device->version + 1);
        record_add(records, "state", "%s\n", device->state);
        record_add(records, "blacklist", "%s\n", target_get(machine, &address->target)->blacklist);
        record_add_identity(records, device);
        if (unit->serial[0])
                record_add(records, "vpd_pg80", "%s", unit->serial);
        record_add_bytes(records, "inquiry", &byte, 1);
        if (device->driver)
                record_add(records, "driver", "../../../../../../bus/scsi/drivers/%s",
                           device->driver);
        generic = g_strdup_printf("scsi_generic/sg%u", device->generic);
        record_add(records, generic, "%s", "");
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
