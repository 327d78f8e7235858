/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The client before the real daemon: what it prints, and how it ends. */

#include <string.h>

#include "client/options.h"
#include "harness.h"

#define TARGET ((struct scsi_target_address){0, 0, 0})
#define LUN_1 ((struct scsi_address){TARGET, 1})
#define DISK_1 "naa.5000c50000000001"
#define DISK_2 "naa.5000c50000000002"
#define DISK_9 "naa.5000c50000000009"

/* Runs scsictl with these words; what it wrote to both has to match the pattern. */
static void run(struct harness *harness, const char *words, enum status wanted,
                const char *pattern) {
        g_autoptr(GSubprocess) child =
                harness_spawn(harness, "SCSICTL", words,
                              G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
        g_autoptr(GError) error = NULL;
        g_autofree char *output = NULL;

        (void)g_subprocess_communicate_utf8(child, NULL, NULL, &output, NULL, &error);
        g_assert_no_error(error);
        g_test_message("scsictl %s: %s", words, output);
        g_assert_true(g_subprocess_get_if_exited(child));
        g_assert_cmpint(g_subprocess_get_exit_status(child), ==, (int)wanted);
        if (!g_pattern_match_simple(pattern, output))
                g_error("scsictl %s says '%s', not '%s'", words, output, pattern);
}

static struct sim_machine *lock(struct harness *harness) {
        return sim_server_lock(harness_sim(harness));
}

static void unlock(struct harness *harness) {
        sim_server_unlock(harness_sim(harness));
}

/* LUN 1 is held, LUN 2 is mapped and nobody was told. */
static struct harness *boot(void) {
        struct harness *harness = harness_boot(machine_new(1, 1, 2));
        const struct sim_unit disk = sim_disk(2);
        struct sim_machine *machine = lock(harness);

        sim_set_target_quirks(machine, TARGET, SIM_QUIET);
        sim_set_holder(machine, LUN_1, "dm-0");
        sim_map(machine, TARGET, 2, &disk);
        unlock(harness);
        client_scan_wait(harness_client(harness), "0:0:0:1");
        return harness;
}

static void test_orders(void) {
        static const struct {
                const char *words;
                enum status status;
                const char *pattern;
        } examples[] = {
                {"attach 0:0:0 2 --identity=" DISK_9, STATUS_JOB_FAILED,
                 "scsictl: 0:0:0:2: is " DISK_2 ", not " DISK_9 "\n"},
                {"attach 0:0:0 2 --identity=" DISK_2, STATUS_OK,
                 "Attached LUN 2 of 0:0:0 in * s: 1 attached\n0:0:0:2 /dev/sdc " DISK_2 "\n"},
                {"attach 0:0:0 2", STATUS_OK,
                 "Attached LUN 2 of 0:0:0 in * s: 1 unchanged\n0:0:0:2 /dev/sdc " DISK_2 "\n"},
                {"attach 0:0:0 7", STATUS_JOB_FAILED, "scsictl: 0:0:0:7: *offers no such*\n"},
                {"attach 0:0:0 0x7", STATUS_INVALID, "scsictl: LUN 0x7: *\n"},
                {"attach 9:0:0 1", STATUS_NOT_FOUND, "scsictl: *9:0:0\n"},
                {"detach 0:0:0:2 --json", STATUS_OK,
                 "{\"event\":\"finished\",\"job\":\"*\",\"scope\":\"0:0:0:2\",\"result\":\"done\",*}\n"},
                {"detach 0:0:0:2", STATUS_NOT_FOUND,
                 "scsictl: There is no device called 0:0:0:2\n"},
                {"detach " DISK_1, STATUS_IN_USE,
                 "scsictl: 0:0:0:1: in use by dm-0 (--force detaches it all the same)\n"},
                {"detach 0:0:0:1 --json", STATUS_IN_USE,
                 "*{\"event\":\"refused\",\"scope\":\"0:0:0:1\","
                 "\"error\":\"org.scsiscan1.Error.InUse\",\"message\":\"0:0:0:1: in use by dm-0\"}\n*"},
                {"refresh /dev/sdb", STATUS_OK, "Refreshed /dev/sdb in * s: 1 unchanged\n"},
                {"accept 0:0:0:1", STATUS_OK, "Accepted 0:0:0:1 in * s: 1 unchanged\n"},
                {"accept 0:0:0", STATUS_INVALID, "scsictl: '0:0:0' names no device: *3:0:1:5*\n"},
                {"accept ", STATUS_INVALID, "scsictl: '' names several devices: *3:0:1:5*\n"},
                {"attach 0:0:0:1 1", STATUS_INVALID,
                 "scsictl: '0:0:0:1' is not the name of a target, such as 3:0:1 *\n"},
                {"detach host0", STATUS_INVALID,
                 "scsictl: 'host0' is not the name of a device or a unit, such as 3:0:1:5, *\n"},
                {"scan host9 --json", STATUS_NOT_FOUND,
                 "{\"event\":\"refused\",\"scope\":\"host9\","
                 "\"error\":\"org.scsiscan1.Error.NotFound\",\"message\":\"There is no host9\"}\n"
                 "scsictl: There is no host9\n"},
                {"refresh 0:0:0:1 --no-wait", STATUS_OK, SCSISCAN_PATH_JOB "/*\n"},
                {"detach 0:0:0:1 --force", STATUS_OK, "Detached 0:0:0:1 in * s: 1 detached\n"},
                {"scan --remove", STATUS_OK, "Scanned everything in * s: 2 attached, *\n"},
        };
        struct harness *harness = boot();

        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++)
                run(harness, examples[i].words, examples[i].status, examples[i].pattern);
        harness_check_complete(harness);
        harness_free(harness);
}

