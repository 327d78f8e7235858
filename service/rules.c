/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>

#include "policy_files.h"
#include "rules.h"
#include "util/log.h"
#include "util/message_id.h"

struct rules {
        const char *const *roots;
        struct policy_limits defaults;
        struct policy *policy;
        bool broken;
};

/* Where somebody wrote rules and nobody can say which, what they wanted kept out stays out. Who
 * asks for a device gets it, with a warning: it may be the one that holds the file. */
static const char closed[] = "[Rule policy-not-understood]\n"
                             "Action=ignore\n"
                             "OnRequest=warn\n";
static const char closed_name[] = "(built in, as the policy's files have an error)";

static struct policy *closed_policy(const struct policy_limits *defaults) {
        _cleanup_(policy_freep) struct policy *policy = policy_new(defaults);
        struct policy_error error;
        int r;

        if (!policy)
                return NULL;
        r = policy_parse(policy, POLICY_FILE_RULES, closed_name, closed, &error);
        if (r >= 0)
                r = policy_parse(policy, POLICY_FILE_QUIRKS, policy_quirks_builtin_name,
                                 policy_quirks_builtin, &error);
        assert(r != -EINVAL);
        return r < 0 ? NULL : TAKE_PTR(policy);
}

static void log_read_policy(const struct policy *policy) {
        size_t count = policy_rule_count(policy);

        log_info("policy: %zu rule%s", count, count == 1 ? "" : "s");
}

static int read_at_start(struct rules *rules) {
        _cleanup_(freep) char *error = NULL;
        int r = rules_read(rules, &rules->policy, &error);

        if (r >= 0) {
                log_read_policy(rules->policy);
                return 0;
        }
        if (!error)
                return r;
        log_write(LOG_ERR, &(struct log_fields){.message_id = MESSAGE_ID_POLICY_INVALID},
                  "policy: %s", error);
        log_error("policy: none of it holds, and nothing is attached unasked, until the error is "
                  "mended and the policy is read again (scsictl policy reload)");
        rules->broken = true;
        rules->policy = closed_policy(&rules->defaults);
        return rules->policy ? 0 : -ENOMEM;
}

int rules_new(const char *const *roots, const struct policy_limits *defaults, struct rules **ret) {
        struct rules *rules = calloc(1, sizeof(*rules));
        int r;

        if (!rules)
                return -ENOMEM;
        rules->roots = roots;
        rules->defaults = *defaults;
        r = read_at_start(rules);
        if (r < 0) {
                rules_free(rules);
                return r;
        }
        *ret = rules;
        return 0;
}

void rules_free(struct rules *rules) {
        if (!rules)
                return;
        policy_free(rules->policy);
        free(rules);
}

bool rules_are_broken(const struct rules *rules) {
        return rules->broken;
}

const struct policy *rules_policy(const struct rules *rules) {
        return rules->policy;
}

int rules_read(const struct rules *rules, struct policy **ret, char **ret_error) {
        return policy_files_load(rules->roots, &rules->defaults, ret, ret_error);
}

void rules_replace(struct rules *rules, struct policy *policy) {
        policy_free(rules->policy);
        rules->policy = policy;
        rules->broken = false;
        log_read_policy(policy);
}
