/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "tests/unit/dbus_fixture.h"

struct fake_device *fixture_device(struct fixture *fixture, const char *address) {
        for (size_t i = 0; i < fixture->machine.device_count; i++)
                if (strcmp(fixture->machine.devices[i].address, address) == 0)
                        return &fixture->machine.devices[i];
        return NULL;
}

static struct fake_device *device_at(struct fixture *fixture, const struct scsi_address *address) {
        char text[SCSI_ADDRESS_TEXT_MAX];

        return fixture_device(fixture, scsi_address_format(address, text));
}

static bool has_host(const struct fake_machine *machine, uint32_t number) {
        for (size_t i = 0; i < machine->host_count; i++)
                if (machine->hosts[i] == number)
                        return true;
        return false;
}

static void list_machine(const struct fake_machine *machine, struct inventory *ret) {
        ret->hosts = calloc(machine->host_count + 1, sizeof(*ret->hosts));
        ret->devices = calloc(machine->device_count + 1, sizeof(*ret->devices));
        for (size_t i = 0; i < machine->host_count; i++)
                ret->hosts[ret->host_count++] = machine->hosts[i];
        for (size_t i = 0; i < machine->device_count; i++)
                if (machine->devices[i].attached)
                        g_assert_cmpint(scsi_address_parse(machine->devices[i].address,
                                                           &ret->devices[ret->device_count++]),
                                        ==, 0);
}

static void read_host(uint32_t number, struct host_facts *ret) {
        ret->instance = 100 + number;
        ret->transport = TRANSPORT_FC;
        g_strlcpy(ret->driver, "made_up", sizeof(ret->driver));
        g_strlcpy(ret->state, "running", sizeof(ret->state));
        g_strlcpy(ret->port_name, "naa.2000", sizeof(ret->port_name));
        g_strlcpy(ret->scan_mode, "sync", sizeof(ret->scan_mode));
        ret->ports = calloc(1, sizeof(*ret->ports));
        ret->port_count = 1;
        ret->ports[0].target = 1;
        g_strlcpy(ret->ports[0].state, "Online", sizeof(ret->ports[0].state));
        g_strlcpy(ret->ports[0].name, "naa.5000", sizeof(ret->ports[0].name));
}

static void read_device(const struct fake_machine *machine, const struct scsi_address *address,
                        const char *holder, struct device_facts *ret) {
        ret->instance = 1000 + address->lun;
        g_strlcpy(ret->vendor, "Linux", sizeof(ret->vendor));
        g_strlcpy(ret->model, "made-up", sizeof(ret->model));
        g_strlcpy(ret->revision, "0001", sizeof(ret->revision));
        ret->scsi_level = 7;
        ret->has_device_id = true;
        ret->has_serial = true;
        g_strlcpy(ret->state, "running", sizeof(ret->state));
        if (!machine->nodeless)
                g_snprintf(ret->block, sizeof(ret->block), "sd%c", (char)('a' + address->lun % 26));
        g_snprintf(ret->generic, sizeof(ret->generic), "sg%u", (unsigned)(address->lun % 26));
        ret->size = UINT64_C(1) << 40;
        ret->block_size = 512;
        if (machine->holder || holder)
                ret->holders[0] = strdup(machine->holder ?: holder);
}

static void report_luns(const struct fake_machine *machine,
                        const struct scsi_target_address *target, struct scsi_lun_list *ret) {
        ret->luns = calloc(machine->device_count + 1, sizeof(*ret->luns));
        for (size_t i = 0; i < machine->device_count; i++) {
                struct scsi_address address;

                g_assert_cmpint(scsi_address_parse(machine->devices[i].address, &address), ==, 0);
                if (machine->devices[i].reported &&
                    scsi_target_address_compare(&address.target, target) == 0)
                        ret->luns[ret->count++] = address.lun;
        }
        ret->wanted_bytes = 8 + 8 * ret->count;
}

static void read_identity(const char *name, struct scsi_identity *ret) {
        ret->name = strdup(name);
        ret->count = *name ? 1 : 0;
        ret->designators = calloc(ret->count + 1, sizeof(*ret->designators));
        if (*name)
                ret->designators[0] = strdup(name);
}

static void answer_device(struct fixture *fixture, struct observation *observation) {
        const struct scsi_address *address = &observation->step.address;
        struct fake_device *device = device_at(fixture, address);

        if (observation->step.kind == STEP_ATTACH) {
                if (device && !device->deaf)
                        device->attached = true;
                if (!device || !device->attached)
                        observation->observed = OBSERVED_NOT_ATTACHED;
        } else if (!device || !device->attached) {
                observation->observed = OBSERVED_GONE;
        }
        if (observation->observed != OBSERVED_GOOD)
                return;
        switch (observation->step.kind) {
        case STEP_READ_DEVICE:
        case STEP_ATTACH:
        case STEP_REFRESH:
        case STEP_SET_STATE:
                fixture->refreshed += observation->step.kind == STEP_REFRESH;
                read_device(&fixture->machine, address, device->holder, &observation->device);
                break;
        case STEP_DETACH:
                device->attached = false;
                break;
        case STEP_REPORT_LUNS:
                report_luns(&fixture->machine, &address->target, &observation->luns);
                break;
        case STEP_READ_IDENTITY:
                read_identity(device->identity, &observation->identity);
                break;
        case STEP_READ_SERIAL:
                g_strlcpy(observation->serial, "SERIAL", sizeof(observation->serial));
                break;
        case STEP_READ_CAPACITY:
                observation->capacity = UINT64_C(1) << 40; /* fall through */
        case STEP_INQUIRE:                                 /* all zero: a disk is connected */
                break;
        default:
                g_assert_not_reached();
        }
}

void fixture_answer(struct fixture *fixture, const struct step *step) {
        struct observation observation = {.step = *step};

        switch (step->kind) {
        case STEP_LIST:
                list_machine(&fixture->machine, &observation.inventory);
                break;
        case STEP_READ_HOST:
                if (has_host(&fixture->machine, step->address.target.host))
                        read_host(step->address.target.host, &observation.host);
                else
                        observation.observed = OBSERVED_GONE;
                break;
        case STEP_SCAN_TARGET:
                break;
        default:
                answer_device(fixture, &observation);
        }
        g_assert_cmpint(engine_observe(fixture->engine, &observation, fixture_now(fixture)), ==, 0);
}
