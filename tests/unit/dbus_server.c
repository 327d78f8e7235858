/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <string.h>

#include "tests/unit/dbus_fixture.h"

#define SCAN SCSISCAN_INTERFACE_SCAN
#define TOPOLOGY SCSISCAN_INTERFACE_TOPOLOGY
#define JOB SCSISCAN_INTERFACE_JOB

/* ---- reading ---- */

static const struct {
        const char *path, *interface, *property, *value;
} properties[] = {
        {SCSISCAN_PATH, SCAN, "Busy", "false"},
        {SCSISCAN_PATH, SCAN, "Mode", "'observer'"},
        {SCSISCAN_PATH, SCAN, "KernelScanMode", "'sync'"},
        {SCSISCAN_PATH, TOPOLOGY, "Ready", "true"},
        {SCSISCAN_PATH, TOPOLOGY, "Generation", "1"},
        {FAKE_HOST, SCSISCAN_INTERFACE_HOST, "Number", "3"},
        {FAKE_HOST, SCSISCAN_INTERFACE_HOST, "Driver", "'made_up'"},
        {FAKE_HOST, SCSISCAN_INTERFACE_HOST, "Transport", "'fc'"},
        {FAKE_HOST, SCSISCAN_INTERFACE_HOST, "PortName", "'naa.2000'"},
        {FAKE_HOST, SCSISCAN_INTERFACE_HOST, "State", "'running'"},
        {FAKE_HOST, SCSISCAN_INTERFACE_HOST, "Discovery", "'kernel'"},
        {FAKE_HOST, SCSISCAN_INTERFACE_HOST, "Stuck", "false"},
        {FAKE_TARGET, SCSISCAN_INTERFACE_TARGET, "Address", "'3:0:1'"},
        {FAKE_TARGET, SCSISCAN_INTERFACE_TARGET, "Host", "'" FAKE_HOST "'"},
        {FAKE_TARGET, SCSISCAN_INTERFACE_TARGET, "Transport", "'fc'"},
        {FAKE_TARGET, SCSISCAN_INTERFACE_TARGET, "PortName", "'naa.5000'"},
        {FAKE_TARGET, SCSISCAN_INTERFACE_TARGET, "PortState", "'Online'"},
        {FAKE_TARGET, SCSISCAN_INTERFACE_TARGET, "Devices", FAKE_DEVICE_0 " " FAKE_DEVICE_1},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Address", "'3:0:1:1'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Host", "'" FAKE_HOST "'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Target", "'" FAKE_TARGET "'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Unit", "'" FAKE_UNIT_A "'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Lun", "'1'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "LunHex", "'0x0001000000000000'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Type", "'disk'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Qualifier", "0x00"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Vendor", "'Linux'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Model", "'made-up'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Revision", "'0001'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "State", "'running'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Standing", "'present'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "BlockDevice", "'/dev/sdb'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "GenericDevice", "'/dev/sg1'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Identity", "'naa.6000a'"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "InUse", "false"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "Holders", "[]"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "AccessState", "''"},
        {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE, "LastUnitAttention", "''"},
        {FAKE_UNIT_A, SCSISCAN_INTERFACE_UNIT, "Identity", "'naa.6000a'"},
        {FAKE_UNIT_A, SCSISCAN_INTERFACE_UNIT, "Designators", "['naa.6000a']"},
        {FAKE_UNIT_A, SCSISCAN_INTERFACE_UNIT, "Serial", "'SERIAL'"},
        {FAKE_UNIT_A, SCSISCAN_INTERFACE_UNIT, "Type", "'disk'"},
        {FAKE_UNIT_A, SCSISCAN_INTERFACE_UNIT, "Vendor", "'Linux'"},
        {FAKE_UNIT_A, SCSISCAN_INTERFACE_UNIT, "Model", "'made-up'"},
        {FAKE_UNIT_A, SCSISCAN_INTERFACE_UNIT, "Revision", "'0001'"},
        {FAKE_UNIT_A, SCSISCAN_INTERFACE_UNIT, "Size", "1099511627776"},
        {FAKE_UNIT_A, SCSISCAN_INTERFACE_UNIT, "BlockSize", "512"},
        {FAKE_UNIT_A, SCSISCAN_INTERFACE_UNIT, "Devices", FAKE_DEVICE_0 " " FAKE_DEVICE_1},
};

