/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The real polkitd on the test's bus, with the policy of this tree and the rules that the test
 * wants, and nothing of the machine's own: all that is mounted over those in a namespace of its
 * own, in which whoever talks to people for it can be started too.
 *
 * Needs root, and the right to mount: a test that cannot have them fails.
 */

#include <gio/gio.h>
#include <stdbool.h>

struct harness;
struct real_polkit;

/* `rules` is a path of the tree, as of "docs/examples/polkit/...", or NULL for none. Members of the
 * group "storage" are nobody and root. */
struct real_polkit *real_polkit_new(struct harness *harness, const char *rules);
void real_polkit_free(struct real_polkit *polkit);

/* For a child between fork and exec: what it sees of the machine is what polkitd sees, and whoever
 * authenticates there is believed, or is not, without typing anything. */
void real_polkit_enter(const struct real_polkit *polkit, bool believed);
