/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "service/policy_files.h"
#include "util/cleanup.h"

/* Three directories below a temporary one, highest first. */
struct fixture {
        char *base;
        char *roots[4];
};

static void set_up(struct fixture *f, const void *data) {
        static const char *const names[] = {"etc", "run", "lib"};

        f->base = g_dir_make_tmp("scsiscan-policy-XXXXXX", NULL);
        g_assert_nonnull(f->base);
        for (size_t i = 0; i < ELEMENTS_OF(names); i++)
                f->roots[i] = g_build_filename(f->base, names[i], NULL);
}

static void remove_tree(const char *path) {
        GDir *directory =
                g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
        const char *name;

        while (directory && (name = g_dir_read_name(directory))) {
                g_autofree char *below = g_build_filename(path, name, NULL);

                remove_tree(below);
        }
        if (directory)
                g_dir_close(directory);
        g_assert_cmpint(g_remove(path), ==, 0);
}

static void tear_down(struct fixture *f, const void *data) {
        remove_tree(f->base);
        g_free(f->base);
        for (size_t i = 0; i < ELEMENTS_OF(f->roots); i++)
                g_free(f->roots[i]);
}

static char *place(struct fixture *f, const char *name) {
        g_autofree char *path = g_build_filename(f->base, name, NULL);
        g_autofree char *directory = g_path_get_dirname(path);

        g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
        return TAKE_PTR(path);
}

