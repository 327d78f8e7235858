/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Tells the bus what the engine's topology and jobs have become since the last time. Without a bus
 * nobody is told, and the generation still rises: who connects later starts with GetManagedObjects.
 */

#include <stdbool.h>

struct server;

/* Removed objects, added ones, properties, then one Changed; true when there was any of it. */
bool publish_topology(struct server *server);
/* What happened to objects, once they are as it left them. */
void publish_notices(struct server *server);
/* The root's properties that follow the engine. */
void publish_root(struct server *server);
/* topology_changed: the objects that jobs work on may be others now. */
void publish_jobs(struct server *server, bool topology_changed);
/* All of these, in that order. */
void publish_all(struct server *server);
