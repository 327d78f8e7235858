/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <stdlib.h>

#include "inbox.h"

static struct event device_event(uint64_t lun) {
        return (struct event){.kind = EVENT_DEVICE, .address = {{3, 0, 1}, lun}};
}

static void add_event(struct inbox *inbox, uint64_t lun) {
        struct event event = device_event(lun);

        g_assert_cmpint(inbox_add_event(inbox, &event), ==, 0);
}

/* Owns something, so that a sanitizer sees one that is lost. */
static void add_observation(struct inbox *inbox, uint64_t id) {
        struct observation observation = {.step = {.id = id, .kind = STEP_LIST}};

        observation.inventory.hosts = calloc(1, sizeof(*observation.inventory.hosts));
        g_assert_nonnull(observation.inventory.hosts);
        g_assert_cmpint(inbox_add_observation(inbox, &observation), ==, 0);
}

static void assert_event(struct inbox *inbox, enum event_kind kind, uint64_t lun) {
        struct inbox_item item;

        g_assert_true(inbox_take(inbox, &item));
        g_assert_true(item.is_event);
        g_assert_cmpint(item.event.kind, ==, kind);
        g_assert_cmpuint(item.event.address.lun, ==, lun);
}

static void test_order(void) {
        _cleanup_(inbox_freep) struct inbox *inbox = inbox_new();
        struct inbox_item item;

        g_assert_true(inbox_is_empty(inbox));
        g_assert_false(inbox_take(inbox, &item));
        add_event(inbox, 1);
        add_observation(inbox, 7);
        add_event(inbox, 2);
        g_assert_false(inbox_is_empty(inbox));
        assert_event(inbox, EVENT_DEVICE, 1);
        g_assert_true(inbox_take(inbox, &item));
        g_assert_false(item.is_event);
        g_assert_cmpuint(item.observation.step.id, ==, 7);
        observation_done(&item.observation);
        assert_event(inbox, EVENT_DEVICE, 2);
        g_assert_false(inbox_take(inbox, &item));
        g_assert_true(inbox_is_empty(inbox));
}

static void test_freed(void) {
        struct inbox *inbox = inbox_new();

        add_event(inbox, 1);
        add_observation(inbox, 7);
        inbox_free(inbox);
}

/* Too many events are one for all that found no room, behind those that did. */
static void test_overrun(void) {
        _cleanup_(inbox_freep) struct inbox *inbox = inbox_new();
        struct event stuck = {.kind = EVENT_HOST_STUCK, .address.target.host = 3};
        struct inbox_item item;

        for (uint64_t i = 0; i < INBOX_EVENTS_MAX + 5; i++)
                add_event(inbox, i);
        g_assert_cmpint(inbox_add_event(inbox, &stuck), ==, 0);
        add_observation(inbox, 7);
        for (uint64_t i = 0; i < INBOX_EVENTS_MAX; i++)
                assert_event(inbox, EVENT_DEVICE, i);
        assert_event(inbox, EVENT_HOST_STUCK, 0);
        g_assert_true(inbox_take(inbox, &item));
        g_assert_false(item.is_event);
        observation_done(&item.observation);
        g_assert_false(inbox_is_empty(inbox));
        assert_event(inbox, EVENT_RESYNC, 0);
        g_assert_true(inbox_is_empty(inbox));
        g_assert_false(inbox_take(inbox, &item));
        add_event(inbox, 1);
        assert_event(inbox, EVENT_DEVICE, 1);
        g_assert_true(inbox_is_empty(inbox));
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/inbox/order", test_order);
        g_test_add_func("/inbox/freed", test_freed);
        g_test_add_func("/inbox/overrun", test_overrun);
        return g_test_run();
}
