/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dbus/names.h"
#include "dbus/polkit.h"
#include "util/cleanup.h"
#include "util/log.h"

#define POLKIT "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_AUTHORITY POLKIT ".Authority"

/* CheckAuthorizationFlags */
#define ALLOW_USER_INTERACTION 1U

/* Unique among the cancellation ids of one sender, us. */
#define CANCELLATION_ID_MAX sizeof("scsiscan-18446744073709551615")

static const char *cancellation_id(uint64_t id, char text[static CANCELLATION_ID_MAX]) {
        snprintf(text, CANCELLATION_ID_MAX, "scsiscan-%" PRIu64, id);
        return text;
}

static int question_append(sd_bus_message *message, const struct polkit_question *question) {
        char id[CANCELLATION_ID_MAX];
        int r = sd_bus_message_append(message, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                      question->sender, question->action);

        if (r >= 0)
                r = details_append(question->details, message);
        if (r >= 0)
                r = sd_bus_message_append(message, "us",
                                          question->interactive ? ALLOW_USER_INTERACTION : 0U,
                                          cancellation_id(question->id, id));
        return r;
}

int polkit_ask(sd_bus *bus, const struct polkit_question *question,
               sd_bus_message_handler_t on_answer, void *userdata, sd_bus_slot **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r = sd_bus_message_new_method_call(bus, &message, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY,
                                               "CheckAuthorization");

        if (r >= 0)
                r = question_append(message, question);
        /* The default would be 25 s, in which nobody finds a password. */
        return r < 0 ? r : sd_bus_call_async(bus, ret, message, on_answer, userdata, UINT64_MAX);
}

void polkit_cancel(sd_bus *bus, uint64_t id) {
        char text[CANCELLATION_ID_MAX];
        int r = sd_bus_call_method_async(bus, NULL, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY,
                                         "CancelCheckAuthorization", NULL, NULL, "s",
                                         cancellation_id(id, text));

        if (r < 0)
                log_debug("Cannot cancel a question to polkit: %s", strerror(-r));
}

/* ---- the answer ---- */

/* There is nobody of that name, and nothing that would start it. */
static bool is_absence(const char *name) {
        static const char *const absences[] = {
                SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                "org.freedesktop.DBus.Error.Spawn.", /* and which of the ways it failed */
                "org.freedesktop.systemd1.",         /* masked, no such unit, ... */
        };

        for (size_t i = 0; i < ELEMENTS_OF(absences); i++)
                if (strncmp(name, absences[i], strlen(absences[i])) == 0)
                        return true;
        return false;
}

static int refuse(const sd_bus_error *answer, const char *action, sd_bus_error *error) {
        if (is_absence(answer->name))
                return sd_bus_error_setf(error, SCSISCAN_ERROR_ACCESS_DENIED,
                                         "%s: only root may do this, as there is no polkit to ask",
                                         action);
        return sd_bus_error_setf(error, SCSISCAN_ERROR_ACCESS_DENIED,
                                 "%s: polkit was asked and failed: %s", action,
                                 answer->message ?: answer->name);
}

/* Whether somebody was asked and closed the dialog: 1, 0, or -errno. */
static int read_dismissed(sd_bus_message *answer) {
        const char *name, *value;
        int dismissed = 0;
        int r = sd_bus_message_enter_container(answer, 'a', "{ss}");

        while (r >= 0 && (r = sd_bus_message_read(answer, "{ss}", &name, &value)) > 0)
                if (strcmp(name, "polkit.dismissed") == 0 && *value)
                        dismissed = 1;
        return r < 0 ? r : dismissed;
}

int polkit_read(sd_bus_message *answer, const char *action, sd_bus_error *error) {
        int authorized = 0, challenge = 0, dismissed = 0;
        int r;

        if (sd_bus_message_is_method_error(answer, NULL))
                return refuse(sd_bus_message_get_error(answer), action, error);
        r = sd_bus_message_has_signature(answer, "(bba{ss})");
        if (r > 0)
                r = sd_bus_message_enter_container(answer, 'r', "bba{ss}");
        if (r > 0)
                r = sd_bus_message_read(answer, "bb", &authorized, &challenge);
        if (r > 0)
                r = dismissed = read_dismissed(answer);
        else
                r = -EBADMSG;
        if (r < 0)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_ACCESS_DENIED,
                                         "%s: polkit's answer is not understood", action);
        if (authorized)
                return 0;
        if (challenge && !dismissed)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_INTERACTIVE,
                                         "%s: somebody has to authenticate for this", action);
        return sd_bus_error_setf(error, SCSISCAN_ERROR_ACCESS_DENIED, "%s: %s", action,
                                 dismissed ? "the authentication was called off"
                                           : "polkit does not allow it");
}
