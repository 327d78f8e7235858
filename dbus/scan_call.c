/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/append.h"
#include "dbus/key.h"
#include "dbus/names.h"
#include "dbus/options.h"
#include "dbus/scan_call.h"
#include "dbus/server_private.h"

struct scan_options {
        bool wait, wait_given;
        bool verify, verify_given;
        bool remove, remove_given;
        bool generation_given;
        uint64_t generation;
};

struct scan_call {
        struct server *server;
        struct scope scope;
        char *text;
        bool plan; /* say what would be done, and do nothing */
        struct scan_options options;
};

#define OPTION(name_, type_)                                                                       \
        {                                                                                          \
                .name = #name_, .type = (type_), .offset = offsetof(struct scan_options, name_),   \
                .given = offsetof(struct scan_options, name_##_given)                              \
        }

static const struct option scan_options[] = {
        OPTION(wait, 'b'),
        OPTION(verify, 'b'),
        OPTION(remove, 'b'),
        OPTION(generation, 't'),
};

static const struct option plan_options[] = {OPTION(verify, 'b'), OPTION(remove, 'b')};

static void scan_call_free(void *request) {
        struct scan_call *call = request;

        scope_done(&call->scope);
        free(call->text);
        free(call);
}

static int check_generation(const struct scan_call *scan, sd_bus_error *error) {
        uint64_t now = scan->server->shown.generation;

        if (!scan->options.generation_given || scan->options.generation == now)
                return 0;
        return sd_bus_error_setf(error, SCSISCAN_ERROR_STALE_PLAN,
                                 "The generation is %" PRIu64 ", not %" PRIu64, now,
                                 scan->options.generation);
}

static int scan_check(const struct scan_call *scan, sd_bus_error *error) {
        if (scope_exists(&scan->scope, engine_topology(scan->server->config.engine)) < 0)
                return key_not_found(scan->text, error);
        return check_generation(scan, error);
}

static int scan_begin(const struct scan_call *scan, uint32_t uid, uint64_t *ret_job,
                      sd_bus_error *error) {
        const struct server_handler *handler = &scan->server->handler;
        struct scan_request request = {
                .scope = &scan->scope,
                .scope_text = scan->text,
                .cause = CAUSE_REQUEST,
                .uid = uid,
                .verify = scan->options.verify,
                .attach = true,
                .remove = scan->options.remove,
                .planned = scan->options.generation_given,
        };
        struct engine *engine = scan->server->config.engine;
        struct scan_time now = handler->now(handler->userdata);
        int r = scan->plan ? engine_plan(engine, &request, now, ret_job)
                           : engine_scan(engine, &request, now, ret_job);

        if (r == -ENOENT)
                return key_not_found(scan->text, error);
        if (r == -EBUSY)
                return sd_bus_error_set(error, SCSISCAN_ERROR_LIMIT, "Too many jobs at once");
        if (r >= 0)
                handler->poked(handler->userdata);
        return r;
}

/* The caller may. What was so when it asked is looked at again. */
static int on_allowed(sd_bus_message *call, uint32_t uid, void *userdata, sd_bus_error *error) {
        const struct scan_call *scan = userdata;
        struct waiting *waiting = scan->server->waiting;
        uint64_t job;
        int r = scan_check(scan, error);

        if (r >= 0 && (scan->options.wait || scan->plan))
                r = waiting_has_room(waiting, call, error);
        if (r >= 0)
                r = scan_begin(scan, uid, &job, error);
        if (r < 0)
                return r;
        if (scan->plan)
                return waiting_for_plan(waiting, call, job, error);
        return scan->options.wait ? waiting_for_end(waiting, call, job, error)
                                  : append_job_reply(call, job);
}

static int scan_read(struct scan_call *scan, sd_bus_message *call, struct details *details,
                     sd_bus_error *error) {
        int r = scan->plan ? options_read(call, plan_options, ELEMENTS_OF(plan_options),
                                          &scan->options, error)
                           : options_read(call, scan_options, ELEMENTS_OF(scan_options),
                                          &scan->options, error);

        if (r >= 0)
                r = scan_check(scan, error);
        if (r >= 0)
                r = details_set_scope(details, &scan->scope, scan->text,
                                      engine_topology(scan->server->config.engine));
        return r;
}

static int scan_or_plan(struct server *server, sd_bus_message *call, const char *text,
                        struct scope *scope, bool plan, sd_bus_error *error) {
        struct scan_call *scan = calloc(1, sizeof(*scan));
        struct caller_request request = {
                .action = SCSISCAN_ACTION_SCAN,
                .go = on_allowed,
                .request = scan,
                .request_free = scan_call_free,
        };
        int r;

        if (!scan) {
                scope_done(scope);
                return -ENOMEM;
        }
        scan->server = server;
        scan->plan = plan;
        scan->scope = *scope;
        *scope = (struct scope){};
        scan->options.verify = true;
        scan->text = strdup(text);
        r = scan->text ? scan_read(scan, call, &request.details, error) : -ENOMEM;
        if (r < 0) {
                details_done(&request.details);
                scan_call_free(scan);
                return r;
        }
        return callers_authorize(server->callers, call, &request, error);
}

int scan_call(struct server *server, sd_bus_message *call, const char *text, struct scope *scope,
              sd_bus_error *error) {
        return scan_or_plan(server, call, text, scope, false, error);
}

int plan_call(struct server *server, sd_bus_message *call, const char *text, struct scope *scope,
              sd_bus_error *error) {
        return scan_or_plan(server, call, text, scope, true, error);
}
