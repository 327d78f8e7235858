/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the policy says is what is done: at first sight, at every scan, on request, and when it
 * changes. */
#include <errno.h>
#include <string.h>

#include "stage.h"

/* A target with LUNs 0 to count-1 that was first asked under that policy. */
static struct stage stage_ruled(const char *rules, const char *quirks, unsigned target_quirks,
                                uint32_t count) {
        struct stage stage = stage_new_ruled(rules, quirks, target_quirks, count);

        world_pass(stage.world, 10 * SECOND);
        return stage;
}

static void assert_devices(const struct stage *stage, const char *expected) {
        g_autofree char *devices = world_devices(stage->world);

        g_assert_cmpstr(devices, ==, expected);
        world_check(stage->world);
}

#define DENY "[Rule deny]\nAction=ignore\n"

/* ---- at first sight ---- */

static void test_only_these_luns(void) {
        static const char rules[] = DENY "[Rule ours]\nMatchLun=2-3\nAction=attach\n";
        struct stage stage = stage_ruled(rules, NULL, 0, 6);

        assert_devices(&stage, "0:0:0:2\n0:0:0:3\n0:0:0:49409\n");
        world_scan(stage.world, ""); /* a scan that somebody asks for does not overrule it */
        world_pass(stage.world, 600 * SECOND);
        assert_devices(&stage, "0:0:0:2\n0:0:0:3\n0:0:0:49409\n");
        stage_done(&stage);

        stage = stage_ruled(rules, NULL, SIM_NO_WELL_KNOWN, 6);
        assert_devices(&stage, "0:0:0:2\n0:0:0:3\n");
        stage_done(&stage);
}

/* Where a host's ids end is seen by LUN 0, which may not be touched here; and by any that the host
 * has taken before. */
static void test_ids_end(void) {
        static const unsigned quirks[] = {0, SIM_NO_WELL_KNOWN};

        for (size_t i = 0; i < G_N_ELEMENTS(quirks); i++) {
                struct stage stage = stage_ruled(DENY "[Rule ours]\nMatchLun=2-3\nAction=attach\n",
                                                 NULL, quirks[i], 6);
                uint64_t attached = sim_requests(stage.machine, WORKER_ATTACH);

                g_assert_cmpuint(attached, <, 150);
                start_again(&stage, "boot", "boot");
                world_scan(stage.world, "");
                world_pass(stage.world, 10 * SECOND);
                g_assert_cmpuint(sim_requests(stage.machine, WORKER_ATTACH) - attached, <, 300);
                stage_done(&stage);
        }
}

/* Who they are is known when they were attached: the others go again before anybody hears of
 * them, and are left alone from then on. */
static void test_only_these_units(void) {
        static const unsigned quirks[] = {0, SIM_NO_WELL_KNOWN};

        for (size_t i = 0; i < G_N_ELEMENTS(quirks); i++) {
                struct sim_unit ours = sim_disk(5);
                g_autofree char *rules =
                        g_strdup_printf(DENY "[Rule ours]\nMatchIdentity=naa.%016" G_GINT64_MODIFIER
                                             "x\nAction=attach\n",
                                        ours.naa);
                struct stage stage = stage_ruled(rules, NULL, quirks[i] | SIM_QUIET, 6);
                uint64_t attached;

                g_assert_nonnull(device_of(&stage, 4));
                for (uint64_t lun = 0; lun < 6; lun++)
                        g_assert_cmpint(sim_is_attached(stage.machine, lun_of(&stage, lun)), ==,
                                        lun == 4);
                attached = sim_requests(stage.machine, WORKER_ATTACH);
                world_pass(stage.world, 3600 * SECOND);
                g_assert_cmpuint(sim_requests(stage.machine, WORKER_ATTACH), ==, attached);
                stage_done(&stage);
        }
}

/* Of a target that is ignored nothing is touched, not even the door. */
static void test_ignored_target(void) {
        struct stage stage =
                stage_ruled("[Rule none]\nMatchHost=0\nAction=ignore\n", NULL, SIM_QUIET, 3);

        assert_devices(&stage, "");
        world_pass(stage.world, 600 * SECOND);
        assert_devices(&stage, "");
        g_assert_cmpuint(sim_requests(stage.machine, WORKER_ATTACH), ==, 0);
        stage_done(&stage);
}

