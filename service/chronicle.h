/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the log says of the pipeline: one line for what an administrator would want to know. */

#include "scan/engine.h"

void chronicle_event(const struct event *event);
void chronicle_observation(const struct observation *observation);
/* A host that came, of a service that is the owner. */
void chronicle_host(const struct host *host);
/* A device that changed; as it is now, NULL when it is gone. */
void chronicle_device(const struct change *change, const struct device *device);
/* One that is there although the policy ignores it, because somebody asked for it, or that it wants
 * stopped; `reason` is the sentence of the policy's decision. */
void chronicle_policy(const struct device *device, const char *reason);
void chronicle_notice(const struct notice *notice);
void chronicle_job(const struct job *job);