static void test_properties(void) {
        struct fixture *fixture = fixture_set_up();

        for (size_t i = 0; i < G_N_ELEMENTS(properties); i++)
                fixture_assert_value(fixture, properties[i].path, properties[i].interface,
                                     properties[i].property, properties[i].value);
        fixture_free(fixture);
}

static void test_counters(void) {
        struct fixture *fixture = fixture_set_up();
        g_autoptr(GVariant) counters = fixture_get(fixture, SCSISCAN_PATH, SCAN, "Counters");
        guint64 value = 0;

        g_assert_true(g_variant_lookup(counters, "made-up", "t", &value));
        g_assert_cmpuint(value, ==, 7);
        for (enum engine_counter i = 0; i < COUNTER_KINDS; i++) {
                g_assert_true(g_variant_lookup(counters, engine_counter_name(i), "t", &value));
                g_assert_cmpuint(value, ==, engine_counter(fixture->engine, i));
        }
        fixture_free(fixture);
}

/* Each object once, with its interface; the boot job too. */
static void test_managed_objects(void) {
        static const struct {
                const char *path, *interface;
        } expected[] = {
                {FAKE_HOST, SCSISCAN_INTERFACE_HOST},
                {FAKE_TARGET, SCSISCAN_INTERFACE_TARGET},
                {FAKE_DEVICE_0, SCSISCAN_INTERFACE_DEVICE},
                {FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE},
                {FAKE_UNIT_A, SCSISCAN_INTERFACE_UNIT},
                {FAKE_BOOT_JOB, JOB},
        };
        struct fixture *fixture = fixture_set_up();
        g_autoptr(GVariant) reply =
                fixture_call(fixture, SCSISCAN_PATH, "org.freedesktop.DBus.ObjectManager",
                             "GetManagedObjects", NULL, NULL);
        g_autoptr(GVariant) objects = g_variant_get_child_value(reply, 0);
        size_t ours = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
                g_autoptr(GVariant) interfaces =
                        g_variant_lookup_value(objects, expected[i].path, NULL);
                g_autoptr(GVariant) interface =
                        interfaces ? g_variant_lookup_value(interfaces, expected[i].interface, NULL)
                                   : NULL;

                g_assert_nonnull(interface);
        }
        for (size_t i = 0; i < g_variant_n_children(objects); i++) {
                g_autoptr(GVariant) entry = g_variant_get_child_value(objects, i);
                const char *path;

                g_variant_get_child(entry, 0, "&o", &path);
                ours += strcmp(path, SCSISCAN_PATH) != 0;
        }
        g_assert_cmpuint(ours, ==, G_N_ELEMENTS(expected));
        fixture_free(fixture);
}

static const struct {
        const char *key, *found;
} finds[] = {
        {"host3", FAKE_HOST},
        {"3:0:1", FAKE_TARGET},
        {"3:0:1:1", FAKE_DEVICE_1},
        {"3:0:1:0x0001000000000000", FAKE_DEVICE_1},
        {"naa.5000", FAKE_TARGET},
        {"naa.6000a", FAKE_DEVICE_0 " " FAKE_DEVICE_1 " " FAKE_UNIT_A},
        {"/dev/sg1", FAKE_DEVICE_1},
        {FAKE_HOST, FAKE_HOST},
        {FAKE_TARGET, FAKE_TARGET},
        {FAKE_DEVICE_0, FAKE_DEVICE_0},
        {FAKE_UNIT_A, FAKE_UNIT_A},
        {FAKE_BOOT_JOB, FAKE_BOOT_JOB},
        {"", FAKE_DEVICE_0 " " FAKE_DEVICE_1 " " FAKE_HOST " " FAKE_TARGET " " FAKE_UNIT_A},
};

