/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "sim/sim_server.h"
#include "util/cleanup.h"

struct relay {
        struct sim_server *server;
        int fd;
        bool greeted; /* has said its host number, and is not about to die */
        uint32_t host;
        GSource *source;
        GQueue held; /* struct pending, not yet answered */
};

/* A request on its way: waits for its time, then for the machine to let it go. */
struct pending {
        struct relay *relay;
        struct worker_request request;
        GSource *timer; /* NULL: it is time */
};

struct sim_server {
        struct sim_machine *machine;
        GMutex lock; /* of all that follows, and of the machine */
        GMainContext *context;
        GMainLoop *loop;
        GThread *thread;
        char *directory; /* holds root and socket */
        char *root;
        char *devices; /* root/bus/scsi/devices */
        char *socket_path;
        int listener;
        int uevent_fds[2];
        GQueue uevents; /* GBytes that the socket had no room for */
        GSource *uevent_source;
        bool muted;
        uint64_t seqnum;
        GPtrArray *relays;
        uint8_t *data; /* of the reply being made */
};

static void source_drop(GSource **source) {
        if (!*source)
                return;
        g_source_destroy(*source);
        g_source_unref(*source);
        *source = NULL;
}

static void pending_free(void *value) {
        struct pending *pending = value;

        source_drop(&pending->timer);
        g_free(pending);
}

static void relay_free(void *value) {
        struct relay *relay = value;

        source_drop(&relay->source);
        g_queue_clear_full(&relay->held, pending_free);
        close(relay->fd);
        g_free(relay);
}

static GSource *source_add(struct sim_server *server, GSource *source, GSourceFunc call,
                           void *userdata) {
        g_source_set_callback(source, call, userdata, NULL);
        g_source_attach(source, server->context);
        return source;
}

static GSource *source_add_fd(struct sim_server *server, int fd, GIOCondition condition,
                              GUnixFDSourceFunc call, void *userdata) {
        return source_add(server, g_unix_fd_source_new(fd, condition), G_SOURCE_FUNC(call),
                          userdata);
}

static bool reply_send(const struct relay *relay, struct worker_reply *reply) {
        struct iovec parts[] = {{reply, sizeof(*reply)}, {relay->server->data, reply->data_length}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = ELEMENTS_OF(parts)};

        return sendmsg(relay->fd, &message, MSG_NOSIGNAL) >= 0;
}

/* Answers everything of that relay that can be answered now. False: the relay is to die. */
static bool relay_serve(struct relay *relay) {
        GList *next;

        for (GList *link = relay->held.head; link; link = next) {
                struct pending *pending = link->data;
                struct worker_reply reply;
                enum sim_fate fate;

                next = link->next;
                if (pending->timer)
                        continue;
                fate = sim_machine_serve(relay->server->machine, &pending->request, &reply,
                                         relay->server->data);
                if (fate == SIM_DIED || (fate == SIM_ANSWERED && !reply_send(relay, &reply)))
                        return false;
                if (fate == SIM_HELD)
                        continue;
                pending_free(pending);
                g_queue_delete_link(&relay->held, link);
        }
        return true;
}

static void server_serve(struct sim_server *server) {
        for (guint i = server->relays->len; i-- > 0;) {
                struct relay *relay = g_ptr_array_index(server->relays, i);

                if (!relay_serve(relay))
                        g_ptr_array_remove_index(server->relays, i);
        }
}

static gboolean on_due(void *userdata) {
        struct pending *pending = userdata;
        struct sim_server *server = pending->relay->server;

        g_mutex_lock(&server->lock);
        source_drop(&pending->timer);
        server_serve(server);
        g_mutex_unlock(&server->lock);
        return G_SOURCE_REMOVE;
}

