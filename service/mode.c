/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "mode.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/message_id.h"
#include "util/read.h"
#include "worker/messages.h"

#define CHECK_MS 10000
/* While it is to be taken over. */
#define TAKE_OVER_CHECK_MS 1000
#define PATH_TEXT_MAX 4096

/* ---- the kernel's word ---- */

static bool says_no_scan(const char *word) {
        return strcmp(word, "manual") == 0 || strcmp(word, "none") == 0;
}

/* The first line of a file, as far as there is room for it: its length, or -errno. */
static int read_line(const char *path, char *line, size_t size) {
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        size_t length;
        int r = fd < 0 ? -errno : read_bytes(fd, line, size - 1, &length);

        line[r < 0 ? 0 : strcspn(line, "\n")] = '\0';
        return r < 0 ? r : (int)strlen(line);
}

static int read_parameter(const struct mode *mode, char word[MODE_WORD_MAX]) {
        char path[PATH_TEXT_MAX];

        snprintf(path, sizeof(path), "%s/module/scsi_mod/parameters/scan", mode->options->sysfs);
        return read_line(path, word, MODE_WORD_MAX);
}

static void write_parameter(struct mode *mode, enum kernel_scan scan) {
        const struct step step = {.id = UINT64_MAX, /* one at a time, and none of the engine's */
                                  .kind = STEP_SET_KERNEL_SCAN,
                                  .address.target.host = WORKER_NO_HOST,
                                  .kernel_scan = scan};

        mode->writing = true;
        mode->submit(&step, mode->userdata);
}

/* Where scsi_mod is not loaded yet: how it will be, as the kernel's command line says. The last of
 * several holds. False when it says nothing. */
static bool read_command_line(char word[MODE_WORD_MAX]) {
        static const char parameter[] = "scsi_mod.scan=";
        char line[4096];
        const char *found = NULL;

        if (read_line("/proc/cmdline", line, sizeof(line)) < 0)
                return false;
        for (const char *at = line; (at = strstr(at, parameter)); at++)
                found = at + sizeof(parameter) - 1;
        if (found) /* letters: it is told on the bus */
                snprintf(word, MODE_WORD_MAX, "%.*s",
                         (int)strspn(found, "abcdefghijklmnopqrstuvwxyz"), found);
        return found && *word;
}

/* ---- what was taken over, across our own restarts ---- */

static void note_path(const struct mode *mode, char path[PATH_TEXT_MAX]) {
        snprintf(path, PATH_TEXT_MAX, "%s/kernel-scan", mode->options->runtime_dir);
}

/* 0, or -errno. */
static int write_note(const struct mode *mode, const char *word) {
        char path[PATH_TEXT_MAX];
        _cleanup_(closep) int fd = -1;

        note_path(mode, path);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 || write(fd, word, strlen(word)) < 0 ? -errno : 0;
}

static void read_note(struct mode *mode) {
        char path[PATH_TEXT_MAX];

        note_path(mode, path);
        if (read_line(path, mode->taken_from, MODE_WORD_MAX) < 0 ||
            (strcmp(mode->taken_from, "sync") != 0 && strcmp(mode->taken_from, "async") != 0))
                *mode->taken_from = '\0';
}

static void drop_note(struct mode *mode) {
        char path[PATH_TEXT_MAX];

        note_path(mode, path);
        (void)unlink(path);
        *mode->taken_from = '\0';
}

/* ---- who it is, and why ---- */

