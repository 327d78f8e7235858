/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Leases: each keeps one scope free of attaching while somebody holds the other end of a pipe open,
 * as systemd-logind's inhibitors. It ends with its holder, however that ends, or with its timeout;
 * then the engine asks again what it held back. It does not end with the service, if the handler
 * keeps it (lease_kept, lease_dropped) and the next run restores it.
 */

#include <stdint.h>
#include <systemd/sd-bus.h>
#include <uv.h>

#include "dbus/lease_record.h"
#include "dbus/server.h"
#include "scan/engine.h"
#include "util/cleanup.h"

struct leases;

/* At once, of one user, of all users but root, and of root; each is a descriptor of the service. */
#define LEASES_PER_USER_MAX 64
#define LEASES_USERS_MAX 192
#define LEASES_ROOT_MAX 64

struct lease_request {
        const struct scope *scope;
        const char *scope_text;
        const char *who, *why;
        uint32_t uid;
        uint64_t timeout; /* µs, at most LEASE_TIMEOUT_MAX; 0: none */
};

struct leases *leases_new(struct engine *engine, const struct server_handler *handler);
void leases_start(struct leases *leases, uv_loop_t *loop);
/* Those that are left end without a word to the engine, or are kept; the loop has to run between
 * these two. */
void leases_stop(struct leases *leases);
void leases_free(struct leases *leases);
DEFINE_CLEANUP(struct leases *, leases_free)

/* 0 and the end that the holder is to get, or negative with `error` set: InvalidArgs for who, why
 * and the timeout; Limit; NotFound. */
int leases_check(const struct lease_request *request, sd_bus_error *error);
int leases_begin(struct leases *leases, const struct lease_request *request, int *ret_fd,
                 sd_bus_error *error);

/* One of an earlier run, before the engine starts: its id and record, as they were kept, and our
 * end of its pipe, which is taken over also on failure. 1 it is held again; 0 it is over; -EINVAL
 * it is no lease, -EEXIST, -errno. */
int leases_restore(struct leases *leases, uint64_t id, int fd, const char *record);

/* Rises with every lease that begins or ends. */
uint64_t leases_serial(const struct leases *leases);
/* a(sssu): scope, who, why, uid; oldest first. */
int leases_append(const struct leases *leases, sd_bus_message *message);
