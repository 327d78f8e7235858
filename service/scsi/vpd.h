/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Vital product data: who a logical unit says it is. Page 83h (SPC-5 7.7.6) holds designators;
 * those with ASSOCIATION 0 name the logical unit. Two devices are paths to one unit when their sets
 * of such designators are equal and not empty; one is shown, chosen and spelled as the kernel's
 * `wwid` (designator_prio() and scsi_vpd_lun_id(), drivers/scsi/scsi_lib.c: the last of equal rank
 * wins).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCSI_VPD_SERIAL 0x80
#define SCSI_VPD_DEVICE_ID 0x83

/* A designator holds 255 bytes at most: four characters for an escaped byte, a prefix and a NUL. */
#define SCSI_IDENTITY_MAX 1032
#define SCSI_SERIAL_MAX 253
#define SCSI_DESIGNATORS_MAX 16

struct scsi_identity {
        char *name; /* the identity, "" when the page holds none; owned, never NULL after decode */
        char **designators; /* all LU designators, sorted, each once, NULL-terminated; owned */
        size_t count;
};

/* -EINVAL: the data is not page 83h or is shorter than its header. -ENOMEM. A page cut short in a
 * designator yields those before it. Names: "naa.<hex>", "eui.<hex>", "t10.<escaped>", a SCSI
 * name string as it is up to its NUL; both texts escaped by scsi_text_escape(), so that two
 * names do not become one by being made printable. MD5 (7) and vendor-specific (0) LU designators
 * are listed as "md5.<hex>" and "vendor.<hex>" and never chosen as the name; the
 * SCSI_DESIGNATORS_MAX that sort first are kept. On errors, *ret is left alone. */
int scsi_identity_decode(const uint8_t *page, size_t length, struct scsi_identity *ret);
/* The sets of designators are the same. Two empty ones are: a unit that says nothing has not
 * changed, but is no reason to take two devices for one unit. */
bool scsi_identity_equal(const struct scsi_identity *a, const struct scsi_identity *b);
int scsi_identity_copy(const struct scsi_identity *from, struct scsi_identity *ret);
void scsi_identity_done(struct scsi_identity *identity);

/* PRODUCT SERIAL NUMBER of page 80h, trimmed and printable. -EINVAL as above. */
int scsi_serial_decode(const uint8_t *page, size_t length, char buffer[static SCSI_SERIAL_MAX]);

/* Bytes that the whole page needs (its header says), 0 when the header is not there. */
size_t scsi_vpd_wanted_bytes(const uint8_t *page, size_t length);
