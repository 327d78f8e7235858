/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * await [--pid PID] SECONDS OBJECT INTERFACE PROPERTY PATTERN: until the property of that object of
 * the service matches the extended regular expression. It is written as busctl does, without types
 * and counts:
 *   true   "present"   "5" "0x0005000000000000" "attached"
 * --pid: gives up when that process has ended. Exit status 1, with what the property is, if it was
 * none of the kind within LAB_PATIENCE times the seconds. One process for all looks: where a
 * process is dear, asking in a loop of the shell takes more than what it waits for.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define PAUSE_USEC 50000
#define CALL_USEC UINT64_C(10000000)

static void print_basic(sd_bus_message *message, char type, FILE *out) {
        union {
                const char *text;
                uint64_t number;
                int flag;
        } value = {};

        if (sd_bus_message_read_basic(message, type, &value) < 0)
                return;
        if (strchr("sog", type))
                fprintf(out, "\"%s\" ", value.text);
        else if (type == 'b')
                fputs(value.flag ? "true " : "false ", out);
        else
                fprintf(out, "%" PRIu64 " ", value.number);
}

/* A message is as deep as its signature, which D-Bus bounds. */
static void print(sd_bus_message *message, FILE *out) {
        const char *contents;
        char type;

        while (sd_bus_message_peek_type(message, &type, &contents) > 0) {
                if (!contents) {
                        print_basic(message, type, out);
                        continue;
                }
                if (sd_bus_message_enter_container(message, type, contents) < 0)
                        return;
                print(message, out);
                if (sd_bus_message_exit_container(message) < 0)
                        return;
        }
}

/* The property's text, or why there is none; NULL: out of memory. */
static char *look(sd_bus *bus, char *const name[3]) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        char *text = NULL;
        size_t length;
        FILE *out = open_memstream(&text, &length);
        int r;

        if (!out)
                return NULL;
        r = sd_bus_call_method(bus, "org.scsiscan1", name[0], "org.freedesktop.DBus.Properties",
                               "Get", &error, &reply, "ss", name[1], name[2]);
        if (r < 0)
                fputs(error.message ?: strerror(-r), out);
        else
                print(reply, out);
        fclose(out);
        if (text && *text && r >= 0)
                text[strlen(text) - 1] = '\0';
        return text;
}

static uint64_t limit_usec(const char *seconds) {
        const char *patience = getenv("LAB_PATIENCE");

        return (uint64_t)(strtod(seconds, NULL) * (patience ? strtod(patience, NULL) : 1) * 1e6);
}

int main(int argc, char *argv[]) {
        static const struct option options[] = {{"pid", required_argument, NULL, 'p'}, {}};
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(regfree) regex_t pattern = {};
        uint64_t end;
        pid_t pid = 0;
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                if (option != 'p')
                        return 2;
                pid = (pid_t)strtol(optarg, NULL, 10);
        }
        if (argc - optind != 5 || regcomp(&pattern, argv[argc - 1], REG_EXTENDED | REG_NOSUB) != 0)
                return 2;
        end = clock_usec() + limit_usec(argv[optind]);
        if (sd_bus_open_system(&bus) < 0 || sd_bus_set_method_call_timeout(bus, CALL_USEC) < 0)
                return 1;
        for (;;) {
                _cleanup_(freep) char *text = look(bus, argv + optind + 1);

                if (text && regexec(&pattern, text, 0, NULL, 0) == 0)
                        return 0;
                if (clock_usec() >= end || (pid > 0 && kill(pid, 0) < 0)) {
                        printf("%s\n", text ?: "");
                        return 1;
                }
                usleep(PAUSE_USEC);
        }
}
