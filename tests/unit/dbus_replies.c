/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <unistd.h>

#include "dbus/server_private.h"
#include "dbus/sizes.h"
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

static void fill(struct fixture *fixture, uint64_t luns) {
        add_host(fixture);
        for (uint32_t i = 0; i < TARGETS; i++)
                for (uint64_t lun = 0; lun < luns; lun++)
                        add_device(fixture, i, lun);
}

static void add_luns(struct fixture *fixture, uint32_t target, size_t count) {
        struct fact fact = {.kind = FACT_LUNS, .address.target = {9, 0, target}, .now = 1};

        fact.luns = calloc(count, sizeof(*fact.luns));
        fact.lun_count = count;
        for (size_t i = 0; i < count; i++)
                fact.luns[i] = (struct target_lun){0x4000 + i, DISPOSITION_NOT_ATTACHED};
        apply(fixture, &fact);
}

static gsize assert_estimate(struct fixture *fixture) {
        size_t estimate = size_of_all(fixture->engine, fixture->server->jobs);
        gint64 begun = g_get_monotonic_time();
        gsize size = snapshot_size(fixture);

        g_test_message("%zu bytes, estimated %zu, in %" G_GINT64_FORMAT " ms", size, estimate,
                       (g_get_monotonic_time() - begun) / 1000);
        g_assert_cmpuint(size, <=, estimate);
        g_assert_cmpuint(estimate, <, size + size / 4 + 4096);
        return size;
}

static void test_estimate(void) {
        struct fixture *fixture = fixture_set_up();

        (void)assert_estimate(fixture);
        fixture->machine.holder = "/a/mount/point/of/some/length";
        fixture_event(fixture, EVENT_RESYNC, NULL, ATTENTION_NONE);
        (void)assert_estimate(fixture);
        add_host(fixture);
        (void)assert_estimate(fixture);
        for (uint32_t i = 0; i < TARGETS; i++)
                for (uint64_t lun = 0; lun < 64; lun++)
                        add_device(fixture, i, lun);
        (void)assert_estimate(fixture);
        for (uint32_t i = 0; i < TARGETS; i++)
                add_luns(fixture, i, 256);
        (void)assert_estimate(fixture);
        fixture_free(fixture);
}

