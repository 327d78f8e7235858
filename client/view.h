/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the verbs print of a model; nothing here needs a bus. All: 0 or -errno. */

#include "client/model.h"
#include "client/options.h"

/* Hosts with their targets and devices, then units with their devices. */
int tree_print(const struct model *model, const struct options *options);

/* The objects of one kind, a line each. */
int list_print(const struct model *model, enum object_kind kind, const struct options *options);

/* Every object with everything that is known of it: those of the first kind before the others. */
int show_print(const struct model *model, enum object_kind first, const struct options *options);
