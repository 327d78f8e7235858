/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A journal that this process alone has: what libsystemd sends to it is what is received here. */

#include <stdbool.h>

/* In a mount namespace of its own. False where that cannot be; the tests are then to be skipped. */
bool journal_open(int *ret);
/* The next entry, a line for each field, without the one that libsystemd adds. NULL when nothing
 * was sent. Owned by the caller. */
char *journal_next(int journal);
