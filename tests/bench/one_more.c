/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A target gets one logical unit more, and behind the LUN that is verified last stands another unit
 * than before. One unit attention comes, for the first of the two. How long until both are told,
 * and after how many commands of ours; and what a scan of the whole target costs.
 */

#include <string.h>

#include "bench.h"

#define TARGET ((struct scsi_target_address){0, 0, 0})
#define TELLER ((struct scsi_address){TARGET, 0})
#define FLAT 0x4000 /* of a LUN above 255, as Linux prints it */
#define COMMANDS_MAX 3
/* A target that was asked a moment ago is not asked again at once: that would be measured, too. */
#define REST_USEC (2 * G_USEC_PER_SEC)

/* What Linux reads of each device whose `rescan` is written to, at least: scsi_attach_vpd()'s pages
 * 00h, 80h and 83h, and READ CAPACITY of sd. */
#define KERNEL_RESCAN_COMMANDS 4

struct sent {
        gint64 at;
        uint64_t lun;
        uint8_t cdb[3];
};

struct bench {
        struct harness *harness;
        GArray *sent;           /* struct sent; while the machine is locked */
        uint64_t more, swapped; /* LUNs */
        unsigned size;
};

/* ---- what is sent ---- */

static void on_command(void *userdata, const struct scsi_address *address,
                       const struct scsi_command *command) {
        struct bench *bench = userdata;
        struct sent sent = {.at = g_get_monotonic_time(), .lun = address->lun};

        memcpy(sent.cdb, command->cdb, sizeof(sent.cdb));
        g_array_append_val(bench->sent, sent);
}

static struct sim_machine *lock(struct bench *bench) {
        return sim_server_lock(harness_sim(bench->harness));
}

static void unlock(struct bench *bench) {
        sim_server_unlock(harness_sim(bench->harness));
}

static unsigned sent_until(struct bench *bench, gint64 time) {
        unsigned count = 0;

        lock(bench);
        while (count < bench->sent->len && g_array_index(bench->sent, struct sent, count).at < time)
                count++;
        unlock(bench);
        return count;
}

/* Those that had to be sent for the new one to be told: until the last one that went to it. */
static unsigned sent_for_the_new_one(struct bench *bench, gint64 begun, gint64 told) {
        unsigned count = sent_until(bench, told);

        lock(bench);
        while (count > 0 && g_array_index(bench->sent, struct sent, count - 1).lun != bench->more)
                count--;
        for (unsigned i = 0; i < count; i++) {
                const struct sent *sent = &g_array_index(bench->sent, struct sent, i);

                bench_say("  %02x %02x %02x to LUN %" G_GUINT64_FORMAT " after %" G_GINT64_FORMAT
                          " us",
                          sent->cdb[0], sent->cdb[1], sent->cdb[2], sent->lun, sent->at - begun);
        }
        unlock(bench);
        return count;
}

/* ---- what is measured ---- */

static uint64_t lun_of(unsigned index) {
        return index < 256 ? index : FLAT + index;
}

static void change(struct bench *bench) {
        const struct sim_unit more = sim_disk(bench->size), other = sim_disk(bench->size + 1);
        struct sim_machine *machine = lock(bench);

        sim_set_target_quirks(machine, TARGET, SIM_QUIET);
        sim_map(machine, TARGET, bench->more, &more);
        sim_map(machine, TARGET, bench->swapped, &other);
        sim_set_target_quirks(machine, TARGET, 0);
        unlock(bench);
}

/* When the signal came that names the LUN's address. */
static gint64 wait_told(struct bench *bench, guint from, const char *member, uint64_t lun) {
        struct client *client = harness_client(bench->harness);
        g_autofree char *address = g_strdup_printf("'0:0:0:%" G_GUINT64_FORMAT "'", lun);

        return client_arrived_at(client, client_signal(client, from, member, address));
}

static void measure_one_more(struct bench *bench) {
        guint from = client_arrived(harness_client(bench->harness));
        gint64 begun, attached, replaced;
        unsigned needed;

        change(bench);
        sim_machine_on_command(lock(bench), on_command, bench);
        unlock(bench);
        begun = g_get_monotonic_time();
        sim_unit_attention(lock(bench), TELLER, 0x3f, 0x0e);
        unlock(bench);
        sim_touch(lock(bench), TELLER);
        unlock(bench);
        attached = wait_told(bench, from, "Attached", bench->more);
        replaced = wait_told(bench, from, "Replaced", bench->swapped);
        needed = sent_for_the_new_one(bench, begun, attached);
        bench_say("one more of %u: Attached after %" G_GINT64_FORMAT " us and %u commands of ours"
                  " (%u on their way by then)",
                  bench->size, attached - begun, needed, sent_until(bench, attached));
        bench_say("another one swapped: Replaced after %" G_GINT64_FORMAT " us and %u commands",
                  replaced - begun, sent_until(bench, replaced));
        g_assert_cmpuint(needed, >, 0);
        g_assert_cmpuint(needed, <=, COMMANDS_MAX);
        harness_check_complete(bench->harness);
        bench_say("all is quiet after %u commands", sent_until(bench, G_MAXINT64));
}

static void measure_scan(struct bench *bench) {
        struct client *client = harness_client(bench->harness);
        gint64 begun;

        lock(bench);
        g_array_set_size(bench->sent, 0);
        unlock(bench);
        begun = g_get_monotonic_time();
        client_scan_wait(client, "0:0:0");
        bench_say("for comparison, Scan of that target: %" G_GINT64_FORMAT " us, %u commands",
                  g_get_monotonic_time() - begun, sent_until(bench, G_MAXINT64));
        bench_say("for comparison, by the kernel's means: a scan, which never sees the swap, and a"
                  " rescan of each device, at least %u commands",
                  KERNEL_RESCAN_COMMANDS * (bench->size + 1));
        g_assert_cmpuint(sent_until(bench, G_MAXINT64), >=, bench->size);
}

static void test_one_more(gconstpointer size) {
        struct bench bench = {.size = GPOINTER_TO_UINT(size)};

        bench.more = lun_of(bench.size);
        bench.swapped = lun_of(bench.size - 1);
        bench.sent = g_array_new(FALSE, FALSE, sizeof(struct sent));
        bench.harness = harness_boot(machine_new(1, 1, bench.size));
        harness_check_complete(bench.harness);
        g_usleep(REST_USEC);
        measure_one_more(&bench);
        measure_scan(&bench);
        sim_machine_on_command(lock(&bench), NULL, NULL);
        unlock(&bench);
        harness_free(bench.harness);
        g_array_free(bench.sent, TRUE);
}

int main(int argc, char **argv) {
        unsigned size = bench_init(&argc, &argv, 1024, 2);

        g_test_add_data_func("/bench/one-more", GUINT_TO_POINTER(size), test_one_more);
        return g_test_run();
}
