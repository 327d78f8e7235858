/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dbus/bus_loop.h"
#include "util/clock.h"
#include "util/log.h"

#define DEFAULT_ADDRESS "unix:path=/run/dbus/system_bus_socket"

/* Messages handled in a row, and for how long: a flood starves neither timers nor the watchdog. */
#define DRAIN_BUDGET 64
#define DRAIN_USEC 10000
/* Messages that wait to be written. */
#define UNWRITTEN_MAX 2048
/* Bytes that the kernel takes from us at once. sd-bus asks for 8 MiB, and one write of a long reply
 * would keep the loop for as long as copying that takes. It is a queue too: an answer waits in it
 * for all that was said before. The kernel counts some hundred bytes more for each message. */
#define SEND_BUFFER (32 * 1024)

#define RETRY_MIN_MSEC 200
#define RETRY_MAX_MSEC 1000
/* An attempt that has got no further by then starts over: a socket that was bound but not listening
 * when its inotify event came makes no second one. */
#define CONNECT_USEC UINT64_C(5000000)

struct bus_loop {
        struct bus_loop_handler handler;
        uv_prepare_t prepare;
        uv_timer_t timer; /* sd-bus's timeout while there is a connection, else the next attempt */
        uv_poll_t *poll;  /* by itself, because it is closed later than the connection is */
        int fd;
        int events;
        sd_bus *bus;
        bool connected;
        bool reset;
        bool complained; /* of there being no bus, since there last was one */
        unsigned handles;
        uint64_t retry_msec;
        uint64_t connect_by; /* µs, CLOCK_MONOTONIC */
};

static void complain(struct bus_loop *bus_loop, int error) {
        if (bus_loop->complained)
                return;
        log_notice("No system bus yet, trying again: %s", strerror(-error));
        bus_loop->complained = true;
}

static void on_poll_closed(uv_handle_t *handle) {
        struct bus_loop *bus_loop = handle->data;

        bus_loop->handles--;
        free(handle);
}

static void poll_close(struct bus_loop *bus_loop) {
        if (bus_loop->poll)
                uv_close((uv_handle_t *)TAKE_PTR(bus_loop->poll), on_poll_closed);
        bus_loop->fd = -1;
}

static void on_timer(uv_timer_t *timer);

/* The poll handle goes first: libuv must not watch a descriptor that is closed. */
static void connection_drop(struct bus_loop *bus_loop) {
        poll_close(bus_loop);
        bus_loop->handler.lost(bus_loop->handler.userdata);
        bus_loop->bus = sd_bus_close_unref(bus_loop->bus);
        bus_loop->connected = false;
        bus_loop->reset = false;
}

static void retry_later(struct bus_loop *bus_loop) {
        uv_timer_start(&bus_loop->timer, on_timer, bus_loop->retry_msec, 0);
        bus_loop->retry_msec *= 2;
        if (bus_loop->retry_msec > RETRY_MAX_MSEC)
                bus_loop->retry_msec = RETRY_MAX_MSEC;
}

static void connection_fail(struct bus_loop *bus_loop, int error) {
        if (bus_loop->connected)
                log_warning("Lost the system bus, trying again: %s", strerror(-error));
        else
                complain(bus_loop, error);
        connection_drop(bus_loop);
        retry_later(bus_loop);
}

static void limit_send_buffer(sd_bus *bus) {
        const int size = SEND_BUFFER;
        int fd = sd_bus_get_fd(bus);

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
                log_debug("Cannot limit the send buffer of the bus");
}

static int on_connected(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct bus_loop *bus_loop = userdata;

        limit_send_buffer(bus_loop->bus);
        bus_loop->connected = true;
        bus_loop->complained = false;
        bus_loop->retry_msec = RETRY_MIN_MSEC;
        bus_loop->handler.connected(bus_loop->bus, bus_loop->handler.userdata);
        return 0;
}

/* What sd_bus_open_system() does, but without waiting for anything. The match is on a signal that
 * sd-bus makes itself, so it does not go to the bus. */
