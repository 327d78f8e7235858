/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A system bus of a test's own, with the rules of the stock one that matter here: dbus-daemon, or
 * what $SCSISCAN_TEST_BROKER names, "dbus-daemon" or "dbus-broker". It ends with the test's main
 * thread, which has to be the one that starts it.
 */

#include <stdbool.h>

struct bus;

/* All that is its own is kept in that directory. Not started yet. */
struct bus *bus_new(const char *directory);
/* It has been stopped. */
void bus_free(struct bus *bus);

/* Until it answers; that it cannot be started fails the test. */
void bus_start(struct bus *bus);
/* Without a word to anybody, and nothing of it is left. */
void bus_stop(struct bus *bus);
bool bus_runs(const struct bus *bus);

const char *bus_address(const struct bus *bus);
