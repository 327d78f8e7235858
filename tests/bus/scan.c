/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods, with every form of argument and every way of being wrong that the contract names. */

#include <string.h>

#include "harness.h"

#define ARRAY_PORT "naa.500a09848cde0001"
#define DISK_0 "naa.5000c50000000000"
#define DISK_0_UNIT SCSISCAN_PATH_UNIT "/naa_2e5000c50000000000"
#define BOOT_JOB SCSISCAN_PATH_JOB "/1"
#define LUN_1 ((struct scsi_address){{0, 0, 0}, 1})

/* One disk behind a port, and a second one that nobody scans for. */
static struct sim_machine *machine_one_disk(void) {
        struct sim_machine *machine = sim_machine_new(1);
        const struct sim_host like = {.transport = SIM_FC, .port_name = "0x10000090fa942778"};
        const struct sim_target target = {.port_name = ARRAY_PORT};
        struct scsi_target_address address =
                sim_add_target(machine, sim_add_host(machine, &like), &target);

        sim_map_disks(machine, address, 1, 0);
        return machine;
}

static struct harness *boot(void) {
        struct harness *harness = harness_boot(machine_one_disk());

        harness_check_complete(harness);
        return harness;
}

static struct sim_machine *lock(struct harness *harness) {
        return sim_server_lock(harness_sim(harness));
}

static void unlock(struct harness *harness) {
        sim_server_unlock(harness_sim(harness));
}

/* One more, of which the array says nothing to anybody. */
static void map_quietly(struct harness *harness, uint64_t lun) {
        const struct sim_unit disk = sim_disk((uint32_t)lun);
        struct sim_machine *machine = lock(harness);

        sim_set_target_quirks(machine, LUN_1.target, SIM_QUIET);
        sim_map(machine, LUN_1.target, lun, &disk);
        unlock(harness);
}

static void job_is(struct client *client, const char *job, const char *property,
                   const char *wanted) {
        g_autofree char *text = client_get_text(client, job, SCSISCAN_INTERFACE_JOB, property);

        g_assert_cmpstr(text, ==, wanted);
}

static void test_scopes(void) {
        static const char *const scopes[] = {
                "",
                "host0",
                SCSISCAN_PATH,
                HOST_PATH("0"),
                "0:0:0",
                ARRAY_PORT,
                DISK_0,
                DISK_0_UNIT,
                TARGET_PATH("0_0_0"),
                "0:0:0:0",
                "0:0:0:0x0000000000000000",
                DEVICE_PATH("0_0_0_0"),
        };
        struct harness *harness = boot();
        struct client *client = harness_client(harness);

        for (size_t i = 0; i < G_N_ELEMENTS(scopes); i++) {
                g_autofree char *job =
                        client_scan(client, scopes[i], client_options("{'wait': <true>}"));

                g_test_message("'%s': %s", scopes[i], job);
                job_is(client, job, "Scope", scopes[i]);
                job_is(client, job, "Cause", "request");
                job_is(client, job, "Result", "done");
                g_assert_true(client_settle(client, scopes[i], CLIENT_PATIENCE));
        }
        harness_free(harness);
}

/* A scope that names a place where nothing is yet finds what has come there, and only there. */
static void test_finds(void) {
        static const char *const scopes[] = {"",         "host0",   "0:0:0",
                                             ARRAY_PORT, "0:0:0:1", "0:0:0:0x0001000000000000"};

        for (size_t i = 0; i < G_N_ELEMENTS(scopes); i++) {
                struct harness *harness = boot();
                struct client *client = harness_client(harness);

                map_quietly(harness, 1);
                client_scan_wait(client, "0:0:0:0");
                harness_check(harness);
                g_assert_false(sim_is_attached(lock(harness), LUN_1));
                unlock(harness);
                client_scan_wait(client, scopes[i]);
                harness_check_complete(harness);
                harness_free(harness);
        }
}

static GVariant *scan_arguments(const char *scope, const char *options) {
        return g_variant_new("(s@a{sv})", scope, client_options(options));
}

