/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>

#include "scan/change_set.h"

static struct object_id host(uint32_t number) {
        return (struct object_id){.kind = OBJECT_HOST, .address.target.host = number};
}

static struct object_id device(uint32_t number, uint64_t lun) {
        return (struct object_id){.kind = OBJECT_DEVICE, .address = {{number, 0, 1}, lun}};
}

static struct object_id unit(const char *identity) {
        return (struct object_id){.kind = OBJECT_UNIT, .identity = identity};
}

/* Does one letter after the other to the object: a(dded) r(emoved) c(hanged). */
static void happen(struct change_set *set, struct object_id id, const char *letters) {
        uint32_t bit = 1;

        for (; *letters; letters++) {
                int r = *letters == 'a'   ? change_set_added(set, &id)
                        : *letters == 'r' ? change_set_removed(set, &id, NULL, NULL)
                                          : change_set_changed(set, &id, bit);

                g_assert_cmpint(r, ==, 0);
                bit <<= *letters == 'c';
        }
}

/* What one object went through, and what of it is to be said. */
static void test_sequences(void) {
        static const struct {
                const char *letters;
                bool said, removed, added;
                uint32_t properties;
        } table[] = {
                {"", false, false, false, 0},     {"a", true, false, true, 0},
                {"r", true, true, false, 0},      {"c", true, false, false, 1},
                {"cc", true, false, false, 3},    {"ar", false, false, false, 0},
                {"acr", false, false, false, 0},  {"ac", true, false, true, 0},
                {"cr", true, true, false, 0},     {"ra", true, true, true, 0},
                {"rac", true, true, true, 0},     {"cra", true, true, true, 0},
                {"rar", true, true, false, 0},    {"racr", true, true, false, 0},
                {"rara", true, true, true, 0},    {"ara", true, false, true, 0},
                {"arar", false, false, false, 0}, {"cracrac", true, true, true, 0},
                {"crarar", true, true, false, 0},
        };
        struct object_id ids[] = {host(3), device(3, 5), unit("naa.5")};

        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
                for (size_t k = 0; k < G_N_ELEMENTS(ids); k++) {
                        _cleanup_(change_set_freep) struct change_set *set = change_set_new();
                        const struct change *change;

                        g_test_message("\"%s\" of kind %d", table[i].letters, ids[k].kind);
                        happen(set, ids[k], table[i].letters);
                        change = TAILQ_FIRST(change_set_entries(set));
                        g_assert_true(change_set_is_empty(set) == !table[i].said);
                        g_assert_true((change != NULL) == table[i].said);
                        if (!change)
                                continue;
                        g_assert_null(TAILQ_NEXT(change, entry));
                        g_assert_cmpint(change->id.kind, ==, ids[k].kind);
                        g_assert_true(change->removed == table[i].removed);
                        g_assert_true(change->added == table[i].added);
                        g_assert_cmpuint(change->properties, ==, table[i].properties);
                }
        }
}

static void test_nothing_changed(void) {
        _cleanup_(change_set_freep) struct change_set *set = change_set_new();
        struct object_id id = host(0);

        g_assert_cmpint(change_set_changed(set, &id, 0), ==, 0);
        g_assert_true(change_set_is_empty(set));
}

/* In the order things happened first, each object once. */
static void test_order(void) {
        _cleanup_(change_set_freep) struct change_set *set = change_set_new();
        const struct change *change;

        happen(set, device(1, 7), "c");
        happen(set, host(1), "c");
        happen(set, unit("b"), "a");
        happen(set, device(2, 7), "a");
        happen(set, unit("a"), "r");
        happen(set, device(1, 7), "r");
        happen(set, device(2, 7), "r");
        happen(set, host(1), "c");

        change = TAILQ_FIRST(change_set_entries(set));
        g_assert_cmpint(change->id.kind, ==, OBJECT_DEVICE);
        g_assert_cmpuint(change->id.address.lun, ==, 7);
        g_assert_true(change->removed);
        change = TAILQ_NEXT(change, entry);
        g_assert_cmpint(change->id.kind, ==, OBJECT_HOST);
        change = TAILQ_NEXT(change, entry);
        g_assert_cmpstr(change->id.identity, ==, "b");
        change = TAILQ_NEXT(change, entry);
        g_assert_cmpstr(change->id.identity, ==, "a");
        g_assert_null(TAILQ_NEXT(change, entry));
}

