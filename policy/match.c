/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "policy/match.h"
#include "policy/value.h"
#include "scsi/inquiry.h"
#include "scsi/lun.h"
#include "util/cleanup.h"

/* The layer above has the transports as an enum, the contract as words. */
static const char *const transports[] = {"fc",  "sas", "iscsi",  "srp",    "spi",
                                         "usb", "ata", "virtio", "pseudo", "unknown"};

enum kind {
        KIND_NUMBER,
        KIND_LUN,
        KIND_SIZE,
        KIND_GLOB,
        KIND_TRANSPORT,
        KIND_TYPE,
        KIND_MODE
};

static const struct {
        const char *name;
        const char *noun;
        enum kind kind;
        enum match_level level;
} keys[] = {
        [MATCH_HOST] = {"Host", "host number", KIND_NUMBER, LEVEL_HOST},
        [MATCH_DRIVER] = {"Driver", "driver", KIND_GLOB, LEVEL_HOST},
        [MATCH_TRANSPORT] = {"Transport", "transport", KIND_TRANSPORT, LEVEL_HOST},
        [MATCH_MODE] = {"Mode", "mode", KIND_MODE, LEVEL_HOST},
        [MATCH_PORT_NAME] = {"PortName", "port name", KIND_GLOB, LEVEL_TARGET},
        [MATCH_LUN] = {"Lun", "LUN", KIND_LUN, LEVEL_LUN},
        [MATCH_TYPE] = {"Type", "type", KIND_TYPE, LEVEL_DEVICE},
        [MATCH_VENDOR] = {"Vendor", "vendor", KIND_GLOB, LEVEL_DEVICE},
        [MATCH_MODEL] = {"Model", "model", KIND_GLOB, LEVEL_DEVICE},
        [MATCH_REVISION] = {"Revision", "revision", KIND_GLOB, LEVEL_DEVICE},
        [MATCH_IDENTITY] = {"Identity", "identity", KIND_GLOB, LEVEL_REMEMBERED},
        [MATCH_SIZE] = {"Size", "size", KIND_SIZE, LEVEL_DEVICE},
};

_Static_assert(ELEMENTS_OF(keys) == MATCH_KEYS, "each key has its row");

int match_find(const char *name, enum match_key *ret) {
        for (size_t i = 0; i < MATCH_KEYS; i++)
                if (strcmp(keys[i].name, name) == 0) {
                        *ret = (enum match_key)i;
                        return 0;
                }
        return -EINVAL;
}

const char *match_name(enum match_key key) {
        return keys[key].name;
}

const char *match_noun(enum match_key key) {
        return keys[key].noun;
}

enum match_level match_level(enum match_key key) {
        return keys[key].level;
}

/* ---- reading ---- */

static int number_parse(const char *text, uint64_t *ret) {
        int64_t number;

        if (integer_parse(text, 0, UINT32_MAX, &number) < 0)
                return -EINVAL;
        *ret = (uint64_t)number;
        return 0;
}

static int lun_parse(const char *text, uint64_t *ret) {
        return scsi_lun_parse(text, ret, NULL);
}

/* "5", or "5-9" with both ends. */
static int range_parse(const char *text, int (*parse)(const char *text, uint64_t *ret),
                       struct match_value *ret) {
        char first[WORD_MAX];
        size_t length = strcspn(text, "-");

        if (length >= sizeof(first))
                return -EINVAL;
        memcpy(first, text, length);
        first[length] = '\0';
        if (parse(first, &ret->min) < 0)
                return -EINVAL;
        if (!text[length])
                ret->max = ret->min;
        else if (parse(text + length + 1, &ret->max) < 0)
                return -EINVAL;
        return ret->min <= ret->max ? 0 : -EINVAL;
}

/* ">=1T", ">1T", "<=1T", "<1T", or a size or a range of sizes. */
static int size_range_parse(const char *text, struct match_value *ret) {
        bool greater = text[0] == '>';
        bool equal = text[0] && text[1] == '=';
        uint64_t size;

        if (!greater && text[0] != '<')
                return range_parse(text, size_parse, ret);
        if (size_parse(text + (equal ? 2 : 1), &size) < 0)
                return -EINVAL;
        /* Nothing is greater than the greatest, or less than nothing. */
        if (!equal && size == (greater ? UINT64_MAX : 0))
                return -EINVAL;
        ret->min = greater ? size + !equal : 0;
        ret->max = greater ? UINT64_MAX : size - !equal;
        return 0;
}

static int transport_check(const char *text) {
        for (size_t i = 0; i < ELEMENTS_OF(transports); i++)
                if (strcmp(transports[i], text) == 0)
                        return 0;
        return -EINVAL;
}

static int type_check(const char *text) {
        for (uint8_t type = 0; type <= SCSI_TYPE_UNKNOWN; type++)
                if (strcmp(scsi_type_name(type), text) == 0)
                        return 0;
        return -EINVAL;
}

/* fnmatch() takes a [ without its ] for itself, which nobody means. */
static int glob_check(const char *text) {
        for (const char *at = text; *at; at++)
                if (*at == '\\' && at[1])
                        at++;
                else if (*at == '\\' || (*at == '[' && !(at = strchr(at + 1, ']'))))
                        return -EINVAL;
        return 0;
}

