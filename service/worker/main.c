/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * scsiscan-worker: does what the daemon asks of one SCSI host. Its threads share a socket and
 * nothing else. When the daemon goes, the process ends at once; a thread that is stuck in the
 * kernel keeps it until the kernel lets go, which is why it is a process.
 *
 * systemd starts it for a connection to scsiscan-worker.socket, or the daemon does, where there is
 * no systemd: either way its socket is file descriptor 3, and the host's number comes through it.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "util/cleanup.h"
#include "worker/greeting.h"
#include "worker/serve.h"

static int directory_open(const char *path) {
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                err(EXIT_FAILURE, "%s", path);
        return fd;
}

/* The first thread that sees the end ends all. _exit(): two threads must not both run exit(). */
static void *worker_thread(void *argument) {
        int r = worker_serve(argument);

        if (r < 0)
                warnx("%s", strerror(-r));
        _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

int main(int argc, char **argv) {
        struct worker worker = {.socket = WORKER_SOCKET_FD};
        int r;

        if (argc > 2)
                errx(EXIT_FAILURE, "usage: scsiscan-worker [SYSFS]; scsiscand starts it");
        worker.sysfs = directory_open(argc == 2 ? argv[1] : "/sys");
        worker.dev = directory_open("/dev");
        r = worker_greeting_receive(worker.socket, &worker.host);
        if (r == -ECONNRESET)
                return EXIT_SUCCESS; /* the daemon has thought better of it */
        if (r < 0)
                errx(EXIT_FAILURE, "not served: %s", strerror(-r));
        for (int i = 1; i < WORKER_THREADS; i++) {
                pthread_t thread;

                r = pthread_create(&thread, NULL, worker_thread, &worker);
                if (r != 0)
                        errx(EXIT_FAILURE, "%s", strerror(r));
        }
        worker_thread(&worker);
}
