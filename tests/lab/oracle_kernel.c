/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the kernel says, in sysfs, and what the targets answer that it has found. */

#include <dirent.h>
#include <fcntl.h>
#include <scsi/sg_cmds_basic.h>
#include <scsi/sg_lib.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/oracle.h"
#include "util/cleanup.h"

#define SYSFS_DEVICES "/sys/bus/scsi/devices"
/* The kernel's longest answer here: scsi_debug and LIO stay far below it. */
#define REPORT_LUNS_MAX_BYTES (8 + 8 * 16384)

DEFINE_CLEANUP(DIR *, closedir)

/* "" when there is no such attribute. */
static char *attribute_read(const char *path) {
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        char buffer[4096];
        ssize_t length = fd < 0 ? 0 : read(fd, buffer, sizeof(buffer));

        return g_strstrip(g_strndup(buffer, length < 0 ? 0 : (size_t)length));
}

static char *device_attribute(const char *address, const char *name) {
        g_autofree char *path = g_strdup_printf(SYSFS_DEVICES "/%s/%s", address, name);

        return attribute_read(path);
}

uint8_t *device_attribute_bytes(const char *address, const char *name, size_t *ret_length) {
        g_autofree char *path = g_strdup_printf(SYSFS_DEVICES "/%s/%s", address, name);
        char *bytes = NULL;

        return g_file_get_contents(path, &bytes, ret_length, NULL) ? (uint8_t *)bytes : NULL;
}

/* The node of a device's child in that class, such as "/dev/sda" for "block", or "". */
static char *device_node(const char *address, const char *class) {
        g_autofree char *path = g_strdup_printf(SYSFS_DEVICES "/%s/%s", address, class);
        _cleanup_(closedirp) DIR *directory = opendir(path);
        struct dirent *entry;

        while (directory && (entry = readdir(directory)))
                if (entry->d_name[0] != '.')
                        return g_strdup_printf("/dev/%s", entry->d_name);
        return g_strdup("");
}

char *device_generic_node(const char *address) {
        return device_node(address, "scsi_generic");
}

/* An independent copy of the contract's words. */
static char *type_text(const char *number) {
        static const char *const names[] = {
                [0x00] = "disk", [0x01] = "tape",      [0x02] = "printer",    [0x03] = "processor",
                [0x04] = "worm", [0x05] = "cd",        [0x07] = "optical",    [0x08] = "changer",
                [0x0c] = "raid", [0x0d] = "enclosure", [0x0e] = "rbc",        [0x11] = "osd",
                [0x12] = "adc",  [0x14] = "zbc",       [0x1e] = "well-known", [0x1f] = "none",
        };
        uint64_t type = g_ascii_strtoull(number, NULL, 10);

        if (type < ELEMENTS_OF(names) && names[type])
                return g_strdup(names[type]);
        return g_strdup_printf("type-0x%02x", (unsigned)type);
}

/* int_to_scsilun() of the kernel: 16-bit words, the lowest first. */
static char *lun_hex(uint64_t lun) {
        return g_strdup_printf("0x%04x%04x%04x%04x", (unsigned)(lun & 0xffff),
                               (unsigned)(lun >> 16 & 0xffff), (unsigned)(lun >> 32 & 0xffff),
                               (unsigned)(lun >> 48));
}

static char *unit_path(const char *identity) {
        char *path = NULL;

        if (!*identity)
                return g_strdup("/");
        if (sd_bus_path_encode(ROOT_PATH "/unit", identity, &path) < 0)
                g_error("out of memory");
        return path;
}

/* A disk's size stands in its block device, in sectors of 512 bytes. One that was stopped keeps the
 * size that it had then, whatever its unit has now. */
static void unit_state_size(GHashTable *facts, const char *unit, const char *node) {
        g_autofree char *size_path = NULL, *block_path = NULL, *size = NULL;

        if (!g_str_has_prefix(node, "/dev/sd"))
                return;
        size_path = g_strdup_printf("/sys/class/block/%s/size", node + strlen("/dev/"));
        block_path = g_strdup_printf("/sys/class/block/%s/queue/logical_block_size",
                                     node + strlen("/dev/"));
        size = attribute_read(size_path);
        fact_state(facts, unit, "Size",
                   g_strdup_printf("%" G_GUINT64_FORMAT, g_ascii_strtoull(size, NULL, 10) * 512));
        fact_state(facts, unit, "BlockSize", attribute_read(block_path));
}

void unit_state_size_of(GHashTable *facts, const char *unit, const char *device) {
        g_autofree char *key = g_strdup_printf("%s BlockDevice", device);
        const char *node = g_hash_table_lookup(facts, key);

        if (node)
                unit_state_size(facts, unit, node);
}

