/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The array's side: what is mapped, and the bytes with which it answers commands (SPC-5, SBC-4). */

#include <string.h>

#include "scsi/lun.h"
#include "sim/internal.h"

#define CHECK_CONDITION 0x02
#define DID_NO_CONNECT 0x01
#define TYPE_WELL_KNOWN 0x1e

static void put_be16(uint8_t *at, uint16_t value) {
        at[0] = (uint8_t)(value >> 8);
        at[1] = (uint8_t)value;
}

static void put_be32(uint8_t *at, uint32_t value) {
        put_be16(at, (uint16_t)(value >> 16));
        put_be16(at + 2, (uint16_t)value);
}

static void put_be64(uint8_t *at, uint64_t value) {
        put_be32(at, (uint32_t)(value >> 32));
        put_be32(at + 4, (uint32_t)value);
}

/* Left-aligned ASCII, padded with blanks (SPC-5 4.3.1). */
static void put_text(uint8_t *at, size_t size, const char *text) {
        size_t length = strlen(text);

        memset(at, ' ', size);
        memcpy(at, text, length < size ? length : size);
}

static void reply_sense(struct worker_reply *reply, uint8_t key, uint8_t asc, uint8_t ascq) {
        reply->scsi_status = CHECK_CONDITION;
        reply->sense_length = 18;
        reply->sense[0] = 0x70; /* fixed format, current */
        reply->sense[2] = key;
        reply->sense[7] = 10;
        reply->sense[12] = asc;
        reply->sense[13] = ascq;
}

static void reply_data(struct worker_reply *reply, uint8_t *data, const uint8_t *bytes,
                       size_t length, size_t asked, uint32_t buffer) {
        size_t n = MIN(MIN(length, asked), MIN(buffer, WORKER_DATA_MAX));

        memcpy(data, bytes, n);
        reply->data_length = (uint32_t)n;
}

bool lun_answers(const struct target *target, uint64_t number, struct sim_unit *ret) {
        const struct lun *lun = lun_find(target, number);

        if (lun && lun->mapped) {
                *ret = lun->unit;
                return true;
        }
        if (number == SCSI_WLUN_REPORT_LUNS && !(target->quirks & SIM_NO_WELL_KNOWN)) {
                *ret = (struct sim_unit){.type = TYPE_WELL_KNOWN,
                                         .vendor = "SIMULATE",
                                         .model = "WELL KNOWN LU",
                                         .revision = "0001"};
                return true;
        }
        *ret = (struct sim_unit){.type = 0x1f,
                                 .qualifier = 3,
                                 .vendor = "SIMULATE",
                                 .model = "NO LU",
                                 .revision = "0001"};
        return !(target->quirks & SIM_SILENT);
}

size_t unit_page_83(const struct sim_unit *unit, uint8_t page[static 512]) {
        size_t length = 4;

        memset(page, 0, 512);
        page[0] = (uint8_t)(unit->qualifier << 5 | unit->type);
        page[1] = 0x83;
        if (unit->designators_length > 0) {
                g_assert_cmpuint(unit->designators_length, <=, sizeof(unit->designators));
                memcpy(page + length, unit->designators, unit->designators_length);
                length += unit->designators_length;
        } else if (unit->naa != 0) {
                memcpy(page + length, "\x01\x03\x00\x08", 4); /* binary, LU, NAA */
                put_be64(page + length + 4, unit->naa);
                length += 12;
        }
        /* Association 1, relative target port 1: must never be taken for the unit's. */
        memcpy(page + length, "\x61\x94\x00\x04\x00\x00\x00\x01", 8);
        length += 8;
        put_be16(page + 2, (uint16_t)(length - 4));
        return length;
}

static void inquiry_standard(const struct target *target, const struct sim_unit *unit,
                             uint8_t bytes[static 96]) {
        memset(bytes, 0, 96);
        bytes[0] = (uint8_t)(unit->qualifier << 5 | unit->type);
        bytes[1] = unit->type == 5 ? 0x80 : 0; /* removable */
        bytes[2] = target->version;
        bytes[3] = 2; /* response data format */
        bytes[4] = 96 - 5;
        bytes[7] = 0x02; /* command queuing */
        put_text(bytes + 8, 8, unit->vendor);
        put_text(bytes + 16, 16, unit->model);
        put_text(bytes + 32, 4, unit->revision);
}

