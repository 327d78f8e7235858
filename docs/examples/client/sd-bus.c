/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A client of scsiscan in C with sd-bus:
 *
 *     cc -D_GNU_SOURCE -o scsiscan sd-bus.c $(pkg-config --cflags --libs libsystemd)
 *
 *     ./scsiscan list              every device: ADDRESS IDENTITY BLOCKDEVICE STANDING
 *     ./scsiscan scan [SCOPE]      look for what is new, wait, and say what came of it
 *     ./scsiscan follow [COUNT]    what is attached and detached from now on
 */
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define ROOT "org.scsiscan1", "/org/scsiscan1"
#define TEXT(text) (*(text) ? (text) : "-")

/* What goes wrong ends the program. */
static int check(int r, const sd_bus_error *error) {
        if (r >= 0)
                return r;
        fprintf(stderr, "%s\n", error && error->message ? error->message : strerror(-r));
        exit(EXIT_FAILURE);
}

/* Enters the next entry of an array; behind the last it leaves the array. */
static int next(sd_bus_message *m, char type, const char *contents) {
        int r = check(sd_bus_message_enter_container(m, type, contents), NULL);

        return r > 0 ? r : !check(sd_bus_message_exit_container(m), NULL);
}

/* By number: 0:0:0:9 comes before 0:0:0:10. */
static int compare(const void *a, const void *b) {
        return strverscmp(a, b);
}

static void print(const void *node, VISIT visit, int depth) {
        if (visit == postorder || visit == leaf)
                printf("%s", *(char *const *)node);
}

static void print_sorted(void *lines) {
        twalk(lines, print);
        tdestroy(lines, free);
}

/* The properties of one device. */
static void read_device(sd_bus_message *m, void **lines) {
        static const char *const names[] = {"Address", "Identity", "BlockDevice", "Standing"};
        const char *v[] = {"", "", "", ""}, *name;
        char *line;

        check(sd_bus_message_enter_container(m, 'a', "{sv}"), NULL);
        while (next(m, 'e', "sv")) {
                int i = 0;

                check(sd_bus_message_read(m, "s", &name), NULL);
                while (i < 4 && strcmp(name, names[i]) != 0)
                        i++;
                check(i < 4 ? sd_bus_message_read(m, "v", "s", &v[i]) : sd_bus_message_skip(m, "v"),
                      NULL);
                check(sd_bus_message_exit_container(m), NULL);
        }
        if (asprintf(&line, "%s %s %s %s\n", v[0], TEXT(v[1]), TEXT(v[2]), TEXT(v[3])) < 0 ||
            !tsearch(line, lines, compare))
                abort();
}

/* What GetManagedObjects replies: each object's interfaces. */
static void read_objects(sd_bus_message *m, void **lines) {
        const char *interface;

        check(sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}"), NULL);
        while (next(m, 'e', "oa{sa{sv}}")) {
                check(sd_bus_message_skip(m, "o"), NULL);
                check(sd_bus_message_enter_container(m, 'a', "{sa{sv}}"), NULL);
                while (next(m, 'e', "sa{sv}")) {
                        check(sd_bus_message_read(m, "s", &interface), NULL);
                        if (strcmp(interface, "org.scsiscan1.Device") == 0)
                                read_device(m, lines);
                        else
                                check(sd_bus_message_skip(m, "a{sv}"), NULL);
                        check(sd_bus_message_exit_container(m), NULL);
                }
                check(sd_bus_message_exit_container(m), NULL);
        }
}

/* On a machine with more objects than one reply can hold. */
static void read_pages(sd_bus *bus, void **lines) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *m = NULL, *last = NULL;
        const char *after = "";

        do {
                check(sd_bus_call_method(bus, ROOT, "org.scsiscan1.Topology", "List", &error, &m,
                                         "ssu", "device", after, 0),
                      &error);
                check(sd_bus_message_enter_container(m, 'a', "(oa{sv})"), NULL);
                while (next(m, 'r', "oa{sv}")) {
                        check(sd_bus_message_skip(m, "o"), NULL);
                        read_device(m, lines);
                        check(sd_bus_message_exit_container(m), NULL);
                }
                check(sd_bus_message_read(m, "s", &after), NULL);
                sd_bus_message_unref(last);
                last = m; /* which `after` is in */
        } while (*after);
        sd_bus_message_unref(last);
}

