/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What daemon and worker say to each other over one SOCK_SEQPACKET socket: first the daemon, in a
 * struct worker_greeting, whom the worker is for. Then a request is exactly a struct
 * worker_request, a reply is a struct worker_reply and `data_length` bytes behind it. Every request
 * gets one reply, in any order, matched by id.
 *
 * The worker parses nothing that a device answered: it hands over status and raw bytes. It also
 * decides nothing: one request is one system call's worth of work, and a look at what came of it.
 *
 * A worker serves one SCSI host. It has WORKER_THREADS threads that all receive from the same
 * socket, so that a command stuck in the kernel holds one of them; the daemon never has more
 * requests in flight than threads. It ends when the socket is closed.
 *
 * Whatever stands at the other end of such a socket is a worker: so do the tests' simulated
 * machine and fault injector.
 */

#include <stdint.h>

#include "scsi/address.h"
#include "scsi/command.h"

#define WORKER_VERSION 3
#define WORKER_SOCKET_FD 3 /* where a worker finds its end of the socket */
#define WORKER_THREADS 4
#define WORKER_SENSE_MAX 96
/* The longest REPORT LUNS answer that is believed, and room for 1,000 attributes. */
#define WORKER_DATA_MAX (8 + 8 * 16384)
/* Holds a dozen designators of the usual lengths. */
#define WORKER_PAGE_MAX 1024

/* The host of a worker that serves none, but the kernel's parameter. */
#define WORKER_NO_HOST UINT32_MAX

/* No reply. With it, by SCM_RIGHTS, comes the locked descriptor of kernel/worker_lock.h: what one
 * process of the daemon's user has locked, the kernel keeps locked until the last thread of the
 * worker is gone. */
struct worker_greeting {
        uint32_t version; /* WORKER_VERSION */
        uint32_t host;    /* or WORKER_NO_HOST */
};

enum worker_request_kind {
        /* Send `command` to the device at `address` through its sg node, for at most timeout_ms (1
         * ms to 1 hour, rounded up to seconds). Reply data: what the device transferred. */
        WORKER_COMMAND = 1,
        /* Read attributes of the host. Reply data: attributes, see below. */
        WORKER_READ_HOST,
        /* Read attributes of the device at `address`. */
        WORKER_READ_DEVICE,
        /* Write "channel target lun" to the host's `scan`, then look, also when the write failed:
         * reply as for WORKER_READ_DEVICE, -ENOENT in `error` when the device is not there;
         * `write_error` for the write. */
        WORKER_ATTACH,
        /* Write "channel target -": the kernel's own scan of that target, which believes what the
         * target says. `error` and `write_error` are both the write's. */
        WORKER_SCAN_TARGET,
        /* Detach the device at `address`. Unless WORKER_FORCE is set, claims it first (block device
         * and sg node with O_EXCL, tape opened) and holds that until the kernel has let go: -EBUSY
         * in `error`, and nothing done, when somebody else has it. A command of ours in flight to
         * that device counts as somebody. -EBADFD: a node is missing or another device's, so nobody
         * can tell. WORKER_PROVEN_GONE: tells sd first that there is no cache to flush ("temporary
         * write through" to cache_type). Then looks: `error` is 0 when the device is gone, -EEXIST
         * when it is still there; `write_error` is that of the write to `delete`. */
        WORKER_DETACH,
        /* Write to `rescan`: the kernel reads size and VPD pages again. Reply as for
         * WORKER_READ_DEVICE, or the write's error in `error` and `write_error`. */
        WORKER_REFRESH,
        /* Write "offline" (WORKER_OFFLINE) or "running" to `state`: -EINVAL where it is neither
         * now. Offline, a device answers every command with DID_NO_CONNECT; back to "running", the
         * kernel reads it as for WORKER_REFRESH. Reply as there. */
        WORKER_SET_STATE,
        /* Write `kernel_scan` to the parameter scsi_mod.scan, and read it again: -EIO when it is
         * not so. */
        WORKER_SET_KERNEL_SCAN,
};

