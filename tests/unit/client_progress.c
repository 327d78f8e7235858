/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/progress.h"
#include "tests/unit/client_support.h"

#define DONE                                                                                       \
        "{'State': 'done', 'Result': 'done', 'StepsDone': 4, 'StepsTotal': 4,"                     \
        " 'Summary': {'unchanged': 11, 'attached': 1, 'failed': 0}}"
#define FAILED "{'State': 'failed', 'Result': 'failed', 'Summary': {'attached': 0, 'failed': 1}}"
#define RUNNING                                                                                    \
        "{'State': 'running', 'Result': '', 'StepsDone': 3, 'StepsTotal': 12, 'Progress': 0.25}"
#define QUEUED "{'State': 'queued', 'Result': '', 'StepsDone': 0, 'StepsTotal': 0}"

static struct progress progress_from_text(const char *properties) {
        return (struct progress){
                .scope = "host3",
                .job = "/org/scsiscan1/job/7",
                .message = "",
                .properties = json_from_text(properties),
                .elapsed_usec = 1250000,
        };
}

static void test_step(void) {
        static const struct {
                const char *properties;
                const char *text;
        } examples[] = {
                {QUEUED, "Scanning host3: queued"},
                {RUNNING, "Scanning host3: 3 of 12 steps, 25%"},
                {"{'StepsDone': 0, 'StepsTotal': 1}", "Scanning host3: 0 of 1 step, 0%"},
                {"{}", "Scanning host3: "},
        };

        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                struct progress progress = progress_from_text(examples[i].properties);
                struct printed printed;

                printed_begin(&printed);
                printed.options.terminal = true;
                g_assert_cmpint(progress_print_step(&progress, &printed.options), ==, 0);
                printed_end(&printed, examples[i].text);
                json_object_put(progress.properties);
        }
}

/* Nothing of the sort in a file, and a line that stands is taken away for the next one. */
static void test_line(void) {
        struct progress progress = progress_from_text(RUNNING);
        struct printed printed;

        printed_begin(&printed);
        g_assert_cmpint(progress_print_start(&progress, &printed.options), ==, 0);
        g_assert_cmpint(progress_print_step(&progress, &printed.options), ==, 0);
        progress_erase(&progress, &printed.options);
        printed_end(&printed, "");

        printed_begin(&printed);
        printed.options.terminal = true;
        g_assert_cmpint(progress_print_step(&progress, &printed.options), ==, 0);
        g_assert_cmpint(progress_print_left(&progress, &printed.options), ==, 0);
        progress_erase(&progress, &printed.options);
        printed_end(&printed, "Scanning host3: 3 of 12 steps, 25%\r\033[K"
                              "Scanning host3 goes on; see: scsictl show /org/scsiscan1/job/7\n");
        json_object_put(progress.properties);
}

static void test_end(void) {
        static const struct {
                const char *properties;
                const char *scope;
                const char *message;
                bool color;
                const char *text;
        } examples[] = {
                {DONE, "", "", false,
                 "Scanned everything in 1.2 s: 1 attached, 11 unchanged, 0 failed\n"},
                {DONE, "3:0:1", "", true,
                 "Scanned 3:0:1 in 1.2 s: 1 attached, 11 unchanged, 0 failed\n"},
                {FAILED, "host3", "host3 does not answer", false,
                 "Scan of host3 failed after 1.2 s (host3 does not answer):"
                 " 0 attached, 1 failed\n"},
                {FAILED, "host3", "", true,
                 "Scan of host3 \033[31mfailed\033[0m after 1.2 s: 0 attached, 1 failed\n"},
                {"{'Result': 'cancelled'}", "host3", "", false,
                 "Scan of host3 cancelled after 1.2 s\n"},
                {"{}", "host3", "", false, "Scan of host3 ended after 1.2 s\n"},
        };

        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                struct progress progress = progress_from_text(examples[i].properties);
                struct printed printed;

                progress.scope = examples[i].scope;
                progress.message = examples[i].message;
                printed_begin(&printed);
                printed.options.color = examples[i].color;
                g_assert_cmpint(progress_print_end(&progress, &printed.options), ==, 0);
                printed_end(&printed, examples[i].text);
                json_object_put(progress.properties);
        }
}

