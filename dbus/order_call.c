/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/append.h"
#include "dbus/key.h"
#include "dbus/names.h"
#include "dbus/options.h"
#include "dbus/order_call.h"
#include "dbus/server_private.h"
#include "scsi/lun.h"

struct order_options {
        bool wait, wait_given;
        bool force, force_given;
        const char *identity; /* in the message */
        bool identity_given;
};

struct order_call {
        struct server *server;
        enum job_operation operation;
        struct scope scope;
        char *text; /* the scope, as it was given */
        uint64_t lun;
        struct order_options options;
        struct details seen; /* what the scope named when it was asked for */
};

static void order_call_free(void *request) {
        struct order_call *order = request;

        scope_done(&order->scope);
        details_done(&order->seen);
        free(order->text);
        free(order);
}

/* ---- arguments ---- */

#define OPTION(name_, type_)                                                                       \
        {                                                                                          \
                .name = #name_, .type = (type_), .offset = offsetof(struct order_options, name_),  \
                .given = offsetof(struct order_options, name_##_given)                             \
        }

static const struct option attach_options[] = {OPTION(wait, 'b'), OPTION(identity, 's')};
static const struct option detach_options[] = {OPTION(wait, 'b'), OPTION(force, 'b')};
static const struct option other_options[] = {OPTION(wait, 'b')};

static int read_options(struct order_call *order, sd_bus_message *call, sd_bus_error *error) {
        const char *identity;
        int r;

        if (order->operation == JOB_DETACH)
                return options_read(call, detach_options, ELEMENTS_OF(detach_options),
                                    &order->options, error);
        if (order->operation != JOB_ATTACH)
                return options_read(call, other_options, ELEMENTS_OF(other_options),
                                    &order->options, error);
        r = options_read(call, attach_options, ELEMENTS_OF(attach_options), &order->options, error);
        identity = order->options.identity;
        if (r >= 0 && identity && (!*identity || strlen(identity) >= SCSI_IDENTITY_MAX))
                return sd_bus_error_set(error, SCSISCAN_ERROR_INVALID_ARGS,
                                        "Option identity is not an identity");
        return r;
}

static int read_lun(struct order_call *order, sd_bus_message *call, sd_bus_error *error) {
        const char *text, *reason;
        int r = sd_bus_message_read_basic(call, 's', &text);

        if (r < 0)
                return r;
        r = scsi_lun_parse(text, &order->lun, &reason);
        return r == -EINVAL ? sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS, "LUN %s: %s",
                                                text, reason)
                            : r;
}

/* What is attached to or taken from more than somebody spelled out would be a guess. */
static int check_kind(const struct order_call *order, sd_bus_error *error) {
        enum scope_kind kind = order->scope.kind;
        const char *expected =
                "a device or a unit, such as 3:0:1:5, /dev/sda or naa.5000c500a1b2c3d4";
        bool fits = kind == SCOPE_DEVICE || kind == SCOPE_NAME || kind == SCOPE_NODE;

        if (order->operation == JOB_ATTACH) {
                expected = "a target, such as 3:0:1 or its port name";
                fits = kind == SCOPE_TARGET || kind == SCOPE_NAME;
        } else if (order->operation == JOB_ACCEPT) {
                expected = "a device, such as 3:0:1:5";
                fits = kind == SCOPE_DEVICE;
        }
        if (fits)
                return 0;
        return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS, "'%s' is not the name of %s",
                                 order->text, expected);
}

static int read_arguments(struct order_call *order, sd_bus_message *call, sd_bus_error *error) {
        const char *text;
        int r = sd_bus_message_read_basic(call, order->operation == JOB_ACCEPT ? 'o' : 's', &text);

        if (r < 0)
                return r;
        order->text = strdup(text);
        if (!order->text)
                return -ENOMEM;
        r = key_parse(text, &order->scope, error);
        if (r >= 0)
                r = check_kind(order, error);
        if (r >= 0 && order->operation == JOB_ATTACH)
                r = read_lun(order, call, error);
        return r < 0 ? r : read_options(order, call, error);
}

/* ---- the order ---- */

static int not_found(const struct order_call *order, sd_bus_error *error) {
        return sd_bus_error_setf(error, SCSISCAN_ERROR_NOT_FOUND, "There is no %s called %s",
                                 order->operation == JOB_ATTACH ? "target" : "device", order->text);
}

static const struct topology *topology_of(const struct order_call *order) {
        return engine_topology(order->server->config.engine);
}

static int found_any(const struct object_id *id, void *userdata) {
        return 1;
}

/* A target may be there that nobody has seen yet: attaching may bring it. */
static int check_exists(const struct order_call *order, sd_bus_error *error) {
        bool exists = order->operation == JOB_ATTACH
                              ? scope_exists(&order->scope, topology_of(order)) == 0
                              : scope_find(&order->scope, topology_of(order), found_any, NULL) != 0;

        return exists ? 0 : not_found(order, error);
}

static bool is_same(const struct details *a, const struct details *b, const char *name) {
        const char *before = details_find(a, name), *now = details_find(b, name);

        return before && now ? strcmp(before, now) == 0 : !before && !now;
}

/* Addresses are used again. What was allowed for one unit or port was not for another that is
 * behind the same address by now. A target that was not seen yet may have come to light. */
