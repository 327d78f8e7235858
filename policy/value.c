/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/policy.h"
#include "policy/value.h"
#include "util/cleanup.h"

static const char blanks[] = " \t";
static const char digits[] = "0123456789";

int policy_expected(struct policy_error *error, const char *found, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        /* clang 14 does not see the va_start() above. */
        vsnprintf(error->expected, sizeof(error->expected), format, /* NOLINT */ arguments);
        va_end(arguments);
        snprintf(error->found, sizeof(error->found), "%s", found);
        return -EINVAL;
}

int word_next(const char **cursor, struct word *ret, struct policy_error *error) {
        const char *at = *cursor + strspn(*cursor, blanks);
        bool quoted;
        size_t length;

        if (!*at)
                return 0;
        ret->negated = *at == '!';
        at += ret->negated;
        quoted = *at == '"';
        at += quoted;
        length = strcspn(at, quoted ? "\"" : " \t\"");
        if (quoted && at[length] != '"')
                return policy_expected(error, *cursor, "a closing \" on the same line");
        if (length == 0 && !quoted)
                return policy_expected(error, *cursor, "a value behind the !");
        if (length >= sizeof(ret->text))
                return policy_expected(error, *cursor, "at most %zu characters",
                                       sizeof(ret->text) - 1);
        memcpy(ret->text, at, length);
        ret->text[length] = '\0';
        at += length + quoted;
        if (*at && !strchr(blanks, *at))
                return policy_expected(error, *cursor,
                                       "a blank between values, and \" only around a whole value");
        *cursor = at;
        return 1;
}

/* The digits at *cursor, and moves it behind them. */
static int number_read(const char **cursor, uint64_t max, uint64_t *ret) {
        uint64_t value = 0;
        const char *at = *cursor;

        if (!*at || !strchr(digits, *at))
                return -EINVAL;
        for (; *at && strchr(digits, *at); at++) {
                uint64_t digit = (uint64_t)(*at - '0');

                if (digit > max || value > (max - digit) / 10)
                        return -EINVAL;
                value = value * 10 + digit;
        }
        *cursor = at;
        *ret = value;
        return 0;
}

int integer_parse(const char *text, int64_t min, int64_t max, int64_t *ret) {
        bool negative = min < 0 && *text == '-';
        uint64_t magnitude;
        int64_t value;

        text += negative;
        if (number_read(&text, INT64_MAX, &magnitude) < 0 || *text)
                return -EINVAL;
        value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
        if (value < min || value > max)
                return -EINVAL;
        *ret = value;
        return 0;
}

static const struct {
        const char *name;
        uint64_t factor;
} span_units[] = {
        {"d", UINT64_C(86400000)},
        {"h", 3600000},
        {"min", 60000},
        {"s", 1000},
        {"ms", 1},
        {"sec", 1000},
};

/* What the unit at *cursor stands for in ms, 0 for none; a number without one is in seconds. */
static uint64_t unit_read(const char **cursor) {
        size_t length = strcspn(*cursor, " \t0123456789");

        if (length == 0)
                return 1000;
        for (size_t i = 0; i < ELEMENTS_OF(span_units); i++)
                if (strlen(span_units[i].name) == length &&
                    memcmp(*cursor, span_units[i].name, length) == 0) {
                        *cursor += length;
                        return span_units[i].factor;
                }
        return 0;
}

int span_parse(const char *text, uint64_t *ret_ms) {
        uint64_t sum = 0;

        text += strspn(text, blanks);
        do {
                uint64_t number;
                uint64_t factor;

                /* No sum of a line's worth of such numbers overflows. */
                if (number_read(&text, UINT32_MAX, &number) < 0)
                        return -EINVAL;
                text += strspn(text, blanks);
                factor = unit_read(&text);
                if (factor == 0)
                        return -EINVAL;
                sum += number * factor;
                text += strspn(text, blanks);
        } while (*text);

        *ret_ms = sum;
        return 0;
}

const char *span_format(uint64_t ms, char *buffer, size_t size) {
        size_t i = 0;

        while (ms % span_units[i].factor != 0)
                i++;
        snprintf(buffer, size, "%" PRIu64 "%s", ms / span_units[i].factor, span_units[i].name);
        return buffer;
}

int size_parse(const char *text, uint64_t *ret) {
        static const char units[] = "KMGTPE";
        uint64_t value;

        if (number_read(&text, UINT64_MAX, &value) < 0)
                return -EINVAL;
        if (*text) {
                const char *unit = strchr(units, *text);
                unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

                if (!unit || text[1] || value > UINT64_MAX >> shift)
                        return -EINVAL;
                value <<= shift;
        }
        *ret = value;
        return 0;
}
