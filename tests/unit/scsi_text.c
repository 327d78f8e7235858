/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scsi/text.h"
#include "tests/unit/scsi_support.h"
#include "util/cleanup.h"

static void test_field(void) {
        static const struct {
                const char *bytes;
                size_t length;
                size_t size;
                const char *text;
        } table[] = {
                {"", 0, 9, ""},
                {"LIO-ORG ", 8, 9, "LIO-ORG"},
                {"        ", 8, 9, ""},
                {"  a b   ", 8, 9, "a b"},
                {"DISK\0junk", 9, 17, "DISK"},
                {"\0DISK", 5, 17, ""},
                {"a\tb\x7f\x80\xff~", 7, 17, "a?b???~"},
                {"\n x", 3, 17, "? x"},
                {"abcdefgh", 8, 5, "abcd"},
                {"  abc   z", 9, 6, "abc"},
                {"abc", 3, 1, ""},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                char buffer[32];
                size_t n = scsi_text_field(table[i].bytes, table[i].length, buffer, table[i].size);

                g_assert_cmpstr(buffer, ==, table[i].text);
                g_assert_cmpuint(n, ==, strlen(table[i].text));
        }
}

static void test_field_without_bytes(void) {
        char buffer[4] = "old";

        g_assert_cmpuint(scsi_text_field(NULL, 0, buffer, sizeof(buffer)), ==, 0);
        g_assert_cmpstr(buffer, ==, "");
}

static void test_escape(void) {
        static const struct {
                const char *bytes;
                size_t length;
                size_t size;
                const char *text;
        } table[] = {
                {"", 0, 9, ""},
                {"  IBM 2107  ", 12, 32, "  IBM 2107  "},
                {"\0\a\b\t\n\v\f\r\x1b", 9, 64, "\\0\\a\\010\\t\\n\\v\\f\\r\\e"},
                {"\x01\x1f\x7f\x80\xff", 5, 64, "\\001\\037\\177\\200\\377"},
                {"\\\"'", 3, 64, "\\\"'"},
                {"a\0b", 3, 64, "a\\0b"},
                /* never half an escape */
                {"ab\x01", 3, 7, "ab\\001"},
                {"ab\x01", 3, 6, "ab"},
                {"ab\ncd", 5, 4, "ab"},
                {"\x01y", 2, 4, ""},
                {"x", 1, 1, ""},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                char buffer[64];
                size_t n = scsi_text_escape(table[i].bytes, table[i].length, buffer, table[i].size);

                g_assert_cmpstr(buffer, ==, table[i].text);
                g_assert_cmpuint(n, ==, strlen(table[i].text));
        }
}

static void test_random_field(void) {
        for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
                size_t length = random_below(40), size = 1 + random_below(40);
                g_autofree uint8_t *bytes = random_bytes(length);
                g_autofree char *buffer = g_malloc(size);
                size_t n = scsi_text_field(bytes, length, buffer, size);

                assert_printable(buffer, size);
                g_assert_cmpuint(n, ==, strlen(buffer));
                g_assert_cmpuint(n, <=, length);
                g_assert_false(g_str_has_prefix(buffer, " "));
                g_assert_false(g_str_has_suffix(buffer, " "));
        }
}

/* A text cut short is the whole text of some of the first bytes, and of as many as fit. */
static void test_random_escape(void) {
        for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
                size_t length = random_below(40), size = 1 + random_below(100), kept = 0;
                g_autofree uint8_t *bytes = random_bytes(length);
                g_autofree char *buffer = g_malloc(size);
                size_t n = scsi_text_escape(bytes, length, buffer, size);
                char whole[256] = "";

                assert_printable(buffer, size);
                g_assert_cmpuint(n, ==, strlen(buffer));

                while (kept < length) {
                        if (scsi_text_escape(bytes, kept + 1, whole, sizeof(whole)) >= size)
                                break;
                        kept++;
                }
                scsi_text_escape(bytes, kept, whole, sizeof(whole));
                g_assert_cmpstr(buffer, ==, whole);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/scsi/text/field", test_field);
        g_test_add_func("/scsi/text/field-without-bytes", test_field_without_bytes);
        g_test_add_func("/scsi/text/escape", test_escape);
        g_test_add_func("/scsi/text/random-field", test_random_field);
        g_test_add_func("/scsi/text/random-escape", test_random_escape);
        return g_test_run();
}
