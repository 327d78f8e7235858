/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <scsi/sg_pt.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "worker/pass_through.h"
#include "worker/sysfs.h"

DEFINE_CLEANUP(struct sg_pt_base *, destruct_scsi_pt_obj)

#define READ_CAPACITY_10 0x25
#define SERVICE_ACTION_IN_16 0x9e
#define READ_CAPACITY_16 0x10 /* a service action of the above */

#define DRIVER_ERROR 0x04 /* Linux before 5.14 */
#define DID_NO_CONNECT 0x01

bool pass_through_allows(const struct scsi_command *command) {
        if (command->allocation_length > WORKER_DATA_MAX)
                return false;
        switch (command->cdb[0]) {
        case SCSI_TEST_UNIT_READY:
        case SCSI_INQUIRY:
                return command->cdb_length == 6;
        case SCSI_REPORT_LUNS:
                return command->cdb_length == 12;
        case READ_CAPACITY_10:
                return command->cdb_length == 10;
        case SERVICE_ACTION_IN_16:
                return command->cdb_length == 16 && (command->cdb[1] & 0x1f) == READ_CAPACITY_16;
        default:
                return false;
        }
}

/*
 * Both numbers in the way are reused: between the look into sysfs and open(2), the device and its
 * sg node may have gone and come back as something else. So ask the open node whose it is. It shows
 * 32 bits of the LUN; for the others, the pinned directory still has the node, so it had it when it
 * was opened.
 */
static int node_verify(int fd, int device, const char *entry, const struct scsi_address *address) {
        struct sg_scsi_id id;

        if (ioctl(fd, SG_GET_SCSI_ID, &id) < 0)
                return -errno;
        if ((uint32_t)id.host_no != address->target.host ||
            (uint32_t)id.channel != address->target.channel ||
            (uint32_t)id.scsi_id != address->target.target ||
            (uint32_t)id.lun != (uint32_t)address->lun)
                return -ESTALE;
        return faccessat(device, entry, F_OK, 0) < 0 ? -ESTALE : 0;
}

/* The sg node of the device at that address, open and proven to be: a descriptor, or -errno. */
static int node_open(int sysfs, int dev, const struct scsi_address *address) {
        char name[SYSFS_NAME_MAX], entry[SYSFS_NAME_MAX + 16];
        _cleanup_(closep) int fd = -1, device = sysfs_pin_device(sysfs, address, 0);
        int r;

        if (device < 0)
                return device;
        if (sysfs_first(device, "scsi_generic", name) < 0)
                return -ENXIO;
        /* O_NONBLOCK: open() would else wait until error handling of the host has ended. */
        fd = openat(dev, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        snprintf(entry, sizeof(entry), "scsi_generic/%s", name);
        r = node_verify(fd, device, entry, address);
        return r < 0 ? r : TAKE_FD(fd);
}

static void answer_collect(const struct sg_pt_base *object, uint32_t asked,
                           struct worker_reply *reply) {
        int missing = get_scsi_pt_resid(object), sense = get_scsi_pt_sense_len(object);

        reply->scsi_status = (uint8_t)get_scsi_pt_status_response(object);
        reply->host_status = (uint16_t)get_scsi_pt_transport_err(object);
        /* sg_pt shows the driver status only in its verdict. Linux 5.14 has done away with it. */
        if (get_scsi_pt_result_category(object) == SCSI_PT_RESULT_TRANSPORT_ERR &&
            reply->host_status == 0)
                reply->driver_status = DRIVER_ERROR;
        reply->sense_length = sense > 0 && sense <= WORKER_SENSE_MAX ? (uint16_t)sense : 0;
        /* A residual outside the buffer is a broken driver's: then nothing is known to have come.
         */
        reply->data_length =
                missing >= 0 && (uint32_t)missing <= asked ? asked - (uint32_t)missing : 0;
}

int pass_through(int sysfs, int dev, const struct worker_request *request,
                 struct worker_reply *reply, uint8_t data[static WORKER_DATA_MAX]) {
        const struct scsi_command *command = &request->command;
        int seconds = (int)((request->timeout_ms + 999) / 1000); /* what sg_pt can say */
        _cleanup_(destruct_scsi_pt_objp) struct sg_pt_base *object = NULL;
        _cleanup_(closep) int fd = node_open(sysfs, dev, &request->address);
        int r;

        if (fd < 0)
                return fd;
        object = construct_scsi_pt_obj_with_fd(fd, 0);
        if (!object)
                return -ENOMEM;
        /* What the device leaves out must not be what an earlier command brought. */
        memset(data, 0, command->allocation_length);
        set_scsi_pt_cdb(object, command->cdb, command->cdb_length);
        set_scsi_pt_sense(object, reply->sense, sizeof(reply->sense));
        if (command->allocation_length > 0)
                set_scsi_pt_data_in(object, data, (int)command->allocation_length);
        r = do_scsi_pt(object, fd, seconds, 0);
        if (r == -ENXIO) {
                /* sg's word for a device in state offline; every other way to it says this. */
                reply->host_status = DID_NO_CONNECT;
                return 0;
        }
        if (r != 0)
                return r < 0 ? r : -EIO;
        answer_collect(object, command->allocation_length, reply);
        return 0;
}
