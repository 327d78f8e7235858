/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A simulated machine: SCSI hosts, targets, an array with logical units behind each target, and a
 * kernel that has attached some of them. It answers a worker's requests as a real worker on a real
 * kernel would, byte for byte, and tells of the uevents that the kernel would send, in its order
 * and spelling (seen on Linux 6.1 with scsi_debug; FC, SAS and iSCSI by reading their transport
 * classes).
 *
 * Deterministic: everything it does follows from the seed and the calls. No I/O, no clock, no
 * thread; who shares it between threads locks it (see sim/server.h). A function that names
 * something which is not there is a mistake in the test and aborts.
 */

#include <stdbool.h>
#include <stdint.h>

#include "worker/messages.h"

struct sim_machine;

enum sim_transport {
        SIM_PSEUDO, /* like scsi_debug: no transport class, no target ports */
        SIM_SPI,
        SIM_FC,
        SIM_SAS,
        SIM_ISCSI,
};

struct sim_host {
        const char *driver; /* proc_name; NULL: "scsi_debug" */
        enum sim_transport transport;
        const char *port_name; /* FC only, "0x10000090fa942778" */
        /* What the kernel accepts in `scan`; 0: 0, 128, and 49410 as scsi_debug has it. With less
         * than that, the kernel does not attach the REPORT LUNS well-known logical unit. */
        uint32_t max_channel;
        uint32_t max_id;
        uint64_t max_lun;
};

/* How a target is unlike an ordinary one. */
enum sim_quirk {
        SIM_NO_REPORT_LUNS = 1 << 0, /* answers it with 5/20/00 */
        SIM_LIE_LENGTH = 1 << 1,     /* LUN LIST LENGTH is FFFFFFFFh */
        SIM_LIE_REPEATS = 1 << 2,    /* lists every LUN twice */
        SIM_LIE_GARBAGE = 1 << 3,    /* lists random bytes, too */
        SIM_NO_WELL_KNOWN = 1 << 4,  /* has no REPORT LUNS well-known logical unit */
        SIM_SILENT = 1 << 5,         /* LUNs without a unit: no answer, instead of qualifier 3 */
        SIM_QUIET = 1 << 6,          /* raises no unit attention when something changes */
};

struct sim_target {
        uint32_t channel;
        uint32_t target;
        const char *port_name; /* "naa.500a09848cde0001", "iqn.2003-01.org.example:array,t,0x1" */
        unsigned quirks;       /* enum sim_quirk */
        uint8_t version;       /* of INQUIRY; 0: 7 (SPC-5), for which Linux says scsi_level 8 */
        const char *blacklist; /* what the kernel's table says of it; NULL: "" */
};

/* What a logical unit is. Empty texts and zeros get ordinary values. */
struct sim_unit {
        uint8_t type;
        uint8_t qualifier;
        char vendor[9];
        char model[17];
        char revision[5];
        char serial[64];
        uint64_t naa;             /* identity; 0: none */
        uint8_t designators[256]; /* instead of naa: the designators of VPD 83h as they are */
        uint16_t designators_length;
        uint64_t size;       /* bytes */
        uint32_t block_size; /* 0: 512 */
};

/* What becomes of commands and of writes to `scan`. Attributes can be read always, as in sysfs. */
enum sim_manner {
        SIM_NORMAL,
        SIM_TIMES_OUT, /* no answer from the device: DID_TIME_OUT, and nothing gets attached */
        SIM_HANGS,     /* the kernel does not come back until this is set to something else */
        SIM_DIES,      /* the worker dies of it */
};

enum sim_fate {
        SIM_ANSWERED,
        SIM_HELD, /* no reply now, nothing has happened yet: serve the request again later */
        SIM_DIED, /* the worker that asked is gone, without a reply */
};

/* extra: NULL-terminated "KEY=value"; devtype may be NULL. */
typedef void (*sim_uevent_fn)(void *userdata, const char *action, const char *devpath,
                              const char *subsystem, const char *devtype, const char *const *extra);

/* A command of a worker's, before it is served. */
typedef void (*sim_command_fn)(void *userdata, const struct scsi_address *address,
                               const struct scsi_command *command);

struct sim_machine *sim_machine_new(uint32_t seed);
void sim_machine_free(struct sim_machine *machine);
void sim_machine_on_uevent(struct sim_machine *machine, sim_uevent_fn uevent, void *userdata);
/* NULL: nobody is told any more. */
void sim_machine_on_command(struct sim_machine *machine, sim_command_fn command, void *userdata);
/* Scan mode of scsi_mod: "manual" (as it starts), "sync", "async", "none". Not acted on by itself.
 */
void sim_machine_set_scan_mode(struct sim_machine *machine, const char *mode);

/* Calls with a bare number or address: struct scsi_target_address and struct scsi_address by value.
 */

/* The number of the new host: the lowest that is free. */
uint32_t sim_add_host(struct sim_machine *machine, const struct sim_host *host);
void sim_remove_host(struct sim_machine *machine, uint32_t host);
struct scsi_target_address sim_add_target(struct sim_machine *machine, uint32_t host,
                                          const struct sim_target *target);
