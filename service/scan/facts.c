/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "scan/facts.h"
#include "util/cleanup.h"

const char *transport_name(enum transport transport) {
        static const char *const names[] = {
                [TRANSPORT_UNKNOWN] = "unknown", [TRANSPORT_FC] = "fc",
                [TRANSPORT_SAS] = "sas",         [TRANSPORT_ISCSI] = "iscsi",
                [TRANSPORT_SRP] = "srp",         [TRANSPORT_SPI] = "spi",
                [TRANSPORT_USB] = "usb",         [TRANSPORT_ATA] = "ata",
                [TRANSPORT_VIRTIO] = "virtio",   [TRANSPORT_PSEUDO] = "pseudo",
        };

        return transport < ELEMENTS_OF(names) ? names[transport] : names[TRANSPORT_UNKNOWN];
}

bool transport_lists_ports(enum transport transport) {
        return transport == TRANSPORT_FC || transport == TRANSPORT_SAS ||
               transport == TRANSPORT_ISCSI;
}

void host_facts_done(struct host_facts *facts) {
        free(facts->ports);
        facts->ports = NULL;
        facts->port_count = 0;
}

void device_facts_done(struct device_facts *facts) {
        for (char **holder = facts->holders; *holder; holder++) {
                free(*holder);
                *holder = NULL;
        }
        scsi_identity_done(&facts->attached_as);
}

bool device_facts_may_answer(const struct device_facts *facts) {
        return strcmp(facts->state, "running") == 0 && facts->generic[0];
}

bool device_facts_has_holder(const struct device_facts *facts, const char *holder) {
        for (char *const *held = facts->holders; *held; held++)
                if (strcmp(*held, holder) == 0)
                        return true;
        return false;
}

bool device_facts_holders_equal(const struct device_facts *a, const struct device_facts *b) {
        size_t i;

        for (i = 0; a->holders[i] && b->holders[i]; i++)
                if (strcmp(a->holders[i], b->holders[i]) != 0)
                        return false;
        return !a->holders[i] && !b->holders[i];
}

const char *standing_name(enum standing standing) {
        static const char *const names[] = {
                [STANDING_UNVERIFIED] = "unverified",   [STANDING_PRESENT] = "present",
                [STANDING_MISSING] = "missing",         [STANDING_REPLACED] = "replaced",
                [STANDING_QUARANTINED] = "quarantined",
        };

        return names[standing];
}
