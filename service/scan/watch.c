/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When a target is asked without anybody having asked for it: because of a unit attention, to see
 * something a second time, or because it has been silent for long.
 *
 * Arrays drop and collapse attentions, so any 29/xx, 2A/xx or 3F/xx may stand for a change of LUNs.
 * But every attach raises one, and a broken target may raise one with each command. So what such
 * asking brings decides how soon it is done again: a target whose answers do not change is asked
 * ever less often, until it has been quiet for a while.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/work.h"

struct watch {
        struct scsi_target_address address;
        bool wanted; /* ask when `due` has come */
        enum job_cause cause;
        uint64_t due;        /* µs, monotonic */
        uint64_t not_before; /* the next asking for a vague reason, µs, monotonic */
        uint64_t pause;      /* between those, µs */
        uint64_t poll_at;    /* µs, monotonic; UINT64_MAX for never */
        uint64_t guard_at;   /* µs, monotonic: look at what is replaced or missing; UINT64_MAX */
        unsigned quiet;      /* polls in a row that brought nothing */
        char *trouble;       /* what stood in the way of its last scan, NULL for nothing; owned */
        UT_hash_handle hh;
};

static struct watch *watch_find(struct planner *planner,
                                const struct scsi_target_address *address) {
        struct watch *watch;

        HASH_FIND(hh, planner->watches, address, sizeof(*address), watch);
        return watch;
}

static struct watch *watch_get(struct planner *planner, const struct scsi_target_address *address) {
        struct watch *watch = watch_find(planner, address);

        if (watch)
                return watch;
        watch = calloc(1, sizeof(*watch));
        if (!watch)
                return NULL;
        watch->address = *address;
        watch->poll_at = watch->guard_at = UINT64_MAX;
        HASH_ADD(hh, planner->watches, address, sizeof(watch->address), watch);
        return watch;
}

static void watch_drop(struct planner *planner, struct watch *watch) {
        HASH_DEL(planner->watches, watch);
        free(watch->trouble);
        free(watch);
}

void watch_free(struct planner *planner) {
        struct watch *watch, *next;

        HASH_ITER (hh, planner->watches, watch, next)
                watch_drop(planner, watch);
}

void watch_forget_host(struct planner *planner, uint32_t host) {
        struct watch *watch, *next;

        HASH_ITER (hh, planner->watches, watch, next)
                if (watch->address.host == host)
                        watch_drop(planner, watch);
}

static void want_by(struct planner *planner, struct watch *watch, enum job_cause cause,
                    uint64_t due) {
        if (!watch->wanted || due < watch->due) {
                watch->due = due;
                watch->cause = cause;
        } else {
                planner_count(planner, COUNTER_COALESCED);
        }
        watch->wanted = true;
        planner_wake_by(planner, watch->due);
}

/* 3F/0E is to the point and never waits long; the others may mean anything, mostly nothing. */
int watch_attention(struct planner *planner, const struct scsi_target_address *target,
                    enum unit_attention attention, struct scan_time now) {
        struct watch *watch = watch_get(planner, target);
        uint64_t longest = planner->limits->attention_pause_ms * UINT64_C(1000);
        uint64_t due;

        if (!watch)
                return -ENOMEM;
        due = watch->not_before > now.monotonic ? watch->not_before : now.monotonic;
        if (attention == ATTENTION_REPORTED_LUNS && due > now.monotonic + longest)
                due = now.monotonic + longest;
        want_by(planner, watch, CAUSE_UNIT_ATTENTION, due);
        return 0;
}

int watch_again(struct planner *planner, const struct scsi_target_address *target,
                uint64_t delay_usec, struct scan_time now) {
        struct watch *watch = watch_get(planner, target);

        if (!watch)
                return -ENOMEM;
        want_by(planner, watch, CAUSE_RESYNC, now.monotonic + delay_usec);
        return 0;
}

/* A few percent early or late, different for each target and turn, so that a thousand targets are
 * not asked in one breath. */
