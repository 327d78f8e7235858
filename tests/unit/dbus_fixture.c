/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "policy/policy.h"
#include "policy/scan_rules.h"
#include "tests/unit/dbus_fixture.h"
#include "util/cleanup.h"

/* ---- the engine ---- */

struct scan_time fixture_now(void *userdata) {
        struct fixture *fixture = userdata;

        return (struct scan_time){
                .realtime = (uint64_t)g_get_real_time() + fixture->ahead,
                .monotonic = (uint64_t)g_get_monotonic_time() + fixture->ahead,
        };
}

/* What is being told stays as it is until it has been. */
static void finish_telling(struct fixture *fixture) {
        while (server_is_telling(fixture->server))
                uv_run(&fixture->loop, UV_RUN_NOWAIT);
}

static void fixture_told(void *userdata) {
        struct fixture *fixture = userdata;

        fixture->told++;
}

void fixture_publish(struct fixture *fixture) {
        server_publish(fixture->server, &(struct server_publication){.heard = true});
}

void fixture_work(struct fixture *fixture) {
        struct step step;

        finish_telling(fixture);

        if (!fixture->hold) {
                for (unsigned i = 0; i < fixture->held->len; i++)
                        fixture_answer(fixture, &g_array_index(fixture->held, struct step, i));
                g_array_set_size(fixture->held, 0);
        }
        while (engine_next(fixture->engine, fixture_now(fixture), &step))
                if (fixture->hold)
                        g_array_append_val(fixture->held, step);
                else
                        fixture_answer(fixture, &step);
        if (!fixture->quiet)
                fixture_publish(fixture);
}

void fixture_boot(struct fixture *fixture) {
        g_assert_cmpint(engine_start(fixture->engine, fixture_now(fixture)), ==, 0);
        fixture_work(fixture);
}

void fixture_event(struct fixture *fixture, enum event_kind kind, const char *address,
                   enum unit_attention attention) {
        struct event event = {.kind = kind, .attention = attention};

        if (kind == EVENT_DEVICE || kind == EVENT_UNIT_ATTENTION)
                g_assert_cmpint(scsi_address_parse(address, &event.address), ==, 0);
        else if (address)
                g_assert_cmpint(scsi_host_parse(address, &event.address.target.host), ==, 0);
        g_assert_cmpint(engine_event(fixture->engine, &event, fixture_now(fixture)), ==, 0);
        fixture_work(fixture);
}

/* ---- the loops ---- */

static void hear(struct fixture *fixture) {
        struct event event = {.kind = EVENT_RESYNC};

        if (fixture->unheard)
                g_assert_cmpint(engine_event(fixture->engine, &event, fixture_now(fixture)), ==, 0);
        fixture->unheard = false;
}

void fixture_turn(struct fixture *fixture) {
        bool moved = false;

        if (fixture->server) {
                uv_run(&fixture->loop, UV_RUN_NOWAIT);
                if (fixture->poked) {
                        fixture->poked = false;
                        hear(fixture);
                        fixture_work(fixture);
                }
        }
        while (g_main_context_iteration(NULL, FALSE))
                moved = true;
        if (!moved)
                g_usleep(500);
}

/* ---- the bus ---- */

static const char bus_config[] =
        "<!DOCTYPE busconfig PUBLIC '-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN'\n"
        " 'http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd'>\n"
        "<busconfig>\n"
        "  <type>system</type>\n"
        "  <listen>%s</listen>\n"
        "  <auth>EXTERNAL</auth>\n"
        "  <policy context='default'>\n"
        "    <allow user='*'/>\n"
        "    <allow own='*'/>\n"
        "    <allow send_type='*'/>\n"
        "    <allow receive_type='*'/>\n"
        "  </policy>\n"
        "</busconfig>\n";

