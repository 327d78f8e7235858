/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "dbus/append.h"
#include "dbus/key.h"
#include "dbus/leases.h"
#include "dbus/names.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/share.h"

struct lease {
        struct leases *leases;
        uint64_t id;
        char *scope, *who, *why;
        uint32_t uid;
        uint64_t until; /* µs, CLOCK_MONOTONIC; UINT64_MAX for ever */
        int fd;         /* the end of the pipe that is ours */
        uv_poll_t poll; /* tells when the others are closed */
        TAILQ_ENTRY(lease) entry;
};

TAILQ_HEAD(lease_list, lease);

struct leases {
        struct engine *engine;
        struct server_handler handler;
        uv_loop_t *loop;
        uv_timer_t timer; /* the first `until` */
        struct lease_list list;
        unsigned handles; /* that libuv has not let go of */
        uint64_t next_id;
        uint64_t serial;
};

struct leases *leases_new(struct engine *engine, const struct server_handler *handler) {
        struct leases *leases = calloc(1, sizeof(*leases));

        if (!leases)
                return NULL;
        leases->engine = engine;
        leases->handler = *handler;
        leases->next_id = 1;
        TAILQ_INIT(&leases->list);
        return leases;
}

void leases_start(struct leases *leases, uv_loop_t *loop) {
        leases->loop = loop;
        uv_timer_init(loop, &leases->timer);
        leases->timer.data = leases;
        leases->handles++;
}

void leases_free(struct leases *leases) {
        if (!leases)
                return;
        assert(leases->handles == 0);
        assert(TAILQ_EMPTY(&leases->list));
        free(leases);
}

/* ---- the end of one ---- */

static void lease_free(struct lease *lease) {
        if (lease->fd >= 0)
                close(lease->fd);
        free(lease->scope);
        free(lease->who);
        free(lease->why);
        free(lease);
}

static void on_poll_closed(uv_handle_t *handle) {
        struct lease *lease = handle->data;

        lease->leases->handles--;
        lease_free(lease);
}

/* Our end is closed at once: a holder whose time is over sees that there. */
static void lease_drop(struct lease *lease) {
        TAILQ_REMOVE(&lease->leases->list, lease, entry);
        uv_poll_stop(&lease->poll);
        close(lease->fd);
        lease->fd = -1;
        uv_close((uv_handle_t *)&lease->poll, on_poll_closed);
}

static void rearm_timer(struct leases *leases);

static void lease_end(struct lease *lease, const char *reason) {
        struct leases *leases = lease->leases;
        struct server_handler *handler = &leases->handler;
        int r;

        log_info("%s may attach again in '%s': %s", lease->who, lease->scope, reason);
        r = engine_uninhibit(leases->engine, lease->id, handler->now(handler->userdata));
        if (r < 0)
                log_error("Cannot ask again what a lease held back: %s", strerror(-r));
        lease_drop(lease);
        leases->serial++;
        rearm_timer(leases);
        handler->poked(handler->userdata);
}

/* Only the other end's closing is listened for: what a holder writes stays in the pipe. */
static void on_poll(uv_poll_t *handle, int status, int events) {
        lease_end(handle->data, "given back");
}

static void on_timer(uv_timer_t *timer) {
        struct leases *leases = timer->data;
        struct lease *lease, *next;
        uint64_t now = clock_usec();

        for (lease = TAILQ_FIRST(&leases->list); lease; lease = next) {
                next = TAILQ_NEXT(lease, entry);
                if (lease->until <= now)
                        lease_end(lease, "its time is over");
        }
        rearm_timer(leases);
}

static void rearm_timer(struct leases *leases) {
        const struct lease *lease;
        uint64_t first = UINT64_MAX, now = clock_usec();

        TAILQ_FOREACH (lease, &leases->list, entry)
                first = lease->until < first ? lease->until : first;
        if (first == UINT64_MAX) {
                uv_timer_stop(&leases->timer);
                return;
        }
        uv_update_time(leases->loop);
        uv_timer_start(&leases->timer, on_timer, first > now ? (first - now + 999) / 1000 : 0, 0);
}

static void on_timer_closed(uv_handle_t *handle) {
        struct leases *leases = handle->data;

        leases->handles--;
}

void leases_stop(struct leases *leases) {
        while (!TAILQ_EMPTY(&leases->list))
                lease_drop(TAILQ_FIRST(&leases->list));
        uv_close((uv_handle_t *)&leases->timer, on_timer_closed);
}

/* ---- the beginning ---- */

/* The next code point of valid UTF-8, as all that came over the bus is. */
static uint32_t take_character(const char **text) {
        const unsigned char *bytes = (const unsigned char *)*text;
        unsigned more = bytes[0] < 0x80 ? 0 : bytes[0] < 0xe0 ? 1 : bytes[0] < 0xf0 ? 2 : 3;
        uint32_t character = more ? bytes[0] & (0x3fU >> more) : bytes[0];

        for (unsigned i = 1; i <= more; i++)
                character = character << 6 | (bytes[i] & 0x3fU);
        *text += more + 1;
        return character;
}

