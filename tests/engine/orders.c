/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What jobs do with devices, one by one. */
#include <string.h>

#include "stage.h"

static void test_attach(void) {
        struct stage stage = stage_new(SIM_QUIET, 2);
        struct device_request attach = {.operation = JOB_ATTACH, .lun = 5};
        const struct job *job;

        map_disk(&stage, 5, 50);
        attach.identity = "naa.0000000000000001";
        job = world_order(stage.world, &attach, "0:0:0");
        g_assert_cmpint(job->error, ==, JOB_ERROR_IDENTITY_MISMATCH);
        g_assert_false(sim_is_attached(stage.machine, lun_of(&stage, 5)));
        g_assert_cmpstr(world_detach_reason(stage.world, lun_of(&stage, 5)), ==, "");

        attach.identity = NULL;
        job = world_order(stage.world, &attach, "0:0:0");
        g_assert_cmpint(job->state, ==, JOB_DONE);
        g_assert_cmpuint(job->summary[SUMMARY_ATTACHED], ==, 1);
        g_assert_nonnull(device_of(&stage, 5));

        attach.identity = device_of(&stage, 5)->identity.name;
        job = world_order(stage.world, &attach, "0:0:0");
        g_assert_cmpint(job->state, ==, JOB_DONE);
        g_assert_cmpuint(job->summary[SUMMARY_UNCHANGED], ==, 1);

        attach = (struct device_request){.operation = JOB_ATTACH, .lun = 6};
        job = world_order(stage.world, &attach, "0:0:0");
        g_assert_cmpint(job->error, ==, JOB_ERROR_NOT_REPORTED);
        stage_done(&stage);
}

static void test_detach(void) {
        struct stage stage = stage_new(SIM_QUIET, 4);
        struct device_request detach = {.operation = JOB_DETACH};
        const struct job *job;

        job = world_order(stage.world, &detach, "0:0:0:1");
        g_assert_cmpint(job->state, ==, JOB_DONE);
        g_assert_null(device_of(&stage, 1));
        g_assert_cmpstr(world_detach_reason(stage.world, lun_of(&stage, 1)), ==, "requested");

        sim_set_open(stage.machine, lun_of(&stage, 2), true);
        job = world_order(stage.world, &detach, "0:0:0:2");
        g_assert_cmpint(job->error, ==, JOB_ERROR_IN_USE);
        g_assert_nonnull(device_of(&stage, 2));

        sim_set_holder(stage.machine, lun_of(&stage, 3), "dm-7");
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world);
        job = world_order(stage.world, &detach, "0:0:0:3");
        g_assert_cmpint(job->error, ==, JOB_ERROR_IN_USE);
        g_assert_nonnull(strstr(job->message, "dm-7"));

        detach.force = true;
        job = world_order(stage.world, &detach, device_of(&stage, 3)->identity.name);
        g_assert_cmpint(job->state, ==, JOB_DONE);
        g_assert_null(device_of(&stage, 3));
        stage_done(&stage);
}

/* What was detached by request stays so until somebody asks for it. */
static void test_withheld(void) {
        struct stage stage = stage_new(SIM_QUIET, 4);
        struct device_request detach = {.operation = JOB_DETACH};
        struct scope all = {};

        world_order(stage.world, &detach, "0:0:0:1");
        sim_unit_attention(stage.machine, lun_of(&stage, 0), 0x3f, 0x0e);
        touch(&stage);
        world_settle(stage.world);
        g_assert_true(engine_is_settled(world_engine(stage.world), &all));
        world_pass(stage.world, 600 * SECOND);
        g_assert_null(device_of(&stage, 1));
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world);
        g_assert_nonnull(device_of(&stage, 1));
        stage_done(&stage);
}

static void test_refresh(void) {
        struct stage stage = stage_new(SIM_QUIET, 2);
        struct device_request refresh = {.operation = JOB_REFRESH};
        const struct job *job;

        job = world_order(stage.world, &refresh, "0:0:0:1");
        g_assert_cmpuint(job->summary[SUMMARY_UNCHANGED], ==, 1);
        sim_resize(stage.machine, lun_of(&stage, 1), UINT64_C(1) << 40);
        job = world_order(stage.world, &refresh, "0:0:0:1");
        g_assert_cmpint(job->state, ==, JOB_DONE);
        g_assert_cmpuint(device_of(&stage, 1)->facts.size, ==, UINT64_C(1) << 40);
        stage_done(&stage);
}

/* Accepting is for the one that was there when somebody said so. */
static void test_accept_other(void) {
        struct stage stage = stage_new(SIM_QUIET, 4);
        struct device_request accept = {.operation = JOB_ACCEPT};
        const struct job *job;

        hold(&stage, 2, "dm-0");
        map_disk(&stage, 2, 99);
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_REPLACED);
        map_disk(&stage, 2, 98);
        job = world_order(stage.world, &accept, "0:0:0:2");
        g_assert_cmpint(job->error, ==, JOB_ERROR_IDENTITY_MISMATCH);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_REPLACED);
        g_assert_cmpstr(device_of(&stage, 2)->facts.state, ==, "offline");
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 2)), ==, 0);

        /* One that does not answer is not accepted either, and does not run. */
        sim_set_lun_manner(stage.machine, lun_of(&stage, 2), SIM_TIMES_OUT);
        job = world_order(stage.world, &accept, "0:0:0:2");
        g_assert_cmpint(job->state, ==, JOB_FAILED);
        sim_set_lun_manner(stage.machine, lun_of(&stage, 2), SIM_NORMAL);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 2)), ==, 0);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_REPLACED);

        /* The one that it was before is always right. */
        map_disk(&stage, 2, 3);
        job = world_order(stage.world, &accept, "0:0:0:2");
        g_assert_cmpint(job->state, ==, JOB_DONE);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_PRESENT);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 2)), !=, 0);
        stage_done(&stage);
}

