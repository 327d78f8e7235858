/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The simulated machine, held against what a real kernel was seen to do, and against our own
 * decoders. */

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "scsi/inquiry.h"
#include "scsi/report_luns.h"
#include "scsi/vpd.h"
#include "sim/test_support.h"

/* Line for line what Linux 6.1 sent, but for DISKSEQ. */
static void test_uevents_disk(struct fixture *f, const void *unused) {
        map_disks(f, 1);
        g_assert_true(sim_attach_by_hand(f->machine, (struct scsi_address){f->target, 0}));
        assert_events(f, "add@" HOST "/target0:0:0 scsi scsi_target\n"
                         "add@" LU " scsi scsi_device MODALIAS=scsi:t-0x00\n"
                         "add@" LU "/scsi_device/0:0:0:0 scsi_device\n"
                         "add@" LU "/scsi_disk/0:0:0:0 scsi_disk\n"
                         "change@" LU " scsi scsi_device SDEV_UA=POWER_ON_RESET_OCCURRED DRIVER=sd "
                         "MODALIAS=scsi:t-0x00\n"
                         "add@" LU "/scsi_generic/sg0 scsi_generic MAJOR=21 MINOR=0 DEVNAME=sg0\n"
                         "add@" LU "/bsg/0:0:0:0 bsg MAJOR=253 MINOR=0 DEVNAME=bsg/0:0:0:0\n"
                         "add@/devices/virtual/bdi/8:0 bdi\n"
                         "add@" LU "/block/sda block disk MAJOR=8 MINOR=0 DEVNAME=sda\n"
                         "bind@" LU " scsi scsi_device DRIVER=sd MODALIAS=scsi:t-0x00\n");
        sim_detach_by_hand(f->machine, (struct scsi_address){f->target, 0});
        assert_events(f,
                      "remove@" LU "/bsg/0:0:0:0 bsg MAJOR=253 MINOR=0 DEVNAME=bsg/0:0:0:0\n"
                      "remove@" LU "/scsi_generic/sg0 scsi_generic MAJOR=21 MINOR=0 DEVNAME=sg0\n"
                      "remove@" LU "/scsi_device/0:0:0:0 scsi_device\n"
                      "remove@" LU "/scsi_disk/0:0:0:0 scsi_disk\n"
                      "remove@/devices/virtual/bdi/8:0 bdi\n"
                      "remove@" LU "/block/sda block disk MAJOR=8 MINOR=0 DEVNAME=sda\n"
                      "unbind@" LU " scsi scsi_device\n"
                      "remove@" LU " scsi scsi_device MODALIAS=scsi:t-0x00\n"
                      "remove@" HOST "/target0:0:0 scsi scsi_target\n");
}

static void test_uevents_host(struct fixture *f, const void *unused) {
        uint32_t host = sim_add_host(f->machine, &(struct sim_host){0});

        g_assert_cmpuint(host, ==, 1);
        assert_events(f, "add@/devices/pseudo_0/adapter1 pseudo\n"
                         "add@/devices/virtual/workqueue/scsi_tmf_1 workqueue\n"
                         "add@/devices/pseudo_0/adapter1/host1 scsi scsi_host\n"
                         "add@/devices/pseudo_0/adapter1/host1/scsi_host/host1 scsi_host\n"
                         "bind@/devices/pseudo_0/adapter1 pseudo DRIVER=scsi_debug\n");
        sim_remove_host(f->machine, host);
        assert_events(f, "remove@/devices/pseudo_0/adapter1/host1/scsi_host/host1 scsi_host\n"
                         "remove@/devices/pseudo_0/adapter1/host1 scsi scsi_host\n"
                         "remove@/devices/virtual/workqueue/scsi_tmf_1 workqueue\n"
                         "unbind@/devices/pseudo_0/adapter1 pseudo\n"
                         "remove@/devices/pseudo_0/adapter1 pseudo\n");
}

/* No driver binds to the REPORT LUNS well-known logical unit, and it has no power-on unit attention
 * left. */
