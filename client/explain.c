/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* explain: why something is, or is not, attached and usable. */

#include <string.h>

#include "client/bus.h"
#include "client/cleanup.h"
#include "client/rows.h"
#include "client/value.h"
#include "client/verbs.h"
#include "dbus/names.h"

static const char *severity_color(const char *severity) {
        if (strcmp(severity, "error") == 0)
                return "red";
        return strcmp(severity, "warning") == 0 ? "yellow" : NULL;
}

static const struct rows_form findings = {
        .name = "findings",
        .members = {"code", "severity", "text"},
        .columns = {{.title = "FINDING"}, {.title = "SEVERITY"}, {.title = "WHAT"}},
        .nothing = "there is nothing to say",
        .color_field = 1,
        .color = severity_color,
};

enum status explain_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_object_putp) struct json_object *rows = NULL;
        int r = sd_bus_call_method(bus, SCSISCAN_BUS_NAME, SCSISCAN_PATH,
                                   SCSISCAN_INTERFACE_TOPOLOGY, "Explain", &error, &reply, "s",
                                   arguments[0]);

        if (r >= 0)
                r = value_read(reply, &rows);
        if (r >= 0)
                r = rows_print(&findings, rows, options);
        return r < 0 ? bus_fail(&error, r) : STATUS_OK;
}