static uint64_t jitter(const struct watch *watch, uint64_t interval, uint64_t now) {
        uint64_t mix = (watch->address.host * UINT64_C(0x9e3779b97f4a7c15)) ^
                       (watch->address.target * UINT64_C(0xbf58476d1ce4e5b9)) ^
                       (now * UINT64_C(0x94d049bb133111eb));

        mix ^= mix >> 31;
        return interval - interval / 8 + mix % (interval / 4 + 1);
}

/* A target of which nothing is attached is asked through something that is attached for that and
 * goes again: 64 times less often at last. */
#define QUIET_ALONE_MAX 6

static unsigned poll_shift(const struct planner *planner, const struct watch *watch) {
        const struct target *target = topology_target(planner->topology, &watch->address);

        if (policy_rule_count(planner->policy) > 0 && (!target || target->device_count == 0))
                return watch->quiet < QUIET_ALONE_MAX ? watch->quiet : QUIET_ALONE_MAX;
        return watch->quiet < 2 ? 0 : watch->quiet < 4 ? 1 : 2;
}

static void poll_next(struct planner *planner, struct watch *watch, bool changed, uint64_t now) {
        uint64_t interval = judge_poll_interval(planner, &watch->address) * UINT64_C(1000);

        watch->quiet = changed ? 0 : watch->quiet + 1;
        if (interval == 0) {
                watch->poll_at = UINT64_MAX;
                return;
        }
        interval <<= poll_shift(planner, watch);
        watch->poll_at = now + jitter(watch, interval, now);
        planner_wake_by(planner, watch->poll_at);
}

/* Somebody else attached something there: it has not been asked, and is to be, in its turn. */
int watch_seen(struct planner *planner, const struct scsi_target_address *target, uint64_t now) {
        struct watch *watch = watch_find(planner, target);

        if (watch)
                return 0;
        watch = watch_get(planner, target);
        if (!watch)
                return -ENOMEM;
        poll_next(planner, watch, true, now);
        return 0;
}

int watch_answered(struct planner *planner, const struct scsi_target_address *target, bool changed,
                   bool watched, struct scan_time now) {
        const struct policy_limits *limits = planner->limits;
        uint64_t longest = limits->attention_pause_max_ms * UINT64_C(1000);
        struct watch *watch = watch_find(planner, target);
        bool quiet;

        if (!watch && !topology_target(planner->topology, target))
                return 0; /* nothing came to light there */
        watch = watch_get(planner, target);
        if (!watch)
                return -ENOMEM;
        quiet = now.monotonic > watch->not_before + 2 * watch->pause;
        if (changed || quiet || watch->pause == 0)
                watch->pause = limits->attention_pause_ms * UINT64_C(1000) / 4;
        else if (watched)
                watch->pause = watch->pause * 2 < longest ? watch->pause * 2 : longest;
        watch->not_before = now.monotonic + watch->pause;
        poll_next(planner, watch, changed, now.monotonic);
        return 0;
}

int watch_failed(struct planner *planner, const struct scsi_target_address *target,
                 const char *trouble) {
        struct watch *watch = watch_find(planner, target);

        if (!watch)
                return 0;
        free(watch->trouble);
        watch->trouble = trouble ? strdup(trouble) : NULL;
        return trouble && !watch->trouble ? -ENOMEM : 0;
}

const char *watch_trouble(const struct planner *planner, const struct scsi_target_address *target) {
        const struct watch *watch = watch_find((struct planner *)planner, target);

        return watch ? watch->trouble : NULL;
}

/* ---- what was replaced, and what is missing and in use ---- */

/*
 * The kernel lets a device run again when its iSCSI session or FC port returns, also one that was
 * stopped: BLOCK takes the place of OFFLINE while the port is away (scsi_device_set_state()), and
 * no uevent tells. And nothing tells when the last holder of a device lets it go. So these few are
 * looked at, which costs no command, and the more there are the less often.
 */
