/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_polkit.h"

#include "client.h"

struct fake_polkit {
        GDBusConnection *connection;
        guint filter;
        GMutex lock; /* of all that follows; messages come on GDBus's thread */
        enum polkit_says says;
        GPtrArray *questions; /* GDBusMessage */
        GPtrArray *cancelled; /* their ids */
};

/* ---- answers ---- */

static GDBusMessage *result(GDBusMessage *question, bool yes, bool challenge, const char *detail) {
        GDBusMessage *reply = g_dbus_message_new_method_reply(question);
        GVariantBuilder details;

        g_variant_builder_init(&details, G_VARIANT_TYPE("a{ss}"));
        g_variant_builder_add(&details, "{ss}", "polkit.retains_authorization_after_challenge",
                              "1");
        if (detail)
                g_variant_builder_add(&details, "{ss}", detail, "true");
        g_dbus_message_set_body(reply, g_variant_new("((bba{ss}))", yes, challenge, &details));
        return reply;
}

static GDBusMessage *raving(GDBusMessage *question) {
        GDBusMessage *reply = g_dbus_message_new_method_reply(question);

        g_dbus_message_set_body(reply, g_variant_new("(bbs)", TRUE, FALSE, "yes"));
        return reply;
}

static GDBusMessage *answer_new(GDBusMessage *question, enum polkit_says says) {
        switch (says) {
        case POLKIT_YES:
                return result(question, true, false, NULL);
        case POLKIT_NO:
                return result(question, false, false, NULL);
        case POLKIT_CHALLENGE:
                return result(question, false, true, NULL);
        case POLKIT_DISMISSED:
                return result(question, false, true, "polkit.dismissed");
        case POLKIT_FAILS:
                return g_dbus_message_new_method_error(question, POLKIT_NAME ".Error.Failed",
                                                       "the rules are broken");
        case POLKIT_CANCELLED:
                return g_dbus_message_new_method_error(question, POLKIT_NAME ".Error.Cancelled",
                                                       "cancelled");
        case POLKIT_RAVES:
                return raving(question);
        case POLKIT_EMPTY:
                return g_dbus_message_new_method_reply(question);
        case POLKIT_NOTHING:
                break;
        }
        return NULL;
}

