/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who holds leases, and what everybody is told of them. */

#include "harness.h"

#define NO_LEASES "@a(sssu) []"

/* A connection of that user's; it is not told of anything. */
GDBusConnection *holder_join(struct harness *harness, uid_t uid);
void holder_leave(GDBusConnection *connection);

/* Inhibit: the descriptor, or -1 with *error. */
int holder_inhibit_text(GDBusConnection *connection, const char *scope, const char *who,
                        const char *why, guint64 timeout, GError **error);
/* By "test", "to see", which must go well. */
int holder_inhibit(GDBusConnection *connection, const char *scope, guint64 timeout);
/* The service has ended the lease. */
bool holder_is_over(int fd);

/* Leases, as GVariant prints it. */
bool holder_has_leases(struct harness *harness, const char *wanted);
void holder_assert_leases(struct harness *harness, const char *wanted);
