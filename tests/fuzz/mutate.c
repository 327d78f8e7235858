/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "util/cleanup.h"

/*
 * For compilers without libFuzzer: mutate FIRST COUNT FILE... tries mutations of the files, one for
 * each of COUNT seeds from FIRST on. A seed makes the same text everywhere. What fails ends the
 * process; the last line that was printed says among which seeds, and with COUNT 1 which one.
 */

enum {
        BYTES_MAX = 4096,
        CHANGES_MAX = 12,
        BATCH = 100
};

struct text {
        uint8_t bytes[BYTES_MAX];
        size_t length;
};

static uint32_t any(uint64_t *state, uint32_t end) {
        /* Knuth's MMIX; its high bits are good enough for this. */
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t)(((*state >> 33) * end) >> 31);
}

/* Takes `removed` bytes at a place out and puts others in, as far as there is room. */
static void splice(struct text *text, size_t at, size_t removed, const void *bytes, size_t length) {
        size_t rest = text->length - at - removed;

        if (at + length + rest > BYTES_MAX)
                return;
        memmove(text->bytes + at + length, text->bytes + at + removed, rest);
        memcpy(text->bytes + at, bytes, length);
        text->length = at + length + rest;
}

static size_t line_begin(const struct text *text, size_t at) {
        while (at > 0 && text->bytes[at - 1] != '\n')
                at--;
        return at;
}

/* With its newline. */
static size_t line_length(const struct text *text, size_t begin) {
        size_t end = begin;

        while (end < text->length && text->bytes[end] != '\n')
                end++;
        return end - begin + (end < text->length);
}

static void change_word(struct text *text, uint64_t *state, size_t at) {
        static const char *const words[] = {
                "[Rule x]\n",
                "[Quirk x]\n",
                "[Host x]\n",
                "Action=",
                "MatchLun=",
                "MatchSize=",
                "Flags=",
                "Vendor=a\n",
                "Model=b\n",
                "-",
                "!",
                "\"",
                "[",
                "]",
                "\\",
                "*",
                " ",
                "\t",
                "\n ",
                "\r\n",
                " ;",
                "#",
                "=",
                "0x",
                ">=",
                "18446744073709551615",
                "99999999999999999999",
                "P",
                "off",
                "ms",
                "4294967295",
                "\xff",
                "",
        };
        const char *word = words[any(state, ELEMENTS_OF(words))];

        splice(text, at, 0, word, strlen(word));
}

static void change_line(struct text *text, uint64_t *state, size_t at) {
        size_t begin = line_begin(text, at);
        size_t length = line_length(text, begin);
        uint8_t line[BYTES_MAX];
        size_t to;

        memcpy(line, text->bytes + begin, length);
        if (any(state, 2))
                splice(text, begin, length, "", 0);
        if (any(state, 3) > 0) {
                to = line_begin(text, any(state, (uint32_t)text->length + 1));
                splice(text, to, 0, line, length);
        }
}

static void change(struct text *text, uint64_t *state) {
        size_t at = any(state, (uint32_t)text->length + 1);
        size_t rest = text->length - at;
        uint8_t byte = (uint8_t)any(state, 256);

        switch (any(state, 6)) {
        case 0:
                splice(text, at, rest > 0, &byte, 1);
                break;
        case 1:
                splice(text, at, any(state, rest < 20 ? (uint32_t)rest + 1 : 20), "", 0);
                break;
        case 2:
                for (uint32_t n = any(state, 250); n > 0; n--)
                        splice(text, at, 0, &byte, 1);
                break;
        case 3:
                change_word(text, state, at);
                break;
        default:
                change_line(text, state, at);
                break;
        }
}

static int read_file(const char *path, struct text *ret) {
        FILE *file = fopen(path, "re");

        if (!file)
                return -1;
        ret->length = fread(ret->bytes, 1, sizeof(ret->bytes), file);
        return fclose(file);
}

int main(int argc, char **argv) {
        uint64_t first = argc > 3 ? strtoull(argv[1], NULL, 10) : 0;
        uint64_t count = argc > 3 ? strtoull(argv[2], NULL, 10) : 0;

        if (count == 0) {
                fprintf(stderr, "usage: %s FIRST COUNT FILE...\n", argv[0]);
                return 2;
        }
        for (uint64_t seed = first; seed < first + count; seed++) {
                uint64_t state = seed;
                struct text text;

                if ((seed - first) % BATCH == 0) {
                        printf("seeds from %" PRIu64 "\n", seed);
                        fflush(stdout);
                }
                if (read_file(argv[3 + any(&state, (uint32_t)argc - 3)], &text) < 0) {
                        perror("a file of the corpus");
                        return 2;
                }
                for (uint32_t n = any(&state, CHANGES_MAX); n > 0; n--)
                        change(&text, &state);
                LLVMFuzzerTestOneInput(text.bytes, text.length);
        }
        printf("%" PRIu64 " texts\n", count);
        return 0;
}
