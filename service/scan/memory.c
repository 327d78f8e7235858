/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan/memory.h"

struct memory {
        struct memory_entry *entries;
        uint64_t serial;
        uint64_t urgent;
};

/* First line of the text; the fields of the others are separated by tabs, which no name holds. */
static const char header[] = "scsiscan identities 1 boot ";

struct memory *memory_new(void) {
        return calloc(1, sizeof(struct memory));
}

static void entry_drop(struct memory *memory, struct memory_entry *entry) {
        HASH_DEL(memory->entries, entry);
        scsi_identity_done(&entry->identity);
        free(entry->nexus);
        free(entry);
}

void memory_free(struct memory *memory) {
        struct memory_entry *entry, *next;

        if (!memory)
                return;
        HASH_ITER (hh, memory->entries, entry, next)
                entry_drop(memory, entry);
        free(memory);
}

char *memory_nexus(const struct device *device) {
        const struct target *target = device->target;
        const char *path = target->host->facts.path, *end = strrchr(path, '/');
        /* iSCSI hosts all hang in one place: only the number tells two sessions with one port
         * apart. */
        bool numbered = !end || target->host->facts.transport == TRANSPORT_ISCSI;
        int length = numbered ? (int)strlen(path) : (int)(end - path);
        char *nexus;
        int r;

        if (target->port_name[0])
                r = asprintf(&nexus, "%.*s %s %" PRIu64, length, path, target->port_name,
                             device->address.lun);
        else
                r = asprintf(&nexus, "%.*s %" PRIu32 ":%" PRIu32 " %" PRIu64, length, path,
                             target->address.channel, target->address.target, device->address.lun);
        return r < 0 ? NULL : nexus;
}

const struct memory_entry *memory_get(const struct memory *memory, const char *nexus) {
        struct memory_entry *entry;

        HASH_FIND_STR(memory->entries, nexus, entry);
        return entry;
}

static struct memory_entry *entry_new(struct memory *memory, const char *nexus) {
        struct memory_entry *entry = calloc(1, sizeof(*entry));

        if (!entry)
                return NULL;
        entry->nexus = strdup(nexus);
        if (!entry->nexus) {
                free(entry);
                return NULL;
        }
        HASH_ADD_KEYPTR(hh, memory->entries, entry->nexus, strlen(entry->nexus), entry);
        return entry;
}

int memory_set(struct memory *memory, const char *nexus, const struct memory_mark *mark,
               struct scsi_identity *identity) {
        struct memory_entry *entry = (struct memory_entry *)memory_get(memory, nexus);

        if (!entry && HASH_COUNT(memory->entries) >= MEMORY_MAX) {
                scsi_identity_done(identity);
                return -E2BIG;
        }
        if (entry && entry->mark.instance == mark->instance &&
            entry->mark.standing == mark->standing && entry->mark.asked == mark->asked &&
            scsi_identity_equal(&entry->identity, identity)) {
                scsi_identity_done(identity);
                return 0;
        }
        entry = entry ?: entry_new(memory, nexus);
        if (!entry) {
                scsi_identity_done(identity);
                return -ENOMEM;
        }
        if (mark->standing != entry->mark.standing && mark->standing >= STANDING_REPLACED)
                memory->urgent = memory->serial + 1;
        entry->mark.instance = mark->instance;
        entry->mark.standing = mark->standing;
        entry->mark.asked = mark->asked;
        scsi_identity_done(&entry->identity);
        entry->identity = *identity;
        *identity = (struct scsi_identity){};
        memory->serial++;
        return 0;
}

void memory_forget(struct memory *memory, const char *nexus) {
        struct memory_entry *entry = (struct memory_entry *)memory_get(memory, nexus);

        if (!entry)
                return;
        entry_drop(memory, entry);
        memory->serial++;
}

int memory_add(struct memory *memory, const struct memory *other) {
        const struct memory_entry *entry, *mine;

        for (entry = other->entries; entry; entry = entry->hh.next) {
                struct scsi_identity identity = {};
                int r;

                mine = memory_get(memory, entry->nexus);
                if (mine && mine->mark.instance != 0)
                        continue;
                r = scsi_identity_copy(&entry->identity, &identity);
                if (r >= 0)
                        r = memory_set(memory, entry->nexus, &entry->mark, &identity);
                if (r < 0 && r != -E2BIG)
                        return r;
        }
        return 0;
}

uint64_t memory_serial(const struct memory *memory) {
        return memory->serial;
}

uint64_t memory_urgent(const struct memory *memory) {
        return memory->urgent;
}

/* ---- as text ---- */

struct text {
        char *data;
        size_t length, size;
};

__attribute__((format(printf, 2, 3))) static int text_add(struct text *text, const char *format,
                                                          ...) {
        va_list arguments;
        int length;

        va_start(arguments, format);
        length = vsnprintf(NULL, 0, format, arguments);
        va_end(arguments);
        if (text->length + (size_t)length >= text->size) {
                size_t size = 2 * text->size + (size_t)length + 1;
                char *data = realloc(text->data, size);

                if (!data)
                        return -ENOMEM;
                text->data = data;
                text->size = size;
        }
        va_start(arguments, format);
        vsnprintf(text->data + text->length, text->size - text->length, format, arguments);
        va_end(arguments);
        text->length += (size_t)length;
        return 0;
}

