/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <unistd.h>

#include "turns.h"

#define LONG_USEC 80000
/* Longer than a busy machine keeps anybody from going on. */
#define WAIT_USEC 1000000

struct play {
        uv_loop_t loop;
        struct turns turns;
        uv_timer_t timer;
        uv_poll_t poll;
        int pipe[2];
        unsigned beats;
};

static void on_closed(uv_handle_t *handle) {
}

static void end(struct play *play) {
        uv_close((uv_handle_t *)&play->turns.prepare, on_closed);
        uv_close((uv_handle_t *)&play->timer, on_closed);
        uv_close((uv_handle_t *)&play->poll, on_closed);
}

static void play_start(struct play *play) {
        uv_loop_init(&play->loop);
        turns_start(&play->turns, &play->loop);
        uv_timer_init(&play->loop, &play->timer);
        g_assert_cmpint(pipe(play->pipe), ==, 0);
        uv_poll_init(&play->loop, &play->poll, play->pipe[0]);
        play->timer.data = play->poll.data = play;
}

static void play_end(struct play *play) {
        uv_run(&play->loop, UV_RUN_DEFAULT);
        close(play->pipe[0]);
        close(play->pipe[1]);
        g_assert_cmpint(uv_loop_close(&play->loop), ==, 0);
}

static void on_last_beat(uv_timer_t *timer) {
        struct play *play = timer->data;

        if (++play->beats == 2)
                end(play);
}

/* Waiting is not counted, however long. */
static void test_waiting(void) {
        struct play play = {};

        play_start(&play);
        uv_timer_start(&play.timer, on_last_beat, WAIT_USEC / 1000, WAIT_USEC / 1000);
        play_end(&play);
        g_assert_cmpuint(play.turns.longest_usec, <, WAIT_USEC);
}

/* The first beat may come before the loop has begun its first turn. */
static void on_slow_timer(uv_timer_t *timer) {
        struct play *play = timer->data;

        if (++play->beats == 2)
                g_usleep(LONG_USEC);
        if (play->beats == 3)
                end(play);
}

static void test_timer(void) {
        struct play play = {};

        play_start(&play);
        uv_timer_start(&play.timer, on_slow_timer, 1, 1);
        play_end(&play);
        g_assert_cmpuint(play.turns.longest_usec, >=, LONG_USEC);
        g_assert_cmpuint(play.turns.over, >=, 1);
}

static void on_slow_poll(uv_poll_t *poll, int status, int events) {
        struct play *play = poll->data;
        char byte;

        g_assert_cmpint(read(play->pipe[0], &byte, 1), ==, 1);
        g_usleep(LONG_USEC);
        uv_timer_start(&play->timer, on_last_beat, 1, 1);
}

/* Which libuv calls before it is through with its poll. */
static void test_poll(void) {
        struct play play = {};

        play_start(&play);
        uv_poll_start(&play.poll, UV_READABLE, on_slow_poll);
        g_assert_cmpint(write(play.pipe[1], "x", 1), ==, 1);
        play_end(&play);
        g_assert_cmpuint(play.turns.longest_usec, >=, LONG_USEC);
        g_assert_cmpuint(play.turns.over, >=, 1);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/turns/waiting", test_waiting);
        g_test_add_func("/turns/timer", test_timer);
        g_test_add_func("/turns/poll", test_poll);
        return g_test_run();
}
