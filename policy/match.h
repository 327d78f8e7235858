/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One Match key of a section with its values, and what it says of a subject; private to this layer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

enum match_key {
        MATCH_HOST,
        MATCH_DRIVER,
        MATCH_TRANSPORT,
        MATCH_MODE,
        MATCH_PORT_NAME,
        MATCH_LUN,
        MATCH_TYPE,
        MATCH_VENDOR,
        MATCH_MODEL,
        MATCH_REVISION,
        MATCH_IDENTITY,
        MATCH_SIZE,
        MATCH_KEYS, /* how many there are */
};

/* What has to be known for it: each level includes those before it. */
enum match_level {
        LEVEL_HOST,
        LEVEL_TARGET,
        LEVEL_LUN,
        LEVEL_REMEMBERED, /* who was there when the service last saw something there */
        LEVEL_DEVICE
};

enum tri {
        TRI_NO,
        TRI_MAYBE,
        TRI_YES
};

struct match_value {
        bool negated;
        char *glob;   /* owned; of keys that are strings */
        uint64_t min; /* of keys that are numbers, inclusive */
        uint64_t max;
};

/* All zero: the key is not there, and says yes to everything. */
struct match {
        struct match_value *values; /* owned */
        size_t count;
};

/* "Host" for MatchHost, ...: -EINVAL when there is none. */
int match_find(const char *name, enum match_key *ret);
const char *match_name(enum match_key key);
/* "port name", ...: what is to be known, in a sentence. */
const char *match_noun(enum match_key key);
enum match_level match_level(enum match_key key);

/* Adds the values of one line. -EINVAL with the error's found and expected, -ENOMEM. */
int match_add(struct match *match, enum match_key key, const char *text,
              struct policy_error *error);
void match_done(struct match *match);

/* Of values without ! one has to hold, if there are any; of those with ! none may. */
enum tri match_subject(const struct match *match, enum match_key key,
                       const struct policy_subject *subject);
bool match_text(const struct match *match, const char *text);
