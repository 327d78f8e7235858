/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who may do what, and how much of it: users that are not root, and clients that ask too much. */

#include <string.h>
#include <unistd.h>

#include "dbus/waiting.h"
#include "harness.h"
#include "raw.h"

#define FLOOD 1000
#define VANISHING 50
#define CALLS_EACH WAITING_ROOT_MAX

static struct harness *boot(void) {
        struct harness *harness = harness_boot(machine_new(1, 2, 4));

        harness_check_complete(harness);
        return harness;
}

static void targets_delay(struct harness *harness, uint32_t milliseconds) {
        struct sim_machine *machine = sim_server_lock(harness_sim(harness));

        for (uint32_t id = 0; id < 2; id++)
                sim_set_target_delay(machine, (struct scsi_target_address){0, 0, id}, milliseconds);
        sim_server_unlock(harness_sim(harness));
}

static GVariant *scan_arguments(const char *scope, const char *options) {
        return g_variant_new("(s@a{sv})", scope, client_options(options));
}

static GVariant *no_options(void) {
        return g_variant_new("(@a{sv})", client_options(NULL));
}

/* ---- nobody ---- */

static struct client *client_nobody(struct harness *harness) {
        struct client *client = client_new(harness_address(harness), NOBODY);

        if (!client)
                g_test_skip("no second user in this user namespace");
        return client;
}

static void test_nobody_reads(void) {
        struct harness *harness = boot();
        struct client *nobody = client_nobody(harness);

        if (nobody) {
                g_autoptr(GVariant) theirs = client_call(nobody, SCSISCAN_PATH, MANAGER_INTERFACE,
                                                         "GetManagedObjects", NULL);
                g_autoptr(GVariant) ours =
                        client_call(harness_client(harness), SCSISCAN_PATH, MANAGER_INTERFACE,
                                    "GetManagedObjects", NULL);
                g_auto(GStrv) found = client_find(nobody, "0:0:1:3");

                g_assert_true(g_variant_equal(theirs, ours));
                g_assert_cmpstr(found[0], ==, DEVICE_PATH("0_0_1_3"));
                g_assert_true(client_settle(nobody, "", CLIENT_PATIENCE));
                g_assert_cmpuint(client_get_number(nobody, "target-scans"), >, 0);
                g_variant_unref(client_call(nobody, SCSISCAN_PATH_JOB "/1", SCSISCAN_INTERFACE_JOB,
                                            "Wait", NULL));
        }
        client_free(nobody);
        harness_free(harness);
}

static void refused(struct client *nobody, const char *path, const char *interface,
                    const char *method, GVariant *arguments, const char *action) {
        client_refuses(nobody, path, interface, method, arguments, SCSISCAN_ERROR_ACCESS_DENIED,
                       action);
}

static void test_nobody_acts(void) {
        struct harness *harness = boot();
        struct client *nobody = client_nobody(harness);
        struct client *client = harness_client(harness);
        guint64 scans = client_get_number(client, "target-scans");
        g_autofree char *job = NULL, *result = NULL;

        if (nobody) {
                refused(nobody, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                        scan_arguments("", NULL), SCSISCAN_ACTION_SCAN);
                refused(nobody, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                        scan_arguments("0:0:0", "{'wait': <true>}"), SCSISCAN_ACTION_SCAN);
                refused(nobody, HOST_PATH("0"), SCSISCAN_INTERFACE_HOST, "Scan", no_options(),
                        SCSISCAN_ACTION_SCAN);
                refused(nobody, TARGET_PATH("0_0_0"), SCSISCAN_INTERFACE_TARGET, "Scan",
                        no_options(), SCSISCAN_ACTION_SCAN);
                g_assert_cmpuint(client_get_number(client, "target-scans"), ==, scans);
                targets_delay(harness, 200);
                job = client_scan(client, "", NULL);
                refused(nobody, job, SCSISCAN_INTERFACE_JOB, "Cancel", no_options(),
                        SCSISCAN_ACTION_CANCEL);
                g_variant_unref(client_call(nobody, job, SCSISCAN_INTERFACE_JOB, "Wait", NULL));
                result = client_get_text(client, job, SCSISCAN_INTERFACE_JOB, "Result");
                g_assert_cmpstr(result, ==, "done");
                client_refuses(nobody, BUS_PATH, BUS_INTERFACE, "RequestName",
                               g_variant_new("(su)", SCSISCAN_BUS_NAME, 2),
                               SCSISCAN_ERROR_ACCESS_DENIED, "own");
        }
        client_free(nobody);
        harness_free(harness);
}