#define GUARD_USEC UINT64_C(1000000)
#define GUARD_BLOCKED_USEC UINT64_C(100000) /* its port is away, and may return at any moment */
#define GUARD_AT_ONCE 256

int watch_guard(struct planner *planner, const struct scsi_target_address *target) {
        struct watch *watch = watch_get(planner, target);

        if (!watch)
                return -ENOMEM;
        if (watch->guard_at == UINT64_MAX)
                watch->guard_at = planner->now + GUARD_USEC;
        planner_wake_by(planner, watch->guard_at);
        return 0;
}

static bool is_about_to_run(const struct device *device) {
        return device->standing == STANDING_REPLACED && strcmp(device->facts.state, "offline") != 0;
}

static int guard_look(struct planner *planner, struct watch *watch, struct scan_time now) {
        const struct target *target = topology_target(planner->topology, &watch->address);
        const struct device *device;
        struct target_work *work;
        uint64_t pause = GUARD_USEC;
        unsigned count = 0;
        int r = 0;

        watch->guard_at = UINT64_MAX;
        if (!target || target->host->stuck)
                return 0;
        TAILQ_FOREACH (device, &target->devices, entry) {
                if (device->standing < STANDING_MISSING && !device->due)
                        continue;
                count++;
                if (is_about_to_run(device))
                        pause = GUARD_BLOCKED_USEC;
                if (r >= 0)
                        r = target_work_get(planner, &watch->address, &work);
                if (r >= 0)
                        r = device_work_look(planner, work, device->address.lun);
        }
        if (count > 0)
                watch->guard_at = now.monotonic + pause * (1 + count / GUARD_AT_ONCE);
        return r;
}

/* ---- now ---- */

/* Who waits for everything to settle waits for so much. */
#define SOON_USEC UINT64_C(2000000)

static bool is_due_soon(const struct planner *planner, const struct watch *watch) {
        return watch->wanted && watch->due <= planner->now + SOON_USEC;
}

bool watch_is_due_soon(const struct planner *planner, const struct scsi_target_address *target) {
        const struct watch *watch;

        if (target) {
                watch = watch_find((struct planner *)planner, target);
                return watch && is_due_soon(planner, watch);
        }
        for (watch = planner->watches; watch; watch = watch->hh.next)
                if (is_due_soon(planner, watch))
                        return true;
        return false;
}

/* What hangs cannot be asked, and is asked about everything when it no longer does. */
static bool is_stuck(const struct planner *planner, const struct watch *watch) {
        const struct host *host = topology_host(planner->topology, watch->address.host);

        return host && host->stuck;
}

static int watch_due(struct planner *planner, struct watch *watch, struct scan_time now) {
        enum job_cause cause =
                watch->wanted && watch->due <= now.monotonic ? watch->cause : CAUSE_POLL;

        watch->wanted = false;
        watch->poll_at = UINT64_MAX; /* set again by the answer */
        if (is_stuck(planner, watch)) {
                poll_next(planner, watch, false, now.monotonic);
                return 0;
        }
        return planner_scan_target(planner, &watch->address, cause, now);
}

int watch_run(struct planner *planner, struct scan_time now) {
        struct watch *watch, *next;
        int r = 0;

        HASH_ITER (hh, planner->watches, watch, next) {
                bool due = watch->wanted && watch->due <= now.monotonic;

                if (!topology_target(planner->topology, &watch->address) && !watch->wanted) {
                        watch_drop(planner, watch);
                        continue;
                }
                if ((due || watch->poll_at <= now.monotonic) && r >= 0)
                        r = watch_due(planner, watch, now);
                if (watch->guard_at <= now.monotonic && r >= 0)
                        r = guard_look(planner, watch, now);
                if (watch->wanted)
                        planner_wake_by(planner, watch->due);
                planner_wake_by(planner, watch->poll_at);
                planner_wake_by(planner, watch->guard_at);
        }
        return r;
}
