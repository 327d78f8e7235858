/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Finds out whether a block of data ever was where it does not belong. Each backing file of the
 * lab's array is filled with blocks that name it; a reader reads its disk all the time and stops as
 * soon as a block names another; a writer writes blocks that name the backing file which it takes
 * the disk for, and the time, and afterwards the files themselves are looked at.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"

#define BLOCK_BYTES 4096
#define NAME_BYTES 64
/* One processor for everything: leave most of it to the others. */
#define PAUSE_NSEC 2000000

enum result {
        RESULT_FINE = 0,
        RESULT_USAGE = 2,
        RESULT_FOREIGN = 3, /* a block of somebody else */
        RESULT_ERROR = 4,   /* the disk does not read or write, which harms nobody */
};

struct stamp {
        char name[NAME_BYTES];
        uint64_t time; /* µs, realtime; 0: filled, not written through a disk */
};

_Static_assert(sizeof(struct stamp) <= BLOCK_BYTES, "a stamp fits in a block");

struct block {
        _Alignas(BLOCK_BYTES) uint8_t bytes[BLOCK_BYTES]; /* O_DIRECT */
};

static uint64_t now_realtime(void) {
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void block_stamp(struct block *block, const char *name, uint64_t time) {
        struct stamp stamp = {.time = time};

        snprintf(stamp.name, sizeof(stamp.name), "%s", name);
        memset(block, 0, sizeof(*block));
        memcpy(block->bytes, &stamp, sizeof(stamp));
}

static struct stamp block_read_stamp(const struct block *block) {
        struct stamp stamp;

        memcpy(&stamp, block->bytes, sizeof(stamp));
        stamp.name[NAME_BYTES - 1] = '\0';
        return stamp;
}

static int complain(const char *what, const char *path) {
        fprintf(stderr, "stamps: %s %s: %s\n", what, path, strerror(errno));
        return RESULT_ERROR;
}

/* The size of a file or a disk, in blocks. */
static off_t count_blocks(int fd) {
        off_t bytes = lseek(fd, 0, SEEK_END);

        return bytes < 0 ? 0 : bytes / BLOCK_BYTES;
}

static int file_fill(const char *path, const char *name) {
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
        off_t count = fd < 0 ? 0 : count_blocks(fd);
        struct block block;

        if (count == 0)
                return complain("fill", path);
        block_stamp(&block, name, 0);
        for (off_t i = 0; i < count; i++)
                if (pwrite(fd, &block, BLOCK_BYTES, i * BLOCK_BYTES) != BLOCK_BYTES)
                        return complain("fill", path);
        return RESULT_FINE;
}

/* Says how many blocks name somebody else, and when the last of them was written. */
static int file_check(const char *path, const char *name) {
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        off_t count = fd < 0 ? 0 : count_blocks(fd), foreign = 0;
        uint64_t last = 0;

        if (count == 0)
                return complain("check", path);
        for (off_t i = 0; i < count; i++) {
                struct block block;
                struct stamp stamp;

                if (pread(fd, &block, BLOCK_BYTES, i * BLOCK_BYTES) != BLOCK_BYTES)
                        return complain("check", path);
                stamp = block_read_stamp(&block);
                if (strcmp(stamp.name, name) == 0)
                        continue;
                foreign++;
                last = stamp.time > last ? stamp.time : last;
        }
        printf("%jd %" PRIu64 "\n", (intmax_t)foreign, last);
        return foreign == 0 ? RESULT_FINE : RESULT_FOREIGN;
}

static void take_a_breath(void) {
        const struct timespec pause = {.tv_nsec = PAUSE_NSEC};

        (void)nanosleep(&pause, NULL);
}

static int disk_read(const char *path, const char *name) {
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
        off_t count = fd < 0 ? 0 : count_blocks(fd);
        struct block block;

        for (off_t i = 0; count > 0; i = (i + 1) % count) {
                struct stamp stamp;

                if (pread(fd, &block, BLOCK_BYTES, i * BLOCK_BYTES) != BLOCK_BYTES)
                        break;
                stamp = block_read_stamp(&block);
                if (strcmp(stamp.name, name) != 0) {
                        printf("block %jd names %s at %" PRIu64 "\n", (intmax_t)i, stamp.name,
                               now_realtime());
                        return RESULT_FOREIGN;
                }
                take_a_breath();
        }
        return complain("read", path);
}

/* The time in the stamp is that before the write: what was stamped later than X was sent later. */
static int disk_write(const char *path, const char *name) {
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
        off_t count = fd < 0 ? 0 : count_blocks(fd);
        struct block block;

        for (off_t i = 0; count > 0; i = (i + 1) % count) {
                block_stamp(&block, name, now_realtime());
                if (pwrite(fd, &block, BLOCK_BYTES, i * BLOCK_BYTES) != BLOCK_BYTES)
                        break;
                take_a_breath();
        }
        return complain("write", path);
}

int main(int argc, char **argv) {
        static const struct {
                const char *verb;
                int (*run)(const char *path, const char *name);
        } verbs[] = {
                {"fill", file_fill},
                {"check", file_check},
                {"read", disk_read},
                {"write", disk_write},
        };

        for (size_t i = 0; argc == 4 && i < ELEMENTS_OF(verbs); i++)
                if (strcmp(argv[1], verbs[i].verb) == 0)
                        return verbs[i].run(argv[2], argv[3]);
        fputs("stamps fill|check FILE NAME    stamps read|write DISK NAME\n"
              "Exit status: 3 when a block names somebody else, 4 when it cannot read or write.\n",
              stderr);
        return RESULT_USAGE;
}
