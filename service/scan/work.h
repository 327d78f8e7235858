/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The planner's memory: what is wanted, and what is in flight, by host and target. Private to the
 * engine; a few files share it, one for each kind of work. Work exists while there is any: what
 * rests has none, so an idle machine costs its topology and one host_work for each host.
 *
 *     planner.c      turns events and requests into work, and hands out steps
 *     orders.c       turns what is to be done with devices into work
 *     host_work.c    reads hosts, and walks their targets when a host is to be scanned
 *     target_work.c  what is wanted of a target; with target_scan.c and target_answer.c, one scan
 *                    of it: first contact, REPORT LUNS, attach, verify
 *     device_work.c  what is wanted of a device, and the work on it stage by stage
 *     admission.c    what may be attached
 *     inhibit.c      what is not to be attached while somebody holds a lease
 *     watch.c        when a target is asked or looked at, unasked
 *     apply.c        facts on their way into the topology, and what follows from them
 *     notices.c      what a signal tells and no property holds
 *
 * Each offers steps through a _next() function and takes what came of them in an _observe()
 * function.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uthash.h>

#include "policy/policy.h"
#include "policy/scan_rules.h"
#include "scan/engine.h"
#include "scan/inhibit.h"
#include "scan/jobs.h"
#include "scan/memory.h"
#include "scan/step.h"
#include "scan/topology.h"

#define HOST_STUCK_TEXT "a kernel call on the host has outlived its deadline"

/* ---- a device to be looked at, or something to be done with it ---- */

/* Where the work on a device is; each stage has one step. */
enum device_stage {
        DEVICE_LOOK,     /* read its attributes */
        DEVICE_IDENTIFY, /* read VPD 83h */
        DEVICE_CONFIRM,  /* that was somebody else: read it once more */
        DEVICE_STOP,     /* it is somebody else: stop its I/O */
        DEVICE_SERIAL,   /* read VPD 80h */
        DEVICE_MEASURE,  /* how large is it, by its own word? */
        DEVICE_INQUIRE,  /* its target does not list it: is a logical unit there? */
        DEVICE_PROBE,    /* and what does it say to a command? */
        DEVICE_ATTACH,
        DEVICE_DETACH,
        DEVICE_REFRESH,
        DEVICE_RESUME, /* let its I/O go on */
        DEVICE_STAGES
};

/* What a job wants done with one device. */
struct device_order {
        enum job_operation operation;
        job_mask jobs;
        bool force;     /* JOB_DETACH: even if it is in use */
        char *identity; /* JOB_ATTACH: only if it is this one, NULL for whichever; JOB_ACCEPT: who
                           it was when that was ordered */
        uint64_t instance; /* but JOB_ATTACH: this kernel object and no other */
        TAILQ_ENTRY(device_order) entry;
};

TAILQ_HEAD(device_orders, device_order);

/* Why a device is being detached. */
enum detach_cause {
        DETACH_ORDERED,
        DETACH_MISMATCH, /* it was attached just now and is not the one that was meant */
        DETACH_MISSING,
        DETACH_REPLACED, /* to be attached again for what it is now */
        DETACH_REFUSED,  /* the policy ignores it */
};

struct device_work {
        uint64_t lun;
        /* What is wanted. */
        bool look;     /* read what the kernel says of it */
        bool identify; /* and read its identity, even if that is known */
        bool measure;  /* and compare its size with what the kernel knows */
        bool suspect;  /* its target does not list it: ask the device itself */
        bool touch;    /* let it report what waits in it, no more */
        bool remove;   /* and detach it, when it is gone and unused */
        bool enforce;  /* or ignored by the policy, and unused */
        job_mask jobs; /* whose summaries it counts in */
        struct device_orders orders;
        /* What is being done. */
        bool begun;
        bool flying; /* its step is out */
        struct {
                enum device_stage stage;
                unsigned tries; /* of this stage */
                bool identify;
                bool measure;
                bool suspect;
                bool touch;
                bool remove;
                bool enforce;
                bool quarantine;         /* DEVICE_STOP: the policy wants it so */
                bool attached;           /* one of our own attaches brought it */
                bool identified;         /* who it is has been read, as far as it can be */
                bool differs;            /* it answered with another identity than it had */
                enum detach_cause cause; /* DEVICE_DETACH */
                job_mask jobs;
                struct device_order *order; /* or NULL */
                struct fact fact;           /* what is known so far, on its way into the topology */
        } now;
        TAILQ_ENTRY(device_work) entry;
        UT_hash_handle hh;
};

