/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What can be done to a device that the kernel of the simulated machine has attached. */

#include <errno.h>

#include "sim/test_support.h"

/* Of a disk whose NAA identifier ends with that byte. */
static void assert_page_83(const struct fixture *f, uint8_t last) {
        const uint8_t expected[] = {0x00, 0x83, 0x00, 0x14, 0x01, 0x03, 0x00, 0x08,
                                    0x50, 0x00, 0xc5, 0x00, 0x00, 0x00, 0x00, last,
                                    0x61, 0x94, 0x00, 0x04, 0x00, 0x00, 0x00, 0x01};
        size_t length;
        const uint8_t *page = attribute_bytes(f, "vpd_pg83", &length);

        g_assert_cmpmem(page, length, expected, sizeof(expected));
}

static uint64_t instance_of(struct fixture *f, uint64_t lun) {
        g_assert_cmpint(ask(f, WORKER_READ_DEVICE, lun), ==, 0);
        return reply_instance(f);
}

static void test_detach(struct fixture *f, const void *unused) {
        const struct scsi_address address = {f->target, 0};
        uint64_t instance;

        map_disks(f, 1);
        g_assert_cmpint(ask(f, WORKER_DETACH, 0), ==, -ENOENT);
        sim_attach_by_hand(f->machine, address);
        instance = instance_of(f, 0);
        g_assert_cmpint(ask_flagged(f, WORKER_DETACH, 0, 0, instance + 1), ==, -ESTALE);
        g_assert_cmpint(ask_flagged(f, WORKER_DETACH, 0, WORKER_FORCE, instance + 1), ==, -ESTALE);
        sim_set_holder(f->machine, address, "dm-0");
        g_assert_cmpint(ask(f, WORKER_DETACH, 0), ==, -EBUSY);
        sim_set_holder(f->machine, address, NULL);
        sim_set_open(f->machine, address, true);
        g_assert_cmpint(ask_flagged(f, WORKER_DETACH, 0, 0, instance), ==, -EBUSY);
        sim_set_open(f->machine, address, false);
        assert_attached(f, "0:0:0:0\n");
        g_string_truncate(f->events, 0);
        g_assert_cmpint(ask_flagged(f, WORKER_DETACH, 0, 0, instance), ==, 0);
        g_assert_cmpuint(f->reply.data_length, ==, 0);
        g_assert_true(g_str_has_suffix(f->events->str, "remove@" HOST "/target0:0:0 scsi "
                                                       "scsi_target\n"));
        assert_attached(f, "");
        sim_attach_by_hand(f->machine, address);
        sim_set_open(f->machine, address, true);
        g_assert_cmpint(ask_flagged(f, WORKER_DETACH, 0, WORKER_FORCE, 0), ==, 0);
        assert_attached(f, "");
        g_assert_cmpuint(sim_requests(f->machine, WORKER_DETACH), ==, 7);
}

static uint32_t delay_of(const struct fixture *f, uint32_t kind, uint32_t flags) {
        const struct worker_request request = {
                .kind = kind, .address = {f->target, 0}, .timeout_ms = 5000, .flags = flags};

        return sim_machine_delay(f->machine, &request);
}

/* A device that does not answer makes the flush of its cache wait, unless it is known to be gone,
 * but not a write to its state. */
static void test_detach_takes_time(struct fixture *f, const void *unused) {
        map_disks(f, 1);
        ask(f, WORKER_ATTACH, 0);
        sim_set_target_manner(f->machine, f->target, SIM_TIMES_OUT);
        g_assert_cmpuint(delay_of(f, WORKER_DETACH, 0), ==, 5000);
        g_assert_cmpuint(delay_of(f, WORKER_DETACH, WORKER_PROVEN_GONE), ==, 0);
        g_assert_cmpuint(delay_of(f, WORKER_SET_STATE, WORKER_OFFLINE), ==, 0);
        g_assert_cmpuint(delay_of(f, WORKER_SET_STATE, 0), ==, 5000);
        g_assert_cmpuint(delay_of(f, WORKER_REFRESH, 0), ==, 5000);
        sim_set_target_manner(f->machine, f->target, SIM_HANGS);
        g_assert_cmpint(serve_flagged(f, WORKER_SET_STATE, 0, WORKER_OFFLINE, 0), ==, SIM_ANSWERED);
        g_assert_cmpint(serve(f, WORKER_DETACH, 0), ==, SIM_HELD);
        assert_attached(f, "0:0:0:0\n");
}

