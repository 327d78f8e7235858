/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define PROGRAM_SECONDS 1800
#define SIZE_MAX_SENSIBLE 1000000
#define PAUSE_USEC 1000

unsigned bench_init(int *argc, char ***argv, unsigned size, unsigned least) {
        guint64 number = size;

        harness_init(argc, argv);
        alarm(PROGRAM_SECONDS);
        if (*argc > 2 ||
            (*argc == 2 && !g_ascii_string_to_unsigned((*argv)[1], 10, least, SIZE_MAX_SENSIBLE,
                                                       &number, NULL))) {
                g_printerr("One argument at most: a size, from %u to %u\n", least,
                           SIZE_MAX_SENSIBLE);
                exit(2);
        }
        return (unsigned)number;
}

guint64 bench_status(struct harness *harness, const char *line) {
        g_autofree char *path = g_strdup_printf("/proc/%s/status", harness_pid(harness));
        g_autofree char *text = NULL;
        g_autofree char *name = g_strdup_printf("\n%s:", line);
        const char *found;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        found = strstr(text, name);
        g_assert_nonnull(found);
        return g_ascii_strtoull(found + strlen(name), NULL, 10);
}

/* Documentation/scheduler/sched-stats.rst: first of three, in ns. */
gint64 bench_processor_time(struct harness *harness) {
        g_autofree char *path = g_strdup_printf("/proc/%s/schedstat", harness_pid(harness));
        g_autofree char *text = NULL;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        return g_ascii_strtoll(text, NULL, 10) / 1000;
}

/* ---- a well-behaved client ---- */

struct bench_asker {
        struct client *client;
        GThread *thread;
        GArray *times; /* gint64, µs */
        bool the_bus;
        atomic_bool ends;
};

static GVariant *ask_once(const struct bench_asker *asker) {
        return asker->the_bus ? client_call(asker->client, BUS_PATH, BUS_INTERFACE, "GetId", NULL)
                              : client_get(asker->client, SCSISCAN_PATH,
                                           SCSISCAN_INTERFACE_TOPOLOGY, "Generation");
}

static void *ask(void *userdata) {
        struct bench_asker *asker = userdata;

        while (!asker->ends) {
                gint64 begun = g_get_monotonic_time(), taken;

                g_variant_unref(ask_once(asker));
                taken = g_get_monotonic_time() - begun;
                g_array_append_val(asker->times, taken);
                g_usleep(PAUSE_USEC);
        }
        return NULL;
}

struct bench_asker *bench_ask(struct harness *harness, bool the_bus) {
        struct bench_asker *asker = g_new0(struct bench_asker, 1);

        asker->client = client_new_deaf(harness_address(harness), 0);
        g_assert_nonnull(asker->client);
        asker->the_bus = the_bus;
        asker->times = g_array_new(FALSE, FALSE, sizeof(gint64));
        asker->thread = g_thread_new("asker", ask, asker);
        return asker;
}

static int compare_times(const void *a, const void *b) {
        const gint64 *x = a, *y = b;

        return *x < *y ? -1 : *x > *y;
}

struct bench_latency bench_ask_end(struct bench_asker *asker) {
        struct bench_latency latency = {};
        GArray *times = asker->times;

        asker->ends = true;
        g_thread_join(asker->thread);
        g_array_sort(times, compare_times);
        latency.calls = times->len;
        if (times->len > 0) {
                latency.median = g_array_index(times, gint64, times->len / 2);
                latency.worst = g_array_index(times, gint64, times->len - 1);
        }
        g_array_free(times, TRUE);
        client_free(asker->client);
        g_free(asker);
        return latency;
}

void bench_say_turns(struct client *client, const char *until) {
        bench_say("the loop's longest turn until %s: %" G_GUINT64_FORMAT " us; %" G_GUINT64_FORMAT
                  " took more than 50 ms",
                  until, client_get_number(client, "longest-turn-usec"),
                  client_get_number(client, "turns-over-50-msec"));
}
