/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a scan finds, target by target: each test is a machine, a scan, and what is there then. */
#include <errno.h>
#include <string.h>

#include "world.h"

static struct sim_machine *machine_with_host(struct sim_host host) {
        struct sim_machine *machine = sim_machine_new(1);

        host.max_id = host.max_id ?: 4;
        g_assert_cmpuint(sim_add_host(machine, &host), ==, 0);
        return machine;
}

static struct scsi_target_address add_target(struct sim_machine *machine, uint32_t id,
                                             unsigned quirks, uint32_t luns) {
        struct sim_target target = {.target = id, .quirks = quirks};
        struct scsi_target_address address = sim_add_target(machine, 0, &target);

        if (luns > 0)
                sim_map_disks(machine, address, luns, id * 1000);
        return address;
}

static void expect_all_attached(struct world *world) {
        g_autofree char *want = sim_attachable(world_machine(world));
        g_autofree char *view = world_devices(world);

        world_check(world);
        g_assert_cmpstr(view, ==, want);
}

static void expect_devices(struct world *world, const char *expected) {
        g_autofree char *view = world_devices(world);

        world_check(world);
        g_assert_cmpstr(view, ==, expected);
}

static const struct job *boot_job(struct world *world) {
        const struct job *job = TAILQ_FIRST(engine_jobs(world_engine(world)));

        g_assert_nonnull(job);
        g_assert_cmpint(job->cause, ==, CAUSE_BOOT);
        return job;
}

/* As owner, from nothing attached to everything attached. */
static struct world *boot(struct sim_machine *machine) {
        struct world *world = world_new(machine, true, (uint32_t)g_test_rand_int());

        world_start(world);
        g_assert_false(engine_is_ready(world_engine(world)));
        world_settle(world);
        g_assert_true(engine_is_ready(world_engine(world)));
        return world;
}

static void test_empty_machine(void) {
        _cleanup_(world_freep) struct world *world = NULL;

        world = boot(sim_machine_new(1));
        expect_devices(world, "");
        g_assert_cmpint(boot_job(world)->state, ==, JOB_DONE);
}

/* A target that maps nothing keeps its door: through it one hears when that changes. */
static void test_nothing_mapped(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        _cleanup_(world_freep) struct world *world = NULL;

        add_target(machine, 1, 0, 0);
        world = boot(machine);
        expect_devices(world, "0:0:1:49409\n");
}

static void test_luns(gconstpointer data) {
        guint luns = GPOINTER_TO_UINT(data);
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        _cleanup_(world_freep) struct world *world = NULL;

        add_target(machine, 0, 0, luns);
        add_target(machine, 2, 0, luns);
        world = boot(machine);
        expect_all_attached(world);
        g_assert_cmpuint(boot_job(world)->summary[SUMMARY_ATTACHED], ==, 2 * luns);
        g_assert_cmpuint(boot_job(world)->summary[SUMMARY_FAILED], ==, 0);
        g_assert_cmpuint(boot_job(world)->steps_done, ==, boot_job(world)->steps_total);
}

static void test_no_lun_zero(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        struct scsi_target_address target = add_target(machine, 0, 0, 0);
        struct sim_unit unit = sim_disk(7);
        _cleanup_(world_freep) struct world *world = NULL;

        sim_map(machine, target, 16640, &unit);
        sim_map(machine, target, 9, &unit);
        world = boot(machine);
        /* The well-known unit is the door to this target: it stays. */
        expect_devices(world, "0:0:0:9\n0:0:0:16640\n0:0:0:49409\n");
        g_assert_cmpuint(sim_requests(machine, WORKER_SCAN_TARGET), <=, 3); /* empty ids */
}

