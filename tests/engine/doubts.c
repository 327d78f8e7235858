/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is not as it should be: half an answer, one that changes its mind, a kernel that fails. */
#include <errno.h>
#include <string.h>

#include "stage.h"

/* ---- gone, or not ---- */

/* A first time that was long ago is a first time again, and being there in between ends it. */
static void test_absence_ages(void) {
        struct stage stage = stage_new(SIM_QUIET, 4);

        sim_unmap(stage.machine, stage.target, 2);
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world);
        g_assert_cmpuint(device_of(&stage, 2)->absent_since, !=, 0);
        map_disk(&stage, 2, 3);
        world_pass(stage.world, SECOND);
        g_assert_cmpuint(device_of(&stage, 2)->absent_since, ==, 0);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_PRESENT);
        sim_unmap(stage.machine, stage.target, 2);
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world);
        g_assert_nonnull(device_of(&stage, 2));
        world_pass(stage.world, SECOND);
        g_assert_null(device_of(&stage, 2));
        stage_done(&stage);
}

/* LIO answers for a LUN 0 that is not mapped, and lists it: nobody is there all the same. */
static void test_stand_in(void) {
        struct stage stage = stage_new(0, 3);
        struct sim_unit nobody = sim_disk(500);

        nobody.qualifier = 1;
        nobody.type = 0x1f;
        sim_map(stage.machine, stage.target, 1, &nobody);
        touch(&stage);
        world_pass(stage.world, 3 * SECOND);
        g_assert_cmpuint(world_notices(stage.world, NOTICE_REPLACED), ==, 0);
        g_assert_cmpstr(world_detach_reason(stage.world, lun_of(&stage, 1)), ==, "unmapped");
        stage_done(&stage);
}

/* Nothing holds it any more: it need not wait for the next poll. */
static void test_let_go(void) {
        struct stage stage = stage_new(0, 4);

        hold(&stage, 1, "dm-0");
        hold(&stage, 2, "dm-1");
        sim_unmap(stage.machine, stage.target, 1);
        map_disk(&stage, 2, 99);
        touch(&stage);
        world_pass(stage.world, 10 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_MISSING);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_REPLACED);
        sim_set_holder(stage.machine, lun_of(&stage, 1), NULL);
        sim_set_holder(stage.machine, lun_of(&stage, 2), NULL);
        world_pass(stage.world, 2 * SECOND);
        g_assert_null(device_of(&stage, 1));
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_PRESENT);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 2)), !=, 0);
        stage_done(&stage);
}

/* A dm device that goes says nothing under the disks that it held. */
static void test_holder_goes(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);
        struct event event = {.kind = EVENT_HOLDER, .holder = "dm-0"};

        hold(&stage, 1, "dm-0");
        sim_set_holder(stage.machine, lun_of(&stage, 1), NULL);
        g_assert_cmpint(engine_event(world_engine(stage.world), &event, world_now(stage.world)), ==,
                        0);
        world_settle(stage.world);
        g_assert_null(device_of(&stage, 1)->facts.holders[0]);
        stage_done(&stage);
}

/* In use and missing, it is still the unit that it was after the service has started again. */
static void test_missing_over_restart(void) {
        struct stage stage = stage_new(0, 3);
        g_autofree char *name = g_strdup(device_of(&stage, 1)->identity.name);

        hold(&stage, 1, "dm-0");
        sim_unmap(stage.machine, stage.target, 1);
        touch(&stage);
        world_pass(stage.world, 3 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_MISSING);
        start_again(&stage, "a", "a");
        world_pass(stage.world, 3 * SECOND);
        g_assert_cmpstr(device_of(&stage, 1)->identity.name, ==, name);
        g_assert_nonnull(device_of(&stage, 1)->unit);
        stage_done(&stage);
}

/* ---- replaced, and what may happen then ---- */

/* The kernel lets the devices of an iSCSI session that returns run again, whoever had stopped them,
 * and tells nobody. */
