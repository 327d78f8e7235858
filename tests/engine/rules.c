/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the rules say, where something comes between: a restart, another scan, an answer that fails.
 */
#include <errno.h>
#include <string.h>

#include "scan/memory.h"
#include "scsi/command.h"
#include "stage.h"

#define DENY "[Rule deny]\nAction=ignore\n"

/* Accepted once, it is not stopped again by reading the same policy anew. */
static void test_accepted_and_reloaded(void) {
        static const char rules[] = "[Rule new]\nMatchLun=1\nAction=quarantine\n";
        struct stage stage = stage_new_ruled(rules, NULL, SIM_QUIET, 3);
        struct device_request accept = {.operation = JOB_ACCEPT};

        world_pass(stage.world, 10 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_QUARANTINED);
        g_assert_cmpint(world_order(stage.world, &accept, "0:0:0:1")->state, ==, JOB_DONE);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 1)), !=, 0);
        sim_set_open(stage.machine, lun_of(&stage, 1), true);
        world_set_policy(stage.world, rules, NULL);
        world_pass(stage.world, 10 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_PRESENT);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 1)), !=, 0);
        stage_done(&stage);
}

/* What has no name is remembered as accepted, too. */
static void test_nameless_accepted_and_restarted(void) {
        static const char rules[] = "[Rule new]\nMatchLun=1\nAction=quarantine\n";
        struct stage stage = stage_new_ruled(rules, NULL, SIM_QUIET, 1);
        struct device_request accept = {.operation = JOB_ACCEPT};
        struct sim_unit nameless = sim_disk(7);
        g_autofree char *kept = NULL;

        nameless.naa = 0;
        sim_map(stage.machine, stage.target, 1, &nameless);
        world_pass(stage.world, 300 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_QUARANTINED);
        g_assert_cmpint(world_order(stage.world, &accept, "0:0:0:1")->state, ==, JOB_DONE);
        kept = memory_format(engine_memory(world_engine(stage.world)), "a");
        world_leave(stage.world);
        stage.world = world_new(stage.machine, true, 1);
        g_assert_cmpint(memory_parse(engine_memory(world_engine(stage.world)), kept, "a"), ==, 0);
        world_start(stage.world);
        world_set_policy(stage.world, rules, NULL);
        world_pass(stage.world, 10 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_PRESENT);
        stage_done(&stage);
}

/* A size comes with sd's probe: then it is judged, and goes. */
static void test_ignored_by_size(void) {
        struct stage stage = stage_new_ruled(
                "[Rule small]\nMatchSize=<2G\nMatchLun=1-9\nAction=ignore\n", NULL, SIM_QUIET, 4);

        world_pass(stage.world, 3600 * SECOND);
        g_assert_false(sim_is_attached(stage.machine, lun_of(&stage, 2)));
        stage_done(&stage);
}

/* WhenReplaced=wait by LUN holds for what was swapped while the service was away. */
static void test_wait_over_restart(void) {
        static const char rules[] = "[Rule boot]\nMatchLun=1\nWhenReplaced=wait\n";
        struct stage stage = stage_new_ruled(rules, NULL, SIM_QUIET, 3);
        g_autofree char *kept = NULL;

        world_pass(stage.world, 10 * SECOND);
        kept = memory_format(engine_memory(world_engine(stage.world)), "a");
        world_leave(stage.world);
        map_disk(&stage, 1, 99);
        stage.world = world_new(stage.machine, true, (uint32_t)g_test_rand_int());
        memory_parse(engine_memory(world_engine(stage.world)), kept, "a");
        world_set_policy(stage.world, rules, NULL);
        world_start(stage.world);
        world_pass(stage.world, 10 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_REPLACED);
        stage_done(&stage);
}

/* ... and by the identity that it had. */
static void test_wait_by_identity(void) {
        struct stage stage = stage_new_ruled("", NULL, SIM_QUIET, 3);
        g_autofree char *rules = NULL;

        world_pass(stage.world, 10 * SECOND);
        rules = g_strdup_printf("[Rule mine]\nMatchIdentity=%s\nWhenReplaced=wait\n",
                                device_of(&stage, 1)->identity.name);
        world_set_policy(stage.world, rules, NULL);
        world_settle(stage.world);
        map_disk(&stage, 1, 99);
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_REPLACED);
        world_pass(stage.world, 600 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_REPLACED);
        stage_done(&stage);
}

/* Attach is not Accept. */
static void test_attach_lifts_quarantine(void) {
        struct stage stage =
                stage_new_ruled("[Rule new]\nMatchLun=1\nAction=quarantine\n", NULL, SIM_QUIET, 3);
        struct device_request attach = {.operation = JOB_ATTACH, .lun = 1};

        world_pass(stage.world, 10 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_QUARANTINED);
        sim_set_device_state(stage.machine, lun_of(&stage, 1), "running");
        world_order(stage.world, &attach, "0:0:0");
        world_pass(stage.world, 600 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_QUARANTINED);
        stage_done(&stage);
}

