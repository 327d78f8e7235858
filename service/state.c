/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/message_id.h"
#include "util/read.h"

#define FILE_NAME "identities"
#define FILE_NEW "identities.new"
/* 65,536 nexuses of some 16 designators would be more than anybody has. */
#define FILE_BYTES_MAX (INT64_C(64) * 1024 * 1024)
/* Attaching a thousand units is some few writes. */
#define SAVE_DELAY_MS 100
/* What could not be written is tried again, whether or not something changes. */
#define SAVE_RETRY_MS 10000
/* How often it is looked whether the directory is another, and how many times: as long as a machine
 * starts. After that only writing looks. */
#define LOOK_MS 10000
#define LOOKS_MAX 60

/* Which directory: two file systems have different ones under the same name. */
struct place {
        uint64_t device, inode; /* 0 and 0: none yet */
};

struct state {
        uv_loop_t *loop;
        uv_timer_t timer;
        uv_work_t work;
        char *directory;
        char *inheritance; /* see state_open(); until it is kept */
        struct memory *memory;
        uint64_t saved; /* the serial that is in the file, or on its way there */
        uint64_t kept;  /* the serial that is in the file */
        struct state_handler handler;
        uv_timer_t look;
        unsigned looks;
        uv_fs_t status;     /* of the directory, while it is looked */
        struct place place; /* what was read, or written to; the thread's while it is writing */
        char *text;         /* what the thread is writing */
        char *found;        /* what it has found instead of writing */
        int error;          /* what came of it */
        bool looking;
        bool writing;
        bool failed; /* the file is older than `saved` says */
        bool closing;
        bool complained;
        char boot_id[64];
};

/* ---- files ---- */

static int read_text(int directory, const char *name, char **ret) {
        _cleanup_(closep) int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        _cleanup_(freep) char *text = NULL;
        struct stat status;
        size_t length;
        int r;

        if (fd < 0)
                return -errno;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode) || status.st_size > FILE_BYTES_MAX)
                return -EFBIG;
        text = malloc((size_t)status.st_size + 1);
        if (!text)
                return -ENOMEM;
        r = read_bytes(fd, text, (size_t)status.st_size, &length);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}

static int write_all(int fd, const char *text) {
        size_t length = strlen(text);

        while (length > 0) {
                ssize_t n = write(fd, text, length);

                if (n < 0)
                        return -errno;
                text += n;
                length -= (size_t)n;
        }
        return 0;
}

static bool place_is(const struct place *place, uint64_t device, uint64_t inode) {
        return place->device == device && place->inode == inode;
}

static void place_of(int directory, struct place *ret) {
        struct stat status;

        *ret = (struct place){};
        if (fstat(directory, &status) >= 0)
                *ret = (struct place){.device = status.st_dev, .inode = status.st_ino};
}

/* Whole or not at all: the name points to the old file until the new one is on the disk. */
static int write_text(int directory, const char *text) {
        _cleanup_(closep) int fd = -1;
        int r;

        if (unlinkat(directory, FILE_NEW, 0) < 0 && errno != ENOENT)
                return -errno;
        fd = openat(directory, FILE_NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        r = write_all(fd, text);
        if (r < 0)
                return r;
        if (fsync(fd) < 0 || renameat(directory, FILE_NEW, directory, FILE_NAME) < 0 ||
            fsync(directory) < 0)
                return -errno;
        return 0;
}

static void read_boot_id(char buffer[static 64]) {
        _cleanup_(closep) int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, buffer, 63);

        buffer[n < 0 ? 0 : n] = '\0';
        buffer[strcspn(buffer, "\n")] = '\0';
}

/* ---- saving ---- */

/* What cannot be read now may be the next time; but nothing comes of these. */
static bool is_unreadable(int error) {
        return error == -ENOENT || error == -EFBIG || error == -ELOOP;
}

