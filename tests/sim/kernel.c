/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel's side: what it attaches, and the uevents it sends of it. */

#include <errno.h>
#include <string.h>

#include "scsi/lun.h"
#include "sim/internal.h"

#define BLIST_NOREPORTLUN "NOREPORTLUN"
#define SCSI_LEVEL_SPC 4 /* the kernel's SCSI_3 */

/* extra: "KEY=value" that go with the event, ended by NULL; or NULL. */
static void emit(struct sim_machine *machine, const char *action, const char *subsystem,
                 const char *devtype, const char *path, const char *const *extra) {
        static const char *const none[] = {NULL};

        if (machine->uevent)
                machine->uevent(machine->userdata, action, path, subsystem, devtype,
                                extra ? extra : none);
}

/* A class device of the same name below its parent: ".../host0/scsi_host/host0". */
static void emit_class(struct sim_machine *machine, const char *action, const char *parent,
                       const char *class) {
        const char *name = strrchr(parent, '/') + 1;
        g_autofree char *path = g_strdup_printf("%s/%s/%s", parent, class, name);

        emit(machine, action, class, NULL, path, NULL);
}

/* Numbers are handed out lowest first, and again after they were given back. */
static unsigned number_take(GByteArray *used) {
        static const uint8_t yes = 1;
        uint8_t *free_one = used->len > 0 ? memchr(used->data, 0, used->len) : NULL;

        if (!free_one) {
                g_byte_array_append(used, &yes, 1);
                return used->len - 1;
        }
        *free_one = 1;
        return (unsigned)(free_one - used->data);
}

char *host_path(const struct host *host) {
        unsigned n = (unsigned)host->number;

        switch (host->transport) {
        case SIM_FC:
        case SIM_SAS:
        case SIM_SPI:
                return g_strdup_printf("/devices/pci0000:00/0000:00:%02x.0/host%u", n + 1, n);
        case SIM_ISCSI:
                return g_strdup_printf("/devices/platform/host%u", n);
        case SIM_PSEUDO:
                break;
        }
        return g_strdup_printf("/devices/pseudo_0/adapter%u/host%u", n, n);
}

/* The target's port: below which its directory is, and which the transport class names. */
static char *port_path(const struct host *host, const struct target *target) {
        g_autofree char *parent = host_path(host);
        const struct scsi_target_address *address = &target->address;

        switch (host->transport) {
        case SIM_FC:
                return g_strdup_printf("%s/rport-%u:%u-%u", parent, address->host, address->channel,
                                       target->port_number);
        case SIM_SAS:
                return g_strdup_printf("%s/port-%u:%u/end_device-%u:%u", parent, address->host,
                                       target->port_number, address->host, target->port_number);
        case SIM_ISCSI:
                return g_strdup_printf("%s/session%u", parent, target->port_number);
        case SIM_SPI:
        case SIM_PSEUDO:
                break;
        }
        return g_steal_pointer(&parent);
}

static char *target_path(const struct sim_machine *machine, const struct target *target) {
        const struct scsi_target_address *address = &target->address;
        g_autofree char *parent = port_path(host_get(machine, address->host), target);

        return g_strdup_printf("%s/target%u:%u:%u", parent, address->host, address->channel,
                               address->target);
}

static char *device_path(const struct sim_machine *machine, const struct device *device) {
        g_autofree char *parent =
                target_path(machine, target_get(machine, &device->address.target));
        char text[SCSI_ADDRESS_TEXT_MAX];

        return g_strdup_printf("%s/%s", parent, scsi_address_format(&device->address, text));
}

const char *host_class(const struct host *host) {
        static const char *const classes[] = {[SIM_PSEUDO] = NULL,
                                              [SIM_SPI] = "spi_host",
                                              [SIM_FC] = "fc_host",
                                              [SIM_SAS] = "sas_host",
                                              [SIM_ISCSI] = "iscsi_host"};

        return classes[host->transport];
}

