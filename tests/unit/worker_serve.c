/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "util/cleanup.h"
#include "worker_support.h"

static void test_device(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_READ_DEVICE);

        g_assert_cmpint(ask(f, &request), ==, 0);
        assert_records(
                f, "./=\nvendor=Linux   \\0a\nmodel=scsi\\00_debug\\0a\nrev=0191\\0a\ntype=0\\0a\n"
                   "scsi_level=8\\0a\nstate=running\\0a\nwwid=naa.3333333000007d0\\0a\n"
                   "vpd_pg83=\\00\\83\\00\\00\ninquiry= \\00\\07\\02\n"
                   "driver=../../../../../../bus/scsi/drivers/sd\nscsi_generic/sg2=\n"
                   "block/sda/=\nsize=16384\\0a\nqueue/logical_block_size=4096\\0a\ndev=8:0\\0a\n"
                   "holders/md7=\nblock/sda/sda1/=\ndev=8:1\\0a\nholders/dm-0=\n");
}

static void test_instance(struct fixture *f, const void *unused) {
        static const struct {
                uint32_t kind;
                const char *path;
        } cases[] = {
                {WORKER_READ_HOST, DEVICES "/host3/scsi_host/host3"},
                {WORKER_READ_DEVICE, DISK},
                {WORKER_ATTACH, DISK},
        };

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                struct worker_request request = request_make(cases[i].kind);
                g_autofree char *path = g_build_filename(f->root, cases[i].path, NULL);
                GStatBuf status;

                g_assert_cmpint(g_stat(path, &status), ==, 0);
                g_assert_cmpint(ask(f, &request), ==, 0);
                g_assert_cmpuint(reply_instance(f), ==, status.st_ino);
        }
}

/* A tape or an enclosure: no block device; and no sg driver loaded. */
static void test_device_bare(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_READ_DEVICE);

        tree_add(f, "bus/scsi/devices/3:0:2:0/type", "1\n", -1);
        tree_add(f, "bus/scsi/devices/3:0:2:0/state", "running\n", -1);
        request.address = (struct scsi_address){{HOST, 0, 2}, 0};
        g_assert_cmpint(ask(f, &request), ==, 0);
        assert_records(f, "./=\ntype=1\\0a\nstate=running\\0a\n");
}

/* What every host here says first. */
#define HOST_RECORDS                                                                               \
        "class/scsi_host/host3=../../" DEVICES "/host3/scsi_host/host3\n"                          \
        "module/scsi_mod/parameters/scan=manual\\0a\n"

#define OWN_RECORDS                                                                                \
        "class/scsi_host/host3/=\nproc_name=scsi_debug\\0a\nstate=running\\0a\nunique_id=1\\0a\n"

static void test_host(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_READ_HOST);

        g_assert_cmpint(ask(f, &request), ==, 0);
        assert_records(f, HOST_RECORDS OWN_RECORDS);
}

static void rport_add(struct fixture *f, const char *name, const char *roles, const char *id,
                      const char *state) {
        const char *const content[][2] = {{"roles", roles},
                                          {"scsi_target_id", id},
                                          {"port_state", state},
                                          {"port_name", "0x500a09848cde0001\n"}};

        for (size_t i = 0; i < ELEMENTS_OF(content); i++) {
                g_autofree char *path =
                        g_build_filename("class/fc_remote_ports", name, content[i][0], NULL);

                tree_add(f, path, content[i][1], -1);
        }
}

/* The order is the directory's, so each record is looked for. */
static void assert_record_lines(const struct fixture *f, const char *lines) {
        g_autofree char *text = reply_text(f);

        g_test_message("%s", text);
        g_assert_nonnull(strstr(text, lines));
}

static void test_ports_fc(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_READ_HOST);
        g_autofree char *text = NULL;

        tree_add(f, "class/fc_host/host3/port_name", "0x10000090fa942778\n", -1);
        rport_add(f, "rport-3:2-7", "FCP Target, FCP Initiator\n", "4\n", "Not Present\n");
        rport_add(f, "rport-3:0-8", "FCP Initiator\n", "-1\n", "Online\n");
        rport_add(f, "rport-33:0-1", "FCP Target\n", "1\n", "Online\n"); /* another host's */
        g_assert_cmpint(ask(f, &request), ==, 0);
        assert_record_lines(f, "class/fc_host/host3/=\nport_name=0x10000090fa942778\\0a\n");
        assert_record_lines(f, "class/fc_remote_ports/rport-3:2-7/=\n"
                               "roles=FCP Target, FCP Initiator\\0a\nscsi_target_id=4\\0a\n"
                               "port_state=Not Present\\0a\nport_name=0x500a09848cde0001\\0a\n");
        assert_record_lines(f, "class/fc_remote_ports/rport-3:0-8/=\n"
                               "roles=FCP Initiator\\0a\nscsi_target_id=-1\\0a\n");
        text = reply_text(f);
        g_assert_null(strstr(text, "rport-33"));
}

