/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The face: the contract of org.scsiscan1 served on the system bus from the engine's topology and
 * jobs. Nothing here blocks and nothing here decides; a method's request goes into the engine, and
 * what comes of it is published when the daemon calls server_publish().
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "scan/engine.h"
#include "util/cleanup.h"

struct server;

/* A counter of somebody else's to be shown in Scan.Counters. */
struct server_counter {
        const char *name;
        uint64_t value;
};

struct server_handler {
        /* Something went into the engine, or somebody waits to hear that it is settled: steps may
         * be due, and server_publish() is. Called within a method call, must not publish at once.
         */
        void (*poked)(void *userdata);
        /* What server_publish() began is complete. */
        void (*told)(void *userdata);
        /* The time, as the engine takes it. */
        struct scan_time (*now)(void *userdata);
        /* Counters beside the engine's own, at most max; returns how many. */
        size_t (*counters)(struct server_counter *counters, size_t max, void *userdata);
        /* Reads the policy anew, for that user: 0 when it holds and server_set_policy() was called;
         * else nothing has changed, and it is -EBUSY (too many jobs), -ENOMEM, or another -errno
         * with a sentence in *ret_error (owned). */
        int (*reload)(uint32_t uid, char **ret_error, void *userdata);
        /* What would hold then, owned by the caller; errors as those of reload(). */
        int (*read_policy)(struct policy **ret, char **ret_error, void *userdata);
        /* For the log, and each may be NULL. A job has ended; an object changed, which is called
         * before anybody is told; something is told by a signal of its own. */
        void (*job_ended)(const struct job *job, void *userdata);
        void (*changed)(const struct change *change, void *userdata);
        void (*noticed)(const struct notice *notice, void *userdata);
        /* Keeps a lease for the next run of the service, or no more; NULL where nobody can. The end
         * of its pipe stays the server's; the text is for server_restore_lease(). 0 or -errno. */
        int (*lease_kept)(uint64_t id, int fd, const char *text, void *userdata);
        void (*lease_dropped)(uint64_t id, void *userdata);
        void *userdata;
};

struct server_config {
        struct engine *engine;
        bool owner;                  /* Scan.Mode */
        const char *mode_reason;     /* Scan.ModeReason, until server_set_mode() */
        bool no_bus;                 /* there will be none: publications are for the handler only */
        const struct policy *policy; /* Policy.Rules; NULL for none */
        /* Where it begins: one that no earlier run of the service has come to, so that nobody takes
         * a generation for another one of that number. */
        uint64_t generation;
};

/* Connects without waiting: no bus yet (early boot) is no error, the name is taken when the bus is
 * there; a bus that goes away is tried again. 0 or -errno. */
int server_new(uv_loop_t *loop, const struct server_config *config,
               const struct server_handler *handler, struct server **ret);

/* Before the engine starts: a lease that an earlier run has kept. The descriptor is taken over,
 * also on failure. 1 it is held again; 0 it is over; -errno. Unless it is held it is to be dropped.
 */
int server_restore_lease(struct server *server, uint64_t id, int fd, const char *text);

struct server_publication {
        /* Everything that the kernel has said is in the engine: who waits for a scope to settle is
         * told of what is so now. */
        bool heard;
        /* Much is about to change: leave the topology for the next time, so that it is told
         * together, unless somebody would be told of objects that nobody knows. */
        bool held;
};

/* Publishes what changed since last time: removed objects, added ones, properties, one Changed with
 * the next generation; then what is told by a signal alone; then jobs; then answers calls that
 * waited for what is now so, and one of those that ask for many objects.
 *
 * That may take more time than the loop has at once, and goes on from the loop then: nothing may go
 * into the engine that changes the topology until told() is called. Which is called in any case. */
void server_publish(struct server *server, const struct server_publication *what);
/* It is not complete. */
bool server_is_telling(const struct server *server);
/* Better published now than at some pace: somebody asks for many objects, or a job is new, which is
 * told before anything that comes of it. */
bool server_is_urgent(const struct server *server);

/* That policy holds from here on, until the next call: tells everybody. */
void server_set_policy(struct server *server, const struct policy *policy);

/* The reason lives as long as the server or until the next call. It is told with the next
 * publication. */
void server_set_mode(struct server *server, bool owner, const char *reason);

/* Flushes what can be flushed without waiting and closes; the loop must run until the handles are
 * gone before server_free(). */
void server_stop(struct server *server);
void server_free(struct server *server);
