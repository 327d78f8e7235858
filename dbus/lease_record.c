/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/lease_record.h"
#include "util/cleanup.h"

/* The first line; each of the others is a word, a space and a value, in the order of lease_parse().
 */
static const char header[] = "scsiscan lease 1";

/* ---- texts ---- */

#define NO_CHARACTER UINT32_MAX

/* The next code point; NO_CHARACTER for what is not UTF-8. */
static uint32_t take_character(const char **text) {
        static const uint32_t first[] = {0, 0x80, 0x800, 0x10000};
        const unsigned char *bytes = (const unsigned char *)*text;
        unsigned more = bytes[0] < 0x80 ? 0 : bytes[0] < 0xe0 ? 1 : bytes[0] < 0xf0 ? 2 : 3;
        uint32_t character = more ? bytes[0] & (0x3fU >> more) : bytes[0];

        if ((bytes[0] >= 0x80 && bytes[0] < 0xc0) || bytes[0] >= 0xf8)
                return NO_CHARACTER;
        for (unsigned i = 1; i <= more; i++) {
                if ((bytes[i] & 0xc0) != 0x80)
                        return NO_CHARACTER;
                character = character << 6 | (bytes[i] & 0x3fU);
        }
        *text += more + 1;
        return character < first[more] || character > 0x10ffff ? NO_CHARACTER : character;
}

/* Surrogates and what is no character are not for the bus either. */
static bool is_printable(uint32_t character) {
        return character >= 0x20 && (character < 0x7f || character >= 0xa0) &&
               !(character >= 0x2028 && character <= 0x202e) &&
               !(character >= 0x2066 && character <= 0x2069) && character != 0xfeff &&
               !(character >= 0xd800 && character <= 0xdfff) &&
               !(character >= 0xfdd0 && character <= 0xfdef) && (character & 0xfffe) != 0xfffe;
}

bool lease_text_is_printable(const char *text) {
        while (*text)
                if (!is_printable(take_character(&text)))
                        return false;
        return true;
}

static bool is_sound(const char *text, size_t min, size_t max) {
        size_t length = strlen(text);

        return length >= min && length <= max && lease_text_is_printable(text);
}

/* ---- scopes ---- */

static const char *const kind_words[] = {
        [SCOPE_ALL] = "all",       [SCOPE_HOST] = "host", [SCOPE_TARGET] = "target",
        [SCOPE_DEVICE] = "device", [SCOPE_NAME] = "name", [SCOPE_NODE] = "node",
};

/* A name stands for the targets of a port when it has no devices, a node always for one. */
static bool count_is_sound(enum scope_kind kind, size_t count) {
        return kind == SCOPE_NAME || (count > 0) == (kind == SCOPE_NODE);
}

static void print_scope(FILE *file, const struct scope *scope) {
        char buffer[SCSI_ADDRESS_TEXT_MAX];

        fprintf(file, "%s ", kind_words[scope->kind]);
        if (scope->kind == SCOPE_HOST)
                fprintf(file, "host%" PRIu32, scope->address.target.host);
        else if (scope->kind == SCOPE_TARGET)
                fputs(scsi_target_address_format(&scope->address.target, buffer), file);
        else if (scope->kind == SCOPE_DEVICE)
                fputs(scsi_address_format(&scope->address, buffer), file);
        else if (scope->kind != SCOPE_ALL)
                fputs(scope->name, file);
        fputc('\n', file);
}

static int parse_name(const char *name, struct scope *ret) {
        size_t length = strlen(name);

        if (length == 0 || length >= SCOPE_NAME_MAX || !lease_text_is_printable(name))
                return -EINVAL;
        ret->name = strdup(name);
        return ret->name ? 0 : -ENOMEM;
}

static int parse_scope(enum scope_kind kind, const char *value, struct scope *ret) {
        ret->kind = kind;
        switch (kind) {
        case SCOPE_ALL:
                return *value ? -EINVAL : 0;
        case SCOPE_HOST:
                return scsi_host_parse(value, &ret->address.target.host);
        case SCOPE_TARGET:
                return scsi_target_address_parse(value, &ret->address.target);
        case SCOPE_DEVICE:
                return scsi_address_parse(value, &ret->address);
        case SCOPE_NAME:
        case SCOPE_NODE:
                return parse_name(value, ret);
        }
        return -EINVAL;
}

/* ---- as text ---- */

