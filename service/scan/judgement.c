/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the policy says of a host, a target, a LUN or a device: turns what the topology knows into
 * a subject, and asks. What holds for
 * a target or a device is asked with every step, so it is kept.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/work.h"
#include "scsi/inquiry.h"

/* Of a device, of a target as a whole, or of a host. */
struct place_rules {
        struct place_key {
                uint64_t words[3]; /* without padding, which no hash may see */
        } key;
        struct policy_limits limits;
        int32_t order;
        uint32_t commands; /* of a host */
        bool ignored;
        UT_hash_handle hh;
};

/* Beyond that, all are forgotten and asked for again. */
#define PLACE_RULES_MAX 32768

/* ---- subjects ---- */

static void subject_host(const struct planner *planner, uint32_t number,
                         struct policy_subject *subject) {
        const struct host *host = topology_host(planner->topology, number);

        subject->owner = planner->config.owner;
        subject->has_host = true;
        subject->host = number;
        if (!host || host->facts.instance == 0)
                return; /* it could not be read yet */
        subject->driver = host->facts.driver;
        subject->transport = transport_name(host->facts.transport);
}

static void subject_target(const struct planner *planner, const struct scsi_target_address *address,
                           struct policy_subject *subject) {
        const struct target *target = topology_target(planner->topology, address);
        const struct host *host = topology_host(planner->topology, address->host);

        subject_host(planner, address->host, subject);
        if (target && target->port_name[0])
                subject->port_name = target->port_name;
        else if (host && !transport_lists_ports(host->facts.transport))
                subject->port_name = "";
}

static bool is_disk(uint8_t type) {
        return type == 0x00 || type == 0x0e || type == 0x14; /* SPC-5: block, RBC, ZBC */
}

/* Looked at, it has no more to say, but that a disk's size comes when sd has probed it, and its
 * identity when it answers. */
static void subject_facts(const struct device_facts *facts, const struct scsi_identity *identity,
                          struct policy_subject *subject) {
        bool named = (identity->name && *identity->name) || !facts->has_device_id;

        subject->type = scsi_type_name(facts->type);
        subject->vendor = facts->vendor;
        subject->model = facts->model;
        subject->revision = facts->revision;
        subject->identity = identity->name && *identity->name ? identity->name : NULL;
        subject->size = facts->size;
        subject->has_size = facts->size > 0;
        subject->complete = named && (facts->size > 0 || !is_disk(facts->type));
}

/* ---- what is asked with every step ---- */

static struct place_key key_of(const struct scsi_target_address *target, uint64_t lun, bool whole) {
        return (struct place_key){{(uint64_t)target->host << 32 | target->channel,
                                   (uint64_t)target->target << 1 | whole, lun}};
}

static struct place_rules *rules_new(const struct planner *planner,
                                     const struct policy_subject *subject) {
        struct place_rules *rules = calloc(1, sizeof(*rules));
        struct policy_decision decision;

        if (!rules)
                return NULL;
        policy_decide(planner->policy, subject, &decision);
        rules->limits = *planner->limits;
        policy_decision_limits(&decision, &rules->limits);
        rules->order = (int32_t)decision.settings[POLICY_ORDER].value;
        rules->commands = (uint32_t)decision.settings[POLICY_COMMANDS].value;
        rules->ignored = decision.settings[POLICY_ACTION].value == POLICY_IGNORE;
        return rules;
}

static struct place_rules *rules_find(const struct planner *planner, const struct place_key *key) {
        struct place_rules *rules;

        HASH_FIND(hh, planner->place_rules, key, sizeof(*key), rules);
        return rules;
}

static const struct place_rules *rules_keep(const struct planner *planner,
                                            const struct place_key *key,
                                            const struct policy_subject *subject) {
        struct planner *keeper = (struct planner *)planner; /* what is kept shows nowhere */
        struct place_rules *rules = rules_new(planner, subject);

        if (!rules)
                return NULL;
        if (HASH_COUNT(planner->place_rules) >= PLACE_RULES_MAX)
                judge_forget(keeper);
        rules->key = *key;
        HASH_ADD(hh, keeper->place_rules, key, sizeof(rules->key), rules);
        return rules;
}

