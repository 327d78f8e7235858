/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "worker/attributes.h"
#include "worker/messages.h"
#include "worker/ports.h"
#include "worker/sysfs.h"

static int attributes_result(const struct attributes *attributes) {
        return attributes->length > attributes->size ? -E2BIG : 0;
}

void attributes_add(struct attributes *attributes, const char *name, const char *format, ...) {
        size_t name_size = strlen(name) + 1, at = attributes->length;
        size_t room = at + name_size < attributes->size ? attributes->size - at - name_size : 0;
        va_list arguments;
        int length;

        if (room > 0)
                memcpy(attributes->data + at, name, name_size);
        va_start(arguments, format);
        length = vsnprintf(room > 0 ? attributes->data + at + name_size : NULL, room, format,
                           arguments);
        va_end(arguments);
        /* Once above size it stays there: what comes later is not written either. */
        attributes->length = at + name_size + (size_t)length + 1;
}

static void attributes_add_file(struct attributes *attributes, const char *name, int directory,
                                const char *file) {
        char value[SYSFS_VALUE_MAX];

        if (sysfs_read(directory, file, value) >= 0)
                attributes_add(attributes, name, "%s", value);
}

static void attributes_add_presence(struct attributes *attributes, const char *name, int directory,
                                    const char *file) {
        if (faccessat(directory, file, F_OK, 0) == 0)
                attributes_add(attributes, name, "1");
}

/* Numbers and addresses are used again, a kernfs node's inode number is not (fs/kernfs/dir.c). */
static void attributes_add_instance(struct attributes *attributes, int directory) {
        struct stat status;

        if (fstat(directory, &status) == 0)
                attributes_add(attributes, "instance", "%ju", (uintmax_t)status.st_ino);
}

/* The links in bus/scsi/devices lead up to sysfs's root and down from there: that part is the
 * DEVPATH. */
static void attributes_add_path(struct attributes *attributes, int sysfs, uint32_t host) {
        char name[SYSFS_NAME_MAX], link[SYSFS_VALUE_MAX];
        const char *path = link;
        ssize_t n;

        snprintf(name, sizeof(name), "bus/scsi/devices/host%" PRIu32, host);
        n = readlinkat(sysfs, name, link, sizeof(link) - 1);
        if (n < 0)
                return;
        link[n] = '\0';
        while (strncmp(path, "../", 3) == 0)
                path += 3;
        attributes_add(attributes, "path", "/%s", path);
}

int attributes_read_host(int sysfs, uint32_t host, struct attributes *attributes) {
        static const char *const files[] = {"proc_name", "state", "unique_id"};
        static const char *const classes[] = {"fc_host", "sas_host", "iscsi_host", "spi_host",
                                              "srp_host"};
        _cleanup_(closep) int directory = sysfs_pin(sysfs, "class/scsi_host/host%" PRIu32, host);
        char name[SYSFS_NAME_MAX];

        if (directory < 0)
                return directory;
        attributes_add_instance(attributes, directory);
        for (size_t i = 0; i < ELEMENTS_OF(files); i++)
                attributes_add_file(attributes, files[i], directory, files[i]);
        attributes_add_file(attributes, "scan", sysfs, "module/scsi_mod/parameters/scan");
        attributes_add_path(attributes, sysfs, host);
        for (size_t i = 0; i < ELEMENTS_OF(classes); i++) {
                snprintf(name, sizeof(name), "class/%s/host%" PRIu32, classes[i], host);
                attributes_add_presence(attributes, classes[i], sysfs, name);
        }
        snprintf(name, sizeof(name), "class/fc_host/host%" PRIu32 "/port_name", host);
        attributes_add_file(attributes, "port_name", sysfs, name);
        ports_add(sysfs, host, attributes);
        if (faccessat(directory, "proc_name", F_OK, 0) < 0)
                return -ENODEV; /* it went while it was read */
        return attributes_result(attributes);
}

