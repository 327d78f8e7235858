/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nothing changes unnoticed: mapped, unmapped, replaced, grown, and what jobs do with devices. */
#include <errno.h>
#include <string.h>

#include "scan/memory.h"
#include "stage.h"

/* ---- mapped ---- */

static void test_mapped(gconstpointer data) {
        struct stage stage = stage_new(0, GPOINTER_TO_UINT(data));
        uint64_t luns = sim_commands(stage.machine, SCSI_REPORT_LUNS);
        uint64_t pages = sim_commands(stage.machine, SCSI_INQUIRY);

        map_disk(&stage, 20000, 5000);
        touch(&stage);
        while (!device_of(&stage, 20000))
                g_assert_true(world_step(stage.world));
        /* REPORT LUNS, VPD 83h, VPD 80h: the others are verified after. */
        g_assert_cmpuint(sim_commands(stage.machine, SCSI_REPORT_LUNS) - luns, ==, 1);
        g_assert_cmpuint(sim_commands(stage.machine, SCSI_INQUIRY) - pages, ==, 2);
        world_pass(stage.world, SECOND);
        g_assert_cmpuint(world_notices(stage.world, NOTICE_ATTENTION), >, 0);
        stage_done(&stage);
}

/* A storm of attentions costs its target a few questions, and nobody else anything. */
static void test_storm(void) {
        struct stage stage = stage_new(SIM_QUIET, 4);
        uint64_t before = sim_commands(stage.machine, SCSI_REPORT_LUNS);
        struct event event = {.kind = EVENT_UNIT_ATTENTION,
                              .address = lun_of(&stage, 1),
                              .attention = ATTENTION_REPORTED_LUNS};

        for (unsigned i = 0; i < 1000; i++) {
                g_assert_cmpint(
                        engine_event(world_engine(stage.world), &event, world_now(stage.world)), ==,
                        0);
                world_pass(stage.world, SECOND / 100);
        }
        /* Ten seconds: at first at once, then about once a second. */
        g_assert_cmpuint(sim_commands(stage.machine, SCSI_REPORT_LUNS) - before, >=, 5);
        g_assert_cmpuint(sim_commands(stage.machine, SCSI_REPORT_LUNS) - before, <=, 40);

        before = sim_commands(stage.machine, SCSI_REPORT_LUNS);
        event.attention = ATTENTION_POWER_ON_RESET;
        for (unsigned i = 0; i < 10000; i++) {
                g_assert_cmpint(
                        engine_event(world_engine(stage.world), &event, world_now(stage.world)), ==,
                        0);
                world_pass(stage.world, SECOND / 10);
        }
        /* A thousand seconds of what may mean anything. */
        g_assert_cmpuint(sim_commands(stage.machine, SCSI_REPORT_LUNS) - before, <=, 60);
        stage_done(&stage);
}

/* What nobody reports is found by asking now and then, and a day of silence costs little. */
static void test_polled(void) {
        struct stage stage = stage_new(SIM_QUIET, 4);
        uint64_t before;

        map_disk(&stage, 7, 70);
        world_pass(stage.world, 300 * SECOND);
        g_assert_nonnull(device_of(&stage, 7));

        before = sim_commands(stage.machine, SCSI_REPORT_LUNS);
        world_pass(stage.world, 86400 * SECOND);
        g_assert_cmpuint(sim_commands(stage.machine, SCSI_REPORT_LUNS) - before, >=, 86400 / 300);
        g_assert_cmpuint(sim_commands(stage.machine, SCSI_REPORT_LUNS) - before, <=, 86400 / 150);
        stage_done(&stage);
}

/* An attention that waits in an idle unit is reported to everybody, and not eaten by our own
 * asking. */
static void test_poll_eats_nothing(void) {
        struct stage stage = stage_new(SIM_QUIET, 4);
        unsigned before = world_notices(stage.world, NOTICE_ATTENTION);

        sim_unit_attention(stage.machine, lun_of(&stage, 2), 0x2a, 0x01);
        sim_unit_attention(stage.machine, lun_of(&stage, 3), 0x3f, 0x0e);
        world_pass(stage.world, 100 * SECOND);
        g_assert_cmpuint(world_notices(stage.world, NOTICE_ATTENTION) - before, ==, 2);
        g_assert_cmpint(device_of(&stage, 2)->last_attention, ==, ATTENTION_MODE_PARAMETERS);
        g_assert_cmpint(device_of(&stage, 3)->last_attention, ==, ATTENTION_REPORTED_LUNS);
        stage_done(&stage);
}

/* ---- unmapped ---- */