__attribute__((format(printf, 3, 4))) static void become(struct mode *mode, bool owner,
                                                         const char *format, ...) {
        char reason[MODE_REASON_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(reason, sizeof(reason), format, arguments);
        va_end(arguments);
        if (!mode->again && mode->owner == owner && strcmp(mode->reason, reason) == 0)
                return;
        mode->again = false;
        mode->owner = owner;
        memcpy(mode->reason, reason, sizeof(reason));
        log_info("%s: %s", owner ? "owner" : "observer", reason);
        mode->changed(mode->userdata);
}

/* Module loading goes on in udevd's workers. Without udevd nobody else loads any. */
static bool udev_is_at_rest(void) {
        return access("/run/udev/queue", F_OK) < 0;
}

/* As the parameter says; where there is none yet ("") as it will say. */
static void follow(struct mode *mode, const char *word) {
        char later[MODE_WORD_MAX];

        if (*word)
                become(mode, says_no_scan(word), "scsi_mod.scan is %s", word);
        else if (read_command_line(later))
                become(mode, says_no_scan(later),
                       "scsi_mod.scan will be %s, by the kernel's command line", later);
        else
                become(mode, false, "nothing says that the kernel does not scan");
}

static void become_taken_over(struct mode *mode) {
        become(mode, true, "taken over from the kernel, whose scsi_mod.scan was %s",
               mode->taken_from);
}

static void take_over_failed(struct mode *mode, int error) {
        const char *text = strerrordesc_np(-error) ?: "error";

        drop_note(mode);
        if (!mode->failed)
                log_write(LOG_ERR, &(struct log_fields){.message_id = MESSAGE_ID_NOT_TAKEN_OVER},
                          "cannot take over from the kernel: scsi_mod.scan: %s", text);
        mode->failed = true;
        become(mode, false, "cannot take over: scsi_mod.scan cannot be written (%s)", text);
}

/* What it was is noted before it is another. */
static void take_over(struct mode *mode, const char *word) {
        int r = write_note(mode, word);

        if (r < 0) {
                take_over_failed(mode, r);
                return;
        }
        memcpy(mode->taken_from, word, MODE_WORD_MAX);
        write_parameter(mode, KERNEL_SCAN_MANUAL);
}

static void taken_over(struct mode *mode, int error) {
        if (error < 0) {
                take_over_failed(mode, error);
                return;
        }
        mode->failed = false;
        become_taken_over(mode);
}

static void approach(struct mode *mode, const char *word) {
        if (says_no_scan(word) && *mode->taken_from)
                become_taken_over(mode);
        else if (!*word || says_no_scan(word))
                follow(mode, word);
        else if (mode->probed(mode->userdata) && udev_is_at_rest())
                take_over(mode, word);
        else
                become(mode, false,
                       "scsi_mod.scan is %s, and will be taken over when the drivers have probed "
                       "their hosts",
                       word);
}

void mode_retry(struct mode *mode) {
        mode->again = true;
}

void mode_check(struct mode *mode) {
        char word[MODE_WORD_MAX];

        if (mode->writing || mode->leaving)
                return;
        (void)read_parameter(mode, word); /* "" when it cannot be read */
        switch (mode->options->mode) {
        case DAEMON_MODE_AUTO:
                follow(mode, word);
                break;
        case DAEMON_MODE_TAKE_OVER:
                approach(mode, word);
                break;
        case DAEMON_MODE_OWNER:
                become(mode, true, "started with --mode=owner");
                break;
        case DAEMON_MODE_OBSERVER:
                become(mode, false, "started with --mode=observer");
                break;
        }
}

static void on_timer(uv_timer_t *timer) {
        struct mode *mode = timer->data;
        bool approaching = mode->options->mode == DAEMON_MODE_TAKE_OVER && !mode->owner;

        mode_check(mode);
        uv_timer_start(timer, on_timer, approaching ? TAKE_OVER_CHECK_MS : CHECK_MS, 0);
}

void mode_start(struct mode *mode, uv_loop_t *loop) {
        uv_timer_init(loop, &mode->timer);
        mode->timer.data = mode;
        if (mode->options->mode == DAEMON_MODE_TAKE_OVER)
                read_note(mode);
        mode_check(mode);
        if (mode->options->mode == DAEMON_MODE_AUTO || mode->options->mode == DAEMON_MODE_TAKE_OVER)
                uv_timer_start(&mode->timer, on_timer, TAKE_OVER_CHECK_MS, 0);
}

static void restore(struct mode *mode) {
        mode->restoring = true;
        write_parameter(mode, strcmp(mode->taken_from, kernel_scan_name(KERNEL_SCAN_SYNC)) == 0
                                      ? KERNEL_SCAN_SYNC
                                      : KERNEL_SCAN_ASYNC);
}

static void restored(struct mode *mode, int error) {
        if (error < 0) {
                log_write(LOG_ERR, &(struct log_fields){.message_id = MESSAGE_ID_NOT_GIVEN_BACK},
                          "the kernel does not scan again: scsi_mod.scan: %s",
                          strerrordesc_np(-error) ?: "error");
        } else {
                log_info("scsi_mod.scan is %s again", mode->taken_from);
                drop_note(mode);
        }
        mode->given_back(mode->userdata);
}

/* Written is not done: it is read again. */
static int verify_parameter(const struct mode *mode, enum kernel_scan scan) {
        char now[MODE_WORD_MAX];
        int r = read_parameter(mode, now);

        if (r < 0)
                return r;
        return strcmp(now, kernel_scan_name(scan)) == 0 ? 0 : -EIO;
}

static int error_of(const struct mode *mode, const struct observation *observation) {
        switch (observation->observed) {
        case OBSERVED_GOOD:
                return verify_parameter(mode, observation->step.kernel_scan);
        case OBSERVED_GONE:
                return -ENOENT;
        case OBSERVED_ERROR:
                return observation->error;
        default:
                return -EIO; /* its worker ended, or hangs */
        }
}

void mode_observe(struct mode *mode, const struct observation *observation) {
        int error = error_of(mode, observation);

        mode->writing = false;
        if (mode->restoring)
                restored(mode, error);
        else if (!mode->leaving)
                taken_over(mode, error);
        else if (error < 0)
                mode->given_back(mode->userdata);
        else
                restore(mode);
}

bool mode_give_back(struct mode *mode) {
        char word[MODE_WORD_MAX];

        if (mode->leaving || !mode->options->restore_scan || !*mode->taken_from)
                return false;
        mode->leaving = true;
        if (mode->writing) /* that first */
                return true;
        /* Whoever has written it since wants it so. */
        if (read_parameter(mode, word) <= 0 || strcmp(word, "manual") != 0) {
                drop_note(mode);
                return false;
        }
        restore(mode);
        return true;
}