static int connection_set_up(struct bus_loop *bus_loop, sd_bus *bus) {
        const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
        int r = sd_bus_set_address(bus, address ?: DEFAULT_ADDRESS);

        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_set_watch_bind(bus, true);
        if (r >= 0)
                r = sd_bus_set_connected_signal(bus, true);
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus.Local", NULL,
                                        "org.freedesktop.DBus.Local", "Connected", on_connected,
                                        bus_loop);
        return r;
}

static void connection_start(struct bus_loop *bus_loop) {
        int r = sd_bus_new(&bus_loop->bus);

        if (r >= 0)
                r = connection_set_up(bus_loop, bus_loop->bus);
        if (r >= 0)
                r = bus_loop->handler.prepare(bus_loop->bus, bus_loop->handler.userdata);
        if (r >= 0)
                r = sd_bus_start(bus_loop->bus);
        bus_loop->connect_by = clock_usec() + CONNECT_USEC;
        if (r < 0)
                connection_fail(bus_loop, r);
}

static bool let_go(const struct bus_loop *bus_loop) {
        return bus_loop->connected &&
               bus_loop->handler.idle(bus_loop->bus, bus_loop->handler.userdata);
}

/* Then nothing is read: what is asked could not be answered, not even that it is too much. */
static bool has_much_to_write(const struct bus_loop *bus_loop) {
        uint64_t queued = 0;

        return sd_bus_get_n_queued_write(bus_loop->bus, &queued) >= 0 && queued > UNWRITTEN_MAX;
}

static void connection_process(struct bus_loop *bus_loop) {
        uint64_t until = clock_usec() + DRAIN_USEC;

        for (unsigned i = 0; i < DRAIN_BUDGET && !bus_loop->reset && clock_usec() < until; i++) {
                int r = sd_bus_process(bus_loop->bus, NULL);

                if (r < 0) {
                        connection_fail(bus_loop, r);
                        return;
                }
                if (has_much_to_write(bus_loop) || (r == 0 && !let_go(bus_loop)))
                        return;
        }
}

static void on_poll(uv_poll_t *handle, int status, int events) {
        struct bus_loop *bus_loop = handle->data;

        /* libuv stops a handle on POLLERR and says EBADF, whatever the error was. */
        if (status < 0)
                connection_fail(bus_loop, -ECONNRESET);
        else
                connection_process(bus_loop);
}

static void on_timer(uv_timer_t *timer) {
        struct bus_loop *bus_loop = timer->data;

        if (!bus_loop->bus)
                connection_start(bus_loop);
        else if (!bus_loop->connected && clock_usec() >= bus_loop->connect_by)
                connection_fail(bus_loop, -ETIMEDOUT);
        else
                connection_process(bus_loop);
}

static int poll_open(struct bus_loop *bus_loop, int fd) {
        uv_poll_t *handle = calloc(1, sizeof(*handle));
        int r;

        if (!handle)
                return -ENOMEM;
        r = uv_poll_init(bus_loop->prepare.loop, handle, fd);
        if (r < 0) {
                free(handle);
                return r;
        }
        handle->data = bus_loop;
        bus_loop->handles++;
        bus_loop->poll = handle;
        bus_loop->fd = fd;
        bus_loop->events = 0;
        return 0;
}

/* sd-bus changes its descriptor while it waits for the socket to appear. */
static int rearm_poll(struct bus_loop *bus_loop) {
        int fd = sd_bus_get_fd(bus_loop->bus);
        int wanted = fd < 0 ? fd : sd_bus_get_events(bus_loop->bus);
        int events = UV_DISCONNECT;
        int r = 0;

        if (wanted < 0)
                return wanted;
        events |= wanted & POLLIN && !has_much_to_write(bus_loop) ? UV_READABLE : 0;
        events |= wanted & POLLOUT ? UV_WRITABLE : 0;
        if (fd != bus_loop->fd) {
                poll_close(bus_loop);
                r = poll_open(bus_loop, fd);
        }
        if (r < 0 || events == bus_loop->events)
                return r;
        bus_loop->events = events;
        return uv_poll_start(bus_loop->poll, events, on_poll);
}

