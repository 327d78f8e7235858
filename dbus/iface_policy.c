/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "dbus/append.h"
#include "dbus/emit.h"
#include "dbus/iface.h"
#include "dbus/key.h"
#include "dbus/names.h"
#include "dbus/object.h"
#include "dbus/preview.h"
#include "dbus/server_private.h"
#include "policy/policy.h"

/* ---- Rules ---- */

static int append_rules(sd_bus_message *message, const struct policy *policy) {
        size_t count = policy ? policy_rule_count(policy) : 0;
        int r = sd_bus_message_open_container(message, 'a', "(sss)");

        for (size_t i = 0; r >= 0 && i < count; i++) {
                const struct policy_rule *rule = policy_rule_at(policy, i);

                r = sd_bus_message_append(message, "(sss)", rule->name, rule->file, rule->text);
        }
        return r < 0 ? r : sd_bus_message_close_container(message);
}

DEFINE_PROPERTY_GET(get_rules, struct server, server, append_rules(reply, server->config.policy))

void server_set_policy(struct server *server, const struct policy *policy) {
        server->config.policy = policy;
        emit_root_changed(server, SCSISCAN_INTERFACE_POLICY, "Rules");
        emit_end(server, emit_begin(server, SCSISCAN_PATH, SCSISCAN_INTERFACE_POLICY, "Reloaded"),
                 0);
}

/* ---- Reload, Preview ---- */

/* What went wrong with the files is a sentence; what went wrong with us is an errno. */
static int policy_failed(int r, const char *text, sd_bus_error *error) {
        if (r == -EBUSY)
                return sd_bus_error_set(error, SCSISCAN_ERROR_LIMIT, "Too many jobs at once");
        return text ? sd_bus_error_set(error, SCSISCAN_ERROR_FAILED, text) : r;
}

static int on_reload_allowed(sd_bus_message *call, uint32_t uid, void *request,
                             sd_bus_error *error) {
        const struct server *server = request;
        const struct server_handler *handler = &server->handler;
        _cleanup_(freep) char *text = NULL;
        int r = handler->reload(uid, &text, handler->userdata);

        return r < 0 ? policy_failed(r, text, error) : sd_bus_reply_method_return(call, NULL);
}

static int append_preview(const char *address, enum preview_action action, const char *reason,
                          void *userdata) {
        return sd_bus_message_append(userdata, "(sss)", address, preview_action_name(action),
                                     reason);
}

static int reply_preview(const struct server *server, sd_bus_message *call,
                         const struct policy *policy) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(call, &reply);

        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sss)");
        if (r >= 0)
                r = preview(server->config.engine, policy, append_preview, reply);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int on_preview_allowed(sd_bus_message *call, uint32_t uid, void *request,
                              sd_bus_error *error) {
        const struct server *server = request;
        const struct server_handler *handler = &server->handler;
        _cleanup_(policy_freep) struct policy *policy = NULL;
        _cleanup_(freep) char *text = NULL;
        int r = handler->read_policy(&policy, &text, handler->userdata);

        return r < 0 ? policy_failed(r, text, error) : reply_preview(server, call, policy);
}

/* The server outlives every call. */
static void keep_server(void *request) {
}

static int authorize(struct server *server, sd_bus_message *call, caller_go go,
                     sd_bus_error *error) {
        struct caller_request request = {
                .action = SCSISCAN_ACTION_RELOAD_POLICY,
                .go = go,
                .request = server,
                .request_free = keep_server,
        };
        int r = details_set(&request.details, SCSISCAN_DETAIL_SCOPE, "");

        return r < 0 ? r : callers_authorize(server->callers, call, &request, error);
}

static int on_reload(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        return authorize(userdata, call, on_reload_allowed, error);
}

static int on_preview(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        return authorize(userdata, call, on_preview_allowed, error);
}

/* ---- Evaluate ---- */

static int reply_decision(sd_bus_message *call, const struct policy_decision *decision) {
        const struct policy_verdict *verdict = &decision->settings[POLICY_ACTION];
        const struct policy_rule *rule = verdict->rule;
        _cleanup_(freep) char *text = NULL;

        if (rule && asprintf(&text, "%s (%s:%u)", rule->name, rule->file, rule->line) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return sd_bus_reply_method_return(call, "sss",
                                          policy_action_name((enum policy_action)verdict->value),
                                          text ?: "", decision->reason);
}

static int on_evaluate(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        const struct server *server = userdata;
        _cleanup_(scope_done) struct scope scope = {};
        struct policy_decision decision;
        const char *key;
        int r = sd_bus_message_read_basic(call, 's', &key);

        if (r < 0)
                return r;
        r = key_parse(key, &scope, error);
        if (r < 0)
                return r;
        r = engine_evaluate(server->config.engine, &scope, NULL, &decision);
        if (r == -ENOENT)
                return key_not_found(key, error);
        if (r == -EINVAL)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS,
                                         "'%s' names more than one target or device", key);
        return r < 0 ? r : reply_decision(call, &decision);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Reload", NULL, NULL, on_reload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Preview", NULL, , "a(sss)", SD_BUS_PARAM(changes), on_preview,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Evaluate", "s", SD_BUS_PARAM(key), "sss",
                                 SD_BUS_PARAM(action) SD_BUS_PARAM(rule) SD_BUS_PARAM(reason),
                                 on_evaluate, SD_BUS_VTABLE_UNPRIVILEGED),
        PROPERTY_CHANGES("Rules", "a(sss)", get_rules),
        SD_BUS_SIGNAL("Reloaded", NULL, 0),
        SD_BUS_VTABLE_END,
};

const struct iface iface_policy = {SCSISCAN_INTERFACE_POLICY, vtable};
