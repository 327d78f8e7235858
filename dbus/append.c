/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dbus/append.h"
#include "dbus/paths.h"
#include "util/cleanup.h"

int append_text(sd_bus_message *message, const char *text) {
        int r = sd_bus_message_append_basic(message, 's', text);

        assert(r != -EINVAL);
        return r;
}

int append_node(sd_bus_message *message, const char *node) {
        char path[sizeof("/dev/") + FACT_NAME_MAX];

        if (!*node)
                return append_text(message, "");
        snprintf(path, sizeof(path), "/dev/%s", node);
        return append_text(message, path);
}

int append_path(sd_bus_message *message, const struct object_id *id) {
        _cleanup_(freep) char *path = NULL;
        int r = path_format(id, &path);

        return r < 0 ? r : sd_bus_message_append_basic(message, 'o', path);
}

int append_job_path(sd_bus_message *message, uint64_t job) {
        _cleanup_(freep) char *path = NULL;
        int r = path_format_job(job, &path);

        return r < 0 ? r : sd_bus_message_append_basic(message, 'o', path);
}

int append_job_reply(sd_bus_message *call, uint64_t job) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(call, &reply);

        if (r >= 0)
                r = append_job_path(reply, job);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

int append_counter(sd_bus_message *message, const char *name, uint64_t value) {
        return sd_bus_message_append(message, "{st}", name, value);
}

int append_summary(sd_bus_message *message, const uint64_t summary[static SUMMARY_FIELDS]) {
        int r = sd_bus_message_open_container(message, 'a', "{st}");

        for (enum summary_field field = 0; r >= 0 && field < SUMMARY_FIELDS; field++)
                r = append_counter(message, summary_field_name(field), summary[field]);
        return r < 0 ? r : sd_bus_message_close_container(message);
}