static void test_uevents_well_known(struct fixture *f, const void *unused) {
        g_assert_cmpint(ask(f, WORKER_ATTACH, SCSI_WLUN_REPORT_LUNS), ==, 0);
        g_assert_cmpstr(attribute(f, "type"), ==, "30");
        g_assert_null(attribute(f, "driver"));
        g_assert_null(attribute(f, "dev"));
        g_assert_null(strstr(f->events->str, "change@"));
        g_assert_nonnull(strstr(f->events->str, "MODALIAS=scsi:t-0x1e"));
}

/* NULL: none. */
static void assert_driver(struct fixture *f, const char *expected) {
        const char *link = attribute(f, "driver");

        g_assert_cmpstr(link ? strrchr(link, '/') + 1 : NULL, ==, expected);
}

static void test_attach(struct fixture *f, const void *unused) {
        map_disks(f, 2);
        g_assert_cmpint(ask(f, WORKER_ATTACH, 1), ==, 0);
        g_assert_cmpint(f->reply.write_error, ==, 0);
        g_assert_cmpstr(attribute(f, "vendor"), ==, "SIMULATE");
        g_assert_cmpstr(attribute(f, "model"), ==, "LOGICAL UNIT");
        g_assert_cmpstr(attribute(f, "scsi_level"), ==, "8");
        g_assert_cmpstr(attribute(f, "wwid"), ==, "naa.5000c50000000065");
        assert_driver(f, "sd");
        g_assert_null(attribute(f, "dev")); /* sd is not done yet, */
        g_assert_cmpint(ask(f, WORKER_READ_DEVICE, 1), ==, 0);
        g_assert_nonnull(attribute(f, "block/sda/")); /* but soon */
        g_assert_cmpstr(attribute(f, "size"), ==, "2097152");
        g_assert_cmpstr(attribute(f, "dev"), ==, "8:0");
        assert_attached(f, "0:0:0:1\n");
        g_assert_cmpint(ask(f, WORKER_ATTACH, 9), ==, -ENOENT); /* success, and nothing there */
        g_assert_cmpint(f->reply.write_error, ==, 0);
        g_assert_cmpuint(sim_requests(f->machine, WORKER_ATTACH), ==, 2);
}

static void test_attach_range(struct fixture *f, const void *unused) {
        static const struct {
                uint32_t channel, target;
                uint64_t lun;
                int write_error;
        } cases[] = {
                {0, 127, 0, 0},   {0, 128, 0, -EINVAL},   {1, 0, 0, -EINVAL},
                {0, 0, 49409, 0}, {0, 0, 49410, -EINVAL}, {0, 0, 10000000000000000, -EINVAL},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                f->target.channel = cases[i].channel;
                f->target.target = cases[i].target;
                serve(f, WORKER_ATTACH, cases[i].lun);
                g_assert_cmpint(f->reply.write_error, ==, cases[i].write_error);
        }
}

/* kernel-side rules of scsi_probe_and_add_lun() */
static void test_attach_qualifiers(struct fixture *f, const void *unused) {
        static const struct {
                uint8_t qualifier, type;
                int error;
                const char *driver;
        } cases[] = {
                {0, 0x00, 0, "sd"},  {0, 0x01, 0, "st"},       {0, 0x05, 0, "sr"},
                {0, 0x0d, 0, "ses"}, {1, 0x00, 0, NULL},       {1, 0x1f, -ENOENT, NULL},
                {0, 0x1f, 0, NULL},  {3, 0x1f, -ENOENT, NULL},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                struct sim_unit unit = {.qualifier = cases[i].qualifier, .type = cases[i].type};

                sim_map(f->machine, f->target, i, &unit);
                g_assert_cmpint(ask(f, WORKER_ATTACH, i), ==, cases[i].error);
                if (cases[i].error == 0)
                        assert_driver(f, cases[i].driver);
        }
}

