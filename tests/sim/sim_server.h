/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The simulated machine over sockets, for tests of a whole daemon. On a thread of its own it
 *  - serves the workers that stand in for scsiscan-worker (`sim-worker`, see relay.c),
 *  - keeps a directory that looks like bus/scsi/devices of sysfs, with an entry per host, target
 * and device,
 *  - sends the machine's uevents in the format of the kernel's netlink socket, one a message,
 * before the call that caused them returns (as far as the socket has room).
 *
 * The machine is the server's from start to stop: whoever changes or asks it holds the lock.
 *
 *      struct sim_machine *machine = sim_server_lock(server);
 *      sim_map(machine, target, 5, &unit);
 *      sim_server_unlock(server);
 */

#include "sim/machine.h"

struct sim_server;

struct sim_server *sim_server_start(struct sim_machine *machine);
/* Ends the workers' connections, removes the directory, and gives the machine back to the caller.
 */
void sim_server_stop(struct sim_server *server);

struct sim_machine *sim_server_lock(struct sim_server *server);
/* What was held is served soon after, as far as it can be by now. */
void sim_server_unlock(struct sim_server *server);

/* Value of the environment variable SCSISCAN_SIM for sim-worker. */
const char *sim_server_socket(const struct sim_server *server);
/* Stands for /sys. */
const char *sim_server_root(const struct sim_server *server);
/* The reading end of the uevents (SOCK_SEQPACKET, close-on-exec); stays the server's. Nothing is
 * lost in it. */
int sim_server_uevent_fd(const struct sim_server *server);
/* While muted, uevents are lost. */
void sim_server_mute_uevents(struct sim_server *server, bool muted);

/* Whether a host's kernel calls hang. */
void sim_server_hang_host(struct sim_server *server, uint32_t host, bool hangs);
/* The worker of that host dies. Returns how many there were. */
unsigned sim_server_kill_relay(struct sim_server *server, uint32_t host);
/* Workers that are connected for that host, and requests of theirs that are held. */
unsigned sim_server_relays(struct sim_server *server, uint32_t host);
unsigned sim_server_held(struct sim_server *server, uint32_t host);
