/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdbool.h>

#include <scsi/sg_lib.h>

#include "scsi/outcome.h"
#include "util/cleanup.h"

/* Linux host bytes, include/scsi/scsi_status.h, which no package ships to user space. */
enum host_byte {
        HOST_OK = 0x00,
        HOST_NO_CONNECT = 0x01,
        HOST_BUS_BUSY = 0x02,
        HOST_TIME_OUT = 0x03,
        HOST_BAD_TARGET = 0x04,
        HOST_ABORT = 0x05,
        HOST_RESET = 0x08,
        HOST_SOFT_ERROR = 0x0b,
        HOST_IMM_RETRY = 0x0c,
        HOST_REQUEUE = 0x0d,
        HOST_TRANSPORT_DISRUPTED = 0x0e,
        HOST_TRANSPORT_FAILFAST = 0x0f,
        HOST_TARGET_FAILURE = 0x10,
        HOST_NEXUS_FAILURE = 0x11,
        HOST_ALLOC_FAILURE = 0x12,
        HOST_MEDIUM_ERROR = 0x13,
        HOST_TRANSPORT_MARGINAL = 0x14,
};

#define DRIVER_MASK 0x0f
#define DRIVER_TIMEOUT 0x06
#define DRIVER_SENSE 0x08

/* Both formats hold at least eight bytes (SPC-5 4.4); with fewer, a key of 0 would be a guess. */
#define SENSE_LENGTH_MIN 8
#define SENSE_LENGTH_MAX 252

struct sense {
        struct scsi_sense_code code;
        bool deferred; /* speaks of an earlier command */
};

/* What the host byte alone decides. HOST_OK leaves it to the device; so do, with its answer at
 * hand, the bytes by which old kernels classified sense data (scsi_check_sense(),
 * drivers/scsi/scsi_error.c). */
static bool host_leaves_to_device(uint16_t host) {
        return host == HOST_OK || (host >= HOST_TARGET_FAILURE && host <= HOST_MEDIUM_ERROR);
}

static enum scsi_outcome outcome_of_host(uint16_t host) {
        switch (host) {
        case HOST_NO_CONNECT:
        case HOST_BAD_TARGET: /* how some hosts say that nobody is there */
        case HOST_TRANSPORT_DISRUPTED:
        case HOST_TRANSPORT_FAILFAST:
        case HOST_TRANSPORT_MARGINAL:
                return SCSI_OUTCOME_NO_CONNECT;
        case HOST_BUS_BUSY:
        case HOST_SOFT_ERROR:
        case HOST_IMM_RETRY:
        case HOST_REQUEUE:
                return SCSI_OUTCOME_BUSY;
        case HOST_TIME_OUT:
        case HOST_ABORT:
        case HOST_RESET: /* error handling took the command with it */
                return SCSI_OUTCOME_TIMEOUT;
        default:
                return SCSI_OUTCOME_FAILED;
        }
}

static bool sense_decode(const struct scsi_result *result, struct sense *ret) {
        struct sg_scsi_sense_hdr header;
        size_t length = result->sense_length;

        if (length < SENSE_LENGTH_MIN)
                return false;
        if (length > SENSE_LENGTH_MAX)
                length = SENSE_LENGTH_MAX;
        if (!sg_scsi_normalize_sense(result->sense, (int)length, &header))
                return false;

        *ret = (struct sense){
                .code = {.key = header.sense_key, .asc = header.asc, .ascq = header.ascq},
                .deferred = header.response_code & 1,
        };
        return true;
}

static enum scsi_outcome outcome_of_illegal_request(uint8_t asc) {
        switch (asc) {
        case 0x20: /* INVALID COMMAND OPERATION CODE */
        case 0x24: /* INVALID FIELD IN CDB */
                return SCSI_OUTCOME_NOT_SUPPORTED;
        case 0x25: /* LOGICAL UNIT NOT SUPPORTED */
                return SCSI_OUTCOME_NO_LOGICAL_UNIT;
        default:
                return SCSI_OUTCOME_FAILED;
        }
}

static enum scsi_outcome outcome_of_sense(const struct sense *sense) {
        /* The command itself was not carried out (SPC-5 4.4.5): even a recovered error, if it is an
         * earlier command's, leaves the buffer empty. */
        if (sense->deferred)
                return SCSI_OUTCOME_BUSY;

        switch (sense->code.key) {
        case SPC_SK_NO_SENSE:
        case SPC_SK_RECOVERED_ERROR:
                return SCSI_OUTCOME_GOOD;
        case SPC_SK_NOT_READY:
                return SCSI_OUTCOME_NOT_READY;
        case SPC_SK_ILLEGAL_REQUEST:
                return outcome_of_illegal_request(sense->code.asc);
        case SPC_SK_UNIT_ATTENTION:
                return SCSI_OUTCOME_UNIT_ATTENTION;
        case SPC_SK_ABORTED_COMMAND:
                return SCSI_OUTCOME_BUSY;
        default:
                return SCSI_OUTCOME_FAILED;
        }
}

static enum scsi_outcome outcome_of_status(uint8_t status) {
        switch (status) {
        case SAM_STAT_GOOD:
        case SAM_STAT_CONDITION_MET:
                return SCSI_OUTCOME_GOOD;
        case SAM_STAT_BUSY:
        case SAM_STAT_RESERVATION_CONFLICT:
        case SAM_STAT_TASK_SET_FULL:
        case SAM_STAT_ACA_ACTIVE:
        case SAM_STAT_TASK_ABORTED:
                return SCSI_OUTCOME_BUSY;
        default:
                return SCSI_OUTCOME_FAILED;
        }
}

enum scsi_outcome scsi_outcome_of(const struct scsi_result *result,
                                  struct scsi_sense_code *ret_sense) {
        uint8_t driver = result->driver_status & DRIVER_MASK;
        bool has_sense, check = result->status == SAM_STAT_CHECK_CONDITION;
        struct sense sense = {};
        enum scsi_outcome outcome;

        has_sense = (check || (driver & DRIVER_SENSE)) && sense_decode(result, &sense);
        if (ret_sense)
                *ret_sense = sense.code;

        if (driver == DRIVER_TIMEOUT)
                return SCSI_OUTCOME_TIMEOUT;
        if (!host_leaves_to_device(result->host_status))
                return outcome_of_host(result->host_status);

        outcome = outcome_of_status(result->status);
        if (has_sense && (check || outcome == SCSI_OUTCOME_GOOD))
                return outcome_of_sense(&sense);
        /* A host that reports a failure has not seen GOOD. */
        if (outcome == SCSI_OUTCOME_GOOD && result->host_status != HOST_OK)
                return SCSI_OUTCOME_FAILED;
        return outcome;
}

const char *scsi_outcome_name(enum scsi_outcome outcome) {
        static const char *const names[] = {
                [SCSI_OUTCOME_GOOD] = "good",
                [SCSI_OUTCOME_UNIT_ATTENTION] = "unit-attention",
                [SCSI_OUTCOME_NOT_SUPPORTED] = "not-supported",
                [SCSI_OUTCOME_NO_LOGICAL_UNIT] = "no-logical-unit",
                [SCSI_OUTCOME_NOT_READY] = "not-ready",
                [SCSI_OUTCOME_BUSY] = "busy",
                [SCSI_OUTCOME_TIMEOUT] = "timeout",
                [SCSI_OUTCOME_NO_CONNECT] = "no-connect",
                [SCSI_OUTCOME_FAILED] = "failed",
        };

        assert((size_t)outcome < ELEMENTS_OF(names));
        return names[outcome];
}
