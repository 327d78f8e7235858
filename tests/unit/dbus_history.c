/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>

#include "dbus/history.h"

static struct object_id device(uint64_t lun) {
        return (struct object_id){.kind = OBJECT_DEVICE, .address = {{3, 0, 1}, lun}};
}

static const struct object_id unit = {.kind = OBJECT_UNIT, .identity = "naa.5000"};

static void add(struct history *history, uint64_t generation, struct change_set *set) {
        g_assert_cmpint(history_add(history, generation, change_set_entries(set)), ==, 0);
        change_set_free(set);
}

static struct change_set *added(const struct object_id *id) {
        struct change_set *set = change_set_new();

        g_assert_cmpint(change_set_added(set, id), ==, 0);
        return set;
}

static struct change_set *removed(const struct object_id *id) {
        struct change_set *set = change_set_new();

        g_assert_cmpint(change_set_removed(set, id, NULL, "unmapped"), ==, 0);
        return set;
}

static struct change_set *changed(const struct object_id *id, uint32_t properties) {
        struct change_set *set = change_set_new();

        g_assert_cmpint(change_set_changed(set, id, properties), ==, 0);
        return set;
}

/* What has become of the object since then: "" for nothing. */
static void assert_since(const struct history *history, uint64_t since, const struct object_id *id,
                         const char *words, uint32_t properties, uint64_t generation) {
        _cleanup_(change_set_freep) struct change_set *set = NULL;
        const struct change *change;
        g_autofree char *text = NULL;

        g_assert_true(history_reaches(history, since));
        g_assert_cmpint(history_since(history, since, &set), ==, 0);
        change = change_set_find(set, id);
        text = g_strdup_printf("%s%s%s", change && change->removed ? "removed " : "",
                               change && change->added ? "added " : "",
                               change && change->properties ? "changed " : "");
        g_assert_cmpstr(g_strchomp(text), ==, words);
        g_assert_cmpuint(change ? change->properties : 0, ==, properties);
        g_assert_cmpuint(change ? change->generation : 0, ==, generation);
}

static void test_net_effect(void) {
        _cleanup_(history_freep) struct history *history = history_new(100);
        struct object_id id = device(5);

        g_assert_true(history_reaches(history, 100));
        g_assert_false(history_reaches(history, 99));
        g_assert_false(history_reaches(history, 101));
        add(history, 101, added(&id));
        add(history, 102, changed(&id, 1));
        add(history, 103, changed(&id, 4));
        add(history, 104, removed(&id));
        add(history, 105, added(&id));
        add(history, 106, changed(&id, 2));
        assert_since(history, 100, &id, "added", 0, 106);
        assert_since(history, 101, &id, "removed added", 0, 106);
        assert_since(history, 103, &id, "removed added", 0, 106);
        assert_since(history, 104, &id, "added", 0, 106);
        assert_since(history, 105, &id, "changed", 2, 106);
        assert_since(history, 106, &id, "", 0, 0);
        g_assert_false(history_reaches(history, 107));
}

/* What nobody saw come, nobody sees go; changes add up, and others stay out of it. */
static void test_in_between(void) {
        _cleanup_(history_freep) struct history *history = history_new(0);
        struct object_id id = device(5), other = device(6);

        add(history, 1, added(&unit));
        add(history, 2, added(&id));
        add(history, 3, changed(&other, 1));
        add(history, 4, changed(&other, 8));
        add(history, 5, removed(&id));
        assert_since(history, 1, &id, "", 0, 0);
        assert_since(history, 2, &id, "removed", 0, 5);
        assert_since(history, 0, &other, "changed", 9, 4);
        assert_since(history, 3, &other, "changed", 8, 4);
        assert_since(history, 0, &unit, "added", 0, 1);
        assert_since(history, 1, &unit, "", 0, 0);
}

static struct change_set *many(uint64_t first, uint64_t count) {
        struct change_set *set = change_set_new();

        for (uint64_t i = 0; i < count; i++) {
                struct object_id id = device(first + i);

                g_assert_cmpint(change_set_added(set, &id), ==, 0);
        }
        return set;
}

static void test_bound(void) {
        _cleanup_(history_freep) struct history *history = history_new(0);
        struct object_id id = device(0);

        add(history, 1, many(0, 10));
        add(history, 2, many(10, HISTORY_MAX - 10));
        g_assert_true(history_reaches(history, 0));
        add(history, 3, changed(&id, 1));
        g_assert_false(history_reaches(history, 0));
        assert_since(history, 1, &id, "changed", 1, 3);
        /* One that is larger than all of it. */
        add(history, 4, many(HISTORY_MAX, HISTORY_MAX + 1));
        g_assert_false(history_reaches(history, 3));
        assert_since(history, 4, &id, "", 0, 0);
        add(history, 5, changed(&id, 1));
        assert_since(history, 4, &id, "changed", 1, 5);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/history/net-effect", test_net_effect);
        g_test_add_func("/dbus/history/in-between", test_in_between);
        g_test_add_func("/dbus/history/bound", test_bound);
        return g_test_run();
}
