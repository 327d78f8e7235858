/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "play.h"

uint32_t play_below(struct play *play, uint32_t end) {
        return (uint32_t)g_rand_int_range(play->random, 0, (gint32)end);
}

void play_lock(struct play *play) {
        play->machine = sim_server_lock(harness_sim(play->harness));
}

void play_unlock(struct play *play) {
        play->machine = NULL;
        sim_server_unlock(harness_sim(play->harness));
}

uint32_t *play_disk(struct play *play, struct scsi_address at) {
        return &play->disks[at.target.host][at.target.target][at.lun];
}

bool *play_held(struct play *play, struct scsi_address at) {
        return &play->held[at.target.host][at.target.target][at.lun];
}

bool *play_freed(struct play *play, struct scsi_address at) {
        return &play->freed[at.target.host][at.target.target][at.lun];
}

bool *play_known(struct play *play, struct scsi_address at) {
        return &play->known[at.target.host][at.target.target][at.lun];
}

bool *play_withheld(struct play *play, struct scsi_address at) {
        return &play->withheld[at.target.host][at.target.target][at.lun];
}

unsigned *play_swapped(struct play *play, struct scsi_address at) {
        return &play->swapped[at.target.host][at.target.target][at.lun];
}

bool *play_lost(struct play *play, struct scsi_target_address target) {
        return &play->lost[target.host][target.target];
}

bool *play_untold(struct play *play, struct scsi_target_address target) {
        return &play->untold[target.host][target.target];
}

void play_told(struct play *play, bool asked) {
        PLAY_FOREACH(play, at) {
                if (asked && *play_disk(play, at) != 0 && !*play_lost(play, at.target))
                        *play_withheld(play, at) = false;
        }
        PLAY_FOREACH_TARGET(play, target) {
                if (!*play_lost(play, target))
                        *play_untold(play, target) = false;
        }
}

/* ---- the array ---- */

static void map(struct play *play, struct scsi_address at, uint32_t disk) {
        struct sim_unit unit = sim_disk(disk);

        if (*play_disk(play, at) != disk)
                ++*play_swapped(play, at);
        unit.size = play->sizes[disk];
        sim_map(play->machine, at.target, at.lun, &unit);
        *play_disk(play, at) = disk;
        *play_known(play, at) = false;
        *play_untold(play, at.target) = true;
}

static void unmap(struct play *play, struct scsi_address at) {
        if (*play_disk(play, at) == 0)
                return;
        sim_unmap(play->machine, at.target, at.lun);
        *play_disk(play, at) = 0;
        *play_known(play, at) = false;
        *play_untold(play, at.target) = true;
}

static void exchange(struct play *play, struct scsi_address at, struct scsi_address other) {
        uint32_t disk = *play_disk(play, at), other_disk = *play_disk(play, other);

        if (disk == 0 || other_disk == 0)
                return;
        map(play, at, other_disk);
        map(play, other, disk);
}

/* A unit is as large on every path. */
static void grow(struct play *play, uint32_t disk, uint32_t mebibytes) {
        if (disk == 0)
                return;
        play->sizes[disk] += (uint64_t)mebibytes << 20;
        play->grown[disk] = true;
        PLAY_FOREACH(play, at) {
                if (*play_disk(play, at) == disk)
                        sim_resize(play->machine, at, play->sizes[disk]);
        }
}

static void lose_or_regain_session(struct play *play, struct scsi_target_address target) {
        bool *lost = play_lost(play, target);

        *lost = !*lost;
        *play_untold(play, target) = true;
        sim_set_port_state(play->machine, target, *lost ? "FAILED" : "LOGGED_IN");
}

/* ---- the machine ---- */

static void add_host(struct play *play) {
        const struct sim_host like = {
                .driver = "iscsi_tcp", .transport = SIM_ISCSI, .max_id = PLAY_TARGETS};
        uint32_t number = sim_add_host(play->machine, &like);

        g_assert_cmpuint(number, <, PLAY_HOSTS);
        play->hosts[number] = true;
        for (uint32_t id = 0; id < PLAY_TARGETS; id++) {
                g_autofree char *name =
                        g_strdup_printf("iqn.2003-01.org.example:array%u,t,0x%x", number, id + 1);
                const struct sim_target target = {.target = id, .port_name = name};
                struct scsi_target_address address = sim_add_target(play->machine, number, &target);

                for (uint64_t lun = 0; lun < PLAY_LUNS; lun++) {
                        uint32_t disk = play_below(play, 2 * PLAY_DISKS) + 1;

                        if (disk <= PLAY_DISKS)
                                map(play, (struct scsi_address){address, lun}, disk);
                }
                /* A host that comes is scanned. */
                *play_untold(play, address) = false;
        }
}