void sim_remove_target(struct sim_machine *machine, struct scsi_target_address target);
/* Anything but "online" and "logged_in" means DID_NO_CONNECT. As the transport spells it:
 * "Blocked". */
void sim_set_port_state(struct sim_machine *machine, struct scsi_target_address target,
                        const char *state);

/* A disk of 1 GiB, its identity and serial made from the number. */
struct sim_unit sim_disk(uint32_t number);
/* Map and unmap raise 3F/0E on all other LUs of the target. Mapping over a LUN replaces what was
 * there, behind the back of a kernel that has it attached. */
void sim_map(struct sim_machine *machine, struct scsi_target_address target, uint64_t lun,
             const struct sim_unit *unit);
/* LUNs 0 to count-1, peripheral addressing up to 255 and flat above, with disks first_number and
 * on. */
void sim_map_disks(struct sim_machine *machine, struct scsi_target_address target, uint32_t count,
                   uint32_t first_number);
void sim_unmap(struct sim_machine *machine, struct scsi_target_address target, uint64_t lun);
/* Raises 2A/09. The kernel's number stays until it rescans. */
void sim_resize(struct sim_machine *machine, struct scsi_address address, uint64_t size);

/* The next command but INQUIRY and REPORT LUNS gets this unit attention, after those already there.
 */
void sim_unit_attention(struct sim_machine *machine, struct scsi_address address, uint8_t asc,
                        uint8_t ascq);
/* Whether that one waits there. */
bool sim_attention_waits(const struct sim_machine *machine, struct scsi_address address,
                         uint8_t asc, uint8_t ascq);
/* Anybody's TEST UNIT READY: flushes one unit attention into the kernel's uevent. */
void sim_touch(struct sim_machine *machine, struct scsi_address address);

void sim_set_host_manner(struct sim_machine *machine, uint32_t host, enum sim_manner manner);
void sim_set_target_manner(struct sim_machine *machine, struct scsi_target_address target,
                           enum sim_manner manner);
void sim_set_lun_manner(struct sim_machine *machine, struct scsi_address address,
                        enum sim_manner manner);
void sim_set_target_delay(struct sim_machine *machine, struct scsi_target_address target,
                          uint32_t milliseconds);
void sim_set_target_quirks(struct sim_machine *machine, struct scsi_target_address target,
                           unsigned quirks);

/* The kernel's own scan of everything. It hangs on no one: targets that hang are passed over. */
void sim_kernel_scan(struct sim_machine *machine);
/* `echo 1 > rescan` of a device: new size and VPD, RESIZE=1; nothing where it cannot be asked. */
void sim_kernel_rescan(struct sim_machine *machine, struct scsi_address address);
/* Somebody's `echo c t l > scan` and `echo 1 > delete`; attach says whether the device is there
 * now. */
bool sim_attach_by_hand(struct sim_machine *machine, struct scsi_address address);
void sim_detach_by_hand(struct sim_machine *machine, struct scsi_address address);
/* The kernel's state of a device ("running", "offline", "transport-offline", "blocked"). In both
 * offline states, every command ends with DID_NO_CONNECT. */
void sim_set_device_state(struct sim_machine *machine, struct scsi_address address,
                          const char *state);
/* A block device that holds this one's ("dm-0"); NULL takes all of them away. */
void sim_set_holder(struct sim_machine *machine, struct scsi_address address, const char *holder);
/* Somebody has its sg node or tape open. */
void sim_set_open(struct sim_machine *machine, struct scsi_address address, bool open);
/* What somebody's READ or WRITE through the kernel would reach: the naa of the unit, whatever the
 * kernel takes it for; 0 when it reaches none: no such device, offline, or nothing behind it. */
uint64_t sim_reaches(const struct sim_machine *machine, struct scsi_address address);
/* The same, done: flushes unit attentions into uevents, as the kernel's own retries do. */
uint64_t sim_io(struct sim_machine *machine, struct scsi_address address);

/* For comparing: addresses, ascending, each with a newline. Owned by the caller (g_free()). */
char *sim_attached(const struct sim_machine *machine); /* what the kernel has */
/* What a perfect scan would leave attached: the mapped units that the kernel adds. */
char *sim_attachable(const struct sim_machine *machine);
/* What bus/scsi/devices lists: "host0", "target0:0:1", "0:0:1:5". */
char *sim_objects(const struct sim_machine *machine);
bool sim_is_attached(const struct sim_machine *machine, struct scsi_address address);
/* It is attached, and has a holder or is open. */
bool sim_is_in_use(const struct sim_machine *machine, struct scsi_address address);
/* Requests of that kind, and commands with that operation code, served so far. */
uint64_t sim_requests(const struct sim_machine *machine, enum worker_request_kind kind);
uint64_t sim_commands(const struct sim_machine *machine, uint8_t opcode);

/* Milliseconds until the answer to this request is due. */
uint32_t sim_machine_delay(const struct sim_machine *machine, const struct worker_request *request);
enum sim_fate sim_machine_serve(struct sim_machine *machine, const struct worker_request *request,
                                struct worker_reply *reply, uint8_t data[static WORKER_DATA_MAX]);
