/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where the policy's files are, and which of them hold: policy.conf and quirks.conf of the first
 * directory that has them, and after each the files of policy.conf.d/ and quirks.conf.d/ of all
 * directories, sorted by name; of one name, that of the first directory. An empty file or a link to
 * /dev/null is one that says nothing. Names of files are told to people and on the bus: they are
 * printable ASCII. Read without waiting for more than a local disk, so for the start and for a
 * reload only.
 */

#include "policy/policy.h"

/* Drop-ins of one kind, of all directories. */
#define POLICY_DROP_INS_MAX 256

/* /etc, /run and /usr/lib; ends with NULL. */
extern const char *const policy_files_roots[];

/* All of it or nothing: 0 with *ret; -EINVAL when a file is wrong, another -errno when one cannot
 * be read, both with a sentence in *ret_error (owned); -ENOMEM, without. Where no directory has a
 * quirks.conf, what was built in holds. `roots` are directories, the highest first, with NULL at
 * the end; their names are printable ASCII too. */
int policy_files_load(const char *const *roots, const struct policy_limits *defaults,
                      struct policy **ret, char **ret_error);
