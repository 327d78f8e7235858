/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
        struct lease_record record; /* its devices only where it was restored */
        int fd;                     /* the end of the pipe that is ours */
        uv_poll_t poll;             /* tells when the others are closed */
        TAILQ_ENTRY(lease) entry;
};

TAILQ_HEAD(lease_list, lease);

struct leases {
        struct engine *engine;
        struct server_handler handler;
        uv_loop_t *loop;
        uv_timer_t timer; /* the first record.until */
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
        lease_record_done(&lease->record);
        free(lease);
}

static void on_poll_closed(uv_handle_t *handle) {
        struct lease *lease = handle->data;

        lease->leases->handles--;
        lease_free(lease);
}

/* Our end is closed at once: a holder whose time is over sees that there, when nobody keeps another
 * copy. */
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

        log_info("%s may attach again in '%s': %s", lease->record.who, lease->record.scope_text,
                 reason);
        r = engine_uninhibit(leases->engine, lease->id, handler->now(handler->userdata));
        if (r < 0)
                log_error("Cannot ask again what a lease held back: %s", strerror(-r));
        if (handler->lease_dropped)
                handler->lease_dropped(lease->id, handler->userdata);
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
                if (lease->record.until <= now)
                        lease_end(lease, "its time is over");
        }
        rearm_timer(leases);
}

static void rearm_timer(struct leases *leases) {
        const struct lease *lease;
        uint64_t first = UINT64_MAX, now = clock_usec();

        TAILQ_FOREACH (lease, &leases->list, entry)
                first = lease->record.until < first ? lease->record.until : first;
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

/* ---- what is asked for ---- */

static int check_text(const char *name, const char *text, size_t max, sd_bus_error *error) {
        if (!*text || strlen(text) > max)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS,
                                         "%s has to be 1 to %zu bytes long", name, max);
        if (!lease_text_is_printable(text))
                return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS,
                                         "%s holds characters that are not printable", name);
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
                share_count(&use, lease->record.uid, uid);
        if (share_has_room(&share, &use, uid))
                return 0;
        return sd_bus_error_set(error, SCSISCAN_ERROR_LIMIT, "Too many leases");
}

/* ---- one lease ---- */

/* By their ids, which is their age. */
static void lease_insert(struct lease *lease) {
        struct lease_list *list = &lease->leases->list;
        struct lease *before = TAILQ_LAST(list, lease_list);

        while (before && before->id > lease->id)
                before = TAILQ_PREV(before, lease_list, entry);
        if (before)
                TAILQ_INSERT_AFTER(list, before, lease, entry);
        else
                TAILQ_INSERT_HEAD(list, lease, entry);
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
        lease_insert(lease);
        r = uv_poll_start(&lease->poll, UV_DISCONNECT, on_poll);
        if (r < 0)
                lease_drop(lease);
        return r;
}

/* Takes over what the record owns, and the descriptor. */
static struct lease *lease_new(struct leases *leases, uint64_t id, int fd,
                               struct lease_record *record) {
        struct lease *lease = calloc(1, sizeof(*lease));

        if (!lease) {
                lease_record_done(record);
                close(fd);
                return NULL;
        }
        lease->leases = leases;
        lease->id = id;
        lease->fd = fd;
        lease->record = *record;
        return lease;
}

/* ---- kept for the next run ---- */

/* One that cannot be kept is a lease all the same. */
static void lease_keep(struct lease *lease) {
        const struct server_handler *handler = &lease->leases->handler;
        struct lease_record record = lease->record;
        const struct scsi_address *devices;
        _cleanup_(freep) char *text = NULL;
        int r = -EOVERFLOW;

        if (!handler->lease_kept)
                return;
        record.device_count = engine_inhibited(lease->leases->engine, lease->id, &devices);
        record.devices = (struct scsi_address *)devices; /* only read */
        text = lease_record_format(&record);
        if (text)
                r = handler->lease_kept(lease->id, lease->fd, text, handler->userdata);
        if (r < 0)
                log_warning("The lease of %s ends with this run of the service: %s", record.who,
                            strerror(-r));
}