/* 0 when the page is not there. */
static size_t inquiry_vpd(const struct sim_unit *unit, uint8_t page, uint8_t bytes[static 512]) {
        bool identified = unit->naa != 0 || unit->designators_length > 0;
        size_t length = strlen(unit->serial);

        memset(bytes, 0, 512);
        bytes[0] = (uint8_t)(unit->qualifier << 5 | unit->type);
        bytes[1] = page;
        if (page == 0x00) {
                if (length > 0)
                        bytes[4 + ++bytes[3]] = 0x80;
                if (identified)
                        bytes[4 + ++bytes[3]] = 0x83;
                bytes[3]++; /* page 00h itself, in front */
                return 4u + bytes[3];
        }
        if (page == 0x80 && length > 0) {
                bytes[3] = (uint8_t)length;
                memcpy(bytes + 4, unit->serial, length);
                return 4 + length;
        }
        return page == 0x83 && identified ? unit_page_83(unit, bytes) : 0;
}

static void execute_inquiry(const struct target *target, const struct sim_unit *unit,
                            const struct scsi_command *command, struct worker_reply *reply,
                            uint8_t *data) {
        uint8_t bytes[512];
        size_t asked = (size_t)command->cdb[3] << 8 | command->cdb[4], length = 96;

        if (command->cdb[1] & 1) {
                length = unit->qualifier == 3 ? 0 : inquiry_vpd(unit, command->cdb[2], bytes);
                if (length == 0) {
                        reply_sense(reply, 0x5, 0x24, 0x00);
                        return;
                }
        } else {
                inquiry_standard(target, unit, bytes);
        }
        reply_data(reply, data, bytes, length, asked, command->allocation_length);
}

GArray *target_list(const struct target *target) {
        GArray *list = g_array_new(FALSE, FALSE, sizeof(uint64_t));

        TREE_FOREACH(node, target->luns) {
                const struct lun *lun = g_tree_node_value(node);

                if (lun->mapped && !scsi_lun_is_well_known(lun->number))
                        g_array_append_val(list, lun->number);
        }
        return list;
}

static void list_put(GByteArray *bytes, uint64_t number) {
        struct scsi_lun lun = scsi_lun_from_linux(number);

        g_byte_array_append(bytes, lun.bytes, sizeof(lun.bytes));
}

static GByteArray *report_luns_build(struct sim_machine *machine, const struct target *target,
                                     uint8_t select) {
        g_autoptr(GArray) list = target_list(target);
        GByteArray *bytes = g_byte_array_new();
        uint8_t header[8] = {0};

        g_byte_array_append(bytes, header, sizeof(header));
        if (select != 0 && !(target->quirks & SIM_NO_WELL_KNOWN))
                list_put(bytes, SCSI_WLUN_REPORT_LUNS);
        for (guint i = 0; select != 1 && i < list->len; i++) {
                list_put(bytes, g_array_index(list, uint64_t, i));
                if (target->quirks & SIM_LIE_REPEATS)
                        list_put(bytes, g_array_index(list, uint64_t, i));
        }
        for (int i = 0; i < 8 && target->quirks & SIM_LIE_GARBAGE; i++) {
                uint8_t garbage[8];

                put_be32(garbage, g_rand_int(machine->random));
                put_be32(garbage + 4, g_rand_int(machine->random));
                g_byte_array_append(bytes, garbage, sizeof(garbage));
        }
        put_be32(bytes->data, target->quirks & SIM_LIE_LENGTH ? UINT32_MAX : bytes->len - 8);
        return bytes;
}

/* SPC-5 6.33: takes away the 3F/0E of every logical unit of this nexus. */
static void report_luns_acknowledge(const struct target *target) {
        TREE_FOREACH(node, target->luns) {
                struct lun *lun = g_tree_node_value(node);
                unsigned kept = 0;

                for (unsigned i = 0; i < lun->attention_count; i++)
                        if (lun->attentions[i][0] != 0x3f || lun->attentions[i][1] != 0x0e)
                                memmove(lun->attentions[kept++], lun->attentions[i], 2);
                lun->attention_count = kept;
        }
}

static void execute_report_luns(struct sim_machine *machine, const struct target *target,
                                const struct scsi_command *command, struct worker_reply *reply,
                                uint8_t *data) {
        const uint8_t *cdb = command->cdb;
        uint32_t asked =
                (uint32_t)cdb[6] << 24 | (uint32_t)cdb[7] << 16 | (uint32_t)cdb[8] << 8 | cdb[9];
        g_autoptr(GByteArray) bytes = NULL;

        if (target->quirks & SIM_NO_REPORT_LUNS) {
                reply_sense(reply, 0x5, 0x20, 0x00);
                return;
        }
        if (cdb[2] > 2 || asked < 16) {
                reply_sense(reply, 0x5, 0x24, 0x00);
                return;
        }
        bytes = report_luns_build(machine, target, cdb[2]);
        reply_data(reply, data, bytes->data, bytes->len, asked, command->allocation_length);
        report_luns_acknowledge(target);
}

