/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "scan/topology_state.h"

const char *disposition_name(enum disposition disposition) {
        static const char *const names[DISPOSITION_KINDS] = {
                [DISPOSITION_ATTACHED] = "attached",
                [DISPOSITION_OBSERVED] = "observed",
                [DISPOSITION_NOT_ATTACHED] = "not-attached",
                [DISPOSITION_OUT_OF_RANGE] = "out-of-range",
                [DISPOSITION_UNWRITABLE] = "unwritable",
                [DISPOSITION_FAILED] = "failed",
                [DISPOSITION_PENDING] = "pending",
                [DISPOSITION_REFUSED] = "refused",
                [DISPOSITION_INHIBITED] = "inhibited",
                [DISPOSITION_WITHHELD] = "withheld",
                [DISPOSITION_NOT_REPORTED] = "not-reported",
        };

        return names[disposition];
}

const char *disposition_reason(enum disposition disposition) {
        static const char *const reasons[DISPOSITION_KINDS] = {
                [DISPOSITION_ATTACHED] = "a device is attached",
                [DISPOSITION_OBSERVED] = "reported, and nobody has asked to attach it since",
                [DISPOSITION_NOT_ATTACHED] =
                        "the kernel attached nothing: no answer, or no logical unit behind it",
                [DISPOSITION_OUT_OF_RANGE] = "the host takes no such LUN",
                [DISPOSITION_UNWRITABLE] = "longer than the kernel's scan attribute takes",
                [DISPOSITION_FAILED] = "the order to attach it failed",
                [DISPOSITION_PENDING] = "about to be attached",
                [DISPOSITION_REFUSED] = "the policy ignores it",
                [DISPOSITION_INHIBITED] = "somebody inhibits that it is attached",
                [DISPOSITION_WITHHELD] = "detached by request, until somebody asks for it again",
                [DISPOSITION_NOT_REPORTED] = "attached, and its target does not list it",
        };

        return reasons[disposition];
}

int target_lun_compare(const void *a, const void *b) {
        uint64_t x = ((const struct target_lun *)a)->lun, y = ((const struct target_lun *)b)->lun;

        return (x > y) - (x < y);
}

void target_lun_detached(struct target *target, uint64_t lun, const char *reason) {
        struct target_lun key = {.lun = lun}, *found;

        found = target->lun_count == 0 ? NULL
                                       : bsearch(&key, target->luns, target->lun_count,
                                                 sizeof(*target->luns), target_lun_compare);
        if (!found || found->disposition != DISPOSITION_ATTACHED)
                return;
        found->disposition = DISPOSITION_OBSERVED;
        if (strcmp(reason, "requested") == 0)
                found->disposition = DISPOSITION_WITHHELD;
        if (strcmp(reason, "policy") == 0)
                found->disposition = DISPOSITION_REFUSED;
}

static bool has_device(const struct target *target, uint64_t lun) {
        const struct device *device;

        HASH_FIND(hh, target->by_lun, &lun, sizeof(lun), device);
        return device;
}

/* Until a target is asked, what is attached is all that is known of its LUNs. */
static bool luns_are_devices(const struct target *target, const struct fact *fact) {
        if (fact->lun_count != target->device_count)
                return false;
        for (size_t i = 0; i < fact->lun_count; i++)
                if (!has_device(target, fact->luns[i].lun))
                        return false;
        return true;
}

bool target_luns_differ(const struct target *target, const struct fact *fact) {
        if (target->last_asked == 0)
                return !luns_are_devices(target, fact);
        if (target->lun_count != fact->lun_count)
                return true;
        for (size_t i = 0; i < fact->lun_count; i++)
                if (target->luns[i].lun != fact->luns[i].lun ||
                    (target->luns[i].disposition != fact->luns[i].disposition &&
                     !has_device(target, fact->luns[i].lun)))
                        return true; /* what is attached is shown so, whatever is kept of it */
        return false;
}
