/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A machine that is too large for one reply, without its size: on a bus of its own stands somebody
 * in the service's place who passes on what he is asked, says LimitsExceeded to GetManagedObjects,
 * and asks for pages of one object. scsictl shows the same there.
 */

#include <string.h>

#include "harness.h"

struct stand_in {
        struct harness *real;
        GDBusConnection *connection;
        guint filter;
        guint refused, pages; /* atomic */
};

static GDBusMessage *pass_on(struct stand_in *stand_in, GDBusMessage *call) {
        GVariant *body = g_dbus_message_get_body(call);
        GDBusMessage *reply = g_dbus_message_new_method_reply(call);
        g_autoptr(GVariant) answer = NULL;
        const char *kind, *after;

        if (strcmp(g_dbus_message_get_member(call), "List") == 0) {
                g_variant_get(body, "(&s&su)", &kind, &after, NULL);
                body = g_variant_new("(ssu)", kind, after, 1);
                g_atomic_int_inc(&stand_in->pages);
        }
        answer = client_call(harness_client(stand_in->real), g_dbus_message_get_path(call),
                             g_dbus_message_get_interface(call), g_dbus_message_get_member(call),
                             body);
        g_dbus_message_set_body(reply, answer);
        return reply;
}

static GDBusMessage *answer_new(struct stand_in *stand_in, GDBusMessage *call) {
        if (strcmp(g_dbus_message_get_member(call), "GetManagedObjects") != 0)
                return pass_on(stand_in, call);
        g_atomic_int_inc(&stand_in->refused);
        return g_dbus_message_new_method_error_literal(call, SCSISCAN_ERROR_LIMITS_EXCEEDED,
                                                       "There are too many");
}

struct question {
        struct stand_in *stand_in;
        GDBusMessage *call;
};

static void *answer(void *userdata) {
        struct question *question = userdata;
        g_autoptr(GDBusMessage) reply = answer_new(question->stand_in, question->call);

        (void)g_dbus_connection_send_message(question->stand_in->connection, reply,
                                             G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
        g_object_unref(question->call);
        g_free(question);
        return NULL;
}

/* On GDBus's thread, which is the one that the real answer comes on. */
static GDBusMessage *on_message(GDBusConnection *connection, GDBusMessage *message,
                                gboolean incoming, void *userdata) {
        struct question *question;

        if (!incoming ||
            g_dbus_message_get_message_type(message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
                return message;
        question = g_new0(struct question, 1);
        *question = (struct question){.stand_in = userdata, .call = message};
        g_thread_unref(g_thread_new("answer", answer, question));
        return NULL;
}

static void stand_in_begin(struct stand_in *stand_in, struct harness *real, struct harness *front) {
        g_autoptr(GVariant) reply = NULL;

        *stand_in = (struct stand_in){.real = real};
        stand_in->connection = client_connection(harness_address(front), 0);
        stand_in->filter =
                g_dbus_connection_add_filter(stand_in->connection, on_message, stand_in, NULL);
        reply = g_dbus_connection_call_sync(
                stand_in->connection, BUS_INTERFACE, BUS_PATH, BUS_INTERFACE, "RequestName",
                g_variant_new("(su)", SCSISCAN_BUS_NAME, 4), G_VARIANT_TYPE("(u)"),
                G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
        g_assert_nonnull(reply);
}

static void stand_in_end(struct stand_in *stand_in) {
        g_dbus_connection_remove_filter(stand_in->connection, stand_in->filter);
        g_object_unref(stand_in->connection);
}

static char *run(struct harness *harness, const char *words) {
        g_autoptr(GSubprocessLauncher) launcher =
                g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE);
        g_autofree char *line = g_strdup_printf("%s %s", g_getenv("SCSICTL"), words);
        g_auto(GStrv) arguments = g_strsplit(line, " ", -1);
        g_autoptr(GSubprocess) child = NULL;
        char *output = NULL;

        g_subprocess_launcher_setenv(launcher, "DBUS_SYSTEM_BUS_ADDRESS", harness_address(harness),
                                     TRUE);
        child = g_subprocess_launcher_spawnv(launcher, (const char *const *)arguments, NULL);
        g_assert_nonnull(child);
        g_assert_true(g_subprocess_communicate_utf8(child, NULL, NULL, &output, NULL, NULL));
        g_assert_cmpint(g_subprocess_get_exit_status(child), ==, 0);
        return output;
}

static void test_scsictl(void) {
        static const char *const words[] = {"tree", "list devices", "list units --json",
                                            "list targets", "list jobs"};
        struct harness *real = harness_boot(machine_new(2, 2, 3));
        struct harness *front = harness_new(machine_new(1, 1, 1));
        struct stand_in stand_in;
        unsigned pages = 0;

        harness_check_complete(real);
        stand_in_begin(&stand_in, real, front);
        for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
                g_autofree char *whole = run(real, words[i]), *paged = run(front, words[i]);

                g_assert_cmpstr(whole, ==, paged);
                g_assert_cmpuint(strlen(whole), >, 50);
        }
        /* 2 hosts, 4 targets, 12 devices and units, a job or more. */
        pages = (unsigned)g_atomic_int_get(&stand_in.pages);
        g_assert_cmpint(g_atomic_int_get(&stand_in.refused), ==, G_N_ELEMENTS(words));
        g_assert_cmpuint(pages, >=, 31 * G_N_ELEMENTS(words));
        stand_in_end(&stand_in);
        harness_free(front);
        harness_free(real);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/pages/scsictl", test_scsictl);
        return g_test_run();
}