/* The timeout is absolute, 0 when something is queued already; libuv's clock is that of
 * the last poll, so it is brought up to date first. */
static int rearm_timer(struct bus_loop *bus_loop) {
        uint64_t at, now;
        int r = sd_bus_get_timeout(bus_loop->bus, &at);

        if (r < 0)
                return r;
        if (!bus_loop->connected && bus_loop->connect_by < at)
                at = bus_loop->connect_by;
        if (at == UINT64_MAX)
                return uv_timer_stop(&bus_loop->timer);
        now = clock_usec();
        uv_update_time(bus_loop->timer.loop);
        return uv_timer_start(&bus_loop->timer, on_timer, at > now ? (at - now + 999) / 1000 : 0,
                              0);
}

/* Before every poll, because any callback may have queued a message: this is the last place
 * before libuv computes how long to sleep. */
static void on_prepare(uv_prepare_t *prepare) {
        struct bus_loop *bus_loop = prepare->data;
        int r;

        if (!bus_loop->bus)
                return;
        if (bus_loop->reset) {
                connection_fail(bus_loop, -ECONNABORTED);
                return;
        }
        (void)let_go(bus_loop); /* what is to be processed makes sd-bus's timeout 0 */
        r = rearm_poll(bus_loop);
        if (r >= 0)
                r = rearm_timer(bus_loop);
        if (r < 0)
                connection_fail(bus_loop, r);
}

struct bus_loop *bus_loop_new(const struct bus_loop_handler *handler) {
        struct bus_loop *bus_loop = calloc(1, sizeof(*bus_loop));

        if (!bus_loop)
                return NULL;
        bus_loop->handler = *handler;
        bus_loop->fd = -1;
        bus_loop->retry_msec = RETRY_MIN_MSEC;
        return bus_loop;
}

void bus_loop_start(struct bus_loop *bus_loop, uv_loop_t *loop) {
        uv_prepare_init(loop, &bus_loop->prepare);
        uv_timer_init(loop, &bus_loop->timer);
        bus_loop->prepare.data = bus_loop;
        bus_loop->timer.data = bus_loop;
        bus_loop->handles = 2;
        uv_prepare_start(&bus_loop->prepare, on_prepare);
        uv_timer_start(&bus_loop->timer, on_timer, 0, 0);
}

void bus_loop_reset(struct bus_loop *bus_loop) {
        bus_loop->reset = true;
}

/* sd_bus_process() writes before it reads, and returns after either: as long as something is
 * left to be written, and can be, no request is taken. */
static void connection_flush(struct bus_loop *bus_loop) {
        uint64_t queued = 0;

        for (unsigned i = 0; i < DRAIN_BUDGET; i++) {
                uint64_t before = queued;

                if (sd_bus_get_n_queued_write(bus_loop->bus, &queued) < 0 || queued == 0)
                        return;
                if (i > 0 && queued >= before)
                        return;
                if (sd_bus_process(bus_loop->bus, NULL) <= 0)
                        return;
        }
}

static void on_handle_closed(uv_handle_t *handle) {
        struct bus_loop *bus_loop = handle->data;

        bus_loop->handles--;
}

void bus_loop_stop(struct bus_loop *bus_loop) {
        if (bus_loop->connected)
                connection_flush(bus_loop);
        if (bus_loop->bus)
                connection_drop(bus_loop);
        uv_close((uv_handle_t *)&bus_loop->prepare, on_handle_closed);
        uv_close((uv_handle_t *)&bus_loop->timer, on_handle_closed);
}

void bus_loop_free(struct bus_loop *bus_loop) {
        if (!bus_loop)
                return;
        assert(bus_loop->handles == 0);
        free(bus_loop);
}