static void emit_adapter(struct sim_machine *machine, const struct host *host, const char *action,
                         const char *driver) {
        g_autofree char *path =
                g_strdup_printf("/devices/pseudo_0/adapter%u", (unsigned)host->number);

        if (host->transport == SIM_PSEUDO)
                emit(machine, action, "pseudo", NULL, path, (const char *[]){driver, NULL});
}

void kernel_announce_host(struct sim_machine *machine, const struct host *host) {
        g_autofree char *path = host_path(host),
                        *driver = g_strdup_printf("DRIVER=%s", host->driver);
        g_autofree char *queue =
                g_strdup_printf("/devices/virtual/workqueue/scsi_tmf_%u", (unsigned)host->number);

        emit_adapter(machine, host, "add", NULL);
        emit(machine, "add", "workqueue", NULL, queue, NULL);
        emit(machine, "add", "scsi", "scsi_host", path, NULL);
        emit_class(machine, "add", path, "scsi_host");
        if (host_class(host))
                emit_class(machine, "add", path, host_class(host));
        emit_adapter(machine, host, "bind", driver);
}

static void kernel_forget_port(struct sim_machine *machine, const struct host *host,
                               const struct target *target) {
        g_autofree char *path = port_path(host, target), *parent = g_path_get_dirname(path);

        if (host->transport == SIM_FC)
                emit_class(machine, "remove", path, "fc_remote_ports");
        if (host->transport == SIM_ISCSI)
                emit_class(machine, "remove", path, "iscsi_session");
        if (host->transport != SIM_SAS)
                return;
        emit_class(machine, "remove", path, "sas_end_device");
        emit_class(machine, "remove", path, "sas_device");
        emit_class(machine, "remove", parent, "sas_port");
}

void kernel_forget_target(struct sim_machine *machine, const struct host *host,
                          struct target *target) {
        while (g_tree_nnodes(target->devices) > 0)
                kernel_detach(machine, g_tree_node_value(g_tree_node_first(target->devices)));
        kernel_forget_port(machine, host, target);
}

void kernel_forget_host(struct sim_machine *machine, struct host *host) {
        g_autofree char *path = host_path(host);
        g_autofree char *queue =
                g_strdup_printf("/devices/virtual/workqueue/scsi_tmf_%u", (unsigned)host->number);

        TREE_FOREACH(node, host->targets) {
                kernel_forget_target(machine, host, g_tree_node_value(node));
        }
        if (host_class(host))
                emit_class(machine, "remove", path, host_class(host));
        emit_class(machine, "remove", path, "scsi_host");
        emit(machine, "remove", "scsi", "scsi_host", path, NULL);
        emit(machine, "remove", "workqueue", NULL, queue, NULL);
        emit_adapter(machine, host, "unbind", NULL);
        emit_adapter(machine, host, "remove", NULL);
}

/* The port's own directories have no class and no bus, so the kernel tells of their class devices
 * only. */
void kernel_announce_port(struct sim_machine *machine, const struct host *host,
                          const struct target *target) {
        g_autofree char *path = port_path(host, target), *parent = g_path_get_dirname(path);

        if (host->transport == SIM_FC)
                emit_class(machine, "add", path, "fc_remote_ports");
        if (host->transport == SIM_ISCSI)
                emit_class(machine, "add", path, "iscsi_session");
        if (host->transport != SIM_SAS)
                return;
        emit_class(machine, "add", parent, "sas_port");
        emit_class(machine, "add", path, "sas_device");
        emit_class(machine, "add", path, "sas_end_device");
}

bool kernel_adds(const struct sim_unit *unit) {
        return unit->qualifier != 3 && !(unit->qualifier == 1 && unit->type == 0x1f);
}

