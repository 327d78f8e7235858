/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "kernel/listing.h"
#include "util/cleanup.h"

struct array {
        void *items; /* owned */
        size_t count;
        size_t room;
};

static void array_done(struct array *array) {
        free(array->items);
}

static int array_add(struct array *array, const void *item, size_t size, size_t max) {
        if (array->count == max)
                return -E2BIG;
        if (array->count == array->room) {
                size_t room = array->room ? array->room * 2 : 64;
                void *items = reallocarray(array->items, room, size);

                if (!items)
                        return -ENOMEM;
                array->items = items;
                array->room = room;
        }
        memcpy((char *)array->items + array->count++ * size, item, size);
        return 0;
}

static int host_compare(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

static int device_compare(const void *a, const void *b) {
        return scsi_address_compare(a, b);
}

static void closedirp(DIR **directory) {
        if (*directory)
                closedir(*directory);
}

static DIR *directory_open(const char *sysfs) {
        _cleanup_(closep) int root = open(sysfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd;

        if (root < 0)
                return NULL;
        fd = openat(root, "bus/scsi/devices", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? NULL : fdopendir(fd);
}

static int name_add(const char *name, struct array *hosts, struct array *devices) {
        struct scsi_address address;
        uint32_t host;

        if (scsi_host_parse(name, &host) == 0)
                return array_add(hosts, &host, sizeof(host), LISTING_HOSTS_MAX);
        if (scsi_address_parse(name, &address) == 0)
                return array_add(devices, &address, sizeof(address), LISTING_DEVICES_MAX);
        return 0; /* "." and "..", and targets */
}

int listing_read(const char *sysfs, struct inventory *ret) {
        _cleanup_(array_done) struct array hosts = {}, devices = {};
        _cleanup_(closedirp) DIR *directory = directory_open(sysfs);
        const struct dirent *entry;

        if (!directory && errno != ENOENT)
                return -errno;
        for (errno = 0; directory && (entry = readdir(directory)); errno = 0) {
                int r = name_add(entry->d_name, &hosts, &devices);

                if (r < 0)
                        return r;
        }
        if (directory && errno != 0)
                return -errno;
        if (hosts.count > 0)
                qsort(hosts.items, hosts.count, sizeof(uint32_t), host_compare);
        if (devices.count > 0)
                qsort(devices.items, devices.count, sizeof(struct scsi_address), device_compare);
        *ret = (struct inventory){
                .host_count = hosts.count,
                .device_count = devices.count,
                .hosts = TAKE_PTR(hosts.items),
                .devices = TAKE_PTR(devices.items),
        };
        return 0;
}