/* False: the other end has gone, or what it sent is no request. */
static bool relay_receive(struct relay *relay) {
        struct sim_server *server = relay->server;
        struct pending *pending;
        struct worker_request request;
        uint32_t delay;
        ssize_t n = recv(relay->fd, &request, sizeof(request), MSG_TRUNC);

        if (n == sizeof(relay->host)) {
                memcpy(&relay->host, &request, sizeof(relay->host));
                relay->greeted = true;
                return true;
        }
        if (n != sizeof(request))
                return false;
        pending = g_new0(struct pending, 1);
        pending->relay = relay;
        pending->request = request;
        g_queue_push_tail(&relay->held, pending);
        delay = sim_machine_delay(server->machine, &request);
        if (delay > 0)
                pending->timer = source_add(server, g_timeout_source_new(delay), on_due, pending);
        return true;
}

static gboolean on_request(int fd, GIOCondition condition, void *userdata) {
        struct relay *relay = userdata;
        struct sim_server *server = relay->server;

        g_mutex_lock(&server->lock);
        if (!relay_receive(relay) || !relay_serve(relay))
                g_ptr_array_remove_fast(server->relays, relay);
        g_mutex_unlock(&server->lock);
        return G_SOURCE_CONTINUE; /* removing the relay has destroyed the source */
}

static gboolean on_connection(int fd, GIOCondition condition, void *userdata) {
        struct sim_server *server = userdata;
        struct relay *relay = g_new0(struct relay, 1);

        relay->server = server;
        relay->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        g_assert_cmpint(relay->fd, >=, 0);
        g_mutex_lock(&server->lock);
        g_ptr_array_add(server->relays, relay);
        relay->source = source_add_fd(server, relay->fd, G_IO_IN, on_request, relay);
        g_mutex_unlock(&server->lock);
        return G_SOURCE_CONTINUE;
}

/* sysfs has the entry before the uevent tells of it, and not any more when it tells of the removal.
 */
static void devices_update(struct sim_server *server, const char *action, const char *devpath) {
        g_autofree char *path = g_build_filename(server->devices, strrchr(devpath, '/') + 1, NULL);

        if (strcmp(action, "add") == 0)
                g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
        else if (strcmp(action, "remove") == 0)
                g_assert_cmpint(g_rmdir(path), ==, 0);
}

