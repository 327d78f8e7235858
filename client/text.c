/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/cleanup.h"
#include "client/text.h"

char *text_from_size(uint64_t bytes) {
        static const char units[] = "BKMGTPE";
        size_t unit = 0;
        uint64_t divisor = 1;
        unsigned tenths;
        char *text;

        while (unit + 2 < sizeof(units) && bytes / divisor >= 1024) {
                divisor *= 1024;
                unit++;
        }
        tenths = (unsigned)((bytes % divisor) * 10.0 / (double)divisor + 0.5);
        bytes = bytes / divisor + tenths / 10;
        tenths %= 10;
        if (tenths == 0)
                return asprintf(&text, "%lu%c", bytes, units[unit]) < 0 ? NULL : text;
        return asprintf(&text, "%lu.%u%c", bytes, tenths, units[unit]) < 0 ? NULL : text;
}

char *text_from_time(uint64_t usec, bool fraction) {
        time_t seconds = (time_t)(usec / 1000000);
        struct tm tm = {};
        char date[32], *text;

        localtime_r(&seconds, &tm);
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
        if (!fraction)
                return strdup(date);
        return asprintf(&text, "%s.%06u", date, (unsigned)(usec % 1000000)) < 0 ? NULL : text;
}

static const char *const summary_words[] = {"attached",  "detached", "changed",
                                            "unchanged", "failed",   "skipped"};

static bool summary_word_known(const char *word) {
        for (size_t i = 0; i < ELEMENTS_OF(summary_words); i++)
                if (strcmp(summary_words[i], word) == 0)
                        return true;
        return false;
}

static void summary_add(FILE *stream, const char *word, struct json_object *count, bool all) {
        uint64_t number = json_object_get_uint64(count);

        if (number > 0 || all)
                fprintf(stream, "%s%lu %s", ftell(stream) > 0 ? ", " : "", number, word);
}

char *text_from_summary(struct json_object *summary, bool all) {
        struct json_object *count;
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        if (!stream)
                return NULL;
        for (size_t i = 0; i < ELEMENTS_OF(summary_words); i++)
                if (json_object_object_get_ex(summary, summary_words[i], &count))
                        summary_add(stream, summary_words[i], count, all);
        if (json_object_is_type(summary, json_type_object)) {
                json_object_object_foreach(summary, word, value) {
                        if (!summary_word_known(word))
                                summary_add(stream, word, value, all);
                }
        }
        fclose(stream);
        return text;
}

const char *text_scope(const char *scope) {
        return *scope ? scope : "everything";
}

const char *text_state_color(const char *state) {
        static const struct {
                const char *state;
                const char *color;
        } colors[] = {
                /* devices and hosts, in the kernel's words */
                {"offline", "red"},
                {"transport-offline", "red"},
                {"deleted", "red"},
                {"quiesce", "yellow"},
                {"blocked", "yellow"},
                {"recovery", "yellow"},
                /* ports, in those of their transports */
                {"Offline", "red"},
                {"Not Present", "red"},
                {"FAILED", "red"},
                {"Blocked", "yellow"},
                /* ours: standing of devices, hosts, jobs */
                {"replaced", "red"},
                {"missing", "red"},
                {"quarantined", "yellow"},
                {"stuck", "red"},
                {"failed", "red"},
                {"cancelled", "yellow"},
        };

        for (size_t i = 0; i < ELEMENTS_OF(colors); i++)
                if (strcmp(colors[i].state, state) == 0)
                        return colors[i].color;
        return NULL;
}

const char *text_color_sequence(const char *color) {
        if (!color)
                return "";
        if (strcmp(color, "red") == 0)
                return "\033[31m";
        if (strcmp(color, "yellow") == 0)
                return "\033[33m";
        if (strcmp(color, "green") == 0)
                return "\033[32m";
        if (strcmp(color, "underline") == 0)
                return "\033[4m";
        return "\033[1m";
}