static void test_no_door(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){.max_id = 1});
        struct scsi_target_address target = add_target(machine, 0, SIM_NO_WELL_KNOWN, 0);
        struct sim_unit unit = sim_disk(7);
        _cleanup_(world_freep) struct world *world = NULL;

        sim_map(machine, target, 8, &unit);
        sim_map(machine, target, 9, &unit);
        world = boot(machine);
        expect_devices(world, "0:0:0:8\n0:0:0:9\n");
        g_assert_cmpuint(sim_requests(machine, WORKER_SCAN_TARGET), ==, 1); /* the last resort */
}

static void test_lun_two_alone(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){.max_id = 1});
        struct scsi_target_address target =
                add_target(machine, 0, SIM_NO_WELL_KNOWN | SIM_SILENT, 0);
        struct sim_unit unit = sim_disk(7);
        _cleanup_(world_freep) struct world *world = NULL;

        sim_map(machine, target, 2, &unit);
        sim_map(machine, target, 200, &unit);
        world = boot(machine);
        expect_devices(world, "0:0:0:2\n0:0:0:200\n");
        g_assert_cmpuint(sim_requests(machine, WORKER_SCAN_TARGET), ==, 0);
}

/* Counting upwards stops at the first gap. */
static void test_cannot_report(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){.max_id = 1});
        struct scsi_target_address target = add_target(machine, 0, SIM_NO_REPORT_LUNS, 5);
        struct sim_unit unit = sim_disk(7);
        _cleanup_(world_freep) struct world *world = NULL;

        sim_map(machine, target, 7, &unit);
        world = boot(machine);
        expect_devices(world, "0:0:0:0\n0:0:0:1\n0:0:0:2\n0:0:0:3\n0:0:0:4\n");
        g_assert_cmpuint(topology_target(engine_topology(world_engine(world)), &target)->lun_count,
                         ==, 5);
}

struct rule_case {
        const char *name;
        uint8_t version;
        const char *blacklist;
        uint32_t luns;
        size_t expected;
        bool reports; /* REPORT LUNS is sent */
};

static void test_rule(gconstpointer data) {
        const struct rule_case *rule = data;
        struct sim_machine *machine = machine_with_host((struct sim_host){.max_id = 1});
        struct sim_target target = {.version = rule->version, .blacklist = rule->blacklist};
        _cleanup_(world_freep) struct world *world = NULL;

        sim_map_disks(machine, sim_add_target(machine, 0, &target), rule->luns, 1);
        world = boot(machine);
        world_check(world);
        g_assert_cmpuint(topology_device_count(engine_topology(world_engine(world))), ==,
                         rule->expected);
        g_assert_cmpuint(sim_commands(machine, SCSI_REPORT_LUNS) > 0, ==, rule->reports);
}

/* A liar costs itself at most. */
static void test_liar(gconstpointer data) {
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        unsigned quirk = GPOINTER_TO_UINT(data);
        _cleanup_(world_freep) struct world *world = NULL;
        struct scsi_address honest = {.target.target = 1, .lun = 3};

        add_target(machine, 0, quirk, 4);
        add_target(machine, 1, 0, 4);
        world = boot(machine);
        world_check(world);
        g_assert_true(sim_is_attached(machine, honest));
        if (quirk == SIM_LIE_REPEATS)
                expect_all_attached(world);
}

static void test_unit_attentions(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        struct scsi_target_address target = add_target(machine, 0, 0, 3);
        _cleanup_(world_freep) struct world *world = NULL;

        sim_unit_attention(machine, (struct scsi_address){target, 0}, 0x29, 0);
        sim_unit_attention(machine, (struct scsi_address){target, 1}, 0x3f, 0x0e);
        world = boot(machine);
        expect_all_attached(world);
}

