/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * JSON as the client writes it: members in snake_case, sizes in bytes, times in µs since the
 * epoch, and where the contract names an object by its path, the key that `show` accepts.
 */

#include <json-c/json.h>

#include "client/model.h"
#include "client/options.h"

/* All properties of an object with its "kind", "key" and "path"; a device also with the "size"
 * and "block_size" of its unit, null if that is not known. NULL without memory. */
struct json_object *document_from_object(const struct object *object);

/* Properties as they came, converted in the same way. */
struct json_object *document_from_properties(struct json_object *properties);

/* Paths, one or an array of them, as keys; what is no path stays as it is. */
struct json_object *document_from_reference(struct json_object *value);

/* Writes one document over several lines, or one object on one line and flushes it. */
int document_print(struct json_object *document, const struct options *options);
int document_print_line(struct json_object *document, const struct options *options);
