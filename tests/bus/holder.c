/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gunixfdlist.h>
#include <poll.h>
#include <string.h>

#include "holder.h"

GDBusConnection *holder_join(struct harness *harness, uid_t uid) {
        GDBusConnection *connection = client_connection(harness_address(harness), uid);

        g_assert_nonnull(connection);
        return connection;
}

void holder_leave(GDBusConnection *connection) {
        (void)g_dbus_connection_close_sync(connection, NULL, NULL);
        g_object_unref(connection);
}

int holder_inhibit_text(GDBusConnection *connection, const char *scope, const char *who,
                        const char *why, guint64 timeout, GError **error) {
        g_autoptr(GUnixFDList) fds = NULL;
        g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_sync(
                connection, SCSISCAN_BUS_NAME, SCSISCAN_PATH, SCSISCAN_INTERFACE_HOTPLUG, "Inhibit",
                g_variant_new("(ssst)", scope, who, why, timeout), G_VARIANT_TYPE("(h)"),
                G_DBUS_CALL_FLAGS_NONE, -1, NULL, &fds, NULL, error);
        gint32 index;

        if (!reply)
                return -1;
        g_variant_get(reply, "(h)", &index);
        return g_unix_fd_list_get(fds, index, error);
}

int holder_inhibit(GDBusConnection *connection, const char *scope, guint64 timeout) {
        g_autoptr(GError) error = NULL;
        int fd = holder_inhibit_text(connection, scope, "test", "to see", timeout, &error);

        g_assert_no_error(error);
        g_assert_cmpint(fd, >=, 0);
        return fd;
}

bool holder_is_over(int fd) {
        struct pollfd polled = {.fd = fd};

        return poll(&polled, 1, 0) == 1 && polled.revents & POLLERR;
}

static char *leases_of(struct harness *harness) {
        g_autoptr(GVariant) value = client_get(harness_client(harness), SCSISCAN_PATH,
                                               SCSISCAN_INTERFACE_HOTPLUG, "Leases");

        return g_variant_print(value, TRUE);
}

bool holder_has_leases(struct harness *harness, const char *wanted) {
        g_autofree char *text = leases_of(harness);

        return strcmp(text, wanted) == 0;
}

void holder_assert_leases(struct harness *harness, const char *wanted) {
        g_autofree char *text = leases_of(harness);

        g_assert_cmpstr(text, ==, wanted);
}
