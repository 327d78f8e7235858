/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The attributes of worker/messages.h turned into facts. Everything is bounded and made printable
 * here, whatever a worker sent.
 */

#include <stddef.h>
#include <sys/types.h>

#include "scan/facts.h"

/* A disk and all its partitions. */
#define RECORDS_BLOCK_MAX 256
/* As much as is read of a page 83h: holds a dozen designators of the usual lengths. */
#define RECORDS_PAGE_MAX 1024

/* -EBADMSG when the data is not whole records; -ENOMEM. */
int records_decode_host(const uint8_t *data, size_t length, struct host_facts *ret);
int records_decode_device(const uint8_t *data, size_t length, struct device_facts *ret);

/* Device numbers of the block device and its partitions; how many were written. */
size_t records_block_numbers(const uint8_t *data, size_t length,
                             dev_t ret[static RECORDS_BLOCK_MAX]);

/* One more holder: printable, each once, at most FACT_HOLDERS_MAX are kept. -ENOMEM. */
int device_facts_add_holder(struct device_facts *facts, const char *holder);
