/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one spelling of numbers that addresses and LUNs use; private to this layer. */

#include <stdint.h>

/* Reads digits at *cursor and moves it behind them: no sign, no blank, no leading zero (the
 * kernel's strtoull() would take it for octal). -EINVAL, or -ERANGE above max; then nothing moves.
 */
int scsi_decimal_read(const char **cursor, uint64_t max, uint64_t *ret);
