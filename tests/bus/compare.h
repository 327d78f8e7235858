/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the service says, as a client heard it, against the machine that changed at random.
 *
 * A change of the array is told to the service when an attention about it comes out of one of the
 * target's units, or by a scan. What was told has to be seen: what is mapped is attached, is
 * present, and is what it is said to be; what is not mapped is not attached. Whatever was told:
 * what is attached is what the kernel has, and what is in use stays.
 */

#include "mirror.h"
#include "play.h"

/* A sentence that names what differs, and is the caller's; NULL for nothing. Changes nothing. The
 * machine is locked, and the mirror has followed. */
char *compare(struct play *play, const struct mirror *mirror);

/* Notes what the service knows rightly. */
void compare_learn(struct play *play, const struct mirror *mirror);

/* What the service says of a device; NULL: there is none. */
const char *compare_text(const struct mirror *mirror, struct scsi_address at, const char *property);
bool compare_says(const struct mirror *mirror, struct scsi_address at, const char *property,
                  const char *value);
/* As the service spells it. */
char *compare_identity(uint32_t disk);
char *compare_path(struct scsi_address at);
/* It was stopped, and waits for somebody to decide: it was in use then, or it turned into another
 * more than three times, or the service was killed before it could note that down. */
bool compare_waits(struct play *play, const struct mirror *mirror, struct scsi_address at);