static const struct {
        const char *key, *error;
} finds_nothing[] = {
        {"host4", SCSISCAN_ERROR_NOT_FOUND},
        {"3:0:2", SCSISCAN_ERROR_NOT_FOUND},
        {"3:0:1:7", SCSISCAN_ERROR_NOT_FOUND},
        {"naa.1", SCSISCAN_ERROR_NOT_FOUND},
        {"/dev/sdzz", SCSISCAN_ERROR_NOT_FOUND},
        {SCSISCAN_PATH_HOST "/4", SCSISCAN_ERROR_NOT_FOUND},
        {SCSISCAN_PATH_UNIT "/naa_2e1", SCSISCAN_ERROR_NOT_FOUND},
        {SCSISCAN_PATH_JOB "/9", SCSISCAN_ERROR_NOT_FOUND},
        {SCSISCAN_PATH_HOST "/03", SCSISCAN_ERROR_INVALID_ARGS},
        {"3:0:1:05", SCSISCAN_ERROR_INVALID_ARGS},
        {"3:0:1:0x05", SCSISCAN_ERROR_INVALID_ARGS},
        {"/etc/passwd", SCSISCAN_ERROR_INVALID_ARGS},
        {"/dev/fd/0", SCSISCAN_ERROR_INVALID_ARGS},
};

static void test_find(void) {
        struct fixture *fixture = fixture_set_up();

        for (size_t i = 0; i < G_N_ELEMENTS(finds); i++) {
                g_autoptr(GVariant) reply = fixture_call(fixture, SCSISCAN_PATH, TOPOLOGY, "Find",
                                                         g_variant_new("(s)", finds[i].key), NULL);
                g_autoptr(GVariant) objects = g_variant_get_child_value(reply, 0);
                g_autofree char *text = fixture_print(objects);

                g_assert_cmpstr(text, ==, finds[i].found);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(finds_nothing); i++)
                fixture_refuses(fixture, SCSISCAN_PATH, TOPOLOGY, "Find",
                                g_variant_new("(s)", finds_nothing[i].key), finds_nothing[i].error,
                                finds_nothing[i].key);
        fixture_free(fixture);
}

/* Whatever the order in which things were seen: numbers as numbers. */
static void test_find_order(void) {
        static const struct fake_machine machine = {
                .hosts = {10, 3},
                .host_count = 2,
                .devices =
                        {
                                {"10:0:1:0", "naa.6000b", .attached = true, .reported = true},
                                {"3:0:1:0", "naa.6000a", .attached = true, .reported = true},
                                {"3:0:1:2", "naa.6000b", .attached = true, .reported = true},
                                {"3:0:1:10", "naa.6000a", .attached = true, .reported = true},
                        },
                .device_count = 4,
        };
        static const struct {
                const char *key;
                const char *found[11];
        } examples[] = {
                {"",
                 {SCSISCAN_PATH_HOST "/3", SCSISCAN_PATH_HOST "/10", SCSISCAN_PATH_TARGET "/3_0_1",
                  SCSISCAN_PATH_TARGET "/10_0_1", FAKE_DEVICE_0, FAKE_DEVICE_2,
                  SCSISCAN_PATH_DEVICE "/3_0_1_10", SCSISCAN_PATH_DEVICE "/10_0_1_0", FAKE_UNIT_A,
                  FAKE_UNIT_B}},
                {"naa.5000", {SCSISCAN_PATH_TARGET "/3_0_1", SCSISCAN_PATH_TARGET "/10_0_1"}},
                {"naa.6000b", {FAKE_UNIT_B, FAKE_DEVICE_2, SCSISCAN_PATH_DEVICE "/10_0_1_0"}},
        };
        struct fixture *fixture = fixture_new(false);

        fixture->machine = machine;
        fixture_boot(fixture);
        fixture_bus_start(fixture);
        fixture_connect(fixture);
        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++) {
                g_autoptr(GVariant) reply =
                        fixture_call(fixture, SCSISCAN_PATH, TOPOLOGY, "Find",
                                     g_variant_new("(s)", examples[i].key), NULL);
                g_auto(GStrv) paths = NULL;

                g_variant_get(reply, "(^ao)", &paths);
                g_assert_cmpstrv(paths, examples[i].found);
        }
        fixture_free(fixture);
}

