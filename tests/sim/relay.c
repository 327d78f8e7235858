/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sim-worker: stands where scsiscan-worker stands, with the same argument, and carries messages
 * between the daemon's socket and the simulated machine's, which the environment variable
 * SCSISCAN_SIM names. The first message to the machine is the host number. Ends when either side
 * ends. The kernel's parameter is a file of the machine's, which the real worker's function writes.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util/cleanup.h"
#include "worker/control.h"
#include "worker/greeting.h"
#include "worker/messages.h"

#define MESSAGE_MAX (sizeof(struct worker_reply) + WORKER_DATA_MAX)

static int machine_connect(uint32_t host) {
        const char *path = getenv("SCSISCAN_SIM");
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        if (!path || strlen(path) >= sizeof(address.sun_path))
                errx(EXIT_FAILURE, "SCSISCAN_SIM must name the socket of a simulated machine");
        memcpy(address.sun_path, path, strlen(path) + 1);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                err(EXIT_FAILURE, "%s", path);
        if (send(fd, &host, sizeof(host), MSG_NOSIGNAL) < 0)
                err(EXIT_FAILURE, "%s", path);
        return fd;
}

/* One message onwards: 0; 1 when a side has ended; -errno. */
static int message_carry(int from, int to, uint8_t *buffer) {
        ssize_t n = recv(from, buffer, MESSAGE_MAX, 0);

        if (n > 0)
                n = send(to, buffer, (size_t)n, MSG_NOSIGNAL);
        if (n < 0)
                return errno == ECONNRESET || errno == EPIPE ? 1 : -errno;
        return n == 0;
}

static int messages_carry(int daemon, int machine, uint8_t *buffer) {
        struct pollfd ends[] = {{.fd = daemon, .events = POLLIN},
                                {.fd = machine, .events = POLLIN}};
        int r = 0;

        while (r == 0) {
                if (poll(ends, ELEMENTS_OF(ends), -1) < 0 && errno != EINTR)
                        return -errno;
                if (ends[0].revents)
                        r = message_carry(daemon, machine, buffer);
                if (r == 0 && ends[1].revents)
                        r = message_carry(machine, daemon, buffer);
        }
        return r;
}

/* Requests of the one kind that needs no machine: 0, or -errno. */
static int parameter_serve(int daemon, const char *sysfs) {
        _cleanup_(closep) int directory = open(sysfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct worker_request request;

        while (recv(daemon, &request, sizeof(request), 0) == sizeof(request)) {
                struct worker_reply reply = {
                        .version = WORKER_VERSION,
                        .kind = request.kind,
                        .id = request.id,
                        .error = control_set_kernel_scan(directory, request.kernel_scan),
                };

                if (send(daemon, &reply, sizeof(reply), MSG_NOSIGNAL) < 0)
                        return -errno;
        }
        return 0;
}

int main(int argc, char **argv) {
        _cleanup_(freep) uint8_t *buffer = malloc(MESSAGE_MAX);
        uint32_t host;
        int r;

        if (argc != 2 || !buffer)
                errx(EXIT_FAILURE, "usage: sim-worker SYSFS");
        r = worker_greeting_receive(WORKER_SOCKET_FD, &host);
        if (r < 0 && r != -ECONNRESET)
                errx(EXIT_FAILURE, "not greeted: %s", strerror(-r));
        if (r == 0)
                r = host == WORKER_NO_HOST
                            ? parameter_serve(WORKER_SOCKET_FD, argv[1])
                            : messages_carry(WORKER_SOCKET_FD, machine_connect(host), buffer);
        if (r < 0 && r != -ECONNRESET)
                errx(EXIT_FAILURE, "%s", strerror(-r));
        return EXIT_SUCCESS;
}