static void test_refused(void) {
        static const struct {
                const char *scope, *options, *error, *part;
        } cases[] = {
                {"", "{'remove': <1>}", SCSISCAN_ERROR_INVALID_ARGS, "remove"},
                {"", "{'wait': <false>, 'colour': <'red'>}", SCSISCAN_ERROR_INVALID_ARGS, "colour"},
                {"", "{'wait': <'yes'>}", SCSISCAN_ERROR_INVALID_ARGS, "wait"},
                {"", "{'verify': <1>}", SCSISCAN_ERROR_INVALID_ARGS, "verify"},
                {"", "{'generation': <1>}", SCSISCAN_ERROR_INVALID_ARGS, "generation"},
                {"", "{'generation': <uint64 999999>}", SCSISCAN_ERROR_STALE_PLAN, "999999"},
                {"host7", NULL, SCSISCAN_ERROR_NOT_FOUND, "host7"},
                {"7:0:0", NULL, SCSISCAN_ERROR_NOT_FOUND, "7:0:0"},
                {"7:0:0:1", NULL, SCSISCAN_ERROR_NOT_FOUND, "7:0:0:1"},
                {"naa.500a09848cdeffff", NULL, SCSISCAN_ERROR_NOT_FOUND, "naa.500a09848cdeffff"},
                {HOST_PATH("7"), NULL, SCSISCAN_ERROR_NOT_FOUND, HOST_PATH("7")},
                {"/dev/sdzzz", NULL, SCSISCAN_ERROR_NOT_FOUND, "/dev/sdzzz"},
                {"0:0", NULL, SCSISCAN_ERROR_INVALID_ARGS, "0:0"},
                {"0:0:0:0:0", NULL, SCSISCAN_ERROR_INVALID_ARGS, "0:0:0:0:0"},
                {"0:0:0:0x12", NULL, SCSISCAN_ERROR_INVALID_ARGS, "0:0:0:0x12"},
                {"0:0:0:99999999999999999999", NULL, SCSISCAN_ERROR_INVALID_ARGS, "99999"},
                {"/tmp/sda", NULL, SCSISCAN_ERROR_INVALID_ARGS, "/tmp/sda"},
                {"/dev/../etc/passwd", NULL, SCSISCAN_ERROR_INVALID_ARGS, "/dev/.."},
                {SCSISCAN_PATH "/nonsense/1", NULL, SCSISCAN_ERROR_INVALID_ARGS, "nonsense"},
                {"naa\n", NULL, SCSISCAN_ERROR_INVALID_ARGS, "not printable"},
                {"naa.\xc3\xa4", NULL, SCSISCAN_ERROR_INVALID_ARGS, "not printable"},
        };
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint64 scans = client_get_number(client, "target-scans");

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_test_message("'%s' %s", cases[i].scope, cases[i].options);
                client_refuses(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                               scan_arguments(cases[i].scope, cases[i].options), cases[i].error,
                               cases[i].part);
                if (cases[i].options)
                        continue;
                client_refuses(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Settle",
                               g_variant_new("(st)", cases[i].scope, G_GUINT64_CONSTANT(0)),
                               cases[i].error, cases[i].part);
                client_refuses(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY, "Find",
                               g_variant_new("(s)", cases[i].scope), cases[i].error, cases[i].part);
        }
        g_assert_cmpuint(client_get_number(client, "target-scans"), ==, scans);
        harness_free(harness);
}

/* Longer than any name can be. */
static void test_long_scope(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        static const size_t lengths[] = {2048, 65536, 1 << 20};

        for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
                g_autofree char *scope = g_strnfill(lengths[i], 'x');

                client_refuses(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                               scan_arguments(scope, NULL), SCSISCAN_ERROR_INVALID_ARGS, "");
        }
        harness_free(harness);
}

static void test_generation(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint64 generation = client_get_number(client, "Generation");
        g_autofree char *options = g_strdup_printf(
                "{'generation': <uint64 %" G_GUINT64_FORMAT ">, 'wait': <true>}", generation);

        map_quietly(harness, 1);
        g_free(client_scan(client, "", client_options(options)));
        harness_check_complete(harness);
        g_assert_cmpuint(client_get_number(client, "Generation"), >, generation);
        client_refuses(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                       scan_arguments("", options), SCSISCAN_ERROR_STALE_PLAN, "generation");
        harness_free(harness);
}

static void test_verify(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint64 before = client_get_number(client, "steps-read-identity");

        g_free(client_scan(client, "", client_options("{'wait': <true>, 'verify': <false>}")));
        g_assert_cmpuint(client_get_number(client, "steps-read-identity"), ==, before);
        client_scan_wait(client, "");
        g_assert_cmpuint(client_get_number(client, "steps-read-identity"), ==, before + 1);
        harness_free(harness);
}

