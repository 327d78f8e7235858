/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Random changes of the machine, from a seed that is printed: whatever happens, a client that
 * only listens knows what one knows that asks.
 */

#include "harness.h"
#include "mirror.h"

#define HOSTS_MAX 4
#define TARGETS 3
#define LUNS 6
#define ROUNDS 60
#define CHANGES 12

struct play {
        struct harness *harness;
        struct sim_machine *machine; /* only while it is locked */
        GRand *random;
        bool hosts[HOSTS_MAX];
        bool mapped[HOSTS_MAX][TARGETS][LUNS];
};

static uint32_t below(struct play *play, uint32_t end) {
        return (uint32_t)g_rand_int_range(play->random, 0, (gint32)end);
}

static bool *mapped(struct play *play, const struct scsi_address *address) {
        return &play->mapped[address->target.host][address->target.target][address->lun];
}

static void map(struct play *play, struct scsi_address address) {
        struct sim_unit unit = sim_disk(below(play, 20));

        sim_map(play->machine, address.target, address.lun, &unit);
        *mapped(play, &address) = true;
}

static void unmap(struct play *play, struct scsi_address address) {
        if (*mapped(play, &address))
                sim_unmap(play->machine, address.target, address.lun);
        *mapped(play, &address) = false;
}

static void add_host(struct play *play) {
        const struct sim_host like = {.max_id = TARGETS};
        uint32_t number = sim_add_host(play->machine, &like);

        g_assert_cmpuint(number, <, HOSTS_MAX);
        play->hosts[number] = true;
        for (uint32_t id = 0; id < TARGETS; id++) {
                const struct sim_target target = {.target = id};
                struct scsi_target_address address = sim_add_target(play->machine, number, &target);

                for (uint64_t lun = 0; lun < LUNS; lun++) {
                        play->mapped[number][id][lun] = false;
                        if (below(play, 2))
                                map(play, (struct scsi_address){address, lun});
                }
        }
}

static void change_host(struct play *play, uint32_t number) {
        unsigned count = 0;

        for (size_t i = 0; i < HOSTS_MAX; i++)
                count += play->hosts[i];
        if (!play->hosts[number] && count < HOSTS_MAX)
                add_host(play);
        else if (play->hosts[number] && count > 1) {
                sim_remove_host(play->machine, number);
                play->hosts[number] = false;
        }
}

static void change_device(struct play *play, struct scsi_address address) {
        if (!sim_is_attached(play->machine, address)) {
                (void)sim_attach_by_hand(play->machine, address);
                return;
        }
        switch (below(play, 4)) {
        case 0:
                sim_detach_by_hand(play->machine, address);
                break;
        case 1:
                sim_resize(play->machine, address, (1 + below(play, 8)) * UINT64_C(1048576));
                sim_kernel_rescan(play->machine, address);
                break;
        case 2:
                sim_touch(play->machine, address);
                break;
        case 3:
                sim_set_device_state(play->machine, address,
                                     below(play, 2) ? "running" : "offline");
                break;
        }
}

static void change_something(struct play *play) {
        struct scsi_address address = {{below(play, HOSTS_MAX), 0, below(play, TARGETS)},
                                       below(play, LUNS)};
        uint32_t what = below(play, 16);

        if (what == 0)
                change_host(play, address.target.host);
        else if (!play->hosts[address.target.host])
                return;
        else if (what < 5)
                map(play, address);
        else if (what < 7)
                unmap(play, address);
        else
                change_device(play, address);
}

/* In between the daemon is left in peace for a while, or not at all, or asked for all there is. */
static void change_much(struct play *play, struct mirror *mirror) {
        for (unsigned i = 0; i < CHANGES; i++) {
                play->machine = sim_server_lock(harness_sim(play->harness));
                change_something(play);
                sim_server_unlock(harness_sim(play->harness));
                if (below(play, 3) == 0)
                        g_usleep(below(play, 20000));
                if (below(play, 4) == 0)
                        mirror_ask(mirror);
        }
}

static void play_rounds(struct play *play, struct mirror *mirror) {
        struct client *client = harness_client(play->harness);

        for (unsigned round = 0; round < ROUNDS; round++) {
                change_much(play, mirror);
                if (below(play, 3) == 0)
                        g_free(client_scan(client, "", NULL));
                harness_check(play->harness);
                /* Something may come of an attention yet: then both are asked again. And nothing
                 * may have changed at all since the mirror began. */
                UNTIL((mirror_check(mirror),
                       mirror_generation(mirror) == 0 || client_get_number(client, "Generation") ==
                                                                 mirror_generation(mirror)));
        }
}

static void play_free(struct play *play) {
        harness_free(play->harness);
        g_rand_free(play->random);
        g_free(play);
}

/* The mirror begins while the first pass is under way. */
static void test_follow(gconstpointer mode) {
        struct play *play = g_new0(struct play, 1);
        struct mirror *mirror;
        guint32 seed = g_test_rand_int();

        g_test_message("seed %u", seed);
        play->random = g_rand_new_with_seed(seed);
        play->machine = sim_machine_new(seed);
        add_host(play);
        add_host(play);
        play->harness = harness_new(play->machine);
        harness_start(play->harness, (struct daemon_start){.mode = mode});
        UNTIL(client_sees_service(harness_client(play->harness)));
        mirror = mirror_new(harness_client(play->harness));
        harness_wait_ready(play->harness);
        harness_check(play->harness);
        mirror_check(mirror);
        play_rounds(play, mirror);
        g_test_message("%u batches, %u objects, %u answers of GetChanges", mirror_batches(mirror),
                       mirror_objects(mirror), mirror_answers(mirror));
        g_assert_cmpuint(mirror_answers(mirror), >, ROUNDS / 2);
        g_assert_cmpuint(mirror_batches(mirror), >, ROUNDS / 2);
        mirror_free(mirror);
        play_free(play);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_data_func("/bus/follow/owner", NULL, test_follow);
        g_test_add_data_func("/bus/follow/observer", "observer", test_follow);
        return g_test_run();
}
