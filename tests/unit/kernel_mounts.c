/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "kernel/mount_table.h"
#include "kernel/mounts.h"
#include "util/cleanup.h"

static const char MOUNTINFO[] = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
                                "23 22 0:21 / /proc rw,nosuid - proc proc rw\n"
                                "24 22 8:17 / /srv/a\\040b rw - xfs /dev/sdb1 rw\n"
                                "25 22 8:17 /sub /srv/bind rw - xfs /dev/sdb1 rw\n"
                                "26 22 0:44 / /nfs rw - nfs4 server:/dev/x rw\n";
static const char SWAPS[] = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
                            "/swapfile                               file\t\t1024\t0\t-2\n";

static struct mount_table table_of(const char *mountinfo, const char *swaps) {
        g_autofree char *root = g_dir_make_tmp("mounts-XXXXXX", NULL);
        g_autofree char *first = g_build_filename(root, "mountinfo", NULL);
        g_autofree char *second = g_build_filename(root, "swaps", NULL);
        struct mount_table table;

        g_assert_true(g_file_set_contents(first, mountinfo, -1, NULL));
        g_assert_true(g_file_set_contents(second, swaps, -1, NULL));
        g_assert_cmpint(mount_table_read(first, second, &table), ==, 0);
        g_unlink(first);
        g_unlink(second);
        g_rmdir(root);
        return table;
}

static void test_table(void) {
        _cleanup_(mount_table_done) struct mount_table table = table_of(MOUNTINFO, SWAPS);
        const struct mount_use *uses;
        size_t count;

        uses = mount_table_find(&table, makedev(8, 17), &count);
        g_assert_cmpuint(count, ==, 2);
        g_assert_cmpstr(uses[0].name, ==, "/srv/a b");
        g_assert_cmpstr(uses[1].name, ==, "/srv/bind");
        uses = mount_table_find(&table, makedev(8, 1), &count);
        g_assert_cmpuint(count, ==, 1);
        g_assert_cmpstr(uses[0].name, ==, "/");
        g_assert_null(mount_table_find(&table, makedev(8, 2), &count));
        g_assert_cmpuint(count, ==, 0);
        g_assert_null(mount_table_find(&table, makedev(0, 21), &count));
}

static void test_table_empty(void) {
        struct mount_table table;
        size_t count;

        g_assert_cmpint(mount_table_read("/nonexistent/a", "/nonexistent/b", &table), ==, 0);
        g_assert_null(mount_table_find(&table, makedev(8, 1), &count));
        mount_table_done(&table);
}

static void test_digest(void) {
        static const char moved[] = "24 22 8:17 / /srv/else rw - xfs /dev/sdb1 rw\n";
        _cleanup_(mount_table_done) struct mount_table a = table_of(MOUNTINFO, SWAPS);
        _cleanup_(mount_table_done) struct mount_table b = table_of(moved, SWAPS);
        const dev_t disk[] = {makedev(8, 16), makedev(8, 17)}, other[] = {makedev(8, 32)};

        g_assert_cmpuint(mount_table_digest(&a, disk, 2), ==, mount_table_digest(&a, disk, 2));
        g_assert_cmpuint(mount_table_digest(&a, disk, 2), !=, mount_table_digest(&b, disk, 2));
        g_assert_cmpuint(mount_table_digest(&a, other, 1), ==, mount_table_digest(&b, other, 1));
}

struct fixture {
        uv_loop_t loop;
        uv_timer_t limit;
        struct mounts *mounts;
        guint changes;
        guint64 lun;
};

static void changed(const struct scsi_address *address, void *userdata) {
        struct fixture *fixture = userdata;

        fixture->changes++;
        fixture->lun = address->lun;
        uv_stop(&fixture->loop);
}

static void limit_reached(uv_timer_t *timer) {
        uv_stop(timer->loop);
}

/* Until something has changed, for at most that time. */
static void fixture_run(struct fixture *fixture, unsigned msec) {
        uv_timer_start(&fixture->limit, limit_reached, msec, 0);
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
        uv_timer_stop(&fixture->limit);
}

static void fixture_open(struct fixture *fixture) {
        *fixture = (struct fixture){};
        g_assert_cmpint(uv_loop_init(&fixture->loop), ==, 0);
        uv_timer_init(&fixture->loop, &fixture->limit);
        g_assert_cmpint(mounts_open(&fixture->loop, changed, fixture, &fixture->mounts), ==, 0);
}

