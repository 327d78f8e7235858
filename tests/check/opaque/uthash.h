/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * For clang-tidy alone, in front of the real one: what uthash's macros keep true of a table (a
 * deletion leaves no pointer to what it deleted, a table has buckets while it has entries) is
 * beyond the analyzer, which then reports what cannot be in everybody's code. Here they may do
 * anything to the table.
 */

#include_next <uthash.h>

void table_changes(void *head, const void *entry);
unsigned table_hash(const void *key, size_t length);

#undef HASH_DELETE_HH
#define HASH_DELETE_HH(hh, head, entry) table_changes(&(head), entry)

#undef HASH_JEN
#define HASH_JEN(key, length, hash) ((hash) = table_hash(key, length))
