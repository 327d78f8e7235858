/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "kernel/records.h"
#include "record_support.h"
#include "util/cleanup.h"

/* Decodes what records_put() makes of the text. */
static struct host_facts host_of(const char *text, size_t length) {
        g_autofree uint8_t *data = g_malloc(4 * length + 1);
        struct host_facts facts;

        g_assert_cmpint(records_decode_host(data, records_put(data, text, length), &facts), ==, 0);
        return facts;
}

static struct device_facts device_of(const char *text, size_t length) {
        g_autofree uint8_t *data = g_malloc(4 * length + 1);
        struct device_facts facts;

        g_assert_cmpint(records_decode_device(data, records_put(data, text, length), &facts), ==,
                        0);
        return facts;
}

#define OWN "class/scsi_host/host3/\0\0"
#define LINK(path) "class/scsi_host/host3\0../.." path "/scsi_host/host3"

static void test_host(void) {
        static const char text[] = LINK(
                "/devices/pci0000:00/host3") "\0"
                                             "module/scsi_mod/parameters/scan\0manual\n\0" OWN
                                             "proc_name\0qla2xxx\n\0state\0running\n\0unique_id\0000\n\0something_new\000x\0"
                                             "class/fc_host/host3/\0\0port_name\0000x21000024ff000001\n\0state\000x";
        struct host_facts facts = host_of(RECORDS(text));

        g_assert_cmpstr(facts.driver, ==, "qla2xxx");
        g_assert_cmpstr(facts.state, ==, "running");
        g_assert_cmpstr(facts.scan_mode, ==, "manual");
        g_assert_cmpstr(facts.path, ==, "/devices/pci0000:00/host3");
        g_assert_cmpstr(facts.port_name, ==, "naa.21000024ff000001");
        g_assert_cmpint(facts.transport, ==, TRANSPORT_FC);
        g_assert_cmpuint(facts.port_count, ==, 0);
        host_facts_done(&facts);
}

static void test_instance(void) {
        const uint64_t number = 0x123456789a;
        struct device_facts device;
        struct host_facts host;
        uint8_t data[64];
        size_t size = record_put(data, 0, "instance", &number, sizeof(number));

        g_assert_cmpint(records_decode_host(data, size, &host), ==, 0);
        g_assert_cmpuint(host.instance, ==, number);
        host_facts_done(&host);
        g_assert_cmpint(records_decode_device(data, size, &device), ==, 0);
        g_assert_cmpuint(device.instance, ==, number);
        device_facts_done(&device);
        size = record_put(data, 0, "instance", &number, sizeof(number) - 1);
        g_assert_cmpint(records_decode_host(data, size, &host), ==, 0);
        g_assert_cmpuint(host.instance, ==, 0);
        host_facts_done(&host);
}

static void test_transport(void) {
        static const struct {
                const char *data;
                size_t length;
                enum transport transport;
        } cases[] = {
                {RECORDS("class/sas_host/host3/\0"), TRANSPORT_SAS},
                {RECORDS("class/iscsi_host/host3/\0\0" LINK("/devices/platform/host2")),
                 TRANSPORT_ISCSI},
                {RECORDS("class/srp_host/host3/\0"), TRANSPORT_SRP},
                {RECORDS("class/spi_host/host3/\0"), TRANSPORT_SPI},
                {RECORDS(LINK("/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host4")),
                 TRANSPORT_USB},
                {RECORDS(LINK("/devices/pci0000:00/0000:00:1f.2/ata1/host0") "\0" OWN
                                                                             "proc_name\0ahci"),
                 TRANSPORT_ATA},
                {RECORDS(OWN "proc_name\0sata_nv"), TRANSPORT_ATA},
                {RECORDS(LINK("/devices/pci0000:00/0000:00:1f.2/ata1/host0") "\0" OWN
                                                                             "proc_name\0x"),
                 TRANSPORT_ATA},
                {RECORDS(LINK("/devices/pci0000:00/0000:00:04.0/virtio1/host0")), TRANSPORT_VIRTIO},
                {RECORDS(OWN "proc_name\0virtio_scsi"), TRANSPORT_VIRTIO},
                {RECORDS(LINK("/devices/pseudo_0/adapter0/host0") "\0" OWN "proc_name\0scsi_debug"),
                 TRANSPORT_PSEUDO},
                {RECORDS(LINK("/devices/pci0000:00/host0") "\0" OWN "proc_name\0megaraid_sas"),
                 TRANSPORT_UNKNOWN},
                {"", 0, TRANSPORT_UNKNOWN},
        };

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                struct host_facts facts = host_of(cases[i].data, cases[i].length);

                g_test_message("%zu", i);
                g_assert_cmpint(facts.transport, ==, cases[i].transport);
                host_facts_done(&facts);
        }
}

