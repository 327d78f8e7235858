/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a well-behaved client notices of others that ask too much: how long it waits for an answer
 * while nobody else is there, and while many connections of one other user do their worst. For
 * comparison, what the bus itself needs in the same time; and how large the service became.
 */

#include <stdatomic.h>
#include <unistd.h>

#include "bench.h"
#include "bus/raw.h"

#define HOSTS 2
#define TARGETS 4
#define LUNS 32
#define PIPELINED 100
#define SECONDS_EACH 2

struct flood {
        struct harness *harness;
        unsigned clients;
        uid_t uid;
        int *fds;
        guint64 calls;
        atomic_bool ends;
        void (*run)(struct flood *flood); /* until it ends */
};

static void connect_all(struct flood *flood) {
        flood->fds = g_new(int, flood->clients);
        for (unsigned i = 0; i < flood->clients; i++) {
                flood->fds[i] = raw_client(harness_address(flood->harness), flood->uid);
                g_assert_cmpint(flood->fds[i], >=, 0);
        }
}

static void close_all(struct flood *flood) {
        for (unsigned i = 0; i < flood->clients; i++)
                close(flood->fds[i]);
        g_free(flood->fds);
}

/* ---- what they do ---- */

static void nothing(struct flood *flood) {
        while (!flood->ends)
                g_usleep(10000);
}

static GByteArray *get_call(void) {
        return raw_call(SCSISCAN_PATH, PROPERTIES_INTERFACE, "Get",
                        g_variant_new("(ss)", SCSISCAN_INTERFACE_TOPOLOGY, "Generation"));
}

/* Each asks a hundred times without waiting, and reads the answers. */
static void pipelined(struct flood *flood) {
        g_autoptr(GByteArray) call = get_call();

        connect_all(flood);
        while (!flood->ends) {
                for (unsigned i = 0; i < flood->clients; i++)
                        raw_send_many(flood->fds[i], call, 2, PIPELINED);
                for (unsigned i = 0; i < flood->clients; i++)
                        g_assert_true(raw_skip_replies(flood->fds[i], PIPELINED));
                flood->calls += (guint64)flood->clients * PIPELINED;
        }
        close_all(flood);
}

/* The bus keeps what they do not read. So many stay below 127 MiB in all, dbus-daemon's limit for
 * what it keeps of one connection: this is about the service, not about what a bus does there. */
#define NEVER_READING_MAX 16
#define NEVER_READ 50

/* Each asks for everything and reads no answer; after a while others take its place. */
static void never_reading(struct flood *flood) {
        g_autoptr(GByteArray) call =
                raw_call(SCSISCAN_PATH, MANAGER_INTERFACE, "GetManagedObjects", NULL);
        unsigned clients = flood->clients;

        flood->clients = MIN(clients, NEVER_READING_MAX);
        while (!flood->ends) {
                connect_all(flood);
                for (unsigned i = 0; i < NEVER_READ && !flood->ends; i++) {
                        for (unsigned k = 0; k < flood->clients; k++)
                                g_assert_true(raw_send_some(flood->fds[k], call, i + 2, 1));
                        flood->calls += flood->clients;
                        g_usleep(1000);
                }
                close_all(flood);
        }
        flood->clients = clients;
}

/* They ask and are gone, and others come. */
static void vanishing(struct flood *flood) {
        g_autoptr(GByteArray) call =
                raw_call(SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Settle",
                         g_variant_new("(st)", "", (guint64)SECONDS_EACH * G_USEC_PER_SEC));

        while (!flood->ends) {
                connect_all(flood);
                for (unsigned i = 0; i < flood->clients; i++)
                        raw_send_many(flood->fds[i], call, 2, PIPELINED);
                close_all(flood);
                flood->calls += (guint64)flood->clients * PIPELINED;
        }
}

