/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <sys/sysmacros.h>

#include "kernel/records.h"
#include "util/cleanup.h"

/* Records as a worker sends them; the literal's own NUL ends the last value. */
#define RECORDS(text) text, sizeof(text)

static void test_host(void) {
        struct host_facts facts;

        g_assert_cmpint(
                records_decode_host(
                        RECORDS("proc_name\0qla2xxx\0state\0running\0unique_id\0000\0scan\0manual\0"
                                "path\0/devices/pci0000:00/host3\0fc_host\0001\0"
                                "port_name\0000x21000024ff000001\0instance\00041712\0"
                                "port\0000 1 online naa.5006016000000001\0"
                                "port\0000 2 not-present naa.5006016000000002\0something_new\000x"),
                        &facts),
                ==, 0);
        g_assert_cmpstr(facts.driver, ==, "qla2xxx");
        g_assert_cmpstr(facts.state, ==, "running");
        g_assert_cmpstr(facts.scan_mode, ==, "manual");
        g_assert_cmpstr(facts.port_name, ==, "naa.21000024ff000001");
        g_assert_cmpint(facts.transport, ==, TRANSPORT_FC);
        g_assert_cmpuint(facts.instance, ==, 41712);
        g_assert_cmpuint(facts.port_count, ==, 2);
        g_assert_cmpuint(facts.ports[1].channel, ==, 0);
        g_assert_cmpuint(facts.ports[1].target, ==, 2);
        g_assert_cmpstr(facts.ports[1].state, ==, "not-present");
        g_assert_cmpstr(facts.ports[1].name, ==, "naa.5006016000000002");
        host_facts_done(&facts);
}

static void test_transport(void) {
        static const struct {
                const char *data;
                size_t length;
                enum transport transport;
        } cases[] = {
                {RECORDS("sas_host\0001"), TRANSPORT_SAS},
                {RECORDS("iscsi_host\0001\0path\0/devices/platform/host2"), TRANSPORT_ISCSI},
                {RECORDS("srp_host\0001"), TRANSPORT_SRP},
                {RECORDS("spi_host\0001"), TRANSPORT_SPI},
                {RECORDS("path\0/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host4"),
                 TRANSPORT_USB},
                {RECORDS("proc_name\0ahci\0path\0/devices/pci0000:00/0000:00:1f.2/ata1/host0"),
                 TRANSPORT_ATA},
                {RECORDS("proc_name\0sata_nv"), TRANSPORT_ATA},
                {RECORDS("proc_name\0x\0path\0/devices/pci0000:00/0000:00:1f.2/ata1/host0"),
                 TRANSPORT_ATA},
                {RECORDS("path\0/devices/pci0000:00/0000:00:04.0/virtio1/host0"), TRANSPORT_VIRTIO},
                {RECORDS("proc_name\0virtio_scsi"), TRANSPORT_VIRTIO},
                {RECORDS("proc_name\0scsi_debug\0path\0/devices/pseudo_0/adapter0/host0"),
                 TRANSPORT_PSEUDO},
                {RECORDS("proc_name\0megaraid_sas\0path\0/devices/pci0000:00/host0"),
                 TRANSPORT_UNKNOWN},
                {NULL, 0, TRANSPORT_UNKNOWN},
        };

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                struct host_facts facts;

                g_test_message("%zu", i);
                g_assert_cmpint(records_decode_host(cases[i].data, cases[i].length, &facts), ==, 0);
                g_assert_cmpint(facts.transport, ==, cases[i].transport);
                host_facts_done(&facts);
        }
}

