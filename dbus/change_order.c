/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/change_order.h"

const struct change_part change_order[CHANGE_PARTS] = {
        {CHANGE_REMOVED, OBJECT_DEVICE}, {CHANGE_REMOVED, OBJECT_TARGET},
        {CHANGE_REMOVED, OBJECT_UNIT},   {CHANGE_REMOVED, OBJECT_HOST},
        {CHANGE_ADDED, OBJECT_HOST},     {CHANGE_ADDED, OBJECT_UNIT},
        {CHANGE_ADDED, OBJECT_TARGET},   {CHANGE_ADDED, OBJECT_DEVICE},
        {CHANGE_CHANGED, OBJECT_KINDS},
};

const char *change_word_name(enum change_word word) {
        static const char *const names[] = {
                [CHANGE_REMOVED] = "removed",
                [CHANGE_ADDED] = "added",
                [CHANGE_CHANGED] = "changed",
        };

        return names[word];
}

bool change_is(const struct change *change, enum change_word word) {
        switch (word) {
        case CHANGE_REMOVED:
                return change->removed;
        case CHANGE_ADDED:
                return change->added;
        case CHANGE_CHANGED:
                break;
        }
        return !change->removed && !change->added;
}

bool change_is_in(const struct change *change, const struct change_part *part) {
        return (part->kind == OBJECT_KINDS || part->kind == change->id.kind) &&
               change_is(change, part->word);
}