/* A host, a target and a device with the same numbers are three objects; so are LUNs whose numbers
 * differ only in the upper half, and what the lower parts of a host's address hold is no part of
 * its name. */
static void test_apart(void) {
        _cleanup_(change_set_freep) struct change_set *set = change_set_new();
        struct object_id target = {.kind = OBJECT_TARGET, .address = {{3, 0, 0}, 0}};
        struct object_id odd = {.kind = OBJECT_HOST, .address = {{3, 9, 9}, 9}};
        struct object_id zero = {.kind = OBJECT_DEVICE, .address = {{3, 0, 0}, 0}};
        struct object_id high = {.kind = OBJECT_DEVICE, .address = {{3, 0, 0}, UINT64_C(1) << 32}};
        const struct change *change;
        unsigned count = 0;

        happen(set, host(3), "c");
        happen(set, odd, "c");
        happen(set, target, "c");
        happen(set, zero, "c");
        happen(set, high, "c");
        TAILQ_FOREACH (change, change_set_entries(set), entry)
                count++;
        g_assert_cmpuint(count, ==, 4);
}

/* The set keeps its own copy of an identity. */
static void test_identity(void) {
        _cleanup_(change_set_freep) struct change_set *set = change_set_new();
        char name[] = "naa.1";
        struct object_id id = unit(name);
        const struct change *change;

        g_assert_cmpint(change_set_added(set, &id), ==, 0);
        name[4] = '2';
        g_assert_cmpint(change_set_changed(set, &id, 4), ==, 0);
        change = TAILQ_FIRST(change_set_entries(set));
        g_assert_cmpstr(change->id.identity, ==, "naa.1");
        g_assert_true(change->added);
        change = TAILQ_NEXT(change, entry);
        g_assert_cmpstr(change->id.identity, ==, "naa.2");
        g_assert_false(change->added);
        g_assert_cmpuint(change->properties, ==, 4);
}

/* What a removed device was stays known when another one took its place. */
static void test_identity_was(void) {
        static const char *const was[] = {"naa.1", ""};

        for (size_t i = 0; i < G_N_ELEMENTS(was); i++) {
                _cleanup_(change_set_freep) struct change_set *set = change_set_new();
                struct object_id id = device(0, 1);
                const struct change *change;

                g_assert_cmpint(change_set_removed(set, &id, was[i], "requested"), ==, 0);
                change = TAILQ_FIRST(change_set_entries(set));
                g_assert_cmpstr(change->identity_was, ==, was[i]);
                g_assert_cmpint(change_set_added(set, &id), ==, 0);
                g_assert_cmpint(change_set_removed(set, &id, "naa.2", "unmapped"), ==, 0);
                g_assert_cmpstr(change->identity_was, ==, was[i]);
                g_assert_cmpstr(change->reason, ==, "requested");
                g_assert_cmpint(change_set_added(set, &id), ==, 0);
                g_assert_cmpstr(change->identity_was, ==, was[i]);
        }
}

static void test_free_null(void) {
        struct change_set *set = change_set_new();

        g_assert_true(change_set_is_empty(set));
        change_set_free(set);
        change_set_free(NULL);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/scan/change-set/sequences", test_sequences);
        g_test_add_func("/scan/change-set/nothing-changed", test_nothing_changed);
        g_test_add_func("/scan/change-set/order", test_order);
        g_test_add_func("/scan/change-set/apart", test_apart);
        g_test_add_func("/scan/change-set/identity", test_identity);
        g_test_add_func("/scan/change-set/identity-was", test_identity_was);
        g_test_add_func("/scan/change-set/free-null", test_free_null);
        return g_test_run();
}