static bool uevent_send(const struct sim_server *server, GBytes *bytes) {
        size_t length;
        const void *data = g_bytes_get_data(bytes, &length);

        return send(server->uevent_fds[1], data, length, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static gboolean on_uevents_writable(int fd, GIOCondition condition, void *userdata) {
        struct sim_server *server = userdata;
        gboolean more = G_SOURCE_CONTINUE;

        g_mutex_lock(&server->lock);
        while (server->uevents.length > 0) {
                GBytes *bytes = server->uevents.head->data;

                if (!uevent_send(server, bytes))
                        break;
                g_queue_pop_head(&server->uevents);
                g_bytes_unref(bytes);
        }
        if (server->uevents.length == 0) {
                more = G_SOURCE_REMOVE;
                g_source_unref(server->uevent_source);
                server->uevent_source = NULL;
        }
        g_mutex_unlock(&server->lock);
        return more;
}

/* At once, as the kernel does: who changed the machine may rely on its being told. */
static void uevent_deliver(struct sim_server *server, GBytes *bytes) {
        if (server->uevents.length == 0 && uevent_send(server, bytes)) {
                g_bytes_unref(bytes);
                return;
        }
        g_queue_push_tail(&server->uevents, bytes);
        if (!server->uevent_source)
                server->uevent_source = source_add_fd(server, server->uevent_fds[1], G_IO_OUT,
                                                      on_uevents_writable, server);
}

G_GNUC_PRINTF(2, 3)
static void uevent_append(GByteArray *message, const char *format, ...) {
        g_autofree char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        g_byte_array_append(message, (const uint8_t *)text, (guint)strlen(text) + 1);
}

/* lib/kobject_uevent.c: "add@/devices/...", then the variables, a NUL after each. */
static void on_uevent(void *userdata, const char *action, const char *devpath,
                      const char *subsystem, const char *devtype, const char *const *extra) {
        struct sim_server *server = userdata;
        GByteArray *message;

        if (strcmp(subsystem, "scsi") == 0)
                devices_update(server, action, devpath);
        server->seqnum++;
        if (server->muted)
                return;
        message = g_byte_array_new();
        uevent_append(message, "%s@%s", action, devpath);
        uevent_append(message, "ACTION=%s", action);
        uevent_append(message, "DEVPATH=%s", devpath);
        uevent_append(message, "SUBSYSTEM=%s", subsystem);
        if (devtype)
                uevent_append(message, "DEVTYPE=%s", devtype);
        for (; *extra; extra++)
                uevent_append(message, "%s", *extra);
        uevent_append(message, "SEQNUM=%" G_GUINT64_FORMAT, server->seqnum);
        uevent_deliver(server, g_byte_array_free_to_bytes(message));
}

static void *server_run(void *userdata) {
        struct sim_server *server = userdata;

        g_main_context_push_thread_default(server->context);
        g_main_loop_run(server->loop);
        g_main_context_pop_thread_default(server->context);
        return NULL;
}

static void server_listen(struct sim_server *server) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        GSource *source;

        g_assert_cmpuint(strlen(server->socket_path), <, sizeof(address.sun_path));
        memcpy(address.sun_path, server->socket_path, strlen(server->socket_path) + 1);
        server->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        g_assert_cmpint(server->listener, >=, 0);
        g_assert_cmpint(bind(server->listener, (const struct sockaddr *)&address, sizeof(address)),
                        ==, 0);
        g_assert_cmpint(listen(server->listener, 64), ==, 0);
        source = source_add_fd(server, server->listener, G_IO_IN, on_connection, server);
        g_source_unref(source);
}

/* What the machine had before it was the server's. */
static void devices_fill(struct sim_server *server) {
        g_autofree char *all = sim_objects(server->machine);
        g_auto(GStrv) names = g_strsplit(all, "\n", -1);

        for (char **name = names; *name; name++) {
                g_autofree char *path = g_build_filename(server->devices, *name, NULL);

                if (**name)
                        g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
        }
}

/* Not datagrams, of which a local socket holds ten (net.unix.max_dgram_qlen). */
static void uevents_open(struct sim_server *server) {
        const int room = 4 << 20, yes = 1; /* as much of it as this machine allows */

        g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                                   server->uevent_fds),
                        ==, 0);
        g_assert_cmpint(
                setsockopt(server->uevent_fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), ==,
                0);
        /* Also what is sent before anybody reads says who sent it. */
        g_assert_cmpint(
                setsockopt(server->uevent_fds[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)), ==,
                0);
}

struct sim_server *sim_server_start(struct sim_machine *machine) {
        struct sim_server *server = g_new0(struct sim_server, 1);

        server->machine = machine;
        server->data = g_malloc(WORKER_DATA_MAX);
        server->directory = g_dir_make_tmp("scsiscan-sim-XXXXXX", NULL);
        g_assert_nonnull(server->directory);
        server->root = g_build_filename(server->directory, "sys", NULL);
        server->devices = g_build_filename(server->root, "bus/scsi/devices", NULL);
        server->socket_path = g_build_filename(server->directory, "socket", NULL);
        g_assert_cmpint(g_mkdir_with_parents(server->devices, 0755), ==, 0);
        devices_fill(server);
        uevents_open(server);
        server->relays = g_ptr_array_new_with_free_func(relay_free);
        g_mutex_init(&server->lock);
        server->context = g_main_context_new();
        server->loop = g_main_loop_new(server->context, FALSE);
        server_listen(server);
        sim_machine_on_uevent(machine, on_uevent, server);
        server->thread = g_thread_new("sim", server_run, server);
        return server;
}

static gboolean on_stop(void *loop) {
        g_main_loop_quit(loop);
        return G_SOURCE_REMOVE;
}

