/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When a lease ends, what it alone held back is asked again. */

#include <errno.h>

#include "stage.h"

/* Two hosts with two targets of two disks. */
static struct world *boot(void) {
        struct sim_machine *machine = sim_machine_new(1);
        struct world *world;

        for (uint32_t host = 0; host < 2; host++) {
                const struct sim_host like = {.max_id = 2};
                uint32_t number = sim_add_host(machine, &like);

                for (uint32_t id = 0; id < 2; id++) {
                        const struct sim_target target = {.target = id};

                        sim_map_disks(machine, sim_add_target(machine, number, &target), 2,
                                      number * 10 + id * 2);
                }
        }
        world = world_new(machine, true, (uint32_t)g_test_rand_int());
        world_start(world);
        world_settle(world);
        return world;
}

static void inhibit(struct world *world, const char *text, uint64_t id) {
        struct scope scope;

        g_assert_cmpint(scope_parse(text, &scope, NULL), ==, 0);
        g_assert_cmpint(engine_inhibit(world_engine(world), &scope, id), ==, 0);
        scope_done(&scope);
}

static unsigned asked_since(struct world *world, uint64_t realtime) {
        const struct topology *topology = engine_topology(world_engine(world));
        const struct target *target;
        const struct host *host;
        unsigned asked = 0;

        TAILQ_FOREACH (host, topology_hosts(topology), entry)
                TAILQ_FOREACH (target, &host->targets, entry)
                        asked += target->last_asked >= realtime;
        return asked;
}

/* How many targets were asked because the lease ended. */
static unsigned asked_after(struct world *world, uint64_t id) {
        struct scan_time now;

        world_pass(world, 1000);
        now = world_now(world);
        g_assert_cmpuint(asked_since(world, now.realtime), ==, 0);
        g_assert_cmpint(engine_uninhibit(world_engine(world), id, now), ==, 0);
        world_settle(world);
        world_check(world);
        return asked_since(world, now.realtime);
}

static void test_ends(void) {
        static const struct {
                const char *scope;
                unsigned asked;
        } table[] = {
                {"", 4},        {"host1", 2},   {"0:0:1", 1},
                {"0:0:1:1", 1}, {"0:0:1:9", 1}, {"naa.5000c50000000003", 1},
        };
        struct world *world = boot();

        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
                g_test_message("'%s'", table[i].scope);
                inhibit(world, table[i].scope, i + 1);
                g_assert_cmpuint(asked_after(world, i + 1), ==, table[i].asked);
                g_assert_cmpint(engine_uninhibit(world_engine(world), i + 1, world_now(world)), ==,
                                -ENOENT);
        }
        world_free(world);
}

/* What another lease still holds back is left alone. */
static void test_last(void) {
        struct world *world = boot();

        inhibit(world, "host0", 1);
        inhibit(world, "0:0:1", 2);
        inhibit(world, "", 3);
        g_assert_cmpuint(asked_after(world, 2), ==, 0);
        g_assert_cmpuint(asked_after(world, 3), ==, 2);
        g_assert_cmpuint(asked_after(world, 1), ==, 2);
        world_free(world);
}

/* The host went away meanwhile. */
static void test_gone(void) {
        struct world *world = boot();

        inhibit(world, "1:0:0:1", 1);
        inhibit(world, "host1", 2);
        sim_remove_host(world_machine(world), 1);
        world_settle(world);
        g_assert_cmpuint(asked_after(world, 2), ==, 0);
        g_assert_cmpuint(asked_after(world, 1), ==, 0);
        world_free(world);
}

/* Detached so that the array can unmap it, and the array says that something has changed: it is not
 * found again as long as the lease is held, however it is looked for. */
static void test_holds_back(void) {
        struct stage stage = stage_new(0, 3);
        struct device_request detach = {.operation = JOB_DETACH},
                              attach = {.operation = JOB_ATTACH, .lun = 1};
        struct event host = {.kind = EVENT_HOST};
        const struct target *target;

        inhibit(stage.world, "0:0:0:1", 1);
        world_order(stage.world, &detach, "0:0:0:1");
        map_disk(&stage, 2, 99);
        map_disk(&stage, 7, 70);
        touch(&stage);
        world_pass(stage.world, 2 * SECOND);
        g_assert_nonnull(device_of(&stage, 7));
        g_assert_false(sim_is_attached(stage.machine, lun_of(&stage, 1)));
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world);
        g_assert_cmpint(engine_event(world_engine(stage.world), &host, world_now(stage.world)), ==,
                        0);
        world_pass(stage.world, 600 * SECOND);
        g_assert_false(sim_is_attached(stage.machine, lun_of(&stage, 1)));
        target = topology_target(engine_topology(world_engine(stage.world)), &stage.target);
        g_assert_cmpint(target->luns[1].disposition, ==, DISPOSITION_INHIBITED);
        g_assert_cmpint(world_order(stage.world, &attach, "0:0:0")->error, ==, JOB_ERROR_INHIBITED);

        g_assert_cmpint(engine_uninhibit(world_engine(stage.world), 1, world_now(stage.world)), ==,
                        0);
        world_settle(stage.world);
        g_assert_cmpint(world_order(stage.world, &attach, "0:0:0")->state, ==, JOB_DONE);
        g_assert_nonnull(device_of(&stage, 1));
        stage_done(&stage);
}

