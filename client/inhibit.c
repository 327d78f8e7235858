/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* inhibit: keeps a scope free of attaching while a command runs, or until it is interrupted. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/agent.h"
#include "client/bus.h"
#include "client/cleanup.h"
#include "client/verbs.h"
#include "dbus/names.h"

/* The lease lives as long as this descriptor, or a copy of it, is open. */
static int lease_take(sd_bus *bus, const char *scope, const struct options *options,
                      sd_bus_error *error, int *ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(agent_stop) struct agent agent = {};
        int fd, r = bus_call_new(bus, SCSISCAN_INTERFACE_HOTPLUG, "Inhibit", options, &call);

        if (r >= 0)
                r = sd_bus_message_append(call, "ssst", scope, "scsictl",
                                          options->why ? options->why : "asked for by hand",
                                          UINT64_C(0));
        if (r < 0)
                return r;
        agent_start(&agent, options);
        r = sd_bus_call(bus, call, UINT64_MAX, error, &reply);
        if (r >= 0)
                r = sd_bus_message_read_basic(reply, 'h', &fd);
        if (r < 0)
                return r;
        *ret = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return *ret < 0 ? -errno : 0;
}

/* As a shell has it: the command's own status, 128 and the signal, 126 or 127 if it cannot be run.
 */
static int command_run(char *const *command) {
        int status;
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0) {
                execvp(command[0], command);
                fprintf(stderr, "scsictl: %s: %s\n", command[0], strerror(errno));
                _exit(errno == ENOENT ? 127 : 126);
        }
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The other end closes when the service is stopped, or ends the lease. */
static enum status wait_for_end(int lease, const struct options *options) {
        struct pollfd poll_fd = {.fd = lease};

        if (options->terminal)
                fprintf(stderr, "scsictl: inhibited until this is interrupted\n");
        while (poll(&poll_fd, 1, -1) < 0 && errno == EINTR)
                ;
        fprintf(stderr, "scsictl: the service has ended the lease\n");
        return STATUS_FAILED;
}

enum status inhibit_run(sd_bus *bus, char *const *arguments, const struct options *options) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int lease = -1, r = lease_take(bus, arguments[0], options, &error, &lease);
        enum status status;

        if (r < 0)
                return bus_fail(&error, r);
        if (!arguments[1]) {
                status = wait_for_end(lease, options);
                close(lease);
                return status;
        }
        r = command_run(arguments + 1);
        close(lease);
        if (r < 0)
                fprintf(stderr, "scsictl: %s: %s\n", arguments[1], strerror(-r));
        return r < 0 ? STATUS_FAILED : (enum status)r;
}