#define RPORT "class/fc_remote_ports/rport-3:2-7/\0\0"
#define END_DEVICE "class/sas_device/end_device-3:1:4/\0\0"
#define SESSION "bus/scsi/devices/host3/session9/iscsi_session/session9/\0\0"
#define TARGET "roles\0FCP Target, FCP Initiator\n\0"

static void test_ports(void) {
        static const struct {
                const char *text;
                size_t length;
                const char *name; /* NULL: not a port */
                const char *state;
                uint32_t channel, target;
        } cases[] = {
                {RECORDS(RPORT TARGET "scsi_target_id\0004\n\0port_state\0Not Present\n\0"
                                      "port_name\0000x500a09848cde0001\n"),
                 "naa.500a09848cde0001", "not-present", 2, 4},
                {RECORDS(RPORT TARGET "scsi_target_id\000-1\n\0port_state\0Online\n\0"
                                      "port_name\0000x500a09848cde0001\n"),
                 NULL, NULL, 0, 0},
                {RECORDS(RPORT "roles\0FCP Initiator\n\0scsi_target_id\0004\n\0"
                               "port_state\0Online\n\0port_name\0000x500a09848cde0001\n"),
                 NULL, NULL, 0, 0},
                {RECORDS(RPORT TARGET "scsi_target_id\0004\n\0port_name\0000x500a09848cde0001\n"),
                 NULL, NULL, 0, 0},
                {RECORDS(RPORT TARGET "scsi_target_id\0004\n\0port_state\0Online\n"), NULL, NULL, 0,
                 0},
                {RECORDS(RPORT TARGET "port_state\0Online\n\0port_name\0000x500a09848cde0001\n"),
                 NULL, NULL, 0, 0},
                {RECORDS(END_DEVICE "scsi_target_id\00012\n\0sas_address\0000x5000c5008e3b1a2d\n"),
                 "naa.5000c5008e3b1a2d", "", 0, 12},
                {RECORDS(END_DEVICE "scsi_target_id\000-1\n\0sas_address\0000x5000c5008e3b1a2d\n"),
                 NULL, NULL, 0, 0},
                {RECORDS(END_DEVICE "scsi_target_id\00012\n\0sas_address\000\xff\x01\n"), "naa.??",
                 "", 0, 12},
                {RECORDS(SESSION "targetname\0iqn.2003-01.org.example:array\n\0tpgt\00026\n\0"
                                 "target_id\0000\n\0state\0LOGGED_IN\n"),
                 "iqn.2003-01.org.example:array,t,0x1a", "logged_in", 0, 0},
                {RECORDS(SESSION "targetname\0iqn.2003-01.org.example:array\n\0tpgt\000-1\n\0"
                                 "target_id\0000\n\0state\0LOGGED_IN\n"),
                 NULL, NULL, 0, 0},
                {RECORDS(SESSION "targetname\0\n\0tpgt\00026\n\0target_id\0000\n\0"
                                 "state\0LOGGED_IN\n"),
                 NULL, NULL, 0, 0},
        };

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                struct host_facts facts = host_of(cases[i].text, cases[i].length);

                g_test_message("%zu", i);
                g_assert_cmpuint(facts.port_count, ==, cases[i].name ? 1 : 0);
                if (cases[i].name) {
                        g_assert_cmpstr(facts.ports[0].name, ==, cases[i].name);
                        g_assert_cmpstr(facts.ports[0].state, ==, cases[i].state);
                        g_assert_cmpuint(facts.ports[0].channel, ==, cases[i].channel);
                        g_assert_cmpuint(facts.ports[0].target, ==, cases[i].target);
                }
                host_facts_done(&facts);
        }
}

/* A port's records are its own, also when the one before was not whole, and the host's state is
 * none of theirs. */
