/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who asks a person for the password that polkit wants, where no desktop does: pkttyagent(1), for
 * as long as the call takes.
 */

#include <sys/types.h>

#include "client/options.h"

struct agent {
        pid_t pid; /* 0: none */
};

/* Nothing for root, who is never asked; off a terminal; without pkttyagent; when the options say
 * so. Returns when it is ready, or will not be. */
void agent_start(struct agent *agent, const struct options *options);
void agent_stop(struct agent *agent);