static void test_inquiry(struct fixture *f, const void *unused) {
        struct scsi_inquiry inquiry;
        struct scsi_identity identity;
        char serial[SCSI_SERIAL_MAX];

        map_disks(f, 1);
        ask(f, WORKER_ATTACH, 0);
        command(f, 0, scsi_command_inquiry(36));
        g_assert_cmpuint(f->reply.data_length, ==, 36);
        g_assert_cmpint(scsi_inquiry_decode(f->data, 36, &inquiry), ==, 0);
        g_assert_cmpstr(inquiry.vendor, ==, "SIMULATE");
        g_assert_cmpuint(inquiry.version, ==, 7);
        command(f, 0, scsi_command_inquiry_vpd(SCSI_VPD_DEVICE_ID, 255));
        g_assert_cmpint(scsi_identity_decode(f->data, f->reply.data_length, &identity), ==, 0);
        g_assert_cmpstr(identity.name, ==, "naa.5000c50000000064");
        g_assert_cmpuint(identity.count, ==, 1);
        scsi_identity_done(&identity);
        command(f, 0, scsi_command_inquiry_vpd(SCSI_VPD_SERIAL, 255));
        g_assert_cmpint(scsi_serial_decode(f->data, f->reply.data_length, serial), ==, 0);
        g_assert_cmpstr(serial, ==, "SIM00100");
        command(f, 0, scsi_command_inquiry_vpd(0xb0, 255));
        assert_sense(f, 0x5, 0x24, 0x00);
        command(f, 0, scsi_command_inquiry_vpd(0, 255));
        g_assert_cmpmem(f->data, f->reply.data_length, "\0\0\0\3\0\x80\x83", 7);
}

static void assert_listed(struct fixture *f, uint64_t lun, uint32_t buffer, size_t count,
                          uint64_t last) {
        struct scsi_lun_list list;

        command(f, lun, scsi_command_report_luns(buffer));
        g_assert_cmphex(f->reply.scsi_status, ==, 0);
        g_assert_cmpint(scsi_report_luns_decode(f->data, f->reply.data_length, &list), ==, 0);
        g_assert_cmpuint(list.count, ==, count);
        g_assert_cmpuint(list.luns[count - 1], ==, last);
        scsi_lun_list_done(&list);
}

static void test_report_luns(struct fixture *f, const void *unused) {
        map_disks(f, 300);
        ask(f, WORKER_ATTACH, SCSI_WLUN_REPORT_LUNS);
        assert_listed(f, SCSI_WLUN_REPORT_LUNS, 4096, 300, 0x4000 | 299);
        assert_listed(f, SCSI_WLUN_REPORT_LUNS, 40, 4, 3);
        sim_set_target_quirks(f->machine, f->target, SIM_LIE_REPEATS);
        assert_listed(f, SCSI_WLUN_REPORT_LUNS, 8192, 300, 0x4000 | 299);
        sim_set_target_quirks(f->machine, f->target, SIM_NO_REPORT_LUNS);
        command(f, SCSI_WLUN_REPORT_LUNS, scsi_command_report_luns(4096));
        assert_sense(f, 0x5, 0x20, 0x00);
        sim_set_target_quirks(f->machine, f->target, SIM_LIE_LENGTH);
        command(f, SCSI_WLUN_REPORT_LUNS, scsi_command_report_luns(4096));
        g_assert_cmpmem(f->data, 4, "\xff\xff\xff\xff", 4);
        g_assert_cmpuint(sim_commands(f->machine, SCSI_REPORT_LUNS), ==, 5);
}

/* A change is told once for each unit, and REPORT LUNS takes back what was not told yet. */
static void test_unit_attention(struct fixture *f, const void *unused) {
        struct sim_unit disk = sim_disk(7);

        map_disks(f, 2);
        ask(f, WORKER_ATTACH, 0);
        ask(f, WORKER_ATTACH, 1);
        sim_map(f->machine, f->target, 2, &disk);
        g_string_truncate(f->events, 0);
        command(f, 0, scsi_command_inquiry(36));
        g_assert_cmphex(f->reply.scsi_status, ==, 0);
        command(f, 0, scsi_command_test_unit_ready());
        assert_sense(f, 0x6, 0x3f, 0x0e);
        assert_events(f, "change@" LU " scsi scsi_device SDEV_UA=REPORTED_LUNS_DATA_HAS_CHANGED "
                         "DRIVER=sd MODALIAS=scsi:t-0x00\n");
        command(f, 0, scsi_command_test_unit_ready());
        g_assert_cmphex(f->reply.scsi_status, ==, 0);
        assert_listed(f, 0, 4096, 3, 2);
        command(f, 1, scsi_command_test_unit_ready());
        g_assert_cmphex(f->reply.scsi_status, ==, 0);
        assert_events(f, "");
        sim_unit_attention(f->machine, (struct scsi_address){f->target, 0}, 0x2a, 0x06);
        sim_touch(f->machine, (struct scsi_address){f->target, 0});
        assert_events(f, "change@" LU " scsi scsi_device SDEV_UA=ASYMMETRIC_ACCESS_STATE_CHANGED "
                         "DRIVER=sd MODALIAS=scsi:t-0x00\n");
}

