/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What changes on the array is followed without anybody asking, and what is asked for is done: map,
 * unmap, replace and grow, in use and not; Attach, Detach, Refresh and AcceptReplacement.
 */

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"

#define HOTPLUG SCSISCAN_INTERFACE_HOTPLUG
#define DEVICE SCSISCAN_INTERFACE_DEVICE
#define UNIT SCSISCAN_INTERFACE_UNIT

/* Two paths to disks 0 and 1: LUN 0 and 1 of one target each on two hosts. */
#define PATH_A ((struct scsi_target_address){0, 0, 0})
#define PATH_B ((struct scsi_target_address){1, 0, 0})
#define A0 ((struct scsi_address){PATH_A, 0})
#define A1 ((struct scsi_address){PATH_A, 1})
#define A2 ((struct scsi_address){PATH_A, 2})
#define B0 ((struct scsi_address){PATH_B, 0})
#define B1 ((struct scsi_address){PATH_B, 1})
#define A1_PATH DEVICE_PATH("0_0_0_1")
#define A2_PATH DEVICE_PATH("0_0_0_2")
#define B1_PATH DEVICE_PATH("1_0_0_1")
#define DISK_1 "naa.5000c50000000001"
#define DISK_2 "naa.5000c50000000002"
#define DISK_9 "naa.5000c50000000009"
#define DISK_1_UNIT SCSISCAN_PATH_UNIT "/naa_2e5000c50000000001"
#define DISK_9_UNIT SCSISCAN_PATH_UNIT "/naa_2e5000c50000000009"

static struct harness *boot(void) {
        struct sim_machine *machine = sim_machine_new(1);
        const struct sim_host like = {.max_id = 1};
        const struct sim_target target = {};
        struct harness *harness;

        for (unsigned i = 0; i < 2; i++)
                sim_map_disks(machine,
                              sim_add_target(machine, sim_add_host(machine, &like), &target), 2, 0);
        harness = harness_boot(machine);
        harness_check_complete(harness);
        return harness;
}

static struct sim_machine *lock(struct harness *harness) {
        return sim_server_lock(harness_sim(harness));
}

static void unlock(struct harness *harness) {
        sim_server_unlock(harness_sim(harness));
}

static void hold(struct harness *harness, struct scsi_address address, const char *holder) {
        sim_set_holder(lock(harness), address, holder);
        unlock(harness);
}

static void map(struct harness *harness, struct scsi_address address, uint32_t disk) {
        const struct sim_unit unit = sim_disk(disk);

        sim_map(lock(harness), address.target, address.lun, &unit);
        unlock(harness);
}

/* Nobody is told. */
static void be_quiet(struct harness *harness) {
        sim_set_target_quirks(lock(harness), PATH_A, SIM_QUIET);
        unlock(harness);
}

static void touch(struct harness *harness, struct scsi_address address) {
        sim_touch(lock(harness), address);
        unlock(harness);
}

static void is_text(struct client *client, const char *path, const char *interface,
                    const char *property, const char *wanted) {
        g_autoptr(GVariant) value = client_get(client, path, interface, property);
        g_autofree char *text = g_variant_print(value, FALSE);

        g_assert_cmpstr(text, ==, wanted);
}

static bool has_text(struct client *client, const char *path, const char *interface,
                     const char *property, const char *wanted) {
        g_autoptr(GVariant) value = client_get(client, path, interface, property);
        g_autofree char *text = g_variant_print(value, FALSE);

        return strcmp(text, wanted) == 0;
}

static unsigned count(struct client *client, guint from, const char *member, const char *part) {
        unsigned found = 0;
        int at;

        while ((at = client_signal_seen(client, from, member, part)) >= 0) {
                found++;
                from = (guint)at + 1;
        }
        return found;
}

/* ---- the array changes ---- */

static void test_mapped(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);
        gint64 begun;

        map(harness, A2, 2);
        begun = g_get_monotonic_time();
        touch(harness, A0);
        (void)client_signal(client, from, "Attached", "'0:0:0:2', '" DISK_2 "'");
        g_assert_cmpint(g_get_monotonic_time() - begun, <, G_USEC_PER_SEC);
        harness_check_complete(harness);
        g_assert_cmpuint(count(client, from, "Attached", NULL), ==, 1);
        g_assert_cmpuint(
                count(client, from, "UnitAttention", "'0:0:0:0', 'reported-luns-data-has-changed'"),
                ==, 1);
        is_text(client, DEVICE_PATH("0_0_0_0"), DEVICE, "LastUnitAttention",
                "'reported-luns-data-has-changed'");
        harness_free(harness);
}

