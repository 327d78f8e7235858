/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare.h"

#include <inttypes.h>
#include <string.h>

#include "scsi/address.h"

#define SWAPPED_MAX 3

/* ---- what the service says ---- */

char *compare_path(struct scsi_address at) {
        char text[SCSI_ADDRESS_TEXT_MAX];

        return g_strdelimit(
                g_strconcat(SCSISCAN_PATH_DEVICE "/", scsi_address_format(&at, text), NULL), ":",
                '_');
}

const char *compare_text(const struct mirror *mirror, struct scsi_address at,
                         const char *property) {
        g_autofree char *path = compare_path(at);
        GVariant *value = mirror_get(mirror, path, SCSISCAN_INTERFACE_DEVICE, property);

        return value ? g_variant_get_string(value, NULL) : NULL;
}

char *compare_identity(uint32_t disk) {
        return g_strdup_printf("naa.%016" G_GINT64_MODIFIER "x", sim_disk(disk).naa);
}

bool compare_says(const struct mirror *mirror, struct scsi_address at, const char *property,
                  const char *value) {
        return g_strcmp0(compare_text(mirror, at, property), value) == 0;
}

bool compare_waits(struct play *play, const struct mirror *mirror, struct scsi_address at) {
        if (!*play_held(play, at) && !*play_freed(play, at) &&
            *play_swapped(play, at) <= SWAPPED_MAX)
                return false;
        return compare_says(mirror, at, "Standing", "replaced") ||
               compare_says(mirror, at, "State", "offline");
}

G_GNUC_PRINTF(3, 4)
static char *sentence(const struct mirror *mirror, struct scsi_address at, const char *format,
                      ...) {
        char text[SCSI_ADDRESS_TEXT_MAX];
        g_autofree char *what = NULL;
        va_list arguments;

        va_start(arguments, format);
        what = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        return g_strdup_printf("%s %s, and is said to be: %s, %s, %s",
                               scsi_address_format(&at, text), what,
                               compare_text(mirror, at, "Identity") ?: "not attached",
                               compare_text(mirror, at, "Standing") ?: "-",
                               compare_text(mirror, at, "State") ?: "-");
}

/* ---- against the kernel ---- */

static int compare_addresses(const void *a, const void *b) {
        return scsi_address_compare(a, b);
}

/* As sim_attached() has them. */
static char *attached(const struct mirror *mirror) {
        g_autoptr(GPtrArray) paths = mirror_list(mirror, SCSISCAN_PATH_DEVICE);
        g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct scsi_address));
        GString *text = g_string_new("");

        for (guint i = 0; i < paths->len; i++) {
                char *name = strrchr(g_ptr_array_index(paths, i), '/') + 1;
                struct scsi_address address;

                g_assert_cmpint(scsi_address_parse(g_strdelimit(name, "_", ':'), &address), ==, 0);
                g_array_append_val(all, address);
        }
        g_array_sort(all, compare_addresses);
        for (guint i = 0; i < all->len; i++) {
                char address[SCSI_ADDRESS_TEXT_MAX];

                scsi_address_format(&g_array_index(all, struct scsi_address, i), address);
                g_string_append_printf(text, "%s\n", address);
        }
        return g_string_free(text, FALSE);
}

static char *compare_kernel(struct play *play, const struct mirror *mirror) {
        g_autofree char *seen = attached(mirror);
        g_autofree char *has = sim_attached(play->machine);

        if (strcmp(seen, has) == 0)
                return NULL;
        return g_strdup_printf("the kernel has\n%sand these are said to be attached:\n%s", has,
                               seen);
}

static char *compare_use(struct play *play, const struct mirror *mirror, struct scsi_address at) {
        if (!*play_held(play, at) || sim_is_in_use(play->machine, at))
                return NULL;
        return sentence(mirror, at, "was in use and has been removed");
}

/* ---- against the array ---- */