/* The hazard: another unit at an address that the kernel has attached. Only a live question shows
 * it. */
static void test_replaced(struct fixture *f, const void *unused) {
        struct sim_unit other = sim_disk(9);
        struct scsi_identity identity;

        map_disks(f, 1);
        ask(f, WORKER_ATTACH, 0);
        sim_map(f->machine, f->target, 0, &other);
        ask(f, WORKER_READ_DEVICE, 0);
        g_assert_cmpstr(attribute(f, "wwid"), ==, "naa.5000c50000000064");
        command(f, 0, scsi_command_inquiry_vpd(SCSI_VPD_DEVICE_ID, 255));
        g_assert_cmpint(scsi_identity_decode(f->data, f->reply.data_length, &identity), ==, 0);
        g_assert_cmpstr(identity.name, ==, "naa.5000c50000000009");
        scsi_identity_done(&identity);
        sim_kernel_rescan(f->machine, (struct scsi_address){f->target, 0});
        ask(f, WORKER_READ_DEVICE, 0);
        g_assert_cmpstr(attribute(f, "wwid"), ==, "naa.5000c50000000009");
}

static void test_unmapped(struct fixture *f, const void *unused) {
        struct scsi_inquiry inquiry;

        map_disks(f, 1);
        ask(f, WORKER_ATTACH, 0);
        sim_unmap(f->machine, f->target, 0);
        command(f, 0, scsi_command_test_unit_ready());
        assert_sense(f, 0x5, 0x25, 0x00);
        command(f, 0, scsi_command_inquiry(36));
        g_assert_cmpint(scsi_inquiry_decode(f->data, f->reply.data_length, &inquiry), ==, 0);
        g_assert_cmpuint(inquiry.qualifier, ==, 3);
        sim_set_target_quirks(f->machine, f->target, SIM_SILENT);
        command(f, 0, scsi_command_inquiry(36));
        g_assert_cmpuint(f->reply.host_status, ==, 1);
}

static void test_resize(struct fixture *f, const void *unused) {
        struct scsi_address address = {f->target, 0};

        map_disks(f, 1);
        ask(f, WORKER_ATTACH, 0);
        sim_resize(f->machine, address, 2048 * 512);
        command(f, 0, scsi_command_test_unit_ready());
        assert_sense(f, 0x6, 0x2a, 0x09);
        command(f, 0, (struct scsi_command){{0x25}, 10, 8});
        g_assert_cmpmem(f->data, f->reply.data_length, "\x00\x00\x07\xff\x00\x00\x02\x00", 8);
        g_string_truncate(f->events, 0);
        sim_kernel_rescan(f->machine, address);
        assert_events(f, "change@" LU "/block/sda block disk RESIZE=1\n");
        ask(f, WORKER_READ_DEVICE, 0);
        g_assert_cmpstr(attribute(f, "size"), ==, "2048");
}

static void test_kernel_scan(struct fixture *f, const void *unused) {
        g_autofree char *attachable = NULL;

        map_disks(f, 3);
        g_assert_cmpint(ask(f, WORKER_SCAN_TARGET, 0), ==, 0);
        assert_attached(f, "0:0:0:0\n0:0:0:1\n0:0:0:2\n");
        attachable = sim_attachable(f->machine);
        assert_attached(f, attachable);
        sim_set_target_quirks(f->machine, f->target, SIM_LIE_LENGTH);
        g_assert_cmpint(serve(f, WORKER_SCAN_TARGET, 0), ==, SIM_HELD);
}

/* Without an answer from LUN 0 the kernel's scan gives the target up; with "nothing here" it goes
 * on. */