static void test_unmapped(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);

        sim_unmap(lock(harness), PATH_A, 1);
        unlock(harness);
        touch(harness, A0);
        (void)client_signal(client, from, "Detached", "'0:0:0:1', '" DISK_1 "', 'unmapped'");
        harness_wait_log(harness, "0:0:0:1: detached (unmapped)");
        harness_check_complete(harness);
        is_text(client, DISK_1_UNIT, UNIT, "Devices", "['" B1_PATH "']");
        harness_free(harness);
}

/* What somebody uses stays, and says who that is; it goes when it is let go of. */
static void test_unmapped_in_use(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);

        hold(harness, A1, "dm-0");
        sim_unmap(lock(harness), PATH_A, 1);
        unlock(harness);
        touch(harness, A0);
        UNTIL(has_text(client, A1_PATH, DEVICE, "Standing", "'missing'"));
        g_assert_true(client_settle(client, "", CLIENT_PATIENCE / 2));
        g_assert_true(client_get_flag(client, A1_PATH, DEVICE, "InUse"));
        is_text(client, A1_PATH, DEVICE, "Holders", "['dm-0']");
        g_assert_cmpint(client_signal_seen(client, from, "Detached", NULL), ==, -1);

        hold(harness, A1, NULL);
        g_free(client_scan(client, "0:0:0", client_options("{'wait': <true>, 'remove': <true>}")));
        (void)client_signal(client, from, "Detached", "'0:0:0:1', '" DISK_1 "', 'unmapped'");
        harness_check_complete(harness);
        harness_free(harness);
}

/* The array is silent; it is believed when it was seen twice. */
static void test_scan_remove(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);

        be_quiet(harness);
        sim_unmap(lock(harness), PATH_A, 1);
        unlock(harness);
        g_free(client_scan(client, "0:0:0", client_options("{'wait': <true>, 'remove': <true>}")));
        (void)client_signal(client, from, "Detached", "'0:0:0:1', '" DISK_1 "', 'unmapped'");
        harness_check_complete(harness);
        harness_free(harness);
}

static void test_replaced(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);
        guint replaced;

        map(harness, A1, 9);
        touch(harness, A0);
        replaced = client_signal(client, from, "Replaced",
                                 "'0:0:0:1', '" DISK_1 "', '" DISK_9 "', false");
        (void)client_signal(client, from, "Detached", "'0:0:0:1'");
        (void)client_signal(client, from, "Attached", "'0:0:0:1', '" DISK_9 "'");
        harness_check_complete(harness);
        is_text(client, A1_PATH, DEVICE, "Identity", "'" DISK_9 "'");
        is_text(client, A1_PATH, DEVICE, "Standing", "'present'");
        is_text(client, A1_PATH, DEVICE, "Unit", "'" DISK_9_UNIT "'");
        is_text(client, DISK_1_UNIT, UNIT, "Devices", "['" B1_PATH "']");
        g_assert_cmpint(client_signal_seen(client, replaced + 1, "Replaced", NULL), ==, -1);
        harness_free(harness);
}

static void accept(struct client *client, const char *device) {
        g_variant_unref(client_call(
                client, SCSISCAN_PATH, HOTPLUG, "AcceptReplacement",
                g_variant_new("(o@a{sv})", device, client_options("{'wait': <true>}"))));
}

