/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The judge of the lab. It knows the contract and nothing of the service: it states as facts
 * ("device 0:0:0:5", "Vendor", "Linux") what sysfs says and, with --targets, what each target
 * answers to a REPORT LUNS of our own; states likewise what org.scsiscan1 shows on the bus; and
 * prints every fact that only one side has or on which they differ.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glib.h>
#include <scsi/sg_cmds_basic.h>
#include <scsi/sg_lib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "util/cleanup.h"

#define BUS_NAME "org.scsiscan1"
#define ROOT_PATH "/org/scsiscan1"
#define SYSFS_DEVICES "/sys/bus/scsi/devices"
/* May be attached, and shown, without being reported. */
#define WELL_KNOWN_REPORT_LUNS 49409
/* The kernel's longest answer here: scsi_debug and LIO stay far below it. */
#define REPORT_LUNS_MAX_BYTES (8 + 8 * 16384)
#define CALL_TIMEOUT_USEC (120 * G_USEC_PER_SEC)

DEFINE_CLEANUP(DIR *, closedir)

/* Facts: "OBJECT PROPERTY" -> value, both owned. */
static void fact_state(GHashTable *facts, const char *object, const char *property, char *value) {
        g_hash_table_replace(facts, g_strdup_printf("%s %s", object, property), value);
}

/* Lists: many words under one key, compared as a sorted text. */
static void list_add(GHashTable *lists, const char *key, const char *word) {
        GPtrArray *list = g_hash_table_lookup(lists, key);

        if (!list) {
                list = g_ptr_array_new_with_free_func(g_free);
                g_hash_table_insert(lists, g_strdup(key), list);
        }
        g_ptr_array_add(list, g_strdup(word));
}

static int word_compare(const void *a, const void *b) {
        return strverscmp(*(char *const *)a, *(char *const *)b);
}

static char *list_text(GPtrArray *list) {
        GString *text = g_string_new(NULL);

        g_ptr_array_sort(list, word_compare);
        for (guint i = 0; i < list->len; i++)
                g_string_append_printf(text, i ? " %s" : "%s", (char *)list->pdata[i]);
        return g_string_free(text, FALSE);
}

static GHashTable *facts_new(void) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static GHashTable *lists_new(void) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                     (GDestroyNotify)g_ptr_array_unref);
}

/* --- what the kernel says ------------------------------------------------------------------ */

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

/* "/org/scsiscan1/KIND/0_0_0_5" */
static char *object_path(const char *kind, const char *address) {
        return g_strdelimit(g_strdup_printf(ROOT_PATH "/%s/%s", kind, address), ":", '_');
}

static char *target_of(const char *address) {
        return g_strndup(address, (size_t)(strrchr(address, ':') - address));
}

static uint64_t lun_of(const char *address) {
        return g_ascii_strtoull(strrchr(address, ':') + 1, NULL, 10);
}

static char *unit_path(const char *identity) {
        char *path = NULL;

        if (!*identity)
                return g_strdup("/");
        if (sd_bus_path_encode(ROOT_PATH "/unit", identity, &path) < 0)
                g_error("out of memory");
        return path;
}

/* A disk's size stands in its block device, in sectors of 512 bytes. */
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

static void device_state(GHashTable *facts, GHashTable *lists, const char *address) {
        g_autofree char *object = object_path("device", address);
        g_autofree char *target = target_of(address);
        g_autofree char *target_path = object_path("target", target);
        g_autofree char *type = device_attribute(address, "type");
        g_autofree char *identity = device_attribute(address, "wwid");
        g_autofree char *unit = unit_path(identity);
        g_autofree char *host = g_strndup(address, strcspn(address, ":"));
        char *node = device_node(address, "block");

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
        fact_state(facts, object, "State", device_attribute(address, "state"));
        fact_state(facts, object, "BlockDevice", node);
        fact_state(facts, object, "GenericDevice", device_node(address, "scsi_generic"));
        fact_state(facts, object, "Identity", g_strdup(identity));
        list_add(lists, target_path, object);
        if (*identity) {
                unit_state_size(facts, unit, node);
                fact_state(facts, unit, "Identity", g_strdup(identity));
                list_add(lists, unit, object);
        }
}

