/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"
#include "util/cleanup.h"

struct client {
        GDBusConnection *connection;
        guint filter;
        gint filter_gone; /* GDBus's thread is done with us */
        bool interactive;
        GMutex lock; /* of all that follows; messages come on GDBus's thread */
        GCond came;
        GPtrArray *arrived;  /* GDBusMessage, locked against changes */
        GArray *times;       /* of their arrival, gint64 */
        GHashTable *replies; /* serial of the call -> index in `arrived` + 1 */
};

/* ---- connecting as anybody ---- */

struct login {
        const char *path;
        uid_t uid;
        int fd;
};

static bool say(int fd, const char *text, size_t length) {
        return send(fd, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* Line by line, and not one byte more: what follows is for somebody else. */
static bool hear(int fd, const char *beginning) {
        char line[256];
        size_t length = 0;

        while (length < sizeof(line) - 1 && recv(fd, line + length, 1, 0) == 1)
                if (line[length++] == '\n')
                        break;
        line[length] = 0;
        return g_str_has_prefix(line, beginning);
}

/* EXTERNAL of the D-Bus specification: the uid's digits, each byte in hex. */
static bool log_in(int fd, uid_t uid) {
        g_autofree char *number = g_strdup_printf("%u", uid);
        g_autoptr(GString) line = g_string_new("AUTH EXTERNAL ");

        for (const char *digit = number; *digit; digit++)
                g_string_append_printf(line, "%02x", (unsigned)*digit);
        g_string_append(line, "\r\n");
        return say(fd, "", 1) && say(fd, line->str, line->len) && hear(fd, "OK ") &&
               say(fd, "BEGIN\r\n", strlen("BEGIN\r\n"));
}

/* On a thread of its own, of which alone the system call changes the user: the bus believes what
 * the kernel says of the thread that connects. */
static void *login_thread(void *userdata) {
        struct login *login = userdata;
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        g_assert_cmpint(fd, >=, 0);
        g_strlcpy(address.sun_path, login->path, sizeof(address.sun_path));
        if (syscall(SYS_setresuid, login->uid, login->uid, login->uid) < 0 ||
            connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
            !log_in(fd, login->uid))
                login->fd = -1;
        else
                login->fd = TAKE_FD(fd);
        return NULL;
}

int client_socket(const char *address, uid_t uid) {
        struct login login = {.path = address + strlen("unix:path="), .uid = uid, .fd = -1};

        g_assert_true(g_str_has_prefix(address, "unix:path="));
        g_thread_join(g_thread_new("login", login_thread, &login));
        return login.fd;
}

struct joining {
        const char *address;
        uid_t uid;
        GDBusConnection *connection;
};

/* GDBus goes by the thread that connects, too. */
static void *join_thread(void *userdata) {
        struct joining *joining = userdata;
        const GDBusConnectionFlags flags = G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                           G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION;

        if (syscall(SYS_setresuid, joining->uid, joining->uid, joining->uid) == 0)
                joining->connection = g_dbus_connection_new_for_address_sync(
                        joining->address, flags, NULL, NULL, NULL);
        return NULL;
}

GDBusConnection *client_connection(const char *address, uid_t uid) {
        struct joining joining = {.address = address, .uid = uid};

        g_thread_join(g_thread_new("join", join_thread, &joining));
        if (joining.connection)
                g_dbus_connection_set_exit_on_close(joining.connection, FALSE);
        return joining.connection;
}

/* ---- what arrives ---- */

static GDBusMessage *on_message(GDBusConnection *connection, GDBusMessage *message,
                                gboolean incoming, void *userdata) {
        struct client *client = userdata;
        gint64 now = g_get_monotonic_time();

        if (!incoming)
                return message;
        g_mutex_lock(&client->lock);
        g_dbus_message_lock(message);
        g_ptr_array_add(client->arrived, g_object_ref(message));
        g_array_append_val(client->times, now);
        if (g_dbus_message_get_reply_serial(message) != 0)
                g_hash_table_insert(client->replies,
                                    GUINT_TO_POINTER(g_dbus_message_get_reply_serial(message)),
                                    GUINT_TO_POINTER(client->arrived->len));
        g_cond_broadcast(&client->came);
        g_mutex_unlock(&client->lock);
        return message;
}

static void on_filter_gone(void *userdata) {
        struct client *client = userdata;

        g_atomic_int_set(&client->filter_gone, 1);
}

static void match_signals(struct client *client, const char *rule) {
        g_autoptr(GVariant) done = client_call(client, BUS_PATH, BUS_INTERFACE, "AddMatch",
                                               g_variant_new("(s)", rule));

        g_assert_nonnull(done);
}

struct client *client_new_deaf(const char *address, uid_t uid) {
        GDBusConnection *connection = client_connection(address, uid);
        struct client *client;

        if (!connection)
                return NULL;
        client = g_new0(struct client, 1);
        g_mutex_init(&client->lock);
        g_cond_init(&client->came);
        client->arrived = g_ptr_array_new_with_free_func(g_object_unref);
        client->times = g_array_new(FALSE, FALSE, sizeof(gint64));
        client->replies = g_hash_table_new(NULL, NULL);
        client->connection = connection;
        client->filter = g_dbus_connection_add_filter(client->connection, on_message, client,
                                                      on_filter_gone);
        return client;
}

struct client *client_new(const char *address, uid_t uid) {
        struct client *client = client_new_deaf(address, uid);

        if (!client)
                return NULL;
        match_signals(client, "type='signal',sender='" SCSISCAN_BUS_NAME "'");
        match_signals(client, "type='signal',sender='" BUS_INTERFACE
                              "',member='NameOwnerChanged',arg0='" SCSISCAN_BUS_NAME "'");
        return client;
}

/* A filter that was removed may still be running in GDBus's thread. That it is not is told by the
 * main context. */
void client_free(struct client *client) {
        if (!client)
                return;
        g_dbus_connection_remove_filter(client->connection, client->filter);
        (void)g_dbus_connection_close_sync(client->connection, NULL, NULL);
        g_object_unref(client->connection);
        while (!g_atomic_int_get(&client->filter_gone))
                g_main_context_iteration(NULL, TRUE);
        g_ptr_array_free(client->arrived, TRUE);
        g_array_free(client->times, TRUE);
        g_hash_table_unref(client->replies);
        g_cond_clear(&client->came);
        g_mutex_clear(&client->lock);
        g_free(client);
}

bool client_is_connected(const struct client *client) {
        return !g_dbus_connection_is_closed(client->connection);
}

void client_set_interactive(struct client *client) {
        client->interactive = true;
}

const char *client_name(const struct client *client) {
        return g_dbus_connection_get_unique_name(client->connection);
}

bool client_sees_service(struct client *client) {
        g_autoptr(GVariant) reply = client_call(client, BUS_PATH, BUS_INTERFACE, "NameHasOwner",
                                                g_variant_new("(s)", SCSISCAN_BUS_NAME));
        gboolean has;

        g_variant_get(reply, "(b)", &has);
        return has;
}

/* ---- calls ---- */

guint32 client_send(struct client *client, const char *path, const char *interface,
                    const char *method, GVariant *arguments) {
        const char *to = strcmp(path, BUS_PATH) == 0 ? BUS_INTERFACE : SCSISCAN_BUS_NAME;
        g_autoptr(GDBusMessage) call = g_dbus_message_new_method_call(to, path, interface, method);
        g_autoptr(GError) error = NULL;
        guint32 serial = 0;

        if (arguments)
                g_dbus_message_set_body(call, arguments);
        if (client->interactive)
                g_dbus_message_set_flags(call,
                                         G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION);
        (void)g_dbus_connection_send_message(client->connection, call,
                                             G_DBUS_SEND_MESSAGE_FLAGS_NONE,
                                             (volatile guint32 *)&serial, &error);
        g_assert_no_error(error);
        return serial;
}

static guint answered_at(struct client *client, guint32 serial) {
        return GPOINTER_TO_UINT(g_hash_table_lookup(client->replies, GUINT_TO_POINTER(serial)));
}

bool client_is_answered(struct client *client, guint32 serial) {
        g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&client->lock);

        return locked && answered_at(client, serial) != 0;
}

static void wait_until(struct client *client, gint64 until, const char *what) {
        if (!g_cond_wait_until(&client->came, &client->lock, until))
                g_error("Waited too long for %s", what);
}

GDBusMessage *client_reply(struct client *client, guint32 serial) {
        gint64 until = g_get_monotonic_time() + CLIENT_PATIENCE;
        g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&client->lock);
        guint at;

        g_assert_nonnull(locked);
        while ((at = answered_at(client, serial)) == 0)
                wait_until(client, until, "a reply");
        return g_object_ref(g_ptr_array_index(client->arrived, at - 1));
}