/* One that does not answer ends nothing but itself, and the job says which. */
static void test_silent_target(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){.max_id = 3});
        struct scsi_target_address dead = add_target(machine, 0, 0, 2);
        _cleanup_(world_freep) struct world *world = NULL;

        add_target(machine, 2, 0, 2);
        sim_kernel_scan(machine);
        sim_set_target_manner(machine, dead, SIM_TIMES_OUT);
        world = boot(machine);
        world_check(world);
        g_assert_cmpint(boot_job(world)->state, ==, JOB_DONE);
        g_assert_cmpuint(boot_job(world)->summary[SUMMARY_FAILED], ==, 1);
        g_assert_nonnull(strstr(boot_job(world)->message, "0:0:0"));

        const struct job *job = world_job(world, world_scan(world, "0:0:0"));
        world_settle(world);
        g_assert_cmpint(job->state, ==, JOB_FAILED);
        g_assert_cmpint(job->error, ==, JOB_ERROR_DEVICE_TIMEOUT);
}

static void test_observer(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        struct scsi_target_address target = add_target(machine, 0, SIM_QUIET, 4);
        struct sim_unit unit = sim_disk(50);
        _cleanup_(world_freep) struct world *world = NULL;
        const struct job *job;

        sim_kernel_scan(machine);
        sim_map(machine, target, 4, &unit);
        world = world_new(machine, false, (uint32_t)g_test_rand_int());
        world_start(world);
        world_settle(world);
        expect_devices(world, "0:0:0:0\n0:0:0:1\n0:0:0:2\n0:0:0:3\n");
        g_assert_cmpuint(sim_requests(machine, WORKER_ATTACH), ==, 0);
        g_assert_cmpuint(topology_target(engine_topology(world_engine(world)), &target)->lun_count,
                         ==, 5);

        job = world_job(world, world_scan(world, ""));
        world_settle(world);
        expect_all_attached(world);
        g_assert_cmpuint(job->summary[SUMMARY_ATTACHED], ==, 1);
        g_assert_cmpuint(job->summary[SUMMARY_UNCHANGED], ==, 4);
}

static void test_by_hand(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        struct scsi_target_address target = add_target(machine, 0, SIM_QUIET, 2);
        struct scsi_address third = {target, 2};
        struct sim_unit unit = sim_disk(50);
        _cleanup_(world_freep) struct world *world = NULL;
        const struct device *device;
        uint64_t instance;

        world = boot(machine);
        sim_map(machine, target, 2, &unit);
        g_assert_true(sim_attach_by_hand(machine, third));
        world_settle(world);
        expect_all_attached(world);
        device = topology_device(engine_topology(world_engine(world)), &third);
        g_assert_nonnull(device->unit);
        instance = device->facts.instance;

        /* Gone and back before anybody looked: another device all the same. */
        sim_detach_by_hand(machine, third);
        g_assert_true(sim_attach_by_hand(machine, third));
        world_settle(world);
        expect_all_attached(world);
        device = topology_device(engine_topology(world_engine(world)), &third);
        g_assert_cmpuint(device->facts.instance, !=, instance);

        sim_detach_by_hand(machine, third);
        world_settle(world);
        expect_devices(world, "0:0:0:0\n0:0:0:1\n");
}

static void test_hosts_come_and_go(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        _cleanup_(world_freep) struct world *world = NULL;
        struct sim_host host = {.max_id = 2};

        add_target(machine, 0, 0, 8);
        world = world_new(machine, true, (uint32_t)g_test_rand_int());
        world_start(world);
        for (int i = 0; i < 30; i++)
                world_step(world);
        sim_remove_host(machine, 0);
        for (int i = g_test_rand_int_range(0, 30); i > 0; i--)
                world_step(world);
        /* The number is used again. */
        g_assert_cmpuint(sim_add_host(machine, &host), ==, 0);
        /* What was asked of the old host may be answered by the new one: no well-known unit, or
         * one of these might be attached, too. */
        add_target(machine, 1, SIM_NO_WELL_KNOWN, 3);
        world_settle(world);
        expect_all_attached(world);
        g_assert_true(engine_is_ready(world_engine(world)));

        sim_remove_host(machine, 0);
        world_settle(world);
        expect_devices(world, "");
}

