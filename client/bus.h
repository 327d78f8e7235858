/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Calls to the service. What goes wrong is told on stderr, in words and with what to do about it,
 * by bus_fail() alone; the other functions leave it to their caller to ask for that.
 */

#include <json-c/json.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "client/options.h"

/* Tells what went wrong, from the error if it is set, else from -errno. */
enum status bus_fail(const sd_bus_error *error, int r);

/* The system bus, whose end ends an event loop as well. 0 or -errno. */
int bus_open(sd_bus **ret);

/* All properties of one interface: {property: value}. */
int bus_get_properties(sd_bus *bus, const char *path, const char *interface, sd_bus_error *error,
                       struct json_object **ret);

/* Everything: {path: {interface: {property: value}}}; in pages, where it is too much for one reply.
 */
int bus_get_objects(sd_bus *bus, sd_bus_error *error, struct json_object **ret);

/* Topology.Find: an array of paths. */
int bus_find(sd_bus *bus, const char *key, sd_bus_error *error, struct json_object **ret);

/* A call that changes something, to a method of the root object; to be filled in. What answers it
 * may have to wait for a person, so it is to have no timeout. */
int bus_call_new(sd_bus *bus, const char *interface, const char *method,
                 const struct options *options, sd_bus_message **ret);

/* Makes such a call that is answered with a job: its path, to be freed. */
int bus_call_for_job(sd_bus *bus, sd_bus_message *call, sd_bus_error *error, char **ret_job);
/* The path in such an answer. */
int bus_read_job(sd_bus_message *reply, char **ret_job);

/* Calls the handler for every signal of the service below that path. */
int bus_follow(sd_bus *bus, const char *path, sd_bus_message_handler_t handler, void *userdata);

/* Calls the handler when the service comes, goes or is replaced (NameOwnerChanged). */
int bus_follow_owner(sd_bus *bus, sd_bus_message_handler_t handler, void *userdata);

/* 1 if the service is there, 0 if not. */
int bus_has_owner(sd_bus *bus, sd_bus_error *error);

/* An event loop for that bus, which ends with -EINTR at SIGINT and SIGTERM. */
int bus_loop_new(sd_bus *bus, sd_event **ret);