static void test_ports_sas(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_READ_HOST);
        g_autofree char *text = NULL;

        tree_add_directory(f, "class/sas_host/host3");
        tree_add(f, "class/sas_device/end_device-3:1:4/sas_address", "0x5000c5008e3b1a2d\n", -1);
        tree_add(f, "class/sas_device/end_device-3:1:4/scsi_target_id", "12\n", -1);
        tree_add(f, "class/sas_device/expander-3:1/sas_address", "0x5000c5008e3b1a2f\n", -1);
        g_assert_cmpint(ask(f, &request), ==, 0);
        assert_record_lines(f, "class/sas_host/host3/=\n");
        assert_record_lines(f, "class/sas_device/end_device-3:1:4/=\nscsi_target_id=12\\0a\n"
                               "sas_address=0x5000c5008e3b1a2d\\0a\n");
        text = reply_text(f);
        g_assert_null(strstr(text, "expander"));
}

#define SESSION "/host3/session9/iscsi_session/session9"

static void test_ports_iscsi(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_READ_HOST);

        tree_add_directory(f, "class/iscsi_host/host3");
        tree_add(f, DEVICES SESSION "/targetname", "iqn.2003-01.org.example:array\n", -1);
        tree_add(f, DEVICES SESSION "/tpgt", "26\n", -1);
        tree_add(f, DEVICES SESSION "/target_id", "0\n", -1);
        tree_add(f, DEVICES SESSION "/state", "LOGGED_IN\n", -1);
        g_assert_cmpint(ask(f, &request), ==, 0);
        assert_record_lines(f, "class/iscsi_host/host3/=\n");
        assert_record_lines(f, "bus/scsi/devices" SESSION "/=\n"
                               "targetname=iqn.2003-01.org.example:array\\0a\ntpgt=26\\0a\n"
                               "target_id=0\\0a\nstate=LOGGED_IN\\0a\n");
}

/* A name that looks like a pattern is a name. */
static void test_odd_names(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_READ_DEVICE);

        tree_add_directory(f, DISK "/block/sda/holders/*");
        tree_add(f, DISK "/block/sda/*9/dev", "8:9\n", -1);
        tree_add(f, DISK "/block/sda/events9", "1\n", -1); /* no directory */
        g_assert_cmpint(ask(f, &request), ==, 0);
        assert_record_lines(f, "\nholders/*=\n");
        assert_record_lines(f, "\nblock/sda/*9/=\ndev=8:9\\0a\n");
}

static void test_too_big(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_READ_DEVICE);
        char name[256];

        for (int i = 0; i < 600; i++) {
                memset(name, 'x', sizeof(name));
                g_snprintf(name + 240, sizeof(name) - 240, "%d", i);
                g_autofree char *path = g_build_filename(DISK "/block/sda/holders", name, NULL);
                tree_add_directory(f, path);
        }
        g_assert_cmpint(ask(f, &request), ==, -E2BIG);
        g_assert_cmpuint(f->reply.data_length, ==, 0);
}

static void test_absent(struct fixture *f, const void *unused) {
        static const uint32_t kinds[] = {WORKER_COMMAND, WORKER_READ_DEVICE, WORKER_DETACH,
                                         WORKER_REFRESH, WORKER_SET_STATE};

        for (size_t i = 0; i < ELEMENTS_OF(kinds); i++) {
                struct worker_request request = request_make(kinds[i]);

                request.address.target.target = 99;
                g_assert_cmpint(ask(f, &request), ==, -ENOENT);
        }
}

/* A node that is not the device's gets no command, and a plain file takes none. */
static void test_command_wrong_node(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_COMMAND);

        g_assert_cmpint(ask(f, &request), ==, -ENOENT); /* no node in dev yet */
        tree_add(f, "dev/sg2", "", 0);
        g_assert_cmpint(ask(f, &request), ==, -ENOTTY);
        tree_add(f, DISK "/scsi_generic/sg2/dev", "21:2\n", -1); /* the node is another one's */
        g_assert_cmpint(ask(f, &request), ==, -ESTALE);
        request.address = (struct scsi_address){{HOST, 0, 2}, 0};
        tree_add(f, "bus/scsi/devices/3:0:2:0/type", "1\n", -1);
        g_assert_cmpint(ask(f, &request), ==, -ENXIO); /* sg has not bound */
}

