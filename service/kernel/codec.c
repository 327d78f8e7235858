/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>

#include "kernel/codec.h"
#include "kernel/records.h"
#include "scsi/capacity.h"
#include "scsi/command.h"

/* As much as is read of the kernel's copy; what is cut off is not missed, see
 * scsi_identity_decode(). A longer allocation is refused by some devices. */
#define DEVICE_ID_ALLOCATION RECORDS_PAGE_MAX
/* The first 36 bytes say all that is wanted, and no device answers badly to so few: the kernel asks
 * some for no more (BLIST_INQUIRY_36). */
#define INQUIRY_ALLOCATION 36
/* The longest page 80h there is; older devices take no longer allocation. */
#define SERIAL_ALLOCATION 255

static uint32_t request_flags(const struct step *step) {
        return (step->force ? WORKER_FORCE : 0) | (step->proven ? WORKER_PROVEN_GONE : 0) |
               (step->offline ? WORKER_OFFLINE : 0);
}

struct worker_request codec_request(const struct step *step) {
        struct worker_request request = {
                .version = WORKER_VERSION,
                .kind = WORKER_COMMAND,
                .id = step->id,
                .address = step->address,
                .timeout_ms = step->timeout_ms,
                .flags = request_flags(step),
                .instance = step->instance,
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
        case STEP_READ_CAPACITY:
                request.command = scsi_command_read_capacity();
                break;
        case STEP_INQUIRE:
                request.command = scsi_command_inquiry(INQUIRY_ALLOCATION);
                break;
        case STEP_PROBE:
                request.command = scsi_command_test_unit_ready();
                break;
        case STEP_DETACH:
                request.kind = WORKER_DETACH;
                break;
        case STEP_REFRESH:
                request.kind = WORKER_REFRESH;
                break;
        case STEP_SET_STATE:
                request.kind = WORKER_SET_STATE;
                break;
        case STEP_SET_KERNEL_SCAN:
                request.kind = WORKER_SET_KERNEL_SCAN;
                request.kernel_scan = step->kernel_scan;
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

/* The steps that mean one kernel object: another one at its address is as good as none. */
static void observe_change(struct observation *observation, int error) {
        if (error == -ESTALE)
                observation->observed = OBSERVED_GONE;
        else if (error == -EBUSY && observation->step.kind == STEP_DETACH)
                observation->observed = OBSERVED_IN_USE;
        else
                observe_error(observation, error);
}

static void observe_failure(struct observation *observation, const struct worker_reply *reply) {
        switch (observation->step.kind) {
        case STEP_ATTACH:
                observe_attach(observation, reply);
                break;
        case STEP_DETACH:
        case STEP_REFRESH:
        case STEP_SET_STATE:
                observe_change(observation, reply->error);
                break;
        default:
                observe_error(observation, reply->error);
        }
}

static int payload_decode(struct observation *observation, const uint8_t *data, size_t length) {
        switch (observation->step.kind) {
        case STEP_READ_HOST:
                return records_decode_host(data, length, &observation->host);
        case STEP_READ_DEVICE:
        case STEP_ATTACH:
        case STEP_REFRESH:
        case STEP_SET_STATE:
                return records_decode_device(data, length, &observation->device);
        case STEP_REPORT_LUNS:
                return scsi_report_luns_decode(data, length, &observation->luns);
        case STEP_READ_IDENTITY:
                return scsi_identity_decode(data, length, &observation->identity);
        case STEP_READ_SERIAL:
                return scsi_serial_decode(data, length, observation->serial);
        case STEP_READ_CAPACITY:
                return scsi_capacity_decode(data, length, &observation->capacity);
        case STEP_INQUIRE:
                return scsi_inquiry_decode(data, length, &observation->inquiry);
        case STEP_SCAN_TARGET:
        case STEP_PROBE:
        case STEP_DETACH:
        case STEP_SET_KERNEL_SCAN:
                return 0;
        case STEP_LIST:
        case STEP_KINDS:
                break;
        }
        assert(false);
}

static bool is_command(enum step_kind kind) {
        return kind == STEP_REPORT_LUNS || kind == STEP_READ_IDENTITY || kind == STEP_READ_SERIAL ||
               kind == STEP_READ_CAPACITY || kind == STEP_INQUIRE || kind == STEP_PROBE;
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
                observe_failure(&observation, reply);
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