TAILQ_HEAD(device_queue, device_work);

/* ---- a target ---- */

enum scan_phase {
        PHASE_IDLE,
        PHASE_CONTACT,    /* nothing is attached: try LUNs until one is */
        PHASE_WILDCARD,   /* the kernel's own scan of this target */
        PHASE_LISTING,    /* wait for the list of what that brought */
        PHASE_CHOOSE,     /* something was attached, or went: find a device to ask through */
        PHASE_TOUCH,      /* a poll: let each unit report the attention that waits in it */
        PHASE_ASK,        /* REPORT LUNS */
        PHASE_FOOTHOLD,   /* attach the REPORT LUNS well-known logical unit to ask that instead */
        PHASE_ATTACH,     /* attach what was reported and is not there */
        PHASE_SEQUENTIAL, /* attach 0, 1, 2 ... */
        PHASE_VERIFY,     /* look again at what was there before */
};

#define LUN_FILTER_MAX 8

/* Which LUNs may be attached: some few that were asked for, or all. */
struct lun_filter {
        bool all;
        size_t count;
        uint64_t luns[LUN_FILTER_MAX];
};

/* What a scan of a target is to do; several that wait are one that does all of it. */
struct scan_order {
        job_mask jobs;
        bool attach;
        bool verify;
        bool remove;  /* detach what is gone and unused */
        bool enforce; /* detach what the policy ignores */
        bool planned; /* only if it lists what it did when it was planned for last */
        bool request; /* somebody asked: also for what was detached by request */
        bool watched; /* nobody asked: the target is asked less often if nothing comes of it */
        bool poll;    /* what waits in its units is to come out first */
        bool measure; /* an attention: if no difference explains it, compare sizes */
        bool anew;    /* what it said for a while nobody may have heard: compare sizes anyway */
        bool walking; /* the host's walk waits to hear whether anything is there */
        struct lun_filter filter;
        struct lun_filter asked; /* of those that somebody asked for */
};

#define SCAN_REFUSED_MAX 4

struct target_scan {
        enum scan_phase phase;
        struct scan_order order;
        size_t contact;      /* PHASE_CONTACT: tries, see target_scan_contact_lun() */
        bool in_range;       /* PHASE_CONTACT: the host takes this id */
        uint64_t lun;        /* the LUN that was asked through or is being attached */
        bool foothold_tried; /* PHASE_FOOTHOLD has been there */
        uint32_t allocation; /* PHASE_ASK: bytes */
        unsigned asked;      /* PHASE_ASK: times, growing */
        unsigned tries;      /* retries of the present step */
        unsigned chosen;     /* PHASE_CHOOSE: times, without success */
        uint64_t refused[SCAN_REFUSED_MAX]; /* LUNs through which the target cannot be asked */
        size_t refused_count;
        bool looked;      /* PHASE_CHOOSE has looked at all devices */
        bool touched;     /* PHASE_TOUCH has been there */
        bool reported;    /* luns is what the target reported */
        bool listed_anew; /* and that is another list than the last time */
        bool counted;     /* it does not report, its LUNs are found by trying */
        struct target_lun *luns;
        size_t lun_count;
        size_t *queue; /* indices into luns, in the order in which they are attached */
        size_t next;   /* index into queue, or the next LUN of a sequential scan */
        /* Attached to ask through, and the policy ignores it: nobody hears of it. */
        bool borrowed, returned;
        struct device borrowed_device; /* its address, and what of its facts asking needs */
        struct scan_rules rules;
        uint64_t *known; /* LUNs that were there before, to be verified */
        size_t known_count;
        uint64_t asked_at;    /* µs, CLOCK_REALTIME */
        bool changed;         /* something came of it */
        enum job_error error; /* what stood in the way, said in a sentence */
        char message[160];
};

struct host_work;

