/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * polkit is asked whether somebody may do something (org.freedesktop.PolicyKit1.Authority, see
 * polkit's reference manual). The subject is the caller's unique name on the bus: a pid could be
 * somebody else's by the time it is looked at. A person may be typing a password, so an answer may
 * take for ever, and is never waited for.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "dbus/details.h"

struct polkit_question {
        uint64_t id;        /* of the service's run: by this it can be cancelled */
        const char *action; /* "org.scsiscan1.scan" */
        const char *sender; /* ":1.42" */
        const struct details *details;
        bool interactive; /* a person may be asked for a password */
};

/* The slot is the question's: without it the answer is not heard. 0 or -errno. */
int polkit_ask(sd_bus *bus, const struct polkit_question *question,
               sd_bus_message_handler_t on_answer, void *userdata, sd_bus_slot **ret);
/* What the answer says of the action: 0 when it may be done, else negative with `error` set. No
 * polkit, an error, and whatever is not understood: it may not. */
int polkit_read(sd_bus_message *answer, const char *action, sd_bus_error *error);
/* Nobody waits for the answer any more: the dialog closes. */
void polkit_cancel(sd_bus *bus, uint64_t id);
