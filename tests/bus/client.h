/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A client of the service that remembers, in the order of their arrival, every signal and every
 * reply. No main loop turns: whoever wants to know something waits for it, CLIENT_PATIENCE at most.
 */

#include <gio/gio.h>
#include <stdbool.h>
#include <sys/types.h>

#include "dbus/names.h"

#define CLIENT_PATIENCE (60 * G_USEC_PER_SEC)

/* Looks at the condition again and again; the test has failed when it does not come true. */
#define UNTIL(condition)                                                                           \
        do {                                                                                       \
                gint64 until_ = g_get_monotonic_time() + CLIENT_PATIENCE;                          \
                while (!(condition)) {                                                             \
                        if (g_get_monotonic_time() > until_)                                       \
                                g_error("%s:%d: still not: %s", __FILE__, __LINE__, #condition);   \
                        g_usleep(5000);                                                            \
                }                                                                                  \
        } while (0)

struct client;

#define BUS_INTERFACE "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"
#define PROPERTIES_INTERFACE BUS_INTERFACE ".Properties"
#define MANAGER_INTERFACE BUS_INTERFACE ".ObjectManager"

#define DEVICE_PATH(address) SCSISCAN_PATH_DEVICE "/" address
#define TARGET_PATH(address) SCSISCAN_PATH_TARGET "/" address
#define HOST_PATH(number) SCSISCAN_PATH_HOST "/" number

/* A socket on which that user has said who it is, and nothing else; -1 with errno. */
int client_socket(const char *address, uid_t uid);

/* A connection to the bus as that user, which takes descriptors too. NULL: no bus there, or this
 * process cannot become that user. */
GDBusConnection *client_connection(const char *address, uid_t uid);

/* Such a connection, told of every signal of the service; NULL likewise. */
struct client *client_new(const char *address, uid_t uid);
/* The same, but told of none. */
struct client *client_new_deaf(const char *address, uid_t uid);
void client_free(struct client *client);
bool client_is_connected(const struct client *client);
bool client_sees_service(struct client *client);
/* From here on its calls allow that a person is asked for a password. */
void client_set_interactive(struct client *client);
const char *client_name(const struct client *client); /* ":1.42" */

/* The reply's body; an error fails the test. */
GVariant *client_call(struct client *client, const char *path, const char *interface,
                      const char *method, GVariant *arguments);
/* The call fails with that D-Bus error, and its message holds `part`. */
void client_refuses(struct client *client, const char *path, const char *interface,
                    const char *method, GVariant *arguments, const char *error, const char *part);
/* The value, without the variant around it. */
GVariant *client_get(struct client *client, const char *path, const char *interface,
                     const char *property);
bool client_get_flag(struct client *client, const char *path, const char *interface,
                     const char *property);
guint64 client_get_number(struct client *client, const char *property); /* Topology, or Counters */
char *client_get_text(struct client *client, const char *path, const char *interface,
                      const char *property);

/* What goes to the root object. `options` may be NULL for none. */
char *client_scan(struct client *client, const char *scope, GVariant *options);
void client_scan_wait(struct client *client, const char *scope);
bool client_settle(struct client *client, const char *scope, guint64 timeout_usec);
char **client_find(struct client *client, const char *key);
/* a{sv} of GVariant's text format, "{'wait': <true>}". */
GVariant *client_options(const char *text);

/* A call whose reply is waited for later. */
guint32 client_send(struct client *client, const char *path, const char *interface,
                    const char *method, GVariant *arguments);
bool client_is_answered(struct client *client, guint32 serial);
GDBusMessage *client_reply(struct client *client, guint32 serial);

/* What has arrived so far: how much, and one of it (a new reference). */
guint client_arrived(struct client *client);
GDBusMessage *client_message(struct client *client, guint index);
/* When it came, as g_get_monotonic_time() has it. */
gint64 client_arrived_at(struct client *client, guint index);
/* The first signal of that name from `from` on whose text holds `part` (NULL: any); waits for it.
 * Returns its index. */
guint client_signal(struct client *client, guint from, const char *member, const char *part);
/* The same, without waiting; -1 when there is none. */
int client_signal_seen(struct client *client, guint from, const char *member, const char *part);