static int value_parse(enum kind kind, const char *text, struct match_value *ret) {
        switch (kind) {
        case KIND_NUMBER:
                return range_parse(text, number_parse, ret);
        case KIND_LUN:
                return range_parse(text, lun_parse, ret);
        case KIND_SIZE:
                return size_range_parse(text, ret);
        case KIND_GLOB:
                return glob_check(text);
        case KIND_TRANSPORT:
                return transport_check(text);
        case KIND_TYPE:
                return type_check(text);
        case KIND_MODE:
                return strcmp(text, "owner") == 0 || strcmp(text, "observer") == 0 ? 0 : -EINVAL;
        }
        return -EINVAL;
}

static const char *value_expected(enum kind kind) {
        static const char *const expected[] = {
                [KIND_NUMBER] = "a number like 3 or a range like 0-7",
                [KIND_LUN] = "a LUN as Linux prints it, its eight bytes as 0x and 16 digits, or "
                             "a range like 0-15",
                [KIND_SIZE] = "a size like >=1T, <10G or 512M, or a range like 1G-2T",
                [KIND_GLOB] = "a pattern in which each [ has its ] and no \\ comes last",
                [KIND_TRANSPORT] = "fc, sas, iscsi, srp, spi, usb, ata, virtio, pseudo or unknown",
                [KIND_TYPE] = "disk, tape, printer, processor, worm, cd, optical, changer, raid, "
                              "enclosure, rbc, osd, adc, zbc, well-known, none or type-0x..",
                [KIND_MODE] = "owner or observer",
        };

        return expected[kind];
}

static bool kind_is_text(enum kind kind) {
        return kind != KIND_NUMBER && kind != KIND_LUN && kind != KIND_SIZE;
}

static int append(struct match *match, const struct match_value *value) {
        struct match_value *values;

        values = reallocarray(match->values, match->count + 1, sizeof(*values));
        if (!values)
                return -ENOMEM;
        match->values = values;
        values[match->count++] = *value;
        return 0;
}

static int add_word(struct match *match, enum match_key key, const struct word *word,
                    struct policy_error *error) {
        struct match_value value = {.negated = word->negated};
        int r;

        if (value_parse(keys[key].kind, word->text, &value) < 0)
                return policy_expected(error, word->text, "%s", value_expected(keys[key].kind));
        if (match->count == POLICY_VALUES_MAX)
                return policy_expected(error, word->text, "at most %d values", POLICY_VALUES_MAX);
        if (kind_is_text(keys[key].kind)) {
                value.glob = strdup(word->text);
                if (!value.glob)
                        return -ENOMEM;
        }
        r = append(match, &value);
        if (r < 0)
                free(value.glob);
        return r;
}

int match_add(struct match *match, enum match_key key, const char *text,
              struct policy_error *error) {
        size_t before = match->count;
        struct word word;
        int r;

        while ((r = word_next(&text, &word, error)) > 0) {
                r = add_word(match, key, &word, error);
                if (r < 0)
                        return r;
        }
        if (r == 0 && match->count == before)
                return policy_expected(error, "", "%s", value_expected(keys[key].kind));
        return r;
}

void match_done(struct match *match) {
        for (size_t i = 0; i < match->count; i++)
                free(match->values[i].glob);
        free(match->values);
        *match = (struct match){};
}

/* ---- asking ---- */

struct known {
        const char *text;
        uint64_t number;
};

static bool value_holds(const struct match_value *value, const struct known *known) {
        if (value->glob)
                return fnmatch(value->glob, known->text, 0) == 0;
        return known->number >= value->min && known->number <= value->max;
}

static bool match_known(const struct match *match, const struct known *known) {
        bool wanted = false;
        bool held = false;

        for (size_t i = 0; i < match->count; i++) {
                const struct match_value *value = &match->values[i];
                bool holds = value_holds(value, known);

                if (value->negated && holds)
                        return false;
                wanted |= !value->negated;
                held |= !value->negated && holds;
        }
        return held || !wanted;
}

bool match_text(const struct match *match, const char *text) {
        const struct known known = {.text = text};

        return match_known(match, &known);
}

static const char *subject_text(const struct policy_subject *subject, enum match_key key) {
        switch (key) {
        case MATCH_DRIVER:
                return subject->driver;
        case MATCH_TRANSPORT:
                return subject->transport;
        case MATCH_MODE:
                return subject->owner ? "owner" : "observer";
        case MATCH_PORT_NAME:
                return subject->port_name;
        case MATCH_TYPE:
                return subject->type;
        case MATCH_VENDOR:
                return subject->vendor;
        case MATCH_MODEL:
                return subject->model;
        case MATCH_REVISION:
                return subject->revision;
        default:
                assert(key == MATCH_IDENTITY);
                return subject->identity;
        }
}

static bool subject_number(const struct policy_subject *subject, enum match_key key,
                           uint64_t *ret) {
        if (key == MATCH_HOST) {
                *ret = subject->host;
                return subject->has_host;
        }
        if (key == MATCH_LUN) {
                *ret = subject->lun;
                return subject->has_lun;
        }
        *ret = subject->size;
        return subject->has_size;
}

enum tri match_subject(const struct match *match, enum match_key key,
                       const struct policy_subject *subject) {
        struct known known = {};

        if (match->count == 0)
                return TRI_YES;
        if (!kind_is_text(keys[key].kind)) {
                /* A number that does not exist is none of those that are asked for. */
                if (!subject_number(subject, key, &known.number))
                        return subject->complete ? TRI_NO : TRI_MAYBE;
        } else {
                known.text = subject_text(subject, key);
                if (!known.text && !subject->complete)
                        return TRI_MAYBE;
                known.text = known.text ?: "";
        }
        return match_known(match, &known) ? TRI_YES : TRI_NO;
}
