/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A scope or key as it comes over the bus: what scan/scope.h parses, and the two forms that need to
 * know the bus or /dev: object paths of ours, device nodes and udev's links to them.
 */

#include <stddef.h>
#include <systemd/sd-bus.h>

#include "scan/scope.h"

/* 0, or negative with `error` set: InvalidArgs with the reason, NotFound for a link that is not
 * there. */
int key_parse(const char *key, struct scope *ret, sd_bus_error *error);
/* The same, and NotFound unless something in the topology answers to it. */
int key_parse_existing(const char *key, const struct topology *topology, struct scope *ret,
                       sd_bus_error *error);
/* NotFound, naming the key. */
int key_not_found(const char *key, sd_bus_error *error);

#define KEY_NODE_MAX 256

/*
 * The name of the device node behind a path in `dev` ("/dev"), "sda" for dev/sda or dev/disk/by-id/
 * wwn-0x5000. Looks at nothing but the last component, and that only in folders that root alone
 * writes to: a path may be given by anybody, and following it wherever it leads could wait for ever
 * (an automount, a FUSE in /dev/shm). -EINVAL with a static sentence in *reason, -ENOENT.
 */
int key_node_name(const char *dev, const char *path, char name[static KEY_NODE_MAX],
                  const char **reason);
