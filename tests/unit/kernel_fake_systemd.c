/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "kernel_fake_systemd.h"
#include "worker/messages.h"

#define BACKLOG 64

static void worker_exec(int connection, const char *worker) {
        dup2(connection, WORKER_SOCKET_FD);
        close_range(WORKER_SOCKET_FD + 1, ~0U, 0);
        execl(worker, worker, "/sys", NULL);
        _exit(127);
}

static void serve(int listener, const char *worker) {
        int connection;

        while ((connection = accept(listener, NULL, NULL)) >= 0) {
                if (fork() == 0)
                        worker_exec(connection, worker);
                close(connection);
        }
        _exit(1);
}

void fake_systemd_start(const char *path, const char *worker) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        pid_t test = getpid(), pid;

        g_assert_cmpuint(g_strlcpy(address.sun_path, path, sizeof(address.sun_path)), <,
                         sizeof(address.sun_path));
        g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
        g_assert_cmpint(listen(listener, BACKLOG), ==, 0);
        pid = fork();
        g_assert_cmpint(pid, >=, 0);
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                signal(SIGCHLD, SIG_IGN);
                if (getppid() == test)
                        serve(listener, worker);
                _exit(0);
        }
        close(listener);
}