/* Upper-level drivers bind to qualifier 0 only (scsi_bus_match()). */
static const char *driver_of(const struct sim_unit *unit) {
        static const char *const drivers[0x20] = {
                [0x00] = "sd", [0x01] = "st",  [0x04] = "sr", [0x05] = "sr", [0x07] = "sd",
                [0x08] = "ch", [0x0d] = "ses", [0x0e] = "sd", [0x14] = "sd"};

        return unit->qualifier == 0 ? drivers[unit->type & 0x1f] : NULL;
}

static bool device_has_disk(const struct device *device) {
        return g_strcmp0(device->driver, "sd") == 0 || g_strcmp0(device->driver, "sr") == 0;
}

static GByteArray *disk_numbers(struct sim_machine *machine, const struct device *device) {
        return strcmp(device->driver, "sr") == 0 ? machine->roms : machine->disks;
}

/* sda to sdz, sdaa ... as sd_format_disk_name() counts; sr0 ... */
char *disk_name(const struct device *device) {
        char letters[8];
        size_t at = sizeof(letters) - 1;
        unsigned n = device->disk + 1;

        if (strcmp(device->driver, "sr") == 0)
                return g_strdup_printf("sr%u", device->disk);
        letters[at] = '\0';
        for (; n > 0; n = (n - 1) / 26)
                letters[--at] = (char)('a' + (n - 1) % 26);
        return g_strdup_printf("sd%s", letters + at);
}

/* sd has the majors 8, 65-71 and 128-135, 16 disks in each, and then their further minors
 * (sd_major()). */
void disk_device_number(const struct device *device, unsigned *major, unsigned *minor) {
        unsigned index = device->disk, block = index >> 4 & 0xf;

        if (strcmp(device->driver, "sr") == 0) {
                *major = 11;
                *minor = index;
                return;
        }
        *major = block == 0 ? 8 : block < 8 ? 64 + block : 120 + block;
        *minor = (index & 0xf) << 4 | (index & 0xfff00);
}

static void emit_device(struct sim_machine *machine, const char *action,
                        const struct device *device, const char *cause, bool driver) {
        g_autofree char *path = device_path(machine, device);
        g_autofree char *alias = g_strdup_printf("MODALIAS=scsi:t-0x%02x", device->unit.type);
        g_autofree char *bound = g_strdup_printf("DRIVER=%s", device->driver ? device->driver : "");
        const char *extra[4];
        size_t count = 0;

        if (cause)
                extra[count++] = cause;
        if (driver && device->driver)
                extra[count++] = bound;
        extra[count++] = alias;
        extra[count] = NULL;
        emit(machine, action, "scsi", "scsi_device", path, extra);
}

static void emit_node(struct sim_machine *machine, const char *action, const struct device *device,
                      const char *class, const char *name, unsigned major, unsigned minor) {
        g_autofree char *parent = device_path(machine, device);
        g_autofree char *path = g_strdup_printf("%s/%s/%s", parent, class, name);
        g_autofree char *major_text = g_strdup_printf("MAJOR=%u", major);
        g_autofree char *minor_text = g_strdup_printf("MINOR=%u", minor);
        g_autofree char *node =
                g_strdup_printf("DEVNAME=%s%s", strcmp(class, "bsg") == 0 ? "bsg/" : "", name);

        emit(machine, action, class, strcmp(class, "block") == 0 ? "disk" : NULL, path,
             (const char *[]){major_text, minor_text, node, NULL});
}

static void emit_generic(struct sim_machine *machine, const char *action,
                         const struct device *device) {
        g_autofree char *name = g_strdup_printf("sg%u", device->generic);

        emit_node(machine, action, device, "scsi_generic", name, 21, device->generic);
}

static void emit_bsg(struct sim_machine *machine, const char *action, const struct device *device) {
        char name[SCSI_ADDRESS_TEXT_MAX];

        emit_node(machine, action, device, "bsg", scsi_address_format(&device->address, name), 253,
                  device->generic);
}

