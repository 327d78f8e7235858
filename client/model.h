/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the service tells of the machine, in order and linked: hosts, targets, devices, units and
 * jobs. An object keeps its properties as they came; one that is missing, or not of the type
 * that the contract gives it, reads as empty, so that a client and a service of different age get
 * along.
 */

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "client/name.h"

/* More objects than this are refused: a stock bus carries about a tenth of it in one reply. */
#define MODEL_OBJECTS_MAX 262144

struct object {
        enum object_kind kind;
        size_t index;     /* among the objects of its kind */
        const char *path; /* the document's */
        char *key;        /* what a person calls it, see path_to_key() */
        uint64_t numbers[4];
        struct json_object *properties; /* the document's */
        const struct object *parent;    /* a target's host; a device's target, or else its host */
        const struct object *unit;      /* a device's, if it has an identity */
        UT_hash_handle hh;              /* by path */
};

struct model;

/* From {path: {interface: {property: value}}}, which is GetManagedObjects' reply. Takes its own
 * reference. Objects and interfaces that are not known are left out. -E2BIG, -ENOMEM. */
int model_new(struct json_object *document, struct model **ret);
void model_free(struct model *model);

static inline void model_freep(struct model **model) {
        model_free(*model);
}

/* The objects of one kind, by their numbers, units by their identity. */
const struct object *model_objects(const struct model *model, enum object_kind kind,
                                   size_t *ret_count);
const struct object *model_find(const struct model *model, const char *path);

/* A property of the object at SCSISCAN_PATH itself, or NULL. */
struct json_object *model_root_property(const struct model *model, const char *interface,
                                        const char *property);

const char *object_string(const struct object *object, const char *property); /* else "" */
uint64_t object_number(const struct object *object, const char *property);    /* else 0 */
bool object_bool(const struct object *object, const char *property);          /* else false */
struct json_object *object_array(const struct object *object, const char *property); /* or NULL */
