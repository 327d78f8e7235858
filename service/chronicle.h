/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the log says of the pipeline: one line for what an administrator would want to know. */

#include "scan/event.h"
#include "scan/job.h"
#include "scan/step.h"

void chronicle_event(const struct event *event);
void chronicle_observation(const struct observation *observation);
void chronicle_job(const struct job *job);