static void test_replaced_in_use(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);

        hold(harness, A1, "dm-0");
        map(harness, A1, 9);
        touch(harness, A0);
        (void)client_signal(client, from, "Replaced",
                            "'0:0:0:1', '" DISK_1 "', '" DISK_9 "', true");
        is_text(client, A1_PATH, DEVICE, "Standing", "'replaced'");
        is_text(client, A1_PATH, DEVICE, "State", "'offline'");
        is_text(client, A1_PATH, DEVICE, "Identity", "'" DISK_9 "'");
        is_text(client, A1_PATH, DEVICE, "Unit", "'/'");
        is_text(client, DISK_1_UNIT, UNIT, "Devices", "['" B1_PATH "']");
        harness_wait_log(harness, "0:0:0:1: replaced: was " DISK_1 ", is " DISK_9);
        g_assert_cmpuint(sim_io(lock(harness), A1), ==, 0);
        unlock(harness);
        g_assert_true(client_settle(client, "", CLIENT_PATIENCE / 2));
        g_assert_cmpint(client_signal_seen(client, from, "Detached", NULL), ==, -1);

        for (unsigned i = 0; i < 2; i++) {
                accept(client, A1_PATH);
                is_text(client, A1_PATH, DEVICE, "Standing", "'present'");
                is_text(client, A1_PATH, DEVICE, "State", "'running'");
                is_text(client, A1_PATH, DEVICE, "Unit", "'" DISK_9_UNIT "'");
        }
        g_assert_cmpuint(sim_io(lock(harness), A1), ==, G_GUINT64_CONSTANT(0x5000c50000000009));
        unlock(harness);
        g_assert_cmpuint(count(client, from, "Replaced", NULL), ==, 1);
        harness_check(harness);
        harness_free(harness);
}

/* The kernel's own copy of the page says nothing any more: only what was kept does. */
static void test_replaced_while_down(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);

        hold(harness, A1, "dm-0");
        (void)harness_stop(harness);
        map(harness, A1, 9);
        sim_kernel_rescan(lock(harness), A1);
        unlock(harness);
        for (unsigned i = 0; i < 2; i++) {
                harness_start(harness, (struct daemon_start){});
                harness_wait_ready(harness);
                is_text(client, A1_PATH, DEVICE, "Standing", "'replaced'");
                is_text(client, A1_PATH, DEVICE, "State", "'offline'");
                (void)harness_stop(harness);
        }
        g_assert_cmpuint(sim_io(lock(harness), A1), ==, 0);
        unlock(harness);
        harness_free(harness);
}

/* The state's directory is another one now, as when /var is mounted late; there an earlier boot has
 * left that A1 was somebody else, and what was behind a LUN that is not there now. */
static void test_state_comes_late(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);
        g_autofree char *state = harness_state_path(harness, NULL);
        g_autofree char *file = harness_state_path(harness, "identities");
        g_autofree char *late = g_strconcat(state, "-late", NULL);
        g_autofree char *late_file = g_build_filename(late, "identities", NULL);
        g_autofree char *text = NULL, *kept = NULL;
        g_auto(GStrv) parts = NULL;
        g_autofree char *earlier = NULL, *lost = NULL;

        UNTIL((g_free(text), g_file_get_contents(file, &text, NULL, NULL)) && strstr(text, DISK_1));
        parts = g_strsplit(text, DISK_1, -1);
        earlier = g_strjoinv(DISK_9, parts);
        lost = g_strdup_printf("scsiscan identities 1 boot earlier%s"
                               "/devices/lost 0:0 7\t5\tpresent\tnaa.5\tnaa.5\n",
                               strchr(earlier, '\n'));
        g_assert_cmpint(g_mkdir(late, 0755), ==, 0);
        g_assert_true(g_file_set_contents(late_file, lost, -1, NULL));
        g_assert_cmpint(renameat2(AT_FDCWD, state, AT_FDCWD, late, RENAME_EXCHANGE), ==, 0);

        (void)client_signal(client, from, "Replaced",
                            "'0:0:0:1', '" DISK_9 "', '" DISK_1 "', false");
        harness_wait_log(harness, "0:0:0:1: replaced: was " DISK_9 ", is " DISK_1 ", since it was");
        is_text(client, A1_PATH, DEVICE, "Standing", "'present'");
        UNTIL((g_free(kept), g_file_get_contents(file, &kept, NULL, NULL)) &&
              strstr(kept, "/devices/lost 0:0 7\t0\t") && strstr(kept, DISK_1) &&
              !strstr(kept, DISK_9));
        harness_check_complete(harness);
        harness_free(harness);
}

/* All paths, each told once, and one signal. */
static void test_grown(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);
        guint changed;

        sim_resize(lock(harness), A1, G_GUINT64_CONSTANT(2) << 30);
        unlock(harness);
        sim_resize(lock(harness), B1, G_GUINT64_CONSTANT(2) << 30);
        unlock(harness);
        touch(harness, A1);
        changed = client_signal(client, from, "CapacityChanged",
                                "'" DISK_1 "', 1073741824, 2147483648");
        is_text(client, DISK_1_UNIT, UNIT, "Size", "2147483648");
        touch(harness, B1);
        harness_check_complete(harness);
        g_assert_cmpint(client_signal_seen(client, changed + 1, "CapacityChanged", NULL), ==, -1);
        g_assert_cmpuint(count(client, from, "UnitAttention", "'capacity-data-has-changed'"), ==,
                         2);
        harness_free(harness);
}

