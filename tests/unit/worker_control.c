/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a worker writes. */

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "scsi/lun.h"
#include "util/cleanup.h"
#include "worker_support.h"

static char *scan_written(const struct fixture *f) {
        return tree_read(f, "class/scsi_host/host3/scan");
}

static void test_attach(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_ATTACH);
        g_autofree char *written = NULL;

        g_assert_cmpint(ask(f, &request), ==, 0);
        g_assert_cmpint(f->reply.write_error, ==, 0);
        g_assert_cmpuint(f->reply.data_length, >, 0);
        written = scan_written(f);
        g_assert_cmpstr(written, ==, "0 1 5");
}

static void test_attach_nothing_there(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_ATTACH);
        g_autofree char *written = NULL;

        request.address = (struct scsi_address){{HOST, 2, 17}, SCSI_WLUN_REPORT_LUNS};
        g_assert_cmpint(ask(f, &request), ==, -ENOENT);
        g_assert_cmpint(f->reply.write_error, ==, 0);
        written = scan_written(f);
        g_assert_cmpstr(written, ==, "2 17 49409");
}

/* The kernel takes 16 characters for the LUN: what is longer in decimal may fit in hexadecimal. */
static void test_attach_long_lun(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_ATTACH);
        g_autofree char *written = NULL;

        request.address = (struct scsi_address){{HOST, 0, 1}, 0x40104010401f40};
        g_assert_cmpint(ask(f, &request), ==, -ENOENT);
        written = scan_written(f);
        g_assert_cmpstr(written, ==, "0 1 0x40104010401f40");
}

/* A write that fails is told apart from what is there all the same. */
static void test_attach_write_fails(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_ATTACH);
        g_autofree char *path = g_build_filename(f->root, "class/scsi_host/host3/scan", NULL);

        g_assert_cmpint(g_remove(path), ==, 0);
        g_assert_cmpint(ask(f, &request), ==, 0);
        g_assert_cmpint(f->reply.write_error, ==, -ENOENT);
        g_assert_cmpuint(f->reply.data_length, >, 0);
}

static void test_scan_target(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_SCAN_TARGET);
        g_autofree char *written = NULL;

        g_assert_cmpint(ask(f, &request), ==, 0);
        g_assert_cmpint(f->reply.write_error, ==, 0);
        g_assert_cmpuint(f->reply.data_length, ==, 0);
        written = scan_written(f);
        g_assert_cmpstr(written, ==, "0 1 -");
}

static uint64_t disk_instance(const struct fixture *f) {
        g_autofree char *path = g_build_filename(f->root, DISK, NULL);
        GStatBuf status;

        g_assert_cmpint(g_stat(path, &status), ==, 0);
        return status.st_ino;
}

/* Nodes that are the device's, as far as fstat() tells: plain files are number 0:0. */
static void nodes_add(struct fixture *f) {
        tree_add(f, DISK "/block/sda/dev", "0:0\n", -1);
        tree_add(f, "dev/sda", "", 0);
        tree_add(f, "dev/sg2", "", 0);
}

/* Files do not go away by being written to, so it is seen to be still there. */
static void test_detach(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_DETACH);

        nodes_add(f);
        request.instance = disk_instance(f) + 1;
        g_assert_cmpint(ask(f, &request), ==, -ESTALE);
        assert_written(f, DISK "/delete", "");
        request.instance = disk_instance(f);
        g_assert_cmpint(ask(f, &request), ==, -EEXIST);
        g_assert_cmpint(f->reply.write_error, ==, 0);
        g_assert_cmpuint(f->reply.data_length, ==, 0);
        assert_written(f, DISK "/delete", "1");
        assert_written(f, DISK "/scsi_disk/3:0:1:5/cache_type", "");
        request.flags = WORKER_PROVEN_GONE;
        g_assert_cmpint(ask(f, &request), ==, -EEXIST);
        assert_written(f, DISK "/scsi_disk/3:0:1:5/cache_type", "temporary write through");
}

/* Without its nodes nobody can tell who has it open, and only force detaches it. */
static void test_detach_unclaimed(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_DETACH);

        g_assert_cmpint(ask(f, &request), ==, -EBADFD);
        nodes_add(f);
        tree_add(f, DISK "/block/sda/dev", "8:0\n", -1); /* the node is another one's */
        g_assert_cmpint(ask(f, &request), ==, -EBADFD);
        tree_add(f, DISK "/block/sda/dev", "0:0\n", -1);
        tree_add(f, DISK "/scsi_generic/sg2/dev", "21:2\n", -1);
        g_assert_cmpint(ask(f, &request), ==, -EBADFD);
        assert_written(f, DISK "/delete", "");
        request.flags = WORKER_FORCE;
        g_assert_cmpint(ask(f, &request), ==, -EEXIST);
        assert_written(f, DISK "/delete", "1");
}

/* A directory that cannot be listed may hold a node that somebody has open. */
static void test_detach_unlistable(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_DETACH);
        g_autofree char *block = g_build_filename(f->root, DISK, "block", NULL);

        nodes_add(f);
        path_remove(block);
        g_assert_cmpint(symlink("block", block), ==, 0);
        g_assert_cmpint(ask(f, &request), ==, -ELOOP);
        assert_written(f, DISK "/delete", "");
        g_assert_cmpint(g_remove(block), ==, 0); /* while a device without one has no such node */
        g_assert_cmpint(ask(f, &request), ==, -EEXIST);
        assert_written(f, DISK "/delete", "1");
}

/* Only the node that does not rewind the tape when it is closed, in the mode that changes nothing,
 * is opened. */