static void configure_bus(struct fixture *fixture) {
        g_autofree char *config = NULL, *path = NULL;

        fixture->folder = g_dir_make_tmp("scsiscan-bus-XXXXXX", NULL);
        g_assert_nonnull(fixture->folder);
        /* Others connect too. */
        g_assert_cmpint(g_chmod(fixture->folder, 0755), ==, 0);
        fixture->address = g_strdup_printf("unix:path=%s/bus", fixture->folder);
        config = g_strdup_printf(bus_config, fixture->address);
        path = g_build_filename(fixture->folder, "bus.conf", NULL);
        g_assert_true(g_file_set_contents(path, config, -1, NULL));
        g_setenv("DBUS_SYSTEM_BUS_ADDRESS", fixture->address, TRUE);
}

/* A test that aborts leaves no bus behind. */
static void die_with_parent(gpointer userdata) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void fixture_bus_start(struct fixture *fixture) {
        g_autofree char *config = g_strdup_printf("--config-file=%s/bus.conf", fixture->folder);
        g_autoptr(GError) error = NULL;
        g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
                G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);

        g_subprocess_launcher_set_child_setup(launcher, die_with_parent, NULL, NULL);
        fixture->bus = g_subprocess_launcher_spawn(launcher, &error, "dbus-daemon", "--nofork",
                                                   config, NULL);
        g_assert_no_error(error);
}

void fixture_bus_kill(struct fixture *fixture) {
        fixture_disconnect(fixture);
        g_subprocess_force_exit(fixture->bus);
        g_assert_true(g_subprocess_wait(fixture->bus, NULL, NULL));
        g_object_unref(fixture->bus);
        fixture->bus = NULL;
}

static void received_free(gpointer data) {
        struct received *received = data;

        g_free(received->path);
        g_free(received->interface);
        g_free(received->member);
        g_variant_unref(received->parameters);
        g_free(received);
}

static void on_signal(GDBusConnection *client, const gchar *sender, const gchar *path,
                      const gchar *interface, const gchar *member, GVariant *parameters,
                      gpointer userdata) {
        struct fixture *fixture = userdata;
        struct received *received = g_new0(struct received, 1);

        received->path = g_strdup(path);
        received->interface = g_strdup(interface);
        received->member = g_strdup(member);
        received->parameters = g_variant_ref(parameters);
        g_ptr_array_add(fixture->received, received);
}

static bool has_name(struct fixture *fixture) {
        g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
                fixture->client, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                "org.freedesktop.DBus", "NameHasOwner", g_variant_new("(s)", SCSISCAN_BUS_NAME),
                G_VARIANT_TYPE("(b)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
        gboolean owned = FALSE;

        if (reply)
                g_variant_get(reply, "(b)", &owned);
        return owned;
}

static bool connect_client(struct fixture *fixture) {
        fixture->client = g_dbus_connection_new_for_address_sync(
                fixture->address,
                G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                        G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                NULL, NULL, NULL);
        return fixture->client;
}

void fixture_connect(struct fixture *fixture) {
        FIXTURE_UNTIL(fixture, connect_client(fixture));
        fixture->subscription = g_dbus_connection_signal_subscribe(
                fixture->client, SCSISCAN_BUS_NAME, NULL, NULL, NULL, NULL,
                G_DBUS_SIGNAL_FLAGS_NONE, on_signal, fixture, NULL);
        FIXTURE_UNTIL(fixture, has_name(fixture));
}

/* A signal that has arrived and was not dispatched yet holds the connection, and would come to a
 * fixture that is gone. */
void fixture_disconnect(struct fixture *fixture) {
        if (!fixture->client)
                return;
        g_dbus_connection_signal_unsubscribe(fixture->client, fixture->subscription);
        (void)g_dbus_connection_close_sync(fixture->client, NULL, NULL);
        g_object_unref(fixture->client);
        fixture->client = NULL;
}

/* ---- calls ---- */

static void on_reply(GObject *source, GAsyncResult *result, gpointer userdata) {
        struct pending *pending = userdata;

        pending->reply =
                g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &pending->error);
        pending->done = true;
}