struct target_work {
        struct scsi_target_address address;
        struct host_work *host;
        bool in_flight;                  /* one step at a time for each target */
        bool ready;                      /* in host->ready */
        bool wanted;                     /* a scan is wanted after the one that runs, if any */
        TAILQ_HEAD(, target_plan) plans; /* what scans of it would do; the first is under way */
        struct scan_order next_order;
        struct target_scan scan;
        struct device_queue devices;
        struct device_work *by_lun;
        TAILQ_ENTRY(target_work) ready_entry;
        UT_hash_handle hh;
};

TAILQ_HEAD(target_queue, target_work);

/* ---- a host ---- */

struct host_walk {
        bool active;
        struct scan_order order;
        uint32_t channel;
        uint32_t target;
};

struct host_work {
        uint32_t number;
        bool known; /* the topology has it */
        bool gone;  /* it was seen to be gone: if it is there again, it is another */
        bool stuck;
        bool ready; /* in planner->ready */
        bool read_wanted;
        bool read_flying;
        unsigned read_tries;
        uint64_t read_at;    /* µs, monotonic: read it again then; UINT64_MAX for never */
        uint64_t read_pause; /* µs, growing while its ports stay as they are */
        bool write_flying;   /* one order to the kernel at a time: it holds scan_mutex */
        unsigned in_flight;
        bool scan_wanted;
        struct scan_order next_order;
        bool scan_reading; /* order waits for the host's attributes */
        struct scan_order order;
        struct host_walk walk;
        uint64_t lun_taken; /* the highest that the kernel has not refused: see host_took_lun() */
        struct target_work *targets;
        struct target_queue ready_targets;
        TAILQ_ENTRY(host_work) ready_entry;
        UT_hash_handle hh;
};

TAILQ_HEAD(host_queue, host_work);

/* ---- all of it ---- */

/* A step that was handed out and has not come back. */
struct flight {
        struct step step;
        UT_hash_handle hh;
};

struct planner {
        struct engine_config config;
        const struct policy_limits *limits; /* what no rule has anything to say about */
        const struct policy *policy;
        struct policy *own_policy;       /* of who was given none */
        struct place_rules *place_rules; /* see judgement.c */
        struct planned *planned;         /* see plans.c */
        struct topology *topology;
        struct change_set *changes;
        struct jobs *jobs;
        struct memory *memory;
        struct host_work *hosts;
        struct host_queue ready;
        struct flight *flights;
        uint64_t next_step;
        bool list_wanted;
        bool list_flying;
        bool look_at_all; /* with the next list: uevents were lost */
        job_mask list_jobs;
        job_mask list_jobs_flying;
        uint64_t list_at;    /* µs, monotonic: it failed, ask again then; UINT64_MAX for never */
        uint64_t list_pause; /* µs, growing while it fails */
        bool started;
        bool ready_reached;
        uint64_t boot_job;
        struct watch *watches;
        uint64_t now;               /* µs, monotonic: when engine_next() was last called */
        uint64_t wake_at;           /* µs, monotonic: when a watch is due; UINT64_MAX for never */
        struct notice_list notices; /* all but these: */
        struct notice_list attentions; /* at most ATTENTIONS_MAX */
        size_t attention_count;
        uint64_t next_notice;
        struct withheld *withheld; /* see admission.c */
        struct inhibition_list inhibitions;
        int failed; /* our own failure, -errno, for the next caller to hear */
        char scan_mode[FACT_NAME_MAX];
        uint64_t counters[COUNTER_KINDS];
};

/* What a scan's _next() says: there is a step, there is none, or the host's write is taken. */
enum offer {
        OFFER_NONE,
        OFFER_STEP,
        OFFER_LATER,
};

static inline void planner_count(struct planner *planner, enum engine_counter counter) {
        planner->counters[counter]++;
}

/* planner.c */
/* Keeps the first failure of ours: it is told to whoever called the engine. */
void planner_note(struct planner *planner, int error);
/* A unit attention, BUSY or a lost worker says nothing of what was asked: true when it is to be
 * asked again, which counts as one more of the tries; not for ever. */
bool planner_retries(struct planner *planner, const struct observation *observation,
                     unsigned *tries);
/* engine_next() is to be called by then: µs, monotonic. */
void planner_wake_by(struct planner *planner, uint64_t time);
void planner_want_list(struct planner *planner, job_mask jobs);
/* The service's own scans: a job of their own if there is room for one, else without. */
int planner_scan_host(struct planner *planner, uint32_t host, enum job_cause cause,
                      struct scan_time now);