static void test_ports_many(void) {
        struct host_facts facts = host_of(RECORDS(
                OWN "state\0running\n\0" END_DEVICE "scsi_target_id\0001\n\0"
                    "class/sas_device/end_device-3:1:5/\0\0sas_address\0000x5000c50000000001\n\0"
                    "class/sas_device/end_device-3:1:6/\0\0scsi_target_id\0002\n\0"
                    "sas_address\0000x5000c50000000002\n\0" SESSION
                    "targetname\0iqn.x\n\0tpgt\0001\n\0target_id\0003\n\0state\0FREE\n\0"
                    "class/sas_device/end_device-3:1:7/\0\0scsi_target_id\0004\n\0"
                    "sas_address\0000x5000c50000000004\n"));

        g_assert_cmpstr(facts.state, ==, "running");
        g_assert_cmpuint(facts.port_count, ==, 3);
        g_assert_cmpstr(facts.ports[0].name, ==, "naa.5000c50000000002");
        g_assert_cmpstr(facts.ports[1].name, ==, "iqn.x,t,0x1");
        g_assert_cmpstr(facts.ports[2].name, ==, "naa.5000c50000000004");
        g_assert_cmpstr(facts.ports[2].state, ==, "");
        host_facts_done(&facts);
}

/* A page 83h of one designator, NAA, which ends with that byte. */
#define PAGE_83(last) "\0\x83\0\x0c\x01\x03\0\x08\x50\0\0\0\0\0\0" last

static void test_device(void) {
        static const char text[] =
                "./\0\0vendor\0Linux   \n\0model\0scsi_debug      \n\0rev\0"
                "0191\n\0type\0000\n\0scsi_level\0008\n\0state\0running\n\0"
                "blacklist\0TRY_VPD_PAGES\n\0access_state\0active/optimized\n\0vpd_pg80\0x\0"
                "driver\0../../../sd\0scsi_generic/sg3\0\0inquiry\0\x20\0"
                "block/sda/\0\0size\00016384\n\0queue/logical_block_size\000512\n\0"
                "dev\0008:0\n\0holders/dm-0\0../dm-0\0"
                "block/sda/sda1/\0\0dev\00008:1\n\0holders/dm-1\0../dm-1\0holders/dm-0\0../dm-0";
        uint8_t data[1024];
        size_t size = records_put(data, RECORDS(text));
        struct device_facts facts;

        size = record_put(data, size, "./", "", 0);
        size = record_put(data, size, "vpd_pg83", PAGE_83("\xab"), 16);
        size = record_put(data, size, "model", "scsi\0_debug     \n", 16);
        g_assert_cmpint(records_decode_device(data, size, &facts), ==, 0);
        g_assert_cmpstr(facts.vendor, ==, "Linux");
        g_assert_cmpstr(facts.model, ==, "scsi_debug");
        g_assert_cmpstr(facts.revision, ==, "0191");
        g_assert_cmpuint(facts.type, ==, 0);
        g_assert_cmpuint(facts.qualifier, ==, 1);
        g_assert_cmpint(facts.scsi_level, ==, 8);
        g_assert_cmpstr(facts.state, ==, "running");
        g_assert_cmpstr(facts.access_state, ==, "active/optimized");
        g_assert_cmpstr(facts.blacklist, ==, "TRY_VPD_PAGES");
        g_assert_true(facts.has_device_id);
        g_assert_true(facts.has_serial);
        g_assert_cmpstr(facts.attached_as.name, ==, "naa.50000000000000ab");
        g_assert_cmpuint(facts.attached_as.count, ==, 1);
        g_assert_cmpstr(facts.generic, ==, "sg3");
        g_assert_cmpstr(facts.block, ==, "sda");
        g_assert_cmpuint(facts.size, ==, 8388608);
        g_assert_cmpuint(facts.block_size, ==, 512);
        g_assert_cmpstr(facts.holders[0], ==, "dm-0");
        g_assert_cmpstr(facts.holders[1], ==, "dm-1");
        g_assert_null(facts.holders[2]);
        device_facts_done(&facts);
}

/* A device may say anything in its strings, and a number may be none. */
static void test_device_hostile(void) {
        struct device_facts facts = device_of(
                RECORDS("./\0\0vendor\0\xc3\x28\x1b[31mEVIL AND LONG\0type\000200\0inquiry\0\0"
                        "scsi_level\0x\0vpd_pg83\0\0"
                        "block/\xc3\x28/\0\0size\00036028797018963968\0"
                        "queue/logical_block_size\000512k"));

        g_assert_cmpstr(facts.vendor, ==, "?(?[31mE");
        g_assert_cmpuint(facts.type, ==, 0);
        g_assert_cmpuint(facts.qualifier, ==, 0);
        g_assert_cmpuint(facts.size, ==, 0);
        g_assert_cmpuint(facts.block_size, ==, 0);
        g_assert_cmpint(facts.scsi_level, ==, 0);
        g_assert_false(facts.has_device_id);
        g_assert_cmpstr(facts.block, ==, "?(");
        device_facts_done(&facts);
        facts = device_of(RECORDS("./\0\0type\0")); /* it could not be read */
        g_assert_cmpuint(facts.type, ==, 0x1f);
        device_facts_done(&facts);
        g_assert_cmpint(records_decode_device(NULL, 0, &facts), ==, 0);
        g_assert_cmpuint(facts.type, ==, 0x1f);
        g_assert_false(facts.has_device_id);
        device_facts_done(&facts);
}