/* What is found in another directory than before is not written over: -EEXIST. */
static int write_or_find(struct state *state) {
        _cleanup_(closep) int directory = -1;
        struct place place;
        int r;

        if (mkdir(state->directory, 0755) < 0 && errno != EEXIST)
                return -errno;
        directory = open(state->directory, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        if (directory < 0)
                return -errno;
        place_of(directory, &place);
        if (!place_is(&state->place, place.device, place.inode)) {
                r = read_text(directory, FILE_NAME, &state->found);
                if (r < 0 && !is_unreadable(r))
                        return r;
                state->place = place;
                if (r >= 0)
                        return -EEXIST;
        }
        return write_text(directory, state->text);
}

static void save_work(uv_work_t *work) {
        struct state *state = work->data;

        state->error = write_or_find(state);
}

static void on_timer(uv_timer_t *timer);

static void save_schedule(struct state *state) {
        if (state->closing || memory_urgent(state->memory) > state->saved)
                on_timer(&state->timer);
        else if (!uv_is_active((uv_handle_t *)&state->timer))
                uv_timer_start(&state->timer, on_timer, SAVE_DELAY_MS, 0);
}

/* It is kept where it belongs: another start would take it for new. */
static void inheritance_drop(struct state *state) {
        if (state->inheritance)
                (void)unlink(state->inheritance);
        free(TAKE_PTR(state->inheritance));
}

static void complain_lost(const char *path, int r) {
        log_write(LOG_WARNING, &(struct log_fields){.message_id = MESSAGE_ID_STATE_LOST},
                  "%s/" FILE_NAME
                  " is not all understood: what it says of swapped units is lost (%s)",
                  path, r < 0 ? strerrordesc_np(-r) ?: "error" : "bad lines");
}

/* Takes in what was found, and writes what is then known. Who stops leaves it to the next start. */
static void take_in(struct state *state) {
        _cleanup_(freep) char *text = TAKE_PTR(state->found);
        struct place place = state->place;
        struct memory *earlier;
        int r = -ENOMEM;

        if (state->closing)
                return;
        state->place = (struct place){}; /* until it is taken in */
        earlier = memory_new();
        if (earlier)
                r = memory_parse(earlier, text, state->boot_id);
        if (r != 0 && r != -ENOMEM)
                complain_lost(state->directory, r);
        if (r >= 0)
                r = state->handler.found(earlier, state->handler.userdata);
        memory_free(earlier);
        state->failed = true;
        if (r == -ENOMEM) {
                uv_timer_start(&state->timer, on_timer, SAVE_RETRY_MS, 0);
                return;
        }
        state->place = place;
        on_timer(&state->timer);
}

static void save_done(uv_work_t *work, int status) {
        struct state *state = work->data;

        state->writing = false;
        free(TAKE_PTR(state->text));
        if (state->found) {
                take_in(state);
                return;
        }
        if (state->error < 0 && !state->complained)
                log_write(LOG_WARNING,
                          &(struct log_fields){.message_id = MESSAGE_ID_STATE_NOT_KEPT,
                                               .error = state->error},
                          "identities cannot be kept in %s: %s", state->directory,
                          strerrordesc_np(-state->error) ?: "error");
        state->complained = state->failed = state->error < 0;
        if (!state->failed) {
                state->kept = state->saved;
                inheritance_drop(state);
        }
        if (!state->failed && state->saved != memory_serial(state->memory))
                save_schedule(state);
        else if (state->failed && !state->closing)
                uv_timer_start(&state->timer, on_timer, SAVE_RETRY_MS, 0);
        if (!state->closing)
                state->handler.kept(state->handler.userdata);
}

static void on_timer(uv_timer_t *timer) {
        struct state *state = timer->data;

        if (state->writing || (!state->failed && state->saved == memory_serial(state->memory)))
                return;
        state->text = memory_format(state->memory, state->boot_id);
        if (!state->text)
                return; /* out of memory: the next change tries again */
        state->failed = false;
        state->saved = memory_serial(state->memory);
        state->work.data = state;
        state->writing = uv_queue_work(state->loop, &state->work, save_work, save_done) == 0;
        if (!state->writing)
                free(TAKE_PTR(state->text));
}

void state_touch(struct state *state) {
        if ((state->failed || state->saved != memory_serial(state->memory)) && !state->writing)
                save_schedule(state);
}

/* ---- another directory ---- */

static void look_done(uv_fs_t *request) {
        struct state *state = request->data;
        bool moved = request->result == 0 && !state->writing &&
                     !place_is(&state->place, request->statbuf.st_dev, request->statbuf.st_ino);

        state->looking = false;
        uv_fs_req_cleanup(request);
        if (!moved || state->closing)
                return;
        state->failed = true; /* what is there is not what we know */
        save_schedule(state);
}

/* In libuv's pool: a file system that hangs must not hold the loop. */
static void on_look(uv_timer_t *timer) {
        struct state *state = timer->data;

        if (++state->looks >= LOOKS_MAX)
                uv_timer_stop(timer);
        if (state->looking || state->writing)
                return;
        state->status.data = state;
        state->looking = uv_fs_stat(state->loop, &state->status, state->directory, look_done) == 0;
}

/* What cannot be written cannot be waited for. */
bool state_owes(const struct state *state) {
        return memory_urgent(state->memory) > state->kept && !state->failed;
}

/* ---- life ---- */

typedef int (*memory_reader)(struct memory *memory, const char *text, const char *boot_id);

/* 1 when there is such a file, 0 when not; -ENOMEM. */
static int load(struct state *state, const char *path, memory_reader read,
                struct place *ret_place) {
        _cleanup_(closep) int directory = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        _cleanup_(freep) char *text = NULL;
        int r = directory < 0 ? -errno : read_text(directory, FILE_NAME, &text);

        if (directory >= 0)
                place_of(directory, ret_place);
        if (r == -ENOENT || r == -ENOMEM)
                return r == -ENOENT ? 0 : r;
        if (r >= 0)
                r = read(state->memory, text, state->boot_id);
        if (r != 0)
                complain_lost(path, r);
        return r == -ENOMEM ? r : 1;
}

/* What is inherited is on no disk yet: it is written even if nothing changes. */
static int load_all(struct state *state, const char *inherited) {
        struct place elsewhere;
        int r = load(state, state->directory, memory_parse, &state->place);

        state->saved = state->kept = memory_serial(state->memory);
        if (r < 0 || !inherited)
                return r;
        r = load(state, inherited, memory_merge, &elsewhere);
        if (r > 0 && asprintf(&state->inheritance, "%s/" FILE_NAME, inherited) < 0) {
                state->inheritance = NULL;
                return -ENOMEM;
        }
        state->failed = r > 0;
        return r;
}

int state_open(uv_loop_t *loop, const char *directory, const char *inherited, struct memory *memory,
               const struct state_handler *handler, struct state **ret) {
        struct state *state = calloc(1, sizeof(*state));
        int r;

        if (!state)
                return -ENOMEM;
        state->loop = loop;
        state->memory = memory;
        state->handler = *handler;
        state->directory = strdup(directory);
        if (!state->directory) {
                free(state);
                return -ENOMEM;
        }
        read_boot_id(state->boot_id);
        r = load_all(state, inherited);
        if (r < 0) {
                state_free(state);
                return r;
        }
        uv_timer_init(loop, &state->timer);
        uv_timer_init(loop, &state->look);
        state->timer.data = state->look.data = state;
        uv_timer_start(&state->look, on_look, LOOK_MS, LOOK_MS);
        *ret = state;
        return 0;
}

void state_close(struct state *state) {
        state->closing = true;
        state_touch(state);
        uv_close((uv_handle_t *)&state->timer, NULL);
        uv_close((uv_handle_t *)&state->look, NULL);
}

void state_free(struct state *state) {
        if (!state)
                return;
        free(state->directory);
        free(state->inheritance);
        free(state->found);
        free(state);
}
