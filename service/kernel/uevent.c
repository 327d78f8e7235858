/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "kernel/uevent.h"
#include "util/cleanup.h"

/* Host names and addresses are shorter than this: a longer part of a path is neither. */
#define COMPONENT_MAX 64

static const char *value_of(const char *pair, const char *key) {
        size_t length = strlen(key);

        return strncmp(pair, key, length) == 0 && pair[length] == '=' ? pair + length + 1 : NULL;
}

static void uevent_set(struct uevent *uevent, const char *pair) {
        const struct {
                const char *key;
                const char **value;
        } keys[] = {
                {"ACTION", &uevent->action},       {"DEVPATH", &uevent->devpath},
                {"SUBSYSTEM", &uevent->subsystem}, {"DEVTYPE", &uevent->devtype},
                {"SDEV_UA", &uevent->attention},
        };
        const char *value;

        for (size_t i = 0; i < ELEMENTS_OF(keys); i++) {
                value = value_of(pair, keys[i].key);
                if (value)
                        *keys[i].value = value;
        }
        value = value_of(pair, "SDEV_MEDIA_CHANGE");
        if (value)
                uevent->media_change = strcmp(value, "1") == 0;
}

int uevent_parse(const char *data, size_t length, struct uevent *ret) {
        struct uevent uevent = {.devtype = "", .attention = ""};
        const char *end = data + length;

        if (length == 0 || length > UEVENT_MAX || data[length - 1] != '\0' || !strstr(data, "@/"))
                return -EBADMSG;
        for (const char *pair = data + strlen(data) + 1; pair < end; pair += strlen(pair) + 1)
                uevent_set(&uevent, pair);
        if (!uevent.action || !uevent.devpath || !uevent.subsystem)
                return -EBADMSG;
        *ret = uevent;
        return 0;
}

/* The next part of the path, NULL behind the last one; parts that do not fit become "". */
static const char *component_next(const char *path, char buffer[static COMPONENT_MAX]) {
        size_t length;

        path += strspn(path, "/");
        if (*path == '\0')
                return NULL;
        length = strcspn(path, "/");
        buffer[0] = '\0';
        if (length < COMPONENT_MAX) {
                memcpy(buffer, path, length);
                buffer[length] = '\0';
        }
        return path + length;
}

bool uevent_path_device(const char *path, struct scsi_address *ret) {
        struct scsi_target_address target;
        bool below_target = false;
        char part[COMPONENT_MAX];

        while ((path = component_next(path, part))) {
                if (below_target && scsi_address_parse(part, ret) == 0 &&
                    scsi_target_address_compare(&ret->target, &target) == 0)
                        return true;
                below_target = strncmp(part, "target", strlen("target")) == 0 &&
                               scsi_target_address_parse(part + strlen("target"), &target) == 0;
        }
        return false;
}

/* The last one in the path: an NPIV port is a host below a host. */
static bool path_host(const char *path, uint32_t *ret) {
        char part[COMPONENT_MAX];
        bool found = false;

        while ((path = component_next(path, part)))
                if (scsi_host_parse(part, ret) == 0)
                        found = true;
        return found;
}

static enum unit_attention attention_of(const struct uevent *uevent) {
        static const struct {
                const char *name;
                enum unit_attention attention;
        } names[] = {
                {"REPORTED_LUNS_DATA_HAS_CHANGED", ATTENTION_REPORTED_LUNS},
                {"INQUIRY_DATA_HAS_CHANGED", ATTENTION_INQUIRY},
                {"CAPACITY_DATA_HAS_CHANGED", ATTENTION_CAPACITY},
                {"ASYMMETRIC_ACCESS_STATE_CHANGED", ATTENTION_ACCESS_STATE},
                {"MODE_PARAMETERS_CHANGED", ATTENTION_MODE_PARAMETERS},
                {"POWER_ON_RESET_OCCURRED", ATTENTION_POWER_ON_RESET},
                {"THIN_PROVISIONING_SOFT_THRESHOLD_REACHED", ATTENTION_SOFT_THRESHOLD},
        };

        for (size_t i = 0; i < ELEMENTS_OF(names); i++)
                if (strcmp(uevent->attention, names[i].name) == 0)
                        return names[i].attention;
        return uevent->media_change ? ATTENTION_MEDIA_CHANGE : ATTENTION_NONE;
}

/*
 * One attach raises nine uevents. Those of bsg, scsi_disk and the scsi_device class say nothing
 * that the ones here do not say, and a change of a partition changes nothing that is shown; bind
 * and unbind come with the add or remove of what the driver made.
 */
static bool concerns_device(const struct uevent *uevent) {
        static const struct {
                const char *subsystem;
                const char *devtype;
                bool change;
        } kinds[] = {
                {"scsi", "scsi_device", true},
                {"block", "disk", true},
                {"block", "partition", false},
                {"scsi_generic", "", false},
        };
        bool change = strcmp(uevent->action, "change") == 0;

        if (!change && strcmp(uevent->action, "add") != 0 && strcmp(uevent->action, "remove") != 0)
                return false;
        for (size_t i = 0; i < ELEMENTS_OF(kinds); i++)
                if (strcmp(uevent->subsystem, kinds[i].subsystem) == 0 &&
                    strcmp(uevent->devtype, kinds[i].devtype) == 0)
                        return kinds[i].change || !change;
        return false;
}

/* Hosts themselves, and what a transport knows of their ports. */
static bool concerns_host(const struct uevent *uevent) {
        static const char *const subsystems[] = {
                "scsi_host", "fc_host",       "fc_remote_ports",  "sas_end_device",
                "sas_rphy",  "iscsi_session", "iscsi_connection",
        };

        if (strcmp(uevent->subsystem, "scsi") == 0)
                return strcmp(uevent->devtype, "scsi_host") == 0;
        for (size_t i = 0; i < ELEMENTS_OF(subsystems); i++)
                if (strcmp(uevent->subsystem, subsystems[i]) == 0)
                        return true;
        return false;
}

/* dm and md devices come and go without a word under the disks that they hold. */
static bool path_holder(const struct uevent *uevent, char holder[static EVENT_HOLDER_MAX]) {
        static const char virtual[] = "/devices/virtual/block/";
        const char *name = uevent->devpath + sizeof(virtual) - 1;

        if (strcmp(uevent->subsystem, "block") != 0 || strcmp(uevent->devtype, "disk") != 0 ||
            strncmp(uevent->devpath, virtual, sizeof(virtual) - 1) != 0 || strchr(name, '/') ||
            *name == '.' || *name == '\0' || strlen(name) >= EVENT_HOLDER_MAX)
                return false;
        memcpy(holder, name, strlen(name) + 1);
        return true;
}

bool uevent_map(const struct uevent *uevent, struct event *ret) {
        struct event event = {};

        if (concerns_device(uevent) && uevent_path_device(uevent->devpath, &event.address)) {
                event.kind = EVENT_DEVICE;
                if (strcmp(uevent->devtype, "scsi_device") == 0)
                        event.attention = attention_of(uevent);
                if (event.attention != ATTENTION_NONE)
                        event.kind = EVENT_UNIT_ATTENTION;
        } else if (concerns_host(uevent) && path_host(uevent->devpath, &event.address.target.host))
                event.kind = EVENT_HOST;
        else if (path_holder(uevent, event.holder))
                event.kind = EVENT_HOLDER;
        else
                return false;
        *ret = event;
        return true;
}