static void test_unmapped(void) {
        struct stage stage = stage_new(0, 4);

        sim_unmap(stage.machine, stage.target, 2);
        touch(&stage);
        world_settle(stage.world);
        g_assert_nonnull(device_of(&stage, 2)); /* once is not enough */
        world_pass(stage.world, SECOND);
        g_assert_null(device_of(&stage, 2));
        g_assert_cmpstr(world_detach_reason(stage.world, lun_of(&stage, 2)), ==, "unmapped");
        stage_done(&stage);
}

static void test_unmapped_in_use(void) {
        struct stage stage = stage_new(0, 4);

        sim_set_holder(stage.machine, lun_of(&stage, 2), "dm-0");
        sim_set_open(stage.machine, lun_of(&stage, 3), true); /* nobody can see that beforehand */
        sim_unmap(stage.machine, stage.target, 2);
        sim_unmap(stage.machine, stage.target, 3);
        touch(&stage);
        world_pass(stage.world, 5 * SECOND);
        for (uint64_t lun = 2; lun <= 3; lun++) {
                g_assert_nonnull(device_of(&stage, lun));
                g_assert_cmpint(device_of(&stage, lun)->standing, ==, STANDING_MISSING);
        }
        g_assert_cmpstr(device_of(&stage, 2)->facts.holders[0], ==, "dm-0");

        /* Let go of, it goes; mapped again, it is there as before. */
        sim_set_open(stage.machine, lun_of(&stage, 3), false);
        map_disk(&stage, 2, 3);
        touch(&stage);
        world_pass(stage.world, 400 * SECOND);
        g_assert_null(device_of(&stage, 3));
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_PRESENT);
        stage_done(&stage);
}

/* Silence is not absence. */
static void test_unknown_stays(void) {
        struct stage stage = stage_new(0, 4);

        sim_set_target_manner(stage.machine, stage.target, SIM_TIMES_OUT);
        world_scan(stage.world, "");
        world_pass(stage.world, 600 * SECOND);
        for (uint64_t lun = 0; lun < 4; lun++)
                g_assert_nonnull(device_of(&stage, lun));
        stage_done(&stage);
}

/* ---- replaced ---- */

static void test_replaced(void) {
        struct stage stage = stage_new(0, 4);
        uint64_t instance = device_of(&stage, 2)->facts.instance;
        g_autofree char *was = g_strdup(device_of(&stage, 2)->identity.name);

        map_disk(&stage, 2, 99);
        touch(&stage);
        world_pass(stage.world, SECOND);
        g_assert_cmpuint(world_notices(stage.world, NOTICE_REPLACED), ==, 1);
        g_assert_cmpstr(world_last_notice(stage.world, NOTICE_REPLACED)->identity, ==, was);
        g_assert_cmpstr(world_last_notice(stage.world, NOTICE_REPLACED)->identity_now, !=, was);
        g_assert_false(world_last_notice(stage.world, NOTICE_REPLACED)->in_use);
        g_assert_cmpstr(world_detach_reason(stage.world, lun_of(&stage, 2)), ==, "replaced");
        g_assert_cmpuint(device_of(&stage, 2)->facts.instance, !=, instance);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_PRESENT);
        g_assert_cmpstr(device_of(&stage, 2)->identity.name, !=, was);
        stage_done(&stage);
}

static void test_replaced_in_use(void) {
        struct stage stage = stage_new(0, 4);
        struct device_request accept = {.operation = JOB_ACCEPT};
        uint64_t instance = device_of(&stage, 2)->facts.instance;

        sim_set_holder(stage.machine, lun_of(&stage, 2), "dm-0");
        world_scan(stage.world, "0:0:0:2");
        world_settle(stage.world);
        map_disk(&stage, 2, 99);
        touch(&stage);
        world_pass(stage.world, 500 * SECOND);
        g_assert_cmpuint(world_notices(stage.world, NOTICE_REPLACED), ==, 1);
        g_assert_true(world_last_notice(stage.world, NOTICE_REPLACED)->in_use);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_REPLACED);
        g_assert_cmpstr(device_of(&stage, 2)->facts.state, ==, "offline");
        g_assert_null(device_of(&stage, 2)->unit);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 2)), ==,
                         0); /* nothing gets through */

        /* Somebody lets it run again: stopped again, and told once only. */
        sim_set_device_state(stage.machine, lun_of(&stage, 2), "running");
        world_scan(stage.world, "0:0:0");
        world_settle(stage.world);
        g_assert_cmpstr(device_of(&stage, 2)->facts.state, ==, "offline");
        g_assert_cmpuint(world_notices(stage.world, NOTICE_REPLACED), ==, 1);

        g_assert_cmpint(world_order(stage.world, &accept, "0:0:0:2")->state, ==, JOB_DONE);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_PRESENT);
        g_assert_cmpstr(device_of(&stage, 2)->facts.state, ==, "running");
        g_assert_nonnull(device_of(&stage, 2)->unit);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 2)), !=, 0);
        g_assert_cmpuint(device_of(&stage, 2)->facts.instance, ==, instance);
        stage_done(&stage);
}