struct pending *fixture_call_begin(struct fixture *fixture, GDBusConnection *client,
                                   const char *path, const char *interface, const char *method,
                                   GVariant *arguments) {
        struct pending *pending = g_new0(struct pending, 1);

        g_dbus_connection_call(client, SCSISCAN_BUS_NAME, path, interface, method, arguments, NULL,
                               G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_reply, pending);
        return pending;
}

void pending_free(struct pending *pending) {
        g_assert_true(pending->done);
        if (pending->reply)
                g_variant_unref(pending->reply);
        g_clear_error(&pending->error);
        g_free(pending);
}

GVariant *fixture_call(struct fixture *fixture, const char *path, const char *interface,
                       const char *method, GVariant *arguments, GError **error) {
        struct pending *pending =
                fixture_call_begin(fixture, fixture->client, path, interface, method, arguments);
        GVariant *reply;

        FIXTURE_UNTIL(fixture, pending->done);
        if (!error)
                g_assert_no_error(pending->error);
        else if (pending->error)
                *error = g_error_copy(pending->error);
        reply = pending->reply ? g_variant_ref(pending->reply) : NULL;
        pending_free(pending);
        return reply;
}

GVariant *fixture_get(struct fixture *fixture, const char *path, const char *interface,
                      const char *property) {
        g_autoptr(GVariant) reply =
                fixture_call(fixture, path, "org.freedesktop.DBus.Properties", "Get",
                             g_variant_new("(ss)", interface, property), NULL);
        GVariant *value = NULL;

        g_variant_get(reply, "(v)", &value);
        return value;
}

void fixture_refuses(struct fixture *fixture, const char *path, const char *interface,
                     const char *method, GVariant *arguments, const char *name, const char *part) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) reply =
                fixture_call(fixture, path, interface, method, arguments, &error);
        g_autofree char *remote = NULL;

        if (!error)
                g_error("%s was not refused", method);
        remote = g_dbus_error_get_remote_error(error);
        g_assert_null(reply);
        g_assert_cmpstr(remote, ==, name);
        g_assert_nonnull(strstr(error->message, part));
}

/* ---- signals ---- */

void fixture_sync(struct fixture *fixture) {
        g_autoptr(GVariant) reply = fixture_call(fixture, SCSISCAN_PATH,
                                                 "org.freedesktop.DBus.Peer", "Ping", NULL, NULL);

        g_assert_nonnull(reply);
}

void fixture_forget(struct fixture *fixture) {
        fixture_sync(fixture);
        g_ptr_array_set_size(fixture->received, 0);
}

const struct received *fixture_received(const struct fixture *fixture, int index) {
        g_assert_cmpint(index, >=, 0);
        g_assert_cmpint(index, <, (int)fixture->received->len);
        return g_ptr_array_index(fixture->received, (unsigned)index);
}

int fixture_signal(const struct fixture *fixture, unsigned from, const char *path,
                   const char *member) {
        for (unsigned i = from; i < fixture->received->len; i++) {
                const struct received *received = g_ptr_array_index(fixture->received, i);

                if (strcmp(received->member, member) == 0 &&
                    (!path || strcmp(received->path, path) == 0))
                        return (int)i;
        }
        return -1;
}

/* ---- the whole ---- */

static void poked(void *userdata) {
        struct fixture *fixture = userdata;

        fixture->poked = true;
}

static size_t counters(struct server_counter *ret, size_t max, void *userdata) {
        g_assert_cmpuint(max, >, 0);
        ret[0] = (struct server_counter){.name = "made-up", .value = 7};
        return 1;
}

struct fixture *fixture_new(bool owner) {
        struct fixture *fixture = g_new0(struct fixture, 1);
        struct engine_config engine = {
                .owner = owner, .steps_per_host = 4, .limits = &policy_limits_default};
        struct server_handler handler = {
                .told = fixture_told,
                .poked = poked,
                .now = fixture_now,
                .counters = counters,
                .reload = fixture_reload,
                .read_policy = fixture_read_policy,
                .userdata = fixture,
        };

