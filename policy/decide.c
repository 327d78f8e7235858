/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdio.h>

#include "policy/section.h"

/* The action, while the rules are gone through from the last to the first. */
struct outcome {
        bool seen[POLICY_ASK];        /* actions that a rule may turn out to set */
        const struct section *maybe;  /* the last rule that may match */
        enum match_key unknown;       /* what is not known for it */
        const struct section *surely; /* the last rule that does match */
};

/* *ret_unknown: the first key that says maybe, if the answer is that. */
static enum tri rule_matches(const struct section *rule, const struct policy_subject *subject,
                             enum match_key *ret_unknown) {
        enum tri all = TRI_YES;

        for (size_t key = 0; key < MATCH_KEYS; key++) {
                enum tri one = match_subject(&rule->matches[key], (enum match_key)key, subject);

                if (one == TRI_NO)
                        return TRI_NO;
                if (one == TRI_MAYBE && all == TRI_YES) {
                        all = TRI_MAYBE;
                        *ret_unknown = (enum match_key)key;
                }
        }
        return all;
}

static bool has_setting(const struct section *rule, size_t setting) {
        return rule->settings & UINT32_C(1) << setting;
}

static void consider_action(struct outcome *outcome, const struct section *rule, enum tri match,
                            enum match_key unknown) {
        if (outcome->surely || !has_setting(rule, POLICY_ACTION))
                return;
        outcome->seen[rule->values[POLICY_ACTION]] = true;
        if (match == TRI_YES)
                outcome->surely = rule;
        else if (!outcome->maybe) {
                outcome->maybe = rule;
                outcome->unknown = unknown;
        }
}

static void consider_settings(struct policy_decision *decision, const struct section *rule) {
        for (size_t i = 0; i < POLICY_SETTINGS; i++)
                if (i != POLICY_ACTION && has_setting(rule, i) && !decision->settings[i].rule)
                        decision->settings[i] = (struct policy_verdict){.value = rule->values[i],
                                                                        .rule = &rule->origin};
}

static void explain_ask(const struct outcome *outcome, char reason[static POLICY_REASON_MAX]) {
        const struct policy_rule *rule = &outcome->maybe->origin;
        int64_t action = outcome->maybe->values[POLICY_ACTION];

        snprintf(reason, POLICY_REASON_MAX,
                 "it has to be looked at first: [Rule %s] (%s:%u) may say %s, but the %s is not "
                 "known yet",
                 rule->name, rule->file, rule->line, policy_action_name((enum policy_action)action),
                 match_noun(outcome->unknown));
}

static void explain(const struct policy_verdict *verdict, char reason[static POLICY_REASON_MAX]) {
        const char *action = policy_action_name((enum policy_action)verdict->value);

        if (verdict->rule)
                snprintf(reason, POLICY_REASON_MAX, "[Rule %s] (%s:%u) says %s",
                         verdict->rule->name, verdict->rule->file, verdict->rule->line, action);
        else
                snprintf(reason, POLICY_REASON_MAX, "no rule decides, the default is %s", action);
}

static void conclude(const struct policy *policy, struct outcome *outcome,
                     struct policy_decision *decision) {
        struct policy_verdict *verdict = &decision->settings[POLICY_ACTION];
        unsigned different = 0;

        verdict->value = policy->defaults[POLICY_ACTION];
        if (outcome->surely) {
                verdict->value = outcome->surely->values[POLICY_ACTION];
                verdict->rule = &outcome->surely->origin;
        }
        outcome->seen[verdict->value] = true;
        for (size_t i = 0; i < POLICY_ASK; i++)
                different += outcome->seen[i];

        if (different == 1) {
                explain(verdict, decision->reason);
                return;
        }
        verdict->value = POLICY_ASK;
        verdict->rule = &outcome->maybe->origin;
        explain_ask(outcome, decision->reason);
}

void policy_decide(const struct policy *policy, const struct policy_subject *subject,
                   struct policy_decision *ret) {
        const struct section_list *rules = &policy->sections[SECTION_RULE];
        struct outcome outcome = {};

        *ret = (struct policy_decision){};
        for (size_t i = 0; i < POLICY_SETTINGS; i++)
                ret->settings[i].value = policy->defaults[i];

        for (size_t i = rules->count; i-- > 0;) {
                enum match_key unknown = MATCH_KEYS;
                enum tri match = rule_matches(rules->items[i], subject, &unknown);

                if (match == TRI_NO)
                        continue;
                consider_action(&outcome, rules->items[i], match, unknown);
                if (match == TRI_YES)
                        consider_settings(ret, rules->items[i]);
        }
        conclude(policy, &outcome, ret);
}
