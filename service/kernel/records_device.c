/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "kernel/record.h"
#include "kernel/records.h"
#include "scsi/text.h"
#include "util/cleanup.h"

#define HOLDER_TEXT_MAX 256
#define SECTOR_SIZE 512 /* the unit of a block device's `size`, whatever its blocks are */

/* The device's own directory, its block device and the partitions of that. */
#define OWN "./"
#define BLOCK "block/*/"
#define PARTITION "block/*/*/"

int device_facts_add_holder(struct device_facts *facts, const char *holder) {
        char text[HOLDER_TEXT_MAX];
        size_t i = 0;

        if (scsi_text_field(holder, strlen(holder), text, sizeof(text)) == 0)
                return 0;
        for (; facts->holders[i]; i++)
                if (strcmp(facts->holders[i], text) == 0)
                        return 0;
        if (i == FACT_HOLDERS_MAX)
                return 0;
        facts->holders[i] = strdup(text);
        return facts->holders[i] ? 0 : -ENOMEM;
}

/* The last part of a path, without a slash at its end; the first one that comes is kept. */
static void name_set(char buffer[static FACT_NAME_MAX], const char *path) {
        size_t length = strlen(path);
        const char *begin;

        if (buffer[0])
                return;
        if (length > 0 && path[length - 1] == '/')
                length--;
        begin = memrchr(path, '/', length);
        begin = begin ? begin + 1 : path;
        scsi_text_field(begin, (size_t)(path + length - begin), buffer, FACT_NAME_MAX);
}

/* The page as the kernel read it when it attached the device, or was last told to read it again.
 * One that cannot be decoded is one of which nothing is known. */
static int page_83_set(struct device_facts *facts, const struct record *record) {
        size_t length = record->length < RECORDS_PAGE_MAX ? record->length : RECORDS_PAGE_MAX;

        if (length == 0)
                return 0;
        facts->has_device_id = true;
        scsi_identity_done(&facts->attached_as);
        return scsi_identity_decode(record->bytes, length, &facts->attached_as) == -ENOMEM ? -ENOMEM
                                                                                           : 0;
}

static int own_add(struct device_facts *facts, const struct record *record) {
        const struct record_field fields[] = {
                {"vendor", facts->vendor, sizeof(facts->vendor)},
                {"model", facts->model, sizeof(facts->model)},
                {"rev", facts->revision, sizeof(facts->revision)},
                {"state", facts->state, sizeof(facts->state)},
                {"access_state", facts->access_state, sizeof(facts->access_state)},
                {"blacklist", facts->blacklist, sizeof(facts->blacklist)},
        };

        if (record_fill(record, fields, ELEMENTS_OF(fields)))
                return 0;
        if (record_is(record, OWN, "vpd_pg83"))
                return page_83_set(facts, record);
        if (record_is(record, OWN, "type") && record->length > 0)
                facts->type = (uint8_t)record_number(record, 0x1f);
        else if (record_is(record, OWN, "inquiry") && record->length > 0)
                facts->qualifier = record->bytes[0] >> 5;
        else if (record_is(record, OWN, "scsi_level"))
                facts->scsi_level = (int)record_number(record, 255);
        else if (record_is(record, OWN, "vpd_pg80"))
                facts->has_serial = true;
        else if (record_fits(record, OWN, "scsi_generic/*"))
                name_set(facts->generic, record->name);
        return 0;
}

static void block_add(struct device_facts *facts, const struct record *record) {
        if (record_is(record, BLOCK, ""))
                name_set(facts->block, record->directory);
        else if (record_is(record, BLOCK, "size"))
                facts->size = record_number(record, UINT64_MAX / SECTOR_SIZE) * SECTOR_SIZE;
        else if (record_is(record, BLOCK, "queue/logical_block_size"))
                facts->block_size = (uint32_t)record_number(record, UINT32_MAX);
}

static bool is_of_block(const struct record *record, const char *name) {
        return record_fits(record, BLOCK, name) || record_fits(record, PARTITION, name);
}

static int device_add(struct device_facts *facts, const struct record *record) {
        if (record_instance(record, &facts->instance))
                return 0;
        if (strcmp(record->directory, OWN) == 0)
                return own_add(facts, record);
        if (is_of_block(record, "holders/*"))
                return device_facts_add_holder(facts, strchr(record->name, '/') + 1);
        block_add(facts, record);
        return 0;
}

static void device_facts_clear(struct device_facts *facts) {
        device_facts_done(facts);
}

int records_decode_device(const uint8_t *data, size_t length, struct device_facts *ret) {
        /* A device whose type cannot be read is of none. */
        _cleanup_(device_facts_clear) struct device_facts facts = {.type = 0x1f};
        struct record_reader reader = {.data = data, .length = length};
        struct record record;
        int r;

        while ((r = record_next(&reader, &record)) > 0) {
                r = device_add(&facts, &record);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        *ret = facts;
        facts = (struct device_facts){};
        return 0;
}

size_t records_block_numbers(const uint8_t *data, size_t length,
                             dev_t ret[static RECORDS_BLOCK_MAX]) {
        struct record_reader reader = {.data = data, .length = length};
        struct record record;
        size_t count = 0;

        while (count < RECORDS_BLOCK_MAX && record_next(&reader, &record) > 0) {
                unsigned major, minor;

                if (is_of_block(&record, "dev") &&
                    sscanf(record.text, "%u:%u", &major, &minor) == 2)
                        ret[count++] = makedev(major, minor);
        }
        return count;
}
