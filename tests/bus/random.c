/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A thousand random changes, from a seed that is printed (SCSISCAN_SEED repeats one): whatever
 * happens to the array, to the machine and to the service, once all is quiet the service says what
 * the kernel has, that is what the array has as far as the service was told, nothing in use has
 * gone, and whoever writes to a device writes to the unit that the service names, or to none.
 */

#include <string.h>

#include "compare.h"

#define SEEDS 10
#define CHANGES 1000
#define BATCH 5           /* changes between two times that all is quiet, at most */
#define INTERVAL 20       /* ms, instead of a second */
#define KILLED_ONCE_IN 40 /* batches */
#define DECIDED_ONCE_IN 8

struct stage {
        struct play *play;
        struct mirror *mirror;
        bool scanned; /* and nothing has happened since */
        unsigned checks, kills, orders;
};

static struct client *client_of(const struct stage *stage) {
        return harness_client(stage->play->harness);
}

/* ---- comparing ---- */

/* Nobody uses those any more, as the service has seen. */
static void forget_freed(struct stage *stage) {
        struct play *play = stage->play;

        PLAY_FOREACH(play, at) {
                if (!*play_lost(play, at.target) && !compare_waits(play, stage->mirror, at))
                        *play_freed(play, at) = false;
        }
}

static char *differs(struct stage *stage) {
        char *difference;

        mirror_check(stage->mirror);
        if (stage->scanned)
                forget_freed(stage);
        play_lock(stage->play);
        difference = compare(stage->play, stage->mirror);
        play_unlock(stage->play);
        return difference;
}

/* What the service does in its own time it may do between two looks of ours: then it has told of
 * something by the next. */
static void check(struct stage *stage) {
        char *difference = differs(stage);
        unsigned patience = 20;

        stage->checks++;
        while (difference) {
                guint64 before = mirror_generation(stage->mirror);
                g_autofree char *first = difference;

                difference = differs(stage);
                if (difference && (mirror_generation(stage->mirror) == before || --patience == 0))
                        g_error("Seed %u, after %u changes: %s", stage->play->seed,
                                stage->play->changes, first);
        }
        compare_learn(stage->play, stage->mirror);
}

/* ---- what happens ---- */

static void start(struct stage *stage) {
        struct harness *harness = stage->play->harness;

        harness_start(harness, (struct daemon_start){.interval = INTERVAL});
        UNTIL(client_sees_service(client_of(stage)));
        stage->mirror = mirror_new(client_of(stage));
        harness_wait_ready(harness);
}

/* In whatever it is doing; and something happens while it is not there. What it finds when it comes
 * again it was told. It may have stopped a device and not noted that down yet. */
static void kill_service(struct stage *stage) {
        struct play *play = stage->play;

        stage->kills++;
        harness_kill(play->harness);
        mirror_free(g_steal_pointer(&stage->mirror));
        play_lock(play);
        play_change(play);
        play_unlock(play);
        PLAY_FOREACH(play, at) {
                *play_freed(play, at) = !*play_held(play, at);
        }
        start(stage);
        play_told(play, false);
}

static void scan(struct stage *stage) {
        g_free(client_scan(client_of(stage), "",
                           client_options("{'wait': <true>, 'remove': <true>}")));
        play_told(stage->play, true);
        stage->scanned = true;
}

/* In between the service is left in peace for a while, or not at all. */
static void change_some(struct stage *stage) {
        struct play *play = stage->play;
        uint32_t count = 1 + play_below(play, BATCH);

        stage->scanned = false;
        for (; count > 0 && play->changes < CHANGES; count--) {
                uint32_t pause = play_below(play, 30000);

                play_lock(play);
                play_change(play);
                play_unlock(play);
                if (pause < 10000)
                        g_usleep(pause);
        }
}

static void tell(struct stage *stage, uint32_t how) {
        if (how == 0) {
                scan(stage);
        } else if (how < 3) {
                play_lock(stage->play);
                play_io_all(stage->play);
                play_unlock(stage->play);
        }
}

