/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "tests/unit/dbus_fixture.h"

#define SCAN SCSISCAN_INTERFACE_SCAN
#define TOPOLOGY SCSISCAN_INTERFACE_TOPOLOGY

/* The batch of that generation: each list in order, with blanks between. */
static void assert_batch(struct fixture *fixture, uint64_t generation, const char *added,
                         const char *removed, const char *changed) {
        const char *const expected[] = {added, removed, changed};
        int index = fixture_signal(fixture, 0, SCSISCAN_PATH, "Changed");
        GVariant *arguments = fixture_received(fixture, index)->parameters;
        guint64 number;

        g_variant_get_child(arguments, 0, "t", &number);
        g_assert_cmpuint(number, ==, generation);
        for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
                g_autoptr(GVariant) list = g_variant_get_child_value(arguments, i + 1);
                g_autofree char *text = fixture_print(list);

                g_assert_cmpstr(text, ==, expected[i]);
        }
}

static void assert_property_changed(struct fixture *fixture, const char *path,
                                    const char *interface, const char *expected) {
        g_autofree char *whole = g_strdup_printf("('%s', %s, @as [])", interface, expected);

        for (int i = 0; (i = fixture_signal(fixture, (unsigned)i, path, "PropertiesChanged")) >= 0;
             i++) {
                g_autofree char *text =
                        g_variant_print(fixture_received(fixture, i)->parameters, TRUE);

                if (strcmp(text, whole) == 0)
                        return;
                g_test_message("%s", text);
        }
        g_error("No PropertiesChanged %s of %s", whole, path);
}

static void test_changed(void) {
        struct fixture *fixture = fixture_set_up();

        fixture_forget(fixture);
        fixture->machine.holder = "/home";
        fixture_event(fixture, EVENT_DEVICE, "3:0:1:1", ATTENTION_NONE);
        fixture_event(fixture, EVENT_UNIT_ATTENTION, "3:0:1:1", ATTENTION_POWER_ON_RESET);
        fixture_sync(fixture);
        assert_property_changed(fixture, FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE,
                                "{'InUse': <true>, 'Holders': <['/home']>}");
        assert_property_changed(fixture, FAKE_DEVICE_1, SCSISCAN_INTERFACE_DEVICE,
                                "{'LastUnitAttention': <'power-on-reset-occurred'>}");
        assert_property_changed(fixture, SCSISCAN_PATH, TOPOLOGY, "{'Generation': <uint64 2>}");
        assert_batch(fixture, 2, "", "", FAKE_DEVICE_1);
        fixture_assert_value(fixture, SCSISCAN_PATH, TOPOLOGY, "Generation", "3");
        fixture_free(fixture);
}

static void test_busy(void) {
        struct fixture *fixture = fixture_set_up();

        fixture_forget(fixture);
        fixture->hold = true;
        fixture_event(fixture, EVENT_RESYNC, NULL, ATTENTION_NONE);
        fixture->hold = false;
        fixture_work(fixture);
        fixture_sync(fixture);
        assert_property_changed(fixture, SCSISCAN_PATH, SCAN, "{'Busy': <true>}");
        assert_property_changed(fixture, SCSISCAN_PATH, SCAN, "{'Busy': <false>}");
        fixture_free(fixture);
}

static void test_device_removed(void) {
        struct fixture *fixture = fixture_set_up();
        int detached, removed;

        fixture_forget(fixture);
        fixture_device(fixture, "3:0:1:1")->attached = false;
        fixture_event(fixture, EVENT_DEVICE, "3:0:1:1", ATTENTION_NONE);
        fixture_sync(fixture);
        detached = fixture_signal(fixture, 0, SCSISCAN_PATH, "Detached");
        removed = fixture_signal(fixture, 0, SCSISCAN_PATH, "InterfacesRemoved");
        g_assert_cmpint(detached, <, removed);
        fixture_assert_received(fixture, detached, SCSISCAN_PATH,
                                "('" FAKE_DEVICE_1 "', '3:0:1:1', 'naa.6000a', 'removed')");
        assert_property_changed(fixture, FAKE_UNIT_A, SCSISCAN_INTERFACE_UNIT,
                                "{'Devices': <[objectpath '" FAKE_DEVICE_0 "']>}");
        fixture_free(fixture);
}

/* Everything under it goes with it, and in the order in which things name each other. */
static void test_host_removed(void) {
        struct fixture *fixture = fixture_set_up();
        const char *const order[] = {FAKE_DEVICE_0, FAKE_TARGET, FAKE_UNIT_A, FAKE_HOST};
        g_autofree char *text = NULL;
        int last = -1, detached;

        fixture_forget(fixture);
        fixture->machine.host_count = 0;
        for (size_t i = 0; i < fixture->machine.device_count; i++)
                fixture->machine.devices[i].attached = false;
        fixture_event(fixture, EVENT_HOST, "host3", ATTENTION_NONE);
        fixture_sync(fixture);
        for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
                const char *path = NULL;

                while (g_strcmp0(path, order[i]) != 0) {
                        last = fixture_signal(fixture, (unsigned)(last + 1), SCSISCAN_PATH,
                                              "InterfacesRemoved");
                        g_variant_get_child(fixture_received(fixture, last)->parameters, 0, "&o",
                                            &path);
                }
        }
        detached = fixture_signal(fixture, 0, SCSISCAN_PATH, "Detached");
        text = g_variant_print(fixture_received(fixture, detached)->parameters, FALSE);
        g_assert_true(g_str_has_suffix(text, "'host-removed')"));
        fixture_refuses(fixture, SCSISCAN_PATH, TOPOLOGY, "Find",
                        g_variant_new_parsed("('host3',)"), SCSISCAN_ERROR_NOT_FOUND, "host3");
        fixture_free(fixture);
}

/* Gone and back between two publications: another one, and both are told. */
static void test_device_returns(void) {
        struct fixture *fixture = fixture_set_up();
        int removed, added;

        fixture_forget(fixture);
        fixture_device(fixture, "3:0:1:1")->attached = false;
        fixture->quiet = true;
        fixture_event(fixture, EVENT_DEVICE, "3:0:1:1", ATTENTION_NONE);
        fixture->quiet = false;
        fixture_device(fixture, "3:0:1:1")->attached = true;
        fixture_event(fixture, EVENT_DEVICE, "3:0:1:1", ATTENTION_NONE);
        fixture_sync(fixture);
        removed = fixture_signal(fixture, 0, SCSISCAN_PATH, "InterfacesRemoved");
        added = fixture_signal(fixture, 0, SCSISCAN_PATH, "InterfacesAdded");
        g_assert_cmpint(removed, >=, 0);
        g_assert_cmpint(removed, <, added);
        assert_batch(fixture, 2, FAKE_DEVICE_1, FAKE_DEVICE_1, FAKE_TARGET " " FAKE_UNIT_A);
        fixture_free(fixture);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/signals/changed", test_changed);
        g_test_add_func("/dbus/signals/busy", test_busy);
        g_test_add_func("/dbus/signals/device-removed", test_device_removed);
        g_test_add_func("/dbus/signals/host-removed", test_host_removed);
        g_test_add_func("/dbus/signals/device-returns", test_device_returns);
        return g_test_run();
}
