/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/value.h"
#include "tests/unit/client_support.h"

/* A bus whose other end never answers: enough to build a message and to read it. */
struct fixture {
        sd_bus *bus;
        int peer;
};

static void fixture_set_up(struct fixture *fixture, gconstpointer data) {
        int fds[2];

        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), ==,
                        0);
        fixture->peer = fds[1];
        g_assert_cmpint(sd_bus_new(&fixture->bus), >=, 0);
        g_assert_cmpint(sd_bus_set_fd(fixture->bus, fds[0], fds[0]), >=, 0);
        g_assert_cmpint(sd_bus_start(fixture->bus), >=, 0);
}

static void fixture_tear_down(struct fixture *fixture, gconstpointer data) {
        sd_bus_close(fixture->bus);
        sd_bus_unref(fixture->bus);
        close(fixture->peer);
}

static sd_bus_message *message_new(struct fixture *fixture) {
        sd_bus_message *message = NULL;

        g_assert_cmpint(
                sd_bus_message_new_signal(fixture->bus, &message, "/test", "test.Test", "Test"), >=,
                0);
        return message;
}

static void message_finish(sd_bus_message *message) {
        g_assert_cmpint(sd_bus_message_seal(message, 1, 0), >=, 0);
        g_assert_cmpint(sd_bus_message_rewind(message, true), >=, 0);
}

static void test_basic(struct fixture *fixture, gconstpointer data) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = message_new(fixture);
        _cleanup_(json_object_putp) struct json_object *values = NULL;

        g_assert_cmpint(sd_bus_message_append(message, "ybnqiuxtdsog", 255, 1, -1, 65535, INT32_MIN,
                                              UINT32_MAX, INT64_MIN, UINT64_MAX, 0.5, "text",
                                              "/a/b", "a{sv}"),
                        >=, 0);
        message_finish(message);
        g_assert_cmpint(value_read_all(message, &values), ==, 0);
        assert_json(values, "[255, true, -1, 65535, -2147483648, 4294967295, -9223372036854775808,"
                            " 18446744073709551615, 0.5, 'text', '/a/b', 'a{sv}']");
}

static void test_containers(struct fixture *fixture, gconstpointer data) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = message_new(fixture);
        _cleanup_(json_object_putp) struct json_object *values = NULL;

        g_assert_cmpint(sd_bus_message_append(message, "a{sv}a(su)asa{ut}v", 2, "Size", "t",
                                              UINT64_C(7), "Names", "as", 2, "a", "b", 1, "row", 3,
                                              0, 1, 9, UINT64_C(10), "(bv)", 0, "s", "deep"),
                        >=, 0);
        message_finish(message);
        g_assert_cmpint(value_read_all(message, &values), ==, 0);
        assert_json(values, "[{'Size': 7, 'Names': ['a', 'b']}, [['row', 3]], [], {'9': 10},"
                            " [false, 'deep']]");
}

/* A set of objects has no order of its own, whatever other arrays may have. */
static void test_paths(struct fixture *fixture, gconstpointer data) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = message_new(fixture);
        _cleanup_(json_object_putp) struct json_object *values = NULL;

        g_assert_cmpint(sd_bus_message_append(message, "aoasv", 3, "/org/scsiscan1/device/3_0_1_10",
                                              "/org/scsiscan1/device/3_0_1_9",
                                              "/org/scsiscan1/host/4", 2, "b", "a", "ao", 2, "/b",
                                              "/a"),
                        >=, 0);
        message_finish(message);
        g_assert_cmpint(value_read_all(message, &values), ==, 0);
        assert_json(values, "[['/org/scsiscan1/host/4', '/org/scsiscan1/device/3_0_1_9',"
                            " '/org/scsiscan1/device/3_0_1_10'], ['b', 'a'], ['/a', '/b']]");
}

static void test_real(struct fixture *fixture, gconstpointer data) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = message_new(fixture);
        _cleanup_(json_object_putp) struct json_object *values = NULL;

        g_assert_cmpint(sd_bus_message_append(message, "ddd", 0.8, 1.0, 1.0 / 3), >=, 0);
        message_finish(message);
        g_assert_cmpint(value_read_all(message, &values), ==, 0);
        g_assert_cmpstr(json_object_to_json_string_ext(values, JSON_C_TO_STRING_PLAIN), ==,
                        "[0.8,1,0.333333333333333]");
}

/* GetManagedObjects, read as one value. */
static void test_objects(struct fixture *fixture, gconstpointer data) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = message_new(fixture);
        _cleanup_(json_object_putp) struct json_object *value = NULL, *none = NULL;

        g_assert_cmpint(sd_bus_message_append(message, "a{oa{sa{sv}}}", 2, "/a", 1, "I", 1, "P",
                                              "b", 1, "/b", 0),
                        >=, 0);
        message_finish(message);
        g_assert_cmpint(value_read(message, &value), ==, 1);
        assert_json(value, "{'/a': {'I': {'P': true}}, '/b': {}}");
        g_assert_cmpint(value_read(message, &none), ==, 0);
        g_assert_null(none);
}

static void test_empty(struct fixture *fixture, gconstpointer data) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = message_new(fixture);
        _cleanup_(json_object_putp) struct json_object *values = NULL;

        message_finish(message);
        g_assert_cmpint(value_read_all(message, &values), ==, 0);
        assert_json(values, "[]");
}

#define ADD(path, function)                                                                        \
        g_test_add(path, struct fixture, NULL, fixture_set_up, function, fixture_tear_down)

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        ADD("/client/value/basic", test_basic);
        ADD("/client/value/real", test_real);
        ADD("/client/value/containers", test_containers);
        ADD("/client/value/paths", test_paths);
        ADD("/client/value/objects", test_objects);
        ADD("/client/value/empty", test_empty);
        return g_test_run();
}
