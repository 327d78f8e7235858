/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <sys/stat.h>

#include "journal_support.h"
#include "util/cleanup.h"
#include "util/log.h"

/* What `write` puts on standard error. */
static char *stderr_of(void (*write)(void)) {
        _cleanup_(closep) int saved = dup(STDERR_FILENO);
        int pair[2];
        char text[4096];
        ssize_t n;

        g_assert_cmpint(pipe(pair), ==, 0);
        g_assert_cmpint(dup2(pair[1], STDERR_FILENO), >=, 0);
        write();
        fflush(stderr);
        g_assert_cmpint(dup2(saved, STDERR_FILENO), >=, 0);
        close(pair[1]);
        n = read(pair[0], text, sizeof(text) - 1);
        g_assert_cmpint(n, >=, 0);
        close(pair[0]);
        text[n] = '\0';
        return g_strdup(text);
}

static void two_lines_write(void) {
        const struct log_fields fields = {.message_id = "0123",
                                          .host = "host3",
                                          .address = "3:0:1:5",
                                          .identity = "naa.6000",
                                          .reason = "because",
                                          .job = "7",
                                          .error = -EIO};

        errno = EXDEV;
        log_debug("not %s", "this");
        log_info("scanned %d targets", 12);
        log_write(LOG_ERR, &fields, "host3: stuck");
        g_assert_cmpint(errno, ==, EXDEV);
}

static void test_write(void) {
        g_autofree char *text = NULL;

        g_unsetenv("JOURNAL_STREAM");
        text = stderr_of(two_lines_write);
        g_assert_cmpstr(text, ==, "info: scanned 12 targets\nerr: host3: stuck\n");
}

static void test_level(void) {
        g_autofree char *debug = NULL, *errors = NULL;

        g_assert_cmpint(log_level(), ==, LOG_INFO);
        log_set_level(LOG_DEBUG);
        debug = stderr_of(two_lines_write);
        log_set_level(LOG_ERR);
        errors = stderr_of(two_lines_write);
        log_set_level(LOG_INFO);
        g_assert_cmpstr(debug, ==,
                        "debug: not this\ninfo: scanned 12 targets\nerr: host3: stuck\n");
        g_assert_cmpstr(errors, ==, "err: host3: stuck\n");
}

static void long_line_write(void) {
        char text[4000];

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        log_info("%s", text);
}

static void test_long(void) {
        g_autofree char *text = stderr_of(long_line_write);

        g_assert_cmpuint(strlen(text), >, 1000);
        g_assert_cmpuint(strlen(text), <, 2100);
        g_assert_true(g_str_has_suffix(text, "x\n"));
}

static void journal_stream_set(void) {
        g_autofree char *stream = NULL;
        struct stat st;

        g_assert_cmpint(fstat(STDERR_FILENO, &st), ==, 0);
        stream = g_strdup_printf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
        g_setenv("JOURNAL_STREAM", stream, TRUE);
        log_info("a line of scsiscan's unit test");
        g_unsetenv("JOURNAL_STREAM");
}

/* The journal would read standard error too, and have each line twice. */
static void test_journal(void) {
        g_autofree char *text = stderr_of(journal_stream_set);
        g_autofree char *stale = NULL;

        g_assert_cmpstr(text, ==, "");
        g_setenv("JOURNAL_STREAM", "1:1", TRUE);
        stale = stderr_of(two_lines_write);
        g_unsetenv("JOURNAL_STREAM");
        g_assert_cmpstr(stale, ==, "info: scanned 12 targets\nerr: host3: stuck\n");
}

/* Runs last, and what comes after it would be in another namespace. */
static void test_fields(void) {
        static const char *const wanted[] = {
                "PRIORITY=6\nMESSAGE=scanned 12 targets\n",
                "PRIORITY=3\nMESSAGE_ID=0123\nSCSISCAN_HOST=host3\nSCSISCAN_ADDRESS=3:0:1:5\n"
                "SCSISCAN_IDENTITY=naa.6000\nSCSISCAN_REASON=because\nSCSISCAN_JOB=7\nERRNO=5\n"
                "MESSAGE=host3: stuck\n",
        };
        _cleanup_(closep) int journal = -1;

        if (!journal_open(&journal)) {
                g_test_skip("needs root, or user namespaces");
                return;
        }
        log_set_target(LOG_TARGET_JOURNAL);
        two_lines_write();
        log_set_target(LOG_TARGET_AUTO);
        for (size_t i = 0; i < ELEMENTS_OF(wanted); i++) {
                g_autofree char *entry = journal_next(journal);

                g_assert_cmpstr(entry, ==, wanted[i]);
        }
        g_assert_null(journal_next(journal));
}

static void test_level_parse(void) {
        static const struct {
                const char *text;
                int level;
        } cases[] = {
                {"debug", LOG_DEBUG},     {"info", LOG_INFO}, {"notice", LOG_NOTICE},
                {"warning", LOG_WARNING}, {"err", LOG_ERR},   {"", -EINVAL},
                {"INFO", -EINVAL},        {"crit", LOG_CRIT}, {"alert", LOG_ALERT},
                {"emerg", LOG_EMERG},     {"7", -EINVAL},     {"information", -EINVAL},
        };

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++)
                g_assert_cmpint(log_level_parse(cases[i].text), ==, cases[i].level);
        for (int level = LOG_EMERG; level <= LOG_DEBUG; level++)
                g_assert_cmpint(log_level_parse(log_level_name(level)), ==, level);
}

static void test_target_parse(void) {
        static const char *const others[] = {"", "Journal", "kmsg", "syslog", "nul"};

        for (int target = 0; target < LOG_TARGETS; target++)
                g_assert_cmpint(log_target_parse(log_target_name((enum log_target)target)), ==,
                                target);
        for (size_t i = 0; i < ELEMENTS_OF(others); i++)
                g_assert_cmpint(log_target_parse(others[i]), ==, -EINVAL);
}

static char *target_write(enum log_target target, void (*write)(void)) {
        char *text;

        log_set_target(target);
        g_assert_cmpint(log_target(), ==, target);
        text = stderr_of(write);
        log_set_target(LOG_TARGET_AUTO);
        return text;
}

/* Also where standard error is the journal. */
static void test_targets(void) {
        g_autofree char *null = target_write(LOG_TARGET_NULL, two_lines_write);
        g_autofree char *console = target_write(LOG_TARGET_CONSOLE, journal_stream_set);
        g_autofree char *journal = target_write(LOG_TARGET_JOURNAL, two_lines_write);

        g_assert_cmpstr(null, ==, "");
        g_assert_cmpstr(console, ==, "info: a line of scsiscan's unit test\n");
        g_assert_cmpstr(journal, ==, "");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/util/log/write", test_write);
        g_test_add_func("/util/log/level", test_level);
        g_test_add_func("/util/log/long", test_long);
        g_test_add_func("/util/log/journal", test_journal);
        g_test_add_func("/util/log/level-parse", test_level_parse);
        g_test_add_func("/util/log/target-parse", test_target_parse);
        g_test_add_func("/util/log/targets", test_targets);
        g_test_add_func("/util/log/fields", test_fields);
        return g_test_run();
}
