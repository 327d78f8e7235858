/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every object of a machine that has too many for GetManagedObjects, page by page. */

#include <json-c/json.h>
#include <systemd/sd-bus.h>

/* In the form of GetManagedObjects, {path: {interface: {property: value}}}: 0 or -errno, with the
 * error set if the service has said one. Each page is what is so when it comes: whoever follows the
 * signals subscribes before. */
int pages_get_objects(sd_bus *bus, sd_bus_error *error, struct json_object **ret);