static const struct place_rules *rules_of_target(const struct planner *planner,
                                                 const struct scsi_target_address *target) {
        struct place_key key = key_of(target, 0, true);
        struct policy_subject subject = {};
        const struct place_rules *rules;

        if (policy_rule_count(planner->policy) == 0)
                return NULL;
        rules = rules_find(planner, &key);
        if (rules)
                return rules;
        subject_target(planner, target, &subject);
        return rules_keep(planner, &key, &subject);
}

static const struct place_rules *rules_of_device(const struct planner *planner,
                                                 const struct scsi_address *address) {
        struct place_key key = key_of(&address->target, address->lun, false);
        struct policy_subject subject = {.has_lun = true, .lun = address->lun};
        const struct device *device = topology_device(planner->topology, address);
        const struct place_rules *rules;

        if (policy_rule_count(planner->policy) == 0)
                return NULL;
        rules = rules_find(planner, &key);
        if (rules)
                return rules;
        subject_target(planner, &address->target, &subject);
        if (device)
                subject_facts(&device->facts, &device->identity, &subject);
        return rules_keep(planner, &key, &subject);
}

const struct policy_limits *judge_limits(const struct planner *planner,
                                         const struct scsi_target_address *target) {
        const struct place_rules *rules = rules_of_target(planner, target);

        return rules ? &rules->limits : planner->limits;
}

const struct policy_limits *judge_device_limits(const struct planner *planner,
                                                const struct scsi_address *address) {
        const struct place_rules *rules = rules_of_device(planner, address);

        return rules ? &rules->limits : planner->limits;
}

uint32_t judge_poll_interval(const struct planner *planner,
                             const struct scsi_target_address *address) {
        const struct target *target = topology_target(planner->topology, address);
        const struct device *device, *first = NULL;

        if (target)
                TAILQ_FOREACH (device, &target->devices, entry)
                        if (!first || device->address.lun < first->address.lun)
                                first = device;
        return first ? judge_device_limits(planner, &first->address)->poll_interval_ms
                     : judge_limits(planner, address)->poll_interval_ms;
}

int32_t judge_order(const struct planner *planner, const struct scsi_target_address *target) {
        const struct place_rules *rules = rules_of_target(planner, target);

        return rules ? rules->order : 0;
}

bool judge_ignores(const struct planner *planner, const struct scsi_target_address *target) {
        const struct place_rules *rules = rules_of_target(planner, target);

        return rules && rules->ignored;
}

static void rules_drop(struct planner *planner, struct place_rules *rules) {
        HASH_DEL(planner->place_rules, rules);
        free(rules);
}

void judge_forget(struct planner *planner) {
        struct place_rules *rules, *next;

        HASH_ITER (hh, planner->place_rules, rules, next)
                rules_drop(planner, rules);
}

void judge_forget_device(struct planner *planner, const struct scsi_address *address) {
        struct place_key key = key_of(&address->target, address->lun, false);
        struct place_rules *rules = rules_find(planner, &key);

        if (rules)
                rules_drop(planner, rules);
}

/* ---- one host, one LUN, one device ---- */

uint32_t judge_commands(const struct planner *planner, uint32_t host) {
        const struct scsi_target_address nowhere = {host, UINT32_MAX, UINT32_MAX};
        struct place_key key = key_of(&nowhere, UINT64_MAX, true);
        struct policy_subject subject = {};
        const struct place_rules *rules;

        if (policy_rule_count(planner->policy) == 0)
                return planner->config.steps_per_host;
        rules = rules_find(planner, &key);
        if (!rules) {
                subject_host(planner, host, &subject);
                rules = rules_keep(planner, &key, &subject);
        }
        return rules && rules->commands < planner->config.steps_per_host
                       ? rules->commands
                       : planner->config.steps_per_host;
}

