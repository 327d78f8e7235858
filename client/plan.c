/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* plan: what a scan would do. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "client/agent.h"
#include "client/bus.h"
#include "client/cleanup.h"
#include "client/document.h"
#include "client/rows.h"
#include "client/value.h"
#include "client/verbs.h"
#include "dbus/names.h"

static const char *action_color(const char *action) {
        static const char *const quiet[] = {"keep", "leave", "nothing"};

        for (size_t i = 0; i < ELEMENTS_OF(quiet); i++)
                if (strcmp(action, quiet[i]) == 0)
                        return NULL;
        return strcmp(action, "stop") == 0 || strcmp(action, "detach") == 0 ? "red" : "yellow";
}

static const struct rows_form steps = {
        .name = "steps",
        .members = {"action", "where", "reason"},
        .columns = {{.title = "ACTION"}, {.title = "WHERE"}, {.title = "WHY"}},
        .nothing = "nothing would be done",
        .color_field = 0,
        .color = action_color,
};

/* [action, where, {details}], as it came, as the three texts of a row. */
static struct json_object *row_of(struct json_object *step) {
        struct json_object *row = json_object_new_array(), *details = rows_field(step, 2),
                           *reason = NULL;

        if (!row)
                return NULL;
        json_object_object_get_ex(details, "reason", &reason);
        json_object_array_add(row, json_object_get(rows_field(step, 0)));
        json_object_array_add(row, json_object_get(rows_field(step, 1)));
        json_object_array_add(row, json_object_get(reason));
        return row;
}

static int print_text(struct json_object *came, uint64_t generation,
                      const struct options *options) {
        _cleanup_(json_object_putp) struct json_object *rows = json_object_new_array();
        int r;

        for (size_t i = 0; rows && i < json_object_array_length(came); i++) {
                struct json_object *row = row_of(json_object_array_get_idx(came, i));

                if (!row)
                        return -ENOMEM;
                json_object_array_add(rows, row);
        }
        r = rows ? rows_print(&steps, rows, options) : -ENOMEM;
        if (r >= 0 && json_object_array_length(came) > 0 && options->legend)
                fprintf(options->out,
                        "\nscsictl scan --generation=%" PRIu64 " does that, or nothing.\n",
                        generation);
        return r;
}

static struct json_object *step_document(struct json_object *step) {
        struct json_object *document = json_object_new_object();

        if (!document)
                return NULL;
        json_object_object_add(document, "action", json_object_get(rows_field(step, 0)));
        json_object_object_add(document, "where", json_object_get(rows_field(step, 1)));
        json_object_object_foreach(rows_field(step, 2), name, value) {
                json_object_object_add(document, name, json_object_get(value));
        }
        return document;
}

static int print_json(struct json_object *came, uint64_t generation,
                      const struct options *options) {
        _cleanup_(json_object_putp) struct json_object *document = json_object_new_object();
        struct json_object *array = json_object_new_array();

        if (!document || !array) {
                json_object_put(array);
                return -ENOMEM;
        }
        json_object_object_add(document, "generation", json_object_new_uint64(generation));
        json_object_object_add(document, "steps", array);
        for (size_t i = 0; i < json_object_array_length(came); i++) {
                struct json_object *step = step_document(json_object_array_get_idx(came, i));

                if (!step)
                        return -ENOMEM;
                json_object_array_add(array, step);
        }
        return document_print(document, options);
}

static int plan_get(sd_bus *bus, const char *scope, const struct options *options,
                    sd_bus_error *error, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(agent_stop) struct agent agent = {};
        int r = bus_call_new(bus, SCSISCAN_INTERFACE_SCAN, "Plan", options, &call);

        if (r >= 0)
                r = sd_bus_message_append(call, "sa{sv}", scope, 0);
        if (r < 0)
                return r;
        agent_start(&agent, options);
        return sd_bus_call(bus, call, UINT64_MAX, error, ret);
}

enum status plan_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_object_putp) struct json_object *came = NULL;
        uint64_t generation = 0;
        int r = plan_get(bus, arguments[0] ? arguments[0] : "", options, &error, &reply);

        if (r >= 0)
                r = sd_bus_message_read_basic(reply, 't', &generation);
        if (r >= 0)
                r = value_read(reply, &came);
        if (r >= 0 && !json_object_is_type(came, json_type_array))
                r = -EBADMSG;
        if (r >= 0)
                r = options->json ? print_json(came, generation, options)
                                  : print_text(came, generation, options);
        return r < 0 ? bus_fail(&error, r) : STATUS_OK;
}