static void test_refresh(struct fixture *f, const void *unused) {
        const struct scsi_address address = {f->target, 0};
        struct sim_unit other = sim_disk(9);

        map_disks(f, 1);
        g_assert_cmpint(ask(f, WORKER_REFRESH, 0), ==, -ENOENT);
        sim_attach_by_hand(f->machine, address);
        sim_map(f->machine, f->target, 0, &other);
        sim_resize(f->machine, address, 1 << 20);
        g_assert_cmpint(ask(f, WORKER_READ_DEVICE, 0), ==, 0);
        assert_page_83(f, 0x64);
        g_assert_cmpint(ask_flagged(f, WORKER_REFRESH, 0, 0, instance_of(f, 0) + 1), ==, -ESTALE);
        g_string_truncate(f->events, 0);
        g_assert_cmpint(ask_flagged(f, WORKER_REFRESH, 0, 0, instance_of(f, 0)), ==, 0);
        assert_page_83(f, 0x09);
        g_assert_cmpstr(attribute(f, "size"), ==, "2048");
        assert_events(f, "change@" LU "/block/sda block disk RESIZE=1\n");
}

/* Offline, the kernel lets nothing through and keeps what it knows; back, it reads it again. */
static void test_set_state(struct fixture *f, const void *unused) {
        const struct scsi_address address = {f->target, 0};
        struct sim_unit other = sim_disk(9);

        map_disks(f, 1);
        sim_attach_by_hand(f->machine, address);
        sim_map(f->machine, f->target, 0, &other);
        g_assert_cmpint(ask_flagged(f, WORKER_SET_STATE, 0, WORKER_OFFLINE, 999), ==, -ESTALE);
        g_assert_cmphex(sim_io(f->machine, address), ==, 0x5000c50000000009); /* the hazard */
        g_string_truncate(f->events, 0);
        g_assert_cmpint(ask_flagged(f, WORKER_SET_STATE, 0, WORKER_OFFLINE, 0), ==, 0);
        g_assert_cmpstr(attribute(f, "state"), ==, "offline");
        g_assert_cmphex(sim_io(f->machine, address), ==, 0);
        command(f, 0, scsi_command_test_unit_ready());
        g_assert_cmpuint(f->reply.host_status, ==, 1);
        g_assert_cmpint(ask(f, WORKER_REFRESH, 0), ==, 0);
        g_assert_cmpstr(attribute(f, "wwid"), ==, "naa.5000c50000000064");
        assert_events(f, "");
        g_assert_cmpint(ask(f, WORKER_SET_STATE, 0), ==, 0);
        g_assert_cmpstr(attribute(f, "state"), ==, "running");
        g_assert_cmpstr(attribute(f, "wwid"), ==, "naa.5000c50000000009");
        sim_set_device_state(f->machine, address, "blocked");
        g_assert_cmpint(ask_flagged(f, WORKER_SET_STATE, 0, WORKER_OFFLINE, 0), ==, -EINVAL);
        g_assert_cmpint(f->reply.write_error, ==, -EINVAL);
}

static void test_io(struct fixture *f, const void *unused) {
        const struct scsi_address address = {f->target, 0};

        map_disks(f, 1);
        g_assert_cmphex(sim_io(f->machine, address), ==, 0);
        sim_attach_by_hand(f->machine, address);
        sim_unit_attention(f->machine, address, 0x2a, 0x01);
        g_string_truncate(f->events, 0);
        g_assert_cmphex(sim_io(f->machine, address), ==, 0x5000c50000000064);
        assert_events(f, "change@" LU " scsi scsi_device SDEV_UA=MODE_PARAMETERS_CHANGED DRIVER=sd "
                         "MODALIAS=scsi:t-0x00\n");
        sim_set_port_state(f->machine, f->target, "Blocked");
        g_assert_cmphex(sim_io(f->machine, address), ==, 0);
        sim_set_port_state(f->machine, f->target, "Online");
        sim_unmap(f->machine, f->target, 0);
        g_assert_cmphex(sim_io(f->machine, address), ==, 0);
}

int main(int argc, char **argv) {
        static const struct {
                const char *path;
                void (*test)(struct fixture *, const void *);
        } tests[] = {
                {"/sim/changes/detach", test_detach},
                {"/sim/changes/detach/takes-time", test_detach_takes_time},
                {"/sim/changes/refresh", test_refresh},
                {"/sim/changes/set-state", test_set_state},
                {"/sim/changes/io", test_io},
        };

        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, struct fixture, NULL, fixture_set_up, tests[i].test,
                           fixture_tear_down);
        return g_test_run();
}