/* Of a page that cannot be read, nothing is known but that the kernel has it. */
static void test_device_pages(void) {
        static const struct {
                const char *page;
                size_t length;
                const char *name; /* NULL: no identity */
        } cases[] = {
                {"\0\x83\0\0", 4, ""},
                {PAGE_83("\x01"), 15, ""}, /* cut short */
                {PAGE_83("\x01") "\xff", 17, "naa.5000000000000001"},
                {"\0", 1, NULL},
                {"\0\x80\0\x04"
                 "1234",
                 8, NULL}, /* another page */
        };

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                struct device_facts facts;
                uint8_t data[128];
                size_t size = record_put(data, 0, "./", "", 0);

                g_test_message("%zu", i);
                size = record_put(data, size, "vpd_pg83", PAGE_83("\x02"), 16);
                size = record_put(data, size, "vpd_pg83", cases[i].page, cases[i].length);
                g_assert_cmpint(records_decode_device(data, size, &facts), ==, 0);
                g_assert_true(facts.has_device_id);
                g_assert_cmpstr(facts.attached_as.name, ==, cases[i].name);
                device_facts_done(&facts);
                g_assert_null(facts.attached_as.name);
        }
}

/* However long a page is, no more than RECORDS_PAGE_MAX bytes of it are read. */
static void test_device_page_bound(void) {
        uint8_t page[WORKER_VALUE_MAX] = {0x00, 0x83, 0x0f, 0xfc}, data[2 * WORKER_VALUE_MAX];
        struct device_facts facts;
        size_t size = record_put(data, 0, "./", "", 0);

        for (unsigned i = 0; 4 + 12 * (i + 1) <= sizeof(page); i++) {
                const uint8_t designator[] = {1, 3, 0, 8, 0x50, 0, 0, 0, 0, 0, i >> 8, i & 0xff};

                memcpy(page + 4 + sizeof(designator) * i, designator, sizeof(designator));
        }
        size = record_put(data, size, "vpd_pg83", page, sizeof(page));
        g_assert_cmpint(records_decode_device(data, size, &facts), ==, 0);
        g_assert_cmpuint(facts.attached_as.count, ==, SCSI_DESIGNATORS_MAX);
        /* 85 whole ones fit into the page. */
        g_assert_cmpstr(facts.attached_as.name, ==, "naa.5000000000000054");
        device_facts_done(&facts);
}

static void test_malformed(void) {
        static const struct {
                struct worker_record record;
                size_t length; /* of name and value, which are all 'x', as far as they come */
        } cases[] = {
                {{0, 0}, 0},                                       /* no name */
                {{1, 0}, 0},                                       /* cut off in the name, */
                {{1, 5}, 5},                                       /* in the value, */
                {{600, 0}, 600},                                   /* a name too long, */
                {{1, WORKER_VALUE_MAX + 1}, WORKER_VALUE_MAX + 2}, /* and a value */
        };
        g_autofree uint8_t *data = g_malloc(2 * WORKER_VALUE_MAX);

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                const size_t whole = sizeof(cases[i].record) + cases[i].length;
                struct device_facts device;
                struct host_facts host;

                g_test_message("%zu", i);
                memset(data, 'x', 2 * WORKER_VALUE_MAX);
                memcpy(data, &cases[i].record, sizeof(cases[i].record));
                g_assert_cmpint(records_decode_device(data, whole, &device), ==, -EBADMSG);
                g_assert_cmpint(records_decode_host(data, whole, &host), ==, -EBADMSG);
                g_assert_cmpint(records_decode_host(data, 3, &host), ==, -EBADMSG);
        }
        g_assert_cmpint(records_decode_host(data, record_put(data, 0, "a", "\0", 1),
                                            &(struct host_facts){}),
                        ==, 0);
        data[sizeof(struct worker_record)] = '\0'; /* in a name */
        g_assert_cmpint(
                records_decode_host(data, sizeof(struct worker_record) + 2, &(struct host_facts){}),
                ==, -EBADMSG);
}

