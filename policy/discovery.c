/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stddef.h>

#include "policy/discovery.h"
#include "policy/policy.h"
#include "util/cleanup.h"

enum discovery policy_discovery(const char *driver, bool kernel_scans) {
        _cleanup_(policy_freep) struct policy *policy = policy_new(&policy_limits_default);
        struct policy_error error;

        /* Out of memory: as a host that no file knows. */
        if (!policy || policy_parse(policy, POLICY_FILE_QUIRKS, policy_quirks_builtin_name,
                                    policy_quirks_builtin, &error) < 0)
                driver = NULL;
        if (!driver)
                return kernel_scans ? DISCOVERY_KERNEL : DISCOVERY_SERVICE;
        return policy_host_discovery(policy, driver, kernel_scans, NULL);
}

const char *discovery_name(enum discovery discovery) {
        static const char *const names[] = {
                [DISCOVERY_SERVICE] = "service",
                [DISCOVERY_KERNEL] = "kernel",
                [DISCOVERY_DRIVER] = "driver",
        };

        assert((size_t)discovery < ELEMENTS_OF(names));
        return names[discovery];
}