static void detach(struct stage *stage, const char *scope) {
        struct device_request request = {.operation = JOB_DETACH};

        g_assert_cmpint(world_order(stage->world, &request, scope)->state, ==, JOB_DONE);
}

static void test_reload_keeps_withheld(void) {
        struct stage stage = stage_new_ruled("", NULL, SIM_QUIET, 4);

        world_pass(stage.world, 10 * SECOND);
        detach(&stage, "0:0:0:2");
        world_set_policy(stage.world, "", NULL);
        world_pass(stage.world, 10 * SECOND);
        g_assert_false(sim_is_attached(stage.machine, lun_of(&stage, 2)));
        stage_done(&stage);
}

/* Somebody asks for LUN 1, and a scan of the target's own waits already. */
static void test_merge_keeps_withheld(void) {
        struct stage stage = stage_new_ruled("", NULL, SIM_QUIET, 4);
        struct scope scope = {.kind = SCOPE_TARGET};
        struct scan_request own = {.scope = &scope,
                                   .scope_text = "0:0:0",
                                   .cause = CAUSE_RESYNC,
                                   .attach = true,
                                   .verify = true,
                                   .remove = true};

        world_pass(stage.world, 10 * SECOND);
        detach(&stage, "0:0:0:2");
        scope.address.target = stage.target;
        g_assert_cmpint(engine_scan(world_engine(stage.world), &own, world_now(stage.world), NULL),
                        ==, 0);
        world_scan(stage.world, "0:0:0:1");
        world_pass(stage.world, 10 * SECOND);
        g_assert_false(sim_is_attached(stage.machine, lun_of(&stage, 2)));
        stage_done(&stage);
}

/* Borrowed to ask through, and nobody could be asked: it goes all the same. */
static void test_borrowed_goes(void) {
        struct stage stage =
                stage_new_ruled(DENY "[Rule ours]\nMatchIdentity=naa.nobody\nAction=attach\n"
                                     "[Rule off]\nPollInterval=off\n",
                                NULL, SIM_NO_WELL_KNOWN | SIM_QUIET, 3);
        bool timed = false;

        for (unsigned i = 0; i < 100000 && world_step(stage.world); i++)
                if (!timed && sim_is_attached(stage.machine, lun_of(&stage, 0)) &&
                    sim_commands(stage.machine, SCSI_INQUIRY) >= 2) {
                        sim_set_target_manner(stage.machine, stage.target, SIM_TIMES_OUT);
                        timed = true;
                }
        g_assert_true(timed);
        world_pass(stage.world, 5 * SECOND);
        sim_set_target_manner(stage.machine, stage.target, SIM_NORMAL);
        world_pass(stage.world, 600 * SECOND);
        world_scan(stage.world, "0:0:0");
        world_pass(stage.world, 600 * SECOND);
        g_assert_false(sim_is_attached(stage.machine, lun_of(&stage, 0)));
        stage_done(&stage);
}

/* Planned, polled, mapped: what is done is what was planned, or nothing. */
static void test_stale_after_poll(void) {
        struct stage stage = stage_new_ruled("", NULL, SIM_QUIET, 3);
        struct scope scope = {.kind = SCOPE_TARGET};
        struct scan_request request = {.scope = &scope, .scope_text = "0:0:0", .verify = true};
        uint64_t job;

        world_pass(stage.world, 10 * SECOND);
        scope.address.target = stage.target;
        g_assert_cmpint(
                engine_plan(world_engine(stage.world), &request, world_now(stage.world), &job), ==,
                0);
        world_settle(stage.world);
        world_pass(stage.world, 100 * SECOND); /* a poll, that finds the same */
        map_disk(&stage, 5, 50);
        request.attach = request.planned = true;
        g_assert_cmpint(
                engine_scan(world_engine(stage.world), &request, world_now(stage.world), &job), ==,
                0);
        world_settle(stage.world);
        g_assert_cmpint(world_job(stage.world, job)->error, ==, JOB_ERROR_STALE_PLAN);
        stage_done(&stage);
}

/* In use when the rule came, it is stopped when it is let go of. */
static void test_quarantine_when_let_go(void) {
        struct stage stage = stage_new_ruled("", NULL, SIM_QUIET, 3);

        world_pass(stage.world, 10 * SECOND);
        hold(&stage, 1, "dm-0");
        world_set_policy(stage.world, "[Rule q]\nMatchLun=1\nAction=quarantine\n", NULL);
        world_pass(stage.world, 10 * SECOND);
        hold(&stage, 1, NULL);
        world_pass(stage.world, 600 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_QUARANTINED);
        stage_done(&stage);
}

