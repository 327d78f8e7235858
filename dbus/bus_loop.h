/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sd-bus on libuv: one connection to the system bus ($DBUS_SYSTEM_BUS_ADDRESS, else its well-known
 * socket), made without ever waiting, and made anew when it is lost.
 */

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <uv.h>

#include "util/cleanup.h"

struct bus_loop;

struct bus_loop_handler {
        /* A new connection, not yet started: put on it what is to be served. When this returns
         * a negative errno the connection is given up and tried again later. */
        int (*prepare)(sd_bus *bus, void *userdata);
        /* The bus knows us: from here on there is somebody to talk to. */
        void (*connected)(sd_bus *bus, void *userdata);
        /* There is nothing to be read any more, or a poll is near: whether there is something to be
         * processed all the same, which was put off. */
        bool (*idle)(sd_bus *bus, void *userdata);
        /* The connection of the last `prepare` ends: let go of every message and slot of it. */
        void (*lost)(void *userdata);
        void *userdata;
};

struct bus_loop *bus_loop_new(const struct bus_loop_handler *handler);
/* Makes the first attempt, from the loop. */
void bus_loop_start(struct bus_loop *bus_loop, uv_loop_t *loop);

/* Gives the connection up before the next poll, to be made anew: for a caller that can no longer
 * tell the bus what is so. Safe inside a callback of the connection. */
void bus_loop_reset(struct bus_loop *bus_loop);

/* Writes what can be written without waiting and closes; the loop has to run before
 * bus_loop_free(). */
void bus_loop_stop(struct bus_loop *bus_loop);
void bus_loop_free(struct bus_loop *bus_loop);
DEFINE_CLEANUP(struct bus_loop *, bus_loop_free)
