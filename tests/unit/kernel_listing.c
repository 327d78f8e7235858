/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>

#include "kernel/listing.h"
#include "util/cleanup.h"

#define DIRECTORY "/bus/scsi/devices"

static void remove_tree(const char *root) {
        g_autofree char *command = g_strdup_printf("rm -rf '%s'", root);

        g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
}

static void entry_make(const char *root, const char *name) {
        g_autofree char *path = g_strconcat(root, DIRECTORY "/", name, NULL);

        g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
}

static void listing_check(const char *const *entries, const char *expected) {
        g_autofree char *root = g_dir_make_tmp("listing-XXXXXX", NULL);
        g_autoptr(GString) text = g_string_new("");
        struct inventory inventory = {};

        for (; *entries; entries++)
                entry_make(root, *entries);
        g_assert_cmpint(listing_read(root, &inventory), ==, 0);
        for (size_t i = 0; i < inventory.host_count; i++)
                g_string_append_printf(text, "host%u ", inventory.hosts[i]);
        for (size_t i = 0; i < inventory.device_count; i++) {
                char address[SCSI_ADDRESS_TEXT_MAX];

                g_string_append_printf(text, "%s ",
                                       scsi_address_format(&inventory.devices[i], address));
        }
        g_assert_cmpstr(text->str, ==, expected);
        free(inventory.hosts);
        free(inventory.devices);
        remove_tree(root);
}

static void test_read(void) {
        listing_check((const char *[]){"host10", "host2", "target2:0:0", "2:0:0:10", "2:0:0:9",
                                       "10:0:0:0", "2:0:0:49409", "2:1:0:0", "host03", "2:0:0",
                                       "2:0:0:0:0", "x", NULL},
                      "host2 host10 2:0:0:9 2:0:0:10 2:0:0:49409 2:1:0:0 10:0:0:0 ");
}

static void test_empty(void) {
        listing_check((const char *[]){".hidden", NULL}, "");
        listing_check((const char *[]){NULL}, "");
}

static void test_many(void) {
        g_autofree char *root = g_dir_make_tmp("listing-XXXXXX", NULL);
        struct inventory inventory = {};

        for (unsigned i = 0; i < 1000; i++) {
                g_autofree char *name = g_strdup_printf("0:0:0:%u", i);

                entry_make(root, name);
        }
        g_assert_cmpint(listing_read(root, &inventory), ==, 0);
        g_assert_cmpuint(inventory.device_count, ==, 1000);
        for (unsigned i = 0; i < 1000; i++)
                g_assert_cmpuint(inventory.devices[i].lun, ==, i);
        free(inventory.devices);
        remove_tree(root);
}

static void test_no_sysfs(void) {
        struct inventory inventory = {};

        g_assert_cmpint(listing_read("/nonexistent/sys", &inventory), ==, 0);
        g_assert_cmpuint(inventory.host_count, ==, 0);
        g_assert_cmpuint(inventory.device_count, ==, 0);
        g_assert_cmpint(listing_read("/dev/null", &inventory), ==, -ENOTDIR);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/kernel/listing/read", test_read);
        g_test_add_func("/kernel/listing/empty", test_empty);
        g_test_add_func("/kernel/listing/many", test_many);
        g_test_add_func("/kernel/listing/no-sysfs", test_no_sysfs);
        return g_test_run();
}