/* What another unit says is not read into the device of the old one. */
static void test_refresh_other(void) {
        struct stage stage = stage_new(SIM_QUIET, 4);
        struct device_request refresh = {.operation = JOB_REFRESH};
        uint64_t before = sim_requests(stage.machine, WORKER_REFRESH);
        const struct job *job;

        hold(&stage, 2, "dm-0");
        map_disk(&stage, 2, 99);
        job = world_order(stage.world, &refresh, "0:0:0:2");
        g_assert_cmpint(job->error, ==, JOB_ERROR_IDENTITY_MISMATCH);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_REPLACED);
        g_assert_cmpuint(sim_requests(stage.machine, WORKER_REFRESH), ==, before);

        job = world_order(stage.world, &refresh, "0:0:0:2");
        g_assert_cmpint(job->error, ==, JOB_ERROR_IDENTITY_MISMATCH);
        sim_set_lun_manner(stage.machine, lun_of(&stage, 1), SIM_TIMES_OUT);
        job = world_order(stage.world, &refresh, "0:0:0:1");
        g_assert_cmpint(job->error, ==, JOB_ERROR_DEVICE_TIMEOUT);
        g_assert_cmpuint(sim_requests(stage.machine, WORKER_REFRESH), ==, before);
        sim_set_lun_manner(stage.machine, lun_of(&stage, 1), SIM_NORMAL);
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world);
        stage_done(&stage);
}

/* Another kernel object under the same address is not the one that was meant. */
static void test_order_is_pinned(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);
        struct scope scope = {.kind = SCOPE_DEVICE, .address = lun_of(&stage, 1)};
        struct device_request detach = {
                .operation = JOB_DETACH, .scope = &scope, .scope_text = "0:0:0:1"};
        uint64_t job;

        sim_set_target_manner(stage.machine, stage.target, SIM_HANGS);
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world); /* a command hangs: orders wait behind it */
        g_assert_cmpint(
                engine_order(world_engine(stage.world), &detach, world_now(stage.world), &job), ==,
                0);
        sim_detach_by_hand(stage.machine, lun_of(&stage, 1));
        sim_set_target_manner(stage.machine, stage.target, SIM_NORMAL);
        g_assert_true(sim_attach_by_hand(stage.machine, lun_of(&stage, 1)));
        world_pass(stage.world, SECOND);
        g_assert_true(sim_is_attached(stage.machine, lun_of(&stage, 1)));
        g_assert_nonnull(device_of(&stage, 1));
        stage_done(&stage);
}

/* Not by first contact, and not by counting. */
static void test_withheld_everywhere(void) {
        static const unsigned quirks[] = {SIM_QUIET | SIM_NO_WELL_KNOWN,
                                          SIM_QUIET | SIM_NO_REPORT_LUNS};
        struct device_request detach = {.operation = JOB_DETACH};

        for (size_t i = 0; i < G_N_ELEMENTS(quirks); i++) {
                struct stage stage = stage_new(quirks[i], 2);

                world_order(stage.world, &detach, "0:0:0:1");
                world_order(stage.world, &detach, "0:0:0:0");
                g_assert_null(device_of(&stage, 0));
                sim_unit_attention(stage.machine, lun_of(&stage, 0), 0x3f, 0x0e);
                world_pass(stage.world, 600 * SECOND);
                g_assert_cmpint(engine_event(world_engine(stage.world),
                                             &(struct event){.kind = EVENT_HOST},
                                             world_now(stage.world)),
                                ==, 0);
                world_pass(stage.world, 600 * SECOND);
                g_assert_false(sim_is_attached(stage.machine, lun_of(&stage, 0)));
                g_assert_false(sim_is_attached(stage.machine, lun_of(&stage, 1)));
                world_scan(stage.world, "0:0:0");
                world_settle(stage.world);
                g_assert_nonnull(device_of(&stage, 0));
                g_assert_nonnull(device_of(&stage, 1));
                stage_done(&stage);
        }
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/engine/order/attach", test_attach);
        g_test_add_func("/engine/order/detach", test_detach);
        g_test_add_func("/engine/order/withheld", test_withheld);
        g_test_add_func("/engine/order/refresh", test_refresh);
        g_test_add_func("/engine/order/accept-other", test_accept_other);
        g_test_add_func("/engine/order/refresh-other", test_refresh_other);
        g_test_add_func("/engine/order/pinned", test_order_is_pinned);
        g_test_add_func("/engine/order/withheld-everywhere", test_withheld_everywhere);
        return g_test_run();
}
