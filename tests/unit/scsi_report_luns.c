/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdbool.h>

#include <scsi/sg_unaligned.h>

#include "scsi/report_luns.h"
#include "tests/unit/scsi_support.h"
#include "util/cleanup.h"

static void assert_list(const uint8_t *data, size_t length, const uint64_t *luns, size_t count,
                        uint32_t skipped, size_t wanted_bytes) {
        _cleanup_(scsi_lun_list_done) struct scsi_lun_list list = {};

        g_assert_cmpint(scsi_report_luns_decode(data, length, &list), ==, 0);
        g_assert_cmpmem(list.luns, list.count * sizeof(*luns), luns, count * sizeof(*luns));
        g_assert_cmpuint(list.skipped, ==, skipped);
        g_assert_cmpuint(list.wanted_bytes, ==, wanted_bytes);
}

static void test_empty(void) {
        static const uint8_t data[16];

        assert_list(data, 8, NULL, 0, 0, 8);
        assert_list(data, sizeof(data), NULL, 0, 0, 8);
}

static void test_sorted_once(void) {
        static const uint8_t data[] = {
                0,    0,    0, 48, 0, 0, 0, 0, /* header */
                0x41, 0x00, 0, 0,  0, 0, 0, 0, /* flat 256 */
                0,    5,    0, 0,  0, 0, 0, 0, /* 5 */
                0xff, 0xff, 0, 0,  0, 0, 0, 0, /* not specified */
                0,    0,    0, 0,  0, 0, 0, 0, /* 0 */
                0,    5,    0, 0,  0, 0, 0, 0, /* 5 again */
                0xc1, 0x01, 0, 0,  0, 0, 0, 0, /* well-known */
        };
        static const uint64_t luns[] = {0, 5, 16640, SCSI_WLUN_REPORT_LUNS};

        assert_list(data, sizeof(data), luns, ELEMENTS_OF(luns), 2, sizeof(data));
}

static void test_only_unspecified(void) {
        static const uint8_t data[] = {0,   0,   0,   8,   0,   0,   0,   0,
                                       255, 255, 255, 255, 255, 255, 255, 255};

        assert_list(data, sizeof(data), NULL, 0, 1, sizeof(data));
}

/* Three entries claimed, less there: whole entries count, and the claim says what to ask for. */
static void test_truncated(void) {
        static const uint8_t data[] = {
                0, 0, 0, 24, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0,
        };
        static const uint64_t luns[] = {1};

        assert_list(data, sizeof(data), luns, 1, 0, 32);
        assert_list(data, 15, NULL, 0, 0, 32);
        assert_list(data, 8, NULL, 0, 0, 32);
}

/* More there than claimed: the rest is no list. */
static void test_claims_less(void) {
        static const uint8_t data[] = {
                0, 0, 0, 15, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0,
        };
        static const uint64_t luns[] = {1};

        assert_list(data, sizeof(data), luns, 1, 0, 16);
}

static void test_too_short(void) {
        static const uint8_t data[8];
        struct scsi_lun_list list = {};

        for (size_t length = 0; length < 8; length++)
                g_assert_cmpint(scsi_report_luns_decode(data, length, &list), ==, -EINVAL);
        g_assert_null(list.luns);
}

static void test_limit(void) {
        g_autofree uint8_t *data = g_malloc0(SCSI_REPORT_LUNS_BYTES_MAX + 8);
        _cleanup_(scsi_lun_list_done) struct scsi_lun_list list = {};

        for (uint16_t i = 0; i < SCSI_REPORT_LUNS_MAX; i++)
                sg_put_unaligned_be16(i | 0x4000, data + 8 + 8 * (size_t)i);

        sg_put_unaligned_be32(8 * (SCSI_REPORT_LUNS_MAX + 1), data);
        g_assert_cmpint(scsi_report_luns_decode(data, SCSI_REPORT_LUNS_BYTES_MAX + 8, &list), ==,
                        -E2BIG);
        sg_put_unaligned_be32(UINT32_MAX, data);
        g_assert_cmpint(scsi_report_luns_decode(data, 16, &list), ==, -E2BIG);

        sg_put_unaligned_be32(8 * SCSI_REPORT_LUNS_MAX, data);
        g_assert_cmpint(scsi_report_luns_decode(data, SCSI_REPORT_LUNS_BYTES_MAX, &list), ==, 0);
        g_assert_cmpuint(list.count, ==, SCSI_REPORT_LUNS_MAX);
        g_assert_cmpuint(list.luns[0], ==, 0x4000);
        g_assert_cmpuint(list.luns[SCSI_REPORT_LUNS_MAX - 1], ==, 0x7fff);
        g_assert_cmpuint(list.wanted_bytes, ==, SCSI_REPORT_LUNS_BYTES_MAX);
}

static void test_done(void) {
        struct scsi_lun_list list = {};

        scsi_lun_list_done(NULL);
        scsi_lun_list_done(&list);
        g_assert_null(list.luns);
}

static bool list_holds(const struct scsi_lun_list *list, uint64_t number) {
        for (size_t i = 0; i < list->count; i++)
                if (list->luns[i] == number)
                        return true;
        return false;
}

static void check_random(const uint8_t *data, size_t length) {
        _cleanup_(scsi_lun_list_done) struct scsi_lun_list list = {};
        size_t claimed = ((size_t)sg_get_unaligned_be16(data) << 16 |
                          sg_get_unaligned_be16(data + 2)) /
                         8,
               there = (length - 8) / 8;
        size_t entries = claimed < there ? claimed : there;
        int r = scsi_report_luns_decode(data, length, &list);

        g_assert_cmpint(r, ==, claimed > SCSI_REPORT_LUNS_MAX ? -E2BIG : 0);
        if (r < 0)
                return;

        g_assert_cmpuint(list.count + list.skipped, ==, entries);
        g_assert_cmpuint(list.wanted_bytes, ==, 8 + 8 * claimed);
        for (size_t i = 1; i < list.count; i++)
                g_assert_cmpuint(list.luns[i - 1], <, list.luns[i]);
        for (size_t i = 0; i < entries; i++) {
                struct scsi_lun lun;

                memcpy(lun.bytes, data + 8 + 8 * i, 8);
                g_assert_true(list_holds(&list, scsi_lun_to_linux(&lun)) == (lun.bytes[0] != 0xff));
        }
}

static void test_random(void) {
        for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
                size_t length = 8 + random_below(160);
                g_autofree uint8_t *data = random_bytes(length);

                /* Mostly a list length near the truth, few different LUNs, some not specified. */
                if (random_below(8) > 0)
                        sg_put_unaligned_be32((uint32_t)random_below(200), data);
                for (size_t i = 8; random_below(4) > 0 && i < length; i++)
                        data[i] = i % 8 < 2 && random_below(3) == 0 ? 0xff : 0;
                check_random(data, length);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/scsi/report-luns/empty", test_empty);
        g_test_add_func("/scsi/report-luns/sorted-once", test_sorted_once);
        g_test_add_func("/scsi/report-luns/only-unspecified", test_only_unspecified);
        g_test_add_func("/scsi/report-luns/truncated", test_truncated);
        g_test_add_func("/scsi/report-luns/claims-less", test_claims_less);
        g_test_add_func("/scsi/report-luns/too-short", test_too_short);
        g_test_add_func("/scsi/report-luns/limit", test_limit);
        g_test_add_func("/scsi/report-luns/done", test_done);
        g_test_add_func("/scsi/report-luns/random", test_random);
        return g_test_run();
}