static void emit_disk(struct sim_machine *machine, const char *action,
                      const struct device *device) {
        g_autofree char *name = disk_name(device), *bdi = NULL;
        unsigned major, minor;

        disk_device_number(device, &major, &minor);
        bdi = g_strdup_printf("/devices/virtual/bdi/%u:%u", major, minor);
        emit(machine, action, "bdi", NULL, bdi, NULL);
        emit_node(machine, action, device, "block", name, major, minor);
}

static void emit_class_device(struct sim_machine *machine, const char *action,
                              const struct device *device, const char *class) {
        g_autofree char *path = device_path(machine, device);

        emit_class(machine, action, path, class);
}

void kernel_report_attention(struct sim_machine *machine, struct device *device, uint8_t asc,
                             uint8_t ascq) {
        static const struct {
                uint8_t asc, ascq;
                const char *cause;
        } causes[] = {
                {0x3f, 0x03, "SDEV_UA=INQUIRY_DATA_HAS_CHANGED"},
                {0x2a, 0x09, "SDEV_UA=CAPACITY_DATA_HAS_CHANGED"},
                {0x38, 0x07, "SDEV_UA=THIN_PROVISIONING_SOFT_THRESHOLD_REACHED"},
                {0x2a, 0x01, "SDEV_UA=MODE_PARAMETERS_CHANGED"},
                {0x3f, 0x0e, "SDEV_UA=REPORTED_LUNS_DATA_HAS_CHANGED"},
                {0x2a, 0x06, "SDEV_UA=ASYMMETRIC_ACCESS_STATE_CHANGED"},
        };

        if (asc == 0x3f && ascq == 0x03) /* the only one on which the kernel itself looks again */
                kernel_rescan(machine, device);
        if (asc == 0x29)
                emit_device(machine, "change", device, "SDEV_UA=POWER_ON_RESET_OCCURRED", true);
        for (size_t i = 0; i < G_N_ELEMENTS(causes); i++)
                if (causes[i].asc == asc && causes[i].ascq == ascq)
                        emit_device(machine, "change", device, causes[i].cause, true);
}

/* Every nexus starts with a power-on unit attention: sd and sr meet it, others leave it to who
 * comes next. */
static void meet_power_on(struct sim_machine *machine, struct device *device) {
        struct lun *lun = lun_find(target_get(machine, &device->address.target), device->number);

        if (!lun)
                return;
        if (!device_has_disk(device)) {
                lun_push_attention(lun, 0x29, 0x00);
                return;
        }
        lun->attention_count = 0;
        kernel_report_attention(machine, device, 0x29, 0x00);
}

static struct device *device_add(struct sim_machine *machine, struct target *target,
                                 uint64_t number, const struct sim_unit *unit) {
        struct device *device = g_new0(struct device, 1);

        device->number = number;
        device->instance = ++machine->last_instance;
        device->address = (struct scsi_address){target->address, number};
        device->unit = *unit;
        device->version = target->version;
        device->driver = driver_of(unit);
        device->state = g_intern_static_string("running");
        device->generic = number_take(machine->generics);
        device->holders = g_ptr_array_new_with_free_func(g_free);
        if (g_tree_nnodes(target->devices) == 0) {
                g_autofree char *path = target_path(machine, target);

                emit(machine, "add", "scsi", "scsi_target", path, NULL);
        }
        g_tree_insert(target->devices, device, device);
        emit_device(machine, "add", device, NULL, false);
        if (device->driver && !device_has_disk(device))
                emit_device(machine, "bind", device, NULL, true);
        emit_class_device(machine, "add", device, "scsi_device");
        if (g_strcmp0(device->driver, "sd") == 0)
                emit_class_device(machine, "add", device, "scsi_disk");
        meet_power_on(machine, device);
        emit_generic(machine, "add", device);
        emit_bsg(machine, "add", device);
        return device;
}