static void test_quarantine(void) {
        static const char rules[] = "[Rule new]\nMatchLun=1\nAction=quarantine\n";
        struct stage stage = stage_ruled(rules, NULL, SIM_QUIET, 3);
        struct device_request accept = {.operation = JOB_ACCEPT};

        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_QUARANTINED);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 1)), ==, 0);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 2)), !=, 0);
        world_pass(stage.world, 600 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_QUARANTINED);

        /* Whoever lets it run, but for accepting it. */
        sim_set_device_state(stage.machine, lun_of(&stage, 1), "running");
        world_pass(stage.world, 2 * SECOND);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 1)), ==, 0);
        start_again(&stage, "a", "a");
        world_set_policy(stage.world, rules, NULL);
        world_pass(stage.world, 2 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_QUARANTINED);

        g_assert_cmpint(world_order(stage.world, &accept, "0:0:0:1")->state, ==, JOB_DONE);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_PRESENT);
        world_pass(stage.world, 600 * SECOND);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 1)), !=, 0);
        start_again(&stage, "a", "a");
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_PRESENT);
        stage_done(&stage);
}

/* Accepted, it stays so when the policy is read anew; and a policy that has no such rule any more
 * accepts by itself, or detaches. */
static void test_quarantine_and_reload(void) {
        static const char rules[] = "[Rule new]\nMatchLun=1-2\nAction=quarantine\n";
        struct stage stage = stage_ruled(rules, NULL, SIM_QUIET, 4);
        struct device_request accept = {.operation = JOB_ACCEPT};

        g_assert_cmpint(world_order(stage.world, &accept, "0:0:0:1")->state, ==, JOB_DONE);
        world_set_policy(stage.world, rules, NULL);
        world_pass(stage.world, 2 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_PRESENT);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_QUARANTINED);
        world_set_policy(stage.world, "", NULL);
        world_pass(stage.world, 2 * SECOND);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_PRESENT);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 2)), !=, 0);

        world_set_policy(stage.world, rules, NULL);
        world_pass(stage.world, 2 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_PRESENT);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_QUARANTINED);
        world_set_policy(stage.world, "[Rule no]\nMatchLun=2\nAction=ignore\n", NULL);
        world_pass(stage.world, 2 * SECOND);
        g_assert_null(device_of(&stage, 2));
        stage_done(&stage);
}

static void test_order(void) {
        struct stage stage = stage_ruled("[Rule boot]\nMatchLun=4\nOrder=-10\n"
                                         "[Rule late]\nMatchLun=1\nOrder=10\n",
                                         NULL, SIM_QUIET, 6);

        g_assert_cmpuint(device_of(&stage, 4)->facts.instance, <,
                         device_of(&stage, 2)->facts.instance);
        g_assert_cmpuint(device_of(&stage, 2)->facts.instance, <,
                         device_of(&stage, 3)->facts.instance);
        g_assert_cmpuint(device_of(&stage, 5)->facts.instance, <,
                         device_of(&stage, 1)->facts.instance);
        stage_done(&stage);
}

static void test_quirk(void) {
        static const char quirks[] =
                "[Quirk care]\nVendor=SIMULATE\nModel=*\nFlags=NOREPORTLUN MAX5LUN\n";
        struct stage stage = stage_ruled("", quirks, SIM_QUIET, 8);

        g_assert_cmpuint(sim_commands(stage.machine, SCSI_REPORT_LUNS), ==, 0);
        assert_devices(&stage, "0:0:0:0\n0:0:0:1\n0:0:0:2\n0:0:0:3\n0:0:0:4\n");
        stage_done(&stage);
}

/* ---- on request ---- */

