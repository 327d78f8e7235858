/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How much of something that is limited one user may have: root has a part of its own, which nobody
 * can take, and all others together have another, of which each of them may have so much.
 */

#include <stdbool.h>
#include <stdint.h>

struct share {
        unsigned user;  /* one of them, not root */
        unsigned users; /* all of them together */
        unsigned root;
};

struct share_use {
        unsigned own;   /* of the one who asks */
        unsigned users; /* of all who are not root */
};

static inline void share_count(struct share_use *use, uint32_t owner, uint32_t asking) {
        use->own += owner == asking;
        use->users += owner != 0;
}

static inline bool share_has_room(const struct share *share, const struct share_use *use,
                                  uint32_t asking) {
        if (asking == 0)
                return use->own < share->root;
        return use->own < share->user && use->users < share->users;
}
