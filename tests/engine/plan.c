/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a scan would do is what it does, and saying so changes nothing. */
#include <string.h>

#include "stage.h"

static const struct job *plan(const struct stage *stage, const char *text) {
        struct scope scope = {};
        struct scan_request request = {.scope = &scope, .scope_text = text, .verify = true};
        uint64_t job;

        g_assert_cmpint(scope_parse(text, &scope, NULL), ==, 0);
        g_assert_cmpint(
                engine_plan(world_engine(stage->world), &request, world_now(stage->world), &job),
                ==, 0);
        scope_done(&scope);
        world_settle(stage->world);
        g_assert_cmpint(world_job(stage->world, job)->state, ==, JOB_DONE);
        return world_job(stage->world, job);
}

/* "attach 0:0:0:3" on a line each; a target's or host's step names the target. */
static char *steps(const struct job *job) {
        GString *text = g_string_new(NULL);

        for (size_t i = 0; i < job->plan.count; i++) {
                const struct plan_step *step = &job->plan.steps[i];
                char address[SCSI_ADDRESS_TEXT_MAX] = "";

                if (step->place == PLAN_DEVICE)
                        scsi_address_format(&step->address, address);
                if (step->place == PLAN_TARGET)
                        scsi_target_address_format(&step->address.target, address);
                g_assert_cmpstr(step->reason, !=, "");
                g_string_append_printf(text, "%s %s\n", plan_action_name(step->action), address);
        }
        return g_string_free(text, FALSE);
}

static void assert_plan(const struct stage *stage, const char *scope, const char *expected) {
        g_autofree char *text = steps(plan(stage, scope));

        g_assert_cmpstr(text, ==, expected);
}

static uint64_t writes(const struct stage *stage) {
        return sim_requests(stage->machine, WORKER_ATTACH) +
               sim_requests(stage->machine, WORKER_DETACH) +
               sim_requests(stage->machine, WORKER_SET_STATE);
}

static void test_everything(void) {
        struct stage stage = stage_new(SIM_QUIET, 6);
        uint64_t before_writes;
        g_autofree char *before = world_devices(stage.world), *after = NULL;

        world_set_policy(stage.world,
                         "[Rule none]\nMatchLun=10\nAction=ignore\n"
                         "[Rule new]\nMatchLun=11\nAction=quarantine\n"
                         "[Rule look]\nMatchLun=12\nMatchVendor=NOBODY\nAction=ignore\n",
                         NULL);
        hold(&stage, 3, "dm-0");
        world_pass(stage.world, SECOND);
        for (uint64_t lun = 9; lun <= 12; lun++)
                map_disk(&stage, lun, 100 + (uint32_t)lun);
        sim_unmap(stage.machine, stage.target, 1);
        map_disk(&stage, 2, 98);
        map_disk(&stage, 3, 99);
        sim_set_lun_manner(stage.machine, lun_of(&stage, 4), SIM_TIMES_OUT);
        before_writes = writes(&stage);
        assert_plan(&stage, "0:0:0",
                    "attach 0:0:0:9\n"
                    "leave 0:0:0:10\n"
                    "quarantine 0:0:0:11\n"
                    "attach-and-look 0:0:0:12\n"
                    "keep 0:0:0:0\n"
                    "confirm-gone 0:0:0:1\n"
                    "reattach 0:0:0:2\n"
                    "stop 0:0:0:3\n"
                    "read-again 0:0:0:4\n"
                    "keep 0:0:0:5\n");
        assert_plan(&stage, "0:0:0:9",
                    "attach 0:0:0:9\n"
                    "keep 0:0:0:0\n"
                    "confirm-gone 0:0:0:1\n"
                    "reattach 0:0:0:2\n"
                    "stop 0:0:0:3\n"
                    "read-again 0:0:0:4\n"
                    "keep 0:0:0:5\n");
        after = world_devices(stage.world);
        g_assert_cmpstr(after, ==, before);
        g_assert_cmpuint(writes(&stage), ==, before_writes);
        g_assert_cmpint(device_of(&stage, 3)->standing, ==, STANDING_PRESENT);
        sim_set_lun_manner(stage.machine, lun_of(&stage, 4), SIM_NORMAL);

        /* And that is what comes of it. */
        world_scan(stage.world, "0:0:0");
        world_pass(stage.world, 2 * SECOND);
        g_assert_nonnull(device_of(&stage, 9));
        g_assert_null(device_of(&stage, 10));
        g_assert_cmpint(device_of(&stage, 11)->standing, ==, STANDING_QUARANTINED);
        g_assert_cmpint(device_of(&stage, 12)->standing, ==, STANDING_PRESENT);
        g_assert_null(device_of(&stage, 1));
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_PRESENT);
        g_assert_cmpint(device_of(&stage, 3)->standing, ==, STANDING_REPLACED);
        stage_done(&stage);
}

static void test_no_way_in(void) {
        struct stage stage = {.machine = sim_machine_new(1)};
        struct sim_host host = {.max_id = 2};
        struct sim_target target = {};

        sim_add_host(stage.machine, &host);
        stage.target = sim_add_target(stage.machine, 0, &target);
        sim_map_disks(stage.machine, stage.target, 2, 1);
        stage.world = world_new(stage.machine, false, (uint32_t)g_test_rand_int());
        world_start(stage.world);
        world_settle(stage.world);
        assert_plan(&stage, "", "try-ids \n");
        assert_plan(&stage, "0:0:0", "contact 0:0:0\n");
        stage_done(&stage);
}

static const struct job *scan_planned(const struct stage *stage, const char *text) {
        struct scope scope = {};
        struct scan_request request = {.scope = &scope,
                                       .scope_text = text,
                                       .verify = true,
                                       .attach = true,
                                       .planned = true};
        uint64_t job;

        g_assert_cmpint(scope_parse(text, &scope, NULL), ==, 0);
        g_assert_cmpint(
                engine_scan(world_engine(stage->world), &request, world_now(stage->world), &job),
                ==, 0);
        scope_done(&scope);
        world_settle(stage->world);
        return world_job(stage->world, job);
}

/* A scan that was planned does what was planned, or nothing. */
static void test_planned(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);

        map_disk(&stage, 5, 50);
        assert_plan(&stage, "0:0:0", "attach 0:0:0:5\nkeep 0:0:0:0\nkeep 0:0:0:1\nkeep 0:0:0:2\n");
        map_disk(&stage, 6, 60);
        g_assert_cmpint(scan_planned(&stage, "0:0:0")->error, ==, JOB_ERROR_STALE_PLAN);
        g_assert_null(device_of(&stage, 5));
        plan(&stage, "0:0:0");
        g_assert_cmpint(scan_planned(&stage, "0:0:0")->state, ==, JOB_DONE);
        g_assert_nonnull(device_of(&stage, 5));
        g_assert_nonnull(device_of(&stage, 6));
        stage_done(&stage);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/engine/plan/everything", test_everything);
        g_test_add_func("/engine/plan/no-way-in", test_no_way_in);
        g_test_add_func("/engine/plan/planned", test_planned);
        return g_test_run();
}
