/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper.h"

#define FDS_MAX 8

struct kept {
        char *name;
        int fd;
};

struct keeper {
        char *path;
        int socket;
        GThread *thread;
        GMutex lock;
        GArray *kept; /* the oldest first */
};

static void kept_clear(void *userdata) {
        struct kept *kept = userdata;

        g_free(kept->name);
        close(kept->fd);
}

/* ---- what the daemon says ---- */

/* The line's value; NULL: there is no such line. */
static const char *value_of(char *const *lines, const char *name) {
        for (; *lines; lines++)
                if (g_str_has_prefix(*lines, name) && (*lines)[strlen(name)] == '=')
                        return *lines + strlen(name) + 1;
        return NULL;
}

void keeper_put(struct keeper *keeper, const char *name, int fd) {
        const struct kept kept = {.name = g_strdup(name), .fd = fd};

        g_mutex_lock(&keeper->lock);
        g_array_append_val(keeper->kept, kept);
        g_mutex_unlock(&keeper->lock);
}

static void let_go(struct keeper *keeper, const char *name) {
        g_mutex_lock(&keeper->lock);
        for (guint i = keeper->kept->len; i > 0; i--)
                if (g_str_equal(g_array_index(keeper->kept, struct kept, i - 1).name, name))
                        g_array_remove_index(keeper->kept, i - 1);
        g_mutex_unlock(&keeper->lock);
}

static void on_message(struct keeper *keeper, const char *text, const int *fds, size_t count) {
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        const char *name = value_of(lines, "FDNAME");

        if (value_of(lines, "FDSTOREREMOVE")) {
                g_assert_nonnull(name);
                let_go(keeper, name);
        }
        if (!value_of(lines, "FDSTORE")) {
                g_assert_cmpuint(count, ==, 0);
                return;
        }
        g_assert_nonnull(name);
        /* Else systemd would let go of a pipe whose other end is closed. */
        g_assert_cmpstr(value_of(lines, "FDPOLL"), ==, "0");
        for (size_t i = 0; i < count; i++)
                keeper_put(keeper, name, fds[i]);
}

static void *listen_to_daemon(void *userdata) {
        struct keeper *keeper = userdata;

        for (;;) {
                char text[512] = "";
                char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
                struct iovec bytes = {.iov_base = text, .iov_len = sizeof(text) - 1};
                struct msghdr message = {
                        .msg_iov = &bytes,
                        .msg_iovlen = 1,
                        .msg_control = control,
                        .msg_controllen = sizeof(control),
                };
                const struct cmsghdr *header;
                int fds[FDS_MAX];
                size_t count = 0;

                if (recvmsg(keeper->socket, &message, MSG_CMSG_CLOEXEC) <= 0)
                        return NULL;
                header = CMSG_FIRSTHDR(&message);
                if (header && header->cmsg_type == SCM_RIGHTS) {
                        count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                        memcpy(fds, CMSG_DATA(header), count * sizeof(int));
                }
                on_message(keeper, text, fds, count);
        }
}

/* ---- what it keeps ---- */

guint keeper_pass(struct keeper *keeper, int **ret_fds, char **ret_names) {
        GString *names = g_string_new("");
        guint count;
        int *fds;

        g_mutex_lock(&keeper->lock);
        count = keeper->kept->len;
        fds = g_new(int, count);
        for (guint i = 0; i < count; i++) {
                const struct kept *kept = &g_array_index(keeper->kept, struct kept, count - 1 - i);

                fds[i] = fcntl(kept->fd, F_DUPFD_CLOEXEC, 0);
                g_assert_cmpint(fds[i], >=, 0);
                g_string_append_printf(names, "%s%s", i > 0 ? ":" : "", kept->name);
        }
        g_mutex_unlock(&keeper->lock);
        *ret_fds = fds;
        *ret_names = g_string_free(names, FALSE);
        return count;
}

guint keeper_count(struct keeper *keeper, const char *name) {
        guint count = 0;

        g_mutex_lock(&keeper->lock);
        for (guint i = 0; i < keeper->kept->len; i++)
                count += !name ||
                         g_str_equal(g_array_index(keeper->kept, struct kept, i).name, name);
        g_mutex_unlock(&keeper->lock);
        return count;
}

/* ---- the whole ---- */

struct keeper *keeper_new(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct keeper *keeper = g_new0(struct keeper, 1);

        keeper->path = g_strdup(path);
        keeper->kept = g_array_new(FALSE, FALSE, sizeof(struct kept));
        g_array_set_clear_func(keeper->kept, kept_clear);
        g_mutex_init(&keeper->lock);
        keeper->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        g_assert_cmpuint(g_strlcpy(address.sun_path, path, sizeof(address.sun_path)), <,
                         sizeof(address.sun_path));
        g_assert_cmpint(bind(keeper->socket, (const struct sockaddr *)&address, sizeof(address)),
                        ==, 0);
        keeper->thread = g_thread_new("keeper", listen_to_daemon, keeper);
        return keeper;
}

const char *keeper_path(const struct keeper *keeper) {
        return keeper->path;
}

void keeper_free(struct keeper *keeper) {
        g_assert_cmpint(shutdown(keeper->socket, SHUT_RD), ==, 0);
        g_thread_join(keeper->thread);
        close(keeper->socket);
        g_array_unref(keeper->kept);
        g_mutex_clear(&keeper->lock);
        g_free(keeper->path);
        g_free(keeper);
}