/* Reads sysfs. Lists are the devices of each target and unit; addresses get all H:C:T:L. */
static void kernel_read(GHashTable *facts, GHashTable *lists, GPtrArray *addresses) {
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

/* --- what the targets say ------------------------------------------------------------------ */

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

/* States for every target of the addresses which LUNs it reports: the service must show the same
 * ("Luns") and must have attached the same ("attached"). */
static void targets_ask(GHashTable *facts, GPtrArray *addresses) {
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

/* --- what the service says ----------------------------------------------------------------- */

/* The object paths of an array, sorted. */
static int view_read_paths(sd_bus_message *message, char **ret) {
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
        const char *path;
        int r = sd_bus_message_enter_container(message, 'a', "o");

        while (r >= 0 && (r = sd_bus_message_read_basic(message, 'o', &path)) > 0)
                g_ptr_array_add(paths, g_strdup(path));
        if (r < 0)
                return r;
        *ret = list_text(paths);
        return sd_bus_message_exit_container(message);
}

/* Target.Luns: the Linux numbers of the LUNs, sorted. */
static int view_read_luns(sd_bus_message *message, char **ret) {
        g_autoptr(GPtrArray) luns = g_ptr_array_new_with_free_func(g_free);
        const char *number, *hex, *disposition, *reason;
        int r = sd_bus_message_enter_container(message, 'a', "(ssss)");

        while (r >= 0 && (r = sd_bus_message_read(message, "(ssss)", &number, &hex, &disposition,
                                                  &reason)) > 0)
                if (g_ascii_strtoull(number, NULL, 10) != WELL_KNOWN_REPORT_LUNS)
                        g_ptr_array_add(luns, g_strdup(number));
        if (r < 0)
                return r;
        *ret = list_text(luns);
        return sd_bus_message_exit_container(message);
}

/* Any value that we compare, as text; *ret stays NULL for a type that none of them has. */
static int view_read_value(sd_bus_message *message, char **ret) {
        const char *signature, *text;
        uint64_t wide;
        uint32_t narrow;
        int r = sd_bus_message_peek_type(message, NULL, &signature);

        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(message, 'v', signature);
        if (r < 0)
                return r;
        if (strcmp(signature, "s") == 0 || strcmp(signature, "o") == 0) {
                r = sd_bus_message_read_basic(message, signature[0], &text);
                *ret = r > 0 ? g_strdup(text) : NULL;
        } else if (strcmp(signature, "t") == 0) {
                r = sd_bus_message_read_basic(message, 't', &wide);
                *ret = r > 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, wide) : NULL;
        } else if (strcmp(signature, "u") == 0) {
                r = sd_bus_message_read_basic(message, 'u', &narrow);
                *ret = r > 0 ? g_strdup_printf("%u", narrow) : NULL;
        } else if (strcmp(signature, "ao") == 0)
                r = view_read_paths(message, ret);
        else if (strcmp(signature, "a(ssss)") == 0)
                r = view_read_luns(message, ret);
        else
                r = sd_bus_message_skip(message, signature);
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* The properties that the kernel and the targets can vouch for. Those marked are compared only
 * where the other side knows them: a tape has no size in sysfs. */
static bool property_compared(GHashTable *truth, const char *interface, const char *path,
                              const char *property) {
        static const struct {
                const char *interface, *property;
                bool where_known;
        } compared[] = {
                {"Host", "Number", false},        {"Target", "Devices", false},
                {"Target", "Luns", true},         {"Device", "Address", false},
                {"Device", "Host", false},        {"Device", "Target", false},
                {"Device", "Unit", false},        {"Device", "Lun", false},
                {"Device", "LunHex", false},      {"Device", "Type", false},
                {"Device", "Vendor", false},      {"Device", "Model", false},
                {"Device", "Revision", false},    {"Device", "State", false},
                {"Device", "BlockDevice", false}, {"Device", "GenericDevice", false},
                {"Device", "Identity", false},    {"Unit", "Identity", false},
                {"Unit", "Devices", false},       {"Unit", "Size", true},
                {"Unit", "BlockSize", true},
        };

        if (!g_str_has_prefix(interface, BUS_NAME "."))
                return false;
        for (size_t i = 0; i < ELEMENTS_OF(compared); i++)
                if (strcmp(interface + strlen(BUS_NAME "."), compared[i].interface) == 0 &&
                    strcmp(property, compared[i].property) == 0) {
                        g_autofree char *key = g_strdup_printf("%s %s", path, property);

                        return !compared[i].where_known || g_hash_table_contains(truth, key);
                }
        return false;
}

/* The service may know of a target with nothing attached; the kernel then has none. */
static bool value_is_void(const char *property, const char *value) {
        return strcmp(property, "Devices") == 0 && !*value;
}

static int view_read_interface(sd_bus_message *message, GHashTable *truth, GHashTable *view,
                               const char *path) {
        const char *interface, *property;
        int r = sd_bus_message_read_basic(message, 's', &interface);

        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                g_autofree char *value = NULL;

                r = sd_bus_message_read_basic(message, 's', &property);
                if (r >= 0)
                        r = view_read_value(message, &value);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
                if (r >= 0 && value && property_compared(truth, interface, path, property) &&
                    !value_is_void(property, value))
                        fact_state(view, path, property, TAKE_PTR(value));
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int view_parse(sd_bus_message *message, GHashTable *truth, GHashTable *view) {
        int r = sd_bus_message_enter_container(message, 'a', "{oa{sa{sv}}}");

        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "oa{sa{sv}}")) > 0) {
                const char *path;

                r = sd_bus_message_read_basic(message, 'o', &path);
                if (r >= 0)
                        r = sd_bus_message_enter_container(message, 'a', "{sa{sv}}");
                while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sa{sv}")) > 0) {
                        r = view_read_interface(message, truth, view, path);
                        if (r >= 0)
                                r = sd_bus_message_exit_container(message);
                }
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        return r;
}

