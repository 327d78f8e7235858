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
        sd_bus_slot *slot; /* the question to polkit, and its id */
        uint64_t question;
        uint32_t uid;
        TAILQ_ENTRY(caller) entry;
};

TAILQ_HEAD(caller_list, caller);

struct callers {
        const struct fair_queue *queue;
        struct caller_list list;
        unsigned count;
        uint64_t questions; /* so many were put to polkit */
};

struct callers *callers_new(const struct fair_queue *queue) {
        struct callers *callers = calloc(1, sizeof(*callers));

        if (!callers)
                return NULL;
        callers->queue = queue;
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

/* ---- whether it may ---- */

/* The end of it: done, under way elsewhere, or refused. */
static void caller_end(struct caller *caller, int r, sd_bus_error *error) {
        if (r < 0)
                r = sd_bus_reply_method_errno(caller->call, r, error);
        if (r < 0)
                log_debug("Cannot answer %s: %s", sd_bus_message_get_sender(caller->call),
                          strerror(-r));
        caller_free(caller);
}

static int on_polkit_answer(sd_bus_message *answer, void *userdata, sd_bus_error *unused) {
        struct caller *caller = userdata;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = polkit_read(answer, caller->request.action, &error);

        if (r >= 0)
                r = caller->request.go(caller->call, caller->uid, caller->request.request, &error);
        caller_end(caller, r, &error);
        return 1;
}

static bool has_room(const struct callers *callers, uint32_t uid) {
        const struct caller *caller;
        unsigned of_user = 0;

        TAILQ_FOREACH (caller, &callers->list, entry)
                of_user += caller->uid == uid;
        return callers->count < CALLERS_MAX && of_user < CALLERS_PER_USER_MAX;
}

static int ask_polkit(struct caller *caller) {
        struct polkit_question question = {
                .id = caller->callers->questions + 1,
                .action = caller->request.action,
                .sender = sd_bus_message_get_sender(caller->call),
                .details = &caller->request.details,
                .interactive = sd_bus_message_get_allow_interactive_authorization(caller->call) > 0,
        };
        int r = polkit_ask(sd_bus_message_get_bus(caller->call), &question, on_polkit_answer,
                           caller, &caller->slot);

        if (r >= 0)
                caller->callers->questions = caller->question = question.id;
        return r;
}

/* The request is the caller's from here on, or gone. */
static int caller_new(struct callers *callers, sd_bus_message *call, uint32_t uid,
                      const struct caller_request *request) {
        struct caller *caller = calloc(1, sizeof(*caller));
        int r;

        if (!caller) {
                request_done(request);
                return -ENOMEM;
        }
        caller->callers = callers;
        caller->request = *request;
        caller->call = sd_bus_message_ref(call);
        caller->uid = uid;
        TAILQ_INSERT_TAIL(&callers->list, caller, entry);
        callers->count++;
        r = ask_polkit(caller);
        if (r < 0)
                caller_free(caller);
        return r < 0 ? r : 1;
}

int callers_authorize(struct callers *callers, sd_bus_message *call,
                      const struct caller_request *request, sd_bus_error *error) {
        uint32_t uid;
        int r = 0;

        if (fair_queue_user(callers->queue, call, &uid) < 0)
                r = sd_bus_error_setf(error, SCSISCAN_ERROR_ACCESS_DENIED,
                                      "%s: the bus does not say who calls", request->action);
        else if (uid == 0 || uid == request->owner)
                r = request->go(call, uid, request->request, error);
        else if (has_room(callers, uid))
                return caller_new(callers, call, uid, request);
        else
                r = sd_bus_error_setf(error, SCSISCAN_ERROR_LIMIT,
                                      "%s: too many calls wait for polkit", request->action);
        request_done(request);
        return r < 0 ? r : 1;
}

void callers_leave(struct callers *callers, const char *sender) {
        struct caller *caller, *next;

        for (caller = TAILQ_FIRST(&callers->list); caller; caller = next) {
                next = TAILQ_NEXT(caller, entry);
                if (!is_from(caller, sender))
                        continue;
                polkit_cancel(sd_bus_message_get_bus(caller->call), caller->question);
                caller_free(caller);
        }
}

void callers_leave_all(struct callers *callers) {
        while (!TAILQ_EMPTY(&callers->list))
                caller_free(TAILQ_FIRST(&callers->list));
}
