/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The parts of the simulated machine. Two sides that meet only in commands: the array (hosts'
 * targets and the units mapped behind them, array.c) and the kernel (devices, kernel.c).
 *
 * All trees are keyed by a uint64_t at the start of the value, so that walks are in order.
 */

#include <glib.h>

#include "sim/machine.h"

#define UNIT_ATTENTIONS_MAX 8

struct lun {
        uint64_t number;
        bool mapped;
        struct sim_unit unit;
        enum sim_manner manner;
        uint8_t attentions[UNIT_ATTENTIONS_MAX][2]; /* ASC, ASCQ, oldest first */
        unsigned attention_count;
};

/* What the kernel keeps of a logical unit that it has attached. */
struct device {
        uint64_t number;
        uint64_t instance; /* inode of its directory: never used twice */
        struct scsi_address address;
        struct sim_unit unit; /* as it was probed */
        uint8_t version;
        const char *driver; /* NULL: none bound */
        const char *state;  /* interned */
        unsigned generic;   /* sg number */
        unsigned disk;      /* number among the driver's block devices */
        bool probed;        /* the block device is there */
        bool open;          /* somebody has its sg node or tape open */
        GPtrArray *holders;
};

struct target {
        uint64_t key; /* channel and id */
        struct scsi_target_address address;
        char *port_name;
        char *port_state;
        char *blacklist;
        unsigned port_number; /* of the rport or session */
        unsigned quirks;
        uint8_t version;
        enum sim_manner manner;
        uint32_t delay;
        GTree *luns;
        GTree *devices; /* empty: the kernel has no such target */
};

struct host {
        uint64_t number;
        uint64_t instance;
        char *driver;
        char *port_name;
        enum sim_transport transport;
        uint32_t max_channel, max_id;
        uint64_t max_lun;
        unsigned next_rport;
        enum sim_manner manner;
        GTree *targets;
};

struct sim_machine {
        GRand *random;
        GTree *hosts;
        char *scan_mode;
        unsigned next_session;
        uint64_t last_instance;
        GByteArray *generics, *disks, *roms; /* numbers in use */
        uint64_t requests[WORKER_SET_STATE + 1];
        uint64_t commands[256];
        sim_uevent_fn uevent;
        void *userdata;
        sim_command_fn command;
        void *command_userdata;
};

#define TREE_FOREACH(node, tree)                                                                   \
        for (GTreeNode *node = g_tree_node_first(tree); node; node = g_tree_node_next(node))

static inline bool target_is_connected(const struct target *target) {
        return g_ascii_strcasecmp(target->port_state, "online") == 0 ||
               g_ascii_strcasecmp(target->port_state, "logged_in") == 0;
}

/* The kernel itself refuses commands to a device that is not online (scsi_device_online()). */
static inline bool device_is_online(const struct device *device) {
        return !g_str_has_suffix(device->state, "offline");
}

/* machine.c. `find` gives NULL, `get` aborts. */
struct host *host_find(const struct sim_machine *machine, uint32_t number);
struct host *host_get(const struct sim_machine *machine, uint32_t number);
struct target *target_find(const struct sim_machine *machine,
                           const struct scsi_target_address *address);
struct target *target_get(const struct sim_machine *machine,
                          const struct scsi_target_address *address);
struct lun *lun_find(const struct target *target, uint64_t number);
struct device *device_find(const struct sim_machine *machine, const struct scsi_address *address);
enum sim_manner manner_of(const struct sim_machine *machine, const struct scsi_address *address);

/* kernel.c. The events of ports and hosts; attach returns the device, or NULL when nothing is
 * there. */
/* Whether the kernel adds a unit that answers so, other than a well-known one
 * (scsi_probe_and_add_lun()). */
bool kernel_adds(const struct sim_unit *unit);
char *host_path(const struct host *host);
const char *host_class(const struct host *host); /* "fc_host"; NULL: in none */
void kernel_announce_host(struct sim_machine *machine, const struct host *host);
void kernel_forget_host(struct sim_machine *machine, struct host *host);
void kernel_announce_port(struct sim_machine *machine, const struct host *host,
                          const struct target *target);
void kernel_forget_target(struct sim_machine *machine, const struct host *host,
                          struct target *target);
struct device *kernel_attach(struct sim_machine *machine, const struct scsi_address *address);
/* The upper-level driver probes disks on its own time: ends that, for a device just attached. */
void kernel_finish_probe(struct sim_machine *machine, struct device *device);
void kernel_detach(struct sim_machine *machine, struct device *device);
/* Writes to `rescan` and to `state`: 0, or the -errno of the write. */
void kernel_rescan(struct sim_machine *machine, struct device *device);
int kernel_set_state(struct sim_machine *machine, struct device *device, const char *state);
/* The wildcard scan of a target: false, and nothing done, when it believes a lie and hangs. */
bool kernel_scan_target(struct sim_machine *machine, struct target *target);
void kernel_report_attention(struct sim_machine *machine, struct device *device, uint8_t asc,
                             uint8_t ascq);
char *disk_name(const struct device *device);
void disk_device_number(const struct device *device, unsigned *major, unsigned *minor);

/* array.c. */
bool lun_answers(const struct target *target, uint64_t number, struct sim_unit *ret);
size_t unit_page_83(const struct sim_unit *unit, uint8_t page[static 512]);
/* The LUNs that REPORT LUNS lists, as it lists them: GArray of uint64_t. */
GArray *target_list(const struct target *target);
void target_attention(struct target *target, uint64_t except, uint8_t asc, uint8_t ascq);
void lun_push_attention(struct lun *lun, uint8_t asc, uint8_t ascq);
/* A command to an attached device. */
void array_execute(struct sim_machine *machine, struct device *device,
                   const struct scsi_command *command, struct worker_reply *reply,
                   uint8_t data[static WORKER_DATA_MAX]);
