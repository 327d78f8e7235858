/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What may be attached. Whoever is about to have a logical unit attached asks here, at the last
 * moment: what was decided when its target was asked may have been overtaken since.
 */
#include <errno.h>
#include <stdlib.h>

#include "scan/work.h"

/* Detached by request, and not to come back by itself. */
struct withheld {
        struct nexus_key {
                uint64_t words[3]; /* an address without the padding, which no hash may see */
        } key;
        struct scsi_address address;
        UT_hash_handle hh;
};

/* As many as there can be devices; of what is detached beyond that, the next scan knows nothing. */
#define WITHHELD_MAX TOPOLOGY_DEVICES_MAX

static struct nexus_key key_of(const struct scsi_address *address) {
        const struct scsi_target_address *target = &address->target;

        return (struct nexus_key){
                {(uint64_t)target->host << 32 | target->channel, target->target, address->lun}};
}

static struct withheld *withheld_find(const struct planner *planner,
                                      const struct scsi_address *address) {
        struct nexus_key key = key_of(address);
        struct withheld *withheld;

        HASH_FIND(hh, planner->withheld, &key, sizeof(key), withheld);
        return withheld;
}

static void withheld_drop(struct planner *planner, struct withheld *withheld) {
        HASH_DEL(planner->withheld, withheld);
        free(withheld);
}

int admission_withhold(struct planner *planner, const struct scsi_address *address) {
        struct withheld *withheld;

        if (withheld_find(planner, address) || HASH_COUNT(planner->withheld) >= WITHHELD_MAX)
                return 0;
        withheld = calloc(1, sizeof(*withheld));
        if (!withheld)
                return -ENOMEM;
        withheld->address = *address;
        withheld->key = key_of(address);
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

void admission_free(struct planner *planner) {
        struct withheld *withheld, *next;

        HASH_ITER (hh, planner->withheld, withheld, next)
                withheld_drop(planner, withheld);
}

enum disposition admission_of(const struct planner *planner,
                              const struct scsi_target_address *target, uint64_t lun,
                              bool request) {
        struct scsi_address address = {.target = *target, .lun = lun};

        if (!request && withheld_find(planner, &address))
                return DISPOSITION_WITHHELD;
        return DISPOSITION_PENDING;
}

bool admission_is_open(const struct planner *planner, const struct scsi_target_address *target,
                       bool request) {
        const struct withheld *withheld;

        if (request)
                return true;
        for (withheld = planner->withheld; withheld; withheld = withheld->hh.next)
                if (scsi_target_address_compare(&withheld->address.target, target) == 0)
                        return false;
        return true;
}
