/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/target_luns.h"
#include "util/cleanup.h"

static int compare(const void *a, const void *b) {
        const struct target_lun *x = a, *y = b;

        return (x->lun > y->lun) - (x->lun < y->lun);
}

static void devices_list(const struct target *target, struct target_lun *luns) {
        const struct device *device;
        size_t count = 0;

        TAILQ_FOREACH (device, &target->devices, entry)
                luns[count++] = (struct target_lun){.lun = device->address.lun};
        qsort(luns, count, sizeof(*luns), compare);
}

static size_t merge(const struct target *target, const struct target_lun *devices,
                    struct target_lun *luns) {
        enum disposition unlisted =
                target->last_asked > 0 ? DISPOSITION_NOT_REPORTED : DISPOSITION_ATTACHED;
        size_t reported = 0, device = 0, count = 0;

        for (;;) {
                const struct target_lun *a =
                        reported < target->lun_count ? &target->luns[reported] : NULL;
                const struct target_lun *b =
                        device < target->device_count ? &devices[device] : NULL;
                bool listed = a && (!b || a->lun <= b->lun);
                bool attached = b && (!listed || a->lun == b->lun);

                if (!a && !b)
                        return count;
                luns[count] = listed ? *a : (struct target_lun){b->lun, unlisted};
                if (listed && attached)
                        luns[count].disposition = DISPOSITION_ATTACHED;
                reported += listed;
                device += attached;
                count++;
        }
}

int target_luns_seen(const struct target *target, struct target_lun **ret, size_t *ret_count) {
        size_t most = target->lun_count + target->device_count;
        _cleanup_(freep) struct target_lun *luns = NULL;
        _cleanup_(freep) struct target_lun *devices = NULL;

        *ret = NULL;
        *ret_count = 0;
        if (most == 0)
                return 0;
        luns = calloc(most, sizeof(*luns));
        devices = calloc(target->device_count + 1, sizeof(*devices));
        if (!luns || !devices)
                return -ENOMEM;
        devices_list(target, devices);
        *ret_count = merge(target, devices, luns);
        *ret = TAKE_PTR(luns);
        return 0;
}