static void test_unknown_objects(void) {
        static const char *const paths[] = {
                SCSISCAN_PATH_HOST "/4",       SCSISCAN_PATH_HOST "/03",
                SCSISCAN_PATH_TARGET "/3_0_2", SCSISCAN_PATH_DEVICE "/3_0_1_9",
                SCSISCAN_PATH_UNIT "/naa_2e1", SCSISCAN_PATH_JOB "/0",
                SCSISCAN_PATH_JOB "/9",
        };
        struct fixture *fixture = fixture_set_up();

        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
                fixture_refuses(fixture, paths[i], "org.freedesktop.DBus.Properties", "GetAll",
                                g_variant_new("(s)", ""), SCSISCAN_ERROR_UNKNOWN_OBJECT, "");
        fixture_free(fixture);
}

/* ---- the connection ---- */

/* No bus, then one; it dies under a waiting call and leaves its socket behind; another one comes.
 */
static void test_bus_comes_and_goes(void) {
        struct fixture *fixture = fixture_new(false);
        struct pending *waiting;

        fixture->machine = fake_machine;
        fixture_boot(fixture);
        for (unsigned i = 0; i < 100; i++)
                fixture_turn(fixture);
        fixture_bus_start(fixture);
        fixture_connect(fixture);
        fixture_assert_value(fixture, SCSISCAN_PATH, TOPOLOGY, "Generation", "1");

        fixture->hold = true;
        fixture_event(fixture, EVENT_RESYNC, NULL, ATTENTION_NONE);
        waiting = fixture_call_begin(fixture, fixture->client, SCSISCAN_PATH, SCAN, "Settle",
                                     g_variant_new_parsed("('', uint64 18446744073709551615)"));
        fixture_sync(fixture);
        fixture_bus_kill(fixture);
        FIXTURE_UNTIL(fixture, waiting->done);
        g_assert_nonnull(waiting->error);
        pending_free(waiting);
        fixture->hold = false;
        fixture_device(fixture, "3:0:1:2")->attached = true;
        fixture_work(fixture);
        g_assert_nonnull(topology_unit(engine_topology(fixture->engine), "naa.6000b"));

        fixture_bus_start(fixture);
        fixture_connect(fixture);
        fixture_assert_value(fixture, SCSISCAN_PATH, TOPOLOGY, "Generation", "2");
        fixture_assert_value(fixture, FAKE_DEVICE_2, SCSISCAN_INTERFACE_DEVICE, "Identity",
                             "'naa.6000b'");
        fixture_assert_settles(fixture, "('', uint64 18446744073709551615)", "(true,)");
        fixture_forget(fixture);
        fixture_event(fixture, EVENT_UNIT_ATTENTION, "3:0:1:1", ATTENTION_POWER_ON_RESET);
        fixture_sync(fixture);
        g_assert_cmpint(fixture_signal(fixture, 0, SCSISCAN_PATH, "Changed"), >=, 0);
        fixture_free(fixture);
}

static unsigned count_signals(const struct fixture *fixture, const char *member) {
        unsigned count = 0;

        for (int i = 0; (i = fixture_signal(fixture, (unsigned)i, NULL, member)) >= 0; i++)
                count++;
        return count;
}

/* A bus that is stopped answers nothing and takes what fits into its socket: the service goes on.
 */