static void test_lost_uevents(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        struct scsi_target_address target = add_target(machine, 0, SIM_QUIET, 4);
        _cleanup_(world_freep) struct world *world = NULL;
        struct sim_host host = {.max_id = 2};

        world = boot(machine);
        world_lose_uevents(world, true);
        sim_detach_by_hand(machine, (struct scsi_address){target, 2});
        g_assert_cmpuint(sim_add_host(machine, &host), ==, 1);
        world_settle(world);
        world_lose_uevents(world, false);
        world_settle(world);
        expect_devices(world, "0:0:0:0\n0:0:0:1\n0:0:0:3\n");
        g_assert_nonnull(topology_host(engine_topology(world_engine(world)), 1));
}

static void test_narrow_scope(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        struct scsi_target_address target = add_target(machine, 0, SIM_QUIET, 1);
        struct sim_unit unit = sim_disk(50);
        _cleanup_(world_freep) struct world *world = NULL;

        world = boot(machine);
        sim_map(machine, target, 5, &unit);
        sim_map(machine, target, 6, &unit);
        world_scan(world, "0:0:0:6");
        world_settle(world);
        expect_devices(world, "0:0:0:0\n0:0:0:6\n");
        world_scan(world, "host0");
        world_settle(world);
        expect_all_attached(world);
}

/* Many requests while one runs are one scan more. */
static void test_coalesced(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        _cleanup_(world_freep) struct world *world = NULL;
        uint64_t before, jobs[JOBS_ACTIVE_PER_USER_MAX];

        add_target(machine, 0, 0, 16);
        world = boot(machine);
        before = sim_commands(machine, SCSI_REPORT_LUNS);
        for (size_t i = 0; i < G_N_ELEMENTS(jobs); i++) {
                jobs[i] = world_scan(world, "0:0:0");
                world_step(world);
        }
        world_settle(world);
        for (size_t i = 0; i < G_N_ELEMENTS(jobs); i++) {
                const struct job *job = world_job(world, jobs[i]);

                g_assert_cmpint(job->state, ==, JOB_DONE);
                g_assert_cmpuint(job->summary[SUMMARY_UNCHANGED], ==, 16);
                g_assert_cmpuint(job->steps_done, ==, job->steps_total);
        }
        g_assert_cmpuint(sim_commands(machine, SCSI_REPORT_LUNS) - before, <=, 2);
}

static void test_cancel(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        struct scsi_target_address target = add_target(machine, 0, SIM_QUIET, 1);
        _cleanup_(world_freep) struct world *world = NULL;
        const struct job *job;
        struct scan_time later = {.monotonic = G_MAXINT64, .realtime = G_MAXINT64};
        uint64_t expired;

        world = boot(machine);
        sim_map_disks(machine, target, 200, 1);
        job = world_job(world, world_scan(world, "0:0:0"));
        while (job->summary[SUMMARY_ATTACHED] < 3)
                g_assert_true(world_step(world));
        g_assert_cmpint(engine_cancel(world_engine(world), job->id, later), ==, 0);
        g_assert_cmpint(job->state, ==, JOB_CANCELLED);
        g_assert_cmpint(engine_cancel(world_engine(world), job->id, later), ==, -EALREADY);
        world_settle(world);
        world_check(world);
        g_assert_cmpuint(sim_requests(machine, WORKER_ATTACH), <, 50);
        g_assert_cmpint(job->slot, ==, -1);
        g_assert_true(engine_expire_job(world_engine(world), later, &expired));
}

static void test_two_paths(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        struct scsi_target_address one = add_target(machine, 0, 0, 0);
        struct scsi_target_address two = add_target(machine, 1, 0, 0);
        struct sim_unit unit = sim_disk(5);
        _cleanup_(world_freep) struct world *world = NULL;
        const struct device *device;
        const struct unit *shared;
        unsigned paths = 0;

        sim_map(machine, one, 0, &unit);
        sim_map(machine, two, 0, &unit);
        world = boot(machine);
        shared = TAILQ_FIRST(topology_units(engine_topology(world_engine(world))));
        g_assert_nonnull(shared);
        g_assert_null(TAILQ_NEXT(shared, entry));
        TAILQ_FOREACH (device, &shared->devices, unit_entry)
                paths++;
        g_assert_cmpuint(paths, ==, 2);
}

