/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * polkit on the test's bus, which answers as it was told to or keeps a question for later, as it
 * does while somebody types a password. GtDBusQueue brings a session bus of its own, on which
 * everybody is the same user: this one joins any bus.
 */

#include <gio/gio.h>
#include <stdbool.h>

#define POLKIT_NAME "org.freedesktop.PolicyKit1"

enum polkit_says {
        POLKIT_YES,
        POLKIT_NO,
        POLKIT_CHALLENGE,
        POLKIT_DISMISSED, /* a dialog was closed */
        POLKIT_NOTHING,   /* keeps the question */
        POLKIT_FAILS,     /* an error of its own */
        POLKIT_RAVES,     /* a reply of another type */
        POLKIT_EMPTY,     /* a reply without a body */
        POLKIT_CANCELLED, /* as for a question that was called off */
};

struct fake_polkit;

struct fake_polkit *fake_polkit_new(const char *address);
/* Leaves the bus, with the questions that it kept. */
void fake_polkit_free(struct fake_polkit *polkit);

/* How it answers from here on; at first POLKIT_NO. */
void fake_polkit_says(struct fake_polkit *polkit, enum polkit_says says);

guint fake_polkit_asked(struct fake_polkit *polkit);
/* A question that was kept is answered after all. */
void fake_polkit_answer(struct fake_polkit *polkit, guint index, enum polkit_says says);

/* Of a question, from 0, which is waited for: */
char *fake_polkit_action(struct fake_polkit *polkit, guint index);
char *fake_polkit_detail(struct fake_polkit *polkit, guint index, const char *name); /* or NULL */
bool fake_polkit_interactive(struct fake_polkit *polkit, guint index);
/* The unique name that it is about. */
char *fake_polkit_subject(struct fake_polkit *polkit, guint index);
bool fake_polkit_is_cancelled(struct fake_polkit *polkit, guint index);
