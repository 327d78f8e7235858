/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <time.h>

#include "client/text.h"
#include "tests/unit/client_support.h"

static void test_size(void) {
        static const struct {
                uint64_t bytes;
                const char *text;
        } examples[] = {
                {0, "0B"},
                {512, "512B"},
                {1023, "1023B"},
                {1024, "1K"},
                {1536, "1.5K"},
                {8388608, "8M"},
                {UINT64_C(10737418240), "10G"},
                {UINT64_C(1000204886016), "931.5G"},
                {UINT64_C(1099511627776), "1T"},
                /* rounding up into the next whole one */
                {UINT64_C(1099511627776) * 2 - 1, "2T"},
                {UINT64_MAX, "16E"},
        };

        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                _cleanup_(freep) char *text = text_from_size(examples[i].bytes);

                g_assert_cmpstr(text, ==, examples[i].text);
        }
}

static void test_time(void) {
        _cleanup_(freep) char *plain = text_from_time(UINT64_C(1700000000000042), false);
        _cleanup_(freep) char *exact = text_from_time(UINT64_C(1700000000000042), true);

        g_assert_cmpstr(plain, ==, "2023-11-14 22:13:20");
        g_assert_cmpstr(exact, ==, "2023-11-14 22:13:20.000042");
}

static void test_summary(void) {
        static const struct {
                const char *summary;
                bool all;
                const char *text;
        } examples[] = {
                {"{'skipped': 1, 'attached': 4, 'failed': 0}", false, "4 attached, 1 skipped"},
                {"{'skipped': 1, 'attached': 4, 'failed': 0}", true,
                 "4 attached, 0 failed, 1 skipped"},
                {"{'invented': 3, 'changed': 1}", false, "1 changed, 3 invented"},
                {"{'attached': 0}", false, ""},
                {"{}", true, ""},
                {"[]", true, ""},
        };

        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                _cleanup_(json_object_putp) struct json_object *summary =
                        json_from_text(examples[i].summary);
                _cleanup_(freep) char *text = text_from_summary(summary, examples[i].all);

                g_assert_cmpstr(text, ==, examples[i].text);
        }
}

static void test_color(void) {
        g_assert_cmpstr(text_state_color("offline"), ==, "red");
        g_assert_cmpstr(text_state_color("blocked"), ==, "yellow");
        g_assert_cmpstr(text_state_color("quarantined"), ==, "yellow");
        g_assert_null(text_state_color("running"));
        g_assert_null(text_state_color(""));
        g_assert_cmpstr(text_color_sequence("red"), ==, "\033[31m");
        g_assert_cmpstr(text_color_sequence("underline"), ==, "\033[4m");
        g_assert_cmpstr(text_color_sequence(NULL), ==, "");
}

static void test_scope(void) {
        g_assert_cmpstr(text_scope(""), ==, "everything");
        g_assert_cmpstr(text_scope("host3"), ==, "host3");
}

int main(int argc, char **argv) {
        g_setenv("TZ", "UTC", TRUE);
        tzset();
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/client/text/size", test_size);
        g_test_add_func("/client/text/time", test_time);
        g_test_add_func("/client/text/summary", test_summary);
        g_test_add_func("/client/text/color", test_color);
        g_test_add_func("/client/text/scope", test_scope);
        return g_test_run();
}
