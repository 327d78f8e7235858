/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "scsi/inquiry.h"
#include "tests/unit/scsi_support.h"
#include "util/cleanup.h"

#define STANDARD_LENGTH 36

/* Five bytes behind 0..7, then vendor, model, revision. */
static void fill(uint8_t data[static STANDARD_LENGTH], const char *text) {
        memset(data, 0, STANDARD_LENGTH);
        data[4] = STANDARD_LENGTH - 5;
        memcpy(data + 8, text, STANDARD_LENGTH - 8);
}

static void test_decode(void) {
        uint8_t data[STANDARD_LENGTH];
        struct scsi_inquiry inquiry;

        fill(data, "Linux   scsi_debug      0191");
        data[1] = 0x80;
        data[2] = 7;
        data[5] = 0x10;
        g_assert_cmpint(scsi_inquiry_decode(data, sizeof(data), &inquiry), ==, 0);

        g_assert_cmpuint(inquiry.qualifier, ==, 0);
        g_assert_cmpuint(inquiry.type, ==, 0);
        g_assert_cmpuint(inquiry.version, ==, 7);
        g_assert_cmpuint(inquiry.tpgs, ==, 1);
        g_assert_true(inquiry.removable);
        g_assert_false(inquiry.lu_congregation);
        g_assert_cmpstr(inquiry.vendor, ==, "Linux");
        g_assert_cmpstr(inquiry.model, ==, "scsi_debug");
        g_assert_cmpstr(inquiry.revision, ==, "0191");
}

static void test_decode_no_unit(void) {
        uint8_t data[STANDARD_LENGTH];
        struct scsi_inquiry inquiry;

        fill(data, "FULLNAMEsixteen letters!rev.");
        data[0] = 0x7f;
        data[1] = 0x40;
        data[5] = 0xcf;
        g_assert_cmpint(scsi_inquiry_decode(data, sizeof(data), &inquiry), ==, 0);

        g_assert_cmpuint(inquiry.qualifier, ==, 3);
        g_assert_cmpuint(inquiry.type, ==, SCSI_TYPE_UNKNOWN);
        g_assert_cmpuint(inquiry.tpgs, ==, 0);
        g_assert_false(inquiry.removable);
        g_assert_true(inquiry.lu_congregation);
        g_assert_cmpstr(inquiry.vendor, ==, "FULLNAME");
        g_assert_cmpstr(inquiry.model, ==, "sixteen letters!");
        g_assert_cmpstr(inquiry.revision, ==, "rev.");
}

static void test_type_name(void) {
        static const struct {
                uint8_t type;
                const char *name;
        } table[] = {
                {0x00, "disk"}, {0x01, "tape"},      {0x02, "printer"},    {0x03, "processor"},
                {0x04, "worm"}, {0x05, "cd"},        {0x07, "optical"},    {0x08, "changer"},
                {0x0c, "raid"}, {0x0d, "enclosure"}, {0x0e, "rbc"},        {0x11, "osd"},
                {0x12, "adc"},  {0x14, "zbc"},       {0x1e, "well-known"}, {0x1f, "none"},
        };
        size_t named = 0;

        for (unsigned type = 0; type <= 0xff; type++) {
                g_autofree char *number = g_strdup_printf("type-0x%02x", type & 0x1f);
                const char *expected = number;

                for (size_t i = 0; i < ELEMENTS_OF(table); i++)
                        if (table[i].type == (type & 0x1f)) {
                                expected = table[i].name;
                                named++;
                        }
                g_assert_cmpstr(scsi_type_name((uint8_t)type), ==, expected);
        }
        g_assert_cmpuint(named, ==, 8 * ELEMENTS_OF(table));
}

static void test_random(void) {
        for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
                size_t length = random_below(80);
                g_autofree uint8_t *data = random_bytes(length);
                struct scsi_inquiry inquiry;
                int r = scsi_inquiry_decode(data, length, &inquiry);

                g_assert_cmpint(r, ==, length < STANDARD_LENGTH ? -EINVAL : 0);
                if (r < 0)
                        continue;

                assert_printable(inquiry.vendor, sizeof(inquiry.vendor));
                assert_printable(inquiry.model, sizeof(inquiry.model));
                assert_printable(inquiry.revision, sizeof(inquiry.revision));
                g_assert_cmpuint(inquiry.qualifier << 5 | inquiry.type, ==, data[0]);
                g_assert_cmpuint(inquiry.tpgs, <=, 3);
                g_assert_nonnull(scsi_type_name(inquiry.type));
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/scsi/inquiry/decode", test_decode);
        g_test_add_func("/scsi/inquiry/decode-no-unit", test_decode_no_unit);
        g_test_add_func("/scsi/inquiry/type-name", test_type_name);
        g_test_add_func("/scsi/inquiry/random", test_random);
        return g_test_run();
}