static void execute_read_capacity(const struct sim_unit *unit, const struct scsi_command *command,
                                  struct worker_reply *reply, uint8_t *data) {
        uint64_t last = unit->size / unit->block_size - 1;
        uint8_t bytes[32] = {0};

        if (command->cdb[0] == 0x25) {
                put_be32(bytes, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
                put_be32(bytes + 4, unit->block_size);
                reply_data(reply, data, bytes, 8, 8, command->allocation_length);
        } else {
                put_be64(bytes, last);
                put_be32(bytes + 8, unit->block_size);
                reply_data(reply, data, bytes, 32, command->cdb[13], command->allocation_length);
        }
}

void lun_push_attention(struct lun *lun, uint8_t asc, uint8_t ascq) {
        for (unsigned i = 0; i < lun->attention_count; i++)
                if (lun->attentions[i][0] == asc && lun->attentions[i][1] == ascq)
                        return;
        if (lun->attention_count == UNIT_ATTENTIONS_MAX)
                return;
        lun->attentions[lun->attention_count][0] = asc;
        lun->attentions[lun->attention_count++][1] = ascq;
}

bool sim_attention_waits(const struct sim_machine *machine, struct scsi_address address,
                         uint8_t asc, uint8_t ascq) {
        const struct lun *lun = lun_find(target_get(machine, &address.target), address.lun);

        for (unsigned i = 0; lun && i < lun->attention_count; i++)
                if (lun->attentions[i][0] == asc && lun->attentions[i][1] == ascq)
                        return true;
        return false;
}

void target_attention(struct target *target, uint64_t except, uint8_t asc, uint8_t ascq) {
        if (target->quirks & SIM_QUIET)
                return;
        TREE_FOREACH(node, target->luns) {
                struct lun *lun = g_tree_node_value(node);

                if (lun->mapped && lun->number != except)
                        lun_push_attention(lun, asc, ascq);
        }
}

/* The oldest unit attention becomes the answer, and the kernel's uevent. */
static bool attention_deliver(struct sim_machine *machine, struct device *device, struct lun *lun,
                              struct worker_reply *reply) {
        uint8_t asc, ascq;

        if (!lun || lun->attention_count == 0)
                return false;
        asc = lun->attentions[0][0];
        ascq = lun->attentions[0][1];
        memmove(lun->attentions[0], lun->attentions[1],
                sizeof(lun->attentions[0]) * --lun->attention_count);
        reply_sense(reply, 0x6, asc, ascq);
        kernel_report_attention(machine, device, asc, ascq);
        return true;
}

void array_execute(struct sim_machine *machine, struct device *device,
                   const struct scsi_command *command, struct worker_reply *reply,
                   uint8_t data[static WORKER_DATA_MAX]) {
        const struct target *target = target_get(machine, &device->address.target);
        struct lun *lun = lun_find(target, device->address.lun);
        uint8_t opcode = command->cdb[0];
        struct sim_unit unit;

        machine->commands[opcode]++;
        if (!device_is_online(device) || !target_is_connected(target) ||
            !lun_answers(target, device->address.lun, &unit)) {
                reply->host_status = DID_NO_CONNECT;
                return;
        }
        if (opcode == SCSI_INQUIRY)
                execute_inquiry(target, &unit, command, reply, data);
        else if (unit.qualifier == 3)
                reply_sense(reply, 0x5, 0x25, 0x00);
        else if (opcode == SCSI_REPORT_LUNS)
                execute_report_luns(machine, target, command, reply, data);
        else if (attention_deliver(machine, device, lun, reply))
                return;
        else if ((opcode == 0x25 || opcode == 0x9e) && unit.type == 0)
                execute_read_capacity(&unit, command, reply, data);
        else if (opcode != SCSI_TEST_UNIT_READY)
                reply_sense(reply, 0x5, 0x20, 0x00);
}

/* What the kernel lets commands through to; NULL: nothing. */
static struct lun *lun_reached(const struct sim_machine *machine,
                               const struct scsi_address *address) {
        const struct device *device = device_find(machine, address);
        const struct target *target = target_find(machine, &address->target);

        if (!device || !device_is_online(device) || !target_is_connected(target) ||
            manner_of(machine, address) != SIM_NORMAL)
                return NULL;
        return lun_find(target, address->lun);
}

uint64_t sim_reaches(const struct sim_machine *machine, struct scsi_address address) {
        const struct lun *lun = lun_reached(machine, &address);

        return lun && lun->mapped ? lun->unit.naa : 0;
}

uint64_t sim_io(struct sim_machine *machine, struct scsi_address address) {
        struct lun *lun = lun_reached(machine, &address);
        struct worker_reply reply;

        while (attention_deliver(machine, device_find(machine, &address), lun, &reply))
                continue;
        return lun && lun->mapped ? lun->unit.naa : 0;
}
