/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Something has to be attached for a target to be asked through: which, and how it comes there. */
#include "scan/target_scan.h"

static size_t contact_end(void) {
        return 2 * policy_contact_luns_count;
}

uint64_t target_scan_contact_lun(const struct target_scan *scan) {
        return policy_contact_luns[scan->contact % policy_contact_luns_count];
}

void target_scan_contact_over(struct target_scan *scan) {
        scan->contact = contact_end() + 1;
}

static bool is_refused(const struct target_scan *scan, uint64_t lun) {
        for (size_t i = 0; i < scan->refused_count; i++)
                if (scan->refused[i] == lun)
                        return true;
        return false;
}

/* REPORT LUNS must be answered by LUN 0 or the well-known unit, and is by most others (SPC-5 6.33).
 */
const struct device *target_scan_foothold(const struct planner *planner,
                                          const struct target_work *work) {
        const struct target *target = topology_target(planner->topology, &work->address);
        const struct device *device, *best = NULL;

        if (work->scan.borrowed && !is_refused(&work->scan, work->scan.borrowed_device.address.lun))
                return &work->scan.borrowed_device;
        if (!target)
                return NULL;
        TAILQ_FOREACH (device, &target->devices, entry) {
                if (!device_facts_may_answer(&device->facts) ||
                    is_refused(&work->scan, device->address.lun))
                        continue;
                if (device->address.lun == 0)
                        return device;
                if (!best || device->address.lun == SCSI_WLUN_REPORT_LUNS ||
                    (best->address.lun != SCSI_WLUN_REPORT_LUNS &&
                     device->address.lun < best->address.lun))
                        best = device;
        }
        return best;
}

/* First those that may be attached. Then, where the policy wants only some that are not known yet,
 * one that it ignores: it is detached when its target was asked. */
static bool contact_may_be(const struct planner *planner, const struct target_work *target) {
        enum disposition disposition = admission_of(
                planner, &target->address, target_scan_contact_lun(&target->scan),
                lun_filter_has(&target->scan.order.asked, target_scan_contact_lun(&target->scan)));

        return disposition == (target->scan.contact < policy_contact_luns_count
                                       ? DISPOSITION_PENDING
                                       : DISPOSITION_REFUSED);
}

bool target_scan_contact_find(struct planner *planner, struct target_work *target) {
        struct target_scan *scan = &target->scan;

        while (scan->contact < contact_end() &&
               (target_scan_is_attached(planner, target, target_scan_contact_lun(scan)) ||
                !contact_may_be(planner, target)))
                scan->contact++;
        return scan->contact < contact_end();
}

/* What was known of the devices may be from before their port came back. */
static int look_again(struct planner *planner, struct target_work *target) {
        const struct target *known = topology_target(planner->topology, &target->address);
        const struct device *device;
        int r = 0;

        target->scan.looked = true;
        if (known)
                TAILQ_FOREACH (device, &known->devices, entry)
                        if (r >= 0)
                                r = device_work_look(planner, target, device->address.lun);
        return r;
}

/* To have something attached there would hang in the kernel until the port returns, or is given up.
 */
static bool is_away(const struct planner *planner, const struct target_work *target) {
        const struct target *known = topology_target(planner->topology, &target->address);

        return known && known->port_name[0] && !port_state_is_usable(known->port_state);
}

int target_scan_found_nothing(struct planner *planner, struct target_work *target,
                              struct scan_time now) {
        return target->scan.refused_count > 0
                       ? target_scan_cannot_ask(planner, target, now)
                       : target_scan_leave(planner, target, CONTACT_NONE, now);
}

/* Finds a device to ask through, or goes on looking for one. */
int target_scan_choose(struct planner *planner, struct target_work *target, struct scan_time now) {
        struct target_scan *scan = &target->scan;
        const struct device *device;
        int r;

        device = target_scan_foothold(planner, target);
        if (device)
                return target_scan_through(planner, target, device, now);
        r = scan->looked ? 0 : look_again(planner, target);
        if (r < 0 || !TAILQ_EMPTY(&target->devices))
                return r;
        if (is_away(planner, target)) {
                /* Unless it is back, and nobody has said so: then that is a reason to scan. */
                host_work_read(planner, target->host);
                return target_scan_cannot_ask(planner, target, now);
        }
        if (!scan->order.attach || scan->contact > contact_end() ||
            judge_ignores(planner, &target->address))
                return target_scan_found_nothing(planner, target, now);
        if (++scan->chosen > CHOSEN_MAX)
                return target_scan_cannot_ask(planner, target, now);
        scan->phase = PHASE_CONTACT;
        return scan->known ? 0 : target_scan_remember(planner, target);
}