static void test_ports(gconstpointer data) {
        struct sim_host host = {.transport = GPOINTER_TO_UINT(data), .driver = "lpfc"};
        struct sim_machine *machine = sim_machine_new(1);
        struct sim_target target = {.target = 3, .port_name = "naa.500a09848cde0001"};
        _cleanup_(world_freep) struct world *world = NULL;

        sim_add_host(machine, &host);
        sim_map_disks(machine, sim_add_target(machine, 0, &target), 6, 1);
        world = boot(machine);
        expect_all_attached(world);
        g_assert_cmpuint(sim_requests(machine, WORKER_ATTACH), ==, 6); /* no id was guessed */
        world_scan(world, "naa.500a09848cde0001");
        world_settle(world);
        expect_all_attached(world);
}

/* An iSCSI session logs in without a uevent, and a port comes back without one. */
static void test_port_returns(void) {
        struct sim_host host = {.transport = SIM_ISCSI, .driver = "iscsi_tcp"};
        struct sim_machine *machine = sim_machine_new(1);
        struct sim_target target = {.port_name = "iqn.2003-01.org.example:array,t,0x1"};
        _cleanup_(world_freep) struct world *world = NULL;
        struct scsi_target_address address;
        struct sim_unit unit = sim_disk(77);

        sim_add_host(machine, &host);
        address = sim_add_target(machine, 0, &target);
        sim_map_disks(machine, address, 2, 1);
        sim_set_port_state(machine, address, "FREE");
        world = world_new(machine, true, (uint32_t)g_test_rand_int());
        world_start(world);
        world_settle(world);
        expect_devices(world, "");
        sim_set_port_state(machine, address, "LOGGED_IN");
        world_pass(world, 2000000);
        expect_all_attached(world);

        sim_set_port_state(machine, address, "FAILED");
        world_scan(world, "host0");
        world_pass(world, 1000000);
        world_check(world); /* a lost path takes nothing away */
        sim_map(machine, address, 2, &unit);
        sim_set_port_state(machine, address, "LOGGED_IN");
        world_pass(world, 60000000);
        expect_all_attached(world);
}

static void test_driver_finds(void) {
        struct sim_machine *machine =
                machine_with_host((struct sim_host){.driver = "ahci", .max_id = 1});
        _cleanup_(world_freep) struct world *world = NULL;

        add_target(machine, 0, 0, 1);
        sim_kernel_scan(machine);
        world = boot(machine);
        expect_all_attached(world);
        g_assert_cmpuint(sim_requests(machine, WORKER_ATTACH), ==, 0);
}

static void test_stuck_host(void) {
        struct sim_machine *machine = machine_with_host((struct sim_host){});
        struct event stuck = {.kind = EVENT_HOST_STUCK};
        struct event released = {.kind = EVENT_HOST_RELEASED};
        struct scan_time now = {.monotonic = 1000000, .realtime = 1000000};
        struct sim_host host = {.max_id = 1};
        struct sim_target other = {};
        struct scope all = {};
        _cleanup_(world_freep) struct world *world = NULL;

        add_target(machine, 0, 0, 4);
        g_assert_cmpuint(sim_add_host(machine, &host), ==, 1);
        sim_map_disks(machine, sim_add_target(machine, 1, &other), 4, 100);
        sim_set_host_manner(machine, 0, SIM_HANGS);
        world = world_new(machine, true, (uint32_t)g_test_rand_int());
        world_start(world);
        world_settle(world);
        g_assert_false(engine_is_settled(world_engine(world), &all));

        g_assert_cmpint(engine_event(world_engine(world), &stuck, now), ==, 0);
        g_assert_true(engine_is_ready(world_engine(world)));
        g_assert_true(topology_host(engine_topology(world_engine(world)), 0)->stuck);
        expect_devices(world, "1:0:0:0\n1:0:0:1\n1:0:0:2\n1:0:0:3\n");
        const struct job *job = world_job(world, world_scan(world, "host0"));
        g_assert_cmpint(job->error, ==, JOB_ERROR_HOST_STUCK);

        sim_set_host_manner(machine, 0, SIM_NORMAL);
        g_assert_cmpint(engine_event(world_engine(world), &released, now), ==, 0);
        world_settle(world);
        expect_all_attached(world);
}

