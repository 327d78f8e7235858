/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dbus/key.h"
#include "dbus/names.h"
#include "dbus/paths.h"
#include "util/cleanup.h"

#define DEV "/dev"

/* Folders of udev and devtmpfs whose entries are links to nodes ("disk/by-id/NAME"), by what their
 * path begins with. */
static const char *const link_folders[] = {"disk/by-", "tape/by-", "block/", "char/"};

static bool in_link_folder(const char *rest) {
        for (size_t i = 0; i < ELEMENTS_OF(link_folders); i++) {
                size_t length = strlen(link_folders[i]);

                if (strncmp(rest, link_folders[i], length) != 0)
                        continue;
                if (link_folders[i][length - 1] != '/') {
                        length += strcspn(rest + length, "/");
                        length += rest[length] == '/';
                }
                return !strchr(rest + length, '/');
        }
        return false;
}

static bool is_node_name(const char *name) {
        return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
               strlen(name) < KEY_NODE_MAX;
}

/* What a link says, relative as udev writes them ("../../sda") or absolute: the node's name. */
static const char *target_name(const char *dev, const char *target) {
        size_t length = strlen(dev);

        if (strncmp(target, dev, length) == 0 && target[length] == '/')
                target += length + 1;
        while (strncmp(target, "../", 3) == 0)
                target += 3;
        return target;
}

int key_node_name(const char *dev, const char *path, char name[static KEY_NODE_MAX],
                  const char **reason) {
        const char *rest = path + strlen(dev) + 1;
        const char *last = strrchr(path, '/') + 1;
        char target[PATH_MAX];
        ssize_t length;

        *reason = "not a device node, or a link to one in a folder of udev's";
        if (!is_node_name(last) || (last != rest && !in_link_folder(rest)))
                return -EINVAL;
        length = readlink(path, target, sizeof(target) - 1);
        if (length < 0 && last == rest) {
                memcpy(name, last, strlen(last) + 1);
                return 0;
        }
        if (length < 0)
                return errno == EINVAL ? -EINVAL : -ENOENT;
        target[length] = 0;
        last = target_name(dev, target);
        *reason = "a link that does not lead to a device node";
        if (!is_node_name(last))
                return -EINVAL;
        memcpy(name, last, strlen(last) + 1);
        return 0;
}

int key_not_found(const char *key, sd_bus_error *error) {
        return sd_bus_error_setf(error, SCSISCAN_ERROR_NOT_FOUND, "There is no %s", key);
}

static int invalid(const char *key, const char *reason, sd_bus_error *error) {
        return sd_bus_error_setf(error, SCSISCAN_ERROR_INVALID_ARGS, "%s: %s", key, reason);
}

static int parse_node(const char *key, struct scope *ret, sd_bus_error *error) {
        char name[KEY_NODE_MAX];
        const char *reason;
        int r = key_node_name(DEV, key, name, &reason);

        if (r == -EINVAL)
                return invalid(key, reason, error);
        if (r == -ENOENT)
                return key_not_found(key, error);
        return r < 0 ? r : scope_node(name, ret);
}

static int parse_path(const char *key, struct scope *ret, sd_bus_error *error) {
        static const enum scope_kind kinds[OBJECT_KINDS] = {
                [OBJECT_HOST] = SCOPE_HOST,
                [OBJECT_TARGET] = SCOPE_TARGET,
                [OBJECT_DEVICE] = SCOPE_DEVICE,
                [OBJECT_UNIT] = SCOPE_NAME,
        };
        struct object_id id;
        int r = path_parse(key, &id);

        if (r == -EINVAL)
                return invalid(key, "not the path of a host, target, device or unit", error);
        if (r < 0)
                return r;
        *ret = (struct scope){
                .kind = kinds[id.kind],
                .address = id.address,
                .name = (char *)id.identity, /* handed on */
        };
        return 0;
}

int key_parse(const char *key, struct scope *ret, sd_bus_error *error) {
        const char *reason;
        int r;

        if (strlen(key) >= PATH_MAX)
                return sd_bus_error_set(error, SCSISCAN_ERROR_INVALID_ARGS,
                                        "A scope is never so long");
        if (strcmp(key, SCSISCAN_PATH) == 0)
                key = "";
        if (strncmp(key, DEV "/", strlen(DEV "/")) == 0)
                return parse_node(key, ret, error);
        if (*key == '/')
                return parse_path(key, ret, error);
        r = scope_parse(key, ret, &reason);
        return r == -EINVAL ? invalid(key, reason, error) : r;
}

int key_parse_existing(const char *key, const struct topology *topology, struct scope *ret,
                       sd_bus_error *error) {
        int r = key_parse(key, ret, error);

        if (r < 0)
                return r;
        if (scope_exists(ret, topology) == 0)
                return 0;
        scope_done(ret);
        return key_not_found(key, error);
}