static void answer(struct fake_polkit *polkit, GDBusMessage *question, enum polkit_says says) {
        g_autoptr(GDBusMessage) reply = answer_new(question, says);

        if (reply)
                (void)g_dbus_connection_send_message(polkit->connection, reply,
                                                     G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
}

/* ---- questions ---- */

static void on_cancel(struct fake_polkit *polkit, GDBusMessage *call) {
        g_autoptr(GDBusMessage) reply = g_dbus_message_new_method_reply(call);
        const char *id;

        g_variant_get(g_dbus_message_get_body(call), "(&s)", &id);
        g_ptr_array_add(polkit->cancelled, g_strdup(id));
        (void)g_dbus_connection_send_message(polkit->connection, reply,
                                             G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
}

/* What is for polkit goes no further. */
static GDBusMessage *on_message(GDBusConnection *connection, GDBusMessage *message,
                                gboolean incoming, void *userdata) {
        struct fake_polkit *polkit = userdata;
        const char *member = g_dbus_message_get_member(message);

        if (!incoming ||
            g_dbus_message_get_message_type(message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
                return message;
        g_mutex_lock(&polkit->lock);
        if (g_strcmp0(member, "CheckAuthorization") == 0) {
                g_assert_cmpstr(g_dbus_message_get_signature(message), ==, "(sa{sv})sa{ss}us");
                g_ptr_array_add(polkit->questions, g_object_ref(message));
                answer(polkit, message, polkit->says);
        } else if (g_strcmp0(member, "CancelCheckAuthorization") == 0) {
                on_cancel(polkit, message);
        }
        g_mutex_unlock(&polkit->lock);
        g_object_unref(message);
        return NULL;
}

static GVariant *question(struct fake_polkit *polkit, guint index) {
        GVariant *body;

        UNTIL(fake_polkit_asked(polkit) > index);
        g_mutex_lock(&polkit->lock);
        body = g_variant_ref(g_dbus_message_get_body(g_ptr_array_index(polkit->questions, index)));
        g_mutex_unlock(&polkit->lock);
        return body;
}

guint fake_polkit_asked(struct fake_polkit *polkit) {
        g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&polkit->lock);

        return locked ? polkit->questions->len : 0;
}

char *fake_polkit_action(struct fake_polkit *polkit, guint index) {
        g_autoptr(GVariant) body = question(polkit, index);
        char *action;

        g_variant_get_child(body, 1, "s", &action);
        return action;
}

char *fake_polkit_detail(struct fake_polkit *polkit, guint index, const char *name) {
        g_autoptr(GVariant) body = question(polkit, index);
        g_autoptr(GVariant) details = g_variant_get_child_value(body, 2);
        char *value;

        return g_variant_lookup(details, name, "s", &value) ? value : NULL;
}

bool fake_polkit_interactive(struct fake_polkit *polkit, guint index) {
        g_autoptr(GVariant) body = question(polkit, index);
        guint32 flags;

        g_variant_get_child(body, 3, "u", &flags);
        g_assert_cmpuint(flags, <=, 1);
        return flags == 1;
}

char *fake_polkit_subject(struct fake_polkit *polkit, guint index) {
        g_autoptr(GVariant) body = question(polkit, index);
        g_autoptr(GVariant) values = NULL;
        const char *kind;
        char *name;

        g_variant_get(body, "((&s@a{sv})sa{ss}us)", &kind, &values, NULL, NULL, NULL, NULL);
        g_assert_cmpstr(kind, ==, "system-bus-name");
        g_assert_cmpuint(g_variant_n_children(values), ==, 1);
        g_assert_true(g_variant_lookup(values, "name", "s", &name));
        return name;
}

bool fake_polkit_is_cancelled(struct fake_polkit *polkit, guint index) {
        g_autoptr(GVariant) body = question(polkit, index);
        g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&polkit->lock);
        const char *id;

        g_variant_get_child(body, 4, "&s", &id);
        g_assert_cmpstr(id, !=, "");
        return locked && g_ptr_array_find_with_equal_func(polkit->cancelled, id, g_str_equal, NULL);
}

void fake_polkit_says(struct fake_polkit *polkit, enum polkit_says says) {
        g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&polkit->lock);

        if (locked)
                polkit->says = says;
}

void fake_polkit_answer(struct fake_polkit *polkit, guint index, enum polkit_says says) {
        g_autoptr(GVariant) asked = question(polkit, index);
        g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&polkit->lock);

        if (locked && asked)
                answer(polkit, g_ptr_array_index(polkit->questions, index), says);
}

/* ---- the whole ---- */

struct fake_polkit *fake_polkit_new(const char *address) {
        struct fake_polkit *polkit = g_new0(struct fake_polkit, 1);
        g_autoptr(GVariant) reply = NULL;
        g_autoptr(GError) error = NULL;
        guint32 result;

        g_mutex_init(&polkit->lock);
        polkit->says = POLKIT_NO;
        polkit->questions = g_ptr_array_new_with_free_func(g_object_unref);
        polkit->cancelled = g_ptr_array_new_with_free_func(g_free);
        polkit->connection = client_connection(address, 0);
        polkit->filter = g_dbus_connection_add_filter(polkit->connection, on_message, polkit, NULL);
        reply = g_dbus_connection_call_sync(polkit->connection, BUS_INTERFACE, BUS_PATH,
                                            BUS_INTERFACE, "RequestName",
                                            g_variant_new("(su)", POLKIT_NAME, 4), NULL,
                                            G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
        g_assert_no_error(error);
        g_variant_get(reply, "(u)", &result);
        g_assert_cmpuint(result, ==, 1);
        return polkit;
}

void fake_polkit_free(struct fake_polkit *polkit) {
        if (!polkit)
                return;
        g_dbus_connection_remove_filter(polkit->connection, polkit->filter);
        (void)g_dbus_connection_close_sync(polkit->connection, NULL, NULL);
        g_object_unref(polkit->connection);
        g_ptr_array_unref(polkit->questions);
        g_ptr_array_unref(polkit->cancelled);
        g_mutex_clear(&polkit->lock);
        g_free(polkit);
}
