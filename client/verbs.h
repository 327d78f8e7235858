/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What each verb does on the bus. arguments: those that follow the verb, NULL-terminated. */

#include <systemd/sd-bus.h>

#include "client/options.h"

enum status tree_run(sd_bus *bus, char *const *arguments, const struct options *options);
enum status list_run(sd_bus *bus, char *const *arguments, const struct options *options);
enum status show_run(sd_bus *bus, char *const *arguments, const struct options *options);
enum status scan_run(sd_bus *bus, char *const *arguments, const struct options *options);
enum status attach_run(sd_bus *bus, char *const *arguments, const struct options *options);
enum status detach_run(sd_bus *bus, char *const *arguments, const struct options *options);
enum status refresh_run(sd_bus *bus, char *const *arguments, const struct options *options);
enum status accept_run(sd_bus *bus, char *const *arguments, const struct options *options);
enum status policy_run(sd_bus *bus, char *const *arguments, const struct options *options);
enum status evaluate_run(sd_bus *bus, char *const *arguments, const struct options *options);
enum status explain_run(sd_bus *bus, char *const *arguments, const struct options *options);
enum status plan_run(sd_bus *bus, char *const *arguments, const struct options *options);
enum status inhibit_run(sd_bus *bus, char *const *arguments, const struct options *options);
enum status monitor_run(sd_bus *bus, char *const *arguments, const struct options *options);