/* ---- orders ---- */

static GVariant *attach_arguments(const char *target, const char *lun, const char *options) {
        return g_variant_new("(ss@a{sv})", target, lun, client_options(options));
}

static GVariant *what_arguments(const char *what, const char *options) {
        return g_variant_new("(s@a{sv})", what, client_options(options));
}

static char *order(struct client *client, const char *method, GVariant *arguments) {
        g_autoptr(GVariant) reply = client_call(client, SCSISCAN_PATH, HOTPLUG, method, arguments);
        char *job;

        g_variant_get(reply, "(o)", &job);
        return job;
}

static void refused(struct client *client, const char *method, GVariant *arguments,
                    const char *error, const char *part) {
        client_refuses(client, SCSISCAN_PATH, HOTPLUG, method, arguments, error, part);
}

static void test_attach(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client);

        be_quiet(harness);
        map(harness, A2, 2);
        refused(client, "Attach",
                attach_arguments("0:0:0", "2", "{'wait': <true>, 'identity': <'" DISK_9 "'>}"),
                SCSISCAN_ERROR_IDENTITY_MISMATCH, "0:0:0:2: is " DISK_2);
        g_assert_false(sim_is_attached(lock(harness), A2));
        unlock(harness);
        harness_check(harness);
        g_assert_cmpint(client_signal_seen(client, from, "Attached", NULL), ==, -1);

        for (unsigned i = 0; i < 2; i++) {
                g_autofree char *job =
                        order(client, "Attach",
                              attach_arguments("0:0:0", i ? "0x0002000000000000" : "2",
                                               "{'wait': <true>, 'identity': <'" DISK_2 "'>}"));
                g_autofree char *node = client_get_text(client, A2_PATH, DEVICE, "BlockDevice");

                g_assert_cmpstr(node, !=, "");
                is_text(client, job, SCSISCAN_INTERFACE_JOB, "Operation", "'attach'");
                is_text(client, job, SCSISCAN_INTERFACE_JOB, "Result", "'done'");
                is_text(client, job, SCSISCAN_INTERFACE_JOB, "Scope", "'0:0:0'");
        }
        g_assert_cmpuint(count(client, from, "Attached", NULL), ==, 1);
        refused(client, "Attach",
                attach_arguments("0:0:0", "2", "{'wait': <true>, 'identity': <'" DISK_9 "'>}"),
                SCSISCAN_ERROR_IDENTITY_MISMATCH, "0:0:0:2");
        refused(client, "Attach", attach_arguments("0:0:0", "7", "{'wait': <true>}"),
                SCSISCAN_ERROR_NOT_REPORTED, "0:0:0:7");
        harness_check_complete(harness);
        g_assert_cmpuint(count(client, from, "Attached", NULL), ==, 1);
        g_assert_cmpint(client_signal_seen(client, from, "Started", "request"), ==, -1);
        harness_free(harness);
}

static void test_detach(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);
        guint from = client_arrived(client), ordered;
        g_autofree char *job = NULL, *node = NULL;

        hold(harness, A1, "dm-0");
        client_scan_wait(client, "0:0:0:1");
        refused(client, "Detach", what_arguments("0:0:0:1", "{'wait': <true>}"),
                SCSISCAN_ERROR_IN_USE, "dm-0");
        ordered = client_arrived(client); /* the one before has ended in the same way */
        job = order(client, "Detach", what_arguments(A1_PATH, NULL));
        (void)client_signal(client, ordered, "Completed", "(false, '0:0:0:1: in use by dm-0')");
        is_text(client, job, SCSISCAN_INTERFACE_JOB, "Result", "'failed'");
        harness_check_complete(harness);

        /* Of a whole unit each path is decided for itself, and that not all went is an error. */
        refused(client, "Detach", what_arguments(DISK_1, "{'wait': <true>}"), SCSISCAN_ERROR_IN_USE,
                "dm-0");
        (void)client_signal(client, from, "Detached", "'1:0:0:1', '" DISK_1 "', 'requested'");
        harness_check(harness);

        node = client_get_text(client, A1_PATH, DEVICE, "BlockDevice");
        g_free(order(client, "Detach", what_arguments(node, "{'wait': <true>, 'force': <true>}")));
        (void)client_signal(client, from, "Detached", "'0:0:0:1', '" DISK_1 "', 'requested'");
        g_assert_false(sim_is_attached(lock(harness), A1));
        unlock(harness);
        refused(client, "Detach", what_arguments("0:0:0:1", "{'wait': <true>, 'force': <true>}"),
                SCSISCAN_ERROR_NOT_FOUND, "0:0:0:1");
        refused(client, "Detach", what_arguments(DISK_1, "{'wait': <true>}"),
                SCSISCAN_ERROR_NOT_FOUND, DISK_1);
        harness_check(harness);
        harness_free(harness);
}