static void test_detach_tape(struct fixture *f, const void *unused) {
        static const char *const nodes[] = {"st0", "nst0a", "nst0l", "nst0m", "nst0"};
        struct worker_request request = request_make(WORKER_DETACH);

        request.address = (struct scsi_address){{HOST, 0, 2}, 0};
        tree_add(f, "bus/scsi/devices/3:0:2:0/state", "running\n", -1);
        tree_add(f, "bus/scsi/devices/3:0:2:0/delete", "", 0);
        for (size_t i = 0; i < ELEMENTS_OF(nodes); i++) {
                g_autofree char *dev = g_build_filename("bus/scsi/devices/3:0:2:0/scsi_tape",
                                                        nodes[i], "dev", NULL);

                tree_add(f, dev, "0:0\n", -1);
                g_assert_cmpint(ask(f, &request), ==,
                                i + 1 < ELEMENTS_OF(nodes) ? -EEXIST : -EBADFD);
        }
        tree_add(f, "dev/nst0", "", 0);
        g_assert_cmpint(ask(f, &request), ==, -EEXIST);
}

/* The write is held in a full pipe until the directory has gone. */
static void test_detach_gone(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_DETACH);
        g_autofree char *disk = g_build_filename(f->root, DISK, NULL);
        g_autofree char *path = g_build_filename(disk, "delete", NULL);
        _cleanup_(closep) int notify = inotify_init1(IN_CLOEXEC), pipe = -1;
        char buffer[4096];

        g_assert_cmpint(g_remove(path), ==, 0);
        g_assert_cmpint(mkfifo(path, 0600), ==, 0);
        pipe = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        while (write(pipe, path, 1) == 1)
                continue;
        g_assert_cmpint(errno, ==, EAGAIN);
        g_assert_cmpint(inotify_add_watch(notify, path, IN_OPEN), >=, 0);
        nodes_add(f);
        request.instance = disk_instance(f);
        g_assert_cmpint(send(f->socket, &request, sizeof(request), MSG_NOSIGNAL), ==,
                        sizeof(request));
        g_assert_cmpint(read(notify, buffer, sizeof(buffer)), >, 0); /* it is being written to */
        path_remove(disk);
        while (read(pipe, buffer, sizeof(buffer)) > 0)
                continue;
        g_assert_cmpint(recv(f->socket, &f->reply, sizeof(f->reply), 0), ==, sizeof(f->reply));
        g_assert_cmpint(f->reply.error, ==, 0);
        g_assert_cmpint(f->reply.write_error, ==, 0);
}

static void test_refresh(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_REFRESH);

        request.instance = disk_instance(f) + 1;
        g_assert_cmpint(ask(f, &request), ==, -ESTALE);
        assert_written(f, DISK "/rescan", "");
        request.instance = disk_instance(f);
        g_assert_cmpint(ask(f, &request), ==, 0);
        g_assert_cmpuint(reply_instance(f), ==, request.instance);
        assert_written(f, DISK "/rescan", "1");
}

/* The look comes after the write, and not at all when that fails. */
static void test_set_state(struct fixture *f, const void *unused) {
        struct worker_request request = request_make(WORKER_SET_STATE);
        g_autofree char *text = NULL, *path = g_build_filename(f->root, DISK, "state", NULL);

        request.flags = WORKER_OFFLINE;
        g_assert_cmpint(ask(f, &request), ==, 0);
        text = reply_text(f);
        g_assert_nonnull(strstr(text, "\nstate=offline\\0a\n"));
        request.flags = 0;
        g_assert_cmpint(ask(f, &request), ==, 0);
        assert_written(f, DISK "/state", "running\n");
        g_assert_cmpint(g_remove(path), ==, 0);
        g_assert_cmpint(ask(f, &request), ==, -ENOENT);
        g_assert_cmpint(f->reply.write_error, ==, -ENOENT);
        g_assert_cmpuint(f->reply.data_length, ==, 0);
}

static void test_set_kernel_scan(struct fixture *f, const void *unused) {
        static const char parameter[] = "module/scsi_mod/parameters/scan";
        static const char *const words[] = {"manual", "sync", "async"};
        struct worker_request request = request_make(WORKER_SET_KERNEL_SCAN);

        for (uint32_t i = 0; i < ELEMENTS_OF(words); i++) {
                request.kernel_scan = i;
                g_assert_cmpint(ask(f, &request), ==, 0);
                g_assert_cmpuint(f->reply.data_length, ==, 0);
                assert_written(f, parameter, words[i]);
        }
        request.kernel_scan = ELEMENTS_OF(words);
        g_assert_cmpint(ask(f, &request), ==, -EINVAL);
        assert_written(f, parameter, "async");
}

int main(int argc, char **argv) {
        static const struct {
                const char *path;
                void (*test)(struct fixture *, const void *);
        } tests[] = {
                {"/worker/control/attach", test_attach},
                {"/worker/control/attach-nothing-there", test_attach_nothing_there},
                {"/worker/control/attach-long-lun", test_attach_long_lun},
                {"/worker/control/attach-write-fails", test_attach_write_fails},
                {"/worker/control/scan-target", test_scan_target},
                {"/worker/control/detach", test_detach},
                {"/worker/control/refresh", test_refresh},
                {"/worker/control/set-state", test_set_state},
                {"/worker/control/set-kernel-scan", test_set_kernel_scan},
                {"/worker/claim/detach-unclaimed", test_detach_unclaimed},
                {"/worker/claim/detach-unlistable", test_detach_unlistable},
                {"/worker/claim/detach-tape", test_detach_tape},
                {"/worker/claim/detach-gone", test_detach_gone},
        };

        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < ELEMENTS_OF(tests); i++)
                g_test_add(tests[i].path, struct fixture, NULL, fixture_set_up, tests[i].test,
                           fixture_tear_down);
        return g_test_run();
}