int planner_scan_target(struct planner *planner, const struct scsi_target_address *address,
                        enum job_cause cause, struct scan_time now);
int planner_request(struct planner *planner, const struct scan_request *request,
                    struct scan_time now, uint64_t *ret_job);
/* A unit that grew grew on all its paths, and each has to be told. */
int planner_refresh_paths(struct planner *planner, const struct scsi_address *address,
                          struct scan_time now);
int planner_order(struct planner *planner, const struct device_request *request,
                  struct scan_time now, uint64_t *ret_job);
int planner_event(struct planner *planner, const struct event *event, struct scan_time now);
bool planner_next(struct planner *planner, struct scan_time now, struct step *ret);
int planner_observe(struct planner *planner, struct observation *observation, struct scan_time now);
bool planner_is_idle(const struct planner *planner);

/* apply.c: facts, on their way into the topology. */
int planner_apply(struct planner *planner, struct fact *fact);
/* See engine_recall(). */
int planner_recall_late(struct planner *planner, const struct memory *earlier);
/* What is remembered of the device's nexus; NULL for nothing. */
const struct memory_entry *planner_recall(struct planner *planner,
                                          const struct scsi_address *address);

/* notices.c: what a signal tells and no property holds. */
#define ATTENTIONS_MAX 16384
struct notice *planner_take_notice(struct planner *planner);
struct notice *planner_notice(struct planner *planner, enum notice_kind kind,
                              const struct scsi_address *address);
/* It was that, and is this now. stopped: it has become another under who may have used it. */
int planner_notice_replaced(struct planner *planner, const struct scsi_address *address,
                            const struct scsi_identity *was, const struct scsi_identity *now,
                            bool in_use, bool stopped);
/* A unit has another size when all paths that lead to it say so: once, however many. */
int planner_notice_capacity(struct planner *planner, const struct scsi_address *address);

/* plans.c: what scans would do. */
int planner_plan(struct planner *planner, const struct scan_request *request, struct scan_time now,
                 uint64_t *ret_job);
/* The target listed these when it was planned for, and lists these now: the same, or was it not
 * planned for since such a scan? */
void planner_planned(struct planner *planner, const struct scsi_target_address *target,
                     const uint64_t *luns, size_t count);
bool planner_is_planned(const struct planner *planner, const struct scsi_target_address *target,
                        const uint64_t *luns, size_t count);
void planner_planned_forget(struct planner *planner, const struct scsi_target_address *target);
void planner_planned_free(struct planner *planner);

/* target_plan.c: what a scan of one target would do. */
int target_plan_want(struct planner *planner, const struct scsi_target_address *address,
                     job_mask job, const struct scan_request *request,
                     const struct lun_filter *filter, struct scan_time now);
enum offer target_plan_next(struct planner *planner, struct target_work *target,
                            struct scan_time now, struct step *ret);
bool target_plan_has(const struct target_work *target);
int target_plan_observe(struct planner *planner, struct target_work *target,
                        struct observation *observation);
void target_plan_fail(struct planner *planner, struct target_work *target, enum job_error error,
                      const char *message, struct scan_time now);

/* judgement.c: what the policy says. */
/* Of a target as a whole, of a device or a place for one, and how often, in ms, a silent target is
 * asked: by what is known of the device that it is asked through. */
const struct policy_limits *judge_limits(const struct planner *planner,
                                         const struct scsi_target_address *target);
const struct policy_limits *judge_device_limits(const struct planner *planner,
                                                const struct scsi_address *address);
uint32_t judge_poll_interval(const struct planner *planner,
                             const struct scsi_target_address *target);
/* Lower is earlier. */
int32_t judge_order(const struct planner *planner, const struct scsi_target_address *target);
/* Whatever it has is ignored. */
bool judge_ignores(const struct planner *planner, const struct scsi_target_address *target);
/* Another policy, or another host: what is kept of targets is no longer so. */
void judge_forget(struct planner *planner);
/* Another is there, or more is known of it. */
void judge_forget_device(struct planner *planner, const struct scsi_address *address);
/* At once on that host. */
uint32_t judge_commands(const struct planner *planner, uint32_t host);
/* Before anything is attached there. */
void judge_lun(const struct planner *planner, const struct scsi_target_address *target,
               uint64_t lun, struct policy_decision *ret);