/* Asks the service for all its objects. */
static int view_read(sd_bus *bus, GHashTable *truth, GHashTable *view) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, ROOT_PATH,
                                               "org.freedesktop.DBus.ObjectManager",
                                               "GetManagedObjects");

        if (r >= 0)
                r = sd_bus_call(bus, call, CALL_TIMEOUT_USEC, &error, &reply);
        if (r >= 0)
                r = view_parse(reply, truth, view);
        if (r < 0)
                fact_state(view, "GetManagedObjects", "fails",
                           g_strdup(error.message ? error.message : g_strerror(-r)));
        sd_bus_error_free(&error);
        return r;
}

/* "attached": the LUNs of the devices that the service shows under each target which was asked. */
static void view_state_attached(GHashTable *truth, GHashTable *view) {
        g_autoptr(GHashTable) attached = lists_new();
        GHashTableIter iterator;
        void *key, *value;

        g_hash_table_iter_init(&iterator, view);
        while (g_hash_table_iter_next(&iterator, &key, &value)) {
                g_autofree char *target = NULL, *target_path = NULL;

                if (!g_str_has_suffix(key, " Address") || strchr(value, ':') == NULL ||
                    lun_of(value) == WELL_KNOWN_REPORT_LUNS)
                        continue;
                target = target_of(value);
                target_path = object_path("target", target);
                list_add(attached, target_path, strrchr(value, ':') + 1);
        }
        g_hash_table_iter_init(&iterator, attached);
        while (g_hash_table_iter_next(&iterator, &key, &value)) {
                g_autofree char *known = g_strdup_printf("%s attached", (char *)key);

                if (g_hash_table_contains(truth, known))
                        fact_state(view, key, "attached", list_text(value));
        }
}

/* --- the judgement ------------------------------------------------------------------------- */

/* How many objects of that kind ("devices") the view has, by a property that each of them bears. */
static unsigned view_count(GHashTable *view, const char *kind) {
        g_autofree char *prefix = g_strdup_printf(ROOT_PATH "/%.*s/", (int)strlen(kind) - 1, kind);
        const char *property = strcmp(kind, "hosts") == 0     ? " Number"
                               : strcmp(kind, "targets") == 0 ? " Devices"
                                                              : " Identity";
        GHashTableIter iterator;
        unsigned count = 0;
        void *key;

        g_hash_table_iter_init(&iterator, view);
        while (g_hash_table_iter_next(&iterator, &key, NULL))
                if (g_str_has_prefix(key, prefix) && g_str_has_suffix(key, property))
                        count++;
        return count;
}

/* Both tables get what the caller expects ("devices=16") and what the view has. */
static void counts_state(GHashTable *truth, GHashTable *view, char **expectations) {
        for (; *expectations; expectations++) {
                const char *equals = strchr(*expectations, '=');
                g_autofree char *kind = g_strndup(*expectations, (size_t)(equals - *expectations));

                fact_state(truth, "number of", kind, g_strdup(equals + 1));
                fact_state(view, "number of", kind, g_strdup_printf("%u", view_count(view, kind)));
        }
}

static void difference_add(GPtrArray *differences, const char *key, const char *truth,
                           const char *view) {
        g_ptr_array_add(differences,
                        g_strdup_printf("%s: %s%s%s, the view %s%s%s", key,
                                        truth ? "is \"" : "is not there", truth ? truth : "",
                                        truth ? "\"" : "", view ? "says \"" : "has none",
                                        view ? view : "", view ? "\"" : ""));
}

