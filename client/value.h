/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a message carries, as JSON: dictionaries become objects, arrays and structures arrays,
 * variants what is in them. Nothing is assumed about what a peer sends, so members that this
 * client does not know are simply there. An array of object paths comes in path_compare()'s order:
 * it stands for a set, and a person wants to find something in it.
 */

#include <json-c/json.h>
#include <systemd/sd-bus.h>

/* The next complete value: 1, 0 at the end of the container, or -errno. */
int value_read(sd_bus_message *message, struct json_object **ret);

/* All values up to the end of the message, as an array. */
int value_read_all(sd_bus_message *message, struct json_object **ret);