static bool is_told(struct play *play, struct scsi_target_address target) {
        return !*play_untold(play, target) && !*play_lost(play, target);
}

/* On all its paths. */
static bool is_size_told(struct play *play, uint32_t disk) {
        PLAY_FOREACH(play, at) {
                if (*play_disk(play, at) == disk && !is_told(play, at.target))
                        return false;
        }
        return !play->grown[disk];
}

static char *compare_size(struct play *play, const struct mirror *mirror, struct scsi_address at) {
        uint32_t disk = *play_disk(play, at);
        const char *unit = compare_text(mirror, at, "Unit");
        GVariant *size = mirror_get(mirror, unit, SCSISCAN_INTERFACE_UNIT, "Size");
        guint64 bytes = size ? g_variant_get_uint64(size) : 0;
        g_autofree char *paths = NULL;
        GVariant *devices;

        if (!is_size_told(play, disk) || bytes == play->sizes[disk])
                return NULL;
        devices = mirror_get(mirror, unit, SCSISCAN_INTERFACE_UNIT, "Devices");
        paths = devices ? g_variant_print(devices, FALSE) : g_strdup("none");
        return sentence(mirror, at, "has %" PRIu64 " bytes and not %" PRIu64 " (paths: %s)",
                        play->sizes[disk], bytes, paths);
}

/* What is mapped there, and what is said to be there. */
static char *compare_unit(struct play *play, const struct mirror *mirror, struct scsi_address at) {
        uint32_t disk = *play_disk(play, at);
        bool spared =
                *play_held(play, at) || *play_freed(play, at) || compare_waits(play, mirror, at);
        g_autofree char *identity = compare_identity(disk);

        if (disk != 0 && !compare_text(mirror, at, "Identity") && *play_withheld(play, at))
                return NULL; /* until somebody asks for it */
        if (disk != 0 && !compare_text(mirror, at, "Identity"))
                return sentence(mirror, at, "is mapped");
        if (disk == 0 && *play_held(play, at) && !compare_says(mirror, at, "Standing", "missing") &&
            !compare_waits(play, mirror, at))
                return sentence(mirror, at, "is in use and no longer mapped");
        if (spared || (disk == 0 && !compare_text(mirror, at, "Identity")))
                return NULL;
        if (disk == 0)
                return sentence(mirror, at, "is neither mapped nor in use");
        if (!compare_says(mirror, at, "Standing", "present") ||
            !compare_says(mirror, at, "Identity", identity))
                return sentence(mirror, at, "is %s and not in use", identity);
        return compare_size(play, mirror, at);
}

/* Whoever writes there writes to what it is said to be, or to nothing. */
static char *compare_writer(struct play *play, const struct mirror *mirror,
                            struct scsi_address at) {
        uint64_t reached = sim_reaches(play->machine, at);
        g_autofree char *identity = g_strdup_printf("naa.%016" G_GINT64_MODIFIER "x", reached);

        if (reached == 0 || (compare_says(mirror, at, "Identity", identity) &&
                             !compare_says(mirror, at, "Standing", "replaced")))
                return NULL;
        return sentence(mirror, at, "lets writes through to %s", identity);
}

void compare_learn(struct play *play, const struct mirror *mirror) {
        PLAY_FOREACH(play, at) {
                g_autofree char *identity = compare_identity(*play_disk(play, at));

                *play_known(play, at) = compare_says(mirror, at, "Standing", "present") &&
                                        compare_says(mirror, at, "Identity", identity);
        }
}

char *compare(struct play *play, const struct mirror *mirror) {
        char *difference = compare_kernel(play, mirror);

        PLAY_FOREACH(play, at) {
                if (!difference)
                        difference = compare_use(play, mirror, at);
                if (!difference && is_told(play, at.target))
                        difference = compare_writer(play, mirror, at);
                if (!difference && is_told(play, at.target))
                        difference = compare_unit(play, mirror, at);
        }
        return difference;
}
