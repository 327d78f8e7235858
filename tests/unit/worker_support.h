/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "worker/serve.h"

#define HOST 3
#define DEVICES "devices/pseudo_0/adapter0"
#define DISK DEVICES "/host3/target3:0:1/3:0:1:5"

/* A worker on a thread, and a tree that looks like the part of sysfs it reads. */
struct fixture {
        char *root;
        struct worker worker;
        GThread *thread;
        int socket;
        struct worker_reply reply;  /* the last one, */
        char data[WORKER_DATA_MAX]; /* and what came behind it */
};

void fixture_set_up(struct fixture *f, const void *unused);
void fixture_tear_down(struct fixture *f, const void *unused);

/* Paths in the tree; length -1: up to the NUL. */
void tree_add(struct fixture *f, const char *path, const char *content, gssize length);
void tree_add_directory(struct fixture *f, const char *path);
char *tree_read(const struct fixture *f, const char *name);
void assert_written(const struct fixture *f, const char *name, const char *expected);
/* Any path, and all below it. */
void path_remove(const char *path);

/* To the device at 3:0:1:5. */
struct worker_request request_make(uint32_t kind);
/* Sends so many bytes and takes the one reply; its `error`. */
int ask_bytes(struct fixture *f, const void *bytes, size_t length);
int ask(struct fixture *f, const struct worker_request *request);

/* The records of the last reply as lines "name=value", a byte that is not printable as "\\0a"; but
 * for the instance, which is another each time. */
char *reply_text(const struct fixture *f);
/* What its record of that name says. */
guint64 reply_instance(const struct fixture *f);
void assert_records(const struct fixture *f, const char *expected);
