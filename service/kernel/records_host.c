/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/record.h"
#include "kernel/records.h"
#include "scsi/text.h"
#include "util/cleanup.h"

#define PORTS_MAX 16384

#define OWN "class/scsi_host/*/"

enum port_kind {
        PORT_NONE,
        PORT_FC,
        PORT_SAS,
        PORT_ISCSI,
};

/* A target port of which not all records have come. */
struct port_reading {
        enum port_kind kind;
        struct port_facts facts; /* the name as the kernel has it */
        char id[FACT_NAME_MAX];
        char roles[FACT_PORT_NAME_MAX]; /* a list, comma-separated */
        char group[FACT_NAME_MAX];
};

struct host_reading {
        struct host_facts facts;
        struct port_reading port;
};

/* Into *ret, when the record is the host's entry in a transport class. */
static void transport_set(const struct record *record, enum transport *ret) {
        static const struct {
                const char *directory;
                enum transport transport;
        } classes[] = {
                {"class/fc_host/*/", TRANSPORT_FC},       {"class/sas_host/*/", TRANSPORT_SAS},
                {"class/iscsi_host/*/", TRANSPORT_ISCSI}, {"class/srp_host/*/", TRANSPORT_SRP},
                {"class/spi_host/*/", TRANSPORT_SPI},
        };

        for (size_t i = 0; i < ELEMENTS_OF(classes); i++)
                if (record_is(record, classes[i].directory, ""))
                        *ret = classes[i].transport;
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

static const char *hex_digits(const char *text) {
        return begins_with(text, "0x") ? text + 2 : text;
}

/* One spelling is enough: "naa.<hex>". */
static void naa_name_set(char name[static FACT_PORT_NAME_MAX], const char *text) {
        char naa[FACT_PORT_NAME_MAX + sizeof("naa.")];

        snprintf(naa, sizeof(naa), "naa.%s", hex_digits(text));
        scsi_text_field(naa, strlen(naa), name, FACT_PORT_NAME_MAX);
}

static bool number_parse(const char *text, uint32_t *ret) {
        char *end;
        unsigned long number;

        errno = 0;
        number = strtoul(text, &end, 10);
        if (errno || *text < '0' || *text > '9' || *end || number > UINT32_MAX)
                return false;
        *ret = (uint32_t)number;
        return true;
}

/* One that is no SCSI target has the id -1. */
static bool port_is_target(struct port_reading *port) {
        return number_parse(port->id, &port->facts.target) && port->facts.name[0] &&
               (port->kind == PORT_SAS || port->facts.state[0]) &&
               (port->kind != PORT_FC || strstr(port->roles, "FCP Target"));
}

/* As the transport spells it, lower case, blanks as dashes: "Not Present", "LOGGED_IN". */
static void port_state_normalize(char *state) {
        for (; *state; state++)
                *state = (char)(*state == ' ' ? '-' : tolower((unsigned char)*state));
}

/* "<iqn>,t,0x<target portal group>", or "naa.<hex>". */
static bool port_name_finish(struct port_reading *port) {
        char name[FACT_PORT_NAME_MAX + FACT_NAME_MAX];
        uint32_t group;

        if (port->kind != PORT_ISCSI) {
                snprintf(name, sizeof(name), "%s", port->facts.name);
                naa_name_set(port->facts.name, name);
                return true;
        }
        if (!number_parse(port->group, &group))
                return false;
        snprintf(name, sizeof(name), "%s,t,0x%" PRIx32, port->facts.name, group);
        scsi_text_field(name, strlen(name), port->facts.name, sizeof(port->facts.name));
        return true;
}

static int port_keep(struct host_facts *facts, const struct port_facts *port) {
        struct port_facts *ports;

        if (facts->port_count == PORTS_MAX)
                return 0;
        /* Grows at each power of two. */
        if ((facts->port_count & (facts->port_count - 1)) == 0) {
                ports = reallocarray(facts->ports, facts->port_count ? facts->port_count * 2 : 1,
                                     sizeof(*ports));
                if (!ports)
                        return -ENOMEM;
                facts->ports = ports;
        }
        facts->ports[facts->port_count++] = *port;
        return 0;
}

static int port_finish(struct host_reading *reading) {
        struct port_reading *port = &reading->port;

        if (port->kind == PORT_NONE || !port_is_target(port) || !port_name_finish(port))
                return 0;
        port_state_normalize(port->facts.state);
        return port_keep(&reading->facts, &port->facts);
}

/*
 * The transport scans SAS end devices on channel 0 (sas_rphy_add()), and knows no state of them.
 * iSCSI has one channel (iscsi_user_scan()), and its session states are LOGGED_IN, FAILED and FREE.
 * An FC remote port's name is rport-<host>:<channel>-<number>.
 */
static void port_begin(struct port_reading *port, const struct record *record) {
        *port = (struct port_reading){.kind = PORT_NONE};
        if (record_is(record, "class/sas_device/*/", ""))
                port->kind = PORT_SAS;
        else if (record_is(record, "bus/scsi/devices/*/*/iscsi_session/*/", ""))
                port->kind = PORT_ISCSI;
        else if (sscanf(record->directory, "class/fc_remote_ports/rport-%*u:%" SCNu32 "-",
                        &port->facts.channel) == 1)
                port->kind = PORT_FC;
}

static void port_add(struct port_reading *port, const struct record *record) {
        struct port_facts *facts = &port->facts;
        const struct record_field fields[] = {
                {"roles", port->roles, sizeof(port->roles)},
                {"scsi_target_id", port->id, sizeof(port->id)},
                {"target_id", port->id, sizeof(port->id)},
                {"port_state", facts->state, sizeof(facts->state)},
                {"state", facts->state, sizeof(facts->state)},
                {"port_name", facts->name, sizeof(facts->name)},
                {"sas_address", facts->name, sizeof(facts->name)},
                {"targetname", facts->name, sizeof(facts->name)},
                {"tpgt", port->group, sizeof(port->group)},
        };

        record_fill(record, fields, ELEMENTS_OF(fields));
}

/* Links of classes lead up to sysfs's root and down from there, and end with the class and the
 * name: between them is the DEVPATH. */
static void path_set(struct host_facts *facts, const char *link) {
        const char *end = strstr(link, "/scsi_host/");
        char path[FACT_PATH_MAX];

        while (begins_with(link, "../"))
                link += 3;
        snprintf(path, sizeof(path), "/%.*s", end ? (int)(end - link) : (int)strlen(link), link);
        scsi_text_field(path, strlen(path), facts->path, sizeof(facts->path));
}

static void host_add(struct host_facts *facts, const struct record *record) {
        const struct record_field own[] = {
                {"proc_name", facts->driver, sizeof(facts->driver)},
                {"state", facts->state, sizeof(facts->state)},
        };
        const struct record_field scan = {"module/scsi_mod/parameters/scan", facts->scan_mode,
                                          sizeof(facts->scan_mode)};

        if (record_instance(record, &facts->instance))
                return;
        if (record_fits(record, OWN, "*"))
                record_fill(record, own, ELEMENTS_OF(own));
        else if (record_fits(record, "", "class/scsi_host/*"))
                path_set(facts, record->text);
        else if (record_is(record, "", scan.name))
                record_fill(record, &scan, 1);
        else if (record_is(record, "class/fc_host/*/", "port_name"))
                naa_name_set(facts->port_name, record->text);
        else
                transport_set(record, &facts->transport);
}

static int reading_add(struct host_reading *reading, const struct record *record) {
        int r = 0;

        if (record->name[0] == '\0') {
                r = port_finish(reading);
                port_begin(&reading->port, record);
        }
        if (reading->port.kind != PORT_NONE)
                port_add(&reading->port, record);
        else
                host_add(&reading->facts, record);
        return r;
}

static void host_facts_clear(struct host_reading *reading) {
        host_facts_done(&reading->facts);
}

int records_decode_host(const uint8_t *data, size_t length, struct host_facts *ret) {
        _cleanup_(host_facts_clear) struct host_reading reading = {};
        struct record_reader reader = {.data = data, .length = length};
        struct record record;
        int r;

        while ((r = record_next(&reader, &record)) > 0) {
                r = reading_add(&reading, &record);
                if (r < 0)
                        return r;
        }
        if (r == 0)
                r = port_finish(&reading);
        if (r < 0)
                return r;
        if (reading.facts.transport == TRANSPORT_UNKNOWN)
                reading.facts.transport = transport_guess(reading.facts.path, reading.facts.driver);
        *ret = reading.facts;
        reading.facts = (struct host_facts){};
        return 0;
}