static void scan_object(struct harness *harness, const char *path, const char *interface,
                        const char *scope) {
        struct client *client = harness_client(harness);
        g_autoptr(GVariant) reply =
                client_call(client, path, interface, "Scan",
                            g_variant_new("(@a{sv})", client_options("{'wait': <true>}")));
        const char *job;

        g_variant_get(reply, "(&o)", &job);
        job_is(client, job, "Scope", scope);
        job_is(client, job, "Result", "done");
        harness_check_complete(harness);
        client_refuses(client, path, interface, "Scan",
                       g_variant_new("(@a{sv})", client_options("{'remove': <1>}")),
                       SCSISCAN_ERROR_INVALID_ARGS, "remove");
}

static void test_objects(void) {
        struct harness *harness = boot();

        map_quietly(harness, 1);
        scan_object(harness, HOST_PATH("0"), SCSISCAN_INTERFACE_HOST, "host0");
        map_quietly(harness, 2);
        scan_object(harness, TARGET_PATH("0_0_0"), SCSISCAN_INTERFACE_TARGET, "0:0:0");
        harness_free(harness);
}

static void test_find(void) {
        static const struct {
                const char *key, *objects;
        } cases[] = {
                {"host0", HOST_PATH("0")},
                {HOST_PATH("0"), HOST_PATH("0")},
                {"0:0:0", TARGET_PATH("0_0_0")},
                {ARRAY_PORT, TARGET_PATH("0_0_0")},
                {TARGET_PATH("0_0_0"), TARGET_PATH("0_0_0")},
                {"0:0:0:0", DEVICE_PATH("0_0_0_0")},
                {"0:0:0:0x0000000000000000", DEVICE_PATH("0_0_0_0")},
                {DEVICE_PATH("0_0_0_0"), DEVICE_PATH("0_0_0_0")},
                {DISK_0, DISK_0_UNIT " " DEVICE_PATH("0_0_0_0")},
                {DISK_0_UNIT, DISK_0_UNIT},
                {BOOT_JOB, BOOT_JOB},
                {"/dev/sda", DEVICE_PATH("0_0_0_0")},
                {"/dev/sg0", DEVICE_PATH("0_0_0_0")},
                {"", HOST_PATH("0") " " TARGET_PATH("0_0_0") " " DEVICE_PATH(
                             "0_0_0_0") " " DISK_0_UNIT},
        };
        struct harness *harness = boot();

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_auto(GStrv) paths = client_find(harness_client(harness), cases[i].key);
                g_autofree char *objects = g_strjoinv(" ", paths);

                g_assert_cmpstr(objects, ==, cases[i].objects);
        }
        harness_free(harness);
}

/* ---- jobs ---- */

static void job_call_refused(struct client *client, const char *job, const char *options,
                             const char *error, const char *part) {
        client_refuses(client, job, SCSISCAN_INTERFACE_JOB, "Cancel",
                       g_variant_new("(@a{sv})", client_options(options)), error, part);
}

static void wait_is(struct client *client, guint32 serial, const char *wanted) {
        g_autoptr(GDBusMessage) reply = client_reply(client, serial);
        const char *result;

        g_assert_cmpint(g_dbus_message_get_message_type(reply), ==,
                        G_DBUS_MESSAGE_TYPE_METHOD_RETURN);
        g_variant_get(g_dbus_message_get_body(reply), "(&s@a{st})", &result, NULL);
        g_assert_cmpstr(result, ==, wanted);
}

static void target_delay(struct harness *harness, uint32_t milliseconds) {
        sim_set_target_delay(lock(harness), LUN_1.target, milliseconds);
        unlock(harness);
}