static void test_kernel_scan_no_lun_0(struct fixture *f, const void *unused) {
        struct sim_unit disk = sim_disk(1);

        sim_map(f->machine, f->target, 5, &disk);
        sim_set_target_quirks(f->machine, f->target, SIM_SILENT);
        ask(f, WORKER_SCAN_TARGET, 0);
        assert_attached(f, "");
        sim_set_target_quirks(f->machine, f->target, SIM_NO_REPORT_LUNS);
        ask(f, WORKER_SCAN_TARGET, 0); /* one by one: LUN 1 ends it */
        assert_attached(f, "");
        sim_set_target_quirks(f->machine, f->target, 0);
        ask(f, WORKER_SCAN_TARGET, 0);
        assert_attached(f, "0:0:0:5\n");
}

static void test_manners(struct fixture *f, const void *unused) {
        struct scsi_address address = {f->target, 0};

        map_disks(f, 2);
        ask(f, WORKER_ATTACH, 0);
        sim_set_lun_manner(f->machine, address, SIM_HANGS);
        g_assert_cmpint(serve(f, WORKER_COMMAND, 0), ==, SIM_HELD);
        g_assert_cmpint(serve(f, WORKER_READ_DEVICE, 0), ==, SIM_ANSWERED);
        g_assert_cmpint(serve(f, WORKER_ATTACH, 1), ==, SIM_ANSWERED);
        sim_set_lun_manner(f->machine, address, SIM_TIMES_OUT);
        g_assert_cmpint(serve(f, WORKER_COMMAND, 0), ==, SIM_ANSWERED);
        g_assert_cmpuint(f->reply.host_status, ==, 3);
        sim_set_target_manner(f->machine, f->target, SIM_DIES);
        g_assert_cmpint(serve(f, WORKER_COMMAND, 1), ==, SIM_DIED);
        sim_set_target_manner(f->machine, f->target, SIM_NORMAL);
        sim_set_host_manner(f->machine, f->host, SIM_HANGS);
        g_assert_cmpint(serve(f, WORKER_SCAN_TARGET, 0), ==, SIM_HELD);
        g_assert_cmpint(serve(f, WORKER_READ_HOST, 0), ==, SIM_ANSWERED);
}

#define RPORT "class/fc_remote_ports/rport-1:0-0/"
#define END_DEVICE "class/sas_device/end_device-1:0/"
#define SESSION "bus/scsi/devices/host1/session1/iscsi_session/session1/"

static void test_transports(struct fixture *f, const void *unused) {
        static const struct {
                enum sim_transport transport;
                const char *port_name, *class, *target_path, *port_event;
                const char *records[5][2];
        } cases[] = {
                {SIM_FC,
                 "naa.500a09848cde0001",
                 "class/fc_host/host1/",
                 "/devices/pci0000:00/0000:00:02.0/host1/rport-1:0-0/target1:0:3",
                 "/rport-1:0-0/fc_remote_ports/rport-1:0-0 fc_remote_ports\n",
                 {{RPORT "roles", "FCP Target"},
                  {RPORT "scsi_target_id", "3"},
                  {RPORT "port_state", "Online"},
                  {RPORT "port_name", "0x500a09848cde0001"}}},
                {SIM_SAS,
                 "naa.5000c5008e3b1a2d",
                 "class/sas_host/host1/",
                 "/devices/pci0000:00/0000:00:02.0/host1/port-1:0/end_device-1:0/target1:0:3",
                 "/port-1:0/end_device-1:0/sas_device/end_device-1:0 sas_device\n",
                 {{END_DEVICE "scsi_target_id", "3"},
                  {END_DEVICE "sas_address", "0x5000c5008e3b1a2d"}}},
                {SIM_ISCSI,
                 "iqn.2003-01.org.example:array,t,0x1a",
                 "class/iscsi_host/host1/",
                 "/devices/platform/host1/session1/target1:0:3",
                 "/session1/iscsi_session/session1 iscsi_session\n",
                 {{SESSION "targetname", "iqn.2003-01.org.example:array"},
                  {SESSION "tpgt", "26"},
                  {SESSION "target_id", "3"},
                  {SESSION "state", "LOGGED_IN"}}},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                uint32_t host = sim_add_host(f->machine,
                                             &(struct sim_host){.transport = cases[i].transport});
                struct sim_target spec = {.target = 3, .port_name = cases[i].port_name};

                f->target = sim_add_target(f->machine, host, &spec);
                g_assert_nonnull(strstr(f->events->str, cases[i].port_event));
                ask(f, WORKER_READ_HOST, 0);
                g_assert_nonnull(attribute(f, cases[i].class));
                for (size_t j = 0; cases[i].records[j][0]; j++)
                        g_assert_cmpstr(attribute(f, cases[i].records[j][0]), ==,
                                        cases[i].records[j][1]);
                map_disks(f, 1);
                ask(f, WORKER_ATTACH, 0);
                g_assert_nonnull(strstr(f->events->str, cases[i].target_path));
                sim_set_port_state(f->machine, f->target, "Blocked");
                command(f, 0, scsi_command_test_unit_ready());
                g_assert_cmpuint(f->reply.host_status, ==, 1);
                sim_remove_host(f->machine, host);
                g_string_truncate(f->events, 0);
        }
}

