/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "dbus/append.h"
#include "dbus/names.h"
#include "util/cleanup.h"

/* A stock dbus-daemon takes 32 MiB and ends the connection above that. */
#define PLAN_BYTES_MAX ((size_t)24 * 1024 * 1024)
/* What the strings' frames, the keys of the details and their signatures take, at most. */
#define STEP_BYTES 192

static size_t plan_bytes(const struct plan *plan) {
        size_t bytes = 0;

        for (size_t i = 0; i < plan->count; i++)
                bytes += STEP_BYTES + strlen(plan->steps[i].reason) +
                         strlen(plan->steps[i].identity);
        return bytes;
}

static const char *place_text(const struct plan_step *step,
                              char buffer[static SCSI_ADDRESS_TEXT_MAX]) {
        switch (step->place) {
        case PLAN_HOST:
                snprintf(buffer, SCSI_ADDRESS_TEXT_MAX, "host%" PRIu32, step->address.target.host);
                break;
        case PLAN_TARGET:
                scsi_target_address_format(&step->address.target, buffer);
                break;
        case PLAN_DEVICE:
                scsi_address_format(&step->address, buffer);
                break;
        }
        return buffer;
}

static int append_detail(sd_bus_message *message, const char *name, const char *value) {
        return *value ? sd_bus_message_append(message, "{sv}", name, "s", value) : 0;
}

static int append_step(sd_bus_message *message, const struct plan_step *step) {
        char place[SCSI_ADDRESS_TEXT_MAX];
        int r = sd_bus_message_open_container(message, 'r', "ssa{sv}");

        if (r >= 0)
                r = append_text(message, plan_action_name(step->action));
        if (r >= 0)
                r = append_text(message, place_text(step, place));
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "{sv}");
        if (r >= 0)
                r = append_detail(message, "reason", step->reason);
        if (r >= 0)
                r = append_detail(message, "identity", step->identity);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

int append_plan_reply(sd_bus_message *call, uint64_t generation, const struct plan *plan) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        if (plan->full || plan_bytes(plan) > PLAN_BYTES_MAX)
                return sd_bus_reply_method_errorf(call, SCSISCAN_ERROR_LIMITS_EXCEEDED,
                                                  "The plan has more steps than one reply can "
                                                  "hold: plan for one host or target at a time");
        r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_append_basic(reply, 't', &generation);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ssa{sv})");
        for (size_t i = 0; r >= 0 && i < plan->count; i++)
                r = append_step(reply, &plan->steps[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
