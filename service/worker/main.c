/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * scsiscan-worker: does what the daemon asks of one SCSI host. Its threads share a socket and
 * nothing else. When the daemon goes, the process ends at once; a thread that is stuck in the
 * kernel keeps it until the kernel lets go, which is why it is a process.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"
#include "worker/serve.h"

static void usage_print(FILE *stream) {
        fputs("Usage: scsiscan-worker [--sysfs DIR] [--dev DIR] HOST-NUMBER\n"
              "\n"
              "Serves the SCSI host of that number, on the socket on file descriptor 3.\n"
              "Started by scsiscand.\n"
              "\n"
              "  --sysfs DIR  where sysfs is mounted (/sys)\n"
              "  --dev DIR    where the device nodes are (/dev)\n"
              "  --help       this text\n"
              "  --version    the version\n",
              stream);
}

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

static int host_number_parse(const char *text, uint32_t *ret) {
        char *end;
        unsigned long number;

        errno = 0;
        number = strtoul(text, &end, 10);
        if (errno || *text < '0' || *text > '9' || *end || number > UINT32_MAX)
                return -EINVAL;
        *ret = (uint32_t)number;
        return 0;
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                {"sysfs", required_argument, NULL, 's'},
                {"dev", required_argument, NULL, 'd'},
                {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'v'},
                {NULL, 0, NULL, 0},
        };
        const char *sysfs = "/sys", *dev = "/dev";
        struct worker worker = {.socket = WORKER_SOCKET_FD};
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
                switch (option) {
                case 's':
                        sysfs = optarg;
                        break;
                case 'd':
                        dev = optarg;
                        break;
                case 'h':
                        usage_print(stdout);
                        return EXIT_SUCCESS;
                case 'v':
                        puts("scsiscan-worker " SCSISCAN_VERSION);
                        return EXIT_SUCCESS;
                default:
                        usage_print(stderr);
                        return EXIT_FAILURE;
                }
        }
        if (argc - optind != 1 || host_number_parse(argv[optind], &worker.host) < 0) {
                usage_print(stderr);
                return EXIT_FAILURE;
        }
        worker.sysfs = directory_open(sysfs);
        worker.dev = directory_open(dev);
        for (int i = 1; i < WORKER_THREADS; i++) {
                pthread_t thread;
                int r = pthread_create(&thread, NULL, worker_thread, &worker);

                if (r != 0)
                        errx(EXIT_FAILURE, "%s", strerror(r));
        }
        worker_thread(&worker);
}
