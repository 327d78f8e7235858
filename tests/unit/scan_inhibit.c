/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a scope that is inhibited covers, and for how long. That its targets are asked when the last
 * lease ends is shown with a machine, in tests/engine/inhibit.c. */

#include <errno.h>

#include "scan/work.h"
#include "tests/unit/scan_support.h"

#define T0 ((struct scsi_target_address){3, 0, 0})
#define T1 ((struct scsi_target_address){3, 0, 1})
#define OTHER ((struct scsi_target_address){4, 0, 0})
#define UNSEEN ((struct scsi_target_address){3, 0, 7})

/* Two hosts; the first has two ports with a disk each that is one unit, and a second disk. */
static void fill(struct fixture *f) {
        struct fact host = host_fact(3, 1), other = host_fact(4, 2);
        struct fact first = device_fact((struct scsi_address){T0, 0}, 3, "naa.a");
        struct fact second = device_fact((struct scsi_address){T1, 0}, 4, "naa.a");
        struct fact third = device_fact((struct scsi_address){T1, 5}, 5, "naa.b");
        struct fact fourth = device_fact((struct scsi_address){OTHER, 0}, 6, "naa.c");

        fact_port(&host, 0, "naa.p0", "Online");
        fact_port(&host, 1, "naa.p1", "Online");
        g_strlcpy(third.device.block, "sdc", sizeof(third.device.block));
        apply(f, &host);
        apply(f, &other);
        apply(f, &first);
        apply(f, &second);
        apply(f, &third);
        apply(f, &fourth);
}

static void planner_set_up(struct fixture *f, struct planner *planner) {
        *planner = (struct planner){.topology = f->topology};
        TAILQ_INIT(&planner->inhibitions);
        fill(f);
}

static int inhibit(struct planner *planner, const char *text, uint64_t id) {
        struct scope scope;
        int r;

        g_assert_cmpint(scope_parse(text, &scope, NULL), ==, 0);
        r = planner_inhibit(planner, &scope, id);
        scope_done(&scope);
        return r;
}

/* Digits: T0 LUN 0, T1 LUN 0, T1 LUN 5, T1 LUN 6, OTHER LUN 0, UNSEEN LUN 0; then the targets. */
static char *covered(const struct planner *planner) {
        const struct scsi_address luns[] = {{T0, 0}, {T1, 0},    {T1, 5},
                                            {T1, 6}, {OTHER, 0}, {UNSEEN, 0}};
        const struct scsi_target_address targets[] = {T0, T1, OTHER, UNSEEN};
        GString *text = g_string_new("");

        for (size_t i = 0; i < G_N_ELEMENTS(luns); i++)
                g_string_append_c(text, planner_is_inhibited(planner, &luns[i].target, luns[i].lun)
                                                ? '1'
                                                : '0');
        g_string_append_c(text, ' ');
        for (size_t i = 0; i < G_N_ELEMENTS(targets); i++)
                g_string_append_c(text,
                                  planner_is_inhibited_in_part(planner, &targets[i]) ? '1' : '0');
        return g_string_free(text, FALSE);
}

static void test_covers(struct fixture *f, const void *unused) {
        static const struct {
                const char *scope, *covered;
        } table[] = {
                {"", "111111 1111"},        {"host3", "111101 1101"},   {"host4", "000010 0010"},
                {"3:0:0", "100000 1000"},   {"3:0:1", "011100 0100"},   {"3:0:7", "000001 0001"},
                {"3:0:1:5", "001000 0100"}, {"3:0:1:6", "000100 0100"}, {"naa.p1", "011100 0100"},
                {"naa.a", "110000 1100"},   {"naa.b", "001000 0100"},   {"naa.c", "000010 0010"},
        };
        struct planner planner;

        planner_set_up(f, &planner);
        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
                g_autofree char *text = NULL;

                g_test_message("'%s'", table[i].scope);
                g_assert_cmpint(inhibit(&planner, table[i].scope, 1), ==, 0);
                text = covered(&planner);
                g_assert_cmpstr(text, ==, table[i].covered);
                planner_inhibit_free(&planner);
                g_free(g_steal_pointer(&text));
                text = covered(&planner);
                g_assert_cmpstr(text, ==, "000000 0000");
        }
}

