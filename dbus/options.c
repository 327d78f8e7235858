/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dbus/names.h"
#include "dbus/options.h"

static const struct option *option_find(const struct option *options, size_t count,
                                        const char *name) {
        for (size_t i = 0; i < count; i++)
                if (strcmp(options[i].name, name) == 0)
                        return &options[i];
        return NULL;
}

static int value_read(sd_bus_message *message, const struct option *option, char *ret) {
        int boolean, r;

        switch (option->type) {
        case 'b':
                r = sd_bus_message_read_basic(message, 'b', &boolean);
                if (r >= 0)
                        *(bool *)(ret + option->offset) = boolean;
                return r;
        case 's':
                return sd_bus_message_read_basic(message, 's', ret + option->offset);
        case 't':
                return sd_bus_message_read_basic(message, 't', ret + option->offset);
        default:
                assert(!"an option of a type that nobody reads");
                return -EINVAL;
        }
}

static int option_read(sd_bus_message *message, const struct option *option, char *ret,
                       sd_bus_error *error) {
        const char type[] = {option->type, 0};
        bool *given = (bool *)(ret + option->given);
        const char *contents;
        int r = sd_bus_message_peek_type(message, NULL, &contents);

        if (r < 0)
                return r;
        if (strcmp(contents, type) != 0)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS,
                                         "Option %s is of type %s, not %s", option->name, type,
                                         contents);
        if (*given)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS,
                                         "Option %s is given twice", option->name);
        *given = true;
        r = sd_bus_message_enter_container(message, 'v', type);
        if (r >= 0)
                r = value_read(message, option, ret);
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int entry_read(sd_bus_message *message, const struct option *options, size_t count,
                      void *ret, sd_bus_error *error) {
        const struct option *option;
        const char *name;
        int r = sd_bus_message_read_basic(message, 's', &name);

        if (r < 0)
                return r;
        option = option_find(options, count, name);
        if (!option)
                return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS,
                                         "There is no option %s", name);
        r = option_read(message, option, ret, error);
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

int options_read(sd_bus_message *message, const struct option *options, size_t count, void *ret,
                 sd_bus_error *error) {
        int r = sd_bus_message_enter_container(message, 'a', "{sv}");

        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                r = entry_read(message, options, count, ret, error);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}
