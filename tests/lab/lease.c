/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Holds a lease of org.scsiscan1.Hotplug.Inhibit, as an orchestrator does, until it is killed; says
 * "held" when it has it, and ends with "ended" when the service ends the lease.
 */

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

static int complain(const char *what) {
        fprintf(stderr, "lease: %s\n", what);
        return EXIT_FAILURE;
}

/* Only the end of the lease wakes: nobody writes into it. */
static int hold(int lease) {
        struct pollfd end = {.fd = lease};

        puts("held");
        fflush(stdout);
        while (poll(&end, 1, -1) < 0)
                continue;
        puts("ended");
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        sd_bus *bus = NULL;
        int lease, r;

        if (argc != 3) {
                fputs("lease SCOPE SECONDS    (0 SECONDS: until it is killed)\n", stderr);
                return 2;
        }
        r = sd_bus_open_system(&bus);
        if (r < 0)
                return complain(strerror(-r));
        r = sd_bus_call_method(bus, "org.scsiscan1", "/org/scsiscan1", "org.scsiscan1.Hotplug",
                               "Inhibit", &error, &reply, "ssst", argv[1], "lab",
                               "unmaps what it detaches",
                               (uint64_t)strtoull(argv[2], NULL, 10) * 1000000);
        if (r < 0)
                return complain(error.message ? error.message : strerror(-r));
        r = sd_bus_message_read(reply, "h", &lease);
        if (r < 0)
                return complain(strerror(-r));
        return hold(lease);
}
