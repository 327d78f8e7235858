/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "raw.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

/* The D-Bus specification, "Message Format": the bytes of a message's beginning. */
#define HEAD_BYTES 16
#define HEAD_TYPE 1
#define HEAD_SERIAL 8

GByteArray *raw_call_to(const char *to, const char *path, const char *interface, const char *method,
                        GVariant *arguments) {
        g_autoptr(GDBusMessage) call = g_dbus_message_new_method_call(to, path, interface, method);
        guchar *bytes;
        gsize length;

        if (arguments)
                g_dbus_message_set_body(call, arguments);
        g_dbus_message_set_serial(call, 1);
        bytes = g_dbus_message_to_blob(call, &length, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
        g_assert_nonnull(bytes);
        return g_byte_array_new_take(bytes, length);
}

GByteArray *raw_call(const char *path, const char *interface, const char *method,
                     GVariant *arguments) {
        return raw_call_to(SCSISCAN_BUS_NAME, path, interface, method, arguments);
}

static void set_serial(GByteArray *call, guint32 serial) {
        g_assert_cmpuint(call->len, >=, HEAD_BYTES);
        memcpy(call->data + HEAD_SERIAL, &serial, sizeof(serial));
}

static void send_all(int fd, const GByteArray *bytes) {
        g_assert_cmpint(send(fd, bytes->data, bytes->len, MSG_NOSIGNAL), ==, (gssize)bytes->len);
}

/* In one piece, as a client that does not wait would. */
static GByteArray *repeat(GByteArray *call, guint32 serial, guint count) {
        GByteArray *all = g_byte_array_sized_new(call->len * count);

        for (guint i = 0; i < count; i++) {
                set_serial(call, serial + i);
                g_byte_array_append(all, call->data, call->len);
        }
        return all;
}

void raw_send_many(int fd, GByteArray *call, guint32 serial, guint count) {
        g_autoptr(GByteArray) all = repeat(call, serial, count);

        send_all(fd, all);
}

bool raw_send_some(int fd, GByteArray *call, guint32 serial, guint count) {
        g_autoptr(GByteArray) all = repeat(call, serial, count);
        gssize n = send(fd, all->data, all->len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0)
                g_assert_true(errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
        return n == (gssize)all->len;
}

/* The whole message, or NULL when the bus has gone. */
static GByteArray *receive(int fd) {
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        gssize length;

        g_byte_array_set_size(bytes, HEAD_BYTES);
        if (recv(fd, bytes->data, HEAD_BYTES, MSG_WAITALL) != HEAD_BYTES)
                return NULL;
        length = g_dbus_message_bytes_needed(bytes->data, HEAD_BYTES, NULL);
        g_assert_cmpint(length, >=, HEAD_BYTES);
        g_byte_array_set_size(bytes, (guint)length);
        if (recv(fd, bytes->data + HEAD_BYTES, (gsize)length - HEAD_BYTES, MSG_WAITALL) !=
            length - HEAD_BYTES)
                return NULL;
        return g_steal_pointer(&bytes);
}

GDBusMessage *raw_receive(int fd) {
        g_autoptr(GByteArray) bytes = receive(fd);
        GDBusMessage *message;

        g_assert_nonnull(bytes);
        message = g_dbus_message_new_from_blob(bytes->data, bytes->len,
                                               G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
        g_assert_nonnull(message);
        return message;
}

bool raw_skip_replies(int fd, guint count) {
        while (count > 0) {
                g_autoptr(GByteArray) bytes = receive(fd);

                if (!bytes)
                        return false;
                if (bytes->data[HEAD_TYPE] == G_DBUS_MESSAGE_TYPE_METHOD_RETURN ||
                    bytes->data[HEAD_TYPE] == G_DBUS_MESSAGE_TYPE_ERROR)
                        count--;
        }
        return true;
}

int raw_client(const char *address, uid_t uid) {
        g_autoptr(GByteArray) hello =
                raw_call_to(BUS_INTERFACE, BUS_PATH, BUS_INTERFACE, "Hello", NULL);
        int fd = client_socket(address, uid);

        if (fd >= 0) {
                send_all(fd, hello);
                g_assert_true(raw_skip_replies(fd, 1));
        }
        return fd;
}
