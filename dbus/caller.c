/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "dbus/caller.h"
#include "dbus/names.h"
#include "dbus/polkit.h"
#include "util/log.h"

struct caller {
        struct callers *callers;
        struct caller_request request;
        sd_bus_message *call;
        sd_bus_slot *slot; /* the question to the bus, then the one to polkit */
        uint64_t question; /* polkit's; 0: it is not being asked */
        uint32_t uid;
        TAILQ_ENTRY(caller) entry;
};

TAILQ_HEAD(caller_list, caller);

struct callers {
        struct caller_list list;
        unsigned count;
        uint64_t questions; /* so many were put to polkit */
};

struct callers *callers_new(void) {
        struct callers *callers = calloc(1, sizeof(*callers));

        if (callers)
                TAILQ_INIT(&callers->list);
        return callers;
}

void callers_free(struct callers *callers) {
        if (!callers)
                return;
        assert(TAILQ_EMPTY(&callers->list));
        free(callers);
}

static void request_done(const struct caller_request *request) {
        struct details details = request->details;

        details_done(&details);
        request->request_free(request->request);
}

static void caller_free(struct caller *caller) {
        TAILQ_REMOVE(&caller->callers->list, caller, entry);
        caller->callers->count--;
        request_done(&caller->request);
        sd_bus_slot_unref(caller->slot);
        sd_bus_message_unref(caller->call);
        free(caller);
}

static bool is_from(const struct caller *caller, const char *sender) {
        return strcmp(sd_bus_message_get_sender(caller->call), sender) == 0;
}

static bool has_room(const struct callers *callers, const char *sender) {
        const struct caller *caller;
        unsigned count = 0;

        TAILQ_FOREACH (caller, &callers->list, entry)
                count += is_from(caller, sender);
        return callers->count < CALLERS_MAX && count < CALLERS_PER_SENDER_MAX;
}

/* ---- who it is, and whether it may ---- */

/* The end of it: done, under way elsewhere, or refused. */
static void caller_end(struct caller *caller, int r, sd_bus_error *error) {
        if (r < 0)
                r = sd_bus_reply_method_errno(caller->call, r, error);
        if (r < 0)
                log_debug("Cannot answer %s: %s", sd_bus_message_get_sender(caller->call),
                          strerror(-r));
        caller_free(caller);
}

static int caller_go_on(struct caller *caller, sd_bus_error *error) {
        return caller->request.go(caller->call, caller->uid, caller->request.request, error);
}

static int on_polkit_answer(sd_bus_message *answer, void *userdata, sd_bus_error *unused) {
        struct caller *caller = userdata;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = polkit_read(answer, caller->request.action, &error);

        if (r >= 0)
                r = caller_go_on(caller, &error);
        caller_end(caller, r, &error);
        return 1;
}

static bool may_be_asked_about(const struct callers *callers, uint32_t uid) {
        const struct caller *caller;
        unsigned asked = 0, of_user = 0;

        TAILQ_FOREACH (caller, &callers->list, entry) {
                asked += caller->question != 0;
                of_user += caller->question != 0 && caller->uid == uid;
        }
        return asked < CALLERS_ASKED_MAX && of_user < CALLERS_ASKED_PER_USER_MAX;
}

static int ask_polkit(struct caller *caller, sd_bus_error *error) {
        struct polkit_question question = {
                .id = caller->callers->questions + 1,
                .action = caller->request.action,
                .sender = sd_bus_message_get_sender(caller->call),
                .details = &caller->request.details,
                .interactive = sd_bus_message_get_allow_interactive_authorization(caller->call) > 0,
        };
        int r;

        if (!may_be_asked_about(caller->callers, caller->uid))
                return sd_bus_error_setf(error, SCSISCAN_ERROR_LIMIT,
                                         "%s: too many calls wait for polkit", question.action);
        caller->slot = sd_bus_slot_unref(caller->slot);
        r = polkit_ask(sd_bus_message_get_bus(caller->call), &question, on_polkit_answer, caller,
                       &caller->slot);
        if (r >= 0)
                caller->callers->questions = caller->question = question.id;
        return r;
}

static int read_user(struct caller *caller, sd_bus_message *answer, sd_bus_error *error) {
        if (!sd_bus_message_is_method_error(answer, NULL) &&
            sd_bus_message_read_basic(answer, 'u', &caller->uid) > 0)
                return 0;
        return sd_bus_error_setf(error, SCSISCAN_ERROR_ACCESS_DENIED,
                                 "%s: the bus does not say who calls", caller->request.action);
}

static int on_user(sd_bus_message *answer, void *userdata, sd_bus_error *unused) {
        struct caller *caller = userdata;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = read_user(caller, answer, &error);

        if (r >= 0 && caller->uid != 0 && caller->uid != caller->request.owner) {
                r = ask_polkit(caller, &error);
                if (r >= 0)
                        return 1;
        } else if (r >= 0) {
                r = caller_go_on(caller, &error);
        }
        caller_end(caller, r, &error);
        return 1;
}

static int ask_user(struct caller *caller, const char *sender) {
        return sd_bus_call_method_async(sd_bus_message_get_bus(caller->call), &caller->slot,
                                        "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                        "org.freedesktop.DBus", "GetConnectionUnixUser", on_user,
                                        caller, "s", sender);
}

int callers_authorize(struct callers *callers, sd_bus_message *call,
                      const struct caller_request *request, sd_bus_error *error) {
        const char *sender = sd_bus_message_get_sender(call);
        struct caller *caller;
        int r;

        if (!sender || !has_room(callers, sender)) {
                request_done(request);
                return sd_bus_error_set(error, SCSISCAN_ERROR_LIMIT, "Too many calls at once");
        }
        caller = calloc(1, sizeof(*caller));
        if (!caller) {
                request_done(request);
                return -ENOMEM;
        }
        caller->callers = callers;
        caller->request = *request;
        caller->call = sd_bus_message_ref(call);
        TAILQ_INSERT_TAIL(&callers->list, caller, entry);
        callers->count++;
        r = ask_user(caller, sender);
        if (r < 0)
                caller_free(caller);
        return r < 0 ? r : 1;
}

void callers_leave(struct callers *callers, const char *sender) {
        struct caller *caller, *next;

        for (caller = TAILQ_FIRST(&callers->list); caller; caller = next) {
                next = TAILQ_NEXT(caller, entry);
                if (!is_from(caller, sender))
                        continue;
                if (caller->question)
                        polkit_cancel(sd_bus_message_get_bus(caller->call), caller->question);
                caller_free(caller);
        }
}

void callers_leave_all(struct callers *callers) {
        while (!TAILQ_EMPTY(&callers->list))
                caller_free(TAILQ_FIRST(&callers->list));
}