static GPtrArray *facts_compare(GHashTable *truth, GHashTable *view) {
        GPtrArray *differences = g_ptr_array_new_with_free_func(g_free);
        GHashTableIter iterator;
        void *key, *value;

        g_hash_table_iter_init(&iterator, truth);
        while (g_hash_table_iter_next(&iterator, &key, &value)) {
                const char *other = g_hash_table_lookup(view, key);

                if (!other || strcmp(value, other) != 0)
                        difference_add(differences, key, value, other);
        }
        g_hash_table_iter_init(&iterator, view);
        while (g_hash_table_iter_next(&iterator, &key, &value))
                if (!g_hash_table_contains(truth, key))
                        difference_add(differences, key, NULL, value);
        g_ptr_array_sort(differences, word_compare);
        return differences;
}

static int differences_print(GPtrArray *differences) {
        for (guint i = 0; i < differences->len; i++)
                printf("%s\n", (char *)differences->pdata[i]);
        return 1;
}

/* All differences at this moment. */
static GPtrArray *judge(sd_bus *bus, bool ask_targets, char **expectations) {
        g_autoptr(GHashTable) truth = facts_new(), view = facts_new();
        g_autoptr(GHashTable) lists = lists_new();
        g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
        GHashTableIter iterator;
        void *key, *value;

        kernel_read(truth, lists, addresses);
        g_hash_table_iter_init(&iterator, lists);
        while (g_hash_table_iter_next(&iterator, &key, &value))
                fact_state(truth, key, "Devices", list_text(value));
        if (ask_targets)
                targets_ask(truth, addresses);
        if (view_read(bus, truth, view) >= 0) {
                view_state_attached(truth, view);
                counts_state(truth, view, expectations);
        }
        return facts_compare(truth, view);
}

/* Whether a look at everything is worth its while: it costs the one processor some milliseconds for
 * each device, and while the kernel has another number of them than is expected, nothing agrees. */
static bool kernel_count_expected(char **expectations) {
        _cleanup_(closedirp) DIR *directory = opendir(SYSFS_DEVICES);
        struct dirent *entry;
        unsigned long count = 0;

        while (directory && (entry = readdir(directory)))
                if (g_ascii_isdigit(entry->d_name[0]))
                        count++;
        for (; *expectations; expectations++)
                if (g_str_has_prefix(*expectations, "devices="))
                        return strtoul(*expectations + strlen("devices="), NULL, 10) == count;
        return true;
}

static int usage(FILE *stream) {
        fputs("oracle [--targets] [--within SECONDS] [hosts=N] [targets=N] [devices=N] [units=N]\n"
              "Compares what org.scsiscan1 shows with sysfs and, with --targets, with what each\n"
              "target reports; tries again until they agree or the time is over.\n"
              "Prints every difference; exit status 1 when there is one.\n",
              stream);
        return stream == stdout ? 0 : 2;
}

static bool expectation_is_valid(const char *text) {
        return g_regex_match_simple("^(hosts|targets|devices|units)=[0-9]+$", text, 0, 0);
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                {"targets", no_argument, NULL, 't'},
                {"within", required_argument, NULL, 'w'},
                {"help", no_argument, NULL, 'h'},
                {},
        };
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int64_t begin = g_get_monotonic_time(), limit = 0;
        bool ask_targets = false;
        int option, r;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (option) {
                case 't':
                        ask_targets = true;
                        break;
                case 'w':
                        limit = (int64_t)(g_ascii_strtod(optarg, NULL) * G_USEC_PER_SEC);
                        break;
                default:
                        return usage(option == 'h' ? stdout : stderr);
                }
        for (int i = optind; i < argc; i++)
                if (!expectation_is_valid(argv[i]))
                        return usage(stderr);

        r = sd_bus_open_system(&bus);
        if (r < 0) {
                fprintf(stderr, "oracle: the system bus: %s\n", g_strerror(-r));
                return 1;
        }
        for (;;) {
                int64_t started = g_get_monotonic_time();
                bool last = started - begin >= limit;

                if (last || kernel_count_expected(argv + optind)) {
                        g_autoptr(GPtrArray) differences = judge(bus, ask_targets, argv + optind);

                        if (differences->len == 0)
                                return 0;
                        if (last)
                                return differences_print(differences);
                }
                /* Leave the processor to the service at least as long as we took it. */
                g_usleep((gulong)MAX(g_get_monotonic_time() - started, 50000));
        }
}
