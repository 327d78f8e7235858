/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What polkit is told of a request beside its action, for rules and for dialogs: names (names.h,
 * SCSISCAN_DETAIL_...) and values. */

#include <stddef.h>
#include <systemd/sd-bus.h>

#include "scan/scope.h"
#include "scan/topology.h"

#define DETAILS_MAX 8
/* Holders are named up to so many bytes, then "...". */
#define DETAILS_HOLDERS_MAX 1024

struct detail {
        const char *name; /* static */
        char *value;      /* owned */
};

struct details {
        struct detail list[DETAILS_MAX];
        size_t count; /* there are fewer names than room for them */
};

/* Copies the value, which is valid UTF-8, in place of what the name had. 0, -ENOMEM. */
int details_set(struct details *details, const char *name, const char *value);
/* What the scope names now: its text, the one object that it means if it is one, and what is known
 * of that. 0, -ENOMEM. */
int details_set_scope(struct details *details, const struct scope *scope, const char *text,
                      const struct topology *topology);
/* NULL when there is none. */
const char *details_find(const struct details *details, const char *name);
/* a{ss} */
int details_append(const struct details *details, sd_bus_message *message);
void details_done(struct details *details);
