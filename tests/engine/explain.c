/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why this LUN is not there: what stands in the way is named, and nothing else. */
#include <errno.h>
#include <string.h>

#include "stage.h"

/* The codes of what is not "info", in their order, with blanks between them; and all sentences say
 * something. */
static char *obstacles(const struct stage *stage, const char *text) {
        struct explanation explanation;
        struct scope scope = {};
        GString *codes = g_string_new(NULL);

        g_assert_cmpint(scope_parse(text, &scope, NULL), ==, 0);
        g_assert_cmpint(engine_explain(world_engine(stage->world), &scope, &explanation), ==, 0);
        scope_done(&scope);
        g_assert_cmpuint(explanation.count, >, 0);
        for (size_t i = 0; i < explanation.count; i++) {
                const struct finding *finding = &explanation.items[i];

                g_assert_cmpstr(finding->text, !=, "");
                g_test_message("%s (%s): %s", finding->code, severity_name(finding->severity),
                               finding->text);
                if (finding->severity != SEVERITY_INFO)
                        g_string_append_printf(codes, "%s%s", codes->len > 0 ? " " : "",
                                               finding->code);
        }
        explanation_done(&explanation);
        return g_string_free(codes, FALSE);
}

static void assert_obstacles(const struct stage *stage, const char *text, const char *expected) {
        g_autofree char *codes = obstacles(stage, text);

        g_assert_cmpstr(codes, ==, expected);
}

static void test_fine(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);

        assert_obstacles(&stage, "host0", "");
        assert_obstacles(&stage, "0:0:0", "");
        assert_obstacles(&stage, "0:0:0:1", "");
        assert_obstacles(&stage, device_of(&stage, 1)->identity.name, "");
        stage_done(&stage);
}

static void test_nothing(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);
        struct explanation explanation;
        struct scope everything = {}, nowhere = {.kind = SCOPE_HOST, .address.target.host = 7};

        g_assert_cmpint(engine_explain(world_engine(stage.world), &everything, &explanation), ==,
                        -EINVAL);
        g_assert_cmpint(engine_explain(world_engine(stage.world), &nowhere, &explanation), ==,
                        -ENOENT);
        assert_obstacles(&stage, "0:0:9:1", "target-unknown not-attached");
        assert_obstacles(&stage, "0:0:0:9", "not-reported not-attached");
        stage_done(&stage);
}

static void test_kept_back(void) {
        struct stage stage = stage_new(SIM_QUIET, 5);
        struct device_request detach = {.operation = JOB_DETACH};
        struct scope lease = {.kind = SCOPE_DEVICE, .address = lun_of(&stage, 2)};

        world_order(stage.world, &detach, "0:0:0:1");
        world_order(stage.world, &detach, "0:0:0:2");
        g_assert_cmpint(engine_inhibit(world_engine(stage.world), &lease, 1), ==, 0);
        world_set_policy(stage.world,
                         "[Rule few]\nMatchLun=3-4\nAction=ignore\n"
                         "[Rule new]\nMatchLun=0\nAction=quarantine\n",
                         NULL);
        world_pass(stage.world, SECOND);
        assert_obstacles(&stage, "0:0:0:2", "inhibited not-attached");
        assert_obstacles(&stage, "0:0:0:3", "refused rule not-attached");
        assert_obstacles(&stage, "0:0:0:0", "quarantined state");
        stage_done(&stage);

        stage = stage_new(SIM_QUIET, 2);
        hold(&stage, 1, "dm-0"); /* else the whole target would be gone */
        world_set_policy(stage.world, "[Rule none]\nMatchHost=0\nAction=ignore\n", NULL);
        world_pass(stage.world, SECOND);
        assert_obstacles(&stage, "0:0:0:0", "target-ignored refused rule not-attached");
        stage_done(&stage);
}

static void test_withheld(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);
        struct device_request detach = {.operation = JOB_DETACH};

        world_order(stage.world, &detach, "0:0:0:1");
        assert_obstacles(&stage, "0:0:0:1", "withheld not-attached");
        stage_done(&stage);
}

static void test_devices(void) {
        struct stage stage = stage_new(SIM_QUIET, 6);

        hold(&stage, 1, "dm-0");
        hold(&stage, 2, "dm-1");
        sim_unmap(stage.machine, stage.target, 1);
        map_disk(&stage, 2, 99);
        sim_set_device_state(stage.machine, lun_of(&stage, 3), "offline");
        sim_set_lun_manner(stage.machine, lun_of(&stage, 4), SIM_TIMES_OUT);
        world_scan(stage.world, "0:0:0");
        world_pass(stage.world, 30 * SECOND);
        assert_obstacles(&stage, "0:0:0:1", "not-reported missing");
        assert_obstacles(&stage, "0:0:0:2", "replaced state");
        assert_obstacles(&stage, "0:0:0:3", "unverified state");
        assert_obstacles(&stage, "0:0:0:4", "unverified");
        stage_done(&stage);
}

static void test_host(void) {
        struct stage stage = stage_new_driver("ahci", SIM_QUIET, 2);
        struct event stuck = {.kind = EVENT_HOST_STUCK};

        sim_kernel_scan(stage.machine);
        world_pass(stage.world, SECOND);
        assert_obstacles(&stage, "0:0:0:1", "driver-discovers not-asked");
        g_assert_cmpint(engine_event(world_engine(stage.world), &stuck, world_now(stage.world)), ==,
                        0);
        assert_obstacles(&stage, "host0", "host-stuck driver-discovers");
        stage_done(&stage);
}

/* Links that only the kernel's own scan brings up stay down when it is told not to; unless it has
 * done so before. */
static void test_links_stay_down(void) {
        struct stage stage = stage_new_driver("mpt3sas", SIM_QUIET, 1);
        struct sim_host host = {.driver = "mpt3sas", .max_id = 2};

        assert_obstacles(&stage, "host0", "");
        g_assert_cmpuint(sim_add_host(stage.machine, &host), ==, 1);
        world_settle(stage.world);
        assert_obstacles(&stage, "host1", "kernel-discovers");
        stage_done(&stage);
}

static void test_silent_target(void) {
        struct stage stage = stage_new(SIM_QUIET, 2);

        sim_set_target_manner(stage.machine, stage.target, SIM_TIMES_OUT);
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world);
        assert_obstacles(&stage, "0:0:0:1", "scan-failed");
        sim_set_target_manner(stage.machine, stage.target, SIM_NORMAL);
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world);
        assert_obstacles(&stage, "0:0:0:1", "");
        stage_done(&stage);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/engine/explain/fine", test_fine);
        g_test_add_func("/engine/explain/nothing", test_nothing);
        g_test_add_func("/engine/explain/kept-back", test_kept_back);
        g_test_add_func("/engine/explain/withheld", test_withheld);
        g_test_add_func("/engine/explain/devices", test_devices);
        g_test_add_func("/engine/explain/host", test_host);
        g_test_add_func("/engine/explain/links-stay-down", test_links_stay_down);
        g_test_add_func("/engine/explain/silent-target", test_silent_target);
        return g_test_run();
}