/* NULL when it was done, else the D-Bus error, which is the caller's. */
static char *ask(struct stage *stage, const char *method, const char *signature, const char *path) {
        struct client *client = client_of(stage);
        guint32 serial =
                client_send(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_HOTPLUG, method,
                            g_variant_new(signature, path, client_options("{'wait': <true>}")));
        g_autoptr(GDBusMessage) reply = client_reply(client, serial);

        stage->orders++;
        return g_strdup(g_dbus_message_get_error_name(reply));
}

static void order(struct stage *stage, const char *method, const char *signature,
                  const char *path) {
        g_autofree char *error = ask(stage, method, signature, path);

        if (error)
                g_error("Seed %u, after %u changes: %s of %s fails with %s", stage->play->seed,
                        stage->play->changes, method, path, error);
}

/* Nobody has seen yet that it has become another once more: that is found out by accepting it. */
static void accept_another(struct stage *stage, const char *path) {
        g_autofree char *error = ask(stage, "AcceptReplacement", "(o@a{sv})", path);

        if (error)
                order(stage, "AcceptReplacement", "(o@a{sv})", path);
}

static void decide(struct stage *stage, struct scsi_address at) {
        g_autofree char *path = compare_path(at);
        bool replaced = compare_says(stage->mirror, at, "Standing", "replaced");
        uint32_t disk = *play_disk(stage->play, at);
        g_autofree char *identity = compare_identity(disk);

        if (replaced && disk != 0 && compare_says(stage->mirror, at, "Identity", identity))
                order(stage, "AcceptReplacement", "(o@a{sv})", path);
        else if (replaced && disk != 0)
                accept_another(stage, path);
        else if (!*play_held(stage->play, at)) {
                order(stage, "Detach", "(s@a{sv})", path);
                *play_withheld(stage->play, at) = true;
        }
}

/* Somebody sees to what was stopped. */
static void decide_all(struct stage *stage) {
        struct play *play = stage->play;

        scan(stage);
        check(stage);
        PLAY_FOREACH(play, at) {
                if (!*play_lost(play, at.target) && compare_waits(play, stage->mirror, at))
                        decide(stage, at);
        }
        scan(stage);
        check(stage);
}

/* Where nothing stands in the way, all is as the array has it. */
static void check_end(struct stage *stage) {
        struct play *play = stage->play;

        play_lock(play);
        play_clear(play);
        play_unlock(play);
        decide_all(stage);
        PLAY_FOREACH(play, at) {
                g_autofree char *path = compare_path(at);

                if (compare_waits(play, stage->mirror, at))
                        g_error("Seed %u, in the end: %s still waits for somebody to decide",
                                play->seed, path);
        }
}

/* ---- the whole ---- */

static uint32_t choose_seed(void) {
        const char *given = g_getenv("SCSISCAN_SEED");
        guint64 seed;

        if (!given)
                return g_random_int();
        if (!g_ascii_string_to_unsigned(given, 10, 0, G_MAXUINT32, &seed, NULL))
                g_error("SCSISCAN_SEED=%s is not a seed", given);
        return (uint32_t)seed;
}

static void test_random(void) {
        struct stage stage = {};
        struct sim_machine *machine;
        uint32_t seed = choose_seed();

        g_test_message("seed %u", seed);
        stage.play = play_new(seed, &machine);
        stage.play->harness = harness_new(machine);
        start(&stage);
        while (stage.play->changes < CHANGES) {
                change_some(&stage);
                if (play_below(stage.play, KILLED_ONCE_IN) == 0)
                        kill_service(&stage);
                tell(&stage, play_below(stage.play, 4));
                check(&stage);
                if (play_below(stage.play, DECIDED_ONCE_IN) == 0)
                        decide_all(&stage);
        }
        check_end(&stage);
        g_test_message("%u checks, killed %u times, %u orders", stage.checks, stage.kills,
                       stage.orders);
        mirror_free(stage.mirror);
        play_free(stage.play);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        for (unsigned i = 1; i <= SEEDS; i++) {
                g_autofree char *path = g_strdup_printf("/bus/random/%u", i);

                g_test_add_func(path, test_random);
        }
        return g_test_run();
}
