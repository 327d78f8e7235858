/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "dbus/key.h"
#include "dbus/names.h"

static const struct {
        const char *key;
        enum scope_kind kind;
        struct scsi_address address;
        const char *name;
} keys[] = {
        {"", SCOPE_ALL, {}, NULL},
        {SCSISCAN_PATH, SCOPE_ALL, {}, NULL},
        {"host3", SCOPE_HOST, {{3, 0, 0}, 0}, NULL},
        {"3:0:1", SCOPE_TARGET, {{3, 0, 1}, 0}, NULL},
        {"3:0:1:5", SCOPE_DEVICE, {{3, 0, 1}, 5}, NULL},
        {"naa.6000a", SCOPE_NAME, {}, "naa.6000a"},
        {SCSISCAN_PATH_HOST "/3", SCOPE_HOST, {{3, 0, 0}, 0}, NULL},
        {SCSISCAN_PATH_TARGET "/3_0_1", SCOPE_TARGET, {{3, 0, 1}, 0}, NULL},
        {SCSISCAN_PATH_DEVICE "/3_0_1_5", SCOPE_DEVICE, {{3, 0, 1}, 5}, NULL},
        {SCSISCAN_PATH_UNIT "/naa_2e6000a", SCOPE_NAME, {}, "naa.6000a"},
        /* An identity that looks like something else is still an identity. */
        {SCSISCAN_PATH_UNIT "/host3", SCOPE_NAME, {}, "host3"},
        {"/dev/no-such-node", SCOPE_NODE, {}, "no-such-node"},
        {"/dev/null", SCOPE_NODE, {}, "null"},
};

static void test_parse(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
                sd_bus_error error = SD_BUS_ERROR_NULL;
                struct scope scope;

                g_test_message("%s", keys[i].key);
                g_assert_cmpint(key_parse(keys[i].key, &scope, &error), ==, 0);
                g_assert_cmpint(scope.kind, ==, keys[i].kind);
                g_assert_cmpint(scsi_address_compare(&scope.address, &keys[i].address), ==, 0);
                g_assert_cmpstr(scope.name, ==, keys[i].name);
                scope_done(&scope);
        }
}

static const struct {
        const char *key, *error, *part;
} refused[] = {
        {"3:0:1:05", SCSISCAN_ERROR_INVALID_ARGS, "3:0:1:05: "},
        {"3:0", SCSISCAN_ERROR_INVALID_ARGS, "3:0: "},
        {"/", SCSISCAN_ERROR_INVALID_ARGS, "not the path of"},
        {SCSISCAN_PATH_JOB "/7", SCSISCAN_ERROR_INVALID_ARGS, "not the path of"},
        {SCSISCAN_PATH_HOST "/03", SCSISCAN_ERROR_INVALID_ARGS, "not the path of"},
        {"/sys/block/sda", SCSISCAN_ERROR_INVALID_ARGS, "not the path of"},
        {"/dev/", SCSISCAN_ERROR_INVALID_ARGS, "not a device node"},
        {"/dev/..", SCSISCAN_ERROR_INVALID_ARGS, "not a device node"},
        {"/dev/../etc/passwd", SCSISCAN_ERROR_INVALID_ARGS, "not a device node"},
        {"/dev/shm/anything", SCSISCAN_ERROR_INVALID_ARGS, "not a device node"},
        {"/dev/disk/by-id/no-such-link", SCSISCAN_ERROR_NOT_FOUND, "no-such-link"},
};

static void test_refused(void) {
        g_autofree char *longest = g_strnfill(5000, 'x');
        struct scope scope;

        for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
                sd_bus_error error = SD_BUS_ERROR_NULL;

                g_test_message("%s", refused[i].key);
                g_assert_cmpint(key_parse(refused[i].key, &scope, &error), <, 0);
                g_assert_cmpstr(error.name, ==, refused[i].error);
                g_assert_nonnull(strstr(error.message, refused[i].part));
                sd_bus_error_free(&error);
        }
        sd_bus_error error = SD_BUS_ERROR_NULL;

        g_assert_cmpint(key_parse(longest, &scope, &error), <, 0);
        g_assert_cmpstr(error.name, ==, SCSISCAN_ERROR_INVALID_ARGS);
        sd_bus_error_free(&error);
}

static void test_existing(void) {
        struct topology *topology = topology_new();
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct scope scope;

        g_assert_cmpint(key_parse_existing("", topology, &scope, &error), ==, 0);
        g_assert_cmpint(key_parse_existing("naa.6000a", topology, &scope, &error), <, 0);
        g_assert_cmpstr(error.name, ==, SCSISCAN_ERROR_NOT_FOUND);
        g_assert_nonnull(strstr(error.message, "naa.6000a"));
        sd_bus_error_free(&error);
        topology_free(topology);
}

