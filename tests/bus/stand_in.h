/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A machine that is too large for one reply, without its size: on a bus of its own stands somebody
 * in the service's place who passes on what he is asked, says LimitsExceeded to GetManagedObjects,
 * and asks for pages of one object.
 */

#include "harness.h"

struct stand_in;

/* On the bus of `front`, which has no daemon, for the daemon of `real`. */
struct stand_in *stand_in_new(struct harness *real, struct harness *front);
void stand_in_free(struct stand_in *stand_in);
/* How often GetManagedObjects was refused, and how many pages were asked for. */
unsigned stand_in_refused(struct stand_in *stand_in);
unsigned stand_in_pages(struct stand_in *stand_in);