/* The same, by who was there the last time. */
int32_t judge_lun_order(struct planner *planner, const struct scsi_target_address *target,
                        uint64_t lun);
void judge_fact(const struct planner *planner, const struct scsi_address *address,
                const struct device_facts *facts, const struct scsi_identity *identity,
                struct policy_decision *ret);
void judge_device(const struct planner *planner, const struct device *device,
                  struct policy_decision *ret);
/* See engine_evaluate(). */
int judge_scope(const struct planner *planner, const struct scope *scope,
                struct policy_decision *ret);
/* POLICY_WHEN_...: the service does it, and does not only tell. */
bool judge_of_itself(const struct planner *planner, const struct device *device,
                     enum policy_setting setting);

/* admission.c: what may be attached. */
/* DISPOSITION_PENDING when that LUN may be attached, else what it is kept from by. request:
 * somebody asked for it. */
enum disposition admission_of(const struct planner *planner,
                              const struct scsi_target_address *target, uint64_t lun, bool request);
/* Whatever is there may be attached: nothing that the target has is kept back. */
bool admission_is_open(const struct planner *planner, const struct scsi_target_address *target,
                       bool request);
/* As long as its target lists it. WITHHELD: it was detached by request, and stays so until somebody
 * asks for it or attaches it. REFUSED: it was attached and looked at, and the policy ignores it;
 * until somebody asks for that very one. */
int admission_withhold(struct planner *planner, const struct scsi_address *address,
                       enum disposition why);
/* The target lists these now, ascending: what is kept back and is not among them may be another
 * when it comes back. */
void admission_listed(struct planner *planner, const struct scsi_target_address *target,
                      const struct target_lun *luns, size_t count);
/* There is another policy. */
void admission_rejudge(struct planner *planner);
void admission_release(struct planner *planner, const struct scsi_address *address);
void admission_forget_host(struct planner *planner, uint32_t host);
void admission_free(struct planner *planner);

/* host_work.c */
/* As its transport spells it: commands get through. */
bool port_state_is_usable(const char *state);
/* The host's driver attaches and removes by itself. */
bool planner_driver_discovers(const struct planner *planner, uint32_t host);
struct host_work *host_work_find(struct planner *planner, uint32_t number);
int host_work_get(struct planner *planner, uint32_t number, struct host_work **ret);
void host_work_wake(struct planner *planner, struct host_work *host);
void host_work_read(struct planner *planner, struct host_work *host);
int host_work_scan(struct planner *planner, struct host_work *host, const struct scan_order *order,
                   struct scan_time now);
bool host_work_next(struct planner *planner, struct host_work *host, struct scan_time now,
                    struct step *ret);
int host_work_observe(struct planner *planner, struct host_work *host,
                      struct observation *observation, struct scan_time now);
/* Reads the hosts whose time has come. */
void host_work_run(struct planner *planner, struct scan_time now);
/* The walk hears what came of first contact with the target it waits for. */
enum contact {
        CONTACT_MADE,
        CONTACT_NONE,
        CONTACT_OUT_OF_RANGE,
        CONTACT_FAILED
};
/* The kernel refuses a target id that is too high for the host, and a LUN, in the same way (EINVAL,
 * see scsi_scan_host_selected() in drivers/scsi/scsi_scan.c). For a LUN up to the highest that it
 * has taken before, LUN 0 at least, it is the id. */
void host_took_lun(struct host_work *host, uint64_t lun);
int host_walk_heard(struct planner *planner, struct host_work *host,
                    const struct scsi_target_address *target, enum contact contact,
                    struct scan_time now);
int host_work_stuck(struct planner *planner, struct host_work *host, struct scan_time now);
int host_work_released(struct planner *planner, struct host_work *host);
bool host_work_is_idle(const struct host_work *host);
void host_work_free(struct planner *planner, struct host_work *host);

/* target_work.c, target_scan.c */
int target_work_get(struct planner *planner, const struct scsi_target_address *address,
                    struct target_work **ret);
struct target_work *target_work_find(struct host_work *host,
                                     const struct scsi_target_address *address);
