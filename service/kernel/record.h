/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The attribute records of worker/messages.h, one after the other, whatever a worker sent. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/messages.h"

#define RECORD_NAME_MAX 512

struct record_reader {
        const uint8_t *data;
        size_t length;
        char directory[RECORD_NAME_MAX]; /* what the last directory record said */
};

struct record {
        const char *directory;      /* "block/sda/", "" before the first; the reader's */
        char name[RECORD_NAME_MAX]; /* below it, "" for the directory itself */
        const uint8_t *bytes;
        size_t length;
        /* The same without NUL bytes and without a newline at its end. */
        char text[WORKER_VALUE_MAX + 1];
};

/* Steps to the next record: 1, 0 behind the last one, -EBADMSG. */
int record_next(struct record_reader *reader, struct record *ret);

/* Whether it has that name in a directory that fits the pattern, where `*` is a part of a name. */
bool record_is(const struct record *record, const char *directory, const char *name);
/* The same for patterns of names. */
bool record_fits(const struct record *record, const char *directory, const char *name);

/* A number as the kernel prints it; what is none, or above max, is 0, which says "not known" in
 * every field that uses this. */
uint64_t record_number(const struct record *record, uint64_t max);

/* Into *ret, when the record is the object's instance; false: it is not. */
bool record_instance(const struct record *record, uint64_t *ret);

/* A text, and where it goes, made printable. */
struct record_field {
        const char *name;
        char *buffer;
        size_t size;
};

/* Fills the field that has the record's name; false: none has. */
bool record_fill(const struct record *record, const struct record_field *fields, size_t count);