static void test_request(void) {
        struct stage stage =
                stage_ruled(DENY "[Rule door]\nMatchLun=0\nAction=attach\n", NULL, SIM_QUIET, 4);
        struct device_request attach = {.operation = JOB_ATTACH, .lun = 2};
        const struct job *job = world_order(stage.world, &attach, "0:0:0");

        g_assert_cmpint(job->error, ==, JOB_ERROR_REFUSED);
        g_assert_nonnull(strstr(job->message, "deny"));
        g_assert_false(sim_is_attached(stage.machine, lun_of(&stage, 2)));

        world_set_policy(stage.world,
                         "[Rule deny]\nAction=ignore\nOnRequest=warn\n"
                         "[Rule door]\nMatchLun=0\nAction=attach\n",
                         NULL);
        world_settle(stage.world);
        job = world_order(stage.world, &attach, "0:0:0");
        g_assert_cmpint(job->state, ==, JOB_DONE);
        g_assert_true(sim_is_attached(stage.machine, lun_of(&stage, 2)));

        /* Somebody wanted it: it stays, over polls, a restart, and when the policy is read anew. */
        world_pass(stage.world, 600 * SECOND);
        start_again(&stage, "a", "a");
        world_set_policy(stage.world,
                         "[Rule deny]\nAction=ignore\nOnRequest=warn\n"
                         "[Rule door]\nMatchLun=0\nAction=attach\n",
                         NULL);
        world_pass(stage.world, 600 * SECOND);
        assert_devices(&stage, "0:0:0:0\n0:0:0:2\n");
        stage_done(&stage);
}

/* Who it is decides, and it is attached to find out: refused, it does not stay. */
static void test_request_looks(void) {
        struct stage stage = stage_ruled(DENY "[Rule ours]\nMatchVendor=NOBODY\nAction=attach\n"
                                              "[Rule door]\nMatchLun=0\nAction=attach\n",
                                         NULL, SIM_QUIET, 4);
        struct device_request attach = {.operation = JOB_ATTACH, .lun = 2};

        g_assert_cmpint(world_order(stage.world, &attach, "0:0:0")->error, ==, JOB_ERROR_REFUSED);
        g_assert_false(sim_is_attached(stage.machine, lun_of(&stage, 2)));
        g_assert_cmpstr(world_detach_reason(stage.world, lun_of(&stage, 2)), ==, "");
        stage_done(&stage);
}

/* ---- another policy ---- */

static void test_reload(void) {
        struct stage stage = stage_new(SIM_QUIET, 5);
        const struct job *job;
        uint64_t id;

        hold(&stage, 3, "dm-0");
        id = world_set_policy(stage.world, "[Rule less]\nMatchLun=2-3\nAction=ignore\n", NULL);
        world_settle(stage.world);
        job = world_job(stage.world, id);
        g_assert_cmpint(job->state, ==, JOB_DONE);
        g_assert_cmpuint(job->summary[SUMMARY_DETACHED], ==, 1);
        assert_devices(&stage, "0:0:0:0\n0:0:0:1\n0:0:0:3\n0:0:0:4\n");
        g_assert_cmpstr(world_detach_reason(stage.world, lun_of(&stage, 2)), ==, "policy");
        world_pass(stage.world, 600 * SECOND);
        g_assert_null(device_of(&stage, 2));

        world_set_policy(stage.world, "", NULL);
        world_settle(stage.world);
        assert_devices(&stage, "0:0:0:0\n0:0:0:1\n0:0:0:2\n0:0:0:3\n0:0:0:4\n");
        stage_done(&stage);
}

/* What somebody else attached is left alone by every scan. */
static void test_others_attach(void) {
        struct stage stage =
                stage_ruled("[Rule less]\nMatchLun=2\nAction=ignore\n", NULL, SIM_QUIET, 4);

        g_assert_true(sim_attach_by_hand(stage.machine, lun_of(&stage, 2)));
        world_scan(stage.world, "");
        world_pass(stage.world, 600 * SECOND);
        g_assert_nonnull(device_of(&stage, 2));
        stage_done(&stage);
}

/* ---- what changes by itself ---- */