static void print(FILE *file, const struct lease_record *record) {
        char buffer[SCSI_ADDRESS_TEXT_MAX];

        fprintf(file, "%s\nuid %" PRIu32 "\nuntil %" PRIu64 "\nscope %s\nwho %s\nwhy %s\n", header,
                record->uid, record->until, record->scope_text, record->who, record->why);
        print_scope(file, &record->scope);
        for (size_t i = 0; i < record->device_count; i++)
                fprintf(file, "at %s\n", scsi_address_format(&record->devices[i], buffer));
        fputs("end\n", file);
}

char *lease_record_format(const struct lease_record *record) {
        _cleanup_(freep) char *text = NULL;
        struct lease_record read;
        size_t length = 0;
        FILE *file = open_memstream(&text, &length);
        bool failed;

        if (!file)
                return NULL;
        print(file, record);
        failed = ferror(file);
        if (fclose(file) != 0 || failed || length >= LEASE_RECORD_MAX)
                return NULL;
        if (lease_record_parse(text, &read) < 0)
                return NULL;
        lease_record_done(&read);
        return TAKE_PTR(text);
}

/* The value of the next line, if that begins with the word; NULL: it does not, and stays. */
static char *take_line(char **cursor, const char *word) {
        size_t length = strlen(word);
        char *end = strchr(*cursor, '\n'), *line = *cursor;

        if (!end || strncmp(line, word, length) != 0 || line[length] != ' ')
                return NULL;
        *end = '\0';
        *cursor = end + 1;
        return line + length + 1;
}

static int parse_number(char **cursor, const char *word, uint64_t max, uint64_t *ret) {
        const char *value = take_line(cursor, word);

        if (!value || !*value || value[strspn(value, "0123456789")])
                return -EINVAL;
        errno = 0;
        *ret = strtoull(value, NULL, 10);
        return errno == 0 && *ret <= max ? 0 : -EINVAL;
}

static int parse_text(char **cursor, const char *word, size_t min, size_t max, char **ret) {
        const char *value = take_line(cursor, word);

        if (!value || !is_sound(value, min, max))
                return -EINVAL;
        *ret = strdup(value);
        return *ret ? 0 : -ENOMEM;
}

static int parse_kind(char **cursor, struct scope *ret) {
        for (size_t kind = 0; kind < ELEMENTS_OF(kind_words); kind++) {
                const char *value = take_line(cursor, kind_words[kind]);

                if (value)
                        return parse_scope((enum scope_kind)kind, value, ret);
        }
        return -EINVAL;
}

static int parse_devices(char **cursor, struct lease_record *record) {
        const char *value;

        while ((value = take_line(cursor, "at"))) {
                struct scsi_address *devices =
                        reallocarray(record->devices, record->device_count + 1, sizeof(*devices));

                if (!devices)
                        return -ENOMEM;
                record->devices = devices;
                if (scsi_address_parse(value, &devices[record->device_count]) < 0)
                        return -EINVAL;
                record->device_count++;
        }
        return count_is_sound(record->scope.kind, record->device_count) ? 0 : -EINVAL;
}

static int lease_parse(char *cursor, struct lease_record *record) {
        uint64_t uid = 0;
        int r = parse_number(&cursor, "uid", UINT32_MAX, &uid);

        record->uid = (uint32_t)uid;
        if (r >= 0)
                r = parse_number(&cursor, "until", UINT64_MAX, &record->until);
        if (r >= 0)
                r = parse_text(&cursor, "scope", 0, PATH_MAX, &record->scope_text);
        if (r >= 0)
                r = parse_text(&cursor, "who", 1, LEASE_WHO_MAX, &record->who);
        if (r >= 0)
                r = parse_text(&cursor, "why", 1, LEASE_WHY_MAX, &record->why);
        if (r >= 0)
                r = parse_kind(&cursor, &record->scope);
        if (r >= 0)
                r = parse_devices(&cursor, record);
        if (r >= 0 && strcmp(cursor, "end\n") != 0)
                r = -EINVAL;
        return r;
}

int lease_record_parse(const char *text, struct lease_record *ret) {
        _cleanup_(freep) char *copy = NULL;
        size_t length = strlen(header);
        struct lease_record record = {};
        int r;

        if (strncmp(text, header, length) != 0 || text[length] != '\n' ||
            strlen(text) >= LEASE_RECORD_MAX)
                return -EINVAL;
        copy = strdup(text + length + 1);
        r = copy ? lease_parse(copy, &record) : -ENOMEM;
        if (r < 0)
                lease_record_done(&record);
        else
                *ret = record;
        return r;
}

void lease_record_done(struct lease_record *record) {
        free(record->scope_text);
        free(record->who);
        free(record->why);
        free(record->devices);
        scope_done(&record->scope);
}
