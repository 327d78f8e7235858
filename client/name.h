/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The kinds of objects, and what a person calls one of them: its key, which `show` and `scan`
 * accept again. Both follow from its object path alone.
 */

#include <stdint.h>

enum object_kind {
        OBJECT_HOST,
        OBJECT_TARGET,
        OBJECT_DEVICE,
        OBJECT_UNIT,
        OBJECT_JOB,
        OBJECT_KINDS
};

const char *kind_name(enum object_kind kind);      /* "host" */
const char *kind_plural(enum object_kind kind);    /* "hosts" */
const char *kind_interface(enum object_kind kind); /* "org.scsiscan1.Host" */

/* The kind whose plural this is, or -EINVAL. */
int kind_from_plural(const char *plural, enum object_kind *ret);

/* The kind of an object and the numbers in its path, by which it sorts: host 3, target 3_0_1,
 * device 3_0_1_5, job 7; none in a unit. -EINVAL if it is no path of the contract. */
int path_parse(const char *path, enum object_kind *ret, uint64_t ret_numbers[static 4]);

/* Hosts, targets, devices, units, jobs; in a kind by number, and units by identity. Paths of
 * anything else come last. */
int path_compare(const char *left, const char *right);

/* "host3", "3:0:1", "3:0:1:5", a unit's identity; of a job and of anything else the path itself.
 * To be freed; NULL without memory. */
char *path_to_key(const char *path);