static const char asked[] = "asked"; /* present, and that */

static const char *mark_word(const struct memory_entry *entry) {
        return entry->mark.asked && entry->mark.standing == STANDING_PRESENT
                       ? asked
                       : standing_name(entry->mark.standing);
}

static int text_add_entry(struct text *text, const struct memory_entry *entry) {
        int r = text_add(text, "%s\t%" PRIu64 "\t%s\t%s", entry->nexus, entry->mark.instance,
                         mark_word(entry), entry->identity.name ?: "");

        for (size_t i = 0; i < entry->identity.count && r >= 0; i++)
                r = text_add(text, "\t%s", entry->identity.designators[i]);
        return r < 0 ? r : text_add(text, "\n");
}

char *memory_format(const struct memory *memory, const char *boot_id) {
        const struct memory_entry *entry;
        struct text text = {};
        int r = text_add(&text, "%s%s\n", header, boot_id);

        for (entry = memory->entries; entry && r >= 0; entry = entry->hh.next)
                r = text_add_entry(&text, entry);
        if (r >= 0)
                return text.data;
        free(text.data);
        return NULL;
}

static int parse_identity(char **cursor, struct scsi_identity *ret) {
        const char *name = strsep(cursor, "\t"), *designator;
        struct scsi_identity identity = {};

        if (!name)
                return -EINVAL;
        identity.name = strdup(name);
        identity.designators = calloc(SCSI_DESIGNATORS_MAX + 1, sizeof(char *));
        if (!identity.name || !identity.designators) {
                scsi_identity_done(&identity);
                return -ENOMEM;
        }
        while ((designator = strsep(cursor, "\t")) && identity.count < SCSI_DESIGNATORS_MAX) {
                char *copy = strdup(designator);

                if (!copy) {
                        scsi_identity_done(&identity);
                        return -ENOMEM;
                }
                identity.designators[identity.count++] = copy;
        }
        *ret = identity;
        return 0;
}

static void parse_mark(const char *word, struct memory_mark *ret) {
        ret->asked = strcmp(word, asked) == 0;
        ret->standing = STANDING_PRESENT;
        if (strcmp(word, standing_name(STANDING_REPLACED)) == 0)
                ret->standing = STANDING_REPLACED;
        if (strcmp(word, standing_name(STANDING_QUARANTINED)) == 0)
                ret->standing = STANDING_QUARANTINED;
}

/* Who is another now than in an earlier boot is told of, and that needs what was before; but what
 * was stopped stays so. */
static bool is_known_otherwise(const struct memory *memory, const char *nexus,
                               const struct memory_mark *mark,
                               const struct scsi_identity *identity) {
        const struct memory_entry *entry = memory_get(memory, nexus);

        return entry && mark->standing == STANDING_PRESENT &&
               !scsi_identity_equal(&entry->identity, identity);
}

static int parse_line(struct memory *memory, char *line, bool same_boot, bool beside) {
        const char *nexus = strsep(&line, "\t"), *instance = strsep(&line, "\t"),
                   *standing = strsep(&line, "\t");
        struct scsi_identity identity;
        struct memory_mark mark;
        unsigned long long number;
        char *end;
        int r;

        if (!standing || !*nexus || !*instance)
                return -EINVAL;
        errno = 0;
        number = strtoull(instance, &end, 10);
        if (*end || errno != 0)
                return -EINVAL;
        r = parse_identity(&line, &identity);
        if (r < 0)
                return r;
        mark.instance = same_boot ? number : 0;
        parse_mark(standing, &mark);
        if (beside && is_known_otherwise(memory, nexus, &mark, &identity)) {
                scsi_identity_done(&identity);
                return 0;
        }
        return memory_set(memory, nexus, &mark, &identity);
}

static int parse_text(struct memory *memory, const char *text, const char *boot_id, bool beside) {
        _cleanup_(freep) char *copy = strdup(text);
        char *cursor = copy, *line;
        bool same_boot;
        int bad = 0;

        if (!copy)
                return -ENOMEM;
        line = strsep(&cursor, "\n");
        if (strncmp(line, header, sizeof(header) - 1) != 0)
                return -EINVAL;
        same_boot = strcmp(line + sizeof(header) - 1, boot_id) == 0;
        while ((line = strsep(&cursor, "\n")) && (same_boot || !beside)) {
                int r = *line ? parse_line(memory, line, same_boot, beside) : 0;

                if (r == -ENOMEM)
                        return r;
                bad += r < 0;
        }
        return bad;
}

int memory_parse(struct memory *memory, const char *text, const char *boot_id) {
        return parse_text(memory, text, boot_id, false);
}

int memory_merge(struct memory *memory, const char *text, const char *boot_id) {
        return parse_text(memory, text, boot_id, true);
}
