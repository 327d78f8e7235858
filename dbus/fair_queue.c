/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

#include "dbus/call_size.h"
#include "dbus/fair_queue.h"
#include "dbus/names.h"
#include "util/log.h"
#include "util/share.h"

/* Of one connection while nobody knows whose it is: it costs a round trip to the bus to be many. */
#define UNKNOWN_BYTES_MAX 65536

static const struct share calls_share = {
        .user = FAIR_QUEUE_PER_USER_MAX,
        .users = FAIR_QUEUE_USERS_MAX,
        .root = FAIR_QUEUE_ROOT_MAX,
};

struct call {
        sd_bus_message *message;
        size_t bytes;
        TAILQ_ENTRY(call) entry;
};

TAILQ_HEAD(call_list, call);

struct sender {
        struct fair_queue *queue;
        char *name;
        struct user *user;     /* NULL: not known yet */
        sd_bus_slot *question; /* to the bus, whose it is */
        struct call_list calls;
        unsigned count;
        size_t bytes;
        TAILQ_ENTRY(sender) turn; /* of its user's, while it has calls */
        UT_hash_handle hh;        /* by name; the one that has not called for longest is first */
};

TAILQ_HEAD(sender_list, sender);

struct user {
        uint32_t uid;
        unsigned senders; /* that are this user's */
        unsigned count;
        size_t bytes;
        struct sender_list turns;
        TAILQ_ENTRY(user) turn; /* while it has calls */
        UT_hash_handle hh;      /* by uid */
};

TAILQ_HEAD(user_list, user);

struct fair_queue {
        struct sender *senders;
        struct user *users;
        struct user_list turns;
        unsigned users_count;          /* calls of all that are not root's */
        const sd_bus_message *passing; /* let go, and on its way through sd-bus's own queue */
};

struct fair_queue *fair_queue_new(void) {
        struct fair_queue *queue = calloc(1, sizeof(*queue));

        if (queue)
                TAILQ_INIT(&queue->turns);
        return queue;
}

void fair_queue_free(struct fair_queue *queue) {
        if (!queue)
                return;
        assert(!queue->senders && !queue->users);
        free(queue);
}

/* ---- users ---- */

static struct user *user_get(struct fair_queue *queue, uint32_t uid) {
        struct user *user;

        HASH_FIND(hh, queue->users, &uid, sizeof(uid), user);
        if (user)
                return user;
        user = calloc(1, sizeof(*user));
        if (!user)
                return NULL;
        user->uid = uid;
        TAILQ_INIT(&user->turns);
        HASH_ADD(hh, queue->users, uid, sizeof(user->uid), user);
        return user;
}

static void user_put(struct fair_queue *queue, struct user *user) {
        if (!user || --user->senders > 0)
                return;
        assert(user->count == 0);
        HASH_DEL(queue->users, user);
        free(user);
}

static bool user_has_room(const struct fair_queue *queue, const struct user *user, size_t bytes) {
        const struct share_use use = {.own = user->count, .users = queue->users_count};

        return share_has_room(&calls_share, &use, user->uid) &&
               user->bytes + bytes <= FAIR_QUEUE_USER_BYTES_MAX;
}

static void user_charge(struct sender *sender, const struct call *call) {
        struct user *user = sender->user;

        if (user->count++ == 0)
                TAILQ_INSERT_TAIL(&sender->queue->turns, user, turn);
        user->bytes += call->bytes;
        sender->queue->users_count += user->uid != 0;
}

static void user_discharge(struct sender *sender, const struct call *call) {
        struct user *user = sender->user;

        if (--user->count == 0)
                TAILQ_REMOVE(&sender->queue->turns, user, turn);
        user->bytes -= call->bytes;
        sender->queue->users_count -= user->uid != 0;
}

/* ---- calls of one connection ---- */

static bool has_room(const struct sender *sender, size_t bytes) {
        if (sender->count >= FAIR_QUEUE_PER_SENDER_MAX)
                return false;
        return sender->user ? user_has_room(sender->queue, sender->user, bytes)
                            : sender->bytes + bytes <= UNKNOWN_BYTES_MAX;
}

/* There is room. */
static void call_add(struct sender *sender, struct call *call) {
        TAILQ_INSERT_TAIL(&sender->calls, call, entry);
        sender->bytes += call->bytes;
        if (sender->user) {
                if (sender->count == 0)
                        TAILQ_INSERT_TAIL(&sender->user->turns, sender, turn);
                user_charge(sender, call);
        }
        sender->count++;
}

