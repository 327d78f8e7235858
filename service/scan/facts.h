/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What was seen of a host or a device, as plain values: strings are printable, bounded and
 * never NULL, so that whoever copies one into the topology or onto the bus need not look again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scsi/address.h"
#include "scsi/vpd.h"

#define FACT_NAME_MAX 64
#define FACT_PORT_NAME_MAX 256
#define FACT_PATH_MAX 512
#define FACT_HOLDERS_MAX 32

enum transport {
        TRANSPORT_UNKNOWN,
        TRANSPORT_FC,
        TRANSPORT_SAS,
        TRANSPORT_ISCSI,
        TRANSPORT_SRP,
        TRANSPORT_SPI,
        TRANSPORT_USB,
        TRANSPORT_ATA,
        TRANSPORT_VIRTIO,
        TRANSPORT_PSEUDO,
};

/* The contract's word: "fc", "sas", ... "unknown". */
const char *transport_name(enum transport transport);
/* Such a transport knows its target ports itself; on others every id has to be tried. */
bool transport_lists_ports(enum transport transport);

struct port_facts {
        uint32_t channel;
        uint32_t target;
        char state[FACT_NAME_MAX];
        char name[FACT_PORT_NAME_MAX];
};

struct host_facts {
        uint64_t instance; /* inode of the host's directory: another one is another host */
        enum transport transport;
        char driver[FACT_NAME_MAX];
        char state[FACT_NAME_MAX];
        char port_name[FACT_PORT_NAME_MAX];
        char path[FACT_PATH_MAX];      /* of its directory below sysfs, "/devices/.../host3" */
        char scan_mode[FACT_NAME_MAX]; /* scsi_mod's parameter: sync, async, manual, none */
        struct port_facts *ports;      /* owned */
        size_t port_count;
};

void host_facts_done(struct host_facts *facts);

struct device_facts {
        uint64_t instance; /* inode of the device's directory */
        char vendor[9];
        char model[17];
        char revision[5];
        uint8_t type;
        uint8_t qualifier;
        int scsi_level; /* as sysfs spells it: SCSI-2 is 3 */
        bool has_device_id;
        bool has_serial;
        char state[FACT_NAME_MAX];
        char access_state[FACT_NAME_MAX];
        char block[FACT_NAME_MAX];           /* "sda", "" without */
        char generic[FACT_NAME_MAX];         /* "sg3", "" without */
        char blacklist[256];                 /* the kernel's quirk flags, by name */
        uint64_t size;                       /* bytes, 0 when not known */
        uint32_t block_size;                 /* bytes, 0 when not known */
        char *holders[FACT_HOLDERS_MAX + 1]; /* owned, NULL-terminated: "dm-0", "/home", "swap" */
        struct scsi_identity attached_as; /* what the kernel read when it attached it; owned; empty
                                             without */
};

void device_facts_done(struct device_facts *facts);
/* Only what runs, and has an sg node, can be asked. */
bool device_facts_may_answer(const struct device_facts *facts);
bool device_facts_has_holder(const struct device_facts *facts, const char *holder);
bool device_facts_holders_equal(const struct device_facts *a, const struct device_facts *b);

/* How far a device's identity can be trusted. */
enum standing {
        STANDING_UNVERIFIED, /* it could not be asked */
        STANDING_PRESENT,
        STANDING_MISSING,
        STANDING_REPLACED,
        STANDING_QUARANTINED, /* the policy wants it offline until somebody accepts it */
};

const char *standing_name(enum standing standing);
