/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What changes at the same time as something else. */
#include "stage.h"

static void touch_lun(const struct stage *stage, uint64_t lun) {
        sim_touch(stage->machine, lun_of(stage, lun));
}

/* One grew, and another is in its place before the service has looked. */
static void test_grown_and_replaced(void) {
        struct stage stage = stage_new(0, 4);

        sim_resize(stage.machine, lun_of(&stage, 2), 2 << 20);
        map_disk(&stage, 2, 99);
        touch_lun(&stage, 2);
        touch_lun(&stage, 0);
        world_pass(stage.world, SECOND);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_PRESENT);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 2)), !=, 0);
        stage_done(&stage);
}

/* The only device that is left to ask through has gone itself. */
static void test_gone_and_alone(void) {
        struct stage stage = stage_new(0, 2);

        hold(&stage, 0, "dm-0");
        map_disk(&stage, 0, 99);
        world_scan(stage.world, "");
        world_settle(stage.world);
        g_assert_cmpint(device_of(&stage, 0)->standing, ==, STANDING_REPLACED);
        sim_unmap(stage.machine, stage.target, 1);
        map_disk(&stage, 3, 98);
        world_scan(stage.world, "");
        world_settle(stage.world);
        world_pass(stage.world, SECOND);
        g_assert_null(device_of(&stage, 1));
        g_assert_nonnull(device_of(&stage, 3));
        stage_done(&stage);
}

/* Who used it has let it go since the service looked. */
static void test_detach_released(void) {
        struct stage stage = stage_new(0, 2);
        struct device_request detach = {.operation = JOB_DETACH};

        sim_set_holder(stage.machine, lun_of(&stage, 1), "dm-0");
        world_scan(stage.world, "");
        world_settle(stage.world);
        sim_set_holder(stage.machine, lun_of(&stage, 1), NULL);
        g_assert_cmpint(world_order(stage.world, &detach, "0:0:0:1")->state, ==, JOB_DONE);
        g_assert_null(device_of(&stage, 1));
        stage_done(&stage);
}

/* Who was refused because it is yet another unit has been told which, and can say so. */
static void test_accept_another(void) {
        struct stage stage = stage_new(0, 2);
        struct device_request accept = {.operation = JOB_ACCEPT};

        hold(&stage, 1, "dm-0");
        map_disk(&stage, 1, 99);
        world_scan(stage.world, "");
        world_settle(stage.world);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_REPLACED);
        map_disk(&stage, 1, 98);
        g_assert_cmpint(world_order(stage.world, &accept, "0:0:0:1")->state, ==, JOB_FAILED);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 1)), ==, 0);
        g_assert_cmpint(world_order(stage.world, &accept, "0:0:0:1")->state, ==, JOB_DONE);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_PRESENT);
        stage_done(&stage);
}

/* Killed between stopping a device and keeping that: it can still be told, and accepted. */
static void test_stopped_and_forgotten(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);
        struct device_request accept = {.operation = JOB_ACCEPT};

        hold(&stage, 1, "dm-0");
        map_disk(&stage, 1, 99);
        sim_set_device_state(stage.machine, lun_of(&stage, 1), "offline");
        sim_set_device_state(stage.machine, lun_of(&stage, 2), "offline");
        start_again(&stage, "a", "a");
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_UNVERIFIED);
        g_assert_cmpint(world_order(stage.world, &accept, "0:0:0:1")->error, ==,
                        JOB_ERROR_IDENTITY_MISMATCH);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_REPLACED);
        g_assert_cmpuint(world_notices(stage.world, NOTICE_REPLACED), ==, 1);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 1)), ==, 0);
        g_assert_cmpint(world_order(stage.world, &accept, "0:0:0:1")->state, ==, JOB_DONE);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_PRESENT);

        sim_set_lun_manner(stage.machine, lun_of(&stage, 2), SIM_TIMES_OUT);
        g_assert_cmpint(world_order(stage.world, &accept, "0:0:0:2")->state, ==, JOB_FAILED);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_UNVERIFIED);
        g_assert_cmpstr(device_of(&stage, 2)->facts.state, ==, "offline");
        sim_set_lun_manner(stage.machine, lun_of(&stage, 2), SIM_NORMAL);
        g_assert_cmpint(world_order(stage.world, &accept, "0:0:0:2")->state, ==, JOB_DONE);
        g_assert_cmpstr(device_of(&stage, 2)->facts.state, ==, "running");
        stage_done(&stage);
}

