/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Object paths of the contract, both ways. There is one spelling of each: what these functions
 * parse they would format in the same way.
 */

#include <stddef.h>
#include <stdint.h>

#include "scan/change_set.h"

/* 0, -ENOMEM. */
int path_format(const struct object_id *id, char **ret);
int path_format_job(uint64_t job, char **ret);

/* -EINVAL: not the path of a host, target, device or unit; -ENOMEM. Of a unit, id.identity is owned
 * by the caller, see path_done(). Says nothing about whether there is such an object. */
int path_parse(const char *path, struct object_id *ret);
int path_parse_job(const char *path, uint64_t *ret);
void path_done(struct object_id *id);

/* A growing list of paths. */
struct path_list {
        char **paths; /* NULL-terminated, NULL when there are none; owned */
        size_t count;
        size_t room;
};

/* 0, -ENOMEM. */
int path_list_add(struct path_list *list, const struct object_id *id);
int path_list_add_job(struct path_list *list, uint64_t job);
void path_list_done(struct path_list *list);
