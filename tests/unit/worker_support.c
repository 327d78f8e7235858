/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "util/cleanup.h"
#include "worker_support.h"

void tree_add(struct fixture *f, const char *path, const char *content, gssize length) {
        g_autofree char *full = g_build_filename(f->root, path, NULL);
        g_autofree char *directory = g_path_get_dirname(full);

        g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
        /* no fsync() */
        g_assert_true(g_file_set_contents_full(full, content, length, G_FILE_SET_CONTENTS_NONE,
                                               0644, NULL));
}

void tree_add_directory(struct fixture *f, const char *path) {
        g_autofree char *full = g_build_filename(f->root, path, NULL);

        g_assert_cmpint(g_mkdir_with_parents(full, 0755), ==, 0);
}

static void tree_link(struct fixture *f, const char *path, const char *to) {
        g_autofree char *full = g_build_filename(f->root, path, NULL);
        g_autofree char *directory = g_path_get_dirname(full);

        g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
        g_assert_cmpint(symlink(to, full), ==, 0);
}

static void tree_add_host(struct fixture *f) {
        tree_link(f, "bus/scsi/devices/host3", "../../../" DEVICES "/host3");
        tree_link(f, "class/scsi_host/host3", "../../" DEVICES "/host3/scsi_host/host3");
        tree_add(f, DEVICES "/host3/scsi_host/host3/proc_name", "scsi_debug\n", -1);
        tree_add(f, DEVICES "/host3/scsi_host/host3/state", "running\n", -1);
        tree_add(f, DEVICES "/host3/scsi_host/host3/unique_id", "1\n", -1);
        tree_add(f, DEVICES "/host3/scsi_host/host3/scan", "", -1);
        tree_add(f, "module/scsi_mod/parameters/scan", "manual\n", -1);
}

static void tree_add_disk(struct fixture *f) {
        static const char *const controls[] = {DISK "/delete", DISK "/rescan",
                                               DISK "/scsi_disk/3:0:1:5/cache_type"};

        tree_link(f, "bus/scsi/devices/target3:0:1", "../../../" DEVICES "/host3/target3:0:1");
        tree_link(f, "bus/scsi/devices/3:0:1:5", "../../../" DISK);
        tree_add(f, DISK "/vendor", "Linux   \n", -1);
        tree_add(f, DISK "/model", "scsi\0_debug\n", 12);
        tree_add(f, DISK "/rev", "0191\n", -1);
        tree_add(f, DISK "/type", "0\n", -1);
        tree_add(f, DISK "/scsi_level", "8\n", -1);
        tree_add(f, DISK "/state", "running\n", -1);
        tree_add(f, DISK "/wwid", "naa.3333333000007d0\n", -1);
        for (size_t i = 0; i < ELEMENTS_OF(controls); i++)
                tree_add(f, controls[i], "", 0);
        tree_add(f, DISK "/scsi_generic/sg2/dev", "0:0\n", -1);
        tree_add(f, DISK "/vpd_pg83", "\0\x83\0\0", 4);
        tree_add(f, DISK "/inquiry", "\x20\0\x07\x02", 4);
        tree_link(f, DISK "/driver", "../../../../../../bus/scsi/drivers/sd");
        tree_add(f, DISK "/block/sda/size", "16384\n", -1);
        tree_add(f, DISK "/block/sda/queue/logical_block_size", "4096\n", -1);
        tree_add(f, DISK "/block/sda/dev", "8:0\n", -1);
        tree_add(f, DISK "/block/sda/sda1/dev", "8:1\n", -1);
        tree_add_directory(f, DISK "/block/sda/holders/md7");
        tree_add_directory(f, DISK "/block/sda/sda1/holders/dm-0");
}

static void *serve(void *worker) {
        return GINT_TO_POINTER(-worker_serve(worker));
}

static int path_open(const char *root, const char *name) {
        g_autofree char *path = g_build_filename(root, name, NULL);
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        g_assert_cmpint(fd, >=, 0);
        return fd;
}

void fixture_set_up(struct fixture *f, const void *unused) {
        int pair[2];

        f->root = g_dir_make_tmp("scsiscan-worker-XXXXXX", NULL);
        g_assert_nonnull(f->root);
        tree_add_directory(f, "dev");
        tree_add_host(f);
        tree_add_disk(f);
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), ==, 0);
        f->socket = pair[0];
        f->worker = (struct worker){.host = HOST,
                                    .sysfs = path_open(f->root, "."),
                                    .dev = path_open(f->root, "dev"),
                                    .socket = pair[1]};
        f->thread = g_thread_new("worker", serve, &f->worker);
}

