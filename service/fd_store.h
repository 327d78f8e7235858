/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What systemd keeps for the service while that does not run (FileDescriptorStoreMax=): of each
 * lease, under one name, our end of its pipe and a memfd with its record. Nobody else has these, so
 * that a lease ends with its holder all the same; and what is passed at the start is sorted here.
 */

#include <stddef.h>
#include <stdint.h>

struct kept_lease;

/* What was passed, and is not taken yet. */
struct fd_store {
        struct kept_lease *leases;
        size_t count;
};

/* Takes what systemd passes: leases, and a uevent socket where *uevent_fd is -1. Whatever else it
 * is has no use: it is closed, and no longer kept. */
void fd_store_take(struct fd_store *store, int *uevent_fd);
/* Hands out each lease once: the descriptor is taken over also on failure; 1 when the lease is held
 * again, else it is no longer kept, and of a negative answer is told. */
void fd_store_restore(struct fd_store *store,
                      int (*restore)(uint64_t id, int fd, const char *record, void *userdata),
                      void *userdata);
/* And what was not handed out stays where it is kept. */
void fd_store_done(struct fd_store *store);

/* Where there is nobody who keeps it, that is no error: 0, -errno. */
int fd_store_keep(uint64_t id, int fd, const char *record);
void fd_store_drop(uint64_t id);