/* Each adds a rule of its own for the service's signals and takes it back, over and over. */
static void matching(struct flood *flood) {
        g_autofree char *rule = g_strdup("type='signal',sender='" SCSISCAN_BUS_NAME
                                         "',path_namespace='" SCSISCAN_PATH "'");
        g_autoptr(GByteArray) add = raw_call_to(BUS_INTERFACE, BUS_PATH, BUS_INTERFACE, "AddMatch",
                                                g_variant_new("(s)", rule));
        g_autoptr(GByteArray) remove = raw_call_to(BUS_INTERFACE, BUS_PATH, BUS_INTERFACE,
                                                   "RemoveMatch", g_variant_new("(s)", rule));

        connect_all(flood);
        while (!flood->ends) {
                for (unsigned i = 0; i < flood->clients; i++)
                        raw_send_many(flood->fds[i], add, 2, PIPELINED);
                for (unsigned i = 0; i < flood->clients; i++)
                        raw_send_many(flood->fds[i], remove, 2, PIPELINED);
                for (unsigned i = 0; i < flood->clients; i++)
                        g_assert_true(raw_skip_replies(flood->fds[i], 2 * PIPELINED));
                flood->calls += (guint64)flood->clients * 2 * PIPELINED;
        }
        close_all(flood);
}

/* ---- what the other one notices ---- */

static void *flood_thread(void *userdata) {
        struct flood *flood = userdata;

        flood->run(flood);
        return NULL;
}

static void measure(struct flood *flood, const char *name, void (*run)(struct flood *flood)) {
        struct bench_asker *asker, *bus_asker;
        struct bench_latency of_service, of_bus;
        gint64 used = bench_processor_time(flood->harness);
        GThread *thread;

        flood->run = run;
        flood->calls = 0;
        flood->ends = false;
        asker = bench_ask(flood->harness, false);
        bus_asker = bench_ask(flood->harness, true);
        g_usleep(G_USEC_PER_SEC / 10); /* it was there before the others came */
        thread = g_thread_new("flood", flood_thread, flood);
        g_usleep(SECONDS_EACH * G_USEC_PER_SEC);
        of_service = bench_ask_end(asker);
        of_bus = bench_ask_end(bus_asker);
        flood->ends = true;
        g_thread_join(thread);
        bench_say("%-13s %7" G_GUINT64_FORMAT " calls: median %6" G_GINT64_FORMAT
                  " us, longest %7" G_GINT64_FORMAT " us of %u; the bus itself %6" G_GINT64_FORMAT
                  " and %7" G_GINT64_FORMAT " us; %" G_GINT64_FORMAT
                  " ms of the processor, at most %" G_GUINT64_FORMAT " KiB",
                  name, flood->calls, of_service.median, of_service.worst, of_service.calls,
                  of_bus.median, of_bus.worst, (bench_processor_time(flood->harness) - used) / 1000,
                  bench_status(flood->harness, "VmHWM"));
        g_assert_cmpuint(of_service.calls, >, 0);
        g_assert_true(harness_runs(flood->harness));
}

static void test_flood(gconstpointer size) {
        struct flood flood = {.clients = GPOINTER_TO_UINT(size), .uid = NOBODY};
        int fd;

        flood.harness = harness_boot(machine_new(HOSTS, TARGETS, LUNS));
        harness_check_complete(flood.harness);
        fd = raw_client(harness_address(flood.harness), flood.uid);
        if (fd < 0)
                flood.uid = 0; /* no second user in this user namespace */
        else
                close(fd);
        measure(&flood, "nobody else", nothing);
        measure(&flood, "pipelined", pipelined);
        measure(&flood, "never reading", never_reading);
        measure(&flood, "vanishing", vanishing);
        measure(&flood, "matching", matching);
        harness_check_complete(flood.harness);
        harness_free(flood.harness);
}

int main(int argc, char **argv) {
        unsigned size = bench_init(&argc, &argv, 100, 1);

        g_test_add_data_func("/bench/flood", GUINT_TO_POINTER(size), test_flood);
        return g_test_run();
}
