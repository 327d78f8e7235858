/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "client/name.h"
#include "tests/unit/client_support.h"

static void test_key(void) {
        static const struct {
                const char *path;
                const char *key;
        } examples[] = {
                {"/org/scsiscan1/host/3", "host3"},
                {"/org/scsiscan1/target/3_0_1", "3:0:1"},
                {"/org/scsiscan1/device/3_0_1_16640", "3:0:1:16640"},
                {"/org/scsiscan1/unit/naa_2e5000c500", "naa.5000c500"},
                {"/org/scsiscan1/unit/t10_2eATA_20_20_20X", "t10.ATA   X"},
                {"/org/scsiscan1/job/7", "/org/scsiscan1/job/7"},
                /* not of the contract: what it is stays what it is */
                {"/org/scsiscan1", "/org/scsiscan1"},
                {"/org/scsiscan1/device/3_0_1", "/org/scsiscan1/device/3_0_1"},
                {"/org/scsiscan1/rule/1", "/org/scsiscan1/rule/1"},
                {"/dev/sda", "/dev/sda"},
                {"", ""},
        };

        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                _cleanup_(freep) char *key = path_to_key(examples[i].path);

                g_assert_cmpstr(key, ==, examples[i].key);
        }
}

static void test_path(void) {
        static const struct {
                const char *path;
                int kind; /* -1: none */
                uint64_t numbers[4];
        } examples[] = {
                {"/org/scsiscan1/host/3", OBJECT_HOST, {3}},
                {"/org/scsiscan1/target/4294967295_1_2", OBJECT_TARGET, {4294967295, 1, 2}},
                {"/org/scsiscan1/device/3_0_1_18446744073709551615",
                 OBJECT_DEVICE,
                 {3, 0, 1, UINT64_MAX}},
                {"/org/scsiscan1/unit/x", OBJECT_UNIT, {0}},
                {"/org/scsiscan1/job/12", OBJECT_JOB, {12}},
                {"/org/scsiscan1/host/", -1, {0}},
                {"/org/scsiscan1/host", -1, {0}},
                {"/org/scsiscan1/host/-3", -1, {0}},
                {"/org/scsiscan1/host/3x", -1, {0}},
                {"/org/scsiscan1/host/3_0", -1, {0}},
                {"/org/scsiscan1/hosts/3", -1, {0}},
                {"/org/scsiscan1/device/3_0_1_", -1, {0}},
                {"/org/scsiscan1/device/3__1_2", -1, {0}},
                {"/org/scsiscan1/device/3_0_1_18446744073709551616", -1, {0}},
                {"/org/scsiscan1/unit/", -1, {0}},
                {"/", -1, {0}},
                {"", -1, {0}},
        };

        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                enum object_kind kind = OBJECT_KINDS;
                uint64_t numbers[4] = {};
                int r = path_parse(examples[i].path, &kind, numbers);

                g_test_message("%s", examples[i].path);
                g_assert_cmpint(r, ==, examples[i].kind < 0 ? -EINVAL : 0);
                if (r < 0)
                        continue;
                g_assert_cmpint((int)kind, ==, examples[i].kind);
                g_assert_cmpmem(numbers, sizeof(numbers), examples[i].numbers,
                                sizeof(examples[i].numbers));
        }
}

static void test_compare(void) {
        static const char *const in_order[] = {
                "/org/scsiscan1/host/9",
                "/org/scsiscan1/host/10",
                "/org/scsiscan1/target/9_0_2",
                "/org/scsiscan1/target/9_0_10",
                "/org/scsiscan1/device/9_0_2_9",
                "/org/scsiscan1/device/9_0_2_10",
                "/org/scsiscan1/unit/naa_2e5a",
                "/org/scsiscan1/unit/naa_2e5b",
                "/org/scsiscan1/job/9",
                "/org/scsiscan1/job/10",
                "/org/scsiscan1",
                "/org/scsiscan1/rule/1",
        };

        for (size_t i = 0; i < ELEMENTS_OF(in_order); i++)
                for (size_t j = 0; j < ELEMENTS_OF(in_order); j++) {
                        int order = path_compare(in_order[i], in_order[j]);

                        g_assert_cmpint((order > 0) - (order < 0), ==, (i > j) - (i < j));
                }
}

static void test_plural(void) {
        enum object_kind found = OBJECT_KINDS;

        for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++) {
                g_assert_cmpint(kind_from_plural(kind_plural(kind), &found), ==, 0);
                g_assert_cmpint(found, ==, kind);
        }
        g_assert_cmpint(kind_from_plural("host", &found), ==, -EINVAL);
        g_assert_cmpint(kind_from_plural("", &found), ==, -EINVAL);
        g_assert_cmpstr(kind_name(OBJECT_UNIT), ==, "unit");
        g_assert_cmpstr(kind_interface(OBJECT_UNIT), ==, "org.scsiscan1.Unit");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/client/name/key", test_key);
        g_test_add_func("/client/name/path", test_path);
        g_test_add_func("/client/name/compare", test_compare);
        g_test_add_func("/client/name/plural", test_plural);
        return g_test_run();
}
