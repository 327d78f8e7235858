/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Why something is, or is not, attached and usable: what is known that bears on it, in the order of
 * the way to it: host, port, list, rules, device. Answers from what is known and asks nobody.
 */

#include <stddef.h>

#include "scan/scope.h"
#include "util/cleanup.h"

enum severity {
        SEVERITY_INFO,    /* so it is */
        SEVERITY_WARNING, /* it may stand in the way */
        SEVERITY_ERROR,   /* it stands in the way */
};

/* "info", "warning", "error"; static. */
const char *severity_name(enum severity severity);

struct finding {
        const char *code; /* a word for programs: "host-stuck", "not-reported"; static */
        enum severity severity;
        char *text; /* a sentence; owned */
};

/* Of one key; more would explain nothing. */
#define FINDINGS_MAX 256

struct explanation {
        struct finding *items;
        size_t count;
};

void explanation_done(struct explanation *explanation);

struct planner;

/* -ENOENT: the scope names nothing, not even a host; -EINVAL: everything; -ENOMEM. */
int planner_explain(const struct planner *planner, const struct scope *scope,
                    struct explanation *ret);
