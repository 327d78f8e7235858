/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What became of a command, in the words the planner decides by. A device's answer is never an
 * errno. Sorted from what SPC-5 says of sense data and Linux of host bytes; sense is decoded with
 * libsgutils2.
 */

#include <stddef.h>
#include <stdint.h>

enum scsi_outcome {
        SCSI_OUTCOME_GOOD,
        SCSI_OUTCOME_UNIT_ATTENTION,  /* sense key 6: ask again */
        SCSI_OUTCOME_NOT_SUPPORTED,   /* 5/20, 5/24: this command or field is not for this device */
        SCSI_OUTCOME_NO_LOGICAL_UNIT, /* 5/25: the device says that nothing is behind this LUN */
        SCSI_OUTCOME_NOT_READY,       /* key 2: becoming ready, standby, no medium ... */
        /* Ask later: BUSY, TASK SET FULL, RESERVATION CONFLICT, ACA ACTIVE, TASK ABORTED, ABORTED
         * COMMAND (key Bh), a deferred error, DID_BUS_BUSY, DID_SOFT_ERROR, DID_IMM_RETRY,
         * DID_REQUEUE */
        SCSI_OUTCOME_BUSY,
        /* DID_TIME_OUT, DID_ABORT, DID_RESET: error handling took the command, nothing is known */
        SCSI_OUTCOME_TIMEOUT,
        /* DID_NO_CONNECT, DID_BAD_TARGET, DID_TRANSPORT_*: no way there, nothing is known */
        SCSI_OUTCOME_NO_CONNECT,
        SCSI_OUTCOME_FAILED, /* anything else */
};

struct scsi_result {
        uint8_t status;         /* SAM status */
        uint16_t host_status;   /* Linux DID_* */
        uint16_t driver_status; /* Linux; 08h: sense is valid, low nibble 6h: timeout */
        const uint8_t *sense;
        size_t sense_length;
};

struct scsi_sense_code {
        uint8_t key, asc, ascq; /* zero without sense */
};

/* Recovered errors (key 1) and NO SENSE are GOOD; CHECK CONDITION without sense that can be decoded
 * is FAILED. ret_sense may be NULL. */
enum scsi_outcome scsi_outcome_of(const struct scsi_result *result,
                                  struct scsi_sense_code *ret_sense);
/* "good", "unit-attention", "not-supported", ... static. */
const char *scsi_outcome_name(enum scsi_outcome outcome);
