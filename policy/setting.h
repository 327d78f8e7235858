/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The settings of rules, from a table; private to this layer. */

#include "policy/match.h"
#include "policy/policy.h"

/* -EINVAL: there is no such setting. */
int setting_find(const char *name, enum policy_setting *ret);
/* -EINVAL with the error's found and expected. */
int setting_parse(enum policy_setting setting, const char *text, int64_t *ret,
                  struct policy_error *error);
/* How finely a setting can tell devices apart: one of a whole host cannot depend on a vendor. */
enum match_level setting_level(enum policy_setting setting);
void setting_defaults(const struct policy_limits *limits, int64_t ret[static POLICY_SETTINGS]);
