/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdio.h>

#include "dbus/preview.h"
#include "policy/policy.h"
#include "scsi/lun.h"

struct preview {
        const struct engine *engine;
        const struct policy *policy;
        preview_found found;
        void *userdata;
        struct policy_decision decision; /* of what is looked at; too large for each call's stack */
};

const char *preview_action_name(enum preview_action action) {
        static const char *const names[] = {
                [PREVIEW_ATTACH] = "attach",
                [PREVIEW_DETACH] = "detach",
                [PREVIEW_QUARANTINE] = "quarantine",
                [PREVIEW_KEEP] = "keep",
                [PREVIEW_ASK] = "ask",
                [PREVIEW_RELEASE] = "release",
        };

        return names[action];
}

static enum policy_action decide(struct preview *preview, const struct policy *policy,
                                 const struct scope *scope) {
        int r = engine_evaluate(preview->engine, scope, policy, &preview->decision);

        assert(r == 0); /* it names something: it comes from the topology */
        return (enum policy_action)preview->decision.settings[POLICY_ACTION].value;
}

static enum policy_action decide_lun(struct preview *preview, const struct scsi_address *address) {
        const struct scope scope = {.kind = SCOPE_DEVICE, .address = *address};

        return decide(preview, preview->policy, &scope);
}

static int tell(const struct preview *preview, const struct scsi_address *address,
                enum preview_action action) {
        char text[SCSI_ADDRESS_TEXT_MAX];

        return preview->found(scsi_address_format(address, text), action, preview->decision.reason,
                              preview->userdata);
}

/* ---- devices ---- */

/* One that is stopped or gone is left to what was decided then, and one that is but a door to its
 * target to that. */
static bool is_past_judging(const struct device *device) {
        return device->standing == STANDING_MISSING || device->standing == STANDING_REPLACED ||
               scsi_lun_is_well_known(device->address.lun);
}

/* Somebody asked for it in spite of the policy, or its driver would attach it again. */
static bool is_kept(const struct device *device) {
        return device->asked || device->target->host->discovery == DISCOVERY_DRIVER;
}

static int preview_device(struct preview *preview, const struct device *device) {
        bool in_use = device->facts.holders[0];
        bool stopped = device->standing == STANDING_QUARANTINED;

        if (is_past_judging(device))
                return 0;
        switch (decide_lun(preview, &device->address)) {
        case POLICY_ATTACH:
                return stopped ? tell(preview, &device->address, PREVIEW_RELEASE) : 0;
        case POLICY_QUARANTINE:
                return device->asked || stopped ? 0
                                                : tell(preview, &device->address,
                                                       in_use ? PREVIEW_KEEP : PREVIEW_QUARANTINE);
        case POLICY_IGNORE:
                return is_kept(device) ? 0
                                       : tell(preview, &device->address,
                                              in_use ? PREVIEW_KEEP : PREVIEW_DETACH);
        case POLICY_ASK:
                return is_kept(device) ? 0 : tell(preview, &device->address, PREVIEW_ASK);
        }
        return 0;
}

/* ---- what is not attached ---- */

/* Kept back by the policy, or left to the kernel's own scan, which is over. Whatever else keeps a
 * LUN from being attached has nothing to do with the policy. */
static bool is_free(const struct target_lun *lun) {
        return (lun->disposition == DISPOSITION_REFUSED ||
                lun->disposition == DISPOSITION_OBSERVED) &&
               !scsi_lun_is_well_known(lun->lun);
}

static int preview_lun(struct preview *preview, const struct target *target,
                       const struct target_lun *lun) {
        const struct scsi_address address = {.target = target->address, .lun = lun->lun};

        if (!is_free(lun) || topology_device(engine_topology(preview->engine), &address))
                return 0;
        switch (decide_lun(preview, &address)) {
        case POLICY_ATTACH:
                return tell(preview, &address, PREVIEW_ATTACH);
        case POLICY_QUARANTINE:
                return tell(preview, &address, PREVIEW_QUARANTINE);
        case POLICY_ASK:
                return tell(preview, &address, PREVIEW_ASK);
        case POLICY_IGNORE:
                break;
        }
        return 0;
}

/* Nothing of it was wanted, so nobody knows what it has. */
static int preview_unasked(struct preview *preview, const struct target *target) {
        const struct scope scope = {.kind = SCOPE_TARGET, .address.target = target->address};
        char text[SCSI_ADDRESS_TEXT_MAX];

        if (target->last_asked > 0 || decide(preview, NULL, &scope) != POLICY_IGNORE ||
            decide(preview, preview->policy, &scope) == POLICY_IGNORE)
                return 0;
        return preview->found(scsi_target_address_format(&target->address, text), PREVIEW_ASK,
                              preview->decision.reason, preview->userdata);
}

/* ---- all of it ---- */

static int preview_target(struct preview *preview, const struct target *target) {
        const struct device *device;
        int r = preview_unasked(preview, target);

        TAILQ_FOREACH (device, &target->devices, entry)
                if (r >= 0)
                        r = preview_device(preview, device);
        for (size_t i = 0; r >= 0 && i < target->lun_count; i++)
                r = preview_lun(preview, target, &target->luns[i]);
        return r;
}

int preview(const struct engine *engine, const struct policy *policy, preview_found found,
            void *userdata) {
        struct preview preview = {
                .engine = engine, .policy = policy, .found = found, .userdata = userdata};
        const struct host *host;
        const struct target *target;
        int r = 0;

        TAILQ_FOREACH (host, topology_hosts(engine_topology(engine)), entry)
                TAILQ_FOREACH (target, &host->targets, entry)
                        if (r >= 0)
                                r = preview_target(&preview, target);
        return r < 0 ? r : 0;
}
