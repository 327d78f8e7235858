/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "scsi/lun.h"
#include "tests/unit/scsi_support.h"
#include "util/cleanup.h"

static const struct {
        struct scsi_lun lun;
        uint64_t number;
        const char *decimal;
        const char *hex;
        bool well_known;
} examples[] = {
        /* peripheral 0, 5, 255 */
        {{{0}}, 0, "0", "0x0000000000000000", false},
        {{{0x00, 0x05}}, 5, "5", "0x0005000000000000", false},
        {{{0x00, 0xff}}, 255, "255", "0x00ff000000000000", false},
        /* flat 1 is another Linux LUN than peripheral 1; flat 256; the last flat one */
        {{{0x40, 0x01}}, 16385, "16385", "0x4001000000000000", false},
        {{{0x41, 0x00}}, 16640, "16640", "0x4100000000000000", false},
        {{{0x7f, 0xff}}, 32767, "32767", "0x7fff000000000000", false},
        /* well-known: REPORT LUNS, ACCESS CONTROLS, TARGET LOG PAGES */
        {{{0xc1, 0x01}}, 49409, "49409", "0xc101000000000000", true},
        {{{0xc1, 0x02}}, 49410, "49410", "0xc102000000000000", true},
        {{{0xc1, 0x03}}, 49411, "49411", "0xc103000000000000", true},
        /* extended flat, and two levels as DS8000 spells them */
        {{{0xd2, 0x04, 0x0b, 0x03}}, 0x0b03d204, "184799748", "0xd2040b0300000000", false},
        {{{0x40, 0x10, 0x40, 0x1f}}, 0x401f4010, "1075789840", "0x4010401f00000000", false},
        /* four levels */
        {{{1, 2, 3, 4, 5, 6, 7, 8}},
         0x0708050603040102,
         "506660481457717506",
         "0x0102030405060708",
         false},
        {{{255, 255, 255, 255, 255, 255, 255, 255}},
         UINT64_MAX,
         "18446744073709551615",
         "0xffffffffffffffff",
         false},
};

static void test_linux(void) {
        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                struct scsi_lun lun = scsi_lun_from_linux(examples[i].number);

                g_assert_cmpuint(scsi_lun_to_linux(&examples[i].lun), ==, examples[i].number);
                g_assert_cmpmem(lun.bytes, sizeof(lun.bytes), examples[i].lun.bytes,
                                sizeof(lun.bytes));
        }
}

static void test_well_known(void) {
        for (size_t i = 0; i < ELEMENTS_OF(examples); i++)
                g_assert_true(scsi_lun_is_well_known(examples[i].number) == examples[i].well_known);
        g_assert_true(scsi_lun_is_well_known(SCSI_WLUN_REPORT_LUNS));
}

static void test_fits_scan(void) {
        const struct {
                uint64_t number;
                bool fits;
        } table[] = {
                {0, true},
                {SCSI_WLUN_REPORT_LUNS, true},
                {UINT64_C(0x00ffffffffffffff), true},
                {UINT64_C(0x0100000000000000), false},
                {UINT64_MAX, false},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                g_autofree char *text = g_strdup_printf("0x%" PRIx64, table[i].number);

                g_assert_true(scsi_lun_fits_scan(table[i].number) == table[i].fits);
                g_assert_true((strlen(text) <= 16) == table[i].fits);
        }
}

static void test_format(void) {
        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                char decimal[SCSI_LUN_TEXT_MAX], hex[SCSI_LUN_HEX_MAX];

                g_assert_cmpstr(scsi_lun_format(examples[i].number, decimal), ==,
                                examples[i].decimal);
                g_assert_cmpstr(scsi_lun_format_hex(examples[i].number, hex), ==, examples[i].hex);
        }
}

static void test_parse(void) {
        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                const char *reason = NULL;
                uint64_t number;

                g_assert_cmpint(scsi_lun_parse(examples[i].decimal, &number, &reason), ==, 0);
                g_assert_cmpuint(number, ==, examples[i].number);
                g_assert_cmpint(scsi_lun_parse(examples[i].hex, &number, &reason), ==, 0);
                g_assert_cmpuint(number, ==, examples[i].number);
                g_assert_null(reason);
        }
}

static void test_parse_hex_case(void) {
        uint64_t number;

        g_assert_cmpint(scsi_lun_parse("0xC1aBcD0000000000", &number, NULL), ==, 0);
        g_assert_cmpuint(number, ==, 0xcd00c1ab);
}