/* ---- too much ---- */

struct tally {
        guint taken, limited, limited_by_bus;
};

/* Every call gets one answer: a job, our limit, or the bus's. */
static struct tally flood_read(int fd) {
        struct tally tally = {};

        for (guint answers = 0; answers < FLOOD;) {
                g_autoptr(GDBusMessage) message = raw_receive(fd);
                const char *error = g_dbus_message_get_error_name(message);

                if (g_dbus_message_get_reply_serial(message) < 2)
                        continue; /* NameAcquired */
                answers++;
                if (!error)
                        tally.taken++;
                else if (strcmp(error, SCSISCAN_ERROR_LIMIT) == 0)
                        tally.limited++;
                else if (strcmp(error, SCSISCAN_ERROR_LIMITS_EXCEEDED) == 0)
                        tally.limited_by_bus++;
                else
                        g_error("an answer is %s", error);
        }
        return tally;
}

/* A client that asks for a thousand scans and reads nothing: another is served all the same. */
static void test_flood(void) {
        struct harness *harness = boot();
        struct client *other = harness_client(harness);
        g_autoptr(GByteArray) call =
                raw_call(SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan", scan_arguments("", NULL));
        int fd = raw_client(harness_address(harness), 0);
        g_auto(GStrv) found = NULL;
        struct tally tally;

        g_assert_cmpint(fd, >=, 0);
        targets_delay(harness, 50);
        raw_send_many(fd, call, 2, FLOOD);
        found = client_find(other, "0:0:1:3");
        g_assert_cmpstr(found[0], ==, DEVICE_PATH("0_0_1_3"));
        g_assert_true(client_settle(other, "", CLIENT_PATIENCE / 2));
        tally = flood_read(fd);
        g_test_message("%u taken, %u limited, %u limited by the bus", tally.taken, tally.limited,
                       tally.limited_by_bus);
        g_assert_cmpuint(tally.taken, >, 0);
        g_assert_cmpuint(tally.limited, >, 0);
        close(fd);
        targets_delay(harness, 0);
        client_scan_wait(other, "");
        harness_check_complete(harness);
        harness_free(harness);
}

/* As many calls wait as root may have, and it goes without hearing of them; again and again,
 * till they would be more than all clients together may have. */
static void test_vanish(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);

        targets_delay(harness, 1000);
        g_free(client_scan(client, "", NULL));
        for (unsigned i = 0; i < VANISHING; i++) {
                struct client *passing = client_new(harness_address(harness), 0);

                for (unsigned call = 0; call < CALLS_EACH; call++)
                        (void)client_send(passing, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Settle",
                                          g_variant_new("(st)", "", G_MAXUINT64));
                client_refuses(passing, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Settle",
                               g_variant_new("(st)", "", G_MAXUINT64), SCSISCAN_ERROR_LIMIT,
                               "waiting");
                (void)client_send(passing, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Scan",
                                  scan_arguments("", "{'wait': <true>}"));
                client_free(passing);
        }
        g_assert_false(client_settle(client, "", 1000));
        targets_delay(harness, 0);
        client_scan_wait(client, "");
        harness_check_complete(harness);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/rights/nobody-reads", test_nobody_reads);
        g_test_add_func("/bus/rights/nobody-acts", test_nobody_acts);
        g_test_add_func("/bus/rights/flood", test_flood);
        g_test_add_func("/bus/rights/vanish", test_vanish);
        return g_test_run();
}