/* What was detached by order can be attached by order. */
static void test_back_again(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);

        g_free(order(client, "Detach", what_arguments("0:0:0:1", "{'wait': <true>}")));
        harness_check(harness);
        g_assert_false(sim_is_attached(lock(harness), A1));
        unlock(harness);
        g_free(order(client, "Attach", attach_arguments("0:0:0", "1", "{'wait': <true>}")));
        harness_check_complete(harness);
        harness_free(harness);
}

static void test_refresh(void) {
        static const char *const names[] = {"0:0:0:1", DISK_1, DISK_1_UNIT, B1_PATH};
        struct harness *harness = boot();
        struct client *client = harness_client(harness);

        be_quiet(harness);
        sim_set_target_quirks(lock(harness), PATH_B, SIM_QUIET);
        unlock(harness);
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                guint64 size = (i + 2) << 30;
                g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, size);
                guint from = client_arrived(client);

                sim_resize(lock(harness), A1, size);
                unlock(harness);
                sim_resize(lock(harness), B1, size);
                unlock(harness);
                for (unsigned j = 0; j < 2; j++)
                        g_free(order(client, "Refresh",
                                     what_arguments(names[i], "{'wait': <true>}")));
                is_text(client, DISK_1_UNIT, UNIT, "Size", text);
                harness_check_complete(harness);
                g_assert_cmpuint(count(client, from, "CapacityChanged", text), ==, 1);
        }
        harness_free(harness);
}

static void test_refused(void) {
        static const struct {
                const char *method, *arguments, *error, *part;
        } cases[] = {
                {"Attach", "('0:0:0', '0x12', @a{sv} {})", SCSISCAN_ERROR_INVALID_ARGS, "0x12"},
                {"Attach", "('0:0:0', '', @a{sv} {})", SCSISCAN_ERROR_INVALID_ARGS, "LUN"},
                {"Attach", "('0:0:0', '-1', @a{sv} {})", SCSISCAN_ERROR_INVALID_ARGS, "-1"},
                {"Attach", "('', '1', @a{sv} {})", SCSISCAN_ERROR_INVALID_ARGS, "a target"},
                {"Attach", "('host0', '1', @a{sv} {})", SCSISCAN_ERROR_INVALID_ARGS, "host0"},
                {"Attach", "('0:0:0:1', '1', @a{sv} {})", SCSISCAN_ERROR_INVALID_ARGS, "0:0:0:1"},
                {"Attach", "('/dev/sda', '1', @a{sv} {})", SCSISCAN_ERROR_INVALID_ARGS, "/dev/sda"},
                {"Attach", "('7:0:0', '1', @a{sv} {})", SCSISCAN_ERROR_NOT_FOUND, "7:0:0"},
                {"Attach", "('naa.77', '1', @a{sv} {})", SCSISCAN_ERROR_NOT_FOUND, "naa.77"},
                {"Attach", "('" DISK_1 "', '1', @a{sv} {})", SCSISCAN_ERROR_NOT_FOUND, DISK_1},
                {"Attach", "('0:0:0', '1', {'identity': <''>})", SCSISCAN_ERROR_INVALID_ARGS,
                 "identity"},
                {"Attach", "('0:0:0', '1', {'identity': <5>})", SCSISCAN_ERROR_INVALID_ARGS,
                 "identity"},
                {"Attach", "('0:0:0', '1', {'force': <true>})", SCSISCAN_ERROR_INVALID_ARGS,
                 "force"},
                {"Detach", "('', @a{sv} {})", SCSISCAN_ERROR_INVALID_ARGS, "a device or a unit"},
                {"Detach", "('host0', @a{sv} {})", SCSISCAN_ERROR_INVALID_ARGS, "host0"},
                {"Detach", "('0:0:0', @a{sv} {})", SCSISCAN_ERROR_INVALID_ARGS, "0:0:0"},
                {"Detach", "('0:0:0:7', @a{sv} {})", SCSISCAN_ERROR_NOT_FOUND, "0:0:0:7"},
                {"Detach", "('/dev/sdzz', @a{sv} {})", SCSISCAN_ERROR_NOT_FOUND, "/dev/sdzz"},
                {"Detach", "('0:0:0:1', {'identity': <'x'>})", SCSISCAN_ERROR_INVALID_ARGS,
                 "identity"},
                {"Refresh", "('host0', @a{sv} {})", SCSISCAN_ERROR_INVALID_ARGS, "host0"},
                {"Refresh", "('0:0:0:7', @a{sv} {})", SCSISCAN_ERROR_NOT_FOUND, "0:0:0:7"},
                {"Refresh", "('0:0:0:1', {'force': <true>})", SCSISCAN_ERROR_INVALID_ARGS, "force"},
                {"AcceptReplacement", "(objectpath '/', @a{sv} {})", SCSISCAN_ERROR_INVALID_ARGS,
                 "/"},
                {"AcceptReplacement", "(objectpath '" DISK_1_UNIT "', @a{sv} {})",
                 SCSISCAN_ERROR_INVALID_ARGS, "a device"},
                {"AcceptReplacement", "(objectpath '" DEVICE_PATH("0_0_0_7") "', @a{sv} {})",
                 SCSISCAN_ERROR_NOT_FOUND, "0_0_0_7"},
        };
        struct harness *harness = boot();
        struct client *client = harness_client(harness);

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_test_message("%s%s", cases[i].method, cases[i].arguments);
                refused(client, cases[i].method, g_variant_new_parsed(cases[i].arguments),
                        cases[i].error, cases[i].part);
        }
        harness_check_complete(harness);
        harness_free(harness);
}

