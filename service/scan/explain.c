/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan/explain.h"
#include "scan/work.h"
#include "scsi/inquiry.h"

struct account {
        const struct planner *planner;
        struct explanation *explanation;
        int error; /* the first of ours */
};

const char *severity_name(enum severity severity) {
        static const char *const names[] = {
                [SEVERITY_INFO] = "info",
                [SEVERITY_WARNING] = "warning",
                [SEVERITY_ERROR] = "error",
        };

        return names[severity];
}

void explanation_done(struct explanation *explanation) {
        for (size_t i = 0; i < explanation->count; i++)
                free(explanation->items[i].text);
        free(explanation->items);
        *explanation = (struct explanation){};
}

__attribute__((format(printf, 4, 5))) static void
add(struct account *account, const char *code, enum severity severity, const char *format, ...) {
        struct explanation *explanation = account->explanation;
        char *text = NULL;
        va_list arguments;
        int r;

        if (account->error < 0 || explanation->count >= FINDINGS_MAX)
                return;
        va_start(arguments, format);
        r = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (r < 0) {
                account->error = -ENOMEM;
                return;
        }
        explanation->items[explanation->count++] =
                (struct finding){.code = code, .severity = severity, .text = text};
}

/* ---- the host ---- */

static void explain_discovery(struct account *account, const struct host *host) {
        const struct policy_rule *by = NULL;

        policy_host_discovery(account->planner->policy, host->facts.driver,
                              !account->planner->config.owner, &by);
        switch (host->discovery) {
        case DISCOVERY_DRIVER:
                add(account, "driver-discovers", SEVERITY_WARNING,
                    "the driver %s attaches what it finds, and masks the rest ([Host %s] in %s): the "
                    "service only follows",
                    host->facts.driver, by ? by->name : "", by ? by->file : "");
                break;
        case DISCOVERY_KERNEL:
                if (account->planner->config.owner && TAILQ_EMPTY(&host->targets))
                        add(account, "kernel-discovers", SEVERITY_ERROR,
                            "the driver %s brings its links up only in the kernel's own scan, which "
                            "scsi_mod.scan keeps from happening (scsiscand --mode=take-over lets the "
                            "kernel do that first)",
                            host->facts.driver);
                else if (account->planner->config.owner)
                        add(account, "kernel-discovers", SEVERITY_INFO,
                            "the driver %s brings its links up only in the kernel's own scan, which "
                            "it has done: its targets are here",
                            host->facts.driver);
                else
                        add(account, "kernel-discovers", SEVERITY_INFO,
                            "the kernel's own scan finds what is behind host%" PRIu32
                            "; the service rescans what changes",
                            host->number);
                break;
        case DISCOVERY_SERVICE:
                break;
        }
        if (*account->planner->scan_mode)
                add(account, "scan-mode", SEVERITY_INFO,
                    "scsi_mod.scan is %s, and the service is %s", account->planner->scan_mode,
                    account->planner->config.owner ? "the owner" : "an observer");
}

static void explain_host(struct account *account, const struct host *host) {
        if (host->stuck)
                add(account, "host-stuck", SEVERITY_ERROR,
                    "host%" PRIu32 " is stuck: a kernel call on it has outlived its deadline",
                    host->number);
        if (strcmp(host->facts.state, "running") != 0)
                add(account, "host-state", SEVERITY_ERROR, "host%" PRIu32 " is %s, not running",
                    host->number, *host->facts.state ? host->facts.state : "not known");
        explain_discovery(account, host);
}

/* ---- the target ---- */

static void explain_asked(struct account *account, const struct target *target) {
        const char *trouble = watch_trouble(account->planner, &target->address);

        if (target->last_asked == 0)
                add(account, "not-asked", SEVERITY_WARNING,
                    "the target has not been asked what it has since the service started");
        if (trouble)
                add(account, "scan-failed", SEVERITY_ERROR, "the last scan of it failed: %s",
                    trouble);
        if (target->last_asked > 0 && target->lun_count == 0)
                add(account, "empty-list", SEVERITY_WARNING, "the target lists no LUN at all");
}

