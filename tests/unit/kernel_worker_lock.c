/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/wait.h>

#include "kernel/worker_lock.h"
#include "util/cleanup.h"

static void test_take(void) {
        g_autofree char *directory = g_dir_make_tmp("lock-XXXXXX", NULL);
        int first = worker_lock_take(directory, 3), second = worker_lock_take(directory, 4);

        g_assert_cmpint(first, >=, 0);
        g_assert_cmpint(second, >=, 0);
        g_assert_cmpint(worker_lock_take(directory, 3), ==, -EWOULDBLOCK);
        worker_lock_forget(directory, 3); /* held: stays */
        g_assert_cmpint(worker_lock_take(directory, 3), ==, -EWOULDBLOCK);
        close(first);
        worker_lock_forget(directory, 3);
        close(second);
        worker_lock_forget(directory, 4);
        g_assert_cmpint(g_rmdir(directory), ==, 0); /* empty */
        g_assert_cmpint(worker_lock_take(directory, 3), ==, -ENOENT);
}

/* The lock is the descriptor's, whoever has a copy of it: it outlives the one who took it. */
static void test_inherited(void) {
        g_autofree char *directory = g_dir_make_tmp("lock-XXXXXX", NULL);
        int lock = worker_lock_take(directory, 3), pair[2];
        pid_t child;

        g_assert_cmpint(pipe(pair), ==, 0);
        child = fork();
        if (child == 0) {
                char byte;

                close(pair[1]);
                _exit(read(pair[0], &byte, 1) == 0 ? 0 : 1);
        }
        close(pair[0]);
        close(lock);
        g_assert_cmpint(worker_lock_take(directory, 3), ==, -EWOULDBLOCK);
        close(pair[1]);
        g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
        lock = worker_lock_take(directory, 3);
        g_assert_cmpint(lock, >=, 0);
        close(lock);
        worker_lock_forget(directory, 3);
        g_assert_cmpint(g_rmdir(directory), ==, 0);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/kernel/worker-lock/take", test_take);
        g_test_add_func("/kernel/worker-lock/inherited", test_inherited);
        return g_test_run();
}