static void test_json(void) {
        struct progress progress = progress_from_text(RUNNING);
        struct printed printed;

        printed_begin(&printed);
        printed.options.json = true;
        printed.options.terminal = true;
        g_assert_cmpint(progress_print_start(&progress, &printed.options), ==, 0);
        g_assert_cmpint(progress_print_step(&progress, &printed.options), ==, 0);
        json_object_put(progress.properties);
        progress.properties = json_from_text(FAILED);
        progress.message = "why";
        g_assert_cmpint(progress_print_end(&progress, &printed.options), ==, 0);
        g_assert_cmpint(progress_print_left(&progress, &printed.options), ==, 0);
#define COMMON "\"job\":\"/org/scsiscan1/job/7\",\"scope\":\"host3\""
        printed_end(&printed, "{\"event\":\"started\"," COMMON "}\n"
                              "{\"event\":\"progress\"," COMMON ",\"state\":\"running\","
                              "\"steps_done\":3,\"steps_total\":12,\"progress\":0.25}\n"
                              "{\"event\":\"finished\"," COMMON ",\"result\":\"failed\","
                              "\"message\":\"why\",\"elapsed_usec\":1250000,"
                              "\"summary\":{\"attached\":0,\"failed\":1}}\n"
                              "{\"event\":\"left\"," COMMON "}\n");
        json_object_put(progress.properties);
}

/* Attaching and the like: what they say differs in words. */
static void test_orders(void) {
        static const struct {
                struct progress progress;
                const char *properties;
                const char *text;
        } examples[] = {
                {{.verb = PROGRESS_ATTACH, .scope = "3:0:1", .lun = "5"},
                 "{'Result': 'done', 'Summary': {'attached': 1, 'failed': 0}}",
                 "Attached LUN 5 of 3:0:1 in 0.5 s: 1 attached\n"},
                {{.verb = PROGRESS_DETACH, .scope = "/dev/sda"},
                 "{'Result': 'done', 'Summary': {'detached': 1}}",
                 "Detached /dev/sda in 0.5 s: 1 detached\n"},
                {{.verb = PROGRESS_REFRESH, .scope = "naa.5a"},
                 "{'Result': 'done', 'Summary': {'unchanged': 2}}",
                 "Refreshed naa.5a in 0.5 s: 2 unchanged\n"},
                {{.verb = PROGRESS_ACCEPT, .scope = "3:0:1:5"},
                 "{'Result': 'cancelled'}",
                 "Acceptance of 3:0:1:5 cancelled after 0.5 s\n"},
        };

        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                struct progress progress = examples[i].progress;
                struct printed printed;

                progress.job = "/org/scsiscan1/job/7";
                progress.message = "";
                progress.elapsed_usec = 500000;
                progress.properties = json_from_text(examples[i].properties);
                printed_begin(&printed);
                g_assert_cmpint(progress_print_end(&progress, &printed.options), ==, 0);
                printed_end(&printed, examples[i].text);
                json_object_put(progress.properties);
        }
}

/* While the job is not known yet, and when it was refused. */
static void test_without_job(void) {
        struct progress progress = {
                .verb = PROGRESS_ATTACH, .scope = "3:0:1", .lun = "5", .message = "why not"};
        struct printed printed;

        printed_begin(&printed);
        printed.options.terminal = true;
        g_assert_cmpint(progress_print_step(&progress, &printed.options), ==, 0);
        g_assert_cmpint(progress_print_left(&progress, &printed.options), ==, 0);
        printed_end(&printed, "Attaching LUN 5 of 3:0:1: waiting\r\033[K"
                              "Attaching LUN 5 of 3:0:1 goes on; see: scsictl list jobs\n");

        printed_begin(&printed);
        printed.options.json = true;
        g_assert_cmpint(progress_print_failure(&progress, "org.scsiscan1.Error.NotReported",
                                               &printed.options),
                        ==, 0);
        printed_end(&printed, "{\"event\":\"refused\",\"scope\":\"3:0:1\",\"lun\":\"5\","
                              "\"error\":\"org.scsiscan1.Error.NotReported\","
                              "\"message\":\"why not\"}\n");

        progress.job = "/org/scsiscan1/job/7";
        printed_begin(&printed);
        g_assert_cmpint(progress_print_failure(&progress, "x", &printed.options), ==, 0);
        g_assert_cmpint(progress_print_job(&progress, &printed.options), ==, 0);
        printed_end(&printed, "/org/scsiscan1/job/7\n");
}

static void test_result(void) {
        static const struct {
                const char *properties;
                bool ended;
                bool succeeded;
        } examples[] = {
                {DONE, true, true},     {FAILED, true, false}, {RUNNING, false, false},
                {QUEUED, false, false}, {"{}", false, false},  {"{'Result': 5}", false, false},
        };

        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                struct progress progress = progress_from_text(examples[i].properties);

                g_assert_true(progress_ended(&progress) == examples[i].ended);
                g_assert_true(progress_succeeded(&progress) == examples[i].succeeded);
                json_object_put(progress.properties);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/client/progress/step", test_step);
        g_test_add_func("/client/progress/line", test_line);
        g_test_add_func("/client/progress/end", test_end);
        g_test_add_func("/client/progress/json", test_json);
        g_test_add_func("/client/progress/orders", test_orders);
        g_test_add_func("/client/progress/without-job", test_without_job);
        g_test_add_func("/client/progress/result", test_result);
        return g_test_run();
}