static void explain_target(struct account *account, const struct scsi_target_address *address) {
        const struct target *target = topology_target(account->planner->topology, address);
        char text[SCSI_ADDRESS_TEXT_MAX];

        if (!target) {
                add(account, "target-unknown", SEVERITY_ERROR,
                    "nothing has ever answered at %s, and no transport knows a port there",
                    scsi_target_address_format(address, text));
                return;
        }
        if (target->port_name[0] && !port_state_is_usable(target->port_state))
                add(account, "port-state", SEVERITY_ERROR, "its port %s is %s", target->port_name,
                    target->port_state);
        explain_asked(account, target);
        if (judge_ignores(account->planner, address))
                add(account, "target-ignored", SEVERITY_ERROR,
                    "the policy ignores all that the target has");
}

/* ---- the LUN ---- */

static const struct target_lun *listed(const struct target *target, uint64_t lun) {
        const struct target_lun key = {.lun = lun};

        if (!target || target->lun_count == 0)
                return NULL;
        return bsearch(&key, target->luns, target->lun_count, sizeof(key), target_lun_compare);
}

static void explain_list(struct account *account, const struct scsi_address *address,
                         bool attached) {
        const struct target *target = topology_target(account->planner->topology, &address->target);
        const struct target_lun *lun = listed(target, address->lun);

        if (!target || target->last_asked == 0 || scsi_lun_is_well_known(address->lun))
                return;
        if (!lun) {
                add(account, "not-reported", attached ? SEVERITY_WARNING : SEVERITY_ERROR,
                    "its target does not list LUN %" PRIu64, address->lun);
                return;
        }
        if (attached)
                return;
        switch (lun->disposition) {
        case DISPOSITION_OUT_OF_RANGE:
                add(account, "out-of-range", SEVERITY_ERROR,
                    "the host takes no LUN as high as %" PRIu64, address->lun);
                break;
        case DISPOSITION_NOT_ATTACHED:
        case DISPOSITION_FAILED:
        case DISPOSITION_UNWRITABLE:
        case DISPOSITION_WITHHELD:
        case DISPOSITION_REFUSED:
                add(account, disposition_name(lun->disposition), SEVERITY_ERROR, "%s",
                    disposition_reason(lun->disposition));
                break;
        default:
                add(account, "reported", SEVERITY_INFO, "its target lists it: %s",
                    disposition_reason(lun->disposition));
                break;
        }
}

static void explain_rules(struct account *account, const struct scsi_address *address,
                          const struct device *device) {
        struct policy_decision decision;
        enum severity severity = SEVERITY_INFO;

        if (planner_is_inhibited(account->planner, &address->target, address->lun))
                add(account, "inhibited", device ? SEVERITY_INFO : SEVERITY_ERROR,
                    "somebody holds a lease: nothing is attached there while it is open");
        if (device)
                judge_device(account->planner, device, &decision);
        else
                judge_lun(account->planner, &address->target, address->lun, &decision);
        if (decision.settings[POLICY_ACTION].value == POLICY_IGNORE)
                severity = device ? SEVERITY_WARNING : SEVERITY_ERROR;
        add(account, "rule", severity, "%s", decision.reason);
}

static void explain_quirk(struct account *account, const struct device *device) {
        const struct policy_rule *by = NULL;
        char flags[POLICY_FLAGS_MAX];

        policy_quirk_flags(account->planner->policy, device->facts.vendor, device->facts.model,
                           device->facts.blacklist, flags, &by);
        if (*flags)
                add(account, "quirk", SEVERITY_INFO, "its target is scanned with care: %s%s%s%s%s",
                    flags, by ? " ([Quirk " : " (by the kernel's table", by ? by->name : "",
                    by ? "] in " : "", by ? by->file : ")");
}

/* ---- the device ---- */

static void explain_standing(struct account *account, const struct device *device) {
        switch (device->standing) {
        case STANDING_UNVERIFIED:
                add(account, "unverified", SEVERITY_WARNING, "it has not said who it is");
                break;
        case STANDING_MISSING:
                add(account, "missing", SEVERITY_ERROR,
                    "its target no longer has it, and it says so itself");
                break;
        case STANDING_REPLACED:
                add(account, "replaced", SEVERITY_ERROR,
                    "it was %s, and another unit is behind its address now: it is stopped until "
                    "that is accepted",
                    device->was.name ?: "another");
                break;
        case STANDING_QUARANTINED:
                add(account, "quarantined", SEVERITY_ERROR,
                    "the policy keeps it stopped until somebody accepts it");
                break;
        case STANDING_PRESENT:
                break;
        }
}

