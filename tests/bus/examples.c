/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The examples in docs/examples/client/: each in its language does the same, to the byte. */

#include <string.h>

#include "harness.h"
#include "stand_in.h"

#define TARGET ((struct scsi_target_address){0, 0, 0})
#define LUNS 11 /* in the order of numbers 10 is not behind 1 */
#define NEW_DISK 77
#define NEW_IDENTITY "naa.5000c5000000004d"

static const char *const examples[] = {"EXAMPLE_SHELL", "EXAMPLE_SD_BUS", "EXAMPLE_GDBUS",
                                       "EXAMPLE_PYTHON"};

static GSubprocess *start(struct harness *harness, const char *example, const char *words) {
        return harness_spawn(harness, example, words,
                             G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
}

/* What the example writes until it ends, which it does with that status; with what it wrote to its
 * standard error in *complaint, or nothing there. */
static char *finish(GSubprocess *child, const char *example, int status, char **complaint) {
        g_autofree char *errors = NULL;
        g_autoptr(GError) error = NULL;
        char *output = NULL;

        (void)g_subprocess_communicate_utf8(child, NULL, NULL, &output, &errors, &error);
        g_assert_no_error(error);
        g_test_message("%s: '%s', '%s'", example, output, errors);
        g_assert_true(g_subprocess_get_if_exited(child));
        g_assert_cmpint(g_subprocess_get_exit_status(child), ==, status);
        if (complaint)
                *complaint = g_steal_pointer(&errors);
        else
                g_assert_cmpstr(errors, ==, "");
        return output;
}

static char *run(struct harness *harness, const char *example, const char *words) {
        g_autoptr(GSubprocess) child = start(harness, example, words);

        return finish(child, example, 0, NULL);
}

static struct sim_machine *lock(struct harness *harness) {
        return sim_server_lock(harness_sim(harness));
}

static void unlock(struct harness *harness) {
        sim_server_unlock(harness_sim(harness));
}

/* Some disks, one unit without an identity, one with blanks in it, and one without a block device.
 */
static struct sim_machine *machine_mixed(void) {
        static const char blanks[] = "ATA     A disk of blanks";
        struct sim_machine *machine = machine_new(1, 1, LUNS);
        struct sim_unit unit = {.designators_length = 4 + sizeof(blanks) - 1};

        sim_map(machine, TARGET, LUNS, &(struct sim_unit){.serial = "none"});
        unit.designators[0] = 2; /* ASCII */
        unit.designators[1] = 1; /* of the logical unit, by T10 vendor */
        unit.designators[3] = sizeof(blanks) - 1;
        memcpy(unit.designators + 4, blanks, sizeof(blanks) - 1);
        sim_map(machine, TARGET, 256, &unit);
        sim_map(machine, TARGET, 257, &(struct sim_unit){.type = 1, .naa = 0x5000c50000000101});
        return machine;
}

/* What has to be said of the device that the kernel has there. */
static void expect(struct harness *harness, const char *address, GString *lines) {
        static const char *const properties[] = {"Identity", "BlockDevice", "Standing"};
        g_autofree char *path = g_strdup_printf("%s/%s", SCSISCAN_PATH_DEVICE, address);

        g_strdelimit(path, ":", '_');
        g_string_append(lines, address);
        for (size_t i = 0; i < G_N_ELEMENTS(properties); i++) {
                g_autofree char *value = client_get_text(harness_client(harness), path,
                                                         SCSISCAN_INTERFACE_DEVICE, properties[i]);

                g_string_append_printf(lines, " %s", *value ? value : "-");
        }
        g_string_append_c(lines, '\n');
}

static char *expected(struct harness *harness) {
        g_autofree char *attached = sim_attached(lock(harness));
        g_auto(GStrv) addresses = g_strsplit(g_strchomp(attached), "\n", -1);
        GString *lines = g_string_new(NULL);

        unlock(harness);
        for (size_t i = 0; addresses[i]; i++)
                expect(harness, addresses[i], lines);
        return g_string_free(lines, FALSE);
}

static void test_list(void) {
        static const char *const parts[] = {
                ("0:0:0:9 naa.5000c50000000009 /dev/sdj present\n"
                 "0:0:0:10 naa.5000c5000000000a /dev/sdk present\n"),
                "\n0:0:0:11 - /dev/",
                "\n0:0:0:256 t10.ATA     A disk of blanks /dev/",
                "\n0:0:0:257 naa.5000c50000000101 - present\n",
        };
        struct harness *harness = harness_boot(machine_mixed());
        g_autofree char *lines = NULL;

        harness_check_complete(harness);
        lines = expected(harness);
        g_test_message("%s", lines);
        for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
                g_assert_nonnull(strstr(lines, parts[i]));
        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++) {
                g_autofree char *output = run(harness, examples[i], "list");

                g_assert_cmpstr(output, ==, lines);
        }
        harness_free(harness);
}

