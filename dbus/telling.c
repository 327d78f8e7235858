/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdlib.h>

#include "dbus/publisher.h"
#include "dbus/replies.h"
#include "dbus/server_private.h"
#include "dbus/telling.h"
#include "util/clock.h"

#define PAUSE_MS 5

struct telling {
        struct server *server;
        uv_idle_t idle;       /* goes on */
        uv_timer_t timer;     /* the same, when the bus has had time */
        uv_prepare_t prepare; /* sees when the next long reply may be begun */
        unsigned handles;
        uint64_t patient_until; /* µs */
        bool poked;             /* that one may */
        bool under_way;
        bool publishing;
        bool heard; /* see server_publish() */
        bool held;  /* the same: so there is something that nobody was told of */
        struct publication publication;
};

struct telling *telling_new(struct server *server) {
        struct telling *telling = calloc(1, sizeof(*telling));

        if (telling)
                telling->server = server;
        return telling;
}

static void go_on(struct telling *telling);

static void on_idle(uv_idle_t *idle) {
        go_on(idle->data);
}

static void on_timer(uv_timer_t *timer) {
        go_on(timer->data);
}

static bool bus_is_behind(const struct telling *telling, uint64_t now) {
        uint64_t queued;

        return telling->server->bus && now < telling->patient_until &&
               sd_bus_get_n_queued_write(telling->server->bus, &queued) >= 0 &&
               queued >= TELLING_QUEUE_MAX;
}

/* True when nothing of it is left. */
static bool publish(struct telling *telling, uint64_t until) {
        if (!telling->publishing)
                return true;
        if (!publication_go_on(telling->server, &telling->publication, until))
                return false;
        telling->publishing = false;
        telling->held = telling->publication.held;
        publication_done(&telling->publication);
        waiting_answer(telling->server->waiting, telling->heard);
        return true;
}

/* The same. */
static bool reply(struct telling *telling, uint64_t until) {
        return telling->held || replies_go_on(telling->server->replies, telling->server, until);
}

static void go_on(struct telling *telling) {
        struct server *server = telling->server;
        uint64_t now = clock_usec(), until = now + TELLING_SLICE_USEC;

        if (bus_is_behind(telling, now)) {
                uv_idle_stop(&telling->idle);
                uv_timer_start(&telling->timer, on_timer, PAUSE_MS, 0);
                return;
        }
        if (!publish(telling, until) || !reply(telling, until)) {
                uv_idle_start(&telling->idle, on_idle);
                return;
        }
        uv_idle_stop(&telling->idle);
        telling->under_way = false;
        server->handler.told(server->handler.userdata);
}

void telling_begin(struct telling *telling, const struct server_publication *what) {
        struct server *server = telling->server;
        bool asked = replies_are_due(server->replies, server->bus);

        assert(!telling->under_way);
        publication_begin(server, &telling->publication, what->held && !asked);
        telling->heard = what->heard;
        telling->poked = false;
        telling->patient_until = clock_usec() + TELLING_PATIENCE_USEC;
        telling->publishing = telling->under_way = true;
        go_on(telling);
}

bool telling_is_under_way(const struct telling *telling) {
        return telling->under_way;
}

static void on_prepare(uv_prepare_t *prepare) {
        struct telling *telling = prepare->data;
        const struct server *server = telling->server;

        if (telling->under_way || telling->poked || !replies_are_due(server->replies, server->bus))
                return;
        telling->poked = true;
        server->handler.poked(server->handler.userdata);
}

void telling_start(struct telling *telling, uv_loop_t *loop) {
        uv_idle_init(loop, &telling->idle);
        uv_timer_init(loop, &telling->timer);
        uv_prepare_init(loop, &telling->prepare);
        telling->idle.data = telling->timer.data = telling->prepare.data = telling;
        telling->handles = 3;
        uv_prepare_start(&telling->prepare, on_prepare);
}

static void on_closed(uv_handle_t *handle) {
        struct telling *telling = handle->data;

        telling->handles--;
}

void telling_stop(struct telling *telling) {
        uv_close((uv_handle_t *)&telling->idle, on_closed);
        uv_close((uv_handle_t *)&telling->timer, on_closed);
        uv_close((uv_handle_t *)&telling->prepare, on_closed);
}

void telling_free(struct telling *telling) {
        if (!telling)
                return;
        assert(telling->handles == 0);
        publication_done(&telling->publication);
        free(telling);
}

bool telling_publishes(const struct telling *telling) {
        return telling->publishing;
}
