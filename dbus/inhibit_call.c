/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/inhibit_call.h"
#include "dbus/key.h"
#include "dbus/names.h"
#include "dbus/server_private.h"

struct inhibit_call {
        struct server *server;
        struct scope scope;
        struct lease_request lease; /* its texts are in the message */
};

static void inhibit_call_free(void *request) {
        struct inhibit_call *inhibit = request;

        scope_done(&inhibit->scope);
        free(inhibit);
}

/* The message that answers has a descriptor of its own; ours goes with this function, so a holder
 * that does not get his has no lease. */
static int on_allowed(sd_bus_message *call, uint32_t uid, void *userdata, sd_bus_error *error) {
        struct inhibit_call *inhibit = userdata;
        _cleanup_(closep) int fd = -1;
        int r;

        inhibit->lease.scope = &inhibit->scope;
        inhibit->lease.uid = uid;
        r = leases_begin(inhibit->server->leases, &inhibit->lease, &fd, error);
        return r < 0 ? r : sd_bus_reply_method_return(call, "h", fd);
}

static int read_arguments(struct inhibit_call *inhibit, sd_bus_message *call,
                          struct details *details, sd_bus_error *error) {
        const struct topology *topology = engine_topology(inhibit->server->config.engine);
        struct lease_request *lease = &inhibit->lease;
        int r = sd_bus_message_read(call, "ssst", &lease->scope_text, &lease->who, &lease->why,
                                    &lease->timeout);

        if (r >= 0)
                r = key_parse_existing(lease->scope_text, topology, &inhibit->scope, error);
        if (r >= 0)
                r = leases_check(lease, error);
        if (r >= 0)
                r = details_set_scope(details, &inhibit->scope, lease->scope_text, topology);
        return r;
}

int inhibit_call(struct server *server, sd_bus_message *call, sd_bus_error *error) {
        struct inhibit_call *inhibit = calloc(1, sizeof(*inhibit));
        struct caller_request request = {
                .action = SCSISCAN_ACTION_INHIBIT,
                .go = on_allowed,
                .request = inhibit,
                .request_free = inhibit_call_free,
        };
        int r;

        if (!inhibit)
                return -ENOMEM;
        inhibit->server = server;
        r = read_arguments(inhibit, call, &request.details, error);
        if (r < 0) {
                details_done(&request.details);
                inhibit_call_free(inhibit);
                return r;
        }
        return callers_authorize(server->callers, call, &request, error);
}