static void put(struct fixture *f, const char *name, const char *text) {
        g_autofree char *path = place(f, name);

        g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void put_link(struct fixture *f, const char *name, const char *to) {
        g_autofree char *path = place(f, name);

        g_assert_cmpint(symlink(to, path), ==, 0);
}

/* A file with one rule that is named as given. */
static void put_rule(struct fixture *f, const char *name, const char *rule) {
        g_autofree char *text = g_strdup_printf("[Rule %s]\nOrder=1\n", rule);

        put(f, name, text);
}

static struct policy *load(struct fixture *f) {
        struct policy *policy = NULL;
        g_autofree char *error = NULL;
        int r = policy_files_load((const char *const *)f->roots, &policy_limits_default, &policy,
                                  &error);

        if (r < 0)
                g_error("%d: %s", r, error);
        g_assert_null(error);
        return policy;
}

/* The names of the rules, in order. */
static void check_rules(struct fixture *f, const char *names) {
        _cleanup_(policy_freep) struct policy *policy = load(f);
        g_autoptr(GString) found = g_string_new(NULL);

        for (size_t i = 0; i < policy_rule_count(policy); i++)
                g_string_append_printf(found, "%s%s", i ? " " : "",
                                       policy_rule_at(policy, i)->name);
        g_assert_cmpstr(found->str, ==, names);
}

/* What is said begins with the base directory; `said` is the rest's pattern. */
static void check_error(struct fixture *f, int error, const char *said) {
        g_autofree char *text = NULL;
        struct policy *policy = NULL;

        g_assert_cmpint(policy_files_load((const char *const *)f->roots, &policy_limits_default,
                                          &policy, &text),
                        ==, error);
        g_assert_null(policy);
        g_test_message("%s", text);
        g_assert_true(g_str_has_prefix(text, f->base));
        if (!g_pattern_match_simple(said, text + strlen(f->base)))
                g_error("said \"%s\", not \"%s\"", text, said);
}

static void test_nothing(struct fixture *f, const void *data) {
        _cleanup_(policy_freep) struct policy *policy = load(f);
        char flags[POLICY_FLAGS_MAX];

        g_assert_cmpuint(policy_rule_count(policy), ==, 0);
        /* What was built in. */
        g_assert_cmpint(policy_host_discovery(policy, "hpsa", false, NULL), ==, DISCOVERY_DRIVER);
        g_assert_cmpstr(policy_quirk_flags(policy, "DGC", "RAID 5", NULL, flags, NULL), ==,
                        "SPARSELUN");
}

/* The first directory that has the main file has it alone. */
static void test_main(struct fixture *f, const void *data) {
        put_rule(f, "lib/policy.conf", "lib");
        check_rules(f, "lib");
        put_rule(f, "run/policy.conf", "run");
        check_rules(f, "run");
        put_rule(f, "etc/policy.conf", "etc");
        check_rules(f, "etc");
        put(f, "etc/policy.conf", "");
        check_rules(f, "");
}

static void test_main_masked(struct fixture *f, const void *data) {
        put_rule(f, "lib/policy.conf", "lib");
        put_rule(f, "lib/policy.conf.d/10-a.conf", "a");
        put_link(f, "etc/policy.conf", "/dev/null");
        check_rules(f, "a");
}

/* Drop-ins come after the main file, by name, wherever they are. */
static void test_order(struct fixture *f, const void *data) {
        put_rule(f, "etc/policy.conf.d/20-b.conf", "b");
        put_rule(f, "etc/policy.conf.d/05-first.conf", "first");
        put_rule(f, "run/policy.conf.d/10-a.conf", "a");
        put_rule(f, "lib/policy.conf.d/30-c.conf", "c");
        put_rule(f, "lib/policy.conf.d/15-z.conf", "z");
        put_rule(f, "lib/policy.conf", "main");
        check_rules(f, "main first a z b c");
}

static void test_masked(struct fixture *f, const void *data) {
        put_rule(f, "lib/policy.conf.d/10-a.conf", "lib-a");
        put_rule(f, "lib/policy.conf.d/20-b.conf", "lib-b");
        put_rule(f, "lib/policy.conf.d/30-c.conf", "lib-c");
        put_rule(f, "lib/policy.conf.d/40-d.conf", "lib-d");
        put_rule(f, "run/policy.conf.d/10-a.conf", "run-a");
        put_rule(f, "run/policy.conf.d/40-d.conf", "run-d");
        put(f, "run/policy.conf.d/20-b.conf", "");
        put_link(f, "etc/policy.conf.d/30-c.conf", "/dev/null");
        put_rule(f, "etc/policy.conf.d/40-d.conf", "etc-d");
        check_rules(f, "run-a etc-d");
}

/* What is masked need not be right, nor what is no drop-in. */
static void test_not_read(struct fixture *f, const void *data) {
        put(f, "lib/policy.conf.d/10-a.conf", "nonsense");
        put_rule(f, "etc/policy.conf.d/10-a.conf", "a");
        put(f, "etc/policy.conf.d/README", "nonsense");
        put(f, "etc/policy.conf.d/.hidden.conf", "nonsense");
        put(f, "etc/policy.conf.d/20-b.conf~", "nonsense");
        put(f, "etc/policy.conf.d/20-b.conf.dpkg-old", "nonsense");
        put(f, "etc/policy.conf.d/.conf", "nonsense");
        check_rules(f, "a");
}

static void test_name(struct fixture *f, const void *data) {
        put_rule(f, "etc/policy.conf.d/10-\303\244.conf", "a");
        check_error(f, -EINVAL,
                    "/etc/policy.conf.d: the name of a file there is not all printable ASCII");
}

static void test_link(struct fixture *f, const void *data) {
        put_rule(f, "elsewhere", "a");
        put_link(f, "etc/policy.conf.d/10-a.conf", "../../elsewhere");
        check_rules(f, "a");
}

static void test_quirks(struct fixture *f, const void *data) {
        _cleanup_(policy_freep) struct policy *policy = NULL;
        char flags[POLICY_FLAGS_MAX];

        put(f, "etc/quirks.conf.d/10-dgc.conf",
            "[Quirk ours]\nVendor=DGC\nModel=*\nFlags=-SPARSELUN FORCELUN\n"
            "[Host ours]\nDriver=hpsa\nDiscovery=service\n");
        policy = load(f);
        g_assert_cmpstr(policy_quirk_flags(policy, "DGC", "RAID 5", NULL, flags, NULL), ==,
                        "FORCELUN");
        g_assert_cmpint(policy_host_discovery(policy, "hpsa", false, NULL), ==, DISCOVERY_SERVICE);
        g_assert_cmpint(policy_host_discovery(policy, "ipr", false, NULL), ==, DISCOVERY_DRIVER);
}

/* A quirks.conf of one's own, or none at all, is in place of the built-in one. */
static void test_quirks_masked(struct fixture *f, const void *data) {
        _cleanup_(policy_freep) struct policy *policy = NULL;
        char flags[POLICY_FLAGS_MAX];

        put(f, "etc/quirks.conf", "");
        policy = load(f);
        g_assert_cmpstr(policy_quirk_flags(policy, "DGC", "RAID 5", NULL, flags, NULL), ==, "");
        g_assert_cmpint(policy_host_discovery(policy, "hpsa", false, NULL), ==, DISCOVERY_SERVICE);
}

static void test_wrong(struct fixture *f, const void *data) {
        put_rule(f, "lib/policy.conf", "good");
        put(f, "etc/policy.conf.d/10-a.conf", "[Rule a]\nPollInterval=5 parsecs\n");
        check_error(f, -EINVAL,
                    "/etc/policy.conf.d/10-a.conf:2: PollInterval=5 parsecs: expected a time span "
                    "from 1s to 1d like 30s or 5min, or off");
        put_rule(f, "etc/policy.conf.d/10-a.conf", "good");
        check_error(f, -EINVAL,
                    "/etc/policy.conf.d/10-a.conf:1: good: expected another name, "
                    "*/lib/policy.conf:1 has this one");
        put_rule(f, "etc/policy.conf.d/10-a.conf", "a");
        put(f, "run/quirks.conf", "[Quirk a]\n");
        check_error(f, -EINVAL, "/run/quirks.conf:1: a: expected a quirk with Vendor=*");
}

static void test_unreadable(struct fixture *f, const void *data) {
        g_autofree char *path = place(f, "etc/policy.conf.d/10-a.conf");
        g_autofree char *large = g_strnfill(POLICY_BYTES_MAX + 1, '\n');

        g_assert_cmpint(mkfifo(path, 0644), ==, 0);
        check_error(f, -EINVAL, "/etc/policy.conf.d/10-a.conf is not a regular file");
        g_assert_cmpint(g_remove(path), ==, 0);
        put_link(f, "etc/policy.conf.d/10-a.conf", "nowhere");
        check_error(f, -ENOENT, "/etc/policy.conf.d/10-a.conf cannot be read: No such file or *");
        g_assert_cmpint(g_remove(path), ==, 0);
        g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
        check_error(f, -EINVAL, "/etc/policy.conf.d/10-a.conf is not a regular file");
        g_assert_cmpint(g_rmdir(path), ==, 0);
        put(f, "etc/policy.conf.d/10-a.conf", large);
        check_error(f, -EINVAL, "/etc/policy.conf.d/10-a.conf is larger than 1048576 bytes");
        g_assert_true(g_file_set_contents(path, "[Rule a]\0Order=1\n", 17, NULL));
        check_error(f, -EINVAL, "/etc/policy.conf.d/10-a.conf is not a text: it contains a NUL");
        g_assert_cmpint(g_remove(path), ==, 0);
        put_rule(f, "lib/policy.conf", "lib");
        put_link(f, "run/policy.conf", "nowhere");
        check_error(f, -ENOENT, "/run/policy.conf cannot be read: No such file or directory");
        put_rule(f, "etc/policy.conf", "etc");
        check_rules(f, "etc");
        put(f, "run/policy.conf.d", "a file");
        check_error(f, -ENOTDIR, "/run/policy.conf.d cannot be read: Not a directory");
}

static void test_many(struct fixture *f, const void *data) {
        for (int i = 0; i < POLICY_DROP_INS_MAX; i++) {
                g_autofree char *name =
                        g_strdup_printf("%s/policy.conf.d/%d.conf", i % 2 ? "etc" : "run", i);

                put(f, name, "# nothing\n");
        }
        check_rules(f, "");
        put(f, "lib/policy.conf.d/more.conf", "# nothing\n");
        check_error(f, -EINVAL, "/lib/policy.conf.d: there are more than 256 such files");
}

/* What is installed is good, and decides nothing. */
static void test_shipped(struct fixture *f, const void *data) {
        const char *const roots[] = {SOURCE_ROOT "/policy", NULL};
        _cleanup_(policy_freep) struct policy *policy = NULL;
        g_autofree char *error = NULL;

        g_assert_cmpint(policy_files_load(roots, &policy_limits_default, &policy, &error), ==, 0);
        g_assert_cmpuint(policy_rule_count(policy), ==, 0);
        g_assert_cmpint(policy_host_discovery(policy, "mpt3sas", false, NULL), ==,
                        DISCOVERY_KERNEL);
        g_assert_cmpstr(policy_files_roots[0], ==, "/etc/scsiscan");
        g_assert_cmpstr(policy_files_roots[1], ==, "/run/scsiscan");
        g_assert_null(policy_files_roots[3]);
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                void (*test)(struct fixture *f, const void *data);
        } tests[] = {
                {"nothing", test_nothing},
                {"main", test_main},
                {"main-masked", test_main_masked},
                {"order", test_order},
                {"masked", test_masked},
                {"not-read", test_not_read},
                {"name", test_name},
                {"link", test_link},
                {"quirks", test_quirks},
                {"quirks-masked", test_quirks_masked},
                {"wrong", test_wrong},
                {"unreadable", test_unreadable},
                {"many", test_many},
                {"shipped", test_shipped},
        };

        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < ELEMENTS_OF(tests); i++) {
                g_autofree char *path = g_strdup_printf("/policy/files/%s", tests[i].name);

                g_test_add(path, struct fixture, NULL, set_up, tests[i].test, tear_down);
        }
        return g_test_run();
}