/* ---- links, in a folder that stands for /dev ---- */

static const struct {
        const char *link, *target; /* NULL: a plain file */
} entries[] = {
        {"sda", NULL},
        {"cdrom", "sr0"},
        {"absolute", "DEV/sdb"},
        {"outside", "/etc/passwd"},
        {"above", "../etc/passwd"},
        {"inside", "disk/by-id/wwn-1"},
        {"stdin", "/proc/self/fd/0"},
        {"disk/by-id/wwn-1", "../../sda"},
        {"disk/by-id/plain", NULL},
        {"disk/by-id/deep", "../../a/sda"},
        {"disk/by-path/pci-0", "../../sdc"},
        {"tape/by-id/t", "../../st0"},
        {"block/8:0", "../sda"},
        {"char/21:0", "../sg0"},
        {"shm/x", "../sda"},
};

static const struct {
        const char *path;
        int result;
        const char *name;
} links[] = {
        {"sda", 0, "sda"},
        {"sdz", 0, "sdz"}, /* no node: the kernel may still have it */
        {"cdrom", 0, "sr0"},
        {"absolute", 0, "sdb"},
        {"disk/by-id/wwn-1", 0, "sda"},
        {"disk/by-path/pci-0", 0, "sdc"},
        {"tape/by-id/t", 0, "st0"},
        {"block/8:0", 0, "sda"},
        {"char/21:0", 0, "sg0"},
        {"disk/by-id/none", -ENOENT, NULL},
        {"disk/by-none/none", -ENOENT, NULL},
        {"disk/by-id/plain", -EINVAL, NULL},
        {"disk/by-id/deep", -EINVAL, NULL},
        {"disk/by-id/a/b", -EINVAL, NULL},
        {"disk/by-id/..", -EINVAL, NULL},
        {"disk/by-id/", -EINVAL, NULL},
        {"disk/by-id", -EINVAL, NULL},
        {"disk/sda", -EINVAL, NULL},
        {"outside", -EINVAL, NULL},
        {"above", -EINVAL, NULL},
        {"inside", -EINVAL, NULL},
        {"stdin", -EINVAL, NULL},
        {"shm/x", -EINVAL, NULL},
        {"", -EINVAL, NULL},
        {".", -EINVAL, NULL},
};

static void entry_make(const char *dev, const char *name, const char *target) {
        g_autofree char *path = g_build_filename(dev, name, NULL);
        g_autofree char *folder = g_path_get_dirname(path);

        g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
        if (target && g_str_has_prefix(target, "DEV/")) {
                g_autofree char *absolute = g_build_filename(dev, target + 4, NULL);

                g_assert_cmpint(symlink(absolute, path), ==, 0);
        } else if (target) {
                g_assert_cmpint(symlink(target, path), ==, 0);
        } else {
                g_assert_true(g_file_set_contents(path, "", 0, NULL));
        }
}

static void entries_remove(const char *dev) {
        static const char *const folders[] = {"disk/by-id", "disk/by-path", "disk", "tape/by-id",
                                              "tape",       "block",        "char", "shm"};

        for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
                g_autofree char *path = g_build_filename(dev, entries[i].link, NULL);

                g_assert_cmpint(g_unlink(path), ==, 0);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
                g_autofree char *path = g_build_filename(dev, folders[i], NULL);

                g_assert_cmpint(g_rmdir(path), ==, 0);
        }
        g_assert_cmpint(g_rmdir(dev), ==, 0);
}

static void test_nodes(void) {
        g_autofree char *dev = g_dir_make_tmp("scsiscan-dev-XXXXXX", NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
                entry_make(dev, entries[i].link, entries[i].target);
        for (size_t i = 0; i < G_N_ELEMENTS(links); i++) {
                g_autofree char *path = g_strdup_printf("%s/%s", dev, links[i].path);
                char name[KEY_NODE_MAX];
                const char *reason = NULL;

                g_test_message("%s", links[i].path);
                g_assert_cmpint(key_node_name(dev, path, name, &reason), ==, links[i].result);
                if (links[i].result == 0)
                        g_assert_cmpstr(name, ==, links[i].name);
                if (links[i].result == -EINVAL)
                        g_assert_nonnull(reason);
        }
        entries_remove(dev);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/key/parse", test_parse);
        g_test_add_func("/dbus/key/refused", test_refused);
        g_test_add_func("/dbus/key/existing", test_existing);
        g_test_add_func("/dbus/key/nodes", test_nodes);
        return g_test_run();
}