/* The number, device number and holders of a block device or partition. */
static void attributes_add_block_use(struct attributes *attributes, int block) {
        _cleanup_(closedirp) DIR *holders = sysfs_list(block, "holders");
        const struct dirent *entry;

        attributes_add_file(attributes, "dev", block, "dev");
        while (holders && (entry = sysfs_next(holders)))
                attributes_add(attributes, "holder", "%s", entry->d_name);
}

static void attributes_add_partitions(struct attributes *attributes, int block, const char *disk) {
        _cleanup_(closedirp) DIR *list = sysfs_list(block, ".");
        const struct dirent *entry;

        while (list && (entry = readdir(list))) {
                _cleanup_(closep) int partition = -1;

                if (strncmp(entry->d_name, disk, strlen(disk)) != 0)
                        continue;
                partition = sysfs_pin(block, "%s", entry->d_name);
                if (partition >= 0)
                        attributes_add_block_use(attributes, partition);
        }
}

static void attributes_add_block(struct attributes *attributes, int device) {
        char disk[SYSFS_NAME_MAX], value[SYSFS_VALUE_MAX];
        _cleanup_(closep) int block = -1;

        if (sysfs_first(device, "block", disk) < 0)
                return; /* a tape, an enclosure, or sd has not bound yet */
        block = sysfs_pin(device, "block/%s", disk);
        if (block < 0)
                return;
        attributes_add(attributes, "block", "%s", disk);
        if (sysfs_read(block, "size", value) >= 0) /* in 512 byte units, whatever the block size */
                attributes_add(attributes, "size", "%llu", strtoull(value, NULL, 10) * 512);
        attributes_add_file(attributes, "block_size", block, "queue/logical_block_size");
        attributes_add_block_use(attributes, block);
        attributes_add_partitions(attributes, block, disk);
}

static void attributes_add_driver(struct attributes *attributes, int device) {
        char link[SYSFS_VALUE_MAX];
        ssize_t n = readlinkat(device, "driver", link, sizeof(link) - 1);
        const char *slash;

        if (n < 0)
                return;
        link[n] = '\0';
        slash = strrchr(link, '/');
        attributes_add(attributes, "driver", "%s", slash ? slash + 1 : link);
}

static void attributes_add_qualifier(struct attributes *attributes, int device) {
        _cleanup_(closep) int fd = openat(device, "inquiry", O_RDONLY | O_CLOEXEC);
        uint8_t byte;

        if (fd >= 0 && read(fd, &byte, 1) == 1)
                attributes_add(attributes, "pq", "%u", byte >> 5);
}

/* The page as the kernel read it when it attached the device, or was last told to read it again. */
static void attributes_add_page_83(struct attributes *attributes, int device) {
        _cleanup_(closep) int fd = openat(device, "vpd_pg83", O_RDONLY | O_CLOEXEC);
        uint8_t page[WORKER_PAGE_MAX];
        char hex[2 * WORKER_PAGE_MAX + 1] = "";
        ssize_t n = fd < 0 ? -1 : read(fd, page, sizeof(page));

        for (ssize_t i = 0; i < n; i++)
                snprintf(hex + 2 * i, 3, "%02x", page[i]);
        if (n > 0)
                attributes_add(attributes, "vpd_pg83_hex", "%s", hex);
}

int attributes_read_device(int device, struct attributes *attributes) {
        static const char *const files[] = {"vendor",    "model",        "rev",
                                            "type",      "scsi_level",   "state",
                                            "blacklist", "access_state", "wwid"};
        char generic[SYSFS_NAME_MAX];

        attributes_add_instance(attributes, device);
        for (size_t i = 0; i < ELEMENTS_OF(files); i++)
                attributes_add_file(attributes, files[i], device, files[i]);
        attributes_add_presence(attributes, "vpd_pg80", device, "vpd_pg80");
        attributes_add_page_83(attributes, device);
        attributes_add_qualifier(attributes, device);
        attributes_add_driver(attributes, device);
        if (sysfs_first(device, "scsi_generic", generic) >= 0)
                attributes_add(attributes, "generic", "%s", generic);
        attributes_add_block(attributes, device);
        if (faccessat(device, "type", F_OK, 0) < 0)
                return -ENODEV; /* it went while it was read */
        return attributes_result(attributes);
}
