/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <stdlib.h>

#include "dbus/target_luns.h"

#define LUNS_MAX 8
#define A DISPOSITION_ATTACHED
#define F DISPOSITION_FAILED
#define O DISPOSITION_OBSERVED
#define N DISPOSITION_NOT_REPORTED

static const struct {
        const char *name;
        uint64_t last_asked;
        struct target_lun reported[LUNS_MAX];
        size_t reported_count;
        uint64_t attached[LUNS_MAX];
        size_t attached_count;
        struct target_lun seen[LUNS_MAX];
        size_t seen_count;
} rows[] = {
        {.name = "nothing", .last_asked = 1},
        {.name = "reported-only",
         .last_asked = 1,
         .reported = {{0, F}, {5, O}},
         .reported_count = 2,
         .seen = {{0, F}, {5, O}},
         .seen_count = 2},
        {.name = "attached-since",
         .last_asked = 1,
         .reported = {{0, F}, {5, O}},
         .reported_count = 2,
         .attached = {5, 0},
         .attached_count = 2,
         .seen = {{0, A}, {5, A}},
         .seen_count = 2},
        {.name = "no-longer-attached",
         .last_asked = 1,
         .reported = {{0, O}, {5, O}},
         .reported_count = 2,
         .attached = {5},
         .attached_count = 1,
         .seen = {{0, O}, {5, A}},
         .seen_count = 2},
        {.name = "not-reported",
         .last_asked = 1,
         .reported = {{2, A}, {5, O}},
         .reported_count = 2,
         .attached = {49409, 3, 2, 0},
         .attached_count = 4,
         .seen = {{0, N}, {2, A}, {3, N}, {5, O}, {49409, N}},
         .seen_count = 5},
        {.name = "reported-none",
         .last_asked = 1,
         .attached = {1, 0},
         .attached_count = 2,
         .seen = {{0, N}, {1, N}},
         .seen_count = 2},
        {.name = "never-asked",
         .attached = {1, 0},
         .attached_count = 2,
         .seen = {{0, A}, {1, A}},
         .seen_count = 2},
};

static void test_row(gconstpointer data) {
        size_t row = GPOINTER_TO_SIZE(data);
        struct target_lun luns[LUNS_MAX];
        struct device devices[LUNS_MAX] = {};
        struct target target = {
                .luns = rows[row].reported_count ? luns : NULL,
                .lun_count = rows[row].reported_count,
                .last_asked = rows[row].last_asked,
                .device_count = rows[row].attached_count,
        };
        g_autofree struct target_lun *seen = NULL;
        size_t count;

        TAILQ_INIT(&target.devices);
        for (size_t i = 0; i < rows[row].reported_count; i++)
                luns[i] = rows[row].reported[i];
        for (size_t i = 0; i < rows[row].attached_count; i++) {
                devices[i].address.lun = rows[row].attached[i];
                TAILQ_INSERT_TAIL(&target.devices, &devices[i], entry);
        }
        g_assert_cmpint(target_luns_seen(&target, &seen, &count), ==, 0);
        g_assert_cmpuint(count, ==, rows[row].seen_count);
        for (size_t i = 0; i < count; i++) {
                g_assert_cmpuint(seen[i].lun, ==, rows[row].seen[i].lun);
                g_assert_cmpint(seen[i].disposition, ==, rows[row].seen[i].disposition);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/dbus/target-luns/%s", rows[i].name);

                g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_row);
        }
        return g_test_run();
}
