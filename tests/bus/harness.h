/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The real daemon on a system bus of its own, with a simulated machine for a kernel. Everything is
 * in a directory of its own, so any number of these can run side by side; what was started ends
 * with the test, however that ends.
 */

#include "client.h"
#include "keeper.h"
#include "sim/sim_server.h"

struct harness;

#define NOBODY 65534

/* Within which what was done by others is seen: a second is promised, and this machine may be
 * slow. In µs. */
#define HARNESS_FOLLOWS (5 * G_USEC_PER_SEC)

/* Before anything else in main(): who is not root becomes root in a user namespace, so that the
 * bus's rules hold. Ends the program as skipped where that cannot be; gives the whole program a
 * time limit. */
void harness_init(int *argc, char ***argv);

/* A bus and the machine, which is the harness's from here on; no daemon yet. */
struct harness *harness_new(struct sim_machine *machine);
/* Ends the daemon, if it runs, which must go well. */
void harness_free(struct harness *harness);

/* A machine of so many scsi_debug-like hosts, with `targets` targets of `luns` disks each. */
struct sim_machine *machine_new(uint32_t hosts, uint32_t targets, uint32_t luns);

struct daemon_start {
        const char *mode;  /* NULL: owner */
        bool restore_scan; /* --restore-scan */
        unsigned deadline; /* seconds; 0: the daemon's own */
        unsigned
                interval; /* ms, --attention-interval and --confirm-interval; 0: the daemon's own */
        /* As systemd starts it: where it is to say how it is, NULL for nowhere; within how many µs,
         * 0 for no watchdog; a uevent socket instead of the machine's own, 0 for none; and who
         * keeps what it is to be passed again, and is told how it is instead, NULL for nobody. */
        const char *notify;
        unsigned watchdog;
        int listen_fd;
        struct keeper *keeper;
};

/* Starts it, and does not wait. */
void harness_start(struct harness *harness, struct daemon_start start);
/* Until it is on the bus and has looked at everything. */
void harness_wait_ready(struct harness *harness);
/* harness_new(), an owner, and ready. */
struct harness *harness_boot(struct sim_machine *machine);
/* SIGTERM; it has to end by itself, and with status 0. Returns after how many µs. */
gint64 harness_stop(struct harness *harness);
/* SIGKILL, and nothing of it is left, nor of its workers. */
void harness_kill(struct harness *harness);
/* SIGHUP. */
void harness_hang_up(struct harness *harness);
bool harness_runs(const struct harness *harness);
/* Of the daemon, which runs: decimal, owned by the harness. */
const char *harness_pid(const struct harness *harness);
/* Waits until the daemon has said that on its standard error. */
void harness_wait_log(struct harness *harness, const char *part);
/* How often it has said that so far. */
unsigned harness_count_log(struct harness *harness, const char *part);

/* Begins a client program, whose path that environment variable has, with these words: it talks to
 * the harness's bus. */
GSubprocess *harness_spawn(const struct harness *harness, const char *variable, const char *words,
                           GSubprocessFlags flags);

void harness_bus_start(struct harness *harness);
void harness_bus_stop(struct harness *harness);

struct sim_server *harness_sim(struct harness *harness);
const char *harness_address(const struct harness *harness);
/* A file among the daemon's locks. */
char *harness_runtime_path(const struct harness *harness, const char *name);
/* A file of its policy, in a directory that is not there yet: nothing on this machine counts. */
char *harness_policy_path(const struct harness *harness, const char *name);
/* A file of its state, or where that is. */
char *harness_state_path(const struct harness *harness, const char *name);
/* A client that is root, made when it is first asked for. It goes with its bus. */
struct client *harness_client(struct harness *harness);

/* The addresses of what the service says is attached, as sim_attached() has them. */
char *harness_seen(struct harness *harness);
/* All is quiet, and what the service says is attached is what the kernel has, or soon will be. */
void harness_check(struct harness *harness);
/* And that is all that can be. */
void harness_check_complete(struct harness *harness);
