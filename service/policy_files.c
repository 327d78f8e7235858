/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "policy_files.h"
#include "util/cleanup.h"
#include "util/read.h"

const char *const policy_files_roots[] = {"/etc/scsiscan", "/run/scsiscan", SCSISCAN_LIBRARY, NULL};

static const char *const main_names[] = {
        [POLICY_FILE_RULES] = "policy.conf",
        [POLICY_FILE_QUIRKS] = "quirks.conf",
};

struct loader {
        const char *const *roots;
        struct policy *policy;
        char **ret_error;
};

struct drop_in {
        char *name;
        char *path;
};

struct drop_ins {
        struct drop_in items[POLICY_DROP_INS_MAX];
        size_t count;
};

static void drop_ins_done(struct drop_ins *drop_ins) {
        for (size_t i = 0; i < drop_ins->count; i++) {
                free(drop_ins->items[i].name);
                free(drop_ins->items[i].path);
        }
}

static void closedirp(DIR **directory) {
        if (*directory)
                closedir(*directory);
}

__attribute__((format(printf, 3, 4))) static int fail(struct loader *loader, int error,
                                                      const char *format, ...) {
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = vasprintf(loader->ret_error, format, arguments);
        va_end(arguments);
        if (r >= 0)
                return error;
        *loader->ret_error = NULL;
        return -ENOMEM;
}

static int fail_errno(struct loader *loader, int error, const char *path) {
        return fail(loader, -error, "%s cannot be read: %s", path,
                    strerrordesc_np(error) ?: "error");
}

/* ---- one file ---- */

/* -ENOENT, without a sentence, when it is not there. */
static int read_text(struct loader *loader, const char *path, char **ret) {
        /* Whatever somebody put there, this does not wait for it. */
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_(freep) char *text = NULL;
        size_t length = 0;
        struct stat status;
        size_t size;
        int r;

        if (fd < 0)
                return errno == ENOENT ? -ENOENT : fail_errno(loader, errno, path);
        if (fstat(fd, &status) < 0)
                return fail_errno(loader, errno, path);
        if (S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)) /* /dev/null */
                size = 0;
        else if (!S_ISREG(status.st_mode))
                return fail(loader, -EINVAL, "%s is not a regular file", path);
        else if (status.st_size > POLICY_BYTES_MAX)
                return fail(loader, -EINVAL, "%s is larger than %d bytes", path, POLICY_BYTES_MAX);
        else
                size = (size_t)status.st_size;

        text = malloc(size + 1);
        if (!text)
                return -ENOMEM;
        r = read_bytes(fd, text, size, &length);
        if (r < 0)
                return fail_errno(loader, -r, path);
        if (strlen(text) != length)
                return fail(loader, -EINVAL, "%s is not a text: it contains a NUL", path);
        *ret = TAKE_PTR(text);
        return 0;
}

static int parse(struct loader *loader, enum policy_file_kind kind, const char *path,
                 const char *text) {
        struct policy_error error;
        int r = policy_parse(loader->policy, kind, path, text, &error);

        if (r == -EINVAL) {
                *loader->ret_error = policy_error_format(&error);
                return *loader->ret_error ? r : -ENOMEM;
        }
        return r;
}

/* ---- the main file ---- */

