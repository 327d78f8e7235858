/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * scsiscan from C, with sd-bus:
 *
 *         cc sd-bus.c $(pkg-config --cflags --libs libsystemd)
 *
 *         sd-bus list             each device: address, identity, block device, standing
 *         sd-bus scan [SCOPE]     scan, wait, and say what came of it
 *         sd-bus follow [COUNT]   print what is attached and detached from now on
 *
 * List gives the devices in pages and in order, however many there are: unlike GetManagedObjects,
 * which says LimitsExceeded when they are more than one reply can hold.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define NAME "org.scsiscan1"
#define ROOT "/org/scsiscan1"

static const char *or_dash(const char *text) {
        return *text ? text : "-";
}

/* ---- list ---- */

/* a{sv}, of which four are printed. */
static int print_device(sd_bus_message *page) {
        const char *address = "", *identity = "", *block = "", *standing = "", *name;
        int r = sd_bus_message_enter_container(page, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(page, 'e', "sv")) > 0) {
                r = sd_bus_message_read_basic(page, 's', &name);
                if (r >= 0 && strcmp(name, "Address") == 0)
                        r = sd_bus_message_read(page, "v", "s", &address);
                else if (r >= 0 && strcmp(name, "Identity") == 0)
                        r = sd_bus_message_read(page, "v", "s", &identity);
                else if (r >= 0 && strcmp(name, "BlockDevice") == 0)
                        r = sd_bus_message_read(page, "v", "s", &block);
                else if (r >= 0 && strcmp(name, "Standing") == 0)
                        r = sd_bus_message_read(page, "v", "s", &standing);
                else if (r >= 0)
                        r = sd_bus_message_skip(page, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(page);
        }
        printf("%s %s %s %s\n", or_dash(address), or_dash(identity), or_dash(block),
               or_dash(standing));
        return r < 0 ? r : sd_bus_message_exit_container(page);
}

/* a(oa{sv}) */
static int print_page(sd_bus_message *page) {
        const char *path;
        int r = sd_bus_message_enter_container(page, 'a', "(oa{sv})");

        while (r >= 0 && (r = sd_bus_message_enter_container(page, 'r', "oa{sv}")) > 0) {
                r = sd_bus_message_read_basic(page, 'o', &path);
                if (r >= 0)
                        r = print_device(page);
                if (r >= 0)
                        r = sd_bus_message_exit_container(page);
        }
        return r < 0 ? r : sd_bus_message_exit_container(page);
}

static int list(sd_bus *bus, sd_bus_error *error) {
        sd_bus_message *page = NULL, *last = NULL;
        const char *after = "";
        int r;

        do {
                r = sd_bus_call_method(bus, NAME, ROOT, NAME ".Topology", "List", error, &page,
                                       "ssu", "device", after, 0);
                if (r >= 0)
                        r = print_page(page);
                if (r >= 0)
                        r = sd_bus_message_read_basic(page, 's', &after);
                sd_bus_message_unref(last);
                last = page; /* `after` is in it */
                page = NULL;
        } while (r >= 0 && *after);
        sd_bus_message_unref(last);
        return r;
}

/* ---- scan ---- */

/* a{st} */
static int print_summary(sd_bus_message *summary) {
        const char *name;
        uint64_t count;
        int r = sd_bus_message_enter_container(summary, 'a', "{st}");

        while (r >= 0 && (r = sd_bus_message_read(summary, "{st}", &name, &count)) > 0)
                printf(" %s=%" PRIu64, name, count);
        printf("\n");
        return r;
}

static int print_job(sd_bus *bus, const char *job, sd_bus_error *error) {
        sd_bus_message *summary = NULL;
        char *result = NULL;
        int r = sd_bus_get_property_string(bus, NAME, job, NAME ".Job", "Result", error, &result);

        if (r >= 0)
                r = sd_bus_get_property(bus, NAME, job, NAME ".Job", "Summary", error, &summary,
                                        "a{st}");
        if (r >= 0) {
                printf("%s", result);
                r = print_summary(summary);
        }
        sd_bus_message_unref(summary);
        free(result);
        return r;
}

static int scan(sd_bus *bus, const char *scope, sd_bus_error *error) {
        sd_bus_message *call = NULL, *reply = NULL;
        const char *job;
        int r = sd_bus_message_new_method_call(bus, &call, NAME, ROOT, NAME ".Scan", "Scan");

        if (r >= 0)
                r = sd_bus_message_append(call, "sa{sv}", scope, 1, "wait", "b", true);
        if (r >= 0)
                r = sd_bus_call(bus, call, UINT64_MAX, error, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &job);
        if (r >= 0)
                r = print_job(bus, job, error);
        sd_bus_message_unref(call);
        sd_bus_message_unref(reply);
        return r;
}

/* ---- follow ---- */

static int on_signal(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        const char *path, *address, *identity;
        bool attached = sd_bus_message_is_signal(signal, NULL, "Attached");
        long *count = userdata;

        if (sd_bus_message_read(signal, "oss", &path, &address, &identity) < 0)
                return 0;
        printf("%s %s %s\n", attached ? "attached" : "detached", address, or_dash(identity));
        fflush(stdout);
        --*count;
        return 0;
}

static int follow(sd_bus *bus, long count) {
        int r = sd_bus_match_signal(bus, NULL, NAME, ROOT, NAME ".Hotplug", "Attached", on_signal,
                                    &count);

        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, NAME, ROOT, NAME ".Hotplug", "Detached",
                                        on_signal, &count);
        fprintf(stderr, "following\n");
        while (r >= 0 && count != 0) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        }
        return r;
}

int main(int argc, char **argv) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus *bus = NULL;
        const char *verb = argc > 1 ? argv[1] : "", *word = argc > 2 ? argv[2] : "";
        int r = sd_bus_open_system(&bus);

        if (r >= 0 && strcmp(verb, "list") == 0)
                r = list(bus, &error);
        else if (r >= 0 && strcmp(verb, "scan") == 0)
                r = scan(bus, word, &error);
        else if (r >= 0 && strcmp(verb, "follow") == 0)
                r = follow(bus, *word ? strtol(word, NULL, 10) : -1);
        else if (r >= 0)
                fprintf(stderr, "%s list, scan [SCOPE] or follow [COUNT]\n", argv[0]);
        if (r < 0)
                fprintf(stderr, "%s: %s\n", argv[0], error.message ? error.message : strerror(-r));
        sd_bus_error_free(&error);
        sd_bus_flush_close_unref(bus);
        return r < 0;
}