void path_remove(const char *path) {
        const char *remove[] = {"rm", "-rf", path, NULL};

        g_assert_true(g_spawn_sync(NULL, (char **)remove, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                   NULL, NULL, NULL, NULL));
}

void fixture_tear_down(struct fixture *f, const void *unused) {
        close(f->socket);
        g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(f->thread)), ==, 0);
        close(f->worker.socket);
        close(f->worker.sysfs);
        close(f->worker.dev);
        path_remove(f->root);
        g_free(f->root);
}

struct worker_request request_make(uint32_t kind) {
        return (struct worker_request){.version = WORKER_VERSION,
                                       .kind = kind,
                                       .id = 0x1122334455667788,
                                       .address = {{HOST, 0, 1}, 5},
                                       .timeout_ms = 1500,
                                       .command = {.cdb = {SCSI_INQUIRY, 0, 0, 0, 36},
                                                   .cdb_length = 6,
                                                   .allocation_length = 36}};
}

int ask_bytes(struct fixture *f, const void *bytes, size_t length) {
        struct iovec parts[] = {{&f->reply, sizeof(f->reply)}, {f->data, sizeof(f->data)}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = ELEMENTS_OF(parts)};
        ssize_t n;

        g_assert_cmpint(send(f->socket, bytes, length, MSG_NOSIGNAL), ==, length);
        n = recvmsg(f->socket, &message, 0);
        g_assert_cmpint(n, ==, sizeof(f->reply) + f->reply.data_length);
        g_assert_cmpuint(f->reply.version, ==, WORKER_VERSION);
        return f->reply.error;
}

int ask(struct fixture *f, const struct worker_request *request) {
        int error = ask_bytes(f, request, sizeof(*request));

        g_assert_cmpuint(f->reply.id, ==, request->id);
        g_assert_cmpuint(f->reply.kind, ==, request->kind);
        return error;
}

/* The record at *at; false behind the last one. */
static bool reply_record(const struct fixture *f, size_t *at, GString *name, GString *value) {
        struct worker_record record;
        const char *text = f->data + *at + sizeof(record);

        if (*at == f->reply.data_length)
                return false;
        memcpy(&record, f->data + *at, sizeof(record));
        *at += sizeof(record) + record.name_length + record.value_length;
        g_assert_cmpuint(*at, <=, f->reply.data_length);
        g_string_truncate(name, 0);
        g_string_append_len(name, text, record.name_length);
        g_string_truncate(value, 0);
        g_string_append_len(value, text + record.name_length, record.value_length);
        return true;
}

char *reply_text(const struct fixture *f) {
        g_autoptr(GString) name = g_string_new(NULL), value = g_string_new(NULL);
        GString *text = g_string_new(NULL);
        size_t at = 0;

        while (reply_record(f, &at, name, value)) {
                if (strcmp(name->str, "instance") == 0)
                        continue;
                g_string_append_printf(text, "%s=", name->str);
                for (size_t i = 0; i < value->len; i++)
                        if (g_ascii_isprint(value->str[i]))
                                g_string_append_c(text, value->str[i]);
                        else
                                g_string_append_printf(text, "\\%02x", (uint8_t)value->str[i]);
                g_string_append_c(text, '\n');
        }
        return g_string_free(text, FALSE);
}

void assert_records(const struct fixture *f, const char *expected) {
        g_autofree char *text = reply_text(f);

        g_assert_cmpstr(text, ==, expected);
}

guint64 reply_instance(const struct fixture *f) {
        g_autoptr(GString) name = g_string_new(NULL), value = g_string_new(NULL);
        guint64 instance;
        size_t at = 0;

        do
                g_assert_true(reply_record(f, &at, name, value));
        while (strcmp(name->str, "instance") != 0);
        g_assert_cmpuint(value->len, ==, sizeof(instance));
        memcpy(&instance, value->str, sizeof(instance));
        return instance;
}

char *tree_read(const struct fixture *f, const char *name) {
        g_autofree char *path = g_build_filename(f->root, name, NULL);
        char *content;

        g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
        return content;
}

void assert_written(const struct fixture *f, const char *name, const char *expected) {
        g_autofree char *content = tree_read(f, name);

        g_assert_cmpstr(content, ==, expected);
}