static int check_same(const struct order_call *order, sd_bus_error *error) {
        bool attach = order->operation == JOB_ATTACH;
        const char *name = attach ? SCSISCAN_DETAIL_PORT : SCSISCAN_DETAIL_IDENTITY;
        _cleanup_(details_done) struct details now = {};
        int r = check_exists(order, error);

        if (r >= 0)
                r = details_set_scope(&now, &order->scope, order->text, topology_of(order));
        if (r < 0 || (attach && !details_find(&order->seen, name)) ||
            is_same(&order->seen, &now, name))
                return r;
        return sd_bus_error_setf(error, SCSISCAN_ERROR_IDENTITY_MISMATCH,
                                 "%s is not what it was when this was asked for", order->text);
}

static int find_unit(const struct object_id *id, void *userdata) {
        struct order_call *order = userdata;
        const struct device *device = topology_device(topology_of(order), &id->address);
        struct scope unit = {.kind = SCOPE_NAME};

        if (!device || !device->unit)
                return 1;
        unit.name = strdup(device->unit->identity);
        if (!unit.name)
                return -ENOMEM;
        scope_done(&order->scope);
        order->scope = unit;
        return 1;
}

/* What is read anew is read on all paths of the unit: they have to agree. */
static int widen_to_unit(struct order_call *order) {
        struct scope device = {};
        int r;

        if (order->operation != JOB_REFRESH || order->scope.kind == SCOPE_NAME)
                return 0;
        r = scope_copy(&order->scope, &device);
        if (r >= 0)
                r = scope_find(&device, topology_of(order), find_unit, order);
        scope_done(&device);
        return r;
}

static int order_begin(struct order_call *order, uint32_t uid, uint64_t *ret_job,
                       sd_bus_error *error) {
        const struct server_handler *handler = &order->server->handler;
        struct device_request request = {
                .operation = order->operation,
                .scope = &order->scope,
                .scope_text = order->text,
                .uid = uid,
                .lun = order->lun,
                .identity = order->options.identity,
                .force = order->options.force,
        };
        int r = widen_to_unit(order);

        if (r >= 0)
                r = engine_order(order->server->config.engine, &request,
                                 handler->now(handler->userdata), ret_job);
        if (r == -ENOENT)
                return not_found(order, error);
        if (r == -EBUSY)
                return sd_bus_error_set(error, SCSISCAN_ERROR_LIMIT, "Too many jobs at once");
        if (r >= 0)
                handler->poked(handler->userdata);
        return r;
}

static int on_allowed(sd_bus_message *call, uint32_t uid, void *userdata, sd_bus_error *error) {
        struct order_call *order = userdata;
        struct waiting *waiting = order->server->waiting;
        uint64_t job = 0;
        int r = check_same(order, error);

        if (r >= 0 && order->options.wait)
                r = waiting_has_room(waiting, call, error);
        if (r >= 0)
                r = order_begin(order, uid, &job, error);
        if (r < 0)
                return r;
        if (!order->options.wait)
                return append_job_reply(call, job);
        return order->operation == JOB_ATTACH
                       ? waiting_for_nodes(waiting, call, job, &order->scope, order->lun, error)
                       : waiting_for_end(waiting, call, job, error);
}

static const char *action_of(const struct order_call *order) {
        switch (order->operation) {
        case JOB_ATTACH:
                return SCSISCAN_ACTION_ATTACH;
        case JOB_DETACH:
                return order->options.force ? SCSISCAN_ACTION_DETACH_IN_USE
                                            : SCSISCAN_ACTION_DETACH;
        case JOB_REFRESH:
                return SCSISCAN_ACTION_SCAN;
        case JOB_ACCEPT:
                return SCSISCAN_ACTION_ACCEPT_REPLACEMENT;
        case JOB_SCAN:
        case JOB_PLAN:
        case JOB_OPERATIONS:
                break;
        }
        assert(!"an operation that is no order");
        return NULL;
}

/* Of what is to be attached the target is seen, the LUN and the identity are told. */
static int add_details(struct order_call *order, struct details *details) {
        char lun[SCSI_LUN_TEXT_MAX];
        int r = details_set_scope(details, &order->scope, order->text, topology_of(order));

        if (r >= 0)
                r = details_set_scope(&order->seen, &order->scope, order->text, topology_of(order));
        if (r >= 0 && order->operation == JOB_ATTACH)
                r = details_set(details, SCSISCAN_DETAIL_LUN, scsi_lun_format(order->lun, lun));
        if (r >= 0 && order->options.identity)
                r = details_set(details, SCSISCAN_DETAIL_IDENTITY, order->options.identity);
        return r;
}

int order_call(struct server *server, sd_bus_message *call, enum job_operation operation,
               sd_bus_error *error) {
        struct order_call *order = calloc(1, sizeof(*order));
        struct caller_request request = {
                .go = on_allowed,
                .request = order,
                .request_free = order_call_free,
        };
        int r;

        if (!order)
                return -ENOMEM;
        order->server = server;
        order->operation = operation;
        r = read_arguments(order, call, error);
        if (r >= 0)
                r = check_exists(order, error);
        if (r >= 0)
                r = add_details(order, &request.details);
        if (r < 0) {
                details_done(&request.details);
                order_call_free(order);
                return r;
        }
        request.action = action_of(order);
        return callers_authorize(server->callers, call, &request, error);
}