/* The message is the caller's, with its reference. */
static sd_bus_message *call_take(struct sender *sender) {
        struct call *call = TAILQ_FIRST(&sender->calls);
        sd_bus_message *message = call->message;

        TAILQ_REMOVE(&sender->calls, call, entry);
        sender->bytes -= call->bytes;
        sender->count--;
        if (sender->user) {
                user_discharge(sender, call);
                if (sender->count == 0)
                        TAILQ_REMOVE(&sender->user->turns, sender, turn);
        }
        free(call);
        return message;
}

static int call_new(struct sender *sender, sd_bus_message *message, size_t bytes) {
        struct call *call = malloc(sizeof(*call));

        if (!call)
                return -ENOMEM;
        *call = (struct call){.message = sd_bus_message_ref(message), .bytes = bytes};
        call_add(sender, call);
        return 1;
}

static void refuse(sd_bus_message *message) {
        int r = sd_bus_reply_method_errorf(message, SCSISCAN_ERROR_LIMIT, "Too many calls at once");

        if (r < 0)
                log_debug("Cannot answer %s: %s", sd_bus_message_get_sender(message), strerror(-r));
}

/* ---- connections ---- */

static void sender_free(struct sender *sender) {
        struct fair_queue *queue = sender->queue;

        while (!TAILQ_EMPTY(&sender->calls))
                sd_bus_message_unref(call_take(sender));
        HASH_DEL(queue->senders, sender);
        sd_bus_slot_unref(sender->question);
        user_put(queue, sender->user);
        free(sender->name);
        free(sender);
}

/* From here on what it asked for counts as that user's, as far as there is room. */
static int sender_identify(struct sender *sender, uint32_t uid) {
        struct user *user = user_get(sender->queue, uid);
        struct call_list calls = TAILQ_HEAD_INITIALIZER(calls);
        struct call *call;

        if (!user)
                return -ENOMEM;
        TAILQ_CONCAT(&calls, &sender->calls, entry);
        sender->count = 0;
        sender->bytes = 0;
        sender->user = user;
        user->senders++;
        while ((call = TAILQ_FIRST(&calls))) {
                TAILQ_REMOVE(&calls, call, entry);
                if (has_room(sender, call->bytes)) {
                        call_add(sender, call);
                        continue;
                }
                refuse(call->message);
                sd_bus_message_unref(call->message);
                free(call);
        }
        return 0;
}

/* Of a connection that has gone meanwhile the bus knows nothing. */
static int on_user(sd_bus_message *answer, void *userdata, sd_bus_error *unused) {
        struct sender *sender = userdata;
        uint32_t uid;

        sender->question = sd_bus_slot_unref(sender->question);
        if (sd_bus_message_is_method_error(answer, NULL) ||
            sd_bus_message_read_basic(answer, 'u', &uid) <= 0 || sender_identify(sender, uid) < 0) {
                while (!TAILQ_EMPTY(&sender->calls)) {
                        sd_bus_message *message = call_take(sender);

                        (void)sd_bus_reply_method_errorf(message, SCSISCAN_ERROR_ACCESS_DENIED,
                                                         "The bus does not say who calls");
                        sd_bus_message_unref(message);
                }
                sender_free(sender);
        }
        return 1;
}

/* Its calls and its user are counted as long as it has any, so only such a one may be forgotten. */
static bool make_room(struct fair_queue *queue) {
        struct sender *sender, *next;

        if (HASH_COUNT(queue->senders) < FAIR_QUEUE_SENDERS_MAX)
                return true;
        HASH_ITER (hh, queue->senders, sender, next)
                if (sender->count == 0 && !sender->question) {
                        sender_free(sender);
                        return true;
                }
        return false;
}

static struct sender *sender_new(struct fair_queue *queue, const char *name) {
        struct sender *sender = calloc(1, sizeof(*sender));

        if (!sender)
                return NULL;
        sender->queue = queue;
        sender->name = strdup(name);
        if (!sender->name) {
                free(sender);
                return NULL;
        }
        TAILQ_INIT(&sender->calls);
        HASH_ADD_KEYPTR(hh, queue->senders, sender->name, strlen(sender->name), sender);
        return sender;
}

