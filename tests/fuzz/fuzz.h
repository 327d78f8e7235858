/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* As libFuzzer calls it: ends the process when something is wrong, else returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Also where asserts are left out: what does not hold is what a fuzzer looks for. */
#define CHECK(condition)                                                                           \
        do {                                                                                       \
                if (!(condition)) {                                                                \
                        fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__,           \
                                #condition);                                                       \
                        abort();                                                                   \
                }                                                                                  \
        } while (0)