void kernel_finish_probe(struct sim_machine *machine, struct device *device) {
        if (device->probed || !device_has_disk(device))
                return;
        device->disk = number_take(disk_numbers(machine, device));
        device->probed = true;
        emit_disk(machine, "add", device);
        emit_device(machine, "bind", device, NULL, true);
}

struct device *kernel_attach(struct sim_machine *machine, const struct scsi_address *address) {
        struct target *target = target_find(machine, &address->target);
        struct device *device = device_find(machine, address);
        struct sim_unit unit;

        if (device || !target || !target_is_connected(target))
                return device;
        if (manner_of(machine, address) == SIM_TIMES_OUT)
                return NULL;
        if (!lun_answers(target, address->lun, &unit) || !kernel_adds(&unit))
                return NULL;
        return device_add(machine, target, address->lun, &unit);
}

void kernel_detach(struct sim_machine *machine, struct device *device) {
        struct target *target = target_get(machine, &device->address.target);
        g_autofree char *path = target_path(machine, target);

        emit_bsg(machine, "remove", device);
        emit_generic(machine, "remove", device);
        emit_class_device(machine, "remove", device, "scsi_device");
        if (g_strcmp0(device->driver, "sd") == 0)
                emit_class_device(machine, "remove", device, "scsi_disk");
        if (device->probed)
                emit_disk(machine, "remove", device);
        if (device->driver) {
                g_autofree char *device_directory = device_path(machine, device);

                emit(machine, "unbind", "scsi", "scsi_device", device_directory, NULL);
        }
        emit_device(machine, "remove", device, NULL, false);
        machine->generics->data[device->generic] = 0;
        if (device->probed)
                disk_numbers(machine, device)->data[device->disk] = 0;
        g_tree_remove(target->devices, &device->number);
        if (g_tree_nnodes(target->devices) == 0)
                emit(machine, "remove", "scsi", "scsi_target", path, NULL);
}

/* One LUN of a wildcard scan: whether something answers there. */
static bool scan_lun(struct sim_machine *machine, struct target *target, uint64_t number) {
        struct scsi_address address = {target->address, number};
        struct device *device = kernel_attach(machine, &address);

        if (device)
                kernel_finish_probe(machine, device);
        return device != NULL;
}

static void scan_sequential(struct sim_machine *machine, struct target *target, uint64_t end) {
        for (uint64_t number = 1; number < end; number++)
                if (!scan_lun(machine, target, number))
                        return;
}

static bool target_hangs(const struct sim_machine *machine, const struct target *target) {
        struct scsi_address address = {target->address, 0};

        if (manner_of(machine, &address) >= SIM_HANGS)
                return true;
        TREE_FOREACH(node, target->luns) {
                address.lun = ((struct lun *)g_tree_node_value(node))->number;
                if (manner_of(machine, &address) >= SIM_HANGS)
                        return true;
        }
        return false;
}

/* One LUN that does not respond ends the list (scsi_report_lun_scan()). */
static void scan_list(struct sim_machine *machine, struct target *target, uint64_t max_lun) {
        g_autoptr(GArray) list = target_list(target);

        for (guint i = 0; i < list->len; i++) {
                struct scsi_address address = {target->address, g_array_index(list, uint64_t, i)};

                if (manner_of(machine, &address) == SIM_TIMES_OUT)
                        return;
                if (address.lun <= max_lun)
                        scan_lun(machine, target, address.lun);
        }
}

/* __scsi_scan_target() with a wildcard: LUN 0 first; if anything is there, what REPORT LUNS says.
 */
bool kernel_scan_target(struct sim_machine *machine, struct target *target) {
        const struct host *host = host_get(machine, target->address.host);
        struct scsi_address lun_0 = {target->address, 0};
        bool old = target->version + 1 < SCSI_LEVEL_SPC;
        struct sim_unit unit;

        if (target_hangs(machine, target))
                return false;
        if (manner_of(machine, &lun_0) == SIM_TIMES_OUT || !target_is_connected(target) ||
            !lun_answers(target, 0, &unit))
                return true;
        if (target->quirks & SIM_LIE_LENGTH)
                return false; /* the kernel asks for a buffer of 4 GiB, and never ends */
        scan_lun(machine, target, 0);
        if (old || target->quirks & SIM_NO_REPORT_LUNS ||
            strstr(target->blacklist, BLIST_NOREPORTLUN))
                scan_sequential(machine, target, old ? 8 : 256);
        else
                scan_list(machine, target, host->max_lun);
        return true;
}