static void test_exchanged(void) {
        struct stage stage = stage_new(0, 4);
        g_autofree char *one = g_strdup(device_of(&stage, 1)->identity.name);
        g_autofree char *two = g_strdup(device_of(&stage, 2)->identity.name);

        map_disk(&stage, 1, 3); /* sim_map_disks() began with 1 */
        map_disk(&stage, 2, 2);
        touch(&stage);
        world_pass(stage.world, SECOND);
        g_assert_cmpuint(world_notices(stage.world, NOTICE_REPLACED), ==, 2);
        g_assert_cmpstr(device_of(&stage, 1)->identity.name, ==, two);
        g_assert_cmpstr(device_of(&stage, 2)->identity.name, ==, one);
        stage_done(&stage);
}

/* While nobody watched: what the kernel attached is not what answers now. */
static void test_replaced_unwatched(void) {
        struct stage stage = {.machine = sim_machine_new(1)};
        struct sim_host host = {.max_id = 2};
        struct sim_target target = {.quirks = SIM_QUIET};

        sim_add_host(stage.machine, &host);
        stage.target = sim_add_target(stage.machine, 0, &target);
        sim_map_disks(stage.machine, stage.target, 3, 1);
        sim_kernel_scan(stage.machine);
        map_disk(&stage, 1, 99);
        sim_set_holder(stage.machine, lun_of(&stage, 1), "dm-0");
        stage.world = world_new(stage.machine, false, (uint32_t)g_test_rand_int());
        world_start(stage.world);
        world_settle(stage.world);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_REPLACED);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_PRESENT);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 1)), ==, 0);
        stage_done(&stage);
}

/* While the service was down, and somebody let the kernel read its pages anew: only what we
 * remember tells. */
static void test_replaced_while_down(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);

        sim_set_holder(stage.machine, lun_of(&stage, 1), "dm-0");
        map_disk(&stage, 1, 99);
        sim_kernel_rescan(stage.machine, lun_of(&stage, 1));
        start_again(&stage, "a", "a");
        g_assert_cmpuint(world_notices(stage.world, NOTICE_REPLACED), ==, 1);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_REPLACED);
        g_assert_cmpuint(sim_io(stage.machine, lun_of(&stage, 1)), ==, 0);

        /* It stays stopped when the service starts once more, and is not told again. */
        start_again(&stage, "a", "a");
        g_assert_cmpuint(world_notices(stage.world, NOTICE_REPLACED), ==, 0);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_REPLACED);
        g_assert_cmpint(device_of(&stage, 2)->standing, ==, STANDING_PRESENT);
        stage_done(&stage);
}

/* Between two boots: what is attached is right, and that it is another is told. */
static void test_replaced_between_boots(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);

        map_disk(&stage, 1, 99);
        for (uint64_t lun = 0; lun < 3; lun++)
                sim_detach_by_hand(stage.machine, lun_of(&stage, lun));
        start_again(&stage, "a", "b");
        g_assert_cmpuint(world_notices(stage.world, NOTICE_REPLACED), ==, 1);
        g_assert_cmpint(device_of(&stage, 1)->standing, ==, STANDING_PRESENT);
        start_again(&stage, "b", "c");
        g_assert_cmpuint(world_notices(stage.world, NOTICE_REPLACED), ==, 0);
        stage_done(&stage);
}

static void test_memory_text(void) {
        struct memory *memory = memory_new();

        g_assert_cmpint(memory_parse(memory, "", "a"), ==, -EINVAL);
        g_assert_cmpint(memory_parse(memory, "scsiscan identities 1 boot a\nx\n\ty\tz\n", "a"), ==,
                        2);
        g_assert_cmpint(memory_parse(memory,
                                     "scsiscan identities 1 boot a\n"
                                     "/d 0:1 2\t77\tpresent\tnaa.5\tnaa.5\tt10.x y\n",
                                     "b"),
                        ==, 0);
        g_assert_cmpuint(memory_get(memory, "/d 0:1 2")->mark.instance, ==, 0);
        g_assert_cmpuint(memory_get(memory, "/d 0:1 2")->identity.count, ==, 2);
        memory_free(memory);
}

static const struct memory_entry *merge(struct memory *memory, const char *line, const char *boot) {
        g_autofree char *text =
                g_strdup_printf("scsiscan identities 1 boot b\n/d 0:1 2\t77\t%s\n", line);

        g_assert_cmpint(memory_merge(memory, text, boot), ==, 0);
        return memory_get(memory, "/d 0:1 2");
}

