/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "dbus/server_private.h"
#include "dbus/snapshot.h"
#include "tests/unit/dbus_fixture.h"

#define TARGETS 16

static void on_reply(GObject *source, GAsyncResult *result, gpointer userdata) {
        GDBusMessage **reply = userdata;

        *reply = g_dbus_connection_send_message_with_reply_finish(G_DBUS_CONNECTION(source), result,
                                                                  NULL);
        g_assert_nonnull(*reply);
}

/* The whole view, as it was on the wire. */
static gsize snapshot_size(struct fixture *fixture) {
        g_autoptr(GDBusMessage) call = g_dbus_message_new_method_call(
                SCSISCAN_BUS_NAME, SCSISCAN_PATH, "org.freedesktop.DBus.ObjectManager",
                "GetManagedObjects");
        g_autoptr(GDBusMessage) reply = NULL;
        g_autofree guchar *blob = NULL;
        gsize size;

        g_dbus_connection_send_message_with_reply(fixture->client, call,
                                                  G_DBUS_SEND_MESSAGE_FLAGS_NONE, G_MAXINT, NULL,
                                                  NULL, on_reply, &reply);
        FIXTURE_UNTIL(fixture, reply);
        g_assert_cmpint(g_dbus_message_get_message_type(reply), ==,
                        G_DBUS_MESSAGE_TYPE_METHOD_RETURN);
        blob = g_dbus_message_to_blob(reply, &size, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
        g_assert_nonnull(blob);
        return size;
}

/* Behind the planner's back, which would ask for each of them. */
static void apply(struct fixture *fixture, struct fact *fact) {
        struct topology *topology = (struct topology *)engine_topology(fixture->engine);
        struct change_set *changes = change_set_new();

        g_assert_cmpint(topology_apply(topology, fact, changes), ==, 0);
        change_set_free(changes);
}

static void add_host(struct fixture *fixture) {
        struct fact fact = {
                .kind = FACT_HOST, .address.target.host = 9, .host.port_count = TARGETS};

        fact.host.ports = calloc(TARGETS, sizeof(*fact.host.ports));
        for (uint32_t i = 0; i < TARGETS; i++) {
                fact.host.ports[i].target = i;
                g_snprintf(fact.host.ports[i].name, sizeof(fact.host.ports[i].name),
                           "naa.5000000000000%03u", i);
        }
        apply(fixture, &fact);
}

static void add_device(struct fixture *fixture, uint32_t target, uint64_t lun) {
        struct fact fact = {
                .kind = FACT_DEVICE,
                .address = {{9, 0, target}, lun},
                .device = {.instance = 1,
                           .vendor = "LIO-ORG ",
                           .model = "a disk of sixtee",
                           .revision = "0001",
                           .state = "running",
                           .block = "sdabc",
                           .generic = "sg12345",
                           .access_state = "active/optimized",
                           .size = 1,
                           .block_size = 512},
                .standing = STANDING_PRESENT,
        };

        fact.identity.name = g_strdup_printf("naa.6001405%021u%04u", target, (unsigned)lun);
        fact.identity.designators = g_new0(char *, 2);
        fact.identity.designators[0] = g_strdup(fact.identity.name);
        fact.identity.count = 1;
        g_snprintf(fact.serial, sizeof(fact.serial), "serial-number-of-thirty-two-%04u",
                   (unsigned)lun);
        apply(fixture, &fact);
}

static void add_luns(struct fixture *fixture, uint32_t target, size_t count) {
        struct fact fact = {.kind = FACT_LUNS, .address.target = {9, 0, target}, .now = 1};

        fact.luns = calloc(count, sizeof(*fact.luns));
        fact.lun_count = count;
        for (size_t i = 0; i < count; i++)
                fact.luns[i] = (struct target_lun){0x4000 + i, DISPOSITION_NOT_ATTACHED};
        apply(fixture, &fact);
}

static void assert_estimate(struct fixture *fixture) {
        size_t estimate = snapshot_bytes(fixture->engine, fixture->server->jobs);
        gsize size = snapshot_size(fixture);

        g_test_message("%zu bytes, estimated %zu", size, estimate);
        g_assert_cmpuint(size, <=, estimate);
        g_assert_cmpuint(estimate, <, size + size / 4 + 4096);
}

static void test_estimate(void) {
        struct fixture *fixture = fixture_set_up();

        assert_estimate(fixture);
        fixture->machine.holder = "/a/mount/point/of/some/length";
        fixture_event(fixture, EVENT_RESYNC, NULL, ATTENTION_NONE);
        assert_estimate(fixture);
        add_host(fixture);
        assert_estimate(fixture);
        for (uint32_t i = 0; i < TARGETS; i++)
                for (uint64_t lun = 0; lun < 64; lun++)
                        add_device(fixture, i, lun);
        assert_estimate(fixture);
        for (uint32_t i = 0; i < TARGETS; i++)
                add_luns(fixture, i, 256);
        assert_estimate(fixture);
        fixture_free(fixture);
}

/* The size that the contract is made for. */
static void test_large(void) {
        struct fixture *fixture = fixture_set_up();

        add_host(fixture);
        for (uint32_t i = 0; i < TARGETS; i++)
                for (uint64_t lun = 0; lun < 1024; lun++)
                        add_device(fixture, i, lun);
        g_assert_cmpuint(topology_device_count(engine_topology(fixture->engine)), >, 16384);
        assert_estimate(fixture);
        fixture_free(fixture);
}

/* Beyond it the question is refused, and all else goes on. */
static void test_too_large(void) {
        struct fixture *fixture = fixture_set_up();

        add_host(fixture);
        for (uint32_t i = 0; i < TARGETS; i++)
                add_luns(fixture, i, 16384);
        fixture_refuses(fixture, SCSISCAN_PATH, "org.freedesktop.DBus.ObjectManager",
                        "GetManagedObjects", NULL, SCSISCAN_ERROR_LIMITS_EXCEEDED, "more objects");
        fixture_assert_value(fixture, FAKE_HOST, SCSISCAN_INTERFACE_HOST, "Number", "3");
        fixture_assert_settles(fixture, "('', uint64 0)", "(true,)");
        fixture_free(fixture);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/snapshot/estimate", test_estimate);
        g_test_add_func("/dbus/snapshot/large", test_large);
        g_test_add_func("/dbus/snapshot/too-large", test_too_large);
        return g_test_run();
}