static void explain_state(struct account *account, const struct device *device) {
        const struct device_facts *facts = &device->facts;

        if (strcmp(facts->state, "running") != 0)
                add(account, "state", SEVERITY_ERROR, "the kernel has it as %s", facts->state);
        if (facts->qualifier == 1)
                add(account, "qualifier", SEVERITY_ERROR,
                    "it says that its unit is not connected now (peripheral qualifier 1)");
        if (facts->type == SCSI_TYPE_UNKNOWN)
                add(account, "type", SEVERITY_ERROR,
                    "it is of no type that any driver binds to (1Fh)");
        else if (facts->qualifier == 0 && facts->type == 0 && !facts->block[0])
                add(account, "no-driver", SEVERITY_WARNING,
                    "no driver has bound to it: there is no block device");
        else if (facts->type == 0 && facts->block[0] && facts->size == 0)
                add(account, "no-capacity", SEVERITY_WARNING, "it has no capacity");
        if (!facts->generic[0])
                add(account, "no-sg", SEVERITY_WARNING,
                    "it has no sg node: nobody can ask who it is (is the module sg loaded?)");
}

static void explain_device(struct account *account, const struct device *device) {
        char text[SCSI_ADDRESS_TEXT_MAX];

        add(account, "attached", SEVERITY_INFO, "%s is attached%s%s%s%s",
            scsi_address_format(&device->address, text),
            device->identity.name && *device->identity.name ? " as " : "",
            device->identity.name ?: "", device->facts.block[0] ? ", /dev/" : "",
            device->facts.block);
        explain_standing(account, device);
        explain_state(account, device);
        explain_quirk(account, device);
        if (device->facts.holders[0])
                add(account, "in-use", SEVERITY_INFO, "it is in use by %s%s",
                    device->facts.holders[0], device->facts.holders[1] ? " and others" : "");
}

static void explain_lun(struct account *account, const struct scsi_address *address) {
        const struct device *device = topology_device(account->planner->topology, address);

        explain_list(account, address, device != NULL);
        explain_rules(account, address, device);
        if (device)
                explain_device(account, device);
        else
                add(account, "not-attached", SEVERITY_ERROR, "nothing is attached there");
}

/* ---- the whole ---- */

static void explain_way(struct account *account, const struct scsi_target_address *target) {
        const struct host *host = topology_host(account->planner->topology, target->host);

        if (host)
                explain_host(account, host);
        explain_target(account, target);
}

static int explain_found(const struct object_id *id, void *userdata) {
        struct account *account = userdata;

        if (id->kind == OBJECT_HOST)
                explain_host(account,
                             topology_host(account->planner->topology, id->address.target.host));
        else if (id->kind != OBJECT_UNIT)
                explain_way(account, &id->address.target);
        if (id->kind == OBJECT_DEVICE)
                explain_lun(account, &id->address);
        return 0;
}

static int explain_scope(struct account *account, const struct scope *scope) {
        const struct topology *topology = account->planner->topology;

        switch (scope->kind) {
        case SCOPE_ALL:
                return -EINVAL;
        case SCOPE_HOST:
        case SCOPE_TARGET:
        case SCOPE_DEVICE:
                if (!topology_host(topology, scope->address.target.host))
                        return -ENOENT;
                if (scope->kind == SCOPE_HOST)
                        explain_host(account, topology_host(topology, scope->address.target.host));
                else
                        explain_way(account, &scope->address.target);
                if (scope->kind == SCOPE_DEVICE)
                        explain_lun(account, &scope->address);
                return 0;
        case SCOPE_NAME:
        case SCOPE_NODE:
                break;
        }
        scope_find(scope, topology, explain_found, account);
        return account->explanation->count > 0 ? 0 : -ENOENT;
}

static void conclude(struct account *account) {
        const struct explanation *explanation = account->explanation;

        for (size_t i = 0; i < explanation->count; i++)
                if (explanation->items[i].severity != SEVERITY_INFO)
                        return;
        add(account, "fine", SEVERITY_INFO, "nothing that is known stands in the way");
}

int planner_explain(const struct planner *planner, const struct scope *scope,
                    struct explanation *ret) {
        struct explanation explanation = {.items =
                                                  calloc(FINDINGS_MAX, sizeof(*explanation.items))};
        struct account account = {.planner = planner, .explanation = &explanation};
        int r;

        if (!explanation.items)
                return -ENOMEM;
        r = explain_scope(&account, scope);
        if (r >= 0)
                conclude(&account);
        if (r >= 0)
                r = account.error;
        if (r < 0) {
                explanation_done(&explanation);
                return r;
        }
        *ret = explanation;
        return 0;
}