static void test_command_refused(struct fixture *f, const void *unused) {
        static const struct {
                uint32_t timeout_ms;
                struct scsi_command command;
                int error; /* -ENOENT: passed, and came as far as the missing sg node */
        } cases[] = {
                {1000, {{SCSI_TEST_UNIT_READY}, 6, 0}, -ENOENT},
                {1000, {{SCSI_INQUIRY}, 6, 36}, -ENOENT},
                {1000, {{SCSI_REPORT_LUNS}, 12, WORKER_DATA_MAX}, -ENOENT},
                {1000, {{0x9e, 0x10}, 16, 32}, -ENOENT},
                {3600000, {{SCSI_TEST_UNIT_READY}, 6, 0}, -ENOENT},
                {0, {{SCSI_TEST_UNIT_READY}, 6, 0}, -EINVAL},
                {3600001, {{SCSI_TEST_UNIT_READY}, 6, 0}, -EINVAL},
                {1000, {{SCSI_REPORT_LUNS}, 12, WORKER_DATA_MAX + 1}, -EINVAL},
                {1000, {{SCSI_INQUIRY}, 16, 36}, -EINVAL},
                {1000, {{SCSI_INQUIRY}, 255, 36}, -EINVAL},
                {1000, {{0x25}, 10, 8}, -EINVAL},        /* READ CAPACITY(10) */
                {1000, {{0x9e, 0x12}, 16, 32}, -EINVAL}, /* GET LBA STATUS */
                {1000, {{0x2a}, 10, 0}, -EINVAL},        /* WRITE(10) */
                {1000, {{0x28}, 10, 512}, -EINVAL},      /* READ(10) */
                {1000, {{0x04}, 6, 0}, -EINVAL},         /* FORMAT UNIT */
                {1000, {{0x5f}, 10, 0}, -EINVAL},        /* PERSISTENT RESERVE OUT */
        };

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                struct worker_request request = request_make(WORKER_COMMAND);

                request.timeout_ms = cases[i].timeout_ms;
                request.command = cases[i].command;
                g_test_message("opcode %02x, case %zu", request.command.cdb[0], i);
                g_assert_cmpint(ask(f, &request), ==, cases[i].error);
        }
}

static void test_bad_message(struct fixture *f, const void *unused) {
        struct {
                struct worker_request request;
                char more;
        } longer = {.request = request_make(WORKER_READ_HOST)};
        struct worker_request request = request_make(WORKER_READ_HOST);

        g_assert_cmpint(ask_bytes(f, &longer, sizeof(request) + 1), ==, -EBADMSG);
        g_assert_cmpint(ask_bytes(f, &request, sizeof(request) - 1), ==, -EBADMSG);
        g_assert_cmpint(ask_bytes(f, &request, 1), ==, -EBADMSG);
        request.version = WORKER_VERSION + 1;
        g_assert_cmpint(ask(f, &request), ==, -EBADMSG);
        request = request_make(0);
        g_assert_cmpint(ask(f, &request), ==, -EINVAL);
        request = request_make(WORKER_SET_KERNEL_SCAN + 1);
        g_assert_cmpint(ask(f, &request), ==, -EINVAL);
        request = request_make(WORKER_ATTACH);
        request.address.target.host = HOST + 1;
        g_assert_cmpint(ask(f, &request), ==, -EINVAL);
        /* and it still serves */
        request = request_make(WORKER_READ_DEVICE);
        g_assert_cmpint(ask(f, &request), ==, 0);
}

/* The biggest reply that there can be gets through the socket in one piece. */
static void test_many_ports(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_READ_HOST);

        for (int i = 0; i < 800; i++) {
                g_autofree char *directory = g_strdup_printf("class/sas_device/end_device-3:%d", i);
                g_autofree char *address = g_build_filename(directory, "sas_address", NULL);
                g_autofree char *id = g_build_filename(directory, "scsi_target_id", NULL);

                tree_add(f, address,
                         "0x5000c5008e3b1a2d0123456789abcdef0123456789abcdef0123456789abcdef\n",
                         -1);
                tree_add(f, id, "12\n", -1);
        }
        g_assert_cmpint(ask(f, &request), ==, 0);
        g_assert_cmpuint(f->reply.data_length, >, 80000);
}

int main(int argc, char **argv) {
        static const struct {
                const char *path;
                void (*test)(struct fixture *, const void *);
        } tests[] = {
                {"/worker/attributes/device", test_device},
                {"/worker/attributes/device-bare", test_device_bare},
                {"/worker/attributes/odd-names", test_odd_names},
                {"/worker/attributes/instance", test_instance},
                {"/worker/attributes/host", test_host},
                {"/worker/attributes/too-big", test_too_big},
                {"/worker/attributes/absent", test_absent},
                {"/worker/ports/fc", test_ports_fc},
                {"/worker/ports/sas", test_ports_sas},
                {"/worker/ports/iscsi", test_ports_iscsi},
                {"/worker/ports/many", test_many_ports},
                {"/worker/pass-through/wrong-node", test_command_wrong_node},
                {"/worker/pass-through/refused", test_command_refused},
                {"/worker/serve/bad-message", test_bad_message},
        };

        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < ELEMENTS_OF(tests); i++)
                g_test_add(tests[i].path, struct fixture, NULL, fixture_set_up, tests[i].test,
                           fixture_tear_down);
        return g_test_run();
}