static void test_ports(void) {
        static const struct {
                const char *value;
                const char *state; /* NULL: not a port */
                const char *name;
        } cases[] = {
                {"0 3 - naa.5000c500a1b2c3d4", "", "naa.5000c500a1b2c3d4"},
                {"0 0 logged_in iqn.2024-01.org.x:disks,t,0x1", "logged_in",
                 "iqn.2024-01.org.x:disks,t,0x1"},
                {"0 0 online \xff\x01", "online", "??"},
                {"0 0 online", NULL, NULL},
                {"0 online naa.5", NULL, NULL},
                {"", NULL, NULL},
        };

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                g_autoptr(GByteArray) data = g_byte_array_new();
                struct host_facts facts;

                g_byte_array_append(data, (const guint8 *)"port", 5);
                g_byte_array_append(data, (const guint8 *)cases[i].value,
                                    strlen(cases[i].value) + 1);
                g_assert_cmpint(records_decode_host((const char *)data->data, data->len, &facts),
                                ==, 0);
                g_assert_cmpuint(facts.port_count, ==, cases[i].state ? 1 : 0);
                if (cases[i].state) {
                        g_assert_cmpstr(facts.ports[0].state, ==, cases[i].state);
                        g_assert_cmpstr(facts.ports[0].name, ==, cases[i].name);
                }
                host_facts_done(&facts);
        }
}

static void test_device(void) {
        struct device_facts facts;

        g_assert_cmpint(
                records_decode_device(
                        RECORDS("vendor\0Linux   \0model\0scsi_debug      \0rev\0"
                                "0191\0type\0000\0"
                                "scsi_level\0008\0state\0running\0blacklist\0TRY_VPD_PAGES\0"
                                "access_state\0active/optimized\0vpd_pg83_hex\000"
                                "0083000c0103000850000000000000AB00\0vpd_pg80\0001\0pq\0001\0"
                                "driver\0sd\0generic\0sg3\0block\0sda\0size\0008388608\0block_size\000512\0"
                                "dev\0008:0\0dev\00008:1\0holder\0dm-0\0holder\0dm-1\0holder\0dm-0\0"
                                "instance\00099"),
                        &facts),
                ==, 0);
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
        g_assert_cmpuint(facts.instance, ==, 99);
        g_assert_cmpstr(facts.holders[0], ==, "dm-0");
        g_assert_cmpstr(facts.holders[1], ==, "dm-1");
        g_assert_null(facts.holders[2]);
        device_facts_done(&facts);
}

/* A device may say anything in its strings, and a number may be none. */
static void test_device_hostile(void) {
        struct device_facts facts;

        g_assert_cmpint(
                records_decode_device(
                        RECORDS("vendor\0\xc3\x28\x1b[31mEVIL AND LONG\0type\000200\0pq\0-1\0"
                                "size\00099999999999999999999\0block_size\000512k\0scsi_level\0x"),
                        &facts),
                ==, 0);
        g_assert_cmpstr(facts.vendor, ==, "?(?[31mE");
        g_assert_cmpuint(facts.type, ==, 0);
        g_assert_cmpuint(facts.qualifier, ==, 0);
        g_assert_cmpuint(facts.size, ==, 0);
        g_assert_cmpuint(facts.block_size, ==, 0);
        g_assert_cmpint(facts.scsi_level, ==, 0);
        device_facts_done(&facts);
        g_assert_cmpint(records_decode_device(NULL, 0, &facts), ==, 0);
        g_assert_cmpuint(facts.type, ==, 0x1f);
        g_assert_false(facts.has_device_id);
        device_facts_done(&facts);
}

/* Of a page that cannot be read, nothing is known but that the kernel has it. */
static void test_device_pages(void) {
        static const struct {
                const char *hex;
                const char *name; /* NULL: no identity */
        } cases[] = {
                {"00830000", ""},
                {"0083000c01030008500000000000000", ""}, /* cut short, in a digit */
                {"0083000c010300085000000000000001ff", "naa.5000000000000001"},
                {"", NULL},
                {"0", NULL},
                {"zz830000", NULL},
                {"0080000431323334", NULL}, /* another page */
                {" 0 83 00", NULL},
        };

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                g_autoptr(GByteArray) data = g_byte_array_new();
                struct device_facts facts;

                g_test_message("%s", cases[i].hex);
                g_byte_array_append(data,
                                    (const guint8 *)RECORDS("vpd_pg83_hex\0"
                                                            "0083000c010300085000000000000002"));
                g_byte_array_append(data, (const guint8 *)"vpd_pg83_hex", 13);
                g_byte_array_append(data, (const guint8 *)cases[i].hex,
                                    (guint)strlen(cases[i].hex) + 1);
                g_assert_cmpint(records_decode_device((const char *)data->data, data->len, &facts),
                                ==, 0);
                g_assert_true(facts.has_device_id);
                g_assert_cmpstr(facts.attached_as.name, ==, cases[i].name);
                device_facts_done(&facts);
                g_assert_null(facts.attached_as.name);
        }
}

