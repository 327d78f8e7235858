/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* policy and evaluate: which rules hold, what they say, and having them read again. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/agent.h"
#include "client/bus.h"
#include "client/cleanup.h"
#include "client/document.h"
#include "client/rows.h"
#include "client/value.h"
#include "client/verbs.h"
#include "dbus/names.h"

static const struct rows_form rules = {
        .name = "rules",
        .members = {"name", "file", "text"},
        .columns = {{.title = "RULE"}, {.title = "FILE"}, {.title = "SAYS"}},
        .nothing = "there are no rules",
};

static const struct rows_form changes = {
        .name = "changes",
        .members = {"address", "action", "reason"},
        .columns = {{.title = "ADDRESS"}, {.title = "ACTION"}, {.title = "REASON"}},
        .nothing = "nothing would change",
};

/* ---- the policy ---- */

static int rules_get(sd_bus *bus, sd_bus_error *error, struct json_object **ret) {
        _cleanup_(json_object_putp) struct json_object *properties = NULL;
        struct json_object *value;
        int r = bus_get_properties(bus, SCSISCAN_PATH, SCSISCAN_INTERFACE_POLICY, error,
                                   &properties);

        if (r < 0)
                return r;
        if (!json_object_object_get_ex(properties, "Rules", &value) ||
            !json_object_is_type(value, json_type_array))
                return -EBADMSG;
        *ret = json_object_get(value);
        return 0;
}

static enum status rules_show(sd_bus *bus, const struct options *options) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_putp) struct json_object *rows = NULL;
        int r = rules_get(bus, &error, &rows);

        if (r >= 0)
                r = rows_print(&rules, rows, options);
        return r < 0 ? bus_fail(&error, r) : STATUS_OK;
}

/* A call that may have to wait for a person. */
static int policy_call(sd_bus *bus, const char *method, const struct options *options,
                       sd_bus_error *error, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(agent_stop) struct agent agent = {};
        int r = bus_call_new(bus, SCSISCAN_INTERFACE_POLICY, method, options, &call);

        if (r < 0)
                return r;
        agent_start(&agent, options);
        return sd_bus_call(bus, call, UINT64_MAX, error, ret);
}

static enum status policy_preview(sd_bus *bus, const struct options *options) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_object_putp) struct json_object *rows = NULL;
        int r = policy_call(bus, "Preview", options, &error, &reply);

        if (r >= 0)
                r = value_read(reply, &rows);
        if (r >= 0)
                r = rows_print(&changes, rows, options);
        return r < 0 ? bus_fail(&error, r) : STATUS_OK;
}

static enum status policy_reload(sd_bus *bus, const struct options *options) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_object_putp) struct json_object *rows = NULL;
        size_t count;
        int r = policy_call(bus, "Reload", options, &error, &reply);

        if (r >= 0)
                r = rules_get(bus, &error, &rows);
        if (r < 0)
                return bus_fail(&error, r);
        if (options->json) {
                r = rows_print(&rules, rows, options);
                return r < 0 ? bus_fail(NULL, r) : STATUS_OK;
        }
        count = json_object_array_length(rows);
        fprintf(options->out, "The policy holds: %zu rule%s\n", count, count == 1 ? "" : "s");
        return STATUS_OK;
}

enum status policy_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        if (arguments[0] && strcmp(arguments[0], "reload") != 0) {
                fprintf(stderr, "scsictl: policy takes reload, or nothing, not '%s'\n",
                        arguments[0]);
                return STATUS_USAGE;
        }
        if (!arguments[0] && options->preview) {
                fprintf(stderr, "scsictl: --preview is for policy reload\n");
                return STATUS_USAGE;
        }
        if (!arguments[0])
                return rules_show(bus, options);
        return options->preview ? policy_preview(bus, options) : policy_reload(bus, options);
}

/* ---- evaluate ---- */

static int decision_print(const char *key, struct json_object *decision,
                          const struct options *options) {
        static const char *const members[ROWS_FIELDS] = {"action", "rule", "reason"};
        _cleanup_(json_object_putp) struct json_object *document = NULL;

        if (!options->json) {
                const char *action = json_object_get_string(rows_field(decision, 0));
                const char *reason = json_object_get_string(rows_field(decision, 2));

                fprintf(options->out, "%s: %s: %s\n", key, action ? action : "",
                        reason ? reason : "");
                return 0;
        }
        document = rows_document(members, decision);
        if (!document)
                return -ENOMEM;
        json_object_object_add(document, "key", json_object_new_string(key));
        return document_print(document, options);
}

enum status evaluate_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_object_putp) struct json_object *decision = NULL;
        int r = sd_bus_call_method(bus, SCSISCAN_BUS_NAME, SCSISCAN_PATH, SCSISCAN_INTERFACE_POLICY,
                                   "Evaluate", &error, &reply, "s", arguments[0]);

        if (r >= 0)
                r = value_read_all(reply, &decision);
        if (r >= 0)
                r = decision_print(arguments[0], decision, options);
        return r < 0 ? bus_fail(&error, r) : STATUS_OK;
}
