/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stddef.h>

#include "policy/discovery.h"
#include "util/cleanup.h"

const char *discovery_name(enum discovery discovery) {
        static const char *const names[] = {
                [DISCOVERY_SERVICE] = "service",
                [DISCOVERY_KERNEL] = "kernel",
                [DISCOVERY_DRIVER] = "driver",
        };

        assert((size_t)discovery < ELEMENTS_OF(names));
        return names[discovery];
}