static GDBusMessage *call_message(struct client *client, const char *path, const char *interface,
                                  const char *method, GVariant *arguments) {
        return client_reply(client, client_send(client, path, interface, method, arguments));
}

GVariant *client_call(struct client *client, const char *path, const char *interface,
                      const char *method, GVariant *arguments) {
        g_autoptr(GDBusMessage) reply = call_message(client, path, interface, method, arguments);
        g_autoptr(GError) error = NULL;
        GVariant *body;

        (void)g_dbus_message_to_gerror(reply, &error);
        g_assert_no_error(error);
        body = g_dbus_message_get_body(reply);
        return body ? g_variant_ref(body) : g_variant_ref_sink(g_variant_new("()"));
}

void client_refuses(struct client *client, const char *path, const char *interface,
                    const char *method, GVariant *arguments, const char *error, const char *part) {
        g_autoptr(GDBusMessage) reply = call_message(client, path, interface, method, arguments);
        const char *message;

        g_assert_cmpstr(g_dbus_message_get_error_name(reply), ==, error);
        g_variant_get(g_dbus_message_get_body(reply), "(&s)", &message);
        if (!strstr(message, part))
                g_error("%s of %s says '%s', without '%s'", method, path, message, part);
}

GVariant *client_get(struct client *client, const char *path, const char *interface,
                     const char *property) {
        g_autoptr(GVariant) reply = client_call(client, path, PROPERTIES_INTERFACE, "Get",
                                                g_variant_new("(ss)", interface, property));
        GVariant *value;

        g_variant_get(reply, "(v)", &value);
        return value;
}