static void test_job(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        g_autofree char *job = NULL;
        guint32 waits;

        target_delay(harness, 300);
        job = client_scan(client, "", NULL);
        waits = client_send(client, job, SCSISCAN_INTERFACE_JOB, "Wait", NULL);
        g_assert_true(client_get_flag(client, job, SCSISCAN_INTERFACE_JOB, "Cancelable"));
        job_is(client, job, "Result", "");
        g_assert_false(client_settle(client, "", 0));
        g_assert_false(client_settle(client, "0:0:0", 20000));
        g_assert_false(client_is_answered(client, waits));
        wait_is(client, waits, "done");
        /* It stays readable, and can still be waited for. */
        wait_is(client, client_send(client, job, SCSISCAN_INTERFACE_JOB, "Wait", NULL), "done");
        job_is(client, job, "State", "done");
        g_assert_false(client_get_flag(client, job, SCSISCAN_INTERFACE_JOB, "Cancelable"));
        job_call_refused(client, job, NULL, SCSISCAN_ERROR_FAILED, "has ended");
        client_refuses(client, SCSISCAN_PATH_JOB "/999", SCSISCAN_INTERFACE_JOB, "Wait", NULL,
                       SCSISCAN_ERROR_UNKNOWN_OBJECT, "");
        harness_free(harness);
}

static void test_cancel(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);
        g_autofree char *job = NULL;
        g_autoptr(GDBusMessage) reply = NULL;
        guint32 waits, scans;

        target_delay(harness, 300);
        scans = client_send(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                            scan_arguments("host0", "{'wait': <true>}"));
        job = g_strdup(SCSISCAN_PATH_JOB "/2");
        (void)client_signal(client, from, "Started", "'host0'");
        waits = client_send(client, job, SCSISCAN_INTERFACE_JOB, "Wait", NULL);
        job_call_refused(client, job, "{'now': <true>}", SCSISCAN_ERROR_INVALID_ARGS, "now");
        g_variant_unref(client_call(client, job, SCSISCAN_INTERFACE_JOB, "Cancel",
                                    g_variant_new("(@a{sv})", client_options(NULL))));
        wait_is(client, waits, "cancelled");
        reply = client_reply(client, scans);
        g_assert_cmpstr(g_dbus_message_get_error_name(reply), ==, SCSISCAN_ERROR_CANCELLED);
        (void)client_signal(client, from, "Completed", "(false");
        (void)client_signal(client, from, "Finished", "'host0', 'cancelled'");
        job_is(client, job, "Result", "cancelled");
        job_call_refused(client, job, NULL, SCSISCAN_ERROR_FAILED, "has ended");
        harness_check_complete(harness);
        harness_free(harness);
}

/* A target that does not answer ends the job that is about it alone in an error, and
 * nothing else. */
static void test_timeout(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);

        sim_set_target_manner(lock(harness), LUN_1.target, SIM_TIMES_OUT);
        unlock(harness);
        client_refuses(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                       scan_arguments("0:0:0", "{'wait': <true>}"), SCSISCAN_ERROR_DEVICE_TIMEOUT,
                       "target 0:0:0");
        harness_check(harness);
        sim_set_target_manner(lock(harness), LUN_1.target, SIM_NORMAL);
        unlock(harness);
        client_scan_wait(client, "0:0:0");
        harness_check_complete(harness);
        harness_free(harness);
}

/* What may come of a scope that names a place: there is none such, or not any more. */
static void test_nothing_there(void) {
        static const struct {
                const char *scope, *error, *part;
        } cases[] = {
                {"0:0:0:7", SCSISCAN_ERROR_NOT_REPORTED, "does not list LUN 7"},
                {"0:0:5", SCSISCAN_ERROR_NOT_FOUND, "nothing answers there"},
        };
        struct harness *harness = boot();

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
                client_refuses(harness_client(harness), SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN,
                               "Scan", scan_arguments(cases[i].scope, "{'wait': <true>}"),
                               cases[i].error, cases[i].part);
        harness_check_complete(harness);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/scan/scopes", test_scopes);
        g_test_add_func("/bus/scan/finds", test_finds);
        g_test_add_func("/bus/scan/refused", test_refused);
        g_test_add_func("/bus/scan/long-scope", test_long_scope);
        g_test_add_func("/bus/scan/generation", test_generation);
        g_test_add_func("/bus/scan/verify", test_verify);
        g_test_add_func("/bus/scan/objects", test_objects);
        g_test_add_func("/bus/scan/find", test_find);
        g_test_add_func("/bus/scan/job", test_job);
        g_test_add_func("/bus/scan/cancel", test_cancel);
        g_test_add_func("/bus/scan/timeout", test_timeout);
        g_test_add_func("/bus/scan/nothing-there", test_nothing_there);
        return g_test_run();
}
