/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Inhibit: who has a lease, how it ends, and how many there may be. */

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dbus/leases.h"
#include "fake_polkit.h"
#include "harness.h"
#include "holder.h"

#define HOTPLUG SCSISCAN_INTERFACE_HOTPLUG

/* ---- taking one ---- */

static void refused(GDBusConnection *connection, const char *scope, const char *who,
                    const char *why, guint64 timeout, const char *name) {
        g_autoptr(GError) error = NULL;
        g_autofree char *remote = NULL;

        g_assert_cmpint(holder_inhibit_text(connection, scope, who, why, timeout, &error), ==, -1);
        remote = g_dbus_error_get_remote_error(error);
        g_assert_cmpstr(remote, ==, name);
}

/* ---- what is told ---- */

static gsize count_leases(struct harness *harness) {
        g_autoptr(GVariant) value =
                client_get(harness_client(harness), SCSISCAN_PATH, HOTPLUG, "Leases");

        return g_variant_n_children(value);
}

static struct harness *boot(void) {
        struct harness *harness = harness_boot(machine_new(1, 2, 2));

        harness_check_complete(harness);
        return harness;
}

/* ---- one lease ---- */

static void test_visible(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        GDBusConnection *root = holder_join(harness, 0);
        struct client *nobody = client_new(harness_address(harness), NOBODY);
        guint from = client_arrived(client);
        g_autoptr(GVariant) theirs = NULL;
        g_autofree char *text = NULL;
        int fd;

        holder_assert_leases(harness, NO_LEASES);
        fd = holder_inhibit(root, "0:0:1", 0);
        (void)client_signal(client, from, "PropertiesChanged",
                            "('0:0:1', 'test', 'to see', uint32 0)");
        holder_assert_leases(harness, "[('0:0:1', 'test', 'to see', uint32 0)]");
        theirs = client_get(nobody, SCSISCAN_PATH, HOTPLUG, "Leases");
        text = g_variant_print(theirs, FALSE);
        g_assert_cmpstr(text, ==, "[('0:0:1', 'test', 'to see', 0)]");
        from = client_arrived(client);
        close(fd);
        (void)client_signal(client, from, "PropertiesChanged", "'Leases': <@a(sssu) []>");
        /* And what was held back is asked. */
        (void)client_signal(client, from, "Started", "'0:0:1', 'resync'");
        holder_assert_leases(harness, NO_LEASES);
        client_free(nobody);
        holder_leave(root);
        harness_check_complete(harness);
        harness_free(harness);
}

/* The last copy counts, in whosever hands it is: who asked may be gone. */
static void test_killed(void) {
        struct harness *harness = boot();
        GDBusConnection *root = holder_join(harness, 0);
        int fd = holder_inhibit(root, "", 0);
        int status;
        pid_t holder;

        holder_leave(root);
        holder = fork();
        g_assert_cmpint(holder, >=, 0);
        if (holder == 0) {
                for (;;)
                        pause();
        }
        close(fd);
        g_usleep(G_USEC_PER_SEC / 4);
        holder_assert_leases(harness, "[('', 'test', 'to see', uint32 0)]");
        g_assert_cmpint(kill(holder, SIGKILL), ==, 0);
        g_assert_cmpint(waitpid(holder, &status, 0), ==, holder);
        UNTIL(holder_has_leases(harness, NO_LEASES));
        harness_free(harness);
}

