/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stage.h"
#include "scan/memory.h"

struct stage stage_new_driver(const char *driver, unsigned quirks, uint32_t luns) {
        struct stage stage = {.machine = sim_machine_new(1)};
        struct sim_host host = {.driver = driver, .max_id = 2};
        struct sim_target target = {.quirks = quirks};

        g_assert_cmpuint(sim_add_host(stage.machine, &host), ==, 0);
        stage.target = sim_add_target(stage.machine, 0, &target);
        sim_map_disks(stage.machine, stage.target, luns, 1);
        stage.world = world_new(stage.machine, true, (uint32_t)g_test_rand_int());
        world_start(stage.world);
        /* What the attaches themselves raised is over. */
        world_pass(stage.world, 10 * SECOND);
        world_check(stage.world);
        return stage;
}

struct stage stage_new(unsigned quirks, uint32_t luns) {
        return stage_new_driver(NULL, quirks, luns);
}

struct stage stage_new_ruled(const char *rules, const char *quirks, unsigned target_quirks,
                             uint32_t luns) {
        struct stage stage = {.machine = sim_machine_new(1)};
        struct sim_host host = {.max_id = 2};
        struct sim_target target = {.quirks = target_quirks};

        sim_add_host(stage.machine, &host);
        stage.target = sim_add_target(stage.machine, 0, &target);
        sim_map_disks(stage.machine, stage.target, luns, 1);
        stage.world = world_new(stage.machine, true, (uint32_t)g_test_rand_int());
        world_set_policy(stage.world, rules, quirks);
        world_start(stage.world);
        return stage;
}

void stage_done(struct stage *stage) {
        world_check(stage->world);
        world_free(stage->world);
}

struct scsi_address lun_of(const struct stage *stage, uint64_t lun) {
        return (struct scsi_address){stage->target, lun};
}

const struct device *device_of(const struct stage *stage, uint64_t lun) {
        struct scsi_address address = lun_of(stage, lun);

        return topology_device(engine_topology(world_engine(stage->world)), &address);
}

void map_disk(const struct stage *stage, uint64_t lun, uint32_t number) {
        struct sim_unit unit = sim_disk(number);

        sim_map(stage->machine, stage->target, lun, &unit);
}

void touch(const struct stage *stage) {
        sim_touch(stage->machine, lun_of(stage, 0));
}

void hold(const struct stage *stage, uint64_t lun, const char *holder) {
        struct scsi_address address = lun_of(stage, lun);
        char text[SCSI_ADDRESS_TEXT_MAX];

        sim_set_holder(stage->machine, address, holder);
        world_scan(stage->world, scsi_address_format(&address, text));
        world_settle(stage->world);
}

void start_again(struct stage *stage, const char *boot, const char *next_boot) {
        struct memory *memory = engine_memory(world_engine(stage->world));
        _cleanup_(freep) char *kept = memory_format(memory, boot);

        g_assert_nonnull(kept);
        world_leave(stage->world);
        stage->world = world_new(stage->machine, true, (uint32_t)g_test_rand_int());
        memory = engine_memory(world_engine(stage->world));
        g_assert_cmpint(memory_parse(memory, kept, next_boot), ==, 0);
        world_start(stage->world);
        world_pass(stage->world, SECOND);
}
