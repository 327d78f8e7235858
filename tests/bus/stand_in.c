/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "stand_in.h"

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

struct stand_in *stand_in_new(struct harness *real, struct harness *front) {
        struct stand_in *stand_in = g_new0(struct stand_in, 1);
        g_autoptr(GVariant) reply = NULL;

        stand_in->real = real;
        stand_in->connection = client_connection(harness_address(front), 0);
        stand_in->filter =
                g_dbus_connection_add_filter(stand_in->connection, on_message, stand_in, NULL);
        reply = g_dbus_connection_call_sync(
                stand_in->connection, BUS_INTERFACE, BUS_PATH, BUS_INTERFACE, "RequestName",
                g_variant_new("(su)", SCSISCAN_BUS_NAME, 4), G_VARIANT_TYPE("(u)"),
                G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
        g_assert_nonnull(reply);
        return stand_in;
}

void stand_in_free(struct stand_in *stand_in) {
        g_dbus_connection_remove_filter(stand_in->connection, stand_in->filter);
        g_object_unref(stand_in->connection);
        g_free(stand_in);
}

unsigned stand_in_refused(struct stand_in *stand_in) {
        return (unsigned)g_atomic_int_get(&stand_in->refused);
}

unsigned stand_in_pages(struct stand_in *stand_in) {
        return (unsigned)g_atomic_int_get(&stand_in->pages);
}