/* Removes what devices_update() and sim_server_start() have made, and nothing else. */
static void directory_remove(const struct sim_server *server) {
        g_autofree char *path = g_strdup(server->devices);
        GDir *list = g_dir_open(server->devices, 0, NULL);
        const char *name;

        g_assert_nonnull(list);
        while ((name = g_dir_read_name(list))) {
                g_autofree char *entry = g_build_filename(server->devices, name, NULL);

                g_assert_cmpint(g_rmdir(entry), ==, 0);
        }
        g_dir_close(list);
        g_assert_cmpint(g_unlink(server->socket_path), ==, 0);
        /* devices, scsi, bus, sys, and the directory itself */
        for (int level = 0; level < 5; level++) {
                g_autofree char *up = path;

                g_assert_cmpint(g_rmdir(up), ==, 0);
                path = g_path_get_dirname(up);
        }
}

void sim_server_stop(struct sim_server *server) {
        GSource *stop = g_idle_source_new();

        g_source_unref(source_add(server, stop, on_stop, server->loop));
        g_thread_join(server->thread);
        sim_machine_on_uevent(server->machine, NULL, NULL);
        g_ptr_array_free(server->relays, TRUE);
        source_drop(&server->uevent_source);
        g_queue_clear_full(&server->uevents, (GDestroyNotify)g_bytes_unref);
        g_main_loop_unref(server->loop);
        g_main_context_unref(server->context);
        g_mutex_clear(&server->lock);
        close(server->listener);
        close(server->uevent_fds[0]);
        close(server->uevent_fds[1]);
        directory_remove(server);
        g_free(server->directory);
        g_free(server->root);
        g_free(server->devices);
        g_free(server->socket_path);
        g_free(server->data);
        g_free(server);
}

struct sim_machine *sim_server_lock(struct sim_server *server) {
        g_mutex_lock(&server->lock);
        return server->machine;
}

static gboolean on_wake(void *userdata) {
        struct sim_server *server = userdata;

        g_mutex_lock(&server->lock);
        server_serve(server);
        g_mutex_unlock(&server->lock);
        return G_SOURCE_REMOVE;
}

void sim_server_unlock(struct sim_server *server) {
        g_mutex_unlock(&server->lock);
        g_source_unref(source_add(server, g_idle_source_new(), on_wake, server));
}

const char *sim_server_socket(const struct sim_server *server) {
        return server->socket_path;
}

const char *sim_server_root(const struct sim_server *server) {
        return server->root;
}

int sim_server_uevent_fd(const struct sim_server *server) {
        return server->uevent_fds[0];
}

void sim_server_mute_uevents(struct sim_server *server, bool muted) {
        g_mutex_lock(&server->lock);
        server->muted = muted;
        g_mutex_unlock(&server->lock);
}

void sim_server_hang_host(struct sim_server *server, uint32_t host, bool hangs) {
        sim_set_host_manner(sim_server_lock(server), host, hangs ? SIM_HANGS : SIM_NORMAL);
        sim_server_unlock(server);
}

/* Relays are freed on the server's thread only: this one finds its socket closed there. */
unsigned sim_server_kill_relay(struct sim_server *server, uint32_t host) {
        unsigned killed = 0;

        g_mutex_lock(&server->lock);
        for (guint i = 0; i < server->relays->len; i++) {
                struct relay *relay = g_ptr_array_index(server->relays, i);

                if (!relay->greeted || relay->host != host)
                        continue;
                relay->greeted = false;
                shutdown(relay->fd, SHUT_RDWR);
                killed++;
        }
        g_mutex_unlock(&server->lock);
        return killed;
}

static unsigned relays_count(struct sim_server *server, uint32_t host, bool held) {
        unsigned count = 0;

        g_mutex_lock(&server->lock);
        for (guint i = 0; i < server->relays->len; i++) {
                const struct relay *relay = g_ptr_array_index(server->relays, i);

                if (relay->greeted && relay->host == host)
                        count += held ? relay->held.length : 1;
        }
        g_mutex_unlock(&server->lock);
        return count;
}

unsigned sim_server_relays(struct sim_server *server, uint32_t host) {
        return relays_count(server, host, false);
}

unsigned sim_server_held(struct sim_server *server, uint32_t host) {
        return relays_count(server, host, true);
}
