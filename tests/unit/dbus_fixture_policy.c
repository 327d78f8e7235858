/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/policy.h"
#include "policy/scan_rules.h"
#include "tests/unit/dbus_fixture.h"

int fixture_read_policy(struct policy **ret, char **ret_error, void *userdata) {
        const struct fixture *fixture = userdata;
        _cleanup_(policy_freep) struct policy *policy = policy_new(&policy_limits_default);
        struct policy_error error;
        int r = policy_parse(policy, POLICY_FILE_RULES, "test.conf", fixture->rules ?: "", &error);

        if (r < 0) {
                *ret_error = policy_error_format(&error);
                return r;
        }
        *ret = TAKE_PTR(policy);
        return 0;
}

int fixture_reload(uint32_t uid, char **ret_error, void *userdata) {
        struct fixture *fixture = userdata;
        _cleanup_(policy_freep) struct policy *policy = NULL;
        uint64_t job;
        int r = fixture_read_policy(&policy, ret_error, fixture);

        if (r >= 0)
                r = engine_set_policy(fixture->engine, policy, uid, fixture_now(fixture), &job);
        if (r < 0)
                return r;
        policy_free(fixture->policy);
        fixture->policy = TAKE_PTR(policy);
        server_set_policy(fixture->server, fixture->policy);
        fixture->poked = true;
        return 0;
}
