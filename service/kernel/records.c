/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "kernel/records.h"
#include "scsi/text.h"
#include "util/cleanup.h"
#include "worker/messages.h"

#define PORTS_MAX 16384
#define HOLDER_TEXT_MAX 256

struct record {
        const char *name;
        const char *value;
};

/* Steps to the next record: 1, 0 behind the last one, -EBADMSG. */
static int record_next(const char **data, size_t *length, struct record *ret) {
        const char *value, *end;

        if (*length == 0)
                return 0;
        value = memchr(*data, '\0', *length);
        end = value ? memchr(value + 1, '\0', *length - (size_t)(value + 1 - *data)) : NULL;
        if (!end)
                return -EBADMSG;
        *ret = (struct record){*data, value + 1};
        *length -= (size_t)(end + 1 - *data);
        *data = end + 1;
        return 1;
}

static bool record_is(const struct record *record, const char *name) {
        return strcmp(record->name, name) == 0;
}

/* A number as the kernel prints it; what is none is 0, which says "not known" in every field that
 * uses this. */
static uint64_t number_of(const char *text, uint64_t max) {
        char *end;
        unsigned long long number;

        if (*text < '0' || *text > '9')
                return 0;
        errno = 0;
        number = strtoull(text, &end, 10);
        return errno || *end || number > max ? 0 : number;
}

struct text_field {
        const char *name;
        char *buffer;
        size_t size;
};

static bool text_field_set(const struct text_field *fields, size_t count,
                           const struct record *record) {
        for (size_t i = 0; i < count; i++)
                if (record_is(record, fields[i].name)) {
                        scsi_text_field(record->value, strlen(record->value), fields[i].buffer,
                                        fields[i].size);
                        return true;
                }
        return false;
}

static enum transport transport_of_class(const char *name) {
        static const struct {
                const char *name;
                enum transport transport;
        } classes[] = {
                {"fc_host", TRANSPORT_FC},       {"sas_host", TRANSPORT_SAS},
                {"iscsi_host", TRANSPORT_ISCSI}, {"srp_host", TRANSPORT_SRP},
                {"spi_host", TRANSPORT_SPI},
        };

        for (size_t i = 0; i < ELEMENTS_OF(classes); i++)
                if (strcmp(name, classes[i].name) == 0)
                        return classes[i].transport;
        return TRANSPORT_UNKNOWN;
}

static bool begins_with(const char *text, const char *prefix) {
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* "ahci" is the one name of libata's many drivers that does not say so. */
static bool driver_is_ata(const char *driver) {
        return begins_with(driver, "ahci") || begins_with(driver, "ata_") ||
               begins_with(driver, "sata_") || begins_with(driver, "pata_");
}

/* Of a host that is in no transport class its driver's name tells, or where it hangs. */
static enum transport transport_guess(const char *path, const char *driver) {
        if (strstr(path, "/usb"))
                return TRANSPORT_USB;
        if (driver_is_ata(driver) || strstr(path, "/ata"))
                return TRANSPORT_ATA;
        if (strstr(path, "virtio") || strstr(driver, "virtio"))
                return TRANSPORT_VIRTIO;
        if (begins_with(path, "/devices/pseudo"))
                return TRANSPORT_PSEUDO;
        return TRANSPORT_UNKNOWN;
}

/* "<channel> <target> <state> <port name>"; a transport that knows no state says "-". False: not
 * so. */
static bool port_parse(const char *text, struct port_facts *ret) {
        char state[FACT_NAME_MAX];
        struct port_facts port = {};
        int name = 0;

        if (sscanf(text, "%" SCNu32 " %" SCNu32 " %63s %n", &port.channel, &port.target, state,
                   &name) != 3 ||
            name == 0 || text[name] == '\0')
                return false;
        if (strcmp(state, "-") != 0)
                scsi_text_field(state, strlen(state), port.state, sizeof(port.state));
        scsi_text_field(text + name, strlen(text + name), port.name, sizeof(port.name));
        *ret = port;
        return true;
}

static int host_add_port(struct host_facts *facts, const char *text) {
        struct port_facts port, *ports;

        if (facts->port_count == PORTS_MAX || !port_parse(text, &port))
                return 0;
        /* Grows at each power of two. */
        if ((facts->port_count & (facts->port_count - 1)) == 0) {
                ports = reallocarray(facts->ports, facts->port_count ? facts->port_count * 2 : 1,
                                     sizeof(*ports));
                if (!ports)
                        return -ENOMEM;
                facts->ports = ports;
        }
        facts->ports[facts->port_count++] = port;
        return 0;
}

/* fc_host shows "0x<hex>"; remote ports come as "naa.<hex>", and one spelling is enough. */
static void port_name_set(struct host_facts *facts, const char *text) {
        static const char prefix[] = "naa.";
        size_t length = sizeof(prefix) - 1;

        if (begins_with(text, "0x"))
                text += 2;
        memcpy(facts->port_name, prefix, sizeof(prefix));
        scsi_text_field(text, strlen(text), facts->port_name + length,
                        sizeof(facts->port_name) - length);
}

static int host_add_record(struct host_facts *facts, const struct record *record) {
        const struct text_field fields[] = {
                {"proc_name", facts->driver, sizeof(facts->driver)},
                {"state", facts->state, sizeof(facts->state)},
                {"scan", facts->scan_mode, sizeof(facts->scan_mode)},
                {"path", facts->path, sizeof(facts->path)},
        };

        if (text_field_set(fields, ELEMENTS_OF(fields), record))
                return 0;
        if (record_is(record, "port"))
                return host_add_port(facts, record->value);
        if (record_is(record, "instance"))
                facts->instance = number_of(record->value, UINT64_MAX);
        else if (record_is(record, "port_name"))
                port_name_set(facts, record->value);
        else if (transport_of_class(record->name) != TRANSPORT_UNKNOWN)
                facts->transport = transport_of_class(record->name);
        return 0;
}

static void host_facts_clear(struct host_facts *facts) {
        host_facts_done(facts);
}

int records_decode_host(const char *data, size_t length, struct host_facts *ret) {
        _cleanup_(host_facts_clear) struct host_facts facts = {};
        struct record record;
        int r;

        while ((r = record_next(&data, &length, &record)) > 0) {
                r = host_add_record(&facts, &record);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (facts.transport == TRANSPORT_UNKNOWN)
                facts.transport = transport_guess(facts.path, facts.driver);
        *ret = facts;
        facts = (struct host_facts){};
        return 0;
}

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

/* Bytes as two hexadecimal digits each, as many as are so and fit; how many. */
static size_t bytes_of(const char *text, uint8_t *bytes, size_t size) {
        size_t count = 0;

        for (; count < size && isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]);
             text += 2)
                sscanf(text, "%2" SCNx8, &bytes[count++]);
        return count;
}

