/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>

#include "kernel/codec.h"
#include "kernel/records.h"
#include "scsi/command.h"

/* Holds a dozen designators of the usual lengths; what is cut off is not missed, see
 * scsi_identity_decode(). A longer allocation is refused by some devices. */
#define DEVICE_ID_ALLOCATION 1024
/* The longest page 80h there is; older devices take no longer allocation. */
#define SERIAL_ALLOCATION 255

struct worker_request codec_request(const struct step *step) {
        struct worker_request request = {
                .version = WORKER_VERSION,
                .kind = WORKER_COMMAND,
                .id = step->id,
                .address = step->address,
                .timeout_ms = step->timeout_ms,
        };

        switch (step->kind) {
        case STEP_READ_HOST:
                request.kind = WORKER_READ_HOST;
                break;
        case STEP_READ_DEVICE:
                request.kind = WORKER_READ_DEVICE;
                break;
        case STEP_ATTACH:
                request.kind = WORKER_ATTACH;
                break;
        case STEP_SCAN_TARGET:
                request.kind = WORKER_SCAN_TARGET;
                break;
        case STEP_REPORT_LUNS:
                request.command = scsi_command_report_luns(step->allocation_length);
                break;
        case STEP_READ_IDENTITY:
                request.command =
                        scsi_command_inquiry_vpd(SCSI_VPD_DEVICE_ID, DEVICE_ID_ALLOCATION);
                break;
        case STEP_READ_SERIAL:
                request.command = scsi_command_inquiry_vpd(SCSI_VPD_SERIAL, SERIAL_ALLOCATION);
                break;
        case STEP_LIST:
        case STEP_KINDS:
                assert(false);
        }
        return request;
}

static bool is_absence(int error) {
        return error == -ENOENT || error == -ENODEV || error == -ENXIO;
}

static void observe_error(struct observation *observation, int error) {
        observation->observed = is_absence(error) ? OBSERVED_GONE : OBSERVED_ERROR;
        observation->error = is_absence(error) ? 0 : error;
}

/*
 * A write to `scan` says nothing by succeeding, and little by failing: the device that is there
 * counts. Where none is, the write tells apart a kernel that attached nothing, a host that takes no
 * such number, and a host that is gone.
 */
static void observe_attach(struct observation *observation, const struct worker_reply *reply) {
        if (!is_absence(reply->error))
                observe_error(observation, reply->error);
        else if (reply->write_error == 0)
                observation->observed = OBSERVED_NOT_ATTACHED;
        else if (reply->write_error == -EINVAL)
                observation->observed = OBSERVED_OUT_OF_RANGE;
        else
                observe_error(observation, reply->write_error);
}

static int payload_decode(struct observation *observation, const uint8_t *data, size_t length) {
        switch (observation->step.kind) {
        case STEP_READ_HOST:
                return records_decode_host((const char *)data, length, &observation->host);
        case STEP_READ_DEVICE:
        case STEP_ATTACH:
                return records_decode_device((const char *)data, length, &observation->device);
        case STEP_REPORT_LUNS:
                return scsi_report_luns_decode(data, length, &observation->luns);
        case STEP_READ_IDENTITY:
                return scsi_identity_decode(data, length, &observation->identity);
        case STEP_READ_SERIAL:
                return scsi_serial_decode(data, length, observation->serial);
        case STEP_SCAN_TARGET:
                return 0;
        case STEP_LIST:
        case STEP_KINDS:
                break;
        }
        assert(false);
}

static bool is_command(enum step_kind kind) {
        return kind == STEP_REPORT_LUNS || kind == STEP_READ_IDENTITY || kind == STEP_READ_SERIAL;
}

/* What a device sent with a good status and cannot be read is its failure, not ours. */
static void observe_payload(struct observation *observation, const uint8_t *data, size_t length) {
        int r = payload_decode(observation, data, length);

        observation->observed = OBSERVED_GOOD;
        if (r == 0)
                return;
        if (is_command(observation->step.kind) && r != -ENOMEM) {
                observation->observed = OBSERVED_DEVICE;
                observation->outcome = SCSI_OUTCOME_FAILED;
        } else {
                observation->observed = OBSERVED_ERROR;
                observation->error = r;
        }
}

struct observation codec_observe(const struct step *step, const struct worker_reply *reply,
                                 const uint8_t *data) {
        const struct scsi_result result = {
                .status = reply->scsi_status,
                .host_status = reply->host_status,
                .driver_status = reply->driver_status,
                .sense = reply->sense,
                .sense_length = reply->sense_length,
        };
        struct observation observation = {.step = *step};

        if (reply->error != 0) {
                if (step->kind == STEP_ATTACH)
                        observe_attach(&observation, reply);
                else
                        observe_error(&observation, reply->error);
                return observation;
        }
        if (is_command(step->kind)) {
                observation.outcome = scsi_outcome_of(&result, &observation.sense);
                if (observation.outcome != SCSI_OUTCOME_GOOD) {
                        observation.observed = OBSERVED_DEVICE;
                        return observation;
                }
        }
        observe_payload(&observation, data, reply->data_length);
        return observation;
}