static void device_state(GHashTable *facts, GHashTable *lists, const char *address) {
        g_autofree char *object = object_path("device", address);
        g_autofree char *target = target_of(address);
        g_autofree char *target_path = object_path("target", target);
        g_autofree char *type = device_attribute(address, "type");
        g_autofree char *identity = device_attribute(address, "wwid");
        g_autofree char *unit = unit_path(identity);
        g_autofree char *host = g_strndup(address, strcspn(address, ":"));
        char *node = device_node(address, "block"), *state = device_attribute(address, "state");

        fact_state(facts, object, "Address", g_strdup(address));
        fact_state(facts, object, "Host", object_path("host", host));
        fact_state(facts, object, "Target", g_strdup(target_path));
        fact_state(facts, object, "Unit", g_strdup(unit));
        fact_state(facts, object, "Lun", g_strdup(strrchr(address, ':') + 1));
        fact_state(facts, object, "LunHex", lun_hex(lun_of(address)));
        fact_state(facts, object, "Type", type_text(type));
        fact_state(facts, object, "Vendor", device_attribute(address, "vendor"));
        fact_state(facts, object, "Model", device_attribute(address, "model"));
        fact_state(facts, object, "Revision", device_attribute(address, "rev"));
        fact_state(facts, object, "State", state);
        fact_state(facts, object, "BlockDevice", node);
        fact_state(facts, object, "GenericDevice", device_node(address, "scsi_generic"));
        fact_state(facts, object, "Identity", g_strdup(identity));
        list_add(lists, target_path, object);
        if (*identity) {
                if (strcmp(state, "offline") != 0)
                        unit_state_size(facts, unit, node);
                fact_state(facts, unit, "Identity", g_strdup(identity));
                list_add(lists, unit, object);
        }
}

void kernel_read(GHashTable *facts, GHashTable *lists, GPtrArray *addresses) {
        _cleanup_(closedirp) DIR *directory = opendir(SYSFS_DEVICES);
        struct dirent *entry;

        while (directory && (entry = readdir(directory))) {
                if (g_ascii_isdigit(entry->d_name[0])) {
                        g_ptr_array_add(addresses, g_strdup(entry->d_name));
                        device_state(facts, lists, entry->d_name);
                } else if (g_str_has_prefix(entry->d_name, "host")) {
                        g_autofree char *host = object_path("host", entry->d_name + 4);

                        fact_state(facts, host, "Number", g_strdup(entry->d_name + 4));
                }
        }
}

unsigned long kernel_count_devices(void) {
        _cleanup_(closedirp) DIR *directory = opendir(SYSFS_DEVICES);
        struct dirent *entry;
        unsigned long count = 0;

        while (directory && (entry = readdir(directory)))
                if (g_ascii_isdigit(entry->d_name[0]))
                        count++;
        return count;
}

/* The whole answer to REPORT LUNS (SPC-5 6.33) through that node; NULL when there is none. */
static uint8_t *report_luns(const char *node, uint32_t *ret_list_bytes) {
        _cleanup_(closep) int fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        g_autofree uint8_t *answer = g_malloc0(REPORT_LUNS_MAX_BYTES);
        uint32_t bytes = 8 + 8 * 256;

        for (int attempt = 0; fd >= 0 && attempt < 3; attempt++) {
                uint32_t needed;

                if (sg_ll_report_luns(fd, 0, answer, (int)bytes, false, 0) != 0)
                        continue; /* a unit attention, perhaps: ask again */
                needed = (uint32_t)answer[0] << 24 | (uint32_t)answer[1] << 16 |
                         (uint32_t)answer[2] << 8 | answer[3];
                if (needed > REPORT_LUNS_MAX_BYTES - 8)
                        return NULL;
                if (needed <= bytes - 8) {
                        *ret_list_bytes = needed;
                        return TAKE_PTR(answer);
                }
                bytes = needed + 8;
        }
        return NULL;
}

/* The well-known LUs are no part of the inventory, whoever lists them. */
static char *reported_text(const uint8_t *answer, uint32_t list_bytes) {
        g_autoptr(GPtrArray) luns = g_ptr_array_new_with_free_func(g_free);

        for (const uint8_t *lun = answer + 8; lun + 8 <= answer + 8 + list_bytes; lun += 8) {
                uint64_t number = 0;

                for (int word = 3; word >= 0; word--)
                        number = number << 16 | (uint64_t)lun[2 * word] << 8 | lun[2 * word + 1];
                if (lun[0] != 0xc1)
                        g_ptr_array_add(luns, g_strdup_printf("%" G_GUINT64_FORMAT, number));
        }
        return list_text(luns);
}

/* LUN 0 first, then the REPORT LUNS well-known LU, then any. */
static int foothold_rank(const char *address) {
        uint64_t lun = lun_of(address);

        return lun == 0 ? 0 : lun == WELL_KNOWN_REPORT_LUNS ? 1 : 2;
}

static int foothold_compare(const void *a, const void *b) {
        const char *first = *(char *const *)a, *second = *(char *const *)b;
        int difference = foothold_rank(first) - foothold_rank(second);

        return difference ? difference : strverscmp(first, second);
}

void targets_ask(GHashTable *facts, GPtrArray *addresses) {
        g_autoptr(GHashTable) asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        g_ptr_array_sort(addresses, foothold_compare);
        for (guint i = 0; i < addresses->len; i++) {
                const char *address = addresses->pdata[i];
                g_autofree char *target = target_of(address);
                g_autofree char *object = object_path("target", target);
                g_autofree char *node = device_node(address, "scsi_generic");
                g_autofree uint8_t *answer = NULL;
                uint32_t bytes = 0;

                if (g_hash_table_contains(asked, target) || !(answer = report_luns(node, &bytes)))
                        continue;
                g_hash_table_add(asked, TAKE_PTR(target));
                fact_state(facts, object, "Luns", reported_text(answer, bytes));
                fact_state(facts, object, "attached", reported_text(answer, bytes));
        }
}