/* Controls, line and paragraph separators, and what turns the direction of a line around: none of
 * them belongs into somebody else's log or dialog. */
static bool is_printable(uint32_t character) {
        return character >= 0x20 && (character < 0x7f || character >= 0xa0) &&
               !(character >= 0x2028 && character <= 0x202e) &&
               !(character >= 0x2066 && character <= 0x2069) && character != 0xfeff;
}

static int check_text(const char *name, const char *text, size_t max, sd_bus_error *error) {
        const char *rest = text;

        if (!*text || strlen(text) > max)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS,
                                         "%s has to be 1 to %zu bytes long", name, max);
        while (*rest)
                if (!is_printable(take_character(&rest)))
                        return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS,
                                                 "%s holds characters that are not printable",
                                                 name);
        return 0;
}

int leases_check(const struct lease_request *request, sd_bus_error *error) {
        int r = check_text("who", request->who, LEASE_WHO_MAX, error);

        if (r >= 0)
                r = check_text("why", request->why, LEASE_WHY_MAX, error);
        if (r >= 0 && request->timeout > LEASE_TIMEOUT_MAX)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS,
                                         "timeout_usec is more than %" PRIu64, LEASE_TIMEOUT_MAX);
        return r;
}

static int check_room(const struct leases *leases, uint32_t uid, sd_bus_error *error) {
        static const struct share share = {
                .user = LEASES_PER_USER_MAX,
                .users = LEASES_USERS_MAX,
                .root = LEASES_ROOT_MAX,
        };
        struct share_use use = {};
        const struct lease *lease;

        TAILQ_FOREACH (lease, &leases->list, entry)
                share_count(&use, lease->uid, uid);
        if (share_has_room(&share, &use, uid))
                return 0;
        return sd_bus_error_set(error, SCSISCAN_ERROR_LIMIT, "Too many leases");
}

static struct lease *lease_new(struct leases *leases, const struct lease_request *request) {
        struct lease *lease = calloc(1, sizeof(*lease));

        if (!lease)
                return NULL;
        lease->leases = leases;
        lease->fd = -1;
        lease->uid = request->uid;
        lease->until = request->timeout ? clock_usec() + request->timeout : UINT64_MAX;
        lease->scope = strdup(request->scope_text);
        lease->who = strdup(request->who);
        lease->why = strdup(request->why);
        if (lease->scope && lease->who && lease->why)
                return lease;
        lease_free(lease);
        return NULL;
}

/* From here on the lease is libuv's to close. */
static int lease_watch(struct lease *lease) {
        struct leases *leases = lease->leases;
        int r = uv_poll_init(leases->loop, &lease->poll, lease->fd);

        if (r < 0) {
                lease_free(lease);
                return r;
        }
        lease->poll.data = lease;
        leases->handles++;
        TAILQ_INSERT_TAIL(&leases->list, lease, entry);
        r = uv_poll_start(&lease->poll, UV_DISCONNECT, on_poll);
        if (r < 0)
                lease_drop(lease);
        return r;
}

static int lease_start(struct lease *lease, const struct scope *scope, int *ret_fd) {
        struct leases *leases = lease->leases;
        _cleanup_(closep) int theirs = -1;
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
                r = -errno;
                lease_free(lease);
                return r;
        }
        lease->fd = ends[0];
        theirs = ends[1];
        lease->id = leases->next_id;
        r = lease_watch(lease);
        if (r < 0)
                return r;
        r = engine_inhibit(leases->engine, scope, lease->id);
        if (r < 0) {
                lease_drop(lease);
                return r;
        }
        leases->next_id++;
        *ret_fd = TAKE_FD(theirs);
        return 0;
}

int leases_begin(struct leases *leases, const struct lease_request *request, int *ret_fd,
                 sd_bus_error *error) {
        struct lease *lease;
        int r = check_room(leases, request->uid, error);

        if (r < 0)
                return r;
        lease = lease_new(leases, request);
        r = lease ? lease_start(lease, request->scope, ret_fd) : -ENOMEM;
        if (r == -ENOENT)
                return key_not_found(request->scope_text, error);
        if (r < 0)
                return r;
        log_info("%s (uid %" PRIu32 ") has nothing attached in '%s': %s", request->who,
                 request->uid, request->scope_text, request->why);
        leases->serial++;
        rearm_timer(leases);
        leases->handler.poked(leases->handler.userdata);
        return 0;
}

/* ---- what is told ---- */

uint64_t leases_serial(const struct leases *leases) {
        return leases->serial;
}

int leases_append(const struct leases *leases, sd_bus_message *message) {
        const struct lease *lease;
        int r = sd_bus_message_open_container(message, 'a', "(sssu)");

        TAILQ_FOREACH (lease, &leases->list, entry)
                if (r >= 0)
                        r = sd_bus_message_append(message, "(sssu)", lease->scope, lease->who,
                                                  lease->why, lease->uid);
        return r < 0 ? r : sd_bus_message_close_container(message);
}
