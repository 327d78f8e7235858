/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "worker/ports.h"
#include "worker/sysfs.h"

/* Fields are separated by blanks, so a state ("Not Present") must hold none. */
static void port_state_normalize(char *state) {
        for (; *state; state++)
                *state = (char)(*state == ' ' ? '-' : tolower((unsigned char)*state));
}

static const char *hex_digits(const char *text) {
        return strncmp(text, "0x", 2) == 0 ? text + 2 : text;
}

/* An rport's name is rport-<host>:<channel>-<number>; one that is no SCSI target has the id -1. */
static void port_add_fc(int rport, const char *name, struct attributes *attributes) {
        char roles[SYSFS_VALUE_MAX], id[SYSFS_VALUE_MAX], state[SYSFS_VALUE_MAX],
                port[SYSFS_VALUE_MAX];
        uint32_t channel;

        if (sscanf(name, "rport-%*u:%" SCNu32 "-", &channel) != 1 ||
            sysfs_read(rport, "roles", roles) < 0 || !strstr(roles, "FCP Target") ||
            sysfs_read(rport, "scsi_target_id", id) < 0 || id[0] == '-' ||
            sysfs_read(rport, "port_state", state) < 0 || sysfs_read(rport, "port_name", port) < 0)
                return;
        port_state_normalize(state);
        attributes_add(attributes, "port", "%" PRIu32 " %s %s naa.%s", channel, id, state,
                       hex_digits(port));
}

/* The transport scans end devices on channel 0 (sas_rphy_add()), and knows no state of them. */
static void port_add_sas(int end, const char *name, struct attributes *attributes) {
        char id[SYSFS_VALUE_MAX], port[SYSFS_VALUE_MAX];

        if (sysfs_read(end, "scsi_target_id", id) < 0 || id[0] == '-' ||
            sysfs_read(end, "sas_address", port) < 0)
                return;
        attributes_add(attributes, "port", "0 %s - naa.%s", id, hex_digits(port));
}

/* The kernel's session states are LOGGED_IN, FAILED and FREE; iSCSI has one channel
 * (iscsi_user_scan()). */
static void port_add_iscsi(int session, struct attributes *attributes) {
        char iqn[SYSFS_VALUE_MAX], tpgt[SYSFS_VALUE_MAX], id[SYSFS_VALUE_MAX],
                state[SYSFS_VALUE_MAX];
        uint32_t group;

        if (sysfs_read(session, "targetname", iqn) < 0 || iqn[0] == '\0' ||
            sysfs_read(session, "tpgt", tpgt) < 0 || sscanf(tpgt, "%" SCNu32, &group) != 1 ||
            sysfs_read(session, "target_id", id) < 0 || id[0] == '-' ||
            sysfs_read(session, "state", state) < 0)
                return;
        port_state_normalize(state);
        attributes_add(attributes, "port", "0 %s %s %s,t,0x%" PRIx32, id, state, iqn, group);
}

static void ports_add_iscsi(int sysfs, uint32_t host, struct attributes *attributes) {
        _cleanup_(closep) int device = sysfs_pin(sysfs, "bus/scsi/devices/host%" PRIu32, host);
        _cleanup_(closedirp) DIR *list = device < 0 ? NULL : sysfs_list(device, ".");
        const struct dirent *entry;

        while (list && (entry = sysfs_next(list))) {
                _cleanup_(closep) int session = -1;

                if (strncmp(entry->d_name, "session", strlen("session")) != 0)
                        continue;
                session = sysfs_pin(device, "%s/iscsi_session/%s", entry->d_name, entry->d_name);
                if (session >= 0)
                        port_add_iscsi(session, attributes);
        }
}

/* Entries of a transport class carry their host's number: "rport-3:0-7", "end_device-3:1:4". */
static void ports_add_class(int sysfs, uint32_t host, const char *class, const char *kind,
                            void (*add)(int, const char *, struct attributes *),
                            struct attributes *attributes) {
        char prefix[SYSFS_NAME_MAX];
        _cleanup_(closep) int directory = sysfs_pin(sysfs, "class/%s", class);
        _cleanup_(closedirp) DIR *list = directory < 0 ? NULL : sysfs_list(directory, ".");
        const struct dirent *entry;

        snprintf(prefix, sizeof(prefix), "%s-%" PRIu32 ":", kind, host);
        while (list && (entry = sysfs_next(list))) {
                _cleanup_(closep) int port = -1;

                if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
                        continue;
                port = sysfs_pin(directory, "%s", entry->d_name);
                if (port >= 0)
                        add(port, entry->d_name, attributes);
        }
}

void ports_add(int sysfs, uint32_t host, struct attributes *attributes) {
        ports_add_class(sysfs, host, "fc_remote_ports", "rport", port_add_fc, attributes);
        ports_add_class(sysfs, host, "sas_device", "end_device", port_add_sas, attributes);
        ports_add_iscsi(sysfs, host, attributes);
}
