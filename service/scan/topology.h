/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is there: hosts, targets, devices, and the units behind the devices. Everybody may
 * read it; it changes in topology_apply() alone, which notes in a ChangeSet what it changed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uthash.h>

#include "policy/discovery.h"
#include "scan/change_set.h"
#include "scan/event.h"
#include "scan/facts.h"
#include "scsi/address.h"
#include "util/cleanup.h"

/* More devices than this are not modelled: the contract is sized for 16,384. */
#define TOPOLOGY_DEVICES_MAX 65536

enum disposition {
        DISPOSITION_ATTACHED,
        DISPOSITION_OBSERVED,     /* reported, and left to the kernel's own scan or to a request */
        DISPOSITION_NOT_ATTACHED, /* the kernel attached nothing there */
        DISPOSITION_OUT_OF_RANGE, /* the host takes no such LUN */
        DISPOSITION_UNWRITABLE,   /* the kernel's `scan` takes at most 16 characters for a LUN */
        DISPOSITION_FAILED,       /* the order failed */
        DISPOSITION_PENDING,      /* to be attached by the scan under way */
        DISPOSITION_REFUSED,      /* the policy ignores it */
        DISPOSITION_INHIBITED,    /* somebody holds a lease over it: see scan/inhibit.h */
        DISPOSITION_WITHHELD,     /* detached by request: it stays so until somebody asks for it */
        DISPOSITION_NOT_REPORTED, /* attached, and its target does not list it */
        DISPOSITION_KINDS
};

/* The contract's word and a sentence that says why. */
const char *disposition_name(enum disposition disposition);
const char *disposition_reason(enum disposition disposition);

struct target_lun {
        uint64_t lun;
        enum disposition disposition;
};

/* By LUN, for qsort() and bsearch(). */
int target_lun_compare(const void *a, const void *b);

TAILQ_HEAD(host_list, host);
TAILQ_HEAD(target_list, target);
TAILQ_HEAD(device_list, device);
TAILQ_HEAD(unit_list, unit);

struct host {
        uint32_t number;
        struct host_facts facts;
        enum discovery discovery;
        bool stuck;
        struct target_list targets;
        TAILQ_ENTRY(host) entry;
        UT_hash_handle hh;
};

struct target {
        struct scsi_target_address address;
        struct host *host;
        char port_name[FACT_PORT_NAME_MAX];
        char port_state[FACT_NAME_MAX];
        struct target_lun *luns; /* as last reported, ascending */
        size_t lun_count;
        uint64_t last_asked;        /* µs, CLOCK_REALTIME; 0 never */
        struct device_list devices; /* in the order they came */
        struct device *by_lun;      /* the same ones, hashed */
        size_t device_count;
        TAILQ_ENTRY(target) entry; /* in host->targets */
        UT_hash_handle hh;
};

struct device {
        struct scsi_address address;
        struct target *target;
        struct unit *unit; /* NULL without an identity, and while it is replaced: it is a path to
                              nothing then */
        struct device_facts facts;
        struct scsi_identity identity; /* as last read, live */
        struct scsi_identity was;      /* STANDING_REPLACED: who it was attached as */
        char serial[SCSI_SERIAL_MAX];
        enum standing standing;
        uint64_t since;      /* µs, monotonic: when it was first seen */
        bool judged;         /* what the policy says of it has been done */
        bool due;            /* what the policy wants has to wait for its holders */
        bool ours;           /* the service had it attached */
        bool asked;          /* the policy ignores it, and somebody wanted it all the same */
        unsigned reattached; /* times lately that it turned out to be another, and was made right */
        uint64_t measured;   /* bytes, by its own word, when that was only told; 0 */
        uint64_t absent_since; /* µs, monotonic: when it first said itself that it is gone; 0 */
        enum unit_attention last_attention;
        TAILQ_ENTRY(device) entry;      /* in target->devices */
        TAILQ_ENTRY(device) unit_entry; /* in unit->devices */
        UT_hash_handle hh;              /* in target->by_lun */
};

struct unit {
        char *identity;
        uint64_t size;              /* bytes: what all paths last agreed on; 0 not known yet */
        struct device_list devices; /* linked by unit_entry, never empty */
        TAILQ_ENTRY(unit) entry;
        UT_hash_handle hh;
};

struct topology;

struct topology *topology_new(void);
void topology_free(struct topology *topology);
DEFINE_CLEANUP(struct topology *, topology_free)

enum fact_kind {
        FACT_HOST,        /* host exists, with these facts (taken over) */
        FACT_HOST_GONE,   /* host and all that hangs on it */
        FACT_HOST_STUCK,  /* flag */
        FACT_DEVICE,      /* device exists, with these facts, identity and serial (taken over) */
        FACT_DEVICE_GONE, /* for `reason` */
        FACT_ABSENT,      /* the device said itself that it is gone; `now` 0: it did not */
        FACT_ATTENTION,   /* the device reported `attention` */
        FACT_LUNS, /* the target at address.target reported these (taken over), at time `now` */
};

struct fact {
        enum fact_kind kind;
        struct scsi_address address;
        bool flag;
        enum unit_attention attention;
        enum discovery discovery; /* FACT_HOST */
        struct host_facts host;
        struct device_facts device;
        struct scsi_identity identity;
        struct scsi_identity was;
        char serial[SCSI_SERIAL_MAX];
        enum standing standing;
        unsigned reattached;           /* FACT_DEVICE, of one that is new */
        bool judged, asked, ours, due; /* FACT_DEVICE: as of now, see struct device */
        const char *reason;            /* a word, static; NULL: "removed" */
        struct target_lun *luns;
        size_t lun_count;
        uint64_t now; /* µs: FACT_LUNS realtime, FACT_DEVICE and FACT_ABSENT monotonic */
};

/* Which properties of the device the fact would change: 0 when it says what is known already. */
uint32_t device_difference(const struct device *device, const struct fact *fact);

/* The one place where the topology changes. Takes over what the fact owns, also when the fact is
 * about something that is no longer there (then nothing changes). 0, -ENOMEM, -E2BIG above the
 * bounds. */
int topology_apply(struct topology *topology, struct fact *fact, struct change_set *changes);

const struct host_list *topology_hosts(const struct topology *topology);
const struct unit_list *topology_units(const struct topology *topology);
size_t topology_device_count(const struct topology *topology);
struct host *topology_host(const struct topology *topology, uint32_t number);
struct target *topology_target(const struct topology *topology,
                               const struct scsi_target_address *address);
struct device *topology_device(const struct topology *topology, const struct scsi_address *address);
struct unit *topology_unit(const struct topology *topology, const char *identity);
/* Host by host and target by target; NULL: the first, and after the last. */
const struct device *topology_next_device(const struct topology *topology,
                                          const struct device *device);
#define TOPOLOGY_FOREACH_DEVICE(device, topology)                                                  \
        for ((device) = topology_next_device(topology, NULL); (device);                            \
             (device) = topology_next_device(topology, device))

/* The device whose answers stand for the unit's: the first that is present and knows its size, else
 * the first that knows it, else the first. */
const struct device *unit_speaker(const struct unit *unit);
