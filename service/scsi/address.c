/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scsi/address.h"
#include "scsi/decimal.h"

static int number_compare(uint64_t a, uint64_t b) {
        return (a > b) - (a < b);
}

int scsi_target_address_compare(const struct scsi_target_address *a,
                                const struct scsi_target_address *b) {
        int r = number_compare(a->host, b->host);

        if (r == 0)
                r = number_compare(a->channel, b->channel);
        if (r == 0)
                r = number_compare(a->target, b->target);
        return r;
}

int scsi_address_compare(const struct scsi_address *a, const struct scsi_address *b) {
        int r = scsi_target_address_compare(&a->target, &b->target);

        return r != 0 ? r : number_compare(a->lun, b->lun);
}

/* Reads one number and the separator behind it; with NUL as separator, the end of the text. */
static int component_read(const char **cursor, char separator, uint64_t max, uint64_t *ret) {
        int r = scsi_decimal_read(cursor, max, ret);

        if (r < 0 || **cursor != separator)
                return -EINVAL;
        if (separator)
                (*cursor)++;
        return 0;
}

static int target_read(const char **cursor, char separator, struct scsi_target_address *ret) {
        uint64_t host, channel, target;

        if (component_read(cursor, ':', UINT32_MAX, &host) < 0 ||
            component_read(cursor, ':', UINT32_MAX, &channel) < 0 ||
            component_read(cursor, separator, UINT32_MAX, &target) < 0)
                return -EINVAL;

        *ret = (struct scsi_target_address){
                .host = (uint32_t)host,
                .channel = (uint32_t)channel,
                .target = (uint32_t)target,
        };
        return 0;
}

struct scsi_address_key scsi_address_key(const struct scsi_address *address) {
        const struct scsi_target_address *target = &address->target;

        return (struct scsi_address_key){
                {(uint64_t)target->host << 32 | target->channel, target->target, address->lun}};
}

int scsi_host_parse(const char *text, uint32_t *ret) {
        static const char prefix[] = "host";
        uint64_t host;

        if (strncmp(text, prefix, sizeof(prefix) - 1) != 0)
                return -EINVAL;

        text += sizeof(prefix) - 1;
        if (component_read(&text, '\0', UINT32_MAX, &host) < 0)
                return -EINVAL;

        *ret = (uint32_t)host;
        return 0;
}

int scsi_target_address_parse(const char *text, struct scsi_target_address *ret) {
        return target_read(&text, '\0', ret);
}

int scsi_address_parse(const char *text, struct scsi_address *ret) {
        struct scsi_address address;

        if (target_read(&text, ':', &address.target) < 0 ||
            component_read(&text, '\0', UINT64_MAX, &address.lun) < 0)
                return -EINVAL;

        *ret = address;
        return 0;
}

const char *scsi_target_address_format(const struct scsi_target_address *address,
                                       char buffer[static SCSI_ADDRESS_TEXT_MAX]) {
        int r = snprintf(buffer, SCSI_ADDRESS_TEXT_MAX, "%" PRIu32 ":%" PRIu32 ":%" PRIu32,
                         address->host, address->channel, address->target);

        assert(r > 0 && r < SCSI_ADDRESS_TEXT_MAX);
        return buffer;
}

const char *scsi_address_format(const struct scsi_address *address,
                                char buffer[static SCSI_ADDRESS_TEXT_MAX]) {
        int r = snprintf(buffer, SCSI_ADDRESS_TEXT_MAX,
                         "%" PRIu32 ":%" PRIu32 ":%" PRIu32 ":%" PRIu64, address->target.host,
                         address->target.channel, address->target.target, address->lun);

        assert(r > 0 && r < SCSI_ADDRESS_TEXT_MAX);
        return buffer;
}