void target_work_wake(struct planner *planner, struct target_work *target);
/* Frees the target's work when there is none left. */
void target_work_rest(struct planner *planner, struct target_work *target);
bool target_work_is_idle(const struct target_work *target);
int target_scan_want(struct planner *planner, const struct scsi_target_address *address,
                     const struct scan_order *order, struct scan_time now);
enum offer target_work_next(struct planner *planner, struct target_work *target,
                            struct scan_time now, struct step *ret);
int target_work_observe(struct planner *planner, struct target_work *target,
                        struct observation *observation, struct scan_time now);
/* The list that PHASE_LISTING waits for has come. */
void target_scan_listed(struct planner *planner, struct target_work *target);
/* Ends whatever is wanted of the target, for all who wanted it. */
void target_work_fail(struct planner *planner, struct target_work *target, enum job_error error,
                      const char *message, struct scan_time now);
void target_work_free(struct planner *planner, struct target_work *target);
void scan_order_merge(struct scan_order *order, const struct scan_order *other);
void lun_filter_add(struct lun_filter *filter, const struct lun_filter *other);
bool lun_filter_has(const struct lun_filter *filter, uint64_t lun);

/* device_work.c: the queue. The files around it do the work: device_look.c, device_guard.c,
 * device_order.c. */
int device_work_look(struct planner *planner, struct target_work *target, uint64_t lun);
int device_work_verify(struct planner *planner, struct target_work *target, uint64_t lun,
                       bool measure, bool enforce, job_mask jobs);
/* Lets it report a unit attention that waits in it. */
int device_work_touch(struct planner *planner, struct target_work *target, uint64_t lun);
/* The target does not list it. */
int device_work_suspect(struct planner *planner, struct target_work *target, uint64_t lun,
                        bool remove, job_mask jobs);
int device_work_attached(struct planner *planner, struct target_work *target, uint64_t lun,
                         struct device_facts *facts, job_mask jobs);
/* Takes the order over. */
int device_work_order(struct planner *planner, struct target_work *target, uint64_t lun,
                      struct device_order *order, struct scan_time now);
void device_order_free(struct device_order *order);
enum offer device_work_next(struct planner *planner, struct target_work *target,
                            struct scan_time now, struct step *ret);
int device_work_observe(struct planner *planner, struct target_work *target,
                        struct observation *observation, struct scan_time now);
/* An INQUIRY was observed of the device: it says itself that no logical unit is there. */
bool device_denies_itself(const struct device_facts *facts, const struct observation *observation);
/* A step of that device's work is out. */
bool device_work_has(struct target_work *target, uint64_t lun);
/* Ends all of it, for all who ordered something. */
void device_work_fail(struct planner *planner, struct target_work *target, enum job_error error,
                      const char *message, struct scan_time now);

/* watch.c: when a target is asked, unasked. */
int watch_attention(struct planner *planner, const struct scsi_target_address *target,
                    enum unit_attention attention, struct scan_time now);
/* A device of the target has been seen. */
int watch_seen(struct planner *planner, const struct scsi_target_address *target, uint64_t now);
/* A scan of the target has ended. */
int watch_answered(struct planner *planner, const struct scsi_target_address *target, bool changed,
                   bool watched, struct scan_time now);
/* What stood in the way of its last scan, NULL for nothing; the text lives until the next one. */
int watch_failed(struct planner *planner, const struct scsi_target_address *target,
                 const char *trouble);
const char *watch_trouble(const struct planner *planner, const struct scsi_target_address *target);
/* Ask again that soon: something has to be seen twice. */
int watch_again(struct planner *planner, const struct scsi_target_address *target,
                uint64_t delay_usec, struct scan_time now);
/* Something there is replaced or missing: it is looked at every second while it is. */
int watch_guard(struct planner *planner, const struct scsi_target_address *target);
/* Whether the target, or NULL for any, is about to be asked for a reason: a poll is none, and what
 * waits for long because nothing came of it so often is not waited for. */
bool watch_is_due_soon(const struct planner *planner, const struct scsi_target_address *target);
/* Begins the scans that are due. */
int watch_run(struct planner *planner, struct scan_time now);
void watch_forget_host(struct planner *planner, uint32_t host);
void watch_free(struct planner *planner);
