/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * May the caller do this? Who it is the fair queue knows; polkit is asked whether it may, without
 * waiting for the answer. A method call is parsed and checked before, and continues after, when the
 * objects it named may be gone or others. Root may do everything; everybody else what polkit
 * allows, and nothing where there is no polkit. The caller may leave meanwhile: then nothing is
 * done, and polkit is told so.
 */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "dbus/details.h"
#include "dbus/fair_queue.h"
#include "util/cleanup.h"

struct callers;

/* Polkit is being asked about so many at once, at all and of one user: a dialog may stay open for
 * ever. The bus allows 128 calls without a reply to one connection. Root is not asked about. */
#define CALLERS_MAX 64
#define CALLERS_PER_USER_MAX 8

/* The call goes on: it is answered in here or later, or `error` is set and a negative errno
 * returned. */
typedef int (*caller_go)(sd_bus_message *call, uint32_t uid, void *request, sd_bus_error *error);

struct caller_request {
        const char *action;     /* "org.scsiscan1.scan": what the caller wants to do; static */
        struct details details; /* taken over */
        uint32_t owner;         /* who may without being asked about, beside root; 0: nobody */
        caller_go go;
        void *request;
        void (*request_free)(void *request);
};

/* The queue is where their calls come from; it has to live as long. */
struct callers *callers_new(const struct fair_queue *queue);
/* Nobody may be asked about any more. */
void callers_free(struct callers *callers);
DEFINE_CLEANUP(struct callers *, callers_free)

/* 1 when done or under way, as a method handler returns it, or negative with `error` set;
 * `request->request` and `request->details` are taken over in any case. */
int callers_authorize(struct callers *callers, sd_bus_message *call,
                      const struct caller_request *request, sd_bus_error *error);

/* The sender has left the bus; all have, for there is no bus. */
void callers_leave(struct callers *callers, const char *sender);
void callers_leave_all(struct callers *callers);
