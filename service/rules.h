/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The policy that holds, read from its files: at the start, and anew when somebody wants it. What
 * cannot be read or understood never takes the place of what holds, and at the start, where nothing
 * does yet, it does not open the door: then nothing is attached unasked.
 */

#include "policy/policy.h"

struct rules;

/* Reads what is below `roots` (policy_files_load()), which are not copied. Files that are wrong are
 * logged, and are no error. -ENOMEM. */
int rules_new(const char *const *roots, const struct policy_limits *defaults, struct rules **ret);
void rules_free(struct rules *rules);

/* The files had an error at the start, and nothing has taken the place of what holds then. */
bool rules_are_broken(const struct rules *rules);

/* Lives until the next rules_replace(). */
const struct policy *rules_policy(const struct rules *rules);
/* What the files say now, owned by the caller: -EINVAL or another -errno with a sentence in
 * *ret_error (owned); -ENOMEM, without. */
int rules_read(const struct rules *rules, struct policy **ret, char **ret_error);
/* That one holds from here on, and is owned; nobody may use the old one any more. */
void rules_replace(struct rules *rules, struct policy *policy);
