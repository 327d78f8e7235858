/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The log: to the journal with structured fields, or one readable line on standard error. Text from
 * outside must be printable already.
 */

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

/* Fields that become MESSAGE_ID=, SCSISCAN_HOST=, SCSISCAN_ADDRESS=, ... in the journal; NULL ones
 * are left out. */
struct log_fields {
        const char *message_id; /* of message_id.h */
        const char *host;       /* "host3" */
        const char *address;    /* "3:0:1:5" or "3:0:1" */
        const char *identity;   /* "naa.6000..." */
        const char *reason;     /* a word, or the policy's sentence */
        const char *job;        /* its number */
        int error;              /* ERRNO=, 0 or an errno, negative or positive */
};

/* LOG_DEBUG .. LOG_EMERG of syslog(3); what is below `level` is not written. Default LOG_INFO. */
void log_set_level(int level);
int log_level(void);
/* "debug", "info", "notice", "warning", "err", "crit", "alert", "emerg" -> level, -EINVAL. */
int log_level_parse(const char *text);
const char *log_level_name(int level);

enum log_target {
        LOG_TARGET_AUTO,    /* the journal where standard error is connected to it
                             * (JOURNAL_STREAM), else standard error */
        LOG_TARGET_CONSOLE, /* standard error */
        LOG_TARGET_JOURNAL, /* and nowhere while there is none */
        LOG_TARGET_NULL,    /* nowhere */
        LOG_TARGETS,
};

/* Default LOG_TARGET_AUTO. */
void log_set_target(enum log_target target);
enum log_target log_target(void);
/* "auto", "console", "journal", "null" -> target, -EINVAL. */
int log_target_parse(const char *text);
const char *log_target_name(enum log_target target);

void log_write(int level, const struct log_fields *fields, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

#define log_debug(...) log_write(LOG_DEBUG, NULL, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, NULL, __VA_ARGS__)
#define log_notice(...) log_write(LOG_NOTICE, NULL, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, NULL, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERR, NULL, __VA_ARGS__)
