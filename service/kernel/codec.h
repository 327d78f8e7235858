/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Steps as the workers' requests, and their replies as Observations. Pure. */

#include <stdint.h>

#include "scan/step.h"
#include "worker/messages.h"

/* For every step but STEP_LIST, which no worker is asked. The request's id is the step's. */
struct worker_request codec_request(const struct step *step);

/* What the reply says about the step; owns what the observation's payload owns. The reply is
 * checked already: its data is data_length bytes long. */
struct observation codec_observe(const struct step *step, const struct worker_reply *reply,
                                 const uint8_t *data);