static void judge_target(const struct planner *planner, const struct scsi_target_address *target,
                         struct policy_decision *ret) {
        struct policy_subject subject = {};

        subject_target(planner, target, &subject);
        policy_decide(planner->policy, &subject, ret);
}

void judge_lun(const struct planner *planner, const struct scsi_target_address *target,
               uint64_t lun, struct policy_decision *ret) {
        struct policy_subject subject = {.has_lun = true, .lun = lun};

        subject_target(planner, target, &subject);
        if (scsi_lun_is_well_known(lun))
                subject.type = scsi_type_name(SCSI_TYPE_WELL_KNOWN);
        policy_decide(planner->policy, &subject, ret);
}

int32_t judge_lun_order(struct planner *planner, const struct scsi_target_address *target,
                        uint64_t lun) {
        struct policy_subject subject = {.has_lun = true, .lun = lun};
        struct scsi_address address = {.target = *target, .lun = lun};
        const struct memory_entry *entry = planner_recall(planner, &address);
        struct policy_decision decision;

        subject_target(planner, target, &subject);
        if (entry)
                subject.identity = entry->identity.name;
        policy_decide(planner->policy, &subject, &decision);
        return (int32_t)decision.settings[POLICY_ORDER].value;
}

void judge_fact(const struct planner *planner, const struct scsi_address *address,
                const struct device_facts *facts, const struct scsi_identity *identity,
                struct policy_decision *ret) {
        struct policy_subject subject = {.has_lun = true, .lun = address->lun};

        subject_target(planner, &address->target, &subject);
        subject_facts(facts, identity, &subject);
        policy_decide(planner->policy, &subject, ret);
}

void judge_device(const struct planner *planner, const struct device *device,
                  struct policy_decision *ret) {
        judge_fact(planner, &device->address, &device->facts, &device->identity, ret);
}

/* One setting of a device whose value is "of itself" or "tell only". */
bool judge_of_itself(const struct planner *planner, const struct device *device,
                     enum policy_setting setting) {
        struct policy_decision decision;

        judge_device(planner, device, &decision);
        return decision.settings[setting].value == POLICY_OF_ITSELF;
}

struct scope_judged {
        const struct planner *planner;
        struct policy_decision *decision;
};

static int judge_found(const struct object_id *id, void *userdata) {
        const struct scope_judged *judged = userdata;
        const struct device *device;

        if (id->kind == OBJECT_UNIT)
                return 0; /* its devices follow */
        device = id->kind == OBJECT_DEVICE
                         ? topology_device(judged->planner->topology, &id->address)
                         : NULL;
        if (device)
                judge_device(judged->planner, device, judged->decision);
        else
                judge_target(judged->planner, &id->address.target, judged->decision);
        return 1;
}

int judge_scope(const struct planner *planner, const struct scope *scope,
                struct policy_decision *ret) {
        struct scope_judged judged = {.planner = planner, .decision = ret};
        int r;

        if (scope->kind == SCOPE_ALL || scope->kind == SCOPE_HOST)
                return -EINVAL;
        if (!topology_host(planner->topology, scope->address.target.host) &&
            (scope->kind == SCOPE_TARGET || scope->kind == SCOPE_DEVICE))
                return -ENOENT;
        if (scope->kind == SCOPE_DEVICE && !topology_device(planner->topology, &scope->address)) {
                judge_lun(planner, &scope->address.target, scope->address.lun, ret);
                return 0;
        }
        if (scope->kind == SCOPE_TARGET) {
                judge_target(planner, &scope->address.target, ret);
                return 0;
        }
        r = scope_find(scope, planner->topology, judge_found, &judged);
        return r == 0 ? -ENOENT : r > 0 ? 0 : r;
}
