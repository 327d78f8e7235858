/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/record.h"
#include "scsi/text.h"

static bool name_copy(char buffer[static RECORD_NAME_MAX], const uint8_t *name, size_t length) {
        if (length == 0 || length >= RECORD_NAME_MAX || memchr(name, '\0', length))
                return false;
        memcpy(buffer, name, length);
        buffer[length] = '\0';
        return true;
}

static void text_copy(struct record *record) {
        size_t length = 0;

        for (size_t i = 0; i < record->length; i++)
                if (record->bytes[i] != '\0')
                        record->text[length++] = (char)record->bytes[i];
        if (length > 0 && record->text[length - 1] == '\n')
                length--;
        record->text[length] = '\0';
}

int record_next(struct record_reader *reader, struct record *ret) {
        struct worker_record header;
        const uint8_t *name;

        if (reader->length == 0)
                return 0;
        if (reader->length < sizeof(header))
                return -EBADMSG;
        memcpy(&header, reader->data, sizeof(header));
        if (reader->length - sizeof(header) < (size_t)header.name_length + header.value_length ||
            header.value_length > WORKER_VALUE_MAX)
                return -EBADMSG;
        name = reader->data + sizeof(header);
        if (!name_copy(ret->name, name, header.name_length))
                return -EBADMSG;
        ret->bytes = name + header.name_length;
        ret->length = header.value_length;
        text_copy(ret);
        if (ret->name[header.name_length - 1] == '/') {
                memcpy(reader->directory, ret->name, sizeof(reader->directory));
                ret->name[0] = '\0';
        }
        ret->directory = reader->directory;
        reader->data = ret->bytes + ret->length;
        reader->length -= sizeof(header) + header.name_length + header.value_length;
        return 1;
}

static bool directory_fits(const struct record *record, const char *pattern) {
        return fnmatch(pattern, record->directory, FNM_PATHNAME) == 0;
}

bool record_is(const struct record *record, const char *directory, const char *name) {
        return strcmp(record->name, name) == 0 && directory_fits(record, directory);
}

bool record_fits(const struct record *record, const char *directory, const char *name) {
        return fnmatch(name, record->name, FNM_PATHNAME) == 0 && directory_fits(record, directory);
}

uint64_t record_number(const struct record *record, uint64_t max) {
        char *end;
        unsigned long long number;

        if (record->text[0] < '0' || record->text[0] > '9')
                return 0;
        errno = 0;
        number = strtoull(record->text, &end, 10);
        return errno || *end || number > max ? 0 : number;
}

bool record_instance(const struct record *record, uint64_t *ret) {
        if (!record_is(record, "", "instance") || record->length != sizeof(*ret))
                return false;
        memcpy(ret, record->bytes, sizeof(*ret));
        return true;
}

bool record_fill(const struct record *record, const struct record_field *fields, size_t count) {
        for (size_t i = 0; i < count; i++)
                if (strcmp(record->name, fields[i].name) == 0) {
                        scsi_text_field(record->text, strlen(record->text), fields[i].buffer,
                                        fields[i].size);
                        return true;
                }
        return false;
}