void sim_kernel_scan(struct sim_machine *machine) {
        TREE_FOREACH(host_node, machine->hosts) {
                TREE_FOREACH(node, ((struct host *)g_tree_node_value(host_node))->targets) {
                        kernel_scan_target(machine, g_tree_node_value(node));
                }
        }
}

void kernel_rescan(struct sim_machine *machine, struct device *device) {
        const struct target *target = target_get(machine, &device->address.target);
        g_autofree char *parent = NULL, *name = NULL, *path = NULL;
        struct sim_unit unit;
        bool resized;

        /* Without an answer, the old data stays. */
        if (!device_is_online(device) || !target_is_connected(target) ||
            manner_of(machine, &device->address) != SIM_NORMAL ||
            !lun_answers(target, device->number, &unit) || unit.qualifier == 3)
                return;
        resized = unit.size != device->unit.size;
        device->unit.size = unit.size;
        device->unit.naa = unit.naa;
        device->unit.designators_length = unit.designators_length;
        memcpy(device->unit.designators, unit.designators, sizeof(unit.designators));
        memcpy(device->unit.serial, unit.serial, sizeof(unit.serial));
        if (!resized || !device->probed)
                return;
        parent = device_path(machine, device);
        name = disk_name(device);
        path = g_strdup_printf("%s/block/%s", parent, name);
        emit(machine, "change", "block", "disk", path, (const char *[]){"RESIZE=1", NULL});
}

/* store_state_field(): between these two only. */
int kernel_set_state(struct sim_machine *machine, struct device *device, const char *state) {
        const char *before = device->state;

        if (strcmp(before, "running") != 0 && strcmp(before, "offline") != 0)
                return -EINVAL;
        device->state = g_intern_string(state);
        if (strcmp(before, "offline") == 0 && strcmp(state, "running") == 0)
                kernel_rescan(machine, device);
        return 0;
}

void sim_kernel_rescan(struct sim_machine *machine, struct scsi_address address) {
        struct device *device = device_find(machine, &address);

        g_assert_nonnull(device);
        kernel_rescan(machine, device);
}

bool sim_attach_by_hand(struct sim_machine *machine, struct scsi_address address) {
        target_get(machine, &address.target);
        return scan_lun(machine, target_find(machine, &address.target), address.lun);
}

void sim_detach_by_hand(struct sim_machine *machine, struct scsi_address address) {
        struct device *device = device_find(machine, &address);

        g_assert_nonnull(device);
        kernel_detach(machine, device);
}

void sim_set_device_state(struct sim_machine *machine, struct scsi_address address,
                          const char *state) {
        struct device *device = device_find(machine, &address);

        g_assert_nonnull(device);
        device->state = g_intern_string(state);
}

void sim_set_holder(struct sim_machine *machine, struct scsi_address address, const char *holder) {
        struct device *device = device_find(machine, &address);

        g_assert_nonnull(device);
        if (holder)
                g_ptr_array_add(device->holders, g_strdup(holder));
        else
                g_ptr_array_set_size(device->holders, 0);
}

void sim_set_open(struct sim_machine *machine, struct scsi_address address, bool open) {
        struct device *device = device_find(machine, &address);

        g_assert_nonnull(device);
        device->open = open;
}

bool sim_is_in_use(const struct sim_machine *machine, struct scsi_address address) {
        const struct device *device = device_find(machine, &address);

        return device && (device->open || device->holders->len > 0);
}
