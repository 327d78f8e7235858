/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Scope-bound ownership of what the client handles; sd-bus brings its own (sd_bus_unrefp). */

#include <json-c/json.h>
#include <stdlib.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

#define ELEMENTS_OF(array) (sizeof(array) / sizeof((array)[0]))

static inline void freep(void *pointer) {
        free(*(void **)pointer);
}

static inline void json_object_putp(struct json_object **object) {
        json_object_put(*object);
}

/* Hands the reference on to whoever keeps it. */
static inline struct json_object *json_object_take(struct json_object **object) {
        struct json_object *taken = *object;

        *object = NULL;
        return taken;
}