/* What was asked for stands first, the rest follows in the order of addresses. */
static void test_show(void) {
        static const struct {
                const char *words, *pattern;
        } examples[] = {
                {"show 0:0:0", "target 0:0:0\n*  Devices*0:0:0:0\n*0:0:0:1\n  LastAsked*"},
                {"show 0:0:0:1", "device 0:0:0:1\n*\nunit *\n"},
                {"list targets --json", "*\"devices\": ?\n*\"0:0:0:0\",\n*\"0:0:0:1\"\n*"},
                {"show " DISK_1, "unit " DISK_1 "\n*\n\ndevice 0:0:0:1\n*"},
                {"show /dev/sdb", "device 0:0:0:1\n*\n\nunit " DISK_1 "\n*"},
                {"show " SCSISCAN_PATH_JOB "/1", "job " SCSISCAN_PATH_JOB "/1\n*"},
                {"show host7", "scsictl: There is no host7\n"},
                {"show " SCSISCAN_PATH_JOB "/7777",
                 "scsictl: There is no " SCSISCAN_PATH_JOB "/7777\n"},
        };
        struct harness *harness = boot();

        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++)
                run(harness, examples[i].words,
                    strchr(examples[i].words, '7') ? STATUS_NOT_FOUND : STATUS_OK,
                    examples[i].pattern);
        harness_free(harness);
}

static void write_policy(struct harness *harness, const char *text) {
        g_autofree char *directory = harness_policy_path(harness, NULL);
        g_autofree char *path = harness_policy_path(harness, "policy.conf");

        g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* LUN 1 is in use, LUN 0 is not. */
static void test_policy(void) {
        static const struct {
                const char *rules; /* written before; NULL: as they are */
                const char *words;
                enum status status;
                const char *pattern;
        } examples[] = {
                {NULL, "policy", STATUS_OK, "scsictl: there are no rules\n"},
                {NULL, "policy --json", STATUS_OK, "{\n*\"rules\":*[*]\n}\n"},
                {NULL, "evaluate 0:0:0:1", STATUS_OK,
                 "0:0:0:1: attach: no rule decides, the default is attach\n"},
                {NULL, "policy reload --preview", STATUS_OK, "scsictl: nothing would change\n"},
                {"[Rule none]\nMatchLun=0-1\nAction=ignore\n", "policy reload --preview", STATUS_OK,
                 "ADDRESS ACTION REASON\n"
                 "0:0:0:0 detach [Rule none] (*/policy.conf:1) says ignore\n"
                 "0:0:0:1 keep   [Rule none] (*/policy.conf:1) says ignore\n"},
                {NULL, "policy reload --preview --json", STATUS_OK,
                 "{\n  \"changes\": *\"address\": \"0:0:0:0\",\n*\"action\": \"detach\",\n*\"reason\": *"},
                {NULL, "policy reload", STATUS_OK, "The policy holds: 1 rule\n"},
                {NULL, "policy --no-legend", STATUS_OK,
                 "none */policy.conf MatchLun=0-1; Action=ignore\n"},
                {NULL, "evaluate 0:0:0:1", STATUS_OK,
                 "0:0:0:1: ignore: [Rule none] (*/policy.conf:1) says ignore\n"},
                {NULL, "evaluate 0:0:0:1 --json", STATUS_OK,
                 "{\n*\"action\": \"ignore\",\n*\"rule\": \"none (*/policy.conf:1)\",\n*"
                 "\"reason\": \"[Rule none]*\"key\": \"0:0:0:1\"\n}\n"},
                {NULL, "evaluate host0", STATUS_INVALID, "scsictl: 'host0' names more than one *"},
                {NULL, "evaluate naa.77", STATUS_NOT_FOUND, "scsictl: There is no naa.77\n"},
                {"[Rule none]\nAction=maybe\n", "policy reload", STATUS_JOB_FAILED,
                 "scsictl: */policy.conf:2: Action=maybe: expected attach, *"},
                {"", "policy reload --json", STATUS_OK, "{\n*\"rules\":*[*]\n}\n"},
        };
        struct harness *harness = boot();

        client_scan_wait(harness_client(harness), "");
        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++) {
                if (examples[i].rules)
                        write_policy(harness, examples[i].rules);
                run(harness, examples[i].words, examples[i].status, examples[i].pattern);
        }
        g_assert_true(client_settle(harness_client(harness), "", CLIENT_PATIENCE / 2));
        harness_free(harness);
}