/* Flags of a request. WORKER_DETACH, _REFRESH and _SET_STATE work through the pinned directory of
 * the device, and only if `instance` is 0 or that directory's inode: else -ESTALE, and nothing
 * done. */
#define WORKER_FORCE (1u << 0)
#define WORKER_PROVEN_GONE (1u << 1)
#define WORKER_OFFLINE (1u << 2)

/* Who scans (drivers/scsi/scsi_scan.c). */
enum worker_kernel_scan {
        WORKER_KERNEL_SCAN_MANUAL,
        WORKER_KERNEL_SCAN_SYNC,
        WORKER_KERNEL_SCAN_ASYNC,
};

struct worker_request {
        uint32_t version; /* WORKER_VERSION */
        uint32_t kind;    /* enum worker_request_kind */
        uint64_t id;
        struct scsi_address address; /* address.target.host is the worker's own host */
        uint32_t timeout_ms;
        uint32_t flags;              /* WORKER_FORCE, ... */
        uint64_t instance;           /* of the device meant, 0: whichever is there */
        uint32_t kernel_scan;        /* WORKER_SET_KERNEL_SCAN: enum worker_kernel_scan */
        struct scsi_command command; /* WORKER_COMMAND only */
};

struct worker_reply {
        uint32_t version;
        uint32_t kind; /* of the request */
        uint64_t id;   /* of the request */
        /* 0 or -errno of the system call. -ENOENT, -ENODEV, -ENXIO: the object is not there.
         * -ESTALE: it is there again, as another one; or the sg node was another device's by the
         * time it was open. -E2BIG: the attributes do not fit. -EBADMSG, -EINVAL: the request is
         * not one. No data then. */
        int32_t error;
        int32_t write_error; /* requests that write: 0 or -errno of the write */
        uint8_t scsi_status;
        uint16_t host_status;
        uint16_t driver_status;
        uint16_t sense_length;
        uint8_t sense[WORKER_SENSE_MAX];
        uint32_t data_length; /* bytes behind this struct, at most WORKER_DATA_MAX */
};

/*
 * Attributes travel as records "name\0value\0", text without its trailing newline, NUL bytes in a
 * value left out; an attribute that is not there has no record. Hosts and devices have a record
 * "instance": the inode number of their directory, another one each time such an object comes.
 *
 * host:
 *   proc_name, state, unique_id
 *   scan         of scsi_mod: the kernel's scan mode
 *   path         the host's device directory below the sysfs root, as in DEVPATH of its uevents:
 *                "/devices/pseudo_0/adapter0/host0"
 *   fc_host, sas_host, iscsi_host, spi_host, srp_host
 *                "1" for the transport class that the host is in
 *   port_name    fc_host's
 *   port         one for each target port that the transport knows:
 *                "<channel> <target> <state> <port name>". State as the transport spells it, lower
 *                case, blanks as dashes, "-" where it has none (SAS). Port name:
 *                FC, rports with a target role and an id: "naa.<hex>"
 *                SAS, end devices: "naa.<hex>"
 *                iSCSI, sessions: "<iqn>,t,0x<tpgt in hex>"
 * device:
 *   vendor, model, rev, type, scsi_level, state, blacklist, access_state, wwid
 *   vpd_pg80     "1": the kernel found that page
 *   vpd_pg83_hex the page as the kernel has it, which the device may have changed since: up to
 *                WORKER_PAGE_MAX bytes, in lower-case hexadecimal
 *   pq           "0".."7", the qualifier in byte 0 of the `inquiry` file
 *   driver       the bound upper-level driver, "sd"
 *   generic      "sg3"
 *   block        "sda"
 *   size         of the block device, bytes, decimal
 *   block_size   logical, bytes
 *   dev          "8:0", one for the block device and one for each of its partitions
 *   holder       "dm-0", one for each entry of their holders/
 */
