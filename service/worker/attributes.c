/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "worker/attributes.h"
#include "worker/sysfs.h"

/* Directories, the host's number in their names, and what is read below each: all are patterns, see
 * sysfs_match(). */
struct group {
        const char *before, *behind; /* the number */
        const char *names[16];       /* up to a NULL */
};

/* The classes are scsi_host and one for each transport. */
static const struct group host_groups[] = {
        {"class/*_host/host", "/", {"proc_name", "state", "unique_id", "port_name"}},
        {"class/fc_remote_ports/rport-",
         ":*/",
         {"roles", "scsi_target_id", "port_state", "port_name"}},
        {"class/sas_device/end_device-", ":*/", {"scsi_target_id", "sas_address"}},
        {"bus/scsi/devices/host",
         "/session*/iscsi_session/session*/",
         {"targetname", "tpgt", "target_id", "state"}},
};

/* Only partitions have a number at the end of their name. */
static const struct group device_groups[] = {
        {".",
         "/",
         {"vendor", "model", "rev", "type", "scsi_level", "state", "blacklist", "access_state",
          "wwid", "vpd_pg80", "vpd_pg83", "inquiry", "driver", "scsi_generic/*"}},
        {"block/*", "/", {"size", "queue/logical_block_size", "dev", "holders/*"}},
        {"block/*/*[0-9]", "/", {"dev", "holders/*"}},
};

struct reading {
        const struct group *group;
        struct worker_answer *answer;
};

static int record_add(struct worker_answer *answer, const char *name, const void *value,
                      size_t length) {
        struct worker_record record = {(uint16_t)strlen(name), (uint16_t)length};
        size_t size = sizeof(record) + record.name_length + record.value_length;
        uint8_t *to = answer->data + answer->reply.data_length;

        if (size > sizeof(answer->data) - answer->reply.data_length)
                return -E2BIG;
        memcpy(mempcpy(mempcpy(to, &record, sizeof(record)), name, record.name_length), value,
               length);
        answer->reply.data_length += (uint32_t)size;
        return 0;
}

/* What is not there has no record, what cannot be read (a directory) an empty one. */
static int value_read(int directory, const char *name, void *userdata) {
        char value[WORKER_VALUE_MAX];
        _cleanup_(closep) int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        ssize_t n;

        if (fd < 0 && errno != ELOOP)
                return 0;
        n = fd < 0 ? readlinkat(directory, name, value, sizeof(value))
                   : read(fd, value, sizeof(value));
        return record_add(userdata, name, value, n < 0 ? 0 : (size_t)n);
}

static int directory_read(int above, const char *name, void *userdata) {
        const struct reading *reading = userdata;
        _cleanup_(closep) int directory = sysfs_pin(above, name);
        int r;

        if (directory < 0)
                return 0;
        r = record_add(reading->answer, name, "", 0);
        for (const char *const *names = reading->group->names; r == 0 && *names; names++)
                r = sysfs_match(directory, *names, value_read, reading->answer);
        return r;
}

/* The groups are below `base`, `object` is the object's own directory. Numbers and addresses are
 * used again, a kernfs node's inode number is not (fs/kernfs/dir.c). */
static int object_read(int object, int base, const char *number, const struct group *groups,
                       size_t count, struct worker_answer *answer) {
        char pattern[SYSFS_NAME_MAX];
        struct stat status;
        int r;

        if (fstat(object, &status) < 0)
                return -errno;
        r = record_add(answer, "instance", &(uint64_t){status.st_ino}, sizeof(uint64_t));
        for (const struct group *group = groups; r == 0 && group < groups + count; group++) {
                snprintf(pattern, sizeof(pattern), "%s%s%s", group->before, number, group->behind);
                r = sysfs_match(base, pattern, directory_read, &(struct reading){group, answer});
        }
        return sysfs_object_exists(object) ? r : -ENODEV; /* it went while it was read */
}

int attributes_read_host(int sysfs, uint32_t host, struct worker_answer *answer) {
        char name[SYSFS_NAME_MAX], number[SYSFS_NAME_MAX];
        _cleanup_(closep) int object = -1;
        int r;

        snprintf(number, sizeof(number), "%" PRIu32, host);
        snprintf(name, sizeof(name), "class/scsi_host/host%" PRIu32, host);
        object = sysfs_pin(sysfs, name);
        if (object < 0)
                return object;
        r = value_read(sysfs, name, answer);
        if (r == 0)
                r = value_read(sysfs, "module/scsi_mod/parameters/scan", answer);
        return r < 0 ? r
                     : object_read(object, sysfs, number, host_groups, ELEMENTS_OF(host_groups),
                                   answer);
}

int attributes_read_device(int device, struct worker_answer *answer) {
        return object_read(device, device, "", device_groups, ELEMENTS_OF(device_groups), answer);
}
