/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "client/cleanup.h"
#include "client/name.h"
#include "dbus/names.h"

static const struct kind {
        const char *name;
        const char *plural;
        const char *interface;
        const char *prefix;
        unsigned numbers; /* in its path, separated by '_' */
} kinds[OBJECT_KINDS] = {
        [OBJECT_HOST] = {"host", "hosts", SCSISCAN_INTERFACE_HOST, SCSISCAN_PATH_HOST, 1},
        [OBJECT_TARGET] = {"target", "targets", SCSISCAN_INTERFACE_TARGET, SCSISCAN_PATH_TARGET, 3},
        [OBJECT_DEVICE] = {"device", "devices", SCSISCAN_INTERFACE_DEVICE, SCSISCAN_PATH_DEVICE, 4},
        [OBJECT_UNIT] = {"unit", "units", SCSISCAN_INTERFACE_UNIT, SCSISCAN_PATH_UNIT, 0},
        [OBJECT_JOB] = {"job", "jobs", SCSISCAN_INTERFACE_JOB, SCSISCAN_PATH_JOB, 1},
};

const char *kind_name(enum object_kind kind) {
        return kinds[kind].name;
}

const char *kind_plural(enum object_kind kind) {
        return kinds[kind].plural;
}

const char *kind_interface(enum object_kind kind) {
        return kinds[kind].interface;
}

int kind_from_plural(const char *plural, enum object_kind *ret) {
        for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++)
                if (strcmp(kinds[kind].plural, plural) == 0) {
                        *ret = kind;
                        return 0;
                }
        return -EINVAL;
}

/* What follows the prefix of that kind, or NULL. */
static const char *path_tail(const char *path, enum object_kind kind) {
        size_t length = strlen(kinds[kind].prefix);

        if (strncmp(path, kinds[kind].prefix, length) != 0 || path[length] != '/')
                return NULL;
        return path[length + 1] ? path + length + 1 : NULL;
}

static int numbers_parse(const char *text, unsigned count, uint64_t numbers[static 4]) {
        for (unsigned i = 0; i < count; i++) {
                char *end;

                if (!isdigit((unsigned char)*text))
                        return -EINVAL;
                errno = 0;
                numbers[i] = strtoull(text, &end, 10);
                if (errno || *end != (i + 1 < count ? '_' : '\0'))
                        return -EINVAL;
                text = end + 1;
        }
        return 0;
}

int path_parse(const char *path, enum object_kind *ret, uint64_t ret_numbers[static 4]) {
        for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++) {
                const char *tail = path_tail(path, kind);

                if (!tail)
                        continue;
                *ret = kind;
                memset(ret_numbers, 0, 4 * sizeof(*ret_numbers));
                return numbers_parse(tail, kinds[kind].numbers, ret_numbers);
        }
        return -EINVAL;
}

int path_compare(const char *left, const char *right) {
        enum object_kind kinds_of[2] = {OBJECT_KINDS, OBJECT_KINDS};
        uint64_t numbers[2][4] = {};

        if (path_parse(left, &kinds_of[0], numbers[0]) < 0)
                kinds_of[0] = OBJECT_KINDS;
        if (path_parse(right, &kinds_of[1], numbers[1]) < 0)
                kinds_of[1] = OBJECT_KINDS;
        if (kinds_of[0] != kinds_of[1])
                return kinds_of[0] < kinds_of[1] ? -1 : 1;
        for (size_t i = 0; kinds_of[0] != OBJECT_KINDS && i < ELEMENTS_OF(numbers[0]); i++)
                if (numbers[0][i] != numbers[1][i])
                        return numbers[0][i] < numbers[1][i] ? -1 : 1;
        return strcmp(left, right);
}

static char *unit_key(const char *path) {
        char *identity = NULL;

        return sd_bus_path_decode(path, SCSISCAN_PATH_UNIT, &identity) > 0 ? identity
                                                                           : strdup(path);
}

char *path_to_key(const char *path) {
        enum object_kind kind;
        uint64_t numbers[4];
        char *key;

        if (path_parse(path, &kind, numbers) < 0 || kind == OBJECT_JOB)
                return strdup(path);
        if (kind == OBJECT_UNIT)
                return unit_key(path);
        if (kind == OBJECT_HOST)
                return asprintf(&key, "host%s", path_tail(path, kind)) < 0 ? NULL : key;

        key = strdup(path_tail(path, kind));
        for (char *c = key; c && *c; c++)
                if (*c == '_')
                        *c = ':';
        return key;
}