static void test_holders_bound(void) {
        struct device_facts facts = {};

        for (int i = 0; i < FACT_HOLDERS_MAX + 10; i++) {
                g_autofree char *name = g_strdup_printf("dm-%d", i);

                g_assert_cmpint(device_facts_add_holder(&facts, name), ==, 0);
        }
        g_assert_cmpstr(facts.holders[FACT_HOLDERS_MAX - 1], ==, "dm-31");
        g_assert_null(facts.holders[FACT_HOLDERS_MAX]);
        device_facts_done(&facts);
}

static void test_block_numbers(void) {
        g_autofree uint8_t *data = g_malloc(64 * RECORDS_BLOCK_MAX);
        dev_t numbers[RECORDS_BLOCK_MAX];
        size_t size = records_put(
                data, RECORDS("./\0\0dev\00021:0\0block/sda/\0\0dev\0008:0\n\0holders/dm-0\0x\0"
                              "block/sda/sda1/\0\0dev\000259:4097\n\0dev\0x"));

        g_assert_cmpuint(records_block_numbers(data, size, numbers), ==, 2);
        g_assert_cmpuint(numbers[0], ==, makedev(8, 0));
        g_assert_cmpuint(numbers[1], ==, makedev(259, 4097));
        for (int i = 0; i < RECORDS_BLOCK_MAX + 10; i++)
                size = record_put(data, size, "dev", "8:0\n", 4);
        g_assert_cmpuint(records_block_numbers(data, size, numbers), ==, RECORDS_BLOCK_MAX);
}

static void test_random(void) {
        uint8_t seed[1024];
        size_t seed_size = records_put(
                seed,
                RECORDS("./\0\0vendor\0Linux\0type\0005\0vpd_pg83\0x\0scsi_generic/sg1\0\0"
                        "block/sda/\0\0dev\0008:1\0holders/dm-0\0x\0" LINK(
                                "/devices/x") "\0" SESSION
                                              "targetname\0x\0tpgt\0001\0target_id\0001\0"
                                              "state\0FREE\0" RPORT TARGET "scsi_target_id\0001"));
        guint good = 0;

        seed_size = record_put(seed, seed_size, "./", "", 0);
        seed_size = record_put(seed, seed_size, "vpd_pg83", PAGE_83("\x01"), 16);
        for (guint round = 0; round < 20000; round++) {
                size_t length = (size_t)g_test_rand_int_range(1, (gint32)seed_size + 1);
                g_autofree uint8_t *data = g_memdup2(seed, length);
                dev_t numbers[RECORDS_BLOCK_MAX];
                struct device_facts device;
                struct host_facts host;

                for (gint flips = g_test_rand_int_range(0, 4); flips > 0; flips--)
                        data[g_test_rand_int_range(0, (gint32)length)] =
                                (uint8_t)g_test_rand_int_range(0, 256);
                g_assert_cmpuint(records_block_numbers(data, length, numbers), <=, 2);
                if (records_decode_device(data, length, &device) < 0) {
                        g_assert_cmpint(records_decode_host(data, length, &host), ==, -EBADMSG);
                        continue;
                }
                good++;
                device_facts_done(&device);
                g_assert_cmpint(records_decode_host(data, length, &host), ==, 0);
                host_facts_done(&host);
        }
        g_assert_cmpuint(good, >, 0);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/kernel/records/host", test_host);
        g_test_add_func("/kernel/records/instance", test_instance);
        g_test_add_func("/kernel/records/transport", test_transport);
        g_test_add_func("/kernel/records/ports", test_ports);
        g_test_add_func("/kernel/records/ports-many", test_ports_many);
        g_test_add_func("/kernel/records/device", test_device);
        g_test_add_func("/kernel/records/device-hostile", test_device_hostile);
        g_test_add_func("/kernel/records/device-pages", test_device_pages);
        g_test_add_func("/kernel/records/device-page-bound", test_device_page_bound);
        g_test_add_func("/kernel/records/malformed", test_malformed);
        g_test_add_func("/kernel/records/holders-bound", test_holders_bound);
        g_test_add_func("/kernel/records/block-numbers", test_block_numbers);
        g_test_add_func("/kernel/records/random", test_random);
        return g_test_run();
}
