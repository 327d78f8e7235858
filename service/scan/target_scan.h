/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One scan of one target, phase by phase: target_scan.c makes the moves and offers the steps,
 * target_contact.c finds something to ask through, target_answer.c takes what came of the steps,
 * target_work.c keeps it going.
 */

#include "scan/work.h"

/* Devices to ask through may turn out not to answer, or go away, so often in one scan. */
#define CHOSEN_MAX 4

int target_scan_begin(struct planner *planner, struct target_work *target, struct scan_time now);
/* A move that needs no step, when the queue of devices is empty: what was attached is known by
 * then. The phase stays the same when a step is due. */
int target_scan_move(struct planner *planner, struct target_work *target, struct scan_time now);
enum offer target_scan_offer(struct planner *planner, struct target_work *target, struct step *ret);
int target_scan_observe(struct planner *planner, struct target_work *target,
                        struct observation *observation, struct scan_time now);
void target_scan_reset(struct target_scan *scan);

/* What the target lists, as far as it is known what becomes of it. */
int target_scan_publish_luns(struct planner *planner, struct target_work *target);

/* Ends of a scan: nothing is there to be scanned; or something stood in the way, said in a
 * sentence. */
int target_scan_leave(struct planner *planner, struct target_work *target, enum contact contact,
                      struct scan_time now);
int target_scan_fail_observed(struct planner *planner, struct target_work *target,
                              const struct observation *observation, struct scan_time now);

/* It is not as it was planned for: nothing is done. */
int target_scan_stale(struct planner *planner, struct target_work *target);
/* The target could not be asked through that device: through another, if there is one. */
int target_scan_refused(struct planner *planner, struct target_work *target,
                        const struct observation *observation, struct scan_time now);

/* What a scan and a plan do alike: a step of that kind, how its target is to be scanned by what is
 * known of the device it is asked through, and how many bytes REPORT LUNS asks for: at first, and
 * true when it has to be asked again because the list is longer. */
struct step target_scan_step(const struct planner *planner, const struct target_work *target,
                             enum step_kind kind, uint64_t lun);
struct scan_rules target_scan_rules(const struct planner *planner, const struct device *device);
uint32_t target_scan_first_allocation(const struct planner *planner,
                                      const struct target_work *target);
bool target_scan_ask_for_all(const struct scsi_lun_list *list, uint32_t *allocation,
                             unsigned *asked);

/* The LUN that first contact tries now, and that there is nothing left to try. */
uint64_t target_scan_contact_lun(const struct target_scan *scan);
void target_scan_contact_over(struct target_scan *scan);
/* PHASE_ATTACH: the one that is to be attached now. */
struct target_lun *target_scan_lun(const struct target_scan *scan);

/* A device that its target can be asked through; NULL for none. */
const struct device *target_scan_foothold(const struct planner *planner,
                                          const struct target_work *work);

/* From here on without REPORT LUNS: 0, 1, 2 ... */
int target_scan_count_up(struct planner *planner, struct target_work *target);
bool target_scan_is_attached(const struct planner *planner, const struct target_work *target,
                             uint64_t lun);

/* Chooses a device to ask through, or goes on looking for one. */
int target_scan_choose(struct planner *planner, struct target_work *target, struct scan_time now);
/* Moves on to the next LUN to try; false when there is none. */
bool target_scan_contact_find(struct planner *planner, struct target_work *target);
int target_scan_found_nothing(struct planner *planner, struct target_work *target,
                              struct scan_time now);
/* There is a device to ask through. */
int target_scan_through(struct planner *planner, struct target_work *target,
                        const struct device *device, struct scan_time now);
/* There is none that answers: who its devices are can be asked all the same. */
int target_scan_cannot_ask(struct planner *planner, struct target_work *target,
                           struct scan_time now);
/* What is there before anything is attached. */
int target_scan_remember(struct planner *planner, struct target_work *target);