/* Numbers are used again, lowest first: what a service that remembers by name has to live with. */
static void test_numbers(struct fixture *f, const void *unused) {
        uint64_t instance;

        map_disks(f, 30);
        ask(f, WORKER_SCAN_TARGET, 0);
        ask(f, WORKER_READ_DEVICE, 26);
        g_assert_nonnull(attribute(f, "block/sdaa/"));
        g_assert_cmpstr(attribute(f, "dev"), ==, "65:160");
        ask(f, WORKER_READ_DEVICE, 9);
        instance = reply_instance(f);
        sim_detach_by_hand(f->machine, (struct scsi_address){f->target, 3});
        sim_detach_by_hand(f->machine, (struct scsi_address){f->target, 9});
        sim_attach_by_hand(f->machine, (struct scsi_address){f->target, 9});
        ask(f, WORKER_READ_DEVICE, 9);
        g_assert_cmpuint(reply_instance(f), !=, instance); /* the only one that is not */
        g_assert_nonnull(attribute(f, "block/sdd/"));
        g_assert_nonnull(attribute(f, "scsi_generic/sg3"));
}

static void test_same_seed(struct fixture *f, const void *unused) {
        uint8_t first[256];

        for (int run = 0; run < 2; run++) {
                sim_machine_free(f->machine);
                f->machine = sim_machine_new(42);
                sim_add_host(f->machine, &(struct sim_host){0});
                sim_add_target(f->machine, 0, &(struct sim_target){.quirks = SIM_LIE_GARBAGE});
                map_disks(f, 1);
                ask(f, WORKER_ATTACH, 0);
                command(f, 0, scsi_command_report_luns(256));
                g_assert_cmpuint(f->reply.data_length, ==, 8 + 8 * 9);
                if (run == 0)
                        memcpy(first, f->data, f->reply.data_length);
                else
                        g_assert_cmpmem(first, 80, f->data, f->reply.data_length);
        }
}

int main(int argc, char **argv) {
        static const struct {
                const char *path;
                void (*test)(struct fixture *, const void *);
        } tests[] = {
                {"/sim/machine/uevents/disk", test_uevents_disk},
                {"/sim/machine/uevents/host", test_uevents_host},
                {"/sim/machine/uevents/well-known", test_uevents_well_known},
                {"/sim/machine/attach/disk", test_attach},
                {"/sim/machine/attach/range", test_attach_range},
                {"/sim/machine/attach/qualifiers", test_attach_qualifiers},
                {"/sim/machine/inquiry", test_inquiry},
                {"/sim/machine/report-luns", test_report_luns},
                {"/sim/machine/unit-attention", test_unit_attention},
                {"/sim/machine/replaced", test_replaced},
                {"/sim/machine/unmapped", test_unmapped},
                {"/sim/machine/resize", test_resize},
                {"/sim/machine/kernel-scan/target", test_kernel_scan},
                {"/sim/machine/kernel-scan/no-lun-0", test_kernel_scan_no_lun_0},
                {"/sim/machine/manners", test_manners},
                {"/sim/machine/transports", test_transports},
                {"/sim/machine/numbers", test_numbers},
                {"/sim/machine/same-seed", test_same_seed},
        };

        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, struct fixture, NULL, fixture_set_up, tests[i].test,
                           fixture_tear_down);
        return g_test_run();
}