static void test_bus_hangs(void) {
        struct fixture *fixture = fixture_set_up();
        gint64 begun;

        g_subprocess_send_signal(fixture->bus, SIGSTOP);
        begun = g_get_monotonic_time();
        for (unsigned i = 0; i < 200; i++) {
                fixture_event(fixture, EVENT_UNIT_ATTENTION, "3:0:1:1",
                              i % 2 ? ATTENTION_POWER_ON_RESET : ATTENTION_MODE_PARAMETERS);
                fixture_turn(fixture);
        }
        g_assert_cmpint(g_get_monotonic_time() - begun, <, INT64_C(5000000));
        g_subprocess_send_signal(fixture->bus, SIGCONT);
        fixture_assert_value(fixture, SCSISCAN_PATH, TOPOLOGY, "Generation", "201");
        FIXTURE_UNTIL(fixture, count_signals(fixture, "UnitAttention") == 200);
        fixture_free(fixture);
}

/* The same before it has so much as said hello. */
static void test_bus_hangs_at_first(void) {
        struct fixture *fixture = fixture_new(false);
        g_autofree char *socket = g_build_filename(fixture->folder, "bus", NULL);
        gint64 begun;

        fixture->machine = fake_machine;
        fixture_bus_start(fixture);
        while (!g_file_test(socket, G_FILE_TEST_EXISTS))
                g_usleep(1000);
        g_subprocess_send_signal(fixture->bus, SIGSTOP);
        begun = g_get_monotonic_time();
        for (unsigned i = 0; i < 200; i++)
                fixture_turn(fixture);
        fixture_boot(fixture);
        g_assert_cmpint(g_get_monotonic_time() - begun, <, INT64_C(5000000));
        g_subprocess_send_signal(fixture->bus, SIGCONT);
        fixture_connect(fixture);
        fixture_assert_value(fixture, SCSISCAN_PATH, TOPOLOGY, "Generation", "1");
        fixture_free(fixture);
}

/* Somebody asks, waits, and leaves: neither answer nor memory is kept for it. */
static void test_caller_leaves(void) {
        struct fixture *fixture;
        GDBusConnection *other;
        struct pending *asked, *waiting;

        if (!fixture_is_root())
                return;
        fixture = fixture_set_up();
        fixture->hold = true;
        fixture_event(fixture, EVENT_RESYNC, NULL, ATTENTION_NONE);
        other = g_dbus_connection_new_for_address_sync(
                fixture->address,
                G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                        G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                NULL, NULL, NULL);
        waiting = fixture_call_begin(fixture, other, SCSISCAN_PATH, SCAN, "Settle",
                                     g_variant_new_parsed("('', uint64 18446744073709551615)"));
        asked = fixture_call_begin(fixture, other, SCSISCAN_PATH, SCAN, "Scan",
                                   g_variant_new_parsed("('', " NO_OPTIONS ")"));
        /* Both calls are with the service before it turns, and the caller is gone. */
        g_assert_true(g_dbus_connection_flush_sync(other, NULL, NULL));
        g_assert_true(g_dbus_connection_close_sync(other, NULL, NULL));
        FIXTURE_UNTIL(fixture, waiting->done && asked->done);
        pending_free(waiting);
        pending_free(asked);
        g_object_unref(other);
        fixture_sync(fixture);
        g_assert_null(engine_job(fixture->engine, 2));
        fixture->hold = false;
        fixture_work(fixture);
        fixture_assert_settles(fixture, "('', uint64 0)", "(true,)");
        fixture_free(fixture);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/server/properties", test_properties);
        g_test_add_func("/dbus/server/counters", test_counters);
        g_test_add_func("/dbus/server/managed-objects", test_managed_objects);
        g_test_add_func("/dbus/server/find", test_find);
        g_test_add_func("/dbus/server/find-order", test_find_order);
        g_test_add_func("/dbus/server/unknown-objects", test_unknown_objects);
        g_test_add_func("/dbus/server/bus-comes-and-goes", test_bus_comes_and_goes);
        g_test_add_func("/dbus/server/bus-hangs", test_bus_hangs);
        g_test_add_func("/dbus/server/bus-hangs-at-first", test_bus_hangs_at_first);
        g_test_add_func("/dbus/server/caller-leaves", test_caller_leaves);
        return g_test_run();
}