/* Those that read pages where one reply would be too long. */
static void test_pages(void) {
        static const char *const paging[] = {"EXAMPLE_SD_BUS", "EXAMPLE_PYTHON"};
        struct harness *real = harness_boot(machine_mixed());
        struct harness *front = harness_new(machine_new(1, 1, 1));
        struct stand_in *stand_in;
        g_autofree char *lines = NULL;

        harness_check_complete(real);
        lines = expected(real);
        stand_in = stand_in_new(real, front);
        for (size_t i = 0; i < G_N_ELEMENTS(paging); i++) {
                g_autofree char *output = run(front, paging[i], "list");

                g_assert_cmpstr(output, ==, lines);
                g_assert_cmpuint(stand_in_refused(stand_in), ==, i + 1);
        }
        g_assert_cmpuint(stand_in_pages(stand_in), >=, (LUNS + 3) * G_N_ELEMENTS(paging));
        stand_in_free(stand_in);
        harness_free(front);
        harness_free(real);
}

/* Each finds a LUN that the array has mapped without a word. */
static void test_scan(void) {
        struct harness *harness = harness_boot(machine_new(1, 1, 2));

        harness_check_complete(harness);
        sim_set_target_quirks(lock(harness), TARGET, SIM_QUIET);
        unlock(harness);
        for (uint32_t i = 0; i < G_N_ELEMENTS(examples); i++) {
                const struct sim_unit disk = sim_disk(NEW_DISK + i);
                g_autofree char *output = NULL, *again = NULL;

                sim_map(lock(harness), TARGET, 2 + i, &disk);
                unlock(harness);
                output = run(harness, examples[i], "scan 0:0:0");
                g_assert_true(g_pattern_match_simple("done attached=1 changed=0 detached=0 "
                                                     "failed=0 skipped=0 unchanged=?\n",
                                                     output));
                harness_check_complete(harness);
                again = run(harness, examples[i], "scan");
                g_assert_true(g_str_has_prefix(again, "done attached=0 changed=0 "));
        }
        harness_free(harness);
}

static void test_refused(void) {
        struct harness *harness = harness_boot(machine_new(1, 1, 1));

        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++) {
                g_autoptr(GSubprocess) child = start(harness, examples[i], "scan host9");
                g_autofree char *complaint = NULL;
                g_autofree char *output = finish(child, examples[i], 1, &complaint);

                g_assert_cmpstr(output, ==, "");
                g_assert_true(g_str_has_suffix(complaint, "There is no host9\n"));
                g_assert_null(strstr(complaint, "org."));
        }
        harness_free(harness);
}

static void wait_following(GSubprocess *child) {
        GInputStream *stream = g_subprocess_get_stderr_pipe(child);
        char said[sizeof("following\n")] = "";
        g_autoptr(GError) error = NULL;

        (void)g_input_stream_read_all(stream, said, sizeof(said) - 1, NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(said, ==, "following\n");
}

static void order(struct harness *harness, const char *method, GVariant *arguments) {
        g_autoptr(GVariant) reply = client_call(harness_client(harness), SCSISCAN_PATH,
                                                SCSISCAN_INTERFACE_HOTPLUG, method, arguments);

        g_assert_nonnull(reply);
}

/* All of them see the same, and the third event not any more. */
static void test_follow(void) {
        struct harness *harness = harness_boot(machine_new(1, 1, 2));
        GSubprocess *children[G_N_ELEMENTS(examples)];
        const struct sim_unit disk = sim_disk(NEW_DISK);

        harness_check_complete(harness);
        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++)
                children[i] = start(harness, examples[i], "follow 2");
        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++)
                wait_following(children[i]);
        sim_map(lock(harness), TARGET, 5, &disk);
        unlock(harness);
        order(harness, "Attach",
              g_variant_new("(ss@a{sv})", "0:0:0", "5", client_options("{'wait': <true>}")));
        order(harness, "Detach",
              g_variant_new("(s@a{sv})", "0:0:0:5", client_options("{'wait': <true>}")));
        order(harness, "Detach",
              g_variant_new("(s@a{sv})", "0:0:0:1", client_options("{'wait': <true>}")));
        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++) {
                g_autofree char *output = finish(children[i], examples[i], 0, NULL);

                g_assert_cmpstr(output, ==,
                                "attached 0:0:0:5 " NEW_IDENTITY "\ndetached 0:0:0:5 requested\n");
                g_object_unref(children[i]);
        }
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/examples/list", test_list);
        g_test_add_func("/bus/examples/pages", test_pages);
        g_test_add_func("/bus/examples/scan", test_scan);
        g_test_add_func("/bus/examples/refused", test_refused);
        g_test_add_func("/bus/examples/follow", test_follow);
        return g_test_run();
}
