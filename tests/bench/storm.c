/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Uevents, as fast as they are taken, half of them telling that LUNs have changed, and real changes
 * among them. How long until the service shows what the machine has, and how long a client that
 * only asks has to wait meanwhile.
 */

#include "bench.h"

#define HOSTS 2
#define TARGETS 4
#define LUNS 16
#define BATCH 100 /* uevents between two real changes */

struct storm {
        struct harness *harness;
        GRand *random;
        unsigned size;
};

static struct sim_machine *lock(struct storm *storm) {
        return sim_server_lock(harness_sim(storm->harness));
}

static void unlock(struct storm *storm) {
        sim_server_unlock(harness_sim(storm->harness));
}

static uint32_t below(struct storm *storm, uint32_t end) {
        return (uint32_t)g_rand_int_range(storm->random, 0, (gint32)end);
}

static struct scsi_address somewhere(struct storm *storm, uint32_t luns) {
        return (struct scsi_address){{below(storm, HOSTS), 0, below(storm, TARGETS)},
                                     below(storm, luns)};
}

/* One uevent: LUN 0 of each target stays attached all the time. */
static void attention(struct storm *storm, struct sim_machine *machine) {
        struct scsi_address address = somewhere(storm, 1);

        if (below(storm, 2))
                sim_unit_attention(machine, address, 0x3f, 0x0e);
        else
                sim_unit_attention(machine, address, 0x2a, 0x01);
        sim_touch(machine, address);
}

/* Somebody maps another unit, unmaps one, or detaches a device by hand. */
static void real_change(struct storm *storm, struct sim_machine *machine) {
        struct scsi_address address = somewhere(storm, LUNS - 1);
        const struct sim_unit unit = sim_disk(below(storm, 1000));

        address.lun++;
        if (below(storm, 2))
                sim_map(machine, address.target, address.lun, &unit);
        else if (sim_is_attached(machine, address))
                sim_detach_by_hand(machine, address);
}

static void raise_all(struct storm *storm) {
        for (unsigned i = 0; i < storm->size; i += BATCH) {
                struct sim_machine *machine = lock(storm);

                for (unsigned j = i; j < MIN(storm->size, i + BATCH); j++)
                        attention(storm, machine);
                real_change(storm, machine);
                unlock(storm);
        }
}

static void say_latency(const char *asked, struct bench_latency latency) {
        bench_say("meanwhile %u questions to %s: median %" G_GINT64_FORMAT
                  " us, longest %" G_GINT64_FORMAT " us",
                  latency.calls, asked, latency.median, latency.worst);
        g_assert_cmpuint(latency.calls, >, 0);
}

static void measure(struct storm *storm) {
        struct client *client = harness_client(storm->harness);
        guint64 before = client_get_number(client, "uevents");
        guint64 scans = client_get_number(client, "target-scans");
        gint64 used = bench_processor_time(storm->harness);
        struct bench_asker *asker = bench_ask(storm->harness, false);
        struct bench_asker *bus_asker = bench_ask(storm->harness, true);
        gint64 begun = g_get_monotonic_time(), raised, equal;

        raise_all(storm);
        raised = g_get_monotonic_time();
        UNTIL(client_get_number(client, "uevents") - before >= storm->size);
        bench_say("%u uevents: raised in %" G_GINT64_FORMAT " ms, read after %" G_GINT64_FORMAT
                  " ms",
                  storm->size, (raised - begun) / 1000, (g_get_monotonic_time() - begun) / 1000);
        harness_check_complete(storm->harness);
        equal = g_get_monotonic_time();
        used = bench_processor_time(storm->harness) - used;
        bench_say("the view equals the machine %" G_GINT64_FORMAT " ms after the first and"
                  " %" G_GINT64_FORMAT " ms after the last, with %" G_GUINT64_FORMAT
                  " scans of a target and %" G_GINT64_FORMAT " ms of the processor",
                  (equal - begun) / 1000, (equal - raised) / 1000,
                  client_get_number(client, "target-scans") - scans, used / 1000);
        bench_say_turns(client, "then");
        say_latency("the service", bench_ask_end(asker));
        say_latency("the bus itself", bench_ask_end(bus_asker));
}

static void test_storm(gconstpointer size) {
        struct storm storm = {.size = GPOINTER_TO_UINT(size), .random = g_rand_new_with_seed(1)};

        storm.harness = harness_boot(machine_new(HOSTS, TARGETS, LUNS));
        harness_check_complete(storm.harness);
        bench_say_turns(harness_client(storm.harness), "it begins");
        measure(&storm);
        harness_free(storm.harness);
        g_rand_free(storm.random);
}

int main(int argc, char **argv) {
        unsigned size = bench_init(&argc, &argv, 10000, 1);

        g_test_add_data_func("/bench/storm", GUINT_TO_POINTER(size), test_storm);
        return g_test_run();
}