static void test_explain(void) {
        struct harness *harness = boot();

        run(harness, "explain 0:0:0:1", STATUS_OK,
            "FINDING*SEVERITY*WHAT*attached*info*0:0:0:1 is attached*in-use*info*dm-0*fine*");
        run(harness, "explain 0:0:0:7", STATUS_OK, "*not-reported*error*LUN 7*not-attached*error*");
        run(harness, "explain 0:0:0:7 --json", STATUS_OK,
            "{*\"findings\":*\"code\": \"not-reported\"*\"severity\": \"error\"*");
        run(harness, "explain host7", STATUS_NOT_FOUND, "scsictl: *host7*");
        run(harness, "explain ", STATUS_INVALID, "scsictl: *more than can be explained*");
        harness_free(harness);
}

static void test_plan(void) {
        struct harness *harness = boot();
        guint64 generation = client_get_number(harness_client(harness), "Generation");
        g_autofree char *stale =
                g_strdup_printf("scan --generation=%" G_GUINT64_FORMAT, generation + 1);
        g_autofree char *right =
                g_strdup_printf("scan --generation=%" G_GUINT64_FORMAT, generation);
        g_autofree char *says = g_strdup_printf(
                "*ACTION*WHERE*WHY*attach*0:0:0:2*no rule decides*keep*0:0:0:0*keep*0:0:0:1*"
                "--generation=%" G_GUINT64_FORMAT " does that*",
                generation);

        run(harness, "plan", STATUS_OK, says);
        run(harness, "plan 0:0:0 --json", STATUS_OK,
            "*\"generation\": *\"action\": \"attach\"*\"where\": \"0:0:0:2\"*");
        run(harness, "plan 0:0:9:1", STATUS_OK, "*contact*0:0:9*");
        run(harness, "scan --generation=x", STATUS_USAGE, "scsictl: --generation is a number*");
        run(harness, stale, STATUS_JOB_FAILED, "scsictl: *The generation is *");
        run(harness, right, STATUS_OK, "*1 attached*");
        harness_free(harness);
}

static void test_inhibit(void) {
        struct harness *harness = boot();

        run(harness, "inhibit 0:0:0:2 --why=test false", (enum status)1, "");
        run(harness, "inhibit 0:0:0:2 no-such-command", (enum status)127,
            "scsictl: no-such-command: *");
        run(harness, "inhibit host9 true", STATUS_NOT_FOUND, "scsictl: *host9*");
        run(harness,
            "inhibit 0:0:0:2 -- busctl --system get-property org.scsiscan1 /org/scsiscan1 "
            "org.scsiscan1.Hotplug Leases",
            STATUS_OK, "a(sssu) 1 \"0:0:0:2\" \"scsictl\" \"asked for by hand\" 0\n");
        harness_free(harness);
}

static void test_usage(void) {
        static const struct {
                const char *words, *pattern;
        } examples[] = {
                {"attach 0:0:0", "*an argument is missing: it is scsictl attach TARGET LUN; *"},
                {"attach 0:0:0 1 2", "*too many arguments: it is scsictl attach TARGET LUN; *"},
                {"detach", "*an argument is missing: it is scsictl detach WHAT; *"},
                {"detach 0:0:0:1 --remove", "*--remove is not for detach*"},
                {"scan --force", "*--force is not for scan*"},
                {"refresh 0:0:0:1 --identity=x", "*--identity is not for refresh*"},
                {"tree --no-wait", "*--no-wait is not for tree*"},
                {"policy --preview", "*--preview is for policy reload*"},
                {"policy show", "*policy takes reload, or nothing, not 'show'*"},
                {"scan --preview", "*--preview is not for scan*"},
                {"evaluate", "*an argument is missing: it is scsictl evaluate KEY; *"},
                {"list --no-ask-password", "*--no-ask-password is not for list*"},
        };
        struct harness *harness = boot();

        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++)
                run(harness, examples[i].words, STATUS_USAGE, examples[i].pattern);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/scsictl/orders", test_orders);
        g_test_add_func("/bus/scsictl/show", test_show);
        g_test_add_func("/bus/scsictl/policy", test_policy);
        g_test_add_func("/bus/scsictl/usage", test_usage);
        g_test_add_func("/bus/scsictl/explain", test_explain);
        g_test_add_func("/bus/scsictl/plan", test_plan);
        g_test_add_func("/bus/scsictl/inhibit", test_inhibit);
        return g_test_run();
}
