/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "dbus/names.h"
#include "dbus/paths.h"
#include "util/cleanup.h"

static int format(char **ret, const char *pattern, ...) __attribute__((format(printf, 2, 3)));

static int format(char **ret, const char *pattern, ...) {
        va_list arguments;
        int r;

        va_start(arguments, pattern);
        r = vasprintf(ret, pattern, arguments);
        va_end(arguments);
        return r < 0 ? -ENOMEM : 0;
}

int path_format(const struct object_id *id, char **ret) {
        const struct scsi_target_address *target = &id->address.target;

        switch (id->kind) {
        case OBJECT_HOST:
                return format(ret, SCSISCAN_PATH_HOST "/%" PRIu32, target->host);
        case OBJECT_TARGET:
                return format(ret, SCSISCAN_PATH_TARGET "/%" PRIu32 "_%" PRIu32 "_%" PRIu32,
                              target->host, target->channel, target->target);
        case OBJECT_DEVICE:
                return format(ret,
                              SCSISCAN_PATH_DEVICE "/%" PRIu32 "_%" PRIu32 "_%" PRIu32 "_%" PRIu64,
                              target->host, target->channel, target->target, id->address.lun);
        case OBJECT_UNIT:
                return sd_bus_path_encode(SCSISCAN_PATH_UNIT, id->identity, ret);
        case OBJECT_KINDS:
                break;
        }
        return -EINVAL;
}

int path_format_job(uint64_t job, char **ret) {
        return format(ret, SCSISCAN_PATH_JOB "/%" PRIu64, job);
}

/* What is behind "PREFIX/", or NULL. */
static const char *label_behind(const char *path, const char *prefix) {
        size_t length = strlen(prefix);

        return strncmp(path, prefix, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

/* "3_0_1" to "3:0:1", so that there is one strict parser of addresses. */
static int label_to_address(const char *label, char address[static SCSI_ADDRESS_TEXT_MAX]) {
        size_t length = strlen(label);

        if (length >= SCSI_ADDRESS_TEXT_MAX || strspn(label, "0123456789_") != length)
                return -EINVAL;
        for (size_t i = 0; i <= length; i++)
                address[i] = (char)(label[i] == '_' ? ':' : label[i]);
        return 0;
}

static int parse_host(const char *label, struct object_id *ret) {
        char name[4 + SCSI_ADDRESS_TEXT_MAX];

        if (strlen(label) >= SCSI_ADDRESS_TEXT_MAX)
                return -EINVAL;
        snprintf(name, sizeof(name), "host%s", label);
        *ret = (struct object_id){.kind = OBJECT_HOST};
        return scsi_host_parse(name, &ret->address.target.host);
}

static int parse_target(const char *label, struct object_id *ret) {
        char address[SCSI_ADDRESS_TEXT_MAX];

        *ret = (struct object_id){.kind = OBJECT_TARGET};
        if (label_to_address(label, address) < 0)
                return -EINVAL;
        return scsi_target_address_parse(address, &ret->address.target);
}

static int parse_device(const char *label, struct object_id *ret) {
        char address[SCSI_ADDRESS_TEXT_MAX];

        *ret = (struct object_id){.kind = OBJECT_DEVICE};
        if (label_to_address(label, address) < 0)
                return -EINVAL;
        return scsi_address_parse(address, &ret->address);
}

/* sd_bus_path_decode() takes more than one spelling: only the one it would write itself counts. */
static int parse_unit(const char *path, struct object_id *ret) {
        _cleanup_(freep) char *identity = NULL;
        _cleanup_(freep) char *again = NULL;
        int r;

        if (!sd_bus_object_path_is_valid(path))
                return -EINVAL;
        r = sd_bus_path_decode(path, SCSISCAN_PATH_UNIT, &identity);
        if (r <= 0)
                return r < 0 ? r : -EINVAL;
        if (!*identity)
                return -EINVAL;
        r = sd_bus_path_encode(SCSISCAN_PATH_UNIT, identity, &again);
        if (r < 0)
                return r;
        if (strcmp(path, again) != 0)
                return -EINVAL;
        *ret = (struct object_id){.kind = OBJECT_UNIT, .identity = TAKE_PTR(identity)};
        return 0;
}

int path_parse(const char *path, struct object_id *ret) {
        const char *label;

        if ((label = label_behind(path, SCSISCAN_PATH_HOST)))
                return parse_host(label, ret);
        if ((label = label_behind(path, SCSISCAN_PATH_TARGET)))
                return parse_target(label, ret);
        if ((label = label_behind(path, SCSISCAN_PATH_DEVICE)))
                return parse_device(label, ret);
        if (label_behind(path, SCSISCAN_PATH_UNIT))
                return parse_unit(path, ret);
        return -EINVAL;
}

int path_parse_job(const char *path, uint64_t *ret) {
        const char *label = label_behind(path, SCSISCAN_PATH_JOB);
        char *end;

        if (!label || *label < '1' || *label > '9' || strspn(label, "0123456789") != strlen(label))
                return -EINVAL;
        errno = 0;
        *ret = strtoull(label, &end, 10);
        return errno == 0 && !*end ? 0 : -EINVAL;
}

void path_done(struct object_id *id) {
        free((char *)id->identity);
        id->identity = NULL;
}

static int path_list_take(struct path_list *list, char *path) {
        if (list->count + 1 >= list->room) {
                size_t room = list->room ? 2 * list->room : 8;
                char **paths = reallocarray(list->paths, room, sizeof(*paths));

                if (!paths) {
                        free(path);
                        return -ENOMEM;
                }
                list->paths = paths;
                list->room = room;
        }
        list->paths[list->count++] = path;
        list->paths[list->count] = NULL;
        return 0;
}

int path_list_add(struct path_list *list, const struct object_id *id) {
        char *path;
        int r = path_format(id, &path);

        return r < 0 ? r : path_list_take(list, path);
}

int path_list_add_job(struct path_list *list, uint64_t job) {
        char *path;
        int r = path_format_job(job, &path);

        return r < 0 ? r : path_list_take(list, path);
}

void path_list_done(struct path_list *list) {
        for (size_t i = 0; i < list->count; i++)
                free(list->paths[i]);
        free(list->paths);
        *list = (struct path_list){};
}
