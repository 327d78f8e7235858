/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* As libFuzzer calls it: ends the process when something is wrong, else returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
