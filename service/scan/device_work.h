/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The work on one device, stage by stage. device_work.c keeps the queue and hands a stage's
 * observation to the file whose thought it is:
 *
 *     device_look.c   what it is: attributes, identity, serial, and into the topology with it
 *     device_guard.c  whether it still is what it was: replaced, or gone
 *     device_judge.c  what the policy wants done with it
 *     device_order.c  what a job wants done: attach, detach, refresh, accept
 */

#include "scan/work.h"

/* Everything that one stage's handler needs. */
struct device_turn {
        struct planner *planner;
        struct target_work *target;
        struct device_work *work;
        struct observation *observation; /* NULL before the first step */
        struct scan_time now;
};

struct scsi_address device_turn_address(const struct device_turn *turn);
/* The device in the topology: under that address; and only if it is the kernel object that was
 * looked at. */
struct device *device_turn_known(const struct device_turn *turn);
struct device *device_turn_same(const struct device_turn *turn);
void device_turn_stage(const struct device_turn *turn, enum device_stage stage);
/* This round of work is over; what was wanted meanwhile begins the next. */
int device_turn_finish(const struct device_turn *turn);

/* device_look.c */
/* Attributes were read: now.fact.device. */
int device_look_facts(const struct device_turn *turn);
int device_look_observe(const struct device_turn *turn);
int device_identify_observe(const struct device_turn *turn);
int device_serial_observe(const struct device_turn *turn);
int device_measure_observe(const struct device_turn *turn);
/* Who it is has been read, as far as it can be: what is wanted besides comes next. */
int device_look_known(const struct device_turn *turn);
/* The same, of the identity that was observed. */
int device_look_answered(const struct device_turn *turn);
/* It was asked and has not said who it is. */
int device_look_unanswered(const struct device_turn *turn);
/* Nothing more is wanted: read the serial, then commit. */
int device_look_named(const struct device_turn *turn);
/* Nothing was learnt about who it is. */
int device_look_unnamed(const struct device_turn *turn, enum standing standing);
int device_look_commit(const struct device_turn *turn);

const struct scsi_identity *device_identity_before(const struct device_turn *turn);

/* device_guard.c */
/* The notice that another unit is there than the one that `was`. */
int device_guard_tell(const struct device_turn *turn, const struct scsi_identity *was,
                      bool stopped);
/* The device answered with another identity than it had. */
int device_guard_differs(const struct device_turn *turn);
/* What was just read of it, not committed yet, shows that nothing holds it any more: it was
 * replaced or missing, and stayed because it was in use. Then, once that is committed: true when
 * the round goes on. */
bool device_guard_is_released(const struct device_turn *turn);
bool device_guard_release(const struct device_turn *turn);
int device_guard_confirm_observe(const struct device_turn *turn);
int device_guard_stop_observe(const struct device_turn *turn);
int device_guard_inquire_observe(const struct device_turn *turn);
int device_guard_probe_observe(const struct device_turn *turn);
int device_guard_detach_observe(const struct device_turn *turn);

/* device_judge.c */
/* What is about to be committed is judged: true when the round goes on with another stage. */
bool device_judge(const struct device_turn *turn);
int device_judge_stopped(const struct device_turn *turn);
bool device_judge_again(const struct device_turn *turn);

/* device_order.c */
int device_order_begin(const struct device_turn *turn);
/* Its attributes were read for the order: true when that goes on with another stage. */
bool device_order_looked(const struct device_turn *turn);
int device_order_attach_observe(const struct device_turn *turn);
int device_order_detach_observe(const struct device_turn *turn);
int device_order_resume_observe(const struct device_turn *turn);
/* Wants what is known of the device accepted, as nobody's order. */
int device_order_accept(const struct device_turn *turn);
/* Who would be accepted has answered, or not. */
int device_order_accept_observe(const struct device_turn *turn);
/* A step of the order has failed. */
int device_order_failed(const struct device_turn *turn);
/* Who it is has been read: true when the order goes on with another stage. */
bool device_order_known(const struct device_turn *turn);
/* Who it is could not be read: what cannot be done then fails. */
void device_order_unanswered(const struct device_turn *turn);
/* The order's part is done with, before the round ends: checks what it was about. True when the
 * round goes on with another stage. */
bool device_order_named(const struct device_turn *turn);
void device_order_done(const struct device_turn *turn, enum summary_field field);
void device_order_fail(const struct device_turn *turn, enum job_error error, const char *what);
void device_order_fail_observed(const struct device_turn *turn);
