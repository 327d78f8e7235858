/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a line comes from is said by its words; this file's name would only be noise in the
 * journal. */
#define SD_JOURNAL_SUPPRESS_LOCATION

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include "util/cleanup.h"
#include "util/log.h"

#define LOG_FIELD_MAX 1100
#define LOG_MESSAGE_MAX 2048

/* The only variables of the whole program that outlive their caller: how much it talks, and where
 * to, are properties of the process. */
static int level_max = LOG_INFO;
static enum log_target target_now = LOG_TARGET_AUTO;

static const char *const level_names[] = {
        [LOG_EMERG] = "emerg", [LOG_ALERT] = "alert",     [LOG_CRIT] = "crit",
        [LOG_ERR] = "err",     [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
        [LOG_INFO] = "info",   [LOG_DEBUG] = "debug",
};

static const char *const target_names[LOG_TARGETS] = {
        [LOG_TARGET_AUTO] = "auto",
        [LOG_TARGET_CONSOLE] = "console",
        [LOG_TARGET_JOURNAL] = "journal",
        [LOG_TARGET_NULL] = "null",
};

static int name_find(const char *const *names, int count, const char *text) {
        for (int i = 0; i < count; i++)
                if (strcmp(text, names[i]) == 0)
                        return i;
        return -EINVAL;
}

void log_set_level(int level) {
        level_max = level;
}

int log_level(void) {
        return level_max;
}

int log_level_parse(const char *text) {
        return name_find(level_names, ELEMENTS_OF(level_names), text);
}

const char *log_level_name(int level) {
        return level_names[level];
}

void log_set_target(enum log_target target) {
        target_now = target;
}

enum log_target log_target(void) {
        return target_now;
}

int log_target_parse(const char *text) {
        return name_find(target_names, LOG_TARGETS, text);
}

const char *log_target_name(enum log_target target) {
        return target_names[target];
}

/* JOURNAL_STREAM is inherited by everybody, so it only counts when it names what standard error is
 * now (systemd.exec(5)). */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;

        return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
               fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

struct journal_entry {
        char text[8][LOG_FIELD_MAX];
        struct iovec parts[9];
        int count;
};

__attribute__((format(printf, 2, 3))) static void entry_add(struct journal_entry *entry,
                                                            const char *format, ...) {
        char *text = entry->text[entry->count];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, LOG_FIELD_MAX, format, arguments);
        va_end(arguments);
        entry->parts[entry->count++] = (struct iovec){text, strlen(text)};
}

static bool journal_write(int level, const struct log_fields *fields, char *message) {
        struct journal_entry entry = {};

        entry_add(&entry, "PRIORITY=%d", level);
        if (fields && fields->message_id)
                entry_add(&entry, "MESSAGE_ID=%s", fields->message_id);
        if (fields && fields->host)
                entry_add(&entry, "SCSISCAN_HOST=%s", fields->host);
        if (fields && fields->address)
                entry_add(&entry, "SCSISCAN_ADDRESS=%s", fields->address);
        if (fields && fields->identity)
                entry_add(&entry, "SCSISCAN_IDENTITY=%s", fields->identity);
        if (fields && fields->reason)
                entry_add(&entry, "SCSISCAN_REASON=%s", fields->reason);
        if (fields && fields->job)
                entry_add(&entry, "SCSISCAN_JOB=%s", fields->job);
        if (fields && fields->error)
                entry_add(&entry, "ERRNO=%d", abs(fields->error));
        entry.parts[entry.count++] = (struct iovec){message, strlen(message)};
        return sd_journal_sendv(entry.parts, entry.count) >= 0;
}

static bool goes_to_journal(void) {
        return target_now == LOG_TARGET_JOURNAL ||
               (target_now == LOG_TARGET_AUTO && stderr_is_journal());
}

void log_write(int level, const struct log_fields *fields, const char *format, ...) {
        static const char prefix[] = "MESSAGE=";
        char message[LOG_MESSAGE_MAX];
        va_list arguments;
        int saved_errno = errno;

        if (level > level_max || target_now == LOG_TARGET_NULL)
                return;
        memcpy(message, prefix, sizeof(prefix));
        va_start(arguments, format);
        vsnprintf(message + strlen(prefix), sizeof(message) - strlen(prefix), format, arguments);
        va_end(arguments);
        if (!goes_to_journal() || !journal_write(level, fields, message))
                fprintf(stderr, "%s: %s\n", level_names[level], message + strlen(prefix));
        errno = saved_errno;
}