static struct sender *sender_find(const struct fair_queue *queue, const char *name) {
        struct sender *sender;

        HASH_FIND_STR(queue->senders, name, sender);
        return sender;
}

/* Nothing of its is served before the bus has said whose it is. */
static int sender_meet(struct fair_queue *queue, sd_bus *bus, const char *name,
                       struct sender **ret) {
        struct sender *sender = sender_new(queue, name);
        int r;

        if (!sender)
                return -ENOMEM;
        r = sd_bus_call_method_async(bus, &sender->question, "org.freedesktop.DBus",
                                     "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                     "GetConnectionUnixUser", on_user, sender, "s", name);
        if (r < 0) {
                sender_free(sender);
                return r;
        }
        *ret = sender;
        return 0;
}

/* ---- what comes in ---- */

static int take(struct fair_queue *queue, sd_bus_message *message, const char *name,
                sd_bus_error *error) {
        struct sender *sender = sender_find(queue, name);
        size_t bytes = call_size(message, FAIR_QUEUE_CALL_BYTES_MAX);
        int r = 0;

        if (bytes > FAIR_QUEUE_CALL_BYTES_MAX)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS,
                                         "A call may have %d bytes at most",
                                         FAIR_QUEUE_CALL_BYTES_MAX);
        if (sender) {
                HASH_DEL(queue->senders, sender);
                HASH_ADD_KEYPTR(hh, queue->senders, sender->name, strlen(sender->name), sender);
        } else if (make_room(queue)) {
                r = sender_meet(queue, sd_bus_message_get_bus(message), name, &sender);
        }
        if (r < 0)
                return r;
        if (!sender || !has_room(sender, bytes))
                return sd_bus_error_set(error, SCSISCAN_ERROR_LIMIT, "Too many calls at once");
        return call_new(sender, message, bytes);
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct fair_queue *queue = userdata;
        const char *name = sd_bus_message_get_sender(message);

        if (message == queue->passing) {
                queue->passing = NULL;
                return 0;
        }
        if (!name || sd_bus_message_is_method_call(message, NULL, NULL) <= 0)
                return 0;
        return take(queue, message, name, error);
}

int fair_queue_attach(struct fair_queue *queue, sd_bus *bus) {
        return sd_bus_add_filter(bus, NULL, on_message, queue);
}

/* ---- whose turn it is ---- */

/* Who had it goes to the end of the line, if there is more. */
static sd_bus_message *take_turn(struct fair_queue *queue) {
        struct user *user = TAILQ_FIRST(&queue->turns);
        struct sender *sender = TAILQ_FIRST(&user->turns);
        sd_bus_message *message = call_take(sender);

        if (sender->count > 0) {
                TAILQ_REMOVE(&user->turns, sender, turn);
                TAILQ_INSERT_TAIL(&user->turns, sender, turn);
        }
        if (user->count > 0) {
                TAILQ_REMOVE(&queue->turns, user, turn);
                TAILQ_INSERT_TAIL(&queue->turns, user, turn);
        }
        return message;
}

bool fair_queue_next(struct fair_queue *queue, sd_bus *bus, uint64_t unwritten_max) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        uint64_t unwritten = 0;
        int r;

        if (queue->passing || TAILQ_EMPTY(&queue->turns) ||
            sd_bus_get_n_queued_write(bus, &unwritten) < 0 || unwritten > unwritten_max)
                return false;
        message = take_turn(queue);
        r = sd_bus_enqueue_for_read(bus, message);
        if (r < 0)
                (void)sd_bus_reply_method_errno(message, r, NULL);
        else
                queue->passing = message;
        return true;
}

int fair_queue_user(const struct fair_queue *queue, sd_bus_message *call, uint32_t *ret_uid) {
        const char *name = sd_bus_message_get_sender(call);
        const struct sender *sender = name ? sender_find(queue, name) : NULL;

        if (!sender || !sender->user)
                return -ENOENT;
        *ret_uid = sender->user->uid;
        return 0;
}

/* ---- who goes ---- */

void fair_queue_leave(struct fair_queue *queue, const char *name) {
        struct sender *sender = sender_find(queue, name);

        if (sender)
                sender_free(sender);
}

void fair_queue_leave_all(struct fair_queue *queue) {
        struct sender *sender, *next;

        HASH_ITER (hh, queue->senders, sender, next)
                sender_free(sender);
        queue->passing = NULL;
}
