/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "kernel/slaves.h"

#define PCI "../../../../pci0000:00/host3/target3:0:1"

static void note(const struct scsi_address *address, void *userdata) {
        char text[SCSI_ADDRESS_TEXT_MAX];

        g_string_append_printf(userdata, "%s\n", scsi_address_format(address, text));
}

static char *list(const char *sysfs, const char *holder) {
        GString *found = g_string_new(NULL);

        slaves_list(sysfs, holder, note, found);
        return g_string_free(found, FALSE);
}

static void link_to(const char *directory, const char *name, const char *target) {
        g_autofree char *path = g_build_filename(directory, name, NULL);

        g_assert_cmpint(symlink(target, path), ==, 0);
}

static void test_list(void) {
        g_autofree char *sysfs = g_dir_make_tmp("scsiscan-slaves-XXXXXX", NULL);
        g_autofree char *slaves =
                g_build_filename(sysfs, "devices/virtual/block/dm-0/slaves", NULL);
        g_autofree char *none = NULL, *found = NULL, *link = NULL;

        g_assert_cmpint(g_mkdir_with_parents(slaves, 0755), ==, 0);
        none = list(sysfs, "dm-0");
        g_assert_cmpstr(none, ==, "");
        link_to(slaves, "sdb1", PCI "/3:0:1:5/block/sdb/sdb1");
        found = list(sysfs, "dm-0");
        g_assert_cmpstr(found, ==, "3:0:1:5\n");
        g_free(found);
        link_to(slaves, "loop0", "../../loop0");
        found = list(sysfs, "dm-0");
        g_assert_cmpstr(found, ==, "3:0:1:5\n");
        g_free(found);
        found = list(sysfs, "dm-1");
        g_assert_cmpstr(found, ==, "");
        link = g_strdup_printf("rm -r %s", sysfs);
        g_assert_true(g_spawn_command_line_sync(link, NULL, NULL, NULL, NULL));
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/kernel/slaves/list", test_list);
        return g_test_run();
}
