/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A server on a bus of its own (a dbus-daemon of type system), in this process: the engine is fed
 * from a made-up machine, the client is GDBus, and both loops turn in fixture_turn().
 */

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "dbus/names.h"
#include "dbus/server.h"
#include "scan/engine.h"

/* A logical unit of the made-up machine. */
struct fake_device {
        const char *address;
        const char *identity; /* "" for none */
        bool attached;        /* the kernel has it */
        bool reported;        /* its target lists it */
        bool deaf;            /* attaching it never works */
        const char *holder;   /* who holds it, NULL for nobody */
};

#define FAKE_DEVICES_MAX 64

struct fake_machine {
        uint32_t hosts[4];
        size_t host_count;
        struct fake_device devices[FAKE_DEVICES_MAX];
        size_t device_count;
        const char *holder; /* of every device, NULL for none */
        bool nodeless;      /* no device has a block node as yet */
};

struct received {
        char *path, *interface, *member;
        GVariant *parameters;
};

struct fixture {
        char *folder, *address;
        GSubprocess *bus;
        GDBusConnection *client;
        guint subscription;  /* the client's, to every signal of the service */
        GPtrArray *received; /* struct received, every signal of the service, in order */
        uv_loop_t loop;
        struct engine *engine;
        struct server *server;
        struct fake_machine machine;
        bool hold; /* steps stay without an answer */
        GArray *held;
        bool quiet;         /* nothing is published */
        bool unheard;       /* the kernel has said something that is heard at the next poke */
        unsigned refreshed; /* devices that were read anew */
        const char *rules;  /* what the policy's file holds, NULL: nothing */
        struct policy *policy;
        uint64_t ahead; /* µs that the clock is ahead */
        bool poked;
        unsigned told; /* publications that are complete */
};

struct fixture *fixture_new(bool owner);
void fixture_free(struct fixture *fixture);

/* The first pass over the machine, published. */
void fixture_boot(struct fixture *fixture);
/* What the made-up machine makes of the step goes into the engine. */
void fixture_answer(struct fixture *fixture, const struct step *step);
/* The time, as the engine takes it. */
struct scan_time fixture_now(void *userdata);
/* The policy's file is fixture->rules: server_handler's reload() and read_policy(). */
int fixture_reload(uint32_t uid, char **ret_error, void *userdata);
int fixture_read_policy(struct policy **ret, char **ret_error, void *userdata);
/* Answers steps until there are none, and publishes. */
void fixture_work(struct fixture *fixture);
void fixture_publish(struct fixture *fixture);
void fixture_event(struct fixture *fixture, enum event_kind kind, const char *address,
                   enum unit_attention attention);
struct fake_device *fixture_device(struct fixture *fixture, const char *address);

void fixture_turn(struct fixture *fixture);
/* Turns until `done` is true; a test that waits longer than this has failed. */
#define FIXTURE_PATIENCE_USEC INT64_C(60000000)
#define FIXTURE_UNTIL(fixture, done)                                                               \
        do {                                                                                       \
                gint64 until_ = g_get_monotonic_time() + FIXTURE_PATIENCE_USEC;                    \
                while (!(done)) {                                                                  \
                        g_assert_cmpint(g_get_monotonic_time(), <, until_);                        \
                        fixture_turn(fixture);                                                     \
                }                                                                                  \
        } while (0)

void fixture_bus_start(struct fixture *fixture);
void fixture_bus_kill(struct fixture *fixture);
/* Connects the client and waits for the name. */
void fixture_connect(struct fixture *fixture);
void fixture_disconnect(struct fixture *fixture);

struct pending {
        bool done;
        GVariant *reply;
        GError *error;
};

struct pending *fixture_call_begin(struct fixture *fixture, GDBusConnection *client,
                                   const char *path, const char *interface, const char *method,
                                   GVariant *arguments);
void pending_free(struct pending *pending);

/* The reply, NULL with *error set (which may be NULL: then an error fails the test). */
GVariant *fixture_call(struct fixture *fixture, const char *path, const char *interface,
                       const char *method, GVariant *arguments, GError **error);
GVariant *fixture_get(struct fixture *fixture, const char *path, const char *interface,
                      const char *property);
/* The call fails with that D-Bus error, and its message holds `part`. */
void fixture_refuses(struct fixture *fixture, const char *path, const char *interface,
                     const char *method, GVariant *arguments, const char *name, const char *part);

/* Index of the first such signal from `from` on, -1 when there is none. path may be NULL. */
int fixture_signal(const struct fixture *fixture, unsigned from, const char *path,
                   const char *member);
const struct received *fixture_received(const struct fixture *fixture, int index);
/* Forgets what was received, after everything sent so far has arrived. */
void fixture_forget(struct fixture *fixture);
/* Everything that was sent so far has arrived. */
void fixture_sync(struct fixture *fixture);

/* ---- one machine that most tests begin with: two paths to one unit, and a LUN that is reported
 * and not attached ---- */

#define FAKE_HOST SCSISCAN_PATH_HOST "/3"
#define FAKE_TARGET SCSISCAN_PATH_TARGET "/3_0_1"
#define FAKE_DEVICE_0 SCSISCAN_PATH_DEVICE "/3_0_1_0"
#define FAKE_DEVICE_1 SCSISCAN_PATH_DEVICE "/3_0_1_1"
#define FAKE_DEVICE_2 SCSISCAN_PATH_DEVICE "/3_0_1_2" /* not attached */
#define FAKE_UNIT_A SCSISCAN_PATH_UNIT "/naa_2e6000a" /* of devices 0 and 1 */
#define FAKE_UNIT_B SCSISCAN_PATH_UNIT "/naa_2e6000b" /* of device 2 */
#define FAKE_BOOT_JOB SCSISCAN_PATH_JOB "/1"

#define NO_OPTIONS "@a{sv} {}"

extern const struct fake_machine fake_machine;

/* An observer beside that machine, booted and on the bus. */
struct fixture *fixture_set_up(void);

/* Skips the test when false: requests that change something are root's. */
bool fixture_is_root(void);

/* As text; of object paths in order and with blanks between, because the contract promises no
 * order. */
char *fixture_print(GVariant *value);
void fixture_assert_value(struct fixture *fixture, const char *path, const char *interface,
                          const char *property, const char *expected);
/* The signal at `index` came from there, with these arguments (as g_variant_print() has them). */
void fixture_assert_received(struct fixture *fixture, int index, const char *path,
                             const char *expected);
/* Scan.Scan: the job. */
char *fixture_scan(struct fixture *fixture, const char *scope, const char *options);
/* Scan.Settle answers so. */
void fixture_assert_settles(struct fixture *fixture, const char *arguments, const char *expected);
