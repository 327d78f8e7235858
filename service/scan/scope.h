/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A scope or key says which part of the machine is meant. Its text forms that need no knowledge of
 * the bus or of /dev are parsed here; object paths and device nodes are turned into these by
 * whoever knows them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scan/change_set.h"
#include "scan/topology.h"
#include "scsi/address.h"

enum scope_kind {
        SCOPE_ALL,
        SCOPE_HOST,
        SCOPE_TARGET,
        SCOPE_DEVICE,
        SCOPE_NAME, /* a port name (all targets that bear it) or an identity (all its devices) */
        SCOPE_NODE, /* a device node's name, "sda" or "sg3" */
};

#define SCOPE_NAME_MAX SCSI_IDENTITY_MAX

struct scope {
        enum scope_kind kind;
        struct scsi_address address; /* SCOPE_HOST, _TARGET, _DEVICE */
        char *name;                  /* SCOPE_NAME, SCOPE_NODE; owned, else NULL */
};

/* "", "host3", "3:0:1", "3:0:1:5" (the LUN also as 0x and 16 digits), else a name. -EINVAL with a
 * static sentence in *reason, -ENOMEM. */
int scope_parse(const char *text, struct scope *ret, const char **reason);
int scope_node(const char *node, struct scope *ret);
int scope_copy(const struct scope *from, struct scope *ret);
void scope_done(struct scope *scope);

/* Calls `found` for each object that the scope names: for SCOPE_ALL every host, target, device and
 * unit; for a host, target or device that one; for a port name its targets; for an identity the
 * unit and its devices; for a node its device. Stops and returns what `found` returns when that is
 * not 0. */
int scope_find(const struct scope *scope, const struct topology *topology,
               int (*found)(const struct object_id *id, void *userdata), void *userdata);
/* -ENOENT when nothing in the topology answers to the scope (SCOPE_ALL always does; a target is
 * there when its host is: it may be about to be discovered). */
int scope_exists(const struct scope *scope, const struct topology *topology);
