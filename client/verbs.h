/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What each verb does on the bus. argument is the one that follows the verb, or NULL. */

#include <systemd/sd-bus.h>

#include "client/options.h"

enum status tree_run(sd_bus *bus, const char *argument, const struct options *options);
enum status list_run(sd_bus *bus, const char *argument, const struct options *options);
enum status show_run(sd_bus *bus, const char *argument, const struct options *options);
enum status scan_run(sd_bus *bus, const char *argument, const struct options *options);
enum status monitor_run(sd_bus *bus, const char *argument, const struct options *options);