static void remove_host(struct play *play, uint32_t number) {
        sim_remove_host(play->machine, number);
        play->hosts[number] = false;
        memset(play->lost[number], 0, sizeof(play->lost[number]));
        memset(play->untold[number], 0, sizeof(play->untold[number]));
        memset(play->disks[number], 0, sizeof(play->disks[number]));
        memset(play->held[number], 0, sizeof(play->held[number]));
        memset(play->known[number], 0, sizeof(play->known[number]));
        memset(play->withheld[number], 0, sizeof(play->withheld[number]));
        memset(play->freed[number], 0, sizeof(play->freed[number]));
        memset(play->swapped[number], 0, sizeof(play->swapped[number]));
}

static void change_hosts(struct play *play, uint32_t number, bool add) {
        unsigned count = 0;

        for (size_t i = 0; i < PLAY_HOSTS; i++)
                count += play->hosts[i];
        if (count < 2 || (count < PLAY_HOSTS && add))
                add_host(play);
        else
                remove_host(play, number);
}

/* Half of them in a way that sysfs shows, half only by having it open. */
static void hold_or_release(struct play *play, struct scsi_address at, bool visibly) {
        bool *held = play_held(play, at);

        if (!sim_is_attached(play->machine, at))
                return;
        if (*held) {
                sim_set_holder(play->machine, at, NULL);
                sim_set_open(play->machine, at, false);
        } else if (visibly) {
                sim_set_holder(play->machine, at, "dm-0");
        } else {
                sim_set_open(play->machine, at, true);
        }
        *play_freed(play, at) = *held;
        *held = !*held;
}

/* One path tells of all, if the service knows them and can reach them. */
static bool is_known_everywhere(struct play *play, uint32_t disk) {
        PLAY_FOREACH(play, at) {
                if (*play_disk(play, at) == disk &&
                    (!*play_known(play, at) || *play_lost(play, at.target)))
                        return false;
        }
        return true;
}

uint64_t play_io(struct play *play, struct scsi_address at) {
        bool luns = sim_attention_waits(play->machine, at, 0x3f, 0x0e);
        bool size = sim_attention_waits(play->machine, at, 0x2a, 0x09);
        uint64_t reached = sim_io(play->machine, at);

        if (reached != 0 && luns)
                *play_untold(play, at.target) = false;
        if (reached != 0 && size && is_known_everywhere(play, *play_disk(play, at)))
                play->grown[*play_disk(play, at)] = false;
        return reached;
}

void play_io_all(struct play *play) {
        PLAY_FOREACH(play, at) {
                (void)play_io(play, at);
        }
}

/* ---- at random ---- */

static struct scsi_address anywhere(struct play *play) {
        struct scsi_address at = {{0, 0, play_below(play, PLAY_TARGETS)},
                                  play_below(play, PLAY_LUNS)};

        do
                at.target.host = play_below(play, PLAY_HOSTS);
        while (!play->hosts[at.target.host]);
        return at;
}

/* What is drawn is the same whatever the service has done so far: then so is what happens. */
void play_change(struct play *play) {
        struct scsi_address at = anywhere(play);
        struct scsi_address other = {at.target, play_below(play, PLAY_LUNS)};
        uint32_t what = play_below(play, 20), disk = 1 + play_below(play, PLAY_DISKS);

        play->changes++;
        if (what < 6)
                map(play, at, disk);
        else if (what < 9)
                unmap(play, at);
        else if (what < 11)
                exchange(play, at, other);
        else if (what < 13)
                grow(play, *play_disk(play, at), disk);
        else if (what < 15)
                (void)play_io(play, at);
        else if (what < 16)
                lose_or_regain_session(play, at.target);
        else if (what < 19)
                hold_or_release(play, at, disk % 2);
        else
                change_hosts(play, at.target.host, disk % 2);
}

void play_clear(struct play *play) {
        PLAY_FOREACH_TARGET(play, target) {
                if (*play_lost(play, target))
                        lose_or_regain_session(play, target);
        }
        PLAY_FOREACH(play, at) {
                if (*play_held(play, at))
                        hold_or_release(play, at, false);
                if (at.lun == 0)
                        map(play, at, 1 + at.target.target);
        }
}

/* ---- the whole ---- */

struct play *play_new(uint32_t seed, struct sim_machine **ret_machine) {
        struct play *play = g_new0(struct play, 1);

        play->seed = seed;
        play->random = g_rand_new_with_seed(seed);
        for (size_t disk = 1; disk <= PLAY_DISKS; disk++)
                play->sizes[disk] = 1 << 30;
        play->machine = *ret_machine = sim_machine_new(seed);
        add_host(play);
        add_host(play);
        play->machine = NULL;
        return play;
}

void play_free(struct play *play) {
        if (play->harness)
                harness_free(play->harness);
        g_rand_free(play->random);
        g_free(play);
}