static void test_tell_only(void) {
        struct stage stage = stage_new(0, 5);
        uint64_t size = device_of(&stage, 3)->facts.size;

        world_set_policy(stage.world,
                         "[Rule keep]\nMatchLun=1\nWhenMissing=keep\n"
                         "[Rule wait]\nMatchLun=2\nWhenReplaced=wait\n"
                         "[Rule tell]\nMatchLun=3\nWhenGrown=tell\n",
                         NULL);
        world_settle(stage.world);
        sim_unmap(stage.machine, stage.target, 1);
        map_disk(&stage, 2, 99);
        sim_resize(stage.machine, lun_of(&stage, 3), 4 * size);
        sim_resize(stage.machine, lun_of(&stage, 4), 4 * size);
        for (uint64_t lun = 0; lun < 5; lun++)
                if (lun != 1)
                        sim_touch(stage.machine, lun_of(&stage, lun));
        world_pass(stage.world, 600 * SECOND);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_MISSING);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_REPLACED);
        g_assert_cmpuint(device_of(&stage, 3)->facts.size, ==, size);
        g_assert_cmpuint(device_of(&stage, 4)->facts.size, ==, 4 * size);
        stage_done(&stage);
}

/* ---- how it is asked ---- */

static void test_poll_interval(void) {
        struct stage stage = stage_new(SIM_QUIET, 2);
        uint64_t before;

        world_set_policy(stage.world, "[Rule disks]\nMatchType=disk\nPollInterval=off\n", NULL);
        world_pass(stage.world, 600 * SECOND);
        before = sim_commands(stage.machine, SCSI_REPORT_LUNS);
        world_pass(stage.world, 86400 * SECOND);
        g_assert_cmpuint(sim_commands(stage.machine, SCSI_REPORT_LUNS), ==, before);
        stage_done(&stage);
}

static void test_timeouts(void) {
        struct stage stage = stage_new(SIM_QUIET, 2);
        struct engine *engine = world_engine(stage.world);
        struct observation observation = {.observed = OBSERVED_LOST};
        unsigned asked = 0;

        world_set_policy(stage.world,
                         "[Rule slow]\nMatchType=disk\nMatchLun=1\nCommandTimeout=77s\nRetries=3\n",
                         NULL);
        world_settle(stage.world);
        world_scan(stage.world, "0:0:0:1");
        while (engine_next(engine, world_now(stage.world), &observation.step)) {
                uint32_t timeout = observation.step.timeout_ms;

                if (observation.step.kind == STEP_READ_DEVICE &&
                    observation.step.address.lun == 1) {
                        g_assert_cmpuint(timeout, ==, 77000);
                        asked++;
                }
                if (observation.step.kind == STEP_REPORT_LUNS)
                        g_assert_cmpuint(timeout, ==, policy_limits_default.command_timeout_ms);
                observation.observed = OBSERVED_LOST;
                if (observation.step.kind == STEP_REPORT_LUNS) {
                        observation.observed = OBSERVED_GOOD;
                        observation.luns =
                                (struct scsi_lun_list){.luns = g_memdup2((uint64_t[]){0, 1}, 16),
                                                       .count = 2,
                                                       .wanted_bytes = 24};
                }
                g_assert_cmpint(engine_observe(engine, &observation, world_now(stage.world)), ==,
                                0);
        }
        g_assert_cmpuint(asked, >=, 1 + 3);
        world_free(stage.world);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/engine/policy/only-these-luns", test_only_these_luns);
        g_test_add_func("/engine/policy/only-these-units", test_only_these_units);
        g_test_add_func("/engine/policy/ids-end", test_ids_end);
        g_test_add_func("/engine/policy/ignored-target", test_ignored_target);
        g_test_add_func("/engine/policy/quarantine", test_quarantine);
        g_test_add_func("/engine/policy/quarantine-and-reload", test_quarantine_and_reload);
        g_test_add_func("/engine/policy/order", test_order);
        g_test_add_func("/engine/policy/quirk", test_quirk);
        g_test_add_func("/engine/policy/request", test_request);
        g_test_add_func("/engine/policy/request-looks", test_request_looks);
        g_test_add_func("/engine/policy/reload", test_reload);
        g_test_add_func("/engine/policy/others-attach", test_others_attach);
        g_test_add_func("/engine/policy/tell-only", test_tell_only);
        g_test_add_func("/engine/policy/poll-interval", test_poll_interval);
        g_test_add_func("/engine/policy/timeouts", test_timeouts);
        return g_test_run();
}