int main(int argc, char *argv[]) {
        static const struct rule_case rules[] = {
                {"scsi-2", 2, NULL, 12, 8, false},
                {"no-report-lun", 7, "NOREPORTLUN", 12, 12, false},
                {"no-lun", 7, "NOLUN", 12, 1, false},
                {"max-5-lun", 2, "MAX5LUN", 12, 5, false},
                {"ordinary", 7, "", 12, 12, true},
        };
        static const guint luns[] = {1, 16, 256, 1024};
        static const struct {
                const char *name;
                unsigned quirk;
        } liars[] = {{"length", SIM_LIE_LENGTH},
                     {"repeats", SIM_LIE_REPEATS},
                     {"garbage", SIM_LIE_GARBAGE}};

        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/engine/scan/empty-machine", test_empty_machine);
        g_test_add_func("/engine/scan/nothing-mapped", test_nothing_mapped);
        for (size_t i = 0; i < G_N_ELEMENTS(luns); i++) {
                g_autofree char *path = g_strdup_printf("/engine/scan/luns/%u", luns[i]);

                g_test_add_data_func(path, GUINT_TO_POINTER(luns[i]), test_luns);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
                g_autofree char *path = g_strdup_printf("/engine/scan/rule/%s", rules[i].name);

                g_test_add_data_func(path, &rules[i], test_rule);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(liars); i++) {
                g_autofree char *path = g_strdup_printf("/engine/scan/liar/%s", liars[i].name);

                g_test_add_data_func(path, GUINT_TO_POINTER(liars[i].quirk), test_liar);
        }
        g_test_add_func("/engine/scan/no-lun-zero", test_no_lun_zero);
        g_test_add_func("/engine/scan/no-door", test_no_door);
        g_test_add_func("/engine/scan/lun-two-alone", test_lun_two_alone);
        g_test_add_func("/engine/scan/cannot-report", test_cannot_report);
        g_test_add_func("/engine/scan/unit-attentions", test_unit_attentions);
        g_test_add_func("/engine/scan/silent-target", test_silent_target);
        g_test_add_func("/engine/scan/observer", test_observer);
        g_test_add_func("/engine/scan/two-paths", test_two_paths);
        g_test_add_data_func("/engine/scan/ports/fc", GUINT_TO_POINTER(SIM_FC), test_ports);
        g_test_add_data_func("/engine/scan/ports/sas", GUINT_TO_POINTER(SIM_SAS), test_ports);
        g_test_add_func("/engine/follow/port-returns", test_port_returns);
        g_test_add_func("/engine/scan/driver-finds", test_driver_finds);
        g_test_add_func("/engine/scan/narrow-scope", test_narrow_scope);
        g_test_add_func("/engine/follow/by-hand", test_by_hand);
        g_test_add_func("/engine/follow/hosts-come-and-go", test_hosts_come_and_go);
        g_test_add_func("/engine/follow/lost-uevents", test_lost_uevents);
        g_test_add_func("/engine/job/coalesced", test_coalesced);
        g_test_add_func("/engine/job/cancel", test_cancel);
        g_test_add_func("/engine/job/stuck-host", test_stuck_host);
        return g_test_run();
}