/* The unit that was detached by request is gone; what takes its LUN is another matter. */
static void test_withheld_is_over(void) {
        struct stage stage = stage_new(0, 3);
        struct device_request detach = {.operation = JOB_DETACH};

        world_order(stage.world, &detach, "0:0:0:1");
        sim_unmap(stage.machine, stage.target, 1);
        touch(&stage);
        world_pass(stage.world, 2 * SECOND);
        map_disk(&stage, 1, 99);
        touch(&stage);
        world_pass(stage.world, 2 * SECOND);
        g_assert_nonnull(device_of(&stage, 1));
        stage_done(&stage);
}

#define GROWN (UINT64_C(1) << 40)

/* It said so while the service was not there. */
static void test_grown_meanwhile(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);

        sim_resize(stage.machine, lun_of(&stage, 1), GROWN);
        start_again(&stage, "a", "a");
        g_assert_cmpuint(device_of(&stage, 1)->facts.size, ==, GROWN);
        stage_done(&stage);
}

/* It said so, if at all, while it could not be asked. */
static void test_grown_in_silence(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);

        sim_set_lun_manner(stage.machine, lun_of(&stage, 1), SIM_TIMES_OUT);
        world_scan(stage.world, "");
        world_settle(stage.world);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_UNVERIFIED);
        sim_resize(stage.machine, lun_of(&stage, 1), GROWN);
        sim_set_lun_manner(stage.machine, lun_of(&stage, 1), SIM_NORMAL);
        world_scan(stage.world, "");
        world_settle(stage.world);
        g_assert_cmpuint(device_of(&stage, 1)->facts.size, ==, GROWN);
        stage_done(&stage);
}

/* Its port was away, and nobody asked it meanwhile. */
static void test_grown_without_port(void) {
        const struct sim_host host = {.driver = "iscsi_tcp", .transport = SIM_ISCSI, .max_id = 1};
        const struct sim_target target = {.port_name = "iqn.2003-01.org.example:one,t,0x1",
                                          .quirks = SIM_QUIET};
        const struct event changed = {.kind = EVENT_HOST};
        struct stage stage = {.machine = sim_machine_new(1)};

        sim_add_host(stage.machine, &host);
        stage.target = sim_add_target(stage.machine, 0, &target);
        sim_map_disks(stage.machine, stage.target, 2, 1);
        stage.world = world_new(stage.machine, true, (uint32_t)g_test_rand_int());
        world_start(stage.world);
        world_settle(stage.world);
        sim_set_port_state(stage.machine, stage.target, "FAILED");
        g_assert_cmpint(engine_event(world_engine(stage.world), &changed, world_now(stage.world)),
                        ==, 0);
        world_settle(stage.world);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_PRESENT);
        sim_resize(stage.machine, lun_of(&stage, 1), GROWN);
        sim_set_port_state(stage.machine, stage.target, "LOGGED_IN");
        world_pass(stage.world, 10 * SECOND);
        g_assert_cmpuint(device_of(&stage, 1)->facts.size, ==, GROWN);
        stage_done(&stage);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/engine/coincidence/grown-and-replaced", test_grown_and_replaced);
        g_test_add_func("/engine/coincidence/gone-and-alone", test_gone_and_alone);
        g_test_add_func("/engine/coincidence/detach-released", test_detach_released);
        g_test_add_func("/engine/coincidence/accept-another", test_accept_another);
        g_test_add_func("/engine/coincidence/stopped-and-forgotten", test_stopped_and_forgotten);
        g_test_add_func("/engine/coincidence/withheld-is-over", test_withheld_is_over);
        g_test_add_func("/engine/coincidence/grown-meanwhile", test_grown_meanwhile);
        g_test_add_func("/engine/coincidence/grown-in-silence", test_grown_in_silence);
        g_test_add_func("/engine/coincidence/grown-without-port", test_grown_without_port);
        return g_test_run();
}