/* Why it has ended since it was kept; NULL: it has not. */
static const char *over_meanwhile(const struct lease_record *record, int fd) {
        struct pollfd polled = {.fd = fd};

        if (poll(&polled, 1, 0) > 0)
                return "given back while the service did not run";
        if (record->until <= clock_usec())
                return "its time was over while the service did not run";
        return NULL;
}

static int lease_resume(struct lease *lease) {
        struct leases *leases = lease->leases;
        const struct lease_record *record = &lease->record;
        int r = lease_watch(lease);

        if (r < 0)
                return r;
        r = engine_inhibit_again(leases->engine, &record->scope, record->devices,
                                 record->device_count, lease->id);
        if (r < 0) {
                lease_drop(lease);
                return r;
        }
        log_info("%s (uid %" PRIu32 ") still has nothing attached in '%s': %s", record->who,
                 record->uid, record->scope_text, record->why);
        leases->serial++;
        rearm_timer(leases);
        return 1;
}

int leases_restore(struct leases *leases, uint64_t id, int fd, const char *text) {
        struct lease_record record;
        const char *over;
        struct lease *lease;
        int r = lease_record_parse(text, &record);

        if (r >= 0 && record.until != UINT64_MAX &&
            record.until > clock_usec() + LEASE_TIMEOUT_MAX) {
                lease_record_done(&record);
                r = -EINVAL;
        }
        if (r < 0) {
                close(fd);
                return r;
        }
        if (leases->next_id <= id)
                leases->next_id = id + 1;
        over = over_meanwhile(&record, fd);
        if (over)
                log_info("%s may attach again in '%s': %s", record.who, record.scope_text, over);
        lease = lease_new(leases, id, fd, &record);
        if (lease && !over)
                return lease_resume(lease);
        if (lease)
                lease_free(lease);
        return lease ? 0 : -ENOMEM;
}

/* ---- the beginning ---- */

static int record_of(const struct lease_request *request, struct lease_record *ret) {
        struct lease_record record = {
                .uid = request->uid,
                .until = request->timeout ? clock_usec() + request->timeout : UINT64_MAX,
                .scope_text = strdup(request->scope_text),
                .who = strdup(request->who),
                .why = strdup(request->why),
        };
        int r = scope_copy(request->scope, &record.scope);

        if (r >= 0 && record.scope_text && record.who && record.why) {
                *ret = record;
                return 0;
        }
        lease_record_done(&record);
        return -ENOMEM;
}

/* Over the scope as it was asked for, under the next id. */
static int lease_start(struct leases *leases, struct lease_record *record, int fd) {
        struct lease *lease = lease_new(leases, leases->next_id, fd, record);
        int r = lease ? lease_watch(lease) : -ENOMEM;

        if (r < 0)
                return r;
        r = engine_inhibit(leases->engine, &lease->record.scope, lease->id);
        if (r < 0) {
                lease_drop(lease);
                return r;
        }
        leases->next_id++;
        lease_keep(lease);
        return 0;
}

int leases_begin(struct leases *leases, const struct lease_request *request, int *ret_fd,
                 sd_bus_error *error) {
        _cleanup_(closep) int theirs = -1;
        struct lease_record record;
        int ends[2];
        int r = check_room(leases, request->uid, error);

        if (r >= 0)
                r = record_of(request, &record);
        if (r < 0)
                return r;
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
                r = -errno;
                lease_record_done(&record);
                return r;
        }
        theirs = ends[1];
        r = lease_start(leases, &record, ends[0]);
        if (r == -ENOENT)
                return key_not_found(request->scope_text, error);
        if (r < 0)
                return r;
        log_info("%s (uid %" PRIu32 ") has nothing attached in '%s': %s", request->who,
                 request->uid, request->scope_text, request->why);
        leases->serial++;
        rearm_timer(leases);
        leases->handler.poked(leases->handler.userdata);
        *ret_fd = TAKE_FD(theirs);
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
                        r = sd_bus_message_append(message, "(sssu)", lease->record.scope_text,
                                                  lease->record.who, lease->record.why,
                                                  lease->record.uid);
        return r < 0 ? r : sd_bus_message_close_container(message);
}