        fixture->received = g_ptr_array_new_with_free_func(received_free);
        fixture->held = g_array_new(FALSE, FALSE, sizeof(struct step));
        configure_bus(fixture);
        g_assert_cmpint(uv_loop_init(&fixture->loop), ==, 0);
        fixture->engine = engine_new(&engine);
        g_assert_nonnull(fixture->engine);
        g_assert_cmpint(
                server_new(&fixture->loop,
                           &(struct server_config){.engine = fixture->engine, .owner = owner},
                           &handler, &fixture->server),
                ==, 0);
        return fixture;
}

void fixture_free(struct fixture *fixture) {
        server_stop(fixture->server);
        g_assert_cmpint(uv_run(&fixture->loop, UV_RUN_DEFAULT), ==, 0);
        g_assert_cmpint(uv_loop_close(&fixture->loop), ==, 0);
        server_free(fixture->server);
        engine_free(fixture->engine);
        policy_free(fixture->policy);
        if (fixture->bus)
                fixture_bus_kill(fixture);
        g_autofree char *config = g_build_filename(fixture->folder, "bus.conf", NULL);
        g_autofree char *socket = g_build_filename(fixture->folder, "bus", NULL);

        (void)g_unlink(config);
        (void)g_unlink(socket);
        g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
        g_ptr_array_unref(fixture->received);
        g_array_unref(fixture->held);
        g_free(fixture->folder);
        g_free(fixture->address);
        g_free(fixture);
}

/* ---- what most tests begin with ---- */

const struct fake_machine fake_machine = {
        .hosts = {3},
        .host_count = 1,
        .devices =
                {
                        {"3:0:1:0", "naa.6000a", .attached = true, .reported = true},
                        {"3:0:1:1", "naa.6000a", .attached = true, .reported = true},
                        {"3:0:1:2", "naa.6000b", .reported = true},
                },
        .device_count = 3,
};

struct fixture *fixture_set_up(void) {
        struct fixture *fixture = fixture_new(false);

        fixture->machine = fake_machine;
        fixture_boot(fixture);
        fixture_bus_start(fixture);
        fixture_connect(fixture);
        return fixture;
}

bool fixture_is_root(void) {
        if (geteuid() == 0)
                return true;
        g_test_skip("only root may scan");
        return false;
}

static int compare(gconstpointer a, gconstpointer b) {
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *fixture_print(GVariant *value) {
        g_autofree const char **paths = NULL;
        gsize count;

        if (!g_variant_is_of_type(value, G_VARIANT_TYPE_OBJECT_PATH_ARRAY))
                return g_variant_print(value, FALSE);
        paths = g_variant_get_objv(value, &count);
        qsort(paths, count, sizeof(*paths), compare);
        return g_strjoinv(" ", (char **)paths);
}

void fixture_assert_value(struct fixture *fixture, const char *path, const char *interface,
                          const char *property, const char *expected) {
        g_autoptr(GVariant) value = fixture_get(fixture, path, interface, property);
        g_autofree char *text = fixture_print(value);

        g_assert_cmpstr(text, ==, expected);
}

void fixture_assert_received(struct fixture *fixture, int index, const char *path,
                             const char *expected) {
        const struct received *received = fixture_received(fixture, index);
        g_autofree char *text = g_variant_print(received->parameters, FALSE);

        g_assert_cmpstr(received->path, ==, path);
        g_assert_cmpstr(text, ==, expected);
}

char *fixture_scan(struct fixture *fixture, const char *scope, const char *options) {
        g_autoptr(GVariant) reply = fixture_call(
                fixture, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                g_variant_new("(s@a{sv})", scope, g_variant_new_parsed(options)), NULL);
        char *job;

        g_variant_get(reply, "(o)", &job);
        return job;
}

void fixture_assert_settles(struct fixture *fixture, const char *arguments, const char *expected) {
        g_autoptr(GVariant) reply = fixture_call(fixture, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN,
                                                 "Settle", g_variant_new_parsed(arguments), NULL);
        g_autofree char *text = g_variant_print(reply, FALSE);

        g_assert_cmpstr(text, ==, expected);
}