static void test_parse_refused(void) {
        static const struct {
                const char *text;
                const char *says; /* a part of the reason */
        } table[] = {
                {"", "missing"},
                {"-", "decimal number"},
                {"-1", "decimal number"},
                {"+1", "decimal number"},
                {" 1", "decimal number"},
                {"1 ", "decimal number"},
                {"1.5", "decimal number"},
                {"5h", "decimal number"},
                {"0X0005000000000000", "decimal number"},
                {"c101", "decimal number"},
                {"05", "octal"},
                {"00", "octal"},
                {"18446744073709551616", "exceed"},
                {"99999999999999999999999999", "exceed"},
                {"0x", "16 digits"},
                {"0x5", "16 digits"},
                {"0x000500000000000", "16 digits"},
                {"0x00050000000000000", "16 digits"},
                {"0x000500000000000g", "16 digits"},
                {"0x0005000000000000 ", "16 digits"},
                {"0x-005000000000000", "16 digits"},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                const char *reason = NULL;
                uint64_t number = 42;

                g_test_message("\"%s\"", table[i].text);
                g_assert_cmpint(scsi_lun_parse(table[i].text, &number, &reason), ==, -EINVAL);
                g_assert_nonnull(reason);
                g_assert_nonnull(strstr(reason, table[i].says));
                g_assert_cmpint(scsi_lun_parse(table[i].text, &number, NULL), ==, -EINVAL);
                g_assert_cmpuint(number, ==, 42);
        }
}

static void test_random_round_trip(void) {
        for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
                g_autofree uint8_t *bytes = random_bytes(sizeof(struct scsi_lun));
                char decimal[SCSI_LUN_TEXT_MAX], hex[SCSI_LUN_HEX_MAX];
                struct scsi_lun lun, back;
                uint64_t number, parsed;

                memcpy(lun.bytes, bytes, sizeof(lun.bytes));
                number = scsi_lun_to_linux(&lun);
                back = scsi_lun_from_linux(number);
                g_assert_cmpmem(back.bytes, sizeof(back.bytes), bytes, sizeof(lun.bytes));
                g_assert_true(scsi_lun_is_well_known(number) == (bytes[0] == 0xc1));

                g_assert_cmpint(scsi_lun_parse(scsi_lun_format(number, decimal), &parsed, NULL), ==,
                                0);
                g_assert_cmpuint(parsed, ==, number);
                g_assert_cmpint(scsi_lun_parse(scsi_lun_format_hex(number, hex), &parsed, NULL), ==,
                                0);
                g_assert_cmpuint(parsed, ==, number);
        }
}

/* What is accepted is one of the two spellings that we print, but for the case of hex digits. */
static void test_random_text(void) {
        static const char letters[] = "0123456789abcdefABCDEF x-";
        unsigned accepted = 0;

        for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
                const char *prefix = round % 2 ? "0x" : "";
                char text[24], decimal[SCSI_LUN_TEXT_MAX], hex[SCSI_LUN_HEX_MAX];
                size_t end = strlen(prefix) + random_below(20);
                size_t choices = random_below(3) == 0 ? sizeof(letters) - 1 : 10;
                uint64_t number;

                g_strlcpy(text, prefix, sizeof(text));
                for (size_t i = strlen(prefix); i < end; i++)
                        text[i] = letters[random_below(choices)];
                text[end] = '\0';

                if (scsi_lun_parse(text, &number, NULL) < 0)
                        continue;
                accepted++;
                g_assert_true(strcmp(text, scsi_lun_format(number, decimal)) == 0 ||
                              g_ascii_strcasecmp(text, scsi_lun_format_hex(number, hex)) == 0);
        }
        g_assert_cmpuint(accepted, >, 0);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/scsi/lun/linux", test_linux);
        g_test_add_func("/scsi/lun/well-known", test_well_known);
        g_test_add_func("/scsi/lun/fits-scan", test_fits_scan);
        g_test_add_func("/scsi/lun/format", test_format);
        g_test_add_func("/scsi/lun/parse", test_parse);
        g_test_add_func("/scsi/lun/parse-hex-case", test_parse_hex_case);
        g_test_add_func("/scsi/lun/parse-refused", test_parse_refused);
        g_test_add_func("/scsi/lun/random-round-trip", test_random_round_trip);
        g_test_add_func("/scsi/lun/random-text", test_random_text);
        return g_test_run();
}
