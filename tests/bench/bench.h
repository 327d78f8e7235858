/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the benchmarks share. Each is a test before the real daemon and the simulated machine: it
 * fails when something that has to come does not, never because it took long. Its figures go to
 * standard output, as comments of TAP, and mean something in an optimised build on an idle machine
 * only.
 */

#include "bus/harness.h"

/* The number on the command line, or else `size`, at least `least`. In place of harness_init(). */
unsigned bench_init(int *argc, char ***argv, unsigned size, unsigned least);

#define bench_say(...) g_test_message(__VA_ARGS__)

/* The number of that line in the daemon's /proc/PID/status: "VmRSS", in KiB. */
guint64 bench_status(struct harness *harness, const char *line);

/* The processor time that the daemon has had so far, in µs: other than a clock's, it is the same on
 * a busy machine. */
gint64 bench_processor_time(struct harness *harness);

/* How long the daemon's loop was kept at most since it began. */
void bench_say_turns(struct client *client, const char *until);

/* ---- a well-behaved client: one question after the other, a millisecond in between ---- */

struct bench_asker;

struct bench_latency {
        unsigned calls;
        gint64 median, worst; /* µs from the call to its reply */
};

/* On a thread and a connection of its own, until it is ended. It asks the service, or for
 * comparison the bus itself. */
struct bench_asker *bench_ask(struct harness *harness, bool the_bus);
struct bench_latency bench_ask_end(struct bench_asker *asker);
