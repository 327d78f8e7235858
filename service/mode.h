/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Owner or observer: whether the kernel scans. */

#include <stdbool.h>

struct daemon_options;

/* As --mode says, else as the kernel is set. Reads files; before the loop runs. */
bool mode_is_owner(const struct daemon_options *options);