static void test_stays_stopped(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);

        hold(&stage, 1, "dm-0");
        map_disk(&stage, 1, 99);
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world);
        g_assert_cmpstr(device_of(&stage, 1)->facts.state, ==, "offline");
        sim_set_device_state(stage.machine, lun_of(&stage, 1), "blocked");
        world_pass(stage.world, 2 * SECOND);
        sim_set_device_state(stage.machine, lun_of(&stage, 1), "running");
        world_pass(stage.world, SECOND / 5);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 1)), ==, 0);
        g_assert_cmpuint(world_notices(stage.world, NOTICE_REPLACED), ==, 1);
        sim_set_device_state(stage.machine, lun_of(&stage, 1), "running");
        world_pass(stage.world, 2 * SECOND);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 1)), ==, 0);
        stage_done(&stage);
}

/* Who turns into somebody else again and again is left stopped for a while. */
static void test_reattach_is_bounded(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);
        uint64_t before = sim_requests(stage.machine, WORKER_DETACH);

        for (uint32_t i = 0; i < 20; i++) {
                map_disk(&stage, 1, 100 + i);
                world_scan(stage.world, "0:0:0");
                world_pass(stage.world, SECOND / 2);
                g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 1)), ==,
                                 device_of(&stage, 1)->standing == STANDING_PRESENT
                                         ? sim_disk(100 + i).naa
                                         : 0);
        }
        g_assert_cmpuint(sim_requests(stage.machine, WORKER_DETACH) - before, <=, 4);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_REPLACED);
        world_pass(stage.world, 400 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_PRESENT);
        stage_done(&stage);
}

/* A scan that nobody wanted verified, and that has not begun, does not swallow one that is to. */
static void test_verified_all_the_same(void) {
        struct stage stage = stage_new(0, 3);
        struct scope scope = {.kind = SCOPE_TARGET, .address.target = stage.target};
        struct scan_request request = {.scope = &scope, .scope_text = "0:0:0", .attach = true};
        struct event attention = {.kind = EVENT_UNIT_ATTENTION,
                                  .address = lun_of(&stage, 0),
                                  .attention = ATTENTION_REPORTED_LUNS};

        map_disk(&stage, 1, 99);
        for (unsigned i = 0; i < 2; i++)
                g_assert_cmpint(engine_scan(world_engine(stage.world), &request,
                                            world_now(stage.world), NULL),
                                ==, 0);
        g_assert_cmpint(engine_event(world_engine(stage.world), &attention, world_now(stage.world)),
                        ==, 0);
        world_pass(stage.world, SECOND / 10);
        g_assert_cmpuint(world_notices(stage.world, NOTICE_REPLACED), ==, 1);
        stage_done(&stage);
}

/* sd has let a disk go, or has not probed it yet: that is no size. */
static void test_no_size(void) {
        struct stage stage = stage_new(SIM_QUIET, 2);
        struct device_request refresh = {.operation = JOB_REFRESH};
        uint64_t size = device_of(&stage, 1)->facts.size;

        sim_resize(stage.machine, lun_of(&stage, 1), 0);
        world_order(stage.world, &refresh, "0:0:0:1");
        g_assert_cmpuint(device_of(&stage, 1)->facts.size, ==, 0);
        sim_resize(stage.machine, lun_of(&stage, 1), size);
        world_order(stage.world, &refresh, "0:0:0:1");
        g_assert_cmpuint(world_notices(stage.world, NOTICE_CAPACITY), ==, 0);
        stage_done(&stage);
}

/* ---- hosts ---- */

/* Its driver attaches and detaches; we follow. */
static void test_driver_discovers(void) {
        struct stage stage = stage_new_driver("ahci", 0, 2);

        sim_kernel_scan(stage.machine);
        world_pass(stage.world, SECOND);
        g_assert_nonnull(device_of(&stage, 1));
        map_disk(&stage, 5, 50);
        sim_unmap(stage.machine, stage.target, 1);
        touch(&stage);
        world_pass(stage.world, 400 * SECOND);
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world);
        g_assert_false(sim_is_attached(stage.machine, lun_of(&stage, 5)));
        g_assert_true(sim_is_attached(stage.machine, lun_of(&stage, 1)));
        stage_done(&stage);
}

static unsigned unfinished(const struct stage *stage) {
        const struct job *job;
        unsigned count = 0;

        TAILQ_FOREACH (job, engine_jobs(world_engine(stage->world)), entry)
                count += !job_is_finished(job);
        return count;
}

