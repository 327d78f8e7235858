/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * In which order changes are told, by signals and by GetChanges: whoever follows it never sees an
 * object that names one it has not been told of, and as few as can be that name one which is gone.
 */

#include "scan/change_set.h"

enum change_word {
        CHANGE_REMOVED,
        CHANGE_ADDED, /* one that went and came again is both */
        CHANGE_CHANGED,
};

/* The contract's: "removed" ... */
const char *change_word_name(enum change_word word);
bool change_is(const struct change *change, enum change_word word);

struct change_part {
        enum change_word word;
        enum object_kind kind; /* OBJECT_KINDS: all */
};

#define CHANGE_PARTS 9

extern const struct change_part change_order[CHANGE_PARTS];

bool change_is_in(const struct change *change, const struct change_part *part);
