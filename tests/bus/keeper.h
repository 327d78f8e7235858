/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * systemd's file descriptor store: it listens where the daemon says how it is (NOTIFY_SOCKET),
 * keeps what it is sent under the names that come with it, and lets go of a name when it is told
 * to.
 */

#include <glib.h>

struct keeper;

/* Listens there; path is copied. */
struct keeper *keeper_new(const char *path);
void keeper_free(struct keeper *keeper);

const char *keeper_path(const struct keeper *keeper);
/* As if the daemon had sent it; the descriptor is the keeper's from here on. */
void keeper_put(struct keeper *keeper, const char *name, int fd);
/* Copies of what it keeps, the newest first, as systemd passes them: returns how many, and their
 * names parted by colons. */
guint keeper_pass(struct keeper *keeper, int **ret_fds, char **ret_names);
/* How many it keeps under that name; NULL: under any. */
guint keeper_count(struct keeper *keeper, const char *name);
