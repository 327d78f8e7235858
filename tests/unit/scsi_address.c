/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "scsi/address.h"
#include "tests/unit/scsi_support.h"
#include "util/cleanup.h"

static const char *const malformed_numbers[] = {
        "",    "-",  "+1",  "-1", " 1",         "1 ",
        "01",  "00", "0x1", "1a", "4294967296", "1844674407370955161500",
        "1\n",
};

static void test_host_parse(void) {
        uint32_t host = 7;

        g_assert_cmpint(scsi_host_parse("host0", &host), ==, 0);
        g_assert_cmpuint(host, ==, 0);
        g_assert_cmpint(scsi_host_parse("host4294967295", &host), ==, 0);
        g_assert_cmpuint(host, ==, UINT32_MAX);

        for (size_t i = 0; i < ELEMENTS_OF(malformed_numbers); i++) {
                g_autofree char *text = g_strconcat("host", malformed_numbers[i], NULL);

                g_assert_cmpint(scsi_host_parse(text, &host), ==, -EINVAL);
        }
        g_assert_cmpint(scsi_host_parse("hos", &host), ==, -EINVAL);
        g_assert_cmpint(scsi_host_parse("3", &host), ==, -EINVAL);
        g_assert_cmpint(scsi_host_parse("Host3", &host), ==, -EINVAL);
        g_assert_cmpuint(host, ==, UINT32_MAX);
}

static void test_target_parse(void) {
        static const char *const malformed[] = {
                "3", "3:0", "3:0:1:", "3:0:1:5", ":0:1", "3::1", "3:0:", "3.0.1", "target3:0:1",
        };
        struct scsi_target_address address;

        g_assert_cmpint(scsi_target_address_parse("3:0:1", &address), ==, 0);
        g_assert_cmpuint(address.host, ==, 3);
        g_assert_cmpuint(address.channel, ==, 0);
        g_assert_cmpuint(address.target, ==, 1);

        for (size_t i = 0; i < ELEMENTS_OF(malformed); i++)
                g_assert_cmpint(scsi_target_address_parse(malformed[i], &address), ==, -EINVAL);

        for (size_t i = 0; i < ELEMENTS_OF(malformed_numbers); i++)
                for (unsigned place = 0; place < 3; place++) {
                        g_autofree char *text =
                                g_strdup_printf("%s:%s:%s", place == 0 ? malformed_numbers[i] : "1",
                                                place == 1 ? malformed_numbers[i] : "2",
                                                place == 2 ? malformed_numbers[i] : "3");

                        g_assert_cmpint(scsi_target_address_parse(text, &address), ==, -EINVAL);
                }
}

static void test_address_parse(void) {
        static const char *const malformed[] = {
                "3:0:1",
                "3:0:1:",
                "3:0:1:5:",
                "3:0:1:5:6",
                "3:0:1:05",
                "3:0:1:0x5",
                "3:0:1:18446744073709551616",
                "3:0:1:-",
                "3:0:1:*",
        };
        struct scsi_address address;

        g_assert_cmpint(scsi_address_parse("3:2:1:49409", &address), ==, 0);
        g_assert_cmpuint(address.target.host, ==, 3);
        g_assert_cmpuint(address.target.channel, ==, 2);
        g_assert_cmpuint(address.target.target, ==, 1);
        g_assert_cmpuint(address.lun, ==, 49409);

        g_assert_cmpint(scsi_address_parse("0:0:0:18446744073709551615", &address), ==, 0);
        g_assert_cmpuint(address.lun, ==, UINT64_MAX);

        for (size_t i = 0; i < ELEMENTS_OF(malformed); i++)
                g_assert_cmpint(scsi_address_parse(malformed[i], &address), ==, -EINVAL);
        g_assert_cmpuint(address.lun, ==, UINT64_MAX);
}

static void test_format_longest(void) {
        const struct scsi_address address = {{UINT32_MAX, UINT32_MAX, UINT32_MAX}, UINT64_MAX};
        char text[SCSI_ADDRESS_TEXT_MAX];

        g_assert_cmpstr(scsi_address_format(&address, text), ==,
                        "4294967295:4294967295:4294967295:18446744073709551615");
        g_assert_cmpstr(scsi_target_address_format(&address.target, text), ==,
                        "4294967295:4294967295:4294967295");
}

static void test_compare(void) {
        static const struct scsi_address ascending[] = {
                {{0, 0, 0}, 0}, {{0, 0, 0}, UINT64_MAX}, {{0, 0, 1}, 0},
                {{0, 1, 0}, 0}, {{1, 0, 0}, 0},          {{UINT32_MAX, 0, 0}, 0},
        };

        for (size_t i = 0; i < ELEMENTS_OF(ascending); i++)
                for (size_t j = 0; j < ELEMENTS_OF(ascending); j++) {
                        int expected = (i > j) - (i < j);

                        g_assert_cmpint(scsi_address_compare(&ascending[i], &ascending[j]), ==,
                                        expected);
                }

        g_assert_cmpint(scsi_target_address_compare(&ascending[0].target, &ascending[1].target), ==,
                        0);
        g_assert_cmpint(scsi_target_address_compare(&ascending[4].target, &ascending[3].target), ==,
                        1);
}

static void test_random_round_trip(void) {
        for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
                struct scsi_address parsed,
                        address = {
                                {(uint32_t)g_test_rand_int() >> random_below(32),
                                 (uint32_t)g_test_rand_int() >> random_below(32),
                                 (uint32_t)g_test_rand_int() >> random_below(32)},
                                (uint64_t)(uint32_t)g_test_rand_int() << random_below(33),
                        };
                char text[SCSI_ADDRESS_TEXT_MAX];

                g_assert_cmpint(scsi_address_parse(scsi_address_format(&address, text), &parsed),
                                ==, 0);
                g_assert_cmpint(scsi_address_compare(&address, &parsed), ==, 0);
        }
}

/* There is one spelling for each address: what is accepted is formatted to the same text. */
static void test_random_text(void) {
        static const char letters[] = "0123456789::::-x ";
        unsigned accepted = 0;

        for (unsigned round = 0; round < 10 * RANDOM_ROUNDS; round++) {
                char text[13], formatted[SCSI_ADDRESS_TEXT_MAX];
                size_t length = random_below(sizeof(text));
                struct scsi_address address;

                for (size_t i = 0; i < length; i++)
                        text[i] = letters[random_below(sizeof(letters) - 1)];
                text[length] = '\0';

                if (scsi_address_parse(text, &address) < 0)
                        continue;
                accepted++;
                g_assert_cmpstr(scsi_address_format(&address, formatted), ==, text);
        }
        g_assert_cmpuint(accepted, >, 0);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/scsi/address/host-parse", test_host_parse);
        g_test_add_func("/scsi/address/target-parse", test_target_parse);
        g_test_add_func("/scsi/address/parse", test_address_parse);
        g_test_add_func("/scsi/address/format-longest", test_format_longest);
        g_test_add_func("/scsi/address/compare", test_compare);
        g_test_add_func("/scsi/address/random-round-trip", test_random_round_trip);
        g_test_add_func("/scsi/address/random-text", test_random_text);
        return g_test_run();
}