static void test_nobody(void) {
        static const struct {
                const char *method, *arguments, *action;
        } calls[] = {
                {"Attach", "('0:0:0', '2', @a{sv} {})", "org.scsiscan1.attach"},
                {"Detach", "('0:0:0:1', @a{sv} {})", "org.scsiscan1.detach:"},
                {"Detach", "('0:0:0:1', {'force': <true>})", "org.scsiscan1.detach-in-use"},
                {"Refresh", "('0:0:0:1', @a{sv} {})", "org.scsiscan1.scan"},
                {"AcceptReplacement", "(objectpath '" A1_PATH "', @a{sv} {})",
                 "org.scsiscan1.accept-replacement"},
        };
        struct harness *harness = boot();
        struct client *nobody = client_new(harness_address(harness), NOBODY);

        if (!nobody) {
                g_test_skip("cannot become somebody else");
                harness_free(harness);
                return;
        }
        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++)
                refused(nobody, calls[i].method, g_variant_new_parsed(calls[i].arguments),
                        SCSISCAN_ERROR_ACCESS_DENIED, calls[i].action);
        harness_check_complete(harness);
        client_free(nobody);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/hotplug/mapped", test_mapped);
        g_test_add_func("/bus/hotplug/unmapped", test_unmapped);
        g_test_add_func("/bus/hotplug/unmapped-in-use", test_unmapped_in_use);
        g_test_add_func("/bus/hotplug/scan-remove", test_scan_remove);
        g_test_add_func("/bus/hotplug/replaced", test_replaced);
        g_test_add_func("/bus/hotplug/replaced-in-use", test_replaced_in_use);
        g_test_add_func("/bus/hotplug/replaced-while-down", test_replaced_while_down);
        g_test_add_func("/bus/hotplug/state-comes-late", test_state_comes_late);
        g_test_add_func("/bus/hotplug/grown", test_grown);
        g_test_add_func("/bus/hotplug/attach", test_attach);
        g_test_add_func("/bus/hotplug/detach", test_detach);
        g_test_add_func("/bus/hotplug/back-again", test_back_again);
        g_test_add_func("/bus/hotplug/refresh", test_refresh);
        g_test_add_func("/bus/hotplug/refused", test_refused);
        g_test_add_func("/bus/hotplug/nobody", test_nobody);
        return g_test_run();
}
