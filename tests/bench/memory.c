/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the daemon takes for each device, four of which are the paths to one unit; how long it takes
 * to load them; and how large the reply that has them all is, and how long it takes.
 */

#include <string.h>
#include <systemd/sd-bus.h>

#include "bench.h"
#include "util/cleanup.h"

#define HOSTS 4
#define LUNS_MAX 1024 /* of a target: most of them above 255, with flat addressing */

/* `units` of them, each behind every host. */
static struct sim_machine *machine_with_paths(unsigned units) {
        struct sim_machine *machine = sim_machine_new(1);
        uint32_t targets = (units + LUNS_MAX - 1) / LUNS_MAX;

        for (unsigned i = 0; i < HOSTS; i++) {
                const struct sim_host like = {.max_id = targets};
                uint32_t host = sim_add_host(machine, &like);

                for (uint32_t id = 0; id < targets; id++) {
                        const struct sim_target target = {.target = id};

                        sim_map_disks(machine, sim_add_target(machine, host, &target),
                                      units / targets, id * LUNS_MAX);
                }
        }
        return machine;
}

static unsigned count_devices(struct client *client) {
        g_auto(GStrv) paths = client_find(client, "");
        unsigned count = 0;

        for (char **path = paths; *path; path++)
                count += g_str_has_prefix(*path, SCSISCAN_PATH_DEVICE "/");
        return count;
}

/* To a client of sd-bus, which has the reply when it has come, and takes it apart as it is read. */
static gint64 list_with_sd_bus(struct harness *harness) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        gint64 begun;

        g_assert_cmpint(sd_bus_new(&bus), >=, 0);
        g_assert_cmpint(sd_bus_set_address(bus, harness_address(harness)), >=, 0);
        g_assert_cmpint(sd_bus_set_bus_client(bus, true), >=, 0);
        g_assert_cmpint(sd_bus_start(bus), >=, 0);
        g_assert_cmpint(sd_bus_call_method(bus, SCSISCAN_BUS_NAME, SCSISCAN_PATH,
                                           BUS_INTERFACE ".Peer", "Ping", NULL, NULL, NULL),
                        >=, 0);
        begun = g_get_monotonic_time();
        g_assert_cmpint(sd_bus_call_method(bus, SCSISCAN_BUS_NAME, SCSISCAN_PATH, MANAGER_INTERFACE,
                                           "GetManagedObjects", NULL, &reply, NULL),
                        >=, 0);
        return g_get_monotonic_time() - begun;
}

static void say_listed(struct harness *harness, struct client *client) {
        gint64 used = bench_processor_time(harness);
        gint64 begun = g_get_monotonic_time(), taken;
        g_autoptr(GDBusMessage) reply =
                client_reply(client, client_send(client, SCSISCAN_PATH, MANAGER_INTERFACE,
                                                 "GetManagedObjects", NULL));
        const char *error = g_dbus_message_get_error_name(reply);
        g_autofree guchar *blob = NULL;
        gsize bytes = 0;

        taken = g_get_monotonic_time() - begun;
        used = bench_processor_time(harness) - used;
        if (error) {
                g_assert_cmpstr(error, ==, SCSISCAN_ERROR_LIMITS_EXCEEDED);
                bench_say("GetManagedObjects: too large for one reply, refused after"
                          " %" G_GINT64_FORMAT " us",
                          taken);
                return;
        }
        blob = g_dbus_message_to_blob(reply, &bytes, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
        g_assert_nonnull(blob);
        bench_say("GetManagedObjects: %" G_GSIZE_FORMAT " KiB in %" G_GINT64_FORMAT
                  " ms with GDBus, %" G_GINT64_FORMAT " ms with sd-bus; %" G_GINT64_FORMAT
                  " ms of the service's processor",
                  bytes / 1024, taken / 1000, list_with_sd_bus(harness) / 1000, used / 1000);
}

static void say_heard(struct client *client) {
        guint count = client_arrived(client);
        gsize bytes = 0;

        for (guint i = 0; i < count; i++) {
                g_autoptr(GDBusMessage) message = client_message(client, i);
                GVariant *body = g_dbus_message_get_body(message);

                bytes += body ? g_variant_get_size(body) : 0;
        }
        bench_say("the client was sent %u messages, %" G_GSIZE_FORMAT " KiB", count, bytes / 1024);
}

/* However long it takes: the alarm of the whole program is the limit. */
static void wait_ready(struct harness *harness, struct client *client) {
        UNTIL(client_sees_service(client));
        while (!client_get_flag(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY, "Ready")) {
                g_assert_true(harness_runs(harness));
                g_usleep(5000);
        }
        g_assert_true(client_settle(client, "", CLIENT_PATIENCE));
}

/* A machine that has booted; its service's resident memory in KiB is what is returned. */
static guint64 measure(unsigned devices, bool listened_to) {
        struct harness *harness = harness_new(machine_with_paths(devices / HOSTS));
        struct client *client = listened_to ? client_new(harness_address(harness), 0)
                                            : client_new_deaf(harness_address(harness), 0);
        gint64 begun = g_get_monotonic_time();
        guint64 resident;

        harness_start(harness, (struct daemon_start){});
        wait_ready(harness, client);
        resident = bench_status(harness, "VmRSS");
        bench_say("%u devices, %s: loaded in %" G_GINT64_FORMAT " ms, %" G_GINT64_FORMAT
                  " ms of the processor; resident %" G_GUINT64_FORMAT " KiB",
                  devices, listened_to ? "a client follows" : "nobody listens",
                  (g_get_monotonic_time() - begun) / 1000, bench_processor_time(harness) / 1000,
                  resident);
        bench_say_turns(client, "then");
        if (listened_to)
                say_heard(client);
        g_assert_cmpuint(count_devices(client), ==, devices);
        bench_say_turns(client, "found");
        if (devices > 0 && !listened_to) {
                say_listed(harness, client);
                bench_say_turns(client, "they are listed");
                bench_say("resident after it: %" G_GUINT64_FORMAT " KiB, at most"
                          " %" G_GUINT64_FORMAT " KiB",
                          bench_status(harness, "VmRSS"), bench_status(harness, "VmHWM"));
        }
        client_free(client);
        harness_free(harness);
        return resident;
}

static void test_memory(gconstpointer size) {
        unsigned devices = GPOINTER_TO_UINT(size) / HOSTS * HOSTS;
        guint64 empty = measure(0, false), full = measure(devices, false);

        bench_say("%" G_GINT64_FORMAT " bytes for each device",
                  ((gint64)full - (gint64)empty) * 1024 / devices);
        (void)measure(devices, true);
}

int main(int argc, char **argv) {
        unsigned size = bench_init(&argc, &argv, 4096, HOSTS);

        g_test_add_data_func("/bench/memory", GUINT_TO_POINTER(size), test_memory);
        return g_test_run();
}
