/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random changes while the service works, from a seed that is printed: whatever happens in whatever
 * order, once all is quiet the view is what the kernel has, and what was announced is the view.
 */
#include <string.h>

#include "world.h"

#define ROUNDS 60
#define CHANGES 120
#define HOSTS_MAX 4
#define TARGETS 3
#define LUNS 12

struct play {
        struct sim_machine *machine;
        struct world *world;
        GRand *random;
        bool hosts[HOSTS_MAX];
        bool mapped[HOSTS_MAX][TARGETS][LUNS];
        bool held[HOSTS_MAX][TARGETS][LUNS]; /* somebody uses the device */
};

static uint32_t below(struct play *play, uint32_t end) {
        return (uint32_t)g_rand_int_range(play->random, 0, (gint32)end);
}

static void map(struct play *play, struct scsi_address address) {
        struct sim_unit unit = sim_disk(below(play, 40));

        sim_map(play->machine, address.target, address.lun, &unit);
        play->mapped[address.target.host][address.target.target][address.lun] = true;
}

static void unmap(struct play *play, struct scsi_address address) {
        bool *mapped = &play->mapped[address.target.host][address.target.target][address.lun];

        if (*mapped)
                sim_unmap(play->machine, address.target, address.lun);
        *mapped = false;
}

static bool *held(struct play *play, struct scsi_address address) {
        return &play->held[address.target.host][address.target.target][address.lun];
}

/* Half of them in a way that sysfs shows, half only by having it open. */
static void hold(struct play *play, struct scsi_address address) {
        if (!sim_is_attached(play->machine, address) || *held(play, address))
                return;
        if (below(play, 2))
                sim_set_holder(play->machine, address, "dm-0");
        else
                sim_set_open(play->machine, address, true);
        *held(play, address) = true;
}

static void release(struct play *play, struct scsi_address address) {
        if (!*held(play, address))
                return;
        sim_set_holder(play->machine, address, NULL);
        sim_set_open(play->machine, address, false);
        *held(play, address) = false;
}

/* Whatever happens, what is in use stays. */
static void check_held(struct play *play) {
        for (uint32_t host = 0; host < HOSTS_MAX; host++)
                for (uint32_t target = 0; target < TARGETS; target++)
                        for (uint64_t lun = 0; lun < LUNS; lun++) {
                                struct scsi_address address = {{host, 0, target}, lun};

                                if (*held(play, address))
                                        g_assert_true(sim_is_attached(play->machine, address));
                        }
}

static void add_host(struct play *play) {
        static const unsigned quirks[] = {
                0,          0,        SIM_NO_REPORT_LUNS, SIM_LIE_REPEATS, SIM_NO_WELL_KNOWN,
                SIM_SILENT, SIM_QUIET};
        struct sim_host host = {.max_id = TARGETS};
        uint32_t number;

        number = sim_add_host(play->machine, &host);
        g_assert_cmpuint(number, <, HOSTS_MAX);
        play->hosts[number] = true;
        for (uint32_t id = 0; id < TARGETS; id++) {
                struct sim_target target = {.target = id,
                                            .quirks = quirks[below(play, G_N_ELEMENTS(quirks))]};
                struct scsi_target_address address = sim_add_target(play->machine, number, &target);

                for (uint64_t lun = 0; lun < LUNS; lun++)
                        if (below(play, 2))
                                map(play, (struct scsi_address){address, lun});
        }
}

static unsigned host_count(const struct play *play) {
        unsigned count = 0;

        for (size_t i = 0; i < HOSTS_MAX; i++)
                count += play->hosts[i];
        return count;
}

static void change_hosts(struct play *play, uint32_t number) {
        if (below(play, 2) && host_count(play) < HOSTS_MAX) {
                add_host(play);
        } else if (host_count(play) > 1) {
                sim_remove_host(play->machine, number);
                play->hosts[number] = false;
                memset(play->mapped[number], 0, sizeof(play->mapped[number]));
                memset(play->held[number], 0, sizeof(play->held[number]));
        }
}

static void change_something(struct play *play) {
        struct scsi_address address = {{below(play, HOSTS_MAX), 0, below(play, TARGETS)},
                                       below(play, LUNS)};

        if (!play->hosts[address.target.host])
                return;
        switch (below(play, 12)) {
        case 0:
                change_hosts(play, address.target.host);
                break;
        case 1:
        case 2:
                map(play, address);
                break;
        case 3:
                unmap(play, address);
                break;
        case 4:
                (void)sim_attach_by_hand(play->machine, address);
                break;
        case 5:
                if (sim_is_attached(play->machine, address) && !*held(play, address))
                        sim_detach_by_hand(play->machine, address);
                break;
        case 6:
                if (sim_is_attached(play->machine, address))
                        sim_touch(play->machine, address);
                break;
        case 8:
                hold(play, address);
                break;
        case 9:
                release(play, address);
                break;
        case 10:
                world_pass(play->world, below(play, 3000000));
                break;
        case 7: {
                struct scope all = {};
                struct scan_request request = {
                        .scope = &all, .scope_text = "", .verify = true, .attach = true};

                (void)engine_scan(world_engine(play->world), &request, (struct scan_time){1, 1},
                                  NULL);
                break;
        }
        default:
                world_lose_uevents(play->world, below(play, 2));
                break;
        }
}

/* Whoever uses a device reaches the unit that the view names, or nothing. */
static int check_unit(const struct object_id *id, void *userdata) {
        struct play *play = userdata;
        const struct device *device;
        uint64_t reached;
        char name[32];

        if (id->kind != OBJECT_DEVICE || scsi_lun_is_well_known(id->address.lun))
                return 0;
        device = topology_device(engine_topology(world_engine(play->world)), &id->address);
        reached = sim_io(play->machine, id->address);
        g_snprintf(name, sizeof(name), "naa.%016" G_GINT64_MODIFIER "x", reached);
        if (reached == 0)
                return 0;
        g_assert_cmpint(device->standing, !=, STANDING_REPLACED);
        g_assert_cmpstr(device->identity.name, ==, name);
        return 0;
}

static void play_round(uint32_t seed, bool owner) {
        struct play play = {.machine = sim_machine_new(seed), .random = g_rand_new_with_seed(seed)};
        struct scope all = {};

        add_host(&play);
        if (!owner)
                sim_kernel_scan(play.machine);
        play.world = world_new(play.machine, owner, seed);
        world_start(play.world);
        for (unsigned i = 0; i < CHANGES; i++) {
                change_something(&play);
                for (uint32_t steps = below(&play, 60); steps > 0; steps--) {
                        world_step(play.world);
                        check_held(&play);
                }
        }
        world_lose_uevents(play.world, false);
        world_settle(play.world);
        world_check(play.world);
        /* By the next polls everything is seen, also what raised no attention. */
        world_pass(play.world, UINT64_C(900000000));
        world_check(play.world);
        check_held(&play);
        scope_find(&all, engine_topology(world_engine(play.world)), check_unit, &play);
        g_rand_free(play.random);
        world_free(play.world);
}

static void test_random(gconstpointer data) {
        for (unsigned i = 0; i < ROUNDS; i++) {
                uint32_t seed = (uint32_t)g_test_rand_int();

                g_test_message("seed %u", seed);
                play_round(seed, GPOINTER_TO_INT(data));
        }
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_data_func("/engine/random/owner", GINT_TO_POINTER(true), test_random);
        g_test_add_data_func("/engine/random/observer", GINT_TO_POINTER(false), test_random);
        return g_test_run();
}
