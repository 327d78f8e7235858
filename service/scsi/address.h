/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where a logical unit is attached: one I_T_L nexus as Linux names it,
 * host:channel:target:LUN ("3:0:1:5"), and the target part of it ("3:0:1").
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scsi_target_address {
        uint32_t host;
        uint32_t channel;
        uint32_t target;
};

struct scsi_address {
        struct scsi_target_address target;
        uint64_t lun; /* Linux number of the LUN, see scsi/lun.h */
};

/* Longest text "4294967295:4294967295:4294967295:18446744073709551615" and its NUL. */
#define SCSI_ADDRESS_TEXT_MAX 56

int scsi_target_address_compare(const struct scsi_target_address *a,
                                const struct scsi_target_address *b);
int scsi_address_compare(const struct scsi_address *a, const struct scsi_address *b);

/* An address to be hashed by its bytes, which struct scsi_address cannot be: it has padding. */
struct scsi_address_key {
        uint64_t words[3];
};

struct scsi_address_key scsi_address_key(const struct scsi_address *address);

/* Strict decimal, no signs, no leading zeros, nothing behind: 0, or -EINVAL. */
int scsi_host_parse(const char *text, uint32_t *ret); /* "host3" */
int scsi_target_address_parse(const char *text, struct scsi_target_address *ret);
int scsi_address_parse(const char *text, struct scsi_address *ret);

const char *scsi_target_address_format(const struct scsi_target_address *address,
                                       char buffer[static SCSI_ADDRESS_TEXT_MAX]);
const char *scsi_address_format(const struct scsi_address *address,
                                char buffer[static SCSI_ADDRESS_TEXT_MAX]);