/* What the initramfs has seen, beside what was so in an earlier boot. */
static void test_memory_merge(void) {
        struct memory *memory = memory_new();
        const struct memory_entry *entry;

        g_assert_null(merge(memory, "present\tnaa.5\tnaa.5", "another"));
        g_assert_cmpint(memory_parse(memory,
                                     "scsiscan identities 1 boot a\n"
                                     "/d 0:1 2\t66\tpresent\tnaa.5\tnaa.5\n",
                                     "b"),
                        ==, 0);
        entry = merge(memory, "present\tnaa.6\tnaa.6", "b"); /* that is to be told */
        g_assert_cmpstr(entry->identity.name, ==, "naa.5");
        entry = merge(memory, "present\tnaa.5\tnaa.5", "b");
        g_assert_cmpuint(entry->mark.instance, ==, 77);
        entry = merge(memory, "quarantined\tnaa.6\tnaa.6", "b");
        g_assert_cmpstr(entry->identity.name, ==, "naa.6");
        g_assert_cmpint(entry->mark.standing, ==, STANDING_QUARANTINED);
        memory_free(memory);
}

/* ---- grown ---- */

static void test_grown(void) {
        struct stage stage = stage_new(0, 2);
        struct sim_target other = {.target = 1};
        struct scsi_target_address second = sim_add_target(stage.machine, 0, &other);
        struct sim_unit unit = sim_disk(1);
        struct scsi_address path = {second, 0};

        sim_map(stage.machine, second, 0, &unit); /* the unit of LUN 0, by a second port */
        world_scan(stage.world, "host0");
        world_settle(stage.world);
        sim_resize(stage.machine, lun_of(&stage, 0), 4 * unit.size);
        sim_resize(stage.machine, path, 4 * unit.size);
        touch(&stage);
        world_pass(stage.world, SECOND);
        g_assert_cmpuint(device_of(&stage, 0)->facts.size, ==, 4 * unit.size);
        g_assert_cmpuint(
                topology_device(engine_topology(world_engine(stage.world)), &path)->facts.size, ==,
                4 * unit.size);
        g_assert_cmpuint(world_notices(stage.world, NOTICE_CAPACITY), ==, 1);
        g_assert_cmpuint(world_last_notice(stage.world, NOTICE_CAPACITY)->size_was, ==, unit.size);
        g_assert_cmpuint(world_last_notice(stage.world, NOTICE_CAPACITY)->size, ==, 4 * unit.size);
        stage_done(&stage);
}

/* The array says no more than that something has changed. */
static void test_grown_unsaid(void) {
        struct stage stage = stage_new(SIM_QUIET, 3);

        sim_resize(stage.machine, lun_of(&stage, 1), UINT64_C(1) << 40);
        sim_unit_attention(stage.machine, lun_of(&stage, 0), 0x3f, 0x0e);
        touch(&stage);
        world_pass(stage.world, SECOND);
        g_assert_cmpuint(device_of(&stage, 1)->facts.size, ==, UINT64_C(1) << 40);
        g_assert_cmpuint(world_notices(stage.world, NOTICE_CAPACITY), ==, 1);
        stage_done(&stage);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_data_func("/engine/guard/mapped/4", GUINT_TO_POINTER(4), test_mapped);
        g_test_add_data_func("/engine/guard/mapped/1024", GUINT_TO_POINTER(1024), test_mapped);
        g_test_add_func("/engine/guard/poll-eats-nothing", test_poll_eats_nothing);
        g_test_add_func("/engine/guard/storm", test_storm);
        g_test_add_func("/engine/guard/polled", test_polled);
        g_test_add_func("/engine/guard/unmapped", test_unmapped);
        g_test_add_func("/engine/guard/unmapped-in-use", test_unmapped_in_use);
        g_test_add_func("/engine/guard/unknown-stays", test_unknown_stays);
        g_test_add_func("/engine/guard/replaced", test_replaced);
        g_test_add_func("/engine/guard/replaced-in-use", test_replaced_in_use);
        g_test_add_func("/engine/guard/exchanged", test_exchanged);
        g_test_add_func("/engine/guard/replaced-unwatched", test_replaced_unwatched);
        g_test_add_func("/engine/guard/replaced-while-down", test_replaced_while_down);
        g_test_add_func("/engine/guard/replaced-between-boots", test_replaced_between_boots);
        g_test_add_func("/engine/guard/memory-text", test_memory_text);
        g_test_add_func("/engine/guard/memory-merge", test_memory_merge);
        g_test_add_func("/engine/guard/grown", test_grown);
        g_test_add_func("/engine/guard/grown-unsaid", test_grown_unsaid);
        return g_test_run();
}
