/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Objects with their properties, as a client keeps them: a table of paths, each with a table of
 * "interface property" to GVariant. An interface is there as "interface ", also without properties.
 */

#include "client.h"

GHashTable *objects_new(void);
/* Those of the topology, as they are now: what happens to the table does not happen to the copy. */
GHashTable *objects_copy(GHashTable *objects);

bool path_is_kind(const char *path, const char *prefix);
/* What Changed tells of: neither the root nor a job. */
bool path_is_topology(const char *path);

/* a{sv} */
void object_take(GHashTable *object, const char *interface, GVariant *properties);
/* a{sa{sv}} */
GHashTable *object_read(GVariant *interfaces);
/* (a{oa{sa{sv}}}), the whole of GetManagedObjects. */
void objects_read(GHashTable *objects, GVariant *reply);

/* Objects that this one names are there: of the properties that name one, or (all) several. */
void references_check(GHashTable *objects, const char *path, bool all);
/* Both say the same, of the topology alone or of everything; else the test has failed. */
void objects_compare(GHashTable *heard, GHashTable *listed, bool topology_alone);

/* a(tsoa{sv}), the changes of GetChanges: each may come in its turn. */
void objects_change(GHashTable *objects, GVariant *changes);