/* What hangs costs itself: nobody waits for it, and it is asked when it no longer hangs. */
static void test_stuck_costs_nothing(void) {
        struct stage stage = stage_new(0, 3);
        struct event stuck = {.kind = EVENT_HOST_STUCK}, released = {.kind = EVENT_HOST_RELEASED};
        struct device_request refresh = {.operation = JOB_REFRESH};

        g_assert_cmpint(engine_event(world_engine(stage.world), &stuck, world_now(stage.world)), ==,
                        0);
        world_pass(stage.world, 3600 * SECOND);
        g_assert_cmpuint(unfinished(&stage), ==, 0);
        g_assert_cmpint(world_order(stage.world, &refresh, "0:0:0:1")->error, ==,
                        JOB_ERROR_HOST_STUCK);
        g_assert_cmpint(world_job(stage.world, world_scan(stage.world, "0:0:0"))->error, ==,
                        JOB_ERROR_HOST_STUCK);
        map_disk(&stage, 7, 70);
        g_assert_cmpint(engine_event(world_engine(stage.world), &released, world_now(stage.world)),
                        ==, 0);
        world_pass(stage.world, SECOND);
        g_assert_nonnull(device_of(&stage, 7));
        stage_done(&stage);
}

static bool take_step(struct engine *engine, struct scan_time *now, struct step *ret) {
        if (engine_next(engine, *now, ret))
                return true;
        if (engine_wake_at(engine) == UINT64_MAX)
                return false;
        now->monotonic = engine_wake_at(engine);
        return engine_next(engine, *now, ret);
}

/* What the kernel could not say once it is asked again. */
static void test_asked_again(void) {
        struct engine_config config = {
                .owner = true, .steps_per_host = 1, .limits = &policy_limits_default};
        struct engine *engine = engine_new(&config);
        struct observation observation = {.observed = OBSERVED_ERROR, .error = -EMFILE};
        struct scan_time now = {.monotonic = 1, .realtime = 1};

        g_assert_cmpint(engine_start(engine, now), ==, 0);
        for (unsigned i = 0; i < 3; i++) {
                g_assert_true(take_step(engine, &now, &observation.step));
                g_assert_cmpint(observation.step.kind, ==, STEP_LIST);
                g_assert_cmpint(engine_observe(engine, &observation, now), ==, 0);
        }
        g_assert_true(take_step(engine, &now, &observation.step));
        observation.observed = OBSERVED_GOOD;
        observation.inventory.hosts = calloc(1, sizeof(uint32_t));
        observation.inventory.host_count = 1;
        g_assert_cmpint(engine_observe(engine, &observation, now), ==, 0);
        for (unsigned i = 0; i < 12; i++) {
                g_assert_true(take_step(engine, &now, &observation.step));
                g_assert_cmpint(observation.step.kind, ==, STEP_READ_HOST);
                observation.observed = OBSERVED_ERROR;
                observation.error = -EMFILE;
                g_assert_cmpint(engine_observe(engine, &observation, now), ==, 0);
        }
        engine_free(engine);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/engine/doubts/absence-ages", test_absence_ages);
        g_test_add_func("/engine/doubts/stand-in", test_stand_in);
        g_test_add_func("/engine/doubts/let-go", test_let_go);
        g_test_add_func("/engine/doubts/holder-goes", test_holder_goes);
        g_test_add_func("/engine/doubts/missing-over-restart", test_missing_over_restart);
        g_test_add_func("/engine/doubts/stays-stopped", test_stays_stopped);
        g_test_add_func("/engine/doubts/reattach-is-bounded", test_reattach_is_bounded);
        g_test_add_func("/engine/doubts/verified-all-the-same", test_verified_all_the_same);
        g_test_add_func("/engine/doubts/no-size", test_no_size);
        g_test_add_func("/engine/doubts/driver-discovers", test_driver_discovers);
        g_test_add_func("/engine/doubts/stuck-costs-nothing", test_stuck_costs_nothing);
        g_test_add_func("/engine/doubts/asked-again", test_asked_again);
        return g_test_run();
}
