/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a policy is made of: the sections of its files, in order; private to this layer. */

#include <stdbool.h>
#include <stdint.h>

#include "policy/match.h"
#include "policy/policy.h"

enum section_kind {
        SECTION_RULE,
        SECTION_QUIRK,
        SECTION_HOST,
        SECTION_KINDS
};

struct section {
        struct policy_rule origin; /* the first member: what the outside sees of it */
        enum section_kind kind;
        struct match matches[MATCH_KEYS];
        /* SECTION_RULE */
        uint32_t settings; /* bit by enum policy_setting: which it has */
        int64_t values[POLICY_SETTINGS];
        /* SECTION_QUIRK: bits of enum quirk_flag */
        uint32_t flags_added;
        uint32_t flags_removed;
        /* SECTION_HOST */
        bool has_discovery;
        enum discovery discovery;
};

struct section_list {
        struct section **items; /* owned, and so are they */
        size_t count;
};

struct policy {
        int64_t defaults[POLICY_SETTINGS];
        struct section_list sections[SECTION_KINDS];
        size_t bytes; /* of all texts that were parsed */
};

struct section *section_new(enum section_kind kind, const char *name, const char *file,
                            unsigned line);
void section_free(struct section *section);
DEFINE_CLEANUP(struct section *, section_free)
/* Appends to the section's text. */
int section_tell(struct section *section, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

const struct section *policy_find(const struct policy *policy, enum section_kind kind,
                                  const char *name);
/* Takes the section if it returns 0; else -ENOMEM. */
int policy_add(struct policy *policy, struct section *section);

/* "NOLUN" or "-NOLUN", ...: adds to the section's flags; -EINVAL with found and expected. */
int quirk_parse(struct section *section, const char *text, struct policy_error *error);
/* "service", ... */
int discovery_parse(const char *text, enum discovery *ret, struct policy_error *error);