static void test_timeout(void) {
        struct harness *harness = boot();
        GDBusConnection *root = holder_join(harness, 0);
        int forever = holder_inhibit(root, "0:0:1:1", 0);
        int longer = holder_inhibit(root, "0:0:1", LEASE_TIMEOUT_MAX);
        gint64 begun = g_get_monotonic_time();
        int brief = holder_inhibit(root, "0:0:0", 300000);

        g_assert_false(holder_is_over(brief));
        UNTIL(holder_is_over(brief));
        g_assert_cmpint(g_get_monotonic_time() - begun, >=, 300000);
        g_assert_cmpint(g_get_monotonic_time() - begun, <, 2 * G_USEC_PER_SEC);
        UNTIL(holder_has_leases(harness, "[('0:0:1:1', 'test', 'to see', uint32 0), "
                                         "('0:0:1', 'test', 'to see', 0)]"));
        g_assert_false(holder_is_over(longer));
        close(brief);
        close(longer);
        UNTIL(holder_has_leases(harness, "[('0:0:1:1', 'test', 'to see', uint32 0)]"));
        /* The service ends before the holder does. */
        (void)harness_stop(harness);
        g_assert_true(holder_is_over(forever));
        close(forever);
        holder_leave(root);
        harness_free(harness);
}

/* Clock ticks that the service has used so far. */
static unsigned long long ticks(struct harness *harness) {
        g_autoptr(GVariant) reply =
                client_call(harness_client(harness), BUS_PATH, BUS_INTERFACE,
                            "GetConnectionUnixProcessID", g_variant_new("(s)", SCSISCAN_BUS_NAME));
        g_autofree char *path = NULL, *text = NULL;
        unsigned long long user, kernel;
        guint32 pid;

        g_variant_get(reply, "(u)", &pid);
        path = g_strdup_printf("/proc/%u/stat", pid);
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        g_assert_cmpint(sscanf(strrchr(text, ')'),
                               ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
                               &kernel),
                        ==, 2);
        return user + kernel;
}

/* What a holder writes is nobody's business, and keeps nobody busy. */
static void test_written(void) {
        struct harness *harness = boot();
        GDBusConnection *root = holder_join(harness, 0);
        int fd = holder_inhibit(root, "0:0:0", 0);
        char zeros[4096] = {};
        unsigned long long before;
        size_t written = 0;
        gssize n;

        while ((n = write(fd, zeros, sizeof(zeros))) > 0)
                written += (size_t)n;
        g_assert_cmpuint(written, >=, sizeof(zeros));
        before = ticks(harness);
        g_usleep(G_USEC_PER_SEC);
        g_assert_cmpuint(ticks(harness) - before, <, (unsigned)sysconf(_SC_CLK_TCK) / 4);
        holder_assert_leases(harness, "[('0:0:0', 'test', 'to see', uint32 0)]");
        g_assert_false(holder_is_over(fd));
        close(fd);
        UNTIL(holder_has_leases(harness, NO_LEASES));
        holder_leave(root);
        harness_free(harness);
}

/* ---- others ---- */

static void test_others(void) {
        struct harness *harness = boot();
        struct fake_polkit *polkit = fake_polkit_new(harness_address(harness));
        GDBusConnection *root = holder_join(harness, 0), *nobody = holder_join(harness, NOBODY);
        int ours = holder_inhibit(root, "0:0:0", 0), theirs;
        g_autofree char *action = NULL, *object = NULL;

        refused(nobody, "0:0:0", "test", "to see", 0, SCSISCAN_ERROR_ACCESS_DENIED);
        action = fake_polkit_action(polkit, 0);
        object = fake_polkit_detail(polkit, 0, SCSISCAN_DETAIL_OBJECT);
        g_assert_cmpstr(action, ==, SCSISCAN_ACTION_INHIBIT);
        g_assert_cmpstr(object, ==, TARGET_PATH("0_0_0"));
        fake_polkit_says(polkit, POLKIT_YES);
        theirs = holder_inhibit(nobody, "0:0:0", 0);
        holder_assert_leases(harness, "[('0:0:0', 'test', 'to see', uint32 0), "
                                      "('0:0:0', 'test', 'to see', 65534)]");
        close(theirs);
        UNTIL(holder_has_leases(harness, "[('0:0:0', 'test', 'to see', uint32 0)]"));
        g_assert_false(holder_is_over(ours));
        close(ours);
        holder_leave(nobody);
        holder_leave(root);
        fake_polkit_free(polkit);
        harness_free(harness);
}