/* A node is the device that it was when the lease began, and stays that. */
static void test_node(struct fixture *f, const void *unused) {
        struct fact gone = {.kind = FACT_DEVICE_GONE, .address = {T1, 5}};
        struct planner planner;
        struct scope scope;

        planner_set_up(f, &planner);
        g_assert_cmpint(scope_node("sdc", &scope), ==, 0);
        g_assert_cmpint(planner_inhibit(&planner, &scope, 1), ==, 0);
        apply(f, &gone);
        g_assert_true(planner_is_inhibited(&planner, &T1, 5));
        g_assert_false(planner_is_inhibited(&planner, &T1, 0));
        g_assert_cmpint(planner_inhibit(&planner, &scope, 2), ==, -ENOENT);
        scope_done(&scope);
        planner_inhibit_free(&planner);
}

/* So does an identity whose devices are gone, which is what somebody who unmaps it waits for. */
static void test_identity(struct fixture *f, const void *unused) {
        struct fact gone = {.kind = FACT_DEVICE_GONE, .address = {T1, 0}};
        struct fact also = {.kind = FACT_DEVICE_GONE, .address = {T0, 0}};
        struct planner planner;

        planner_set_up(f, &planner);
        g_assert_cmpint(inhibit(&planner, "naa.a", 1), ==, 0);
        apply(f, &gone);
        apply(f, &also);
        g_assert_true(planner_is_inhibited(&planner, &T1, 0));
        g_assert_true(planner_is_inhibited(&planner, &T0, 0));
        g_assert_false(planner_is_inhibited(&planner, &T1, 5));
        planner_inhibit_free(&planner);
}

/* What it meant is told, and means the same to the next run, before anything is known there. */
static void test_again(struct fixture *f, const void *unused) {
        struct topology *empty = topology_new();
        struct planner planner, next = {.topology = empty};
        const struct inhibition *inhibition;

        TAILQ_INIT(&next.inhibitions);
        planner_set_up(f, &planner);
        g_assert_cmpint(inhibit(&planner, "naa.a", 1), ==, 0);
        g_assert_null(planner_inhibition(&planner, 2));
        inhibition = planner_inhibition(&planner, 1);
        g_assert_cmpuint(inhibition->device_count, ==, 2);
        g_assert_cmpint(planner_inhibit_again(&next, &inhibition->scope, inhibition->devices,
                                              inhibition->device_count, 1),
                        ==, 0);
        g_assert_true(planner_is_inhibited(&next, &T0, 0));
        g_assert_true(planner_is_inhibited(&next, &T1, 0));
        g_assert_false(planner_is_inhibited(&next, &T1, 5));
        g_assert_cmpint(planner_inhibit_again(&next, &inhibition->scope, NULL, 0, 1), ==, -EEXIST);
        planner_inhibit_free(&planner);
        planner_inhibit_free(&next);
        topology_free(empty);
}

static void test_refused(struct fixture *f, const void *unused) {
        struct planner planner;
        const struct scan_time now = {};

        planner_set_up(f, &planner);
        g_assert_cmpint(inhibit(&planner, "host9", 1), ==, -ENOENT);
        g_assert_cmpint(inhibit(&planner, "9:0:0:1", 1), ==, -ENOENT);
        g_assert_cmpint(inhibit(&planner, "naa.nothing", 1), ==, -ENOENT);
        g_assert_cmpint(inhibit(&planner, "3:0:0", 1), ==, 0);
        g_assert_cmpint(inhibit(&planner, "3:0:1", 1), ==, -EEXIST);
        g_assert_cmpint(planner_uninhibit(&planner, 2, now), ==, -ENOENT);
        g_assert_true(planner_is_inhibited(&planner, &T0, 0));
        g_assert_false(planner_is_inhibited(&planner, &T1, 0));
        planner_inhibit_free(&planner);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/scan/inhibit/covers", struct fixture, NULL, fixture_set_up, test_covers,
                   fixture_tear_down);
        g_test_add("/scan/inhibit/node", struct fixture, NULL, fixture_set_up, test_node,
                   fixture_tear_down);
        g_test_add("/scan/inhibit/again", struct fixture, NULL, fixture_set_up, test_again,
                   fixture_tear_down);
        g_test_add("/scan/inhibit/identity", struct fixture, NULL, fixture_set_up, test_identity,
                   fixture_tear_down);
        g_test_add("/scan/inhibit/refused", struct fixture, NULL, fixture_set_up, test_refused,
                   fixture_tear_down);
        return g_test_run();
}
