/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dbus/names.h"
#include "dbus/options.h"

struct values {
        bool wait, wait_given;
        uint64_t generation;
        bool generation_given;
        const char *identity;
        bool identity_given;
};

static const struct option options[] = {
        {"wait", 'b', offsetof(struct values, wait), offsetof(struct values, wait_given)},
        {"generation", 't', offsetof(struct values, generation),
         offsetof(struct values, generation_given)},
        {"identity", 's', offsetof(struct values, identity),
         offsetof(struct values, identity_given)},
};

/* A bus that nobody listens to: enough to make messages. */
struct deaf_bus {
        sd_bus *bus;
        int fds[2];
};

static struct deaf_bus deaf_bus_new(void) {
        struct deaf_bus deaf;

        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, deaf.fds), ==, 0);
        g_assert_cmpint(sd_bus_new(&deaf.bus), >=, 0);
        g_assert_cmpint(sd_bus_set_fd(deaf.bus, deaf.fds[0], deaf.fds[0]), >=, 0);
        g_assert_cmpint(sd_bus_start(deaf.bus), >=, 0);
        return deaf;
}

static void deaf_bus_free(struct deaf_bus *deaf) {
        sd_bus_close_unref(deaf->bus);
        close(deaf->fds[1]);
}

static sd_bus_message *message_new(struct deaf_bus *deaf) {
        sd_bus_message *message = NULL;

        g_assert_cmpint(sd_bus_message_new_method_call(deaf->bus, &message, NULL, "/", "a.b", "C"),
                        >=, 0);
        return message;
}

static int read_back(sd_bus_message *message, struct values *values, sd_bus_error *error) {
        g_assert_cmpint(sd_bus_message_seal(message, 1, 0), >=, 0);
        g_assert_cmpint(sd_bus_message_rewind(message, true), >=, 0);
        return options_read(message, options, G_N_ELEMENTS(options), values, error);
}

static void test_none(void) {
        struct deaf_bus deaf = deaf_bus_new();
        sd_bus_message *message = message_new(&deaf);
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct values values = {.wait = true, .generation = 5};

        g_assert_cmpint(sd_bus_message_append(message, "a{sv}", 0), >=, 0);
        g_assert_cmpint(read_back(message, &values, &error), >=, 0);
        g_assert_true(values.wait);
        g_assert_false(values.wait_given);
        g_assert_cmpuint(values.generation, ==, 5);
        g_assert_false(values.generation_given);
        g_assert_cmpint(sd_bus_message_at_end(message, true), >, 0);
        sd_bus_message_unref(message);
        deaf_bus_free(&deaf);
}

static void test_all(void) {
        struct deaf_bus deaf = deaf_bus_new();
        sd_bus_message *message = message_new(&deaf);
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct values values = {};

        g_assert_cmpint(sd_bus_message_append(message, "a{sv}", 3, "generation", "t", UINT64_MAX,
                                              "wait", "b", 1, "identity", "s", "naa.5"),
                        >=, 0);
        g_assert_cmpint(read_back(message, &values, &error), >=, 0);
        g_assert_true(values.wait && values.wait_given && values.generation_given);
        g_assert_cmpuint(values.generation, ==, UINT64_MAX);
        g_assert_true(values.identity_given);
        g_assert_cmpstr(values.identity, ==, "naa.5");
        g_assert_cmpint(sd_bus_message_at_end(message, true), >, 0);
        sd_bus_message_unref(message);
        deaf_bus_free(&deaf);
}

static void test_false(void) {
        struct deaf_bus deaf = deaf_bus_new();
        sd_bus_message *message = message_new(&deaf);
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct values values = {.wait = true};

        g_assert_cmpint(sd_bus_message_append(message, "a{sv}", 1, "wait", "b", 0), >=, 0);
        g_assert_cmpint(read_back(message, &values, &error), >=, 0);
        g_assert_false(values.wait);
        g_assert_true(values.wait_given);
        sd_bus_message_unref(message);
        deaf_bus_free(&deaf);
}

static void refused(struct deaf_bus *deaf, sd_bus_message *message, const char *part) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct values values = {};

        g_assert_cmpint(read_back(message, &values, &error), <, 0);
        g_assert_cmpstr(error.name, ==, SCSISCAN_ERROR_INVALID_ARGS);
        g_assert_nonnull(strstr(error.message, part));
        sd_bus_error_free(&error);
        sd_bus_message_unref(message);
}

static void test_refused(void) {
        struct deaf_bus deaf = deaf_bus_new();
        sd_bus_message *unknown = message_new(&deaf), *type = message_new(&deaf),
                       *twice = message_new(&deaf), *container = message_new(&deaf);

        g_assert_cmpint(sd_bus_message_append(unknown, "a{sv}", 2, "wait", "b", 1, "Wait", "b", 1),
                        >=, 0);
        refused(&deaf, unknown, "no option Wait");
        g_assert_cmpint(sd_bus_message_append(type, "a{sv}", 1, "generation", "u", 1), >=, 0);
        refused(&deaf, type, "generation is of type t, not u");
        g_assert_cmpint(sd_bus_message_append(twice, "a{sv}", 2, "wait", "b", 1, "wait", "b", 1),
                        >=, 0);
        refused(&deaf, twice, "wait is given twice");
        g_assert_cmpint(sd_bus_message_append(container, "a{sv}", 1, "wait", "ab", 1, 1), >=, 0);
        refused(&deaf, container, "wait is of type b, not ab");
        deaf_bus_free(&deaf);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/options/none", test_none);
        g_test_add_func("/dbus/options/all", test_all);
        g_test_add_func("/dbus/options/false", test_false);
        g_test_add_func("/dbus/options/refused", test_refused);
        return g_test_run();
}