/* A link to nothing is neither a file nor a mask: somebody meant a file. */
static bool is_link(const char *path) {
        struct stat status;

        return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

static int load_main(struct loader *loader, enum policy_file_kind kind) {
        for (const char *const *root = loader->roots; *root; root++) {
                _cleanup_(freep) char *path = NULL;
                _cleanup_(freep) char *text = NULL;
                int r;

                if (asprintf(&path, "%s/%s", *root, main_names[kind]) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                r = read_text(loader, path, &text);
                if (r == -ENOENT && is_link(path))
                        r = fail_errno(loader, ENOENT, path);
                else if (r == -ENOENT)
                        continue;
                return r < 0 ? r : parse(loader, kind, path, text);
        }
        if (kind == POLICY_FILE_QUIRKS)
                return parse(loader, kind, policy_quirks_builtin_name, policy_quirks_builtin);
        return 0;
}

/* ---- drop-ins ---- */

static bool is_drop_in(const char *name) {
        size_t length = strlen(name);

        return name[0] != '.' && length > strlen(".conf") &&
               strcmp(name + length - strlen(".conf"), ".conf") == 0;
}

static bool is_masked(const struct drop_ins *drop_ins, const char *name) {
        for (size_t i = 0; i < drop_ins->count; i++)
                if (strcmp(drop_ins->items[i].name, name) == 0)
                        return true;
        return false;
}

/* Names go into the log and onto the bus. */
static bool is_printable(const char *name) {
        while (*name >= 0x20 && *name < 0x7f)
                name++;
        return !*name;
}

static int add_drop_in(struct loader *loader, struct drop_ins *drop_ins, const char *directory,
                       const char *name) {
        struct drop_in *item = &drop_ins->items[drop_ins->count];

        if (drop_ins->count == POLICY_DROP_INS_MAX)
                return fail(loader, -EINVAL, "%s: there are more than %d such files", directory,
                            POLICY_DROP_INS_MAX);
        if (!is_printable(name))
                return fail(loader, -EINVAL,
                            "%s: the name of a file there is not all printable ASCII", directory);
        item->name = strdup(name);
        if (!item->name)
                return -ENOMEM;
        if (asprintf(&item->path, "%s/%s", directory, name) < 0) {
                free(item->name);
                return -ENOMEM;
        }
        drop_ins->count++;
        return 0;
}

static int list_directory(struct loader *loader, struct drop_ins *drop_ins, const char *path) {
        _cleanup_(closedirp) DIR *directory = opendir(path);
        struct dirent *entry;

        if (!directory)
                return errno == ENOENT ? 0 : fail_errno(loader, errno, path);
        while ((errno = 0, entry = readdir(directory))) {
                int r;

                if (!is_drop_in(entry->d_name) || is_masked(drop_ins, entry->d_name))
                        continue;
                r = add_drop_in(loader, drop_ins, path, entry->d_name);
                if (r < 0)
                        return r;
        }
        return errno == 0 ? 0 : fail_errno(loader, errno, path);
}

static int compare_drop_ins(const void *a, const void *b) {
        return strcmp(((const struct drop_in *)a)->name, ((const struct drop_in *)b)->name);
}

static int load_drop_ins(struct loader *loader, enum policy_file_kind kind) {
        _cleanup_(drop_ins_done) struct drop_ins drop_ins = {};

        for (const char *const *root = loader->roots; *root; root++) {
                _cleanup_(freep) char *path = NULL;
                int r;

                if (asprintf(&path, "%s/%s.d", *root, main_names[kind]) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                r = list_directory(loader, &drop_ins, path);
                if (r < 0)
                        return r;
        }
        qsort(drop_ins.items, drop_ins.count, sizeof(drop_ins.items[0]), compare_drop_ins);

        for (size_t i = 0; i < drop_ins.count; i++) {
                _cleanup_(freep) char *text = NULL;
                int r = read_text(loader, drop_ins.items[i].path, &text);

                if (r == -ENOENT)
                        r = fail_errno(loader, ENOENT, drop_ins.items[i].path);
                if (r >= 0)
                        r = parse(loader, kind, drop_ins.items[i].path, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

int policy_files_load(const char *const *roots, const struct policy_limits *defaults,
                      struct policy **ret, char **ret_error) {
        _cleanup_(policy_freep) struct policy *policy = policy_new(defaults);
        struct loader loader = {.roots = roots, .policy = policy, .ret_error = ret_error};
        static const enum policy_file_kind kinds[] = {POLICY_FILE_RULES, POLICY_FILE_QUIRKS};

        *ret_error = NULL;
        if (!policy)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTS_OF(kinds); i++) {
                int r = load_main(&loader, kinds[i]);

                if (r >= 0)
                        r = load_drop_ins(&loader, kinds[i]);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(policy);
        return 0;
}
