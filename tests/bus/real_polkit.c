/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "real_polkit.h"

#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

#define POLKITD "/usr/lib/polkit-1/polkitd"
#define ACTIONS "/usr/share/polkit-1/actions"
#define RULES "/etc/polkit-1/rules.d"
#define SHIPPED_RULES "/usr/share/polkit-1/rules.d"
#define PAM_FOLDER "/etc/pam.d"

struct real_polkit {
        char *folder;  /* with what is mounted, below the harness's own */
        char *address; /* of the bus */
        GSubprocess *process;
};

/* ---- what is mounted ---- */

static char *path_in(const struct real_polkit *polkit, const char *name) {
        return g_build_filename(polkit->folder, name, NULL);
}

static char *folder_new(const struct real_polkit *polkit, const char *name) {
        char *path = path_in(polkit, name);

        g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
        g_assert_cmpint(chmod(path, 0755), ==, 0);
        return path;
}

static void write_file(const struct real_polkit *polkit, const char *name, const char *text) {
        g_autofree char *path = path_in(polkit, name);
        g_autoptr(GError) error = NULL;

        (void)g_file_set_contents(path, text, -1, &error);
        g_assert_no_error(error);
        g_assert_cmpint(chmod(path, 0644), ==, 0);
}

/* A file of the tree, which starts beside dbus/. */
static void copy_file(const struct real_polkit *polkit, const char *from, const char *folder) {
        g_autofree char *source = g_test_build_filename(G_TEST_DIST, "..", from, NULL);
        g_autofree char *base = g_path_get_basename(from);
        g_autofree char *name = g_build_filename(folder, base, NULL);
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;

        (void)g_file_get_contents(source, &text, NULL, &error);
        g_assert_no_error(error);
        write_file(polkit, name, text);
}

/* The machine's groups, and one. */
static void write_groups(const struct real_polkit *polkit) {
        g_autofree char *groups = NULL, *text = NULL;

        g_assert_true(g_file_get_contents("/etc/group", &groups, NULL, NULL));
        text = g_strconcat(groups, "storage:x:4242:root,nobody\n", NULL);
        write_file(polkit, "group", text);
}

static void prepare(const struct real_polkit *polkit, const char *rules) {
        static const char *const folders[] = {"actions", "rules", "none", "yes", "no"};

        for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
                g_free(folder_new(polkit, folders[i]));
        copy_file(polkit, "policy/org.scsiscan1.policy", "actions");
        if (rules)
                copy_file(polkit, rules, "rules");
        write_groups(polkit);
        write_file(polkit, "yes/polkit-1",
                   "auth required pam_permit.so\naccount required pam_permit.so\n");
        write_file(polkit, "no/polkit-1", "auth required pam_deny.so\n");
}

static void mount_over(const struct real_polkit *polkit, const char *name, const char *path) {
        g_autofree char *source = path_in(polkit, name);

        if (mount(source, path, NULL, MS_BIND, NULL) < 0) {
                perror(path);
                _exit(EXIT_FAILURE);
        }
}

/* polkit's setuid helper looks for the bus where a system has it. */
static void put_bus(const struct real_polkit *polkit) {
        const char *socket = polkit->address + strlen("unix:path=");

        if (mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") < 0 || mkdir("/run/dbus", 0755) < 0 ||
            symlink(socket, "/run/dbus/system_bus_socket") < 0) {
                perror("/run");
                _exit(EXIT_FAILURE);
        }
}

void real_polkit_enter(const struct real_polkit *polkit, bool believed) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
                perror("a mount namespace");
                _exit(EXIT_FAILURE);
        }
        mount_over(polkit, "actions", ACTIONS);
        mount_over(polkit, "rules", RULES);
        mount_over(polkit, "none", SHIPPED_RULES);
        mount_over(polkit, "group", "/etc/group");
        mount_over(polkit, believed ? "yes" : "no", PAM_FOLDER);
        put_bus(polkit);
}

/* ---- the process ---- */

static void set_up_child(void *userdata) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        real_polkit_enter(userdata, false);
}

static bool is_there(struct harness *harness) {
        g_autoptr(GVariant) reply =
                client_call(harness_client(harness), BUS_PATH, BUS_INTERFACE, "NameHasOwner",
                            g_variant_new("(s)", "org.freedesktop.PolicyKit1"));
        gboolean has;

        g_variant_get(reply, "(b)", &has);
        return has;
}

struct real_polkit *real_polkit_new(struct harness *harness, const char *rules) {
        static const char *const arguments[] = {POLKITD, "--no-debug", NULL};
        struct real_polkit *polkit = g_new0(struct real_polkit, 1);
        g_autoptr(GSubprocessLauncher) launcher =
                g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
        g_autoptr(GError) error = NULL;

        if (geteuid() != 0 || getuid() != 0)
                g_error("polkitd can only be started by root");
        polkit->folder = harness_runtime_path(harness, "polkit");
        polkit->address = g_strdup(harness_address(harness));
        g_assert_cmpint(g_mkdir(polkit->folder, 0755), ==, 0);
        prepare(polkit, rules);
        g_subprocess_launcher_set_child_setup(launcher, set_up_child, polkit, NULL);
        g_subprocess_launcher_setenv(launcher, "DBUS_SYSTEM_BUS_ADDRESS", polkit->address, TRUE);
        polkit->process = g_subprocess_launcher_spawnv(launcher, arguments, &error);
        g_assert_no_error(error);
        UNTIL(is_there(harness) || !g_subprocess_get_identifier(polkit->process));
        if (!g_subprocess_get_identifier(polkit->process))
                g_error("polkitd has ended: no namespace to mount in, or no user for it?");
        return polkit;
}

void real_polkit_free(struct real_polkit *polkit) {
        g_subprocess_force_exit(polkit->process);
        UNTIL(!g_subprocess_get_identifier(polkit->process));
        g_object_unref(polkit->process);
        g_free(polkit->folder);
        g_free(polkit->address);
        g_free(polkit);
}