/* A page that cannot be read is one of which nothing is known. */
static int device_set_attached_as(struct device_facts *facts, const char *hex) {
        uint8_t page[WORKER_PAGE_MAX];
        size_t length = bytes_of(hex, page, sizeof(page));

        facts->has_device_id = true;
        scsi_identity_done(&facts->attached_as);
        return scsi_identity_decode(page, length, &facts->attached_as) == -ENOMEM ? -ENOMEM : 0;
}

static int device_add_record(struct device_facts *facts, const struct record *record) {
        const struct text_field fields[] = {
                {"vendor", facts->vendor, sizeof(facts->vendor)},
                {"model", facts->model, sizeof(facts->model)},
                {"rev", facts->revision, sizeof(facts->revision)},
                {"state", facts->state, sizeof(facts->state)},
                {"access_state", facts->access_state, sizeof(facts->access_state)},
                {"blacklist", facts->blacklist, sizeof(facts->blacklist)},
                {"generic", facts->generic, sizeof(facts->generic)},
                {"block", facts->block, sizeof(facts->block)},
        };

        if (text_field_set(fields, ELEMENTS_OF(fields), record))
                return 0;
        if (record_is(record, "holder"))
                return device_facts_add_holder(facts, record->value);
        if (record_is(record, "vpd_pg83_hex"))
                return device_set_attached_as(facts, record->value);
        if (record_is(record, "instance"))
                facts->instance = number_of(record->value, UINT64_MAX);
        else if (record_is(record, "type"))
                facts->type = (uint8_t)number_of(record->value, 0x1f);
        else if (record_is(record, "pq"))
                facts->qualifier = (uint8_t)number_of(record->value, 7);
        else if (record_is(record, "scsi_level"))
                facts->scsi_level = (int)number_of(record->value, 255);
        else if (record_is(record, "vpd_pg80"))
                facts->has_serial = true;
        else if (record_is(record, "size"))
                facts->size = number_of(record->value, UINT64_MAX);
        else if (record_is(record, "block_size"))
                facts->block_size = (uint32_t)number_of(record->value, UINT32_MAX);
        return 0;
}

static void device_facts_clear(struct device_facts *facts) {
        device_facts_done(facts);
}

int records_decode_device(const char *data, size_t length, struct device_facts *ret) {
        /* A device whose type cannot be read is of none. */
        _cleanup_(device_facts_clear) struct device_facts facts = {.type = 0x1f};
        struct record record;
        int r;

        while ((r = record_next(&data, &length, &record)) > 0) {
                r = device_add_record(&facts, &record);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        *ret = facts;
        facts = (struct device_facts){};
        return 0;
}

size_t records_block_numbers(const char *data, size_t length, dev_t ret[static RECORDS_BLOCK_MAX]) {
        struct record record;
        size_t count = 0;

        while (count < RECORDS_BLOCK_MAX && record_next(&data, &length, &record) > 0) {
                unsigned major, minor;

                if (record_is(&record, "dev") && sscanf(record.value, "%u:%u", &major, &minor) == 2)
                        ret[count++] = makedev(major, minor);
        }
        return count;
}
