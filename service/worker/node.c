/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "worker/node.h"
#include "worker/sysfs.h"

#define DID_NO_CONNECT 0x01

/* Names and numbers are used again: between the look into sysfs and open(2) the device may have
 * gone and come back as something else. But as long as the pinned entry can be read, they are its
 * own. */
static bool node_is(int fd, int entry) {
        _cleanup_(closep) int dev = openat(entry, "dev", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        char text[32] = "";
        unsigned major, minor;
        struct stat status;

        return dev >= 0 && read(dev, text, sizeof(text) - 1) > 0 &&
               sscanf(text, "%u:%u", &major, &minor) == 2 && fstat(fd, &status) == 0 &&
               status.st_rdev == makedev(major, minor);
}

/* The first node whose entry below the device's directory fits the pattern, open and proven to be
 * the device's: a descriptor; -ENXIO: there is no such entry; -ESTALE: the node is another
 * device's; -errno of open(2). */
static int node_open(int device, int dev, const char *entries, int flags) {
        char name[SYSFS_NAME_MAX];
        _cleanup_(closep) int entry = -1, fd = -1;
        int r = sysfs_first(device, entries, name);

        if (r < 0)
                return r == -ENOENT ? -ENXIO : r;
        entry = sysfs_pin(device, name);
        if (entry < 0)
                return entry;
        /* O_NONBLOCK: for want of a medium, or while the host recovers, no open has to fail or to
         * wait. */
        fd = openat(dev, strrchr(name, '/') + 1, flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return node_is(fd, entry) ? TAKE_FD(fd) : -ESTALE;
}

int claim_take(int device, int dev, struct claim *claim) {
        static const struct {
                const char *entries;
                int flags;
        } kinds[CLAIM_NODES] = {
                {"block/*", O_RDONLY | O_EXCL},
                {"scsi_tape/nst*[0-9]", O_RDONLY}, /* others rewind the tape when closed */
                {"scsi_generic/*", O_RDWR | O_EXCL},
        };

        for (size_t i = 0; i < CLAIM_NODES; i++) {
                int r = claim->nodes[i] = node_open(device, dev, kinds[i].entries, kinds[i].flags);

                if (r == -ENOENT || r == -ESTALE)
                        return -EBADFD;
                /* The driver takes no opener, whoever asks: the device is offline or on its way
                 * out. That somebody has the block device is told before that. */
                if (r < 0 && r != -ENXIO && r != -ENODEV)
                        return r;
        }
        return 0;
}

void claim_release(struct claim *claim) {
        for (size_t i = 0; i < CLAIM_NODES; i++)
                closep(&claim->nodes[i]);
}

bool command_allows(const struct worker_request *request) {
        /* By the group of the operation code, its upper three bits: the kernel's COMMAND_SIZE(). */
        static const uint8_t lengths[] = {6, 10, 10, 0, 16, 12, 0, 0};
        const struct scsi_command *command = &request->command;
        const uint8_t *cdb = command->cdb;
        bool only_reads =
                cdb[0] == SCSI_TEST_UNIT_READY || cdb[0] == SCSI_INQUIRY ||
                cdb[0] == SCSI_REPORT_LUNS ||
                (cdb[0] == SCSI_SERVICE_ACTION_IN && (cdb[1] & 0x1f) == SCSI_READ_CAPACITY_16);

        return only_reads && command->cdb_length == lengths[cdb[0] >> 5] &&
               command->allocation_length <= WORKER_DATA_MAX && request->timeout_ms > 0 &&
               request->timeout_ms <= COMMAND_TIMEOUT_MAX_MS;
}

int command_send(int device, int dev, const struct worker_request *request,
                 struct worker_answer *answer) {
        const struct scsi_command *command = &request->command;
        struct worker_reply *reply = &answer->reply;
        struct sg_io_hdr io = {
                .interface_id = 'S',
                .dxfer_direction =
                        command->allocation_length > 0 ? SG_DXFER_FROM_DEV : SG_DXFER_NONE,
                .cmd_len = command->cdb_length,
                .cmdp = (unsigned char *)command->cdb,
                .mx_sb_len = sizeof(reply->sense),
                .sbp = reply->sense,
                .dxfer_len = command->allocation_length,
                .dxferp = answer->data,
                .timeout = request->timeout_ms,
        };
        _cleanup_(closep) int fd = node_open(device, dev, "scsi_generic/*", O_RDONLY);

        if (fd < 0)
                return fd;
        /* What the device leaves out must not be what an earlier command brought. */
        memset(answer->data, 0, command->allocation_length);
        if (ioctl(fd, SG_IO, &io) < 0) {
                if (errno != ENXIO)
                        return -errno;
                /* sg's word for a device in state offline; every other way to it says this. */
                reply->host_status = DID_NO_CONNECT;
                return 0;
        }
        reply->scsi_status = io.status;
        reply->host_status = io.host_status;
        reply->driver_status = io.driver_status;
        reply->sense_length = io.sb_len_wr <= WORKER_SENSE_MAX ? io.sb_len_wr : 0;
        /* A residual outside the buffer is a broken driver's: then nothing is known to have come.
         */
        if (io.resid >= 0 && (uint32_t)io.resid <= command->allocation_length)
                reply->data_length = command->allocation_length - (uint32_t)io.resid;
        return 0;
}