static void list(sd_bus *bus) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *m = NULL;
        void *lines = NULL;
        int r = sd_bus_call_method(bus, ROOT, "org.freedesktop.DBus.ObjectManager",
                                   "GetManagedObjects", &error, &m, "");

        if (sd_bus_error_has_name(&error, SD_BUS_ERROR_LIMITS_EXCEEDED))
                read_pages(bus, &lines);
        else if (check(r, &error) >= 0)
                read_objects(m, &lines);
        print_sorted(lines);
        sd_bus_error_free(&error);
        sd_bus_message_unref(m);
}

static void scan(sd_bus *bus, const char *scope) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *started = NULL, *ended = NULL;
        const char *job, *result, *key;
        void *summary = NULL;
        uint64_t number;
        char *word;

        /* A scan may take longer than the 25 s that a call usually has, and so may whoever is asked
         * for a password. */
        sd_bus_set_method_call_timeout(bus, UINT64_MAX);
        sd_bus_set_allow_interactive_authorization(bus, 1);
        check(sd_bus_call_method(bus, ROOT, "org.scsiscan1.Scan", "Scan", &error, &started,
                                 "sa{sv}", scope ? scope : "", 1, "wait", "b", 1),
              &error);
        check(sd_bus_message_read(started, "o", &job), NULL);
        check(sd_bus_call_method(bus, "org.scsiscan1", job, "org.scsiscan1.Job", "Wait", &error,
                                 &ended, ""),
              &error);
        check(sd_bus_message_read(ended, "s", &result), NULL);
        check(sd_bus_message_enter_container(ended, 'a', "{st}"), NULL);
        while (check(sd_bus_message_read(ended, "{st}", &key, &number), NULL) > 0)
                if (asprintf(&word, " %s=%" PRIu64, key, number) < 0 ||
                    !tsearch(word, &summary, compare))
                        abort();
        printf("%s", result);
        print_sorted(summary);
        printf("\n");
        sd_bus_message_unref(started);
        sd_bus_message_unref(ended);
}

static int on_signal(sd_bus_message *m, void *left, sd_bus_error *error) {
        const char *address, *identity, *reason;

        if (sd_bus_message_is_signal(m, NULL, "Attached")) {
                check(sd_bus_message_read(m, "oss", NULL, &address, &identity), NULL);
                printf("attached %s %s\n", address, TEXT(identity));
        } else if (sd_bus_message_is_signal(m, NULL, "Detached")) {
                check(sd_bus_message_read(m, "osss", NULL, &address, NULL, &reason), NULL);
                printf("detached %s %s\n", address, reason);
        } else {
                return 0;
        }
        --*(long *)left;
        return fflush(stdout);
}

static void follow(sd_bus *bus, const char *count) {
        long left = count ? strtol(count, NULL, 10) : -1;

        check(sd_bus_match_signal(bus, NULL, ROOT, "org.scsiscan1.Hotplug", NULL, on_signal, &left),
              NULL);
        fprintf(stderr, "following\n");
        while (left != 0)
                if (check(sd_bus_process(bus, NULL), NULL) == 0)
                        check(sd_bus_wait(bus, UINT64_MAX), NULL);
}

int main(int argc, char **argv) {
        const char *verb = argc > 1 ? argv[1] : "", *argument = argc > 2 ? argv[2] : NULL;
        sd_bus *bus = NULL;

        check(sd_bus_open_system(&bus), NULL);
        if (strcmp(verb, "list") == 0)
                list(bus);
        else if (strcmp(verb, "scan") == 0)
                scan(bus, argument);
        else if (strcmp(verb, "follow") == 0)
                follow(bus, argument);
        else
                check(-EINVAL, &SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_INVALID_ARGS,
                                                        "list | scan [SCOPE] | follow [COUNT]"));
        sd_bus_flush_close_unref(bus);
        return EXIT_SUCCESS;
}