static void fixture_close(struct fixture *fixture) {
        mounts_close(fixture->mounts);
        uv_close((uv_handle_t *)&fixture->limit, NULL);
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
        g_assert_cmpint(uv_loop_close(&fixture->loop), ==, 0);
}

static const struct scsi_address DEVICE = {{1, 0, 0}, 7}, OTHER = {{1, 0, 0}, 8};

/* In a mount namespace of our own, a /dev with one block device: what is mounted "from" it need not
 * hold a file system of its, for the table says so. */
static bool disk_make(const char *node, dev_t number) {
        return unshare(CLONE_NEWNS) == 0 &&
               mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
               mount("dev", "/dev", "tmpfs", 0, NULL) == 0 &&
               mknod(node, S_IFBLK | 0600, number) == 0;
}

static guint holders_count(char *const *holders, const char *name) {
        guint count = 0;

        for (; *holders; holders++)
                count += strcmp(*holders, name) == 0;
        return count;
}

static void test_watch(void) {
        const dev_t none = makedev(250, 250), number = makedev(250, 251);
        const char *node = "/dev/disk";
        g_autofree char *first = g_dir_make_tmp("mounts-XXXXXX", NULL);
        g_autofree char *second = g_dir_make_tmp("mounts-XXXXXX", NULL);
        struct device_facts facts = {}, again = {}, other = {};
        struct fixture fixture;

        if (!disk_make(node, number)) {
                g_test_skip("only root may mount and make nodes");
                return;
        }
        g_assert_cmpint(mount(node, first, "tmpfs", 0, NULL), ==, 0);
        fixture_open(&fixture);
        g_assert_cmpint(mounts_add_holders(fixture.mounts, &DEVICE, &number, 1, &facts), ==, 0);
        g_assert_cmpint(mounts_add_holders(fixture.mounts, &OTHER, &none, 1, &other), ==, 0);
        g_assert_null(other.holders[0]);
        g_assert_cmpuint(holders_count(facts.holders, first), ==, 1);
        g_assert_cmpuint(holders_count(facts.holders, second), ==, 0);

        g_assert_cmpint(mount(first, second, NULL, MS_BIND, NULL), ==, 0);
        fixture_run(&fixture, 5000);
        g_assert_cmpuint(fixture.changes, ==, 1);
        g_assert_cmpuint(fixture.lun, ==, DEVICE.lun);
        g_assert_cmpint(mounts_add_holders(fixture.mounts, &DEVICE, &number, 1, &again), ==, 0);
        g_assert_cmpuint(holders_count(again.holders, second), ==, 1);

        g_assert_cmpint(umount(second), ==, 0);
        fixture_run(&fixture, 5000);
        g_assert_cmpuint(fixture.changes, ==, 2);
        fixture_close(&fixture);
        device_facts_done(&facts);
        device_facts_done(&again);
        g_assert_cmpint(umount(first), ==, 0);
        g_remove(first);
        g_remove(second);
}

/* What is not in the inventory is not told of any more. */
static void test_forget(void) {
        struct fixture fixture;
        struct device_facts facts = {};
        const dev_t number = makedev(8, 1);
        struct inventory inventory = {.devices = (struct scsi_address *)&DEVICE, .device_count = 1};

        fixture_open(&fixture);
        g_assert_cmpint(mounts_add_holders(fixture.mounts, &DEVICE, &number, 1, &facts), ==, 0);
        g_assert_cmpint(mounts_add_holders(fixture.mounts, &OTHER, &number, 1, &facts), ==, 0);
        mounts_forget_absent(fixture.mounts, &inventory);
        g_assert_cmpint(mounts_add_holders(fixture.mounts, &DEVICE, NULL, 0, &facts), ==, 0);
        mounts_forget_absent(fixture.mounts, &(struct inventory){});
        fixture_run(&fixture, 50);
        g_assert_cmpuint(fixture.changes, ==, 0);
        device_facts_done(&facts);
        fixture_close(&fixture);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/kernel/mounts/table", test_table);
        g_test_add_func("/kernel/mounts/table-empty", test_table_empty);
        g_test_add_func("/kernel/mounts/digest", test_digest);
        g_test_add_func("/kernel/mounts/watch", test_watch);
        g_test_add_func("/kernel/mounts/forget", test_forget);
        return g_test_run();
}