/* The size that the contract is made for, and each device is a unit of its own. */
static void test_large(void) {
        struct fixture *fixture = fixture_set_up();

        fill(fixture, 1024);
        g_assert_cmpuint(topology_device_count(engine_topology(fixture->engine)), >, 16384);
        g_assert_cmpuint(assert_estimate(fixture), <, 24 << 20);
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

/* ---- slices ---- */

static struct pending *ask(struct fixture *fixture) {
        return fixture_call_begin(fixture, fixture->client, SCSISCAN_PATH,
                                  "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL);
}

/* While a long reply is made others are answered, and nothing is told to be complete. */
static void test_interleaved(void) {
        struct fixture *fixture = fixture_set_up();
        struct pending *all;
        unsigned between = 0, told;

        fill(fixture, 1024);
        told = fixture->told;
        all = ask(fixture);
        FIXTURE_UNTIL(fixture, server_is_telling(fixture->server));
        while (server_is_telling(fixture->server)) {
                g_assert_cmpuint(fixture->told, ==, told);
                fixture_assert_value(fixture, FAKE_HOST, SCSISCAN_INTERFACE_HOST, "Number", "3");
                between++;
        }
        g_assert_cmpuint(between, >, 2);
        FIXTURE_UNTIL(fixture, all->done);
        g_assert_no_error(all->error);
        g_assert_cmpuint(fixture->told, >, told);
        pending_free(all);
        fixture_free(fixture);
}

/* Who leaves, or loses the bus, in the middle of it leaves nothing behind. */
static void test_left(gconstpointer bus_goes) {
        struct fixture *fixture = fixture_set_up();
        struct pending *all;

        fill(fixture, 512);
        all = ask(fixture);
        FIXTURE_UNTIL(fixture, server_is_telling(fixture->server));
        if (bus_goes)
                fixture_bus_kill(fixture);
        else
                fixture_disconnect(fixture);
        FIXTURE_UNTIL(fixture, all->done && !server_is_telling(fixture->server));
        pending_free(all);
        if (bus_goes)
                fixture_bus_start(fixture);
        fixture_connect(fixture);
        fixture_assert_value(fixture, FAKE_HOST, SCSISCAN_INTERFACE_HOST, "Number", "3");
        g_assert_cmpuint(snapshot_size(fixture), >, 100000);
        fixture_free(fixture);
}

static void test_limits(void) {
        struct fixture *fixture = fixture_set_up();
        struct pending *asked[REPLIES_ROOT_MAX + 2];
        const size_t count = (geteuid() == 0 ? REPLIES_ROOT_MAX : REPLIES_PER_USER_MAX) + 2;
        unsigned refused = 0;

        fixture->quiet = true; /* nobody is answered yet */
        for (size_t i = 0; i < count; i++)
                asked[i] = ask(fixture);
        FIXTURE_UNTIL(fixture, asked[count - 1]->done);
        fixture->quiet = false;
        fixture->poked = true;
        for (size_t i = 0; i < count; i++) {
                FIXTURE_UNTIL(fixture, asked[i]->done);
                if (asked[i]->error) {
                        g_autofree char *name = g_dbus_error_get_remote_error(asked[i]->error);

                        g_assert_cmpstr(name, ==, SCSISCAN_ERROR_LIMIT);
                        refused++;
                }
                pending_free(asked[i]);
        }
        g_assert_cmpuint(refused, ==, 2);
        fixture_free(fixture);
}

/* ---- pages ---- */

#define TOPOLOGY SCSISCAN_INTERFACE_TOPOLOGY

/* One page; *after is where the next one begins. Returns the paths. */
static char **list(struct fixture *fixture, const char *kind, char **after, guint32 max) {
        g_autoptr(GVariant) reply = fixture_call(fixture, SCSISCAN_PATH, TOPOLOGY, "List",
                                                 g_variant_new("(ssu)", kind, *after, max), NULL);
        g_autoptr(GVariant) page = g_variant_get_child_value(reply, 0);
        g_autoptr(GStrvBuilder) paths = g_strv_builder_new();
        GVariantIter iter;
        GVariant *properties;
        const char *path;

        g_variant_iter_init(&iter, page);
        while (g_variant_iter_loop(&iter, "(&o@a{sv})", &path, &properties)) {
                g_assert_cmpuint(g_variant_n_children(properties), >, 5);
                g_strv_builder_add(paths, path);
        }
        g_free(*after);
        g_variant_get_child(reply, 1, "s", after);
        return g_strv_builder_end(paths);
}

static void assert_page(struct fixture *fixture, const char *kind, const char *after, guint32 max,
                        const char *expected, const char *next) {
        g_autofree char *place = g_strdup(after), *text = NULL;
        g_auto(GStrv) paths = list(fixture, kind, &place, max);

        text = g_strjoinv(" ", paths);
        g_assert_cmpstr(text, ==, expected);
        g_assert_cmpstr(place, ==, next);
}

static void test_pages(void) {
        struct fixture *fixture = fixture_set_up();

        assert_page(fixture, "host", "", 0, FAKE_HOST, "");
        assert_page(fixture, "target", "", 10, FAKE_TARGET, "");
        assert_page(fixture, "unit", "", 10, FAKE_UNIT_A, "");
        assert_page(fixture, "job", "", 10, FAKE_BOOT_JOB, "");
        assert_page(fixture, "job", FAKE_BOOT_JOB, 10, "", "");
        assert_page(fixture, "device", "", 2, FAKE_DEVICE_0 " " FAKE_DEVICE_1, "");
        assert_page(fixture, "device", "", 1, FAKE_DEVICE_0, FAKE_DEVICE_0);
        assert_page(fixture, "device", FAKE_DEVICE_0, 1, FAKE_DEVICE_1, "");
        assert_page(fixture, "device", FAKE_DEVICE_1, 1, "", "");
        /* Behind what is not there. */
        assert_page(fixture, "device", SCSISCAN_PATH_DEVICE "/2_0_9_7", 1, FAKE_DEVICE_0,
                    FAKE_DEVICE_0);
        assert_page(fixture, "unit", SCSISCAN_PATH_UNIT "/naa_2e6000", 5, FAKE_UNIT_A, "");
        fixture_free(fixture);
}

static void test_page_errors(void) {
        struct fixture *fixture = fixture_set_up();
        static const struct {
                const char *arguments, *part;
        } wrong[] = {
                {"('disk', '', uint32 1)", "'disk' is none of host, target, device, unit, job"},
                {"('', '', uint32 1)", "'' is none of"},
                {"('device', '3:0:1:0', uint32 1)", "'3:0:1:0' is not the path of a device"},
                {"('device', '" FAKE_TARGET "', uint32 1)", "is not the path of a device"},
                {"('job', '" FAKE_TARGET "', uint32 1)", "is not the path of a job"},
                {"('unit', '" FAKE_BOOT_JOB "', uint32 1)", "is not the path of a unit"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
                fixture_refuses(fixture, SCSISCAN_PATH, TOPOLOGY, "List",
                                g_variant_new_parsed(wrong[i].arguments),
                                SCSISCAN_ERROR_INVALID_ARGS, wrong[i].part);
        fixture_free(fixture);
}

/* All pages together are all objects, in order, also of a machine that is too large for one reply,
 * and each page is a message that a bus takes. */
static void test_all_pages(void) {
        struct fixture *fixture = fixture_set_up();
        g_autofree char *after = g_strdup(""), *last = g_strdup("");
        guint count = 0, pages = 0;

        fill(fixture, 1024);
        do {
                g_auto(GStrv) paths = list(fixture, "unit", &after, 1000);

                for (char **path = paths; *path; path++) {
                        g_assert_cmpstr(last, <, *path);
                        g_free(last);
                        last = g_strdup(*path);
                }
                g_assert_cmpuint(g_strv_length(paths), <=, 1000);
                count += g_strv_length(paths);
                pages++;
        } while (*after);
        g_assert_cmpuint(count, ==, TARGETS * 1024 + 1);
        g_assert_cmpuint(pages, ==, 17);
        fixture_free(fixture);
}

/* ---- changes ---- */

static void assert_changes(struct fixture *fixture, guint64 since, guint64 generation,
                           bool complete, const char *expected) {
        g_autoptr(GVariant) reply = fixture_call(fixture, SCSISCAN_PATH, TOPOLOGY, "GetChanges",
                                                 g_variant_new("(t)", since), NULL);
        g_autoptr(GVariant) changes = g_variant_get_child_value(reply, 2);
        g_autoptr(GString) text = g_string_new("");
        guint64 number;
        gboolean all;
        GVariantIter iter;
        const char *word, *path;
        GVariant *properties;

        g_variant_get(reply, "(tb@*)", &number, &all, NULL);
        g_assert_cmpuint(number, ==, generation);
        g_assert_true(all == complete);
        g_variant_iter_init(&iter, changes);
        while (g_variant_iter_loop(&iter, "(t&s&o@a{sv})", &number, &word, &path, &properties))
                g_string_append_printf(text, "%s%" G_GUINT64_FORMAT " %s %s %" G_GSIZE_FORMAT,
                                       text->len ? ", " : "", number, word,
                                       path + strlen(SCSISCAN_PATH),
                                       g_variant_n_children(properties));
        g_assert_cmpstr(text->str, ==, expected);
}

static void test_changes(void) {
        struct fixture *fixture = fixture_set_up();

        assert_changes(fixture, 1, 1, true, "");
        assert_changes(fixture, 2, 1, false, "");
        assert_changes(fixture, G_MAXUINT64, 1, false, "");
        fixture_device(fixture, "3:0:1:2")->attached = true;
        fixture_event(fixture, EVENT_DEVICE, "3:0:1:2", ATTENTION_NONE);
        assert_changes(fixture, 1, 2, true,
                       "2 added /unit/naa_2e6000b 10, 2 added /device/3_0_1_2 20, "
                       "2 changed /target/3_0_1 2");
        fixture_device(fixture, "3:0:1:1")->holder = "/srv";
        fixture_event(fixture, EVENT_DEVICE, "3:0:1:1", ATTENTION_NONE);
        assert_changes(fixture, 2, 3, true, "3 changed /device/3_0_1_1 2");
        fixture_device(fixture, "3:0:1:2")->attached = false;
        fixture_event(fixture, EVENT_DEVICE, "3:0:1:2", ATTENTION_NONE);
        assert_changes(fixture, 1, 4, true,
                       "4 changed /target/3_0_1 2, 3 changed /device/3_0_1_1 2");
        assert_changes(fixture, 2, 4, true,
                       "4 removed /device/3_0_1_2 0, 4 removed /unit/naa_2e6000b 0, "
                       "3 changed /device/3_0_1_1 2, 4 changed /target/3_0_1 2");
        fixture_free(fixture);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/replies/estimate", test_estimate);
        g_test_add_func("/dbus/replies/large", test_large);
        g_test_add_func("/dbus/replies/too-large", test_too_large);
        g_test_add_func("/dbus/replies/interleaved", test_interleaved);
        g_test_add_data_func("/dbus/replies/client-left", NULL, test_left);
        g_test_add_data_func("/dbus/replies/bus-left", "", test_left);
        g_test_add_func("/dbus/replies/limits", test_limits);
        g_test_add_func("/dbus/replies/pages", test_pages);
        g_test_add_func("/dbus/replies/page-errors", test_page_errors);
        g_test_add_func("/dbus/replies/all-pages", test_all_pages);
        g_test_add_func("/dbus/replies/changes", test_changes);
        return g_test_run();
}
