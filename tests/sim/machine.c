/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Building the machine and changing it. */

#include <string.h>

#include "scsi/lun.h"
#include "sim/internal.h"

static int compare_numbers(const void *a, const void *b, void *unused) {
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

static GTree *tree_new(GDestroyNotify free_value) {
        return g_tree_new_full(compare_numbers, NULL, NULL, free_value);
}

static void *tree_find(GTree *tree, uint64_t number) {
        return g_tree_lookup(tree, &number);
}

static void tree_add(GTree *tree, void *value) {
        g_assert_null(g_tree_lookup(tree, value));
        g_tree_insert(tree, value, value);
}

static uint64_t target_key(uint32_t channel, uint32_t target) {
        return (uint64_t)channel << 32 | target;
}

static void device_free(void *device) {
        g_ptr_array_free(((struct device *)device)->holders, TRUE);
        g_free(device);
}

static void target_free(void *value) {
        struct target *target = value;

        g_tree_destroy(target->luns);
        g_tree_destroy(target->devices);
        g_free(target->port_name);
        g_free(target->port_state);
        g_free(target->blacklist);
        g_free(target);
}

static void host_free(void *value) {
        struct host *host = value;

        g_tree_destroy(host->targets);
        g_free(host->driver);
        g_free(host->port_name);
        g_free(host);
}

struct sim_machine *sim_machine_new(uint32_t seed) {
        struct sim_machine *machine = g_new0(struct sim_machine, 1);

        machine->random = g_rand_new_with_seed(seed);
        machine->hosts = tree_new(host_free);
        machine->scan_mode = g_strdup("manual");
        machine->next_session = 1;
        machine->generics = g_byte_array_new();
        machine->disks = g_byte_array_new();
        machine->roms = g_byte_array_new();
        return machine;
}

void sim_machine_free(struct sim_machine *machine) {
        if (!machine)
                return;
        g_tree_destroy(machine->hosts);
        g_byte_array_free(machine->generics, TRUE);
        g_byte_array_free(machine->disks, TRUE);
        g_byte_array_free(machine->roms, TRUE);
        g_rand_free(machine->random);
        g_free(machine->scan_mode);
        g_free(machine);
}

void sim_machine_on_uevent(struct sim_machine *machine, sim_uevent_fn uevent, void *userdata) {
        machine->uevent = uevent;
        machine->userdata = userdata;
}

void sim_machine_on_command(struct sim_machine *machine, sim_command_fn command, void *userdata) {
        machine->command = command;
        machine->command_userdata = userdata;
}

void sim_machine_set_scan_mode(struct sim_machine *machine, const char *mode) {
        g_free(machine->scan_mode);
        machine->scan_mode = g_strdup(mode);
}

struct host *host_find(const struct sim_machine *machine, uint32_t number) {
        return tree_find(machine->hosts, number);
}

struct host *host_get(const struct sim_machine *machine, uint32_t number) {
        struct host *host = host_find(machine, number);

        g_assert_nonnull(host);
        return host;
}

struct target *target_find(const struct sim_machine *machine,
                           const struct scsi_target_address *address) {
        struct host *host = host_find(machine, address->host);

        return host ? tree_find(host->targets, target_key(address->channel, address->target))
                    : NULL;
}

struct target *target_get(const struct sim_machine *machine,
                          const struct scsi_target_address *address) {
        struct target *target = target_find(machine, address);

        g_assert_nonnull(target);
        return target;
}

struct lun *lun_find(const struct target *target, uint64_t number) {
        return tree_find(target->luns, number);
}

static struct lun *lun_make(const struct target *target, uint64_t number) {
        struct lun *lun = lun_find(target, number);

        if (!lun) {
                lun = g_new0(struct lun, 1);
                lun->number = number;
                tree_add(target->luns, lun);
        }
        return lun;
}

struct device *device_find(const struct sim_machine *machine, const struct scsi_address *address) {
        struct target *target = target_find(machine, &address->target);

        return target ? tree_find(target->devices, address->lun) : NULL;
}

enum sim_manner manner_of(const struct sim_machine *machine, const struct scsi_address *address) {
        struct host *host = host_find(machine, address->target.host);
        struct target *target = target_find(machine, &address->target);
        struct lun *lun = target ? lun_find(target, address->lun) : NULL;
        enum sim_manner manner = host ? host->manner : SIM_NORMAL;

        if (target)
                manner = MAX(manner, target->manner);
        return lun ? MAX(manner, lun->manner) : manner;
}

uint32_t sim_add_host(struct sim_machine *machine, const struct sim_host *spec) {
        struct host *host = g_new0(struct host, 1);

        host->instance = ++machine->last_instance;
        while (tree_find(machine->hosts, host->number))
                host->number++;
        host->driver = g_strdup(spec->driver ? spec->driver : "scsi_debug");
        host->port_name = g_strdup(spec->port_name);
        host->transport = spec->transport;
        host->max_channel = spec->max_channel;
        host->max_id = spec->max_id ? spec->max_id : 128;
        host->max_lun = spec->max_lun ? spec->max_lun : SCSI_WLUN_REPORT_LUNS + 1;
        host->targets = tree_new(target_free);
        tree_add(machine->hosts, host);
        kernel_announce_host(machine, host);
        return (uint32_t)host->number;
}

void sim_remove_host(struct sim_machine *machine, uint32_t number) {
        struct host *host = host_get(machine, number);

        kernel_forget_host(machine, host);
        g_tree_remove(machine->hosts, &host->number);
}

struct scsi_target_address sim_add_target(struct sim_machine *machine, uint32_t host_number,
                                          const struct sim_target *spec) {
        struct host *host = host_get(machine, host_number);
        struct target *target = g_new0(struct target, 1);

        target->key = target_key(spec->channel, spec->target);
        target->address = (struct scsi_target_address){host_number, spec->channel, spec->target};
        target->port_name = g_strdup(spec->port_name ? spec->port_name : "");
        target->port_state = g_strdup(host->transport == SIM_ISCSI ? "LOGGED_IN" : "Online");
        target->blacklist = g_strdup(spec->blacklist ? spec->blacklist : "");
        target->quirks = spec->quirks;
        target->version = spec->version ? spec->version : 7;
        target->port_number =
                host->transport == SIM_ISCSI ? machine->next_session++ : host->next_rport++;
        target->luns = tree_new(g_free);
        target->devices = tree_new(device_free);
        tree_add(host->targets, target);
        kernel_announce_port(machine, host, target);
        return target->address;
}

void sim_remove_target(struct sim_machine *machine, struct scsi_target_address address) {
        struct host *host = host_get(machine, address.host);
        struct target *target = target_get(machine, &address);

        kernel_forget_target(machine, host, target);
        g_tree_remove(host->targets, &target->key);
}

void sim_set_port_state(struct sim_machine *machine, struct scsi_target_address address,
                        const char *state) {
        struct target *target = target_get(machine, &address);

        g_free(target->port_state);
        target->port_state = g_strdup(state);
}

struct sim_unit sim_disk(uint32_t number) {
        struct sim_unit unit = {.naa = 0x5000c50000000000 + number, .size = 1 << 30};

        g_snprintf(unit.serial, sizeof(unit.serial), "SIM%05" G_GUINT32_FORMAT, number);
        return unit;
}

static void unit_fill_in(struct sim_unit *unit) {
        if (!unit->vendor[0])
                g_strlcpy(unit->vendor, "SIMULATE", sizeof(unit->vendor));
        if (!unit->model[0])
                g_strlcpy(unit->model, "LOGICAL UNIT", sizeof(unit->model));
        if (!unit->revision[0])
                g_strlcpy(unit->revision, "0001", sizeof(unit->revision));
        if (unit->block_size == 0)
                unit->block_size = 512;
        if (unit->size == 0)
                unit->size = 1 << 30;
}

static void lun_map(struct target *target, uint64_t number, const struct sim_unit *unit) {
        struct lun *lun = lun_make(target, number);

        lun->unit = *unit;
        lun->mapped = true;
        unit_fill_in(&lun->unit);
}

void sim_map(struct sim_machine *machine, struct scsi_target_address address, uint64_t number,
             const struct sim_unit *unit) {
        struct target *target = target_get(machine, &address);

        lun_map(target, number, unit);
        target_attention(target, number, 0x3f, 0x0e);
}

void sim_map_disks(struct sim_machine *machine, struct scsi_target_address address, uint32_t count,
                   uint32_t first_number) {
        struct target *target = target_get(machine, &address);

        g_assert_cmpuint(count, <=, 0x4000);
        for (uint32_t i = 0; i < count; i++) {
                struct sim_unit disk = sim_disk(first_number + i);

                lun_map(target, i < 256 ? i : 0x4000 | i, &disk);
        }
        target_attention(target, UINT64_MAX, 0x3f, 0x0e);
}

void sim_unmap(struct sim_machine *machine, struct scsi_target_address address, uint64_t number) {
        struct target *target = target_get(machine, &address);
        struct lun *lun = lun_find(target, number);

        g_assert_nonnull(lun);
        lun->mapped = false;
        lun->attention_count = 0;
        target_attention(target, number, 0x3f, 0x0e);
}

void sim_resize(struct sim_machine *machine, struct scsi_address address, uint64_t size) {
        struct target *target = target_get(machine, &address.target);
        struct lun *lun = lun_find(target, address.lun);

        g_assert_nonnull(lun);
        lun->unit.size = size;
        if (!(target->quirks & SIM_QUIET))
                lun_push_attention(lun, 0x2a, 0x09);
}

void sim_unit_attention(struct sim_machine *machine, struct scsi_address address, uint8_t asc,
                        uint8_t ascq) {
        lun_push_attention(lun_make(target_get(machine, &address.target), address.lun), asc, ascq);
}

void sim_touch(struct sim_machine *machine, struct scsi_address address) {
        struct device *device = device_find(machine, &address);
        const struct scsi_command test_unit_ready = {.cdb_length = 6};
        struct worker_reply reply = {.version = WORKER_VERSION};
        g_autofree uint8_t *data = g_malloc0(WORKER_DATA_MAX);

        g_assert_nonnull(device);
        array_execute(machine, device, &test_unit_ready, &reply, data);
        machine->commands[SCSI_TEST_UNIT_READY]--; /* not the worker's */
}

void sim_set_host_manner(struct sim_machine *machine, uint32_t host, enum sim_manner manner) {
        host_get(machine, host)->manner = manner;
}

void sim_set_target_manner(struct sim_machine *machine, struct scsi_target_address target,
                           enum sim_manner manner) {
        target_get(machine, &target)->manner = manner;
}

void sim_set_lun_manner(struct sim_machine *machine, struct scsi_address address,
                        enum sim_manner manner) {
        lun_make(target_get(machine, &address.target), address.lun)->manner = manner;
}

void sim_set_target_delay(struct sim_machine *machine, struct scsi_target_address target,
                          uint32_t milliseconds) {
        target_get(machine, &target)->delay = milliseconds;
}

void sim_set_target_quirks(struct sim_machine *machine, struct scsi_target_address target,
                           unsigned quirks) {
        target_get(machine, &target)->quirks = quirks;
}

uint64_t sim_requests(const struct sim_machine *machine, enum worker_request_kind kind) {
        g_assert_cmpuint(kind, <, G_N_ELEMENTS(machine->requests));
        return machine->requests[kind];
}

uint64_t sim_commands(const struct sim_machine *machine, uint8_t opcode) {
        return machine->commands[opcode];
}

bool sim_is_attached(const struct sim_machine *machine, struct scsi_address address) {
        return device_find(machine, &address) != NULL;
}

static void append_address(GString *text, const struct target *target, uint64_t lun) {
        struct scsi_address address = {target->address, lun};
        char buffer[SCSI_ADDRESS_TEXT_MAX];

        g_string_append_printf(text, "%s\n", scsi_address_format(&address, buffer));
}

static void append_attachable(GString *text, const struct target *target) {
        TREE_FOREACH(node, target->luns) {
                const struct lun *lun = g_tree_node_value(node);

                if (lun->mapped && kernel_adds(&lun->unit))
                        append_address(text, target, lun->number);
        }
}

static void append_attached(GString *text, const struct target *target) {
        TREE_FOREACH(node, target->devices) {
                const struct device *device = g_tree_node_value(node);

                append_address(text, target, device->number);
        }
}

static void append_objects(GString *text, const struct target *target) {
        char buffer[SCSI_ADDRESS_TEXT_MAX];

        if (g_tree_nnodes(target->devices) > 0)
                g_string_append_printf(text, "target%s\n",
                                       scsi_target_address_format(&target->address, buffer));
        append_attached(text, target);
}

static char *machine_format(const struct sim_machine *machine, bool hosts,
                            void (*append)(GString *, const struct target *)) {
        GString *text = g_string_new(NULL);

        TREE_FOREACH(host_node, machine->hosts) {
                const struct host *host = g_tree_node_value(host_node);

                if (hosts)
                        g_string_append_printf(text, "host%u\n", (unsigned)host->number);
                TREE_FOREACH(node, host->targets) {
                        append(text, g_tree_node_value(node));
                }
        }
        return g_string_free(text, FALSE);
}

char *sim_attached(const struct sim_machine *machine) {
        return machine_format(machine, false, append_attached);
}

char *sim_attachable(const struct sim_machine *machine) {
        return machine_format(machine, false, append_attachable);
}

char *sim_objects(const struct sim_machine *machine) {
        return machine_format(machine, true, append_objects);
}
