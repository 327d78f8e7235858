/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel stops scanning while the service runs, and begins again. */
#include <errno.h>

#include "world.h"

/* An observer beside a kernel that has scanned nothing, of one host with one target. */
static struct world *observe(void) {
        struct sim_machine *machine = sim_machine_new(1);
        struct world *world = world_new(machine, false, (uint32_t)g_test_rand_int());

        g_assert_cmpuint(sim_add_host(machine, &(struct sim_host){.max_id = 2}), ==, 0);
        sim_map_disks(machine, sim_add_target(machine, 0, &(struct sim_target){}), 4, 1);
        world_start(world);
        world_settle(world);
        g_assert_cmpuint(topology_device_count(engine_topology(world_engine(world))), ==, 0);
        return world;
}

static void become(struct world *world, bool owner) {
        g_assert_cmpint(engine_set_owner(world_engine(world), owner, world_now(world)), ==, 0);
        world_settle(world);
        world_check(world);
}

static void expect_all_attached(struct world *world) {
        g_autofree char *want = sim_attachable(world_machine(world));
        g_autofree char *view = world_devices(world);

        g_assert_cmpstr(view, ==, want);
}

static void add_host(struct world *world, uint32_t number, uint32_t luns) {
        struct sim_machine *machine = world_machine(world);
        const struct sim_target target = {};

        g_assert_cmpuint(sim_add_host(machine, &(struct sim_host){.max_id = 2}), ==, number);
        sim_map_disks(machine, sim_add_target(machine, number, &target), luns, number * 1000);
        world_settle(world);
        world_check(world);
}

static void test_changes(void) {
        _cleanup_(world_freep) struct world *world = observe();

        become(world, true);
        expect_all_attached(world);
        add_host(world, 1, 2);
        expect_all_attached(world);

        /* A host that comes now is the kernel's to scan, which does nothing here. */
        become(world, false);
        add_host(world, 2, 2);
        g_assert_cmpuint(topology_device_count(engine_topology(world_engine(world))), ==, 6);
        become(world, true);
        expect_all_attached(world);
}

/* There is no room for another scan: it stays what it was. */
static void test_is_busy(void) {
        _cleanup_(world_freep) struct world *world = observe();
        const struct scope all = {.kind = SCOPE_ALL};
        const struct scan_request request = {
                .scope = &all, .scope_text = "", .cause = CAUSE_UEVENT};
        struct engine *engine = world_engine(world);
        uint64_t job;
        int r = 0;

        while (r == 0)
                r = engine_scan(engine, &request, world_now(world), &job);
        g_assert_cmpint(r, ==, -EBUSY);
        g_assert_cmpint(engine_set_owner(engine, true, world_now(world)), ==, -EBUSY);
        world_settle(world);
        g_assert_cmpuint(topology_device_count(engine_topology(engine)), ==, 0);
        become(world, true);
        expect_all_attached(world);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/engine/owner/changes", test_changes);
        g_test_add_func("/engine/owner/is-busy", test_is_busy);
        return g_test_run();
}
