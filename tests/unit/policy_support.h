/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "policy/policy.h"

/* A text of rules as a policy, which it has to be. */
static inline struct policy *policy_of(const char *text) {
        struct policy *policy = policy_new(&policy_limits_default);
        struct policy_error error;

        g_assert_nonnull(policy);
        if (policy_parse(policy, POLICY_FILE_RULES, "test.conf", text, &error) < 0)
                g_error("%s:%u: %s: expected %s", error.file, error.line, error.found,
                        error.expected);
        return policy;
}

static inline int64_t decide(const struct policy *policy, const struct policy_subject *subject,
                             enum policy_setting setting) {
        struct policy_decision decision;

        policy_decide(policy, subject, &decision);
        return decision.settings[setting].value;
}
