/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What may be attached. Whoever is about to have a logical unit attached asks here, at the last
 * moment: what was decided when its target was asked may have been overtaken since.
 */
#include <errno.h>
#include <stdlib.h>

#include "scan/work.h"

/* Detached by request, or because it is ignored, and not to come back by itself. */
struct withheld {
        struct scsi_address_key key;
        struct scsi_address address;
        enum disposition why;
        UT_hash_handle hh;
};

/* As many as there can be devices; of what is detached beyond that, the next scan knows nothing. */
#define WITHHELD_MAX TOPOLOGY_DEVICES_MAX

static struct withheld *withheld_find(const struct planner *planner,
                                      const struct scsi_address *address) {
        struct scsi_address_key key = scsi_address_key(address);
        struct withheld *withheld;

        HASH_FIND(hh, planner->withheld, &key, sizeof(key), withheld);
        return withheld;
}

static void withheld_drop(struct planner *planner, struct withheld *withheld) {
        HASH_DEL(planner->withheld, withheld);
        free(withheld);
}

int admission_withhold(struct planner *planner, const struct scsi_address *address,
                       enum disposition why) {
        struct withheld *withheld = withheld_find(planner, address);

        if (withheld)
                withheld->why = why;
        if (withheld || HASH_COUNT(planner->withheld) >= WITHHELD_MAX)
                return 0;
        withheld = calloc(1, sizeof(*withheld));
        if (!withheld)
                return -ENOMEM;
        withheld->address = *address;
        withheld->key = scsi_address_key(address);
        withheld->why = why;
        HASH_ADD(hh, planner->withheld, key, sizeof(withheld->key), withheld);
        return 0;
}

void admission_release(struct planner *planner, const struct scsi_address *address) {
        struct withheld *withheld = withheld_find(planner, address);

        if (withheld)
                withheld_drop(planner, withheld);
}

void admission_forget_host(struct planner *planner, uint32_t host) {
        struct withheld *withheld, *next;

        HASH_ITER (hh, planner->withheld, withheld, next)
                if (withheld->address.target.host == host)
                        withheld_drop(planner, withheld);
}

void admission_listed(struct planner *planner, const struct scsi_target_address *target,
                      const struct target_lun *luns, size_t count) {
        struct withheld *withheld, *next;

        HASH_ITER (hh, planner->withheld, withheld, next) {
                const struct target_lun key = {.lun = withheld->address.lun};

                if (!scsi_lun_is_well_known(withheld->address.lun) &&
                    scsi_target_address_compare(&withheld->address.target, target) == 0 &&
                    !bsearch(&key, luns, count, sizeof(key), target_lun_compare))
                        withheld_drop(planner, withheld);
        }
}

void admission_rejudge(struct planner *planner) {
        struct withheld *withheld, *next;

        HASH_ITER (hh, planner->withheld, withheld, next)
                if (withheld->why == DISPOSITION_REFUSED)
                        withheld_drop(planner, withheld);
}

void admission_free(struct planner *planner) {
        struct withheld *withheld, *next;

        HASH_ITER (hh, planner->withheld, withheld, next)
                withheld_drop(planner, withheld);
}

/* The REPORT LUNS well-known unit holds nothing that anybody could use: it is the door through
 * which a target is asked, unless nothing of that target is wanted. */
static bool policy_admits(const struct planner *planner, const struct scsi_target_address *target,
                          uint64_t lun) {
        struct policy_decision decision;

        if (policy_rule_count(planner->policy) == 0)
                return true;
        if (scsi_lun_is_well_known(lun))
                return !judge_ignores(planner, target);
        judge_lun(planner, target, lun, &decision);
        return decision.settings[POLICY_ACTION].value != POLICY_IGNORE;
}

enum disposition admission_of(const struct planner *planner,
                              const struct scsi_target_address *target, uint64_t lun,
                              bool request) {
        struct scsi_address address = {.target = *target, .lun = lun};
        const struct withheld *withheld = withheld_find(planner, &address);

        if (planner_is_inhibited(planner, target, lun))
                return DISPOSITION_INHIBITED;
        if (withheld && (!request || withheld->why == DISPOSITION_REFUSED))
                return withheld->why;
        return policy_admits(planner, target, lun) ? DISPOSITION_PENDING : DISPOSITION_REFUSED;
}

/* Rules that keep some back, or want to see them first, would see them all attached. */
static bool policy_is_open(const struct planner *planner,
                           const struct scsi_target_address *target) {
        struct policy_subject nobody = {.host = target->host, .has_host = true};
        struct policy_decision decision;

        policy_decide(planner->policy, &nobody, &decision);
        return decision.settings[POLICY_ACTION].value == POLICY_ATTACH;
}

bool admission_is_open(const struct planner *planner, const struct scsi_target_address *target,
                       bool request) {
        const struct withheld *withheld;

        if (!policy_is_open(planner, target) || planner_is_inhibited_in_part(planner, target))
                return false;
        if (request)
                return true;
        for (withheld = planner->withheld; withheld; withheld = withheld->hh.next)
                if (scsi_target_address_compare(&withheld->address.target, target) == 0)
                        return false;
        return true;
}
