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
#include "scsi/kernel_scan.h"

#define WORKER_VERSION 3
#define WORKER_SOCKET_FD 3 /* where a worker finds its end of the socket */
#define WORKER_THREADS 4
#define WORKER_SENSE_MAX 96
/* The longest REPORT LUNS answer that is believed, and room for the attributes of a host with 600
 * target ports. */
#define WORKER_DATA_MAX (8 + 8 * 16384)
/* Of one attribute: sysfs shows no more of it at once (Documentation/filesystems/sysfs.rst). */
#define WORKER_VALUE_MAX 4096

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
         * ms to 1 hour). Reply data: what the device transferred. */
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
        /* Write `kernel_scan` to the parameter scsi_mod.scan. What it is then everybody can read.
         */
        WORKER_SET_KERNEL_SCAN,
};

/* Flags of a request. WORKER_DETACH, _REFRESH and _SET_STATE work through the pinned directory of
 * the device, and only if `instance` is 0 or that directory's inode: else -ESTALE, and nothing
 * done. */
#define WORKER_FORCE (1u << 0)
#define WORKER_PROVEN_GONE (1u << 1)
#define WORKER_OFFLINE (1u << 2)

struct worker_request {
        uint32_t version; /* WORKER_VERSION */
        uint32_t kind;    /* enum worker_request_kind */
        uint64_t id;
        struct scsi_address address; /* address.target.host is the worker's own host */
        uint32_t timeout_ms;
        uint32_t flags;              /* WORKER_FORCE, ... */
        uint64_t instance;           /* of the device meant, 0: whichever is there */
        uint32_t kernel_scan;        /* WORKER_SET_KERNEL_SCAN: enum kernel_scan */
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

/* The two in one piece. */
struct worker_answer {
        struct worker_reply reply;
        uint8_t data[WORKER_DATA_MAX];
};

/*
 * Attributes travel as records: this struct, unaligned, the name and the value, neither with a NUL
 * behind it. Values are as the kernel shows them, at most WORKER_VALUE_MAX bytes of a file, or what
 * a link holds; a value that cannot be read and a directory are empty, what is not there has no
 * record. A name that ends with a slash is a directory, and the names behind it, up to the next
 * one, are below it.
 *
 * Before the first directory there is "instance", a uint64_t: the inode number of the object's own
 * directory, another one each time such an object comes.
 *
 * host, below the sysfs root:
 *   class/scsi_host/host3          a link
 *   module/scsi_mod/parameters/scan
 *   class/scsi_host/host3/         proc_name, state, unique_id
 *   class/fc_host/host3/           port_name
 *   class/sas_host/host3/, ...     of each other transport class that the host is in
 *   class/fc_remote_ports/rport-3:0-7/
 *                                  roles, scsi_target_id, port_state, port_name
 *   class/sas_device/end_device-3:1:4/
 *                                  scsi_target_id, sas_address
 *   bus/scsi/devices/host3/session1/iscsi_session/session1/
 *                                  targetname, tpgt, target_id, state
 * device, below its own directory:
 *   ./                             vendor, model, rev, type, scsi_level, state, blacklist,
 *                                  access_state, wwid, vpd_pg80, vpd_pg83, inquiry, driver (a
 *                                  link), scsi_generic/sg3
 *   block/sda/                     size (in 512 byte units, whatever the block size is),
 *                                  queue/logical_block_size, dev, holders/dm-0
 *   block/sda/sda1/                dev, holders/dm-0
 */
struct worker_record {
        uint16_t name_length;
        uint16_t value_length;
};
