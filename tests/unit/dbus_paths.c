/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>

#include "dbus/paths.h"

static const struct {
        struct object_id id;
        const char *path;
} objects[] = {
        {{OBJECT_HOST, {{3, 0, 0}, 0}, NULL}, "/org/scsiscan1/host/3"},
        {{OBJECT_HOST, {{0, 0, 0}, 0}, NULL}, "/org/scsiscan1/host/0"},
        {{OBJECT_HOST, {{UINT32_MAX, 0, 0}, 0}, NULL}, "/org/scsiscan1/host/4294967295"},
        {{OBJECT_TARGET, {{3, 0, 1}, 0}, NULL}, "/org/scsiscan1/target/3_0_1"},
        {{OBJECT_DEVICE, {{3, 0, 1}, 16640}, NULL}, "/org/scsiscan1/device/3_0_1_16640"},
        {{OBJECT_DEVICE, {{UINT32_MAX, UINT32_MAX, UINT32_MAX}, UINT64_MAX}, NULL},
         "/org/scsiscan1/device/4294967295_4294967295_4294967295_18446744073709551615"},
        {{OBJECT_UNIT, {}, "naa.6000a"}, "/org/scsiscan1/unit/naa_2e6000a"},
        {{OBJECT_UNIT, {}, "t10.Linux   x_1"}, "/org/scsiscan1/unit/t10_2eLinux_20_20_20x_5f1"},
        {{OBJECT_UNIT, {}, "6000"}, "/org/scsiscan1/unit/_36000"},
};

static void test_both_ways(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(objects); i++) {
                g_autofree char *path = NULL;
                struct object_id id;

                g_assert_cmpint(path_format(&objects[i].id, &path), ==, 0);
                g_assert_cmpstr(path, ==, objects[i].path);
                g_assert_cmpint(path_parse(path, &id), ==, 0);
                g_assert_cmpint(id.kind, ==, objects[i].id.kind);
                g_assert_cmpint(scsi_address_compare(&id.address, &objects[i].id.address), ==, 0);
                g_assert_cmpstr(id.identity, ==, objects[i].id.identity);
                path_done(&id);
        }
}

static void test_invalid(void) {
        static const char *const paths[] = {
                "",
                "/",
                "/org/scsiscan1",
                "/org/scsiscan1/host",
                "/org/scsiscan1/host/",
                "/org/scsiscan1/host/03",
                "/org/scsiscan1/host/+3",
                "/org/scsiscan1/host/4294967296",
                "/org/scsiscan1/host/3/0",
                "/org/scsiscan1/hosts/3",
                "/org/scsiscan1/target/3_0",
                "/org/scsiscan1/target/3_0_1_0",
                "/org/scsiscan1/target/3:0:1",
                "/org/scsiscan1/target/3_0_01",
                "/org/scsiscan1/target/_3_0_1",
                "/org/scsiscan1/device/3_0_1",
                "/org/scsiscan1/device/3_0_1_",
                "/org/scsiscan1/device/3_0_1_0x0001000000000000",
                "/org/scsiscan1/device/3_0_1_18446744073709551616",
                "/org/scsiscan1/device/000000000000000000000000000000000000000000000000003_0_1_2",
                "/org/scsiscan1/unit",
                "/org/scsiscan1/unit/",
                "/org/scsiscan1/unit/_",         /* nothing at all */
                "/org/scsiscan1/unit/naa.6000a", /* not escaped */
                "/org/scsiscan1/unit/_6eaa",     /* escaped without need */
                "/org/scsiscan1/unit/a_2E",      /* in capitals */
                "/org/scsiscan1/unit/a_00",
                "/org/scsiscan1/unit/a/b",
                "/org/scsiscan1/job/7",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
                struct object_id id;

                g_test_message("%s", paths[i]);
                g_assert_cmpint(path_parse(paths[i], &id), ==, -EINVAL);
        }
}

static void test_jobs(void) {
        static const char *const invalid[] = {
                "/org/scsiscan1/job",     "/org/scsiscan1/job/",
                "/org/scsiscan1/job/0",   "/org/scsiscan1/job/07",
                "/org/scsiscan1/job/-7",  "/org/scsiscan1/job/7x",
                "/org/scsiscan1/job/7/7", "/org/scsiscan1/job/18446744073709551616",
                "/org/scsiscan1/host/7",
        };
        static const uint64_t valid[] = {1, 7, UINT64_MAX};
        uint64_t job;

        for (size_t i = 0; i < G_N_ELEMENTS(valid); i++) {
                g_autofree char *path = NULL;

                g_assert_cmpint(path_format_job(valid[i], &path), ==, 0);
                g_assert_cmpint(path_parse_job(path, &job), ==, 0);
                g_assert_cmpuint(job, ==, valid[i]);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(invalid); i++)
                g_assert_cmpint(path_parse_job(invalid[i], &job), ==, -EINVAL);
}

static void test_list(void) {
        struct path_list list = {};

        for (uint32_t i = 0; i < 100; i++) {
                struct object_id id = {.kind = OBJECT_HOST, .address.target.host = i};

                g_assert_cmpint(path_list_add(&list, &id), ==, 0);
                g_assert_null(list.paths[list.count]);
        }
        g_assert_cmpint(path_list_add_job(&list, 5), ==, 0);
        g_assert_cmpuint(list.count, ==, 101);
        g_assert_cmpstr(list.paths[99], ==, "/org/scsiscan1/host/99");
        g_assert_cmpstr(list.paths[100], ==, "/org/scsiscan1/job/5");
        g_assert_null(list.paths[101]);
        path_list_done(&list);
        g_assert_null(list.paths);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/paths/both-ways", test_both_ways);
        g_test_add_func("/dbus/paths/invalid", test_invalid);
        g_test_add_func("/dbus/paths/jobs", test_jobs);
        g_test_add_func("/dbus/paths/list", test_list);
        return g_test_run();
}
