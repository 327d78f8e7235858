/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A lease as text, from which the next run of the service makes the same one. It is taken for what
 * it is only whole: another version's, or half of one, is no lease.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan/scope.h"

#define LEASE_WHO_MAX 128 /* bytes */
#define LEASE_WHY_MAX 512
/* Seven days, in µs. */
#define LEASE_TIMEOUT_MAX (UINT64_C(7) * 24 * 60 * 60 * 1000000)
/* Bytes, with the NUL. That is a unit on a thousand paths; more is not kept. */
#define LEASE_RECORD_MAX 65536

struct lease_record {
        uint32_t uid;
        uint64_t until; /* µs, CLOCK_MONOTONIC, which goes on across runs; UINT64_MAX for ever */
        char *scope_text, *who, *why;
        struct scope scope;
        struct scsi_address *devices; /* as engine_inhibited() has them */
        size_t device_count;
};

/* NULL: out of memory, or it is longer than LEASE_RECORD_MAX or would not be understood. */
char *lease_record_format(const struct lease_record *record);
/* -EINVAL: not a record of this version; -ENOMEM. `ret` owns what it holds. */
int lease_record_parse(const char *text, struct lease_record *ret);
void lease_record_done(struct lease_record *record);

/* UTF-8 without controls or anything else that does not belong into somebody else's log or dialog:
 * line and paragraph separators, and what turns the direction of a line around. */
bool lease_text_is_printable(const char *text);