bool client_get_flag(struct client *client, const char *path, const char *interface,
                     const char *property) {
        g_autoptr(GVariant) value = client_get(client, path, interface, property);

        return g_variant_get_boolean(value);
}

char *client_get_text(struct client *client, const char *path, const char *interface,
                      const char *property) {
        g_autoptr(GVariant) value = client_get(client, path, interface, property);

        return g_variant_dup_string(value, NULL);
}

guint64 client_get_number(struct client *client, const char *property) {
        g_autoptr(GVariant) counters = NULL;
        guint64 number;

        if (strcmp(property, "Generation") == 0) {
                counters = client_get(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY, property);
                return g_variant_get_uint64(counters);
        }
        counters = client_get(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Counters");
        if (!g_variant_lookup(counters, property, "t", &number))
                g_error("There is no counter %s", property);
        return number;
}

GVariant *client_options(const char *text) {
        g_autoptr(GError) error = NULL;
        GVariant *options =
                g_variant_parse(G_VARIANT_TYPE_VARDICT, text ?: "@a{sv} {}", NULL, NULL, &error);

        g_assert_no_error(error);
        return options;
}

char *client_scan(struct client *client, const char *scope, GVariant *options) {
        g_autoptr(GVariant) given = g_variant_take_ref(options ?: client_options(NULL));
        g_autoptr(GVariant) reply = client_call(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN,
                                                "Scan", g_variant_new("(s@a{sv})", scope, given));
        char *job;

        g_variant_get(reply, "(o)", &job);
        return job;
}

void client_scan_wait(struct client *client, const char *scope) {
        g_free(client_scan(client, scope, client_options("{'wait': <true>}")));
}

bool client_settle(struct client *client, const char *scope, guint64 timeout_usec) {
        g_autoptr(GVariant) reply =
                client_call(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Settle",
                            g_variant_new("(st)", scope, timeout_usec));
        gboolean settled;

        g_variant_get(reply, "(b)", &settled);
        return settled;
}

char **client_find(struct client *client, const char *key) {
        g_autoptr(GVariant) reply = client_call(client, SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY,
                                                "Find", g_variant_new("(s)", key));
        char **paths;

        g_variant_get(reply, "(^ao)", &paths);
        return paths;
}

/* ---- what has arrived ---- */

guint client_arrived(struct client *client) {
        g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&client->lock);

        return locked ? client->arrived->len : 0;
}

GDBusMessage *client_message(struct client *client, guint index) {
        g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&client->lock);

        g_assert_cmpuint(index, <, client->arrived->len);
        return locked ? g_object_ref(g_ptr_array_index(client->arrived, index)) : NULL;
}

gint64 client_arrived_at(struct client *client, guint index) {
        g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&client->lock);

        g_assert_cmpuint(index, <, client->times->len);
        return locked ? g_array_index(client->times, gint64, index) : 0;
}

static bool is_signal(GDBusMessage *message, const char *member, const char *part) {
        g_autofree char *text = NULL;

        if (g_dbus_message_get_message_type(message) != G_DBUS_MESSAGE_TYPE_SIGNAL ||
            g_strcmp0(g_dbus_message_get_member(message), member) != 0)
                return false;
        if (!part || g_strcmp0(g_dbus_message_get_path(message), part) == 0)
                return true;
        text = g_variant_print(g_dbus_message_get_body(message), FALSE);
        return strstr(text, part) != NULL;
}

static int signal_find(struct client *client, guint from, const char *member, const char *part) {
        for (guint i = from; i < client->arrived->len; i++)
                if (is_signal(g_ptr_array_index(client->arrived, i), member, part))
                        return (int)i;
        return -1;
}

int client_signal_seen(struct client *client, guint from, const char *member, const char *part) {
        g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&client->lock);

        return locked ? signal_find(client, from, member, part) : -1;
}

guint client_signal(struct client *client, guint from, const char *member, const char *part) {
        gint64 until = g_get_monotonic_time() + CLIENT_PATIENCE;
        g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&client->lock);
        int found = -1;

        while (locked && (found = signal_find(client, from, member, part)) < 0)
                wait_until(client, until, member);
        return (guint)found;
}