/* Nothing of a target may be attached: nothing is, not even to ask it. */
static void test_whole_target(void) {
        struct stage stage = {.machine = sim_machine_new(1)};
        struct sim_host host = {.max_id = 1};
        struct sim_target target = {};

        sim_add_host(stage.machine, &host);
        stage.target = sim_add_target(stage.machine, 0, &target);
        sim_map_disks(stage.machine, stage.target, 2, 1);
        stage.world = world_new(stage.machine, true, (uint32_t)g_test_rand_int());
        inhibit(stage.world, "", 1);
        world_start(stage.world);
        world_pass(stage.world, 600 * SECOND);
        g_assert_cmpuint(sim_requests(stage.machine, WORKER_ATTACH), ==, 0);
        g_assert_cmpuint(sim_requests(stage.machine, WORKER_SCAN_TARGET), ==, 0);
        g_assert_cmpint(engine_uninhibit(world_engine(stage.world), 1, world_now(stage.world)), ==,
                        0);
        world_settle(stage.world);
        g_assert_nonnull(device_of(&stage, 1));
        stage_done(&stage);
}

/* Of one target with two disks each. */
static struct sim_machine *two_sessions(void) {
        static const char *const names[] = {"iqn.2003-01.org.example:array0,t,0x1",
                                            "iqn.2003-01.org.example:array1,t,0x1"};
        struct sim_machine *machine = sim_machine_new(1);

        for (uint32_t i = 0; i < G_N_ELEMENTS(names); i++) {
                const struct sim_host host = {
                        .driver = "iscsi_tcp", .transport = SIM_ISCSI, .max_id = 1};
                const struct sim_target target = {.port_name = names[i]};
                uint32_t number = sim_add_host(machine, &host);

                sim_map_disks(machine, sim_add_target(machine, number, &target), 2, 2 * i);
        }
        return machine;
}

/* A lease of an earlier run: a port's targets are those that bear its name when they come, an
 * identity's devices those that it had, and no other is held back. */
static void test_again(void) {
        static const struct {
                const char *scope;
                struct scsi_address device; /* what it stood for */
                size_t count;
                const char *attached; /* meanwhile */
        } table[] = {
                {"iqn.2003-01.org.example:array1,t,0x1", {}, 0, "0:0:0:0\n0:0:0:1\n"},
                {"naa.5000c50000000002", {{1, 0, 0}, 1}, 1, "0:0:0:0\n0:0:0:1\n1:0:0:0\n"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
                struct world *world = world_new(two_sessions(), true, (uint32_t)g_test_rand_int());
                g_autofree char *attached = NULL;
                struct scope scope;

                g_test_message("%s", table[i].scope);
                g_assert_cmpint(scope_parse(table[i].scope, &scope, NULL), ==, 0);
                g_assert_cmpint(engine_inhibit_again(world_engine(world), &scope, &table[i].device,
                                                     table[i].count, 5),
                                ==, 0);
                g_assert_cmpint(engine_inhibit_again(world_engine(world), &scope, NULL, 0, 5), ==,
                                -EEXIST);
                scope_done(&scope);
                world_start(world);
                world_pass(world, 600 * SECOND);
                attached = world_devices(world);
                g_assert_cmpstr(attached, ==, table[i].attached);
                g_assert_cmpint(engine_uninhibit(world_engine(world), 5, world_now(world)), ==, 0);
                world_settle(world);
                g_free(attached);
                attached = world_devices(world);
                g_assert_cmpstr(attached, ==, "0:0:0:0\n0:0:0:1\n1:0:0:0\n1:0:0:1\n");
                world_free(world);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/engine/inhibit/ends", test_ends);
        g_test_add_func("/engine/inhibit/last", test_last);
        g_test_add_func("/engine/inhibit/gone", test_gone);
        g_test_add_func("/engine/inhibit/holds-back", test_holds_back);
        g_test_add_func("/engine/inhibit/whole-target", test_whole_target);
        g_test_add_func("/engine/inhibit/again", test_again);
        return g_test_run();
}