static void test_limit(void) {
        struct harness *harness = boot();
        struct fake_polkit *polkit = fake_polkit_new(harness_address(harness));
        GDBusConnection *root = holder_join(harness, 0), *nobody = holder_join(harness, NOBODY);
        int fds[LEASES_PER_USER_MAX];

        fake_polkit_says(polkit, POLKIT_YES);
        for (guint i = 0; i < LEASES_PER_USER_MAX; i++)
                fds[i] = holder_inhibit(nobody, "0:0:0:1", 0);
        refused(nobody, "0:0:1", "test", "to see", 0, SCSISCAN_ERROR_LIMIT);
        close(holder_inhibit(root, "0:0:1", 0));
        close(fds[7]);
        UNTIL(count_leases(harness) == LEASES_PER_USER_MAX - 1);
        fds[7] = holder_inhibit(nobody, "0:0:1", 0);
        for (guint i = 0; i < LEASES_PER_USER_MAX; i++)
                close(fds[i]);
        UNTIL(holder_has_leases(harness, NO_LEASES));
        holder_leave(nobody);
        holder_leave(root);
        fake_polkit_free(polkit);
        harness_free(harness);
}

static void test_arguments(void) {
        static const char next_line[] = {(char)0xc2, (char)0x85, 0};
        static const char separator[] = {'a', (char)0xe2, (char)0x80, (char)0xa8, 0};
        static const char override[] = {(char)0xe2, (char)0x80, (char)0xae, 'x', 0};
        static const char *const bad_texts[] = {"",        "line\nfeed", "\x7f", next_line,
                                                separator, override,     "\t"};
        struct harness *harness = boot();
        GDBusConnection *root = holder_join(harness, 0);
        g_autofree char *long_who = g_strnfill(LEASE_WHO_MAX + 1, 'x');
        g_autofree char *long_why = g_strnfill(LEASE_WHY_MAX + 1, 'x');
        g_autoptr(GError) error = NULL;
        int fd;

        for (size_t i = 0; i < G_N_ELEMENTS(bad_texts); i++) {
                g_test_message("%zu", i);
                refused(root, "", bad_texts[i], "why", 0, SCSISCAN_ERROR_INVALID_ARGS);
                refused(root, "", "who", bad_texts[i], 0, SCSISCAN_ERROR_INVALID_ARGS);
        }
        refused(root, "", long_who, "why", 0, SCSISCAN_ERROR_INVALID_ARGS);
        refused(root, "", "who", long_why, 0, SCSISCAN_ERROR_INVALID_ARGS);
        refused(root, "", "who", "why", LEASE_TIMEOUT_MAX + 1, SCSISCAN_ERROR_INVALID_ARGS);
        refused(root, "0:0", "who", "why", 0, SCSISCAN_ERROR_INVALID_ARGS);
        refused(root, "host9", "who", "why", 0, SCSISCAN_ERROR_NOT_FOUND);
        refused(root, "naa.9", "who", "why", 0, SCSISCAN_ERROR_NOT_FOUND);
        holder_assert_leases(harness, NO_LEASES);
        fd = holder_inhibit_text(root, "naa.5000c50000000001",
                                 "Jürgen's tape 磁带 \xf0\x9f\x93\xbc", long_why + 1, 0, &error);
        g_assert_no_error(error);
        close(fd);
        UNTIL(holder_has_leases(harness, NO_LEASES));
        holder_leave(root);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/leases/visible", test_visible);
        g_test_add_func("/bus/leases/killed", test_killed);
        g_test_add_func("/bus/leases/timeout", test_timeout);
        g_test_add_func("/bus/leases/written", test_written);
        g_test_add_func("/bus/leases/others", test_others);
        g_test_add_func("/bus/leases/limit", test_limit);
        g_test_add_func("/bus/leases/arguments", test_arguments);
        return g_test_run();
}