/* However long a page is, no more than WORKER_PAGE_MAX bytes of it are read. */
static void test_device_page_bound(void) {
        g_autoptr(GString) text = g_string_new("vpd_pg83_hex");
        struct device_facts facts;

        g_string_append_len(text,
                            "\0"
                            "0083ffff",
                            9);
        for (int i = 0; i < 4000; i++)
                g_string_append_printf(text, "0103000850000000%08x", (unsigned)i);
        g_assert_cmpint(records_decode_device(text->str, text->len + 1, &facts), ==, 0);
        g_assert_cmpuint(facts.attached_as.count, ==, SCSI_DESIGNATORS_MAX);
        /* 85 whole ones fit into the page. */
        g_assert_cmpstr(facts.attached_as.name, ==, "naa.5000000000000054");
        device_facts_done(&facts);
}

static void test_malformed(void) {
        static const struct {
                const char *data;
                size_t length;
        } cases[] = {{"x", 1}, {"vendor", 7}, {"vendor\0Linux", 12}, {"\0", 1}, {"a\0b\0c", 5}};

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                struct device_facts device;
                struct host_facts host;

                g_assert_cmpint(records_decode_device(cases[i].data, cases[i].length, &device), ==,
                                -EBADMSG);
                g_assert_cmpint(records_decode_host(cases[i].data, cases[i].length, &host), ==,
                                -EBADMSG);
        }
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
        dev_t numbers[RECORDS_BLOCK_MAX];
        g_autoptr(GByteArray) many = g_byte_array_new();

        g_assert_cmpuint(
                records_block_numbers(RECORDS("dev\0008:0\0holder\0dm-0\0dev\000259:4097\0dev\0x"),
                                      numbers),
                ==, 2);
        g_assert_cmpuint(numbers[0], ==, makedev(8, 0));
        g_assert_cmpuint(numbers[1], ==, makedev(259, 4097));
        for (int i = 0; i < RECORDS_BLOCK_MAX + 10; i++)
                g_byte_array_append(many, (const guint8 *)RECORDS("dev\0008:0"));
        g_assert_cmpuint(records_block_numbers((const char *)many->data, many->len, numbers), ==,
                         RECORDS_BLOCK_MAX);
}

static void test_random(void) {
        static const char seed[] =
                "vendor\0Linux\0holder\0dm-0\0type\0005\0port\0000 1 online naa.5\0"
                "dev\0008:1\0path\0/devices/x\0instance\0001\0"
                "vpd_pg83_hex\0000083000c010300085000000000000001";
        guint good = 0;

        for (guint round = 0; round < 20000; round++) {
                size_t length = (size_t)g_test_rand_int_range(1, sizeof(seed) + 1);
                g_autofree char *data = g_memdup2(seed, length);
                dev_t numbers[RECORDS_BLOCK_MAX];
                struct device_facts device;
                struct host_facts host;

                for (gint flips = g_test_rand_int_range(0, 4); flips > 0; flips--)
                        data[g_test_rand_int_range(0, (gint32)length)] =
                                (char)g_test_rand_int_range(0, 256);
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
        g_test_add_func("/kernel/records/transport", test_transport);
        g_test_add_func("/kernel/records/ports", test_ports);
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