/* A target of which nothing is wanted is not changed with every poll. */
static void test_borrowed_cycle(void) {
        struct stage stage = {.machine = sim_machine_new(1)};
        struct sim_host host = {
                .max_id = 2, .transport = SIM_FC, .port_name = "0x10000090fa942778"};
        struct sim_target target = {.port_name = "naa.500a09848cde0001",
                                    .quirks = SIM_NO_WELL_KNOWN | SIM_QUIET};
        uint64_t before;

        sim_add_host(stage.machine, &host);
        stage.target = sim_add_target(stage.machine, 0, &target);
        sim_map_disks(stage.machine, stage.target, 3, 1);
        stage.world = world_new(stage.machine, true, 1);
        world_set_policy(stage.world, DENY "[Rule ours]\nMatchIdentity=naa.nobody\nAction=attach\n",
                         NULL);
        world_start(stage.world);
        world_pass(stage.world, 60 * SECOND);
        before = sim_requests(stage.machine, WORKER_ATTACH);
        world_pass(stage.world, 3600 * SECOND);
        g_test_message("attaches in an hour: %u",
                       (unsigned)(sim_requests(stage.machine, WORKER_ATTACH) - before));
        g_assert_cmpuint(sim_requests(stage.machine, WORKER_ATTACH) - before, <=, 40);
        stage_done(&stage);
}

/* Nothing was mapped, then something is, and only a poll finds it. No policy is needed. */
static void test_poll_makes_contact(void) {
        for (uint32_t seed = 1; seed < 60; seed++) {
                struct stage stage = {.machine = sim_machine_new(1)};
                struct sim_host host = {
                        .max_id = 2, .transport = SIM_FC, .port_name = "0x10000090fa942778"};
                struct sim_target target = {.port_name = "naa.500a09848cde0001",
                                            .quirks = SIM_NO_WELL_KNOWN | SIM_QUIET};

                sim_add_host(stage.machine, &host);
                stage.target = sim_add_target(stage.machine, 0, &target);
                stage.world = world_new(stage.machine, true, seed);
                world_start(stage.world);
                world_pass(stage.world, 10 * SECOND);
                sim_map_disks(stage.machine, stage.target, 4, 1);
                g_test_message("seed %u", seed);
                world_pass(stage.world, 900 * SECOND);
                g_assert_nonnull(device_of(&stage, 3));
                stage_done(&stage);
        }
}

/* What is only told does not keep the asking quick. */
static void test_tell_is_quiet(void) {
        struct stage stage = stage_new_ruled("[Rule t]\nWhenGrown=tell\n", NULL, SIM_QUIET, 2);
        uint64_t before;

        world_pass(stage.world, 60 * SECOND);
        sim_resize(stage.machine, lun_of(&stage, 1), UINT64_C(1) << 40);
        before = sim_commands(stage.machine, SCSI_REPORT_LUNS);
        for (unsigned i = 0; i < 600; i++) {
                sim_unit_attention(stage.machine, lun_of(&stage, 0), 0x2a, 0x01);
                touch(&stage);
                world_pass(stage.world, SECOND / 10);
        }
        g_test_message("asked in a minute: %u",
                       (unsigned)(sim_commands(stage.machine, SCSI_REPORT_LUNS) - before));
        g_assert_cmpuint(sim_commands(stage.machine, SCSI_REPORT_LUNS) - before, <, 40);
        stage_done(&stage);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/engine/rules/accepted-and-reloaded", test_accepted_and_reloaded);
        g_test_add_func("/engine/rules/nameless-restart", test_nameless_accepted_and_restarted);
        g_test_add_func("/engine/rules/ignored-by-size", test_ignored_by_size);
        g_test_add_func("/engine/rules/wait-over-restart", test_wait_over_restart);
        g_test_add_func("/engine/rules/wait-by-identity", test_wait_by_identity);
        g_test_add_func("/engine/rules/attach-lifts-quarantine", test_attach_lifts_quarantine);
        g_test_add_func("/engine/rules/reload-withheld", test_reload_keeps_withheld);
        g_test_add_func("/engine/rules/merge-withheld", test_merge_keeps_withheld);
        g_test_add_func("/engine/rules/borrowed-goes", test_borrowed_goes);
        g_test_add_func("/engine/rules/stale-after-poll", test_stale_after_poll);
        g_test_add_func("/engine/rules/quarantine-let-go", test_quarantine_when_let_go);
        g_test_add_func("/engine/rules/borrowed-cycle", test_borrowed_cycle);
        g_test_add_func("/engine/rules/poll-contact", test_poll_makes_contact);
        g_test_add_func("/engine/rules/tell-quiet", test_tell_is_quiet);
        return g_test_run();
}
