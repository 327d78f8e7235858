/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "policy/section.h"
#include "policy/setting.h"
#include "policy/value.h"
#include "util/cleanup.h"

/*
 * inih says neither on which line it is nor that a section begins, and it cuts what is too long. So
 * lines are checked, counted and looked at for headers on their way to it.
 */

static const char blanks[] = " \t";

static const char *const kind_names[SECTION_KINDS] = {"Rule", "Quirk", "Host"};
static const size_t kind_max[SECTION_KINDS] = {POLICY_RULES_MAX, POLICY_QUIRKS_MAX,
                                               POLICY_HOSTS_MAX};

struct parser {
        struct policy *policy;
        enum policy_file_kind file_kind;
        const char *file;
        const char *at; /* what is left of the text */
        unsigned line;
        bool continued;          /* the line goes on with the value of the one before */
        bool has_key;            /* since the header */
        struct section *section; /* owned */
        struct policy_error *error;
        int result; /* of the first thing that went wrong */
};

static int fail(struct parser *parser, int result, unsigned line) {
        if (parser->result == 0) {
                parser->result = result;
                parser->error->line = line;
        }
        return result;
}

/* ---- the end of a section ---- */

/* A rule's setting may not depend on more than is known where it is used. */
static int check_levels(const struct section *rule, struct policy_error *error) {
        static const char *const of[] = {
                [LEVEL_HOST] =
                        "a whole host, of which number, driver, transport and mode are known",
                [LEVEL_TARGET] = "a whole target, of which LUN and what is attached are not known",
                [LEVEL_LUN] = "what is not attached yet, of which only the place is known",
                [LEVEL_REMEMBERED] =
                        "what is not attached yet, of which place and who was there last are known",
        };

        for (size_t s = 0; s < POLICY_SETTINGS; s++)
                for (size_t key = 0; rule->settings & UINT32_C(1) << s && key < MATCH_KEYS; key++) {
                        enum match_level level = setting_level((enum policy_setting)s);

                        if (rule->matches[key].count == 0 ||
                            match_level((enum match_key)key) <= level)
                                continue;
                        policy_expected(error, "", "%s= for %s",
                                        policy_setting_name((enum policy_setting)s), of[level]);
                        snprintf(error->found, sizeof(error->found),
                                 "Match%s= with %s=", match_name((enum match_key)key),
                                 policy_setting_name((enum policy_setting)s));
                        return -EINVAL;
                }
        return 0;
}

static int check_section(const struct section *section, struct policy_error *error) {
        const struct match *matches = section->matches;

        switch (section->kind) {
        case SECTION_RULE:
                if (!section->settings)
                        return policy_expected(error, section->origin.name,
                                               "a rule with Action= or another setting");
                return check_levels(section, error);
        case SECTION_QUIRK:
                if (matches[MATCH_VENDOR].count == 0 || matches[MATCH_MODEL].count == 0 ||
                    !(section->flags_added | section->flags_removed))
                        return policy_expected(error, section->origin.name,
                                               "a quirk with Vendor=, Model= and Flags=");
                return 0;
        default:
                if (matches[MATCH_DRIVER].count == 0 || !section->has_discovery)
                        return policy_expected(error, section->origin.name,
                                               "a host with Driver= and Discovery=");
                return 0;
        }
}

static int section_end(struct parser *parser) {
        int r;

        if (!parser->section || parser->result < 0)
                return parser->result;
        r = check_section(parser->section, parser->error);
        if (r < 0)
                return fail(parser, r, parser->section->origin.line);
        r = policy_add(parser->policy, parser->section);
        if (r < 0)
                return fail(parser, r, parser->line);
        parser->section = NULL;
        return 0;
}

/* ---- its header ---- */

static const char *header_expected(const struct parser *parser) {
        if (parser->file_kind == POLICY_FILE_RULES)
                return "[Rule NAME], the name of 1 to 40 letters, digits, - _ and .";
        return "[Quirk NAME] or [Host NAME], the name of 1 to 40 letters, digits, - _ and .";
}

/* -EINVAL: no such kind of section in such a file, or not its form. */
static int header_parse(const struct parser *parser, const char *text, enum section_kind *ret_kind,
                        char name[static POLICY_NAME_MAX]) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-_.";
        bool rules = parser->file_kind == POLICY_FILE_RULES;
        char word[8];
        int end = 0;

        if (sscanf(text, "[%7[A-Za-z]%*[ \t]%40[^] \t]]%n", word, name, &end) < 2 || end == 0)
                return -EINVAL;
        if (name[strspn(name, allowed)])
                return -EINVAL;
        text += end;
        text += strspn(text, " \t\r\n");
        if (*text && *text != ';' && *text != '#')
                return -EINVAL;
        for (size_t kind = 0; kind < SECTION_KINDS; kind++)
                if (strcmp(kind_names[kind], word) == 0 && rules == (kind == SECTION_RULE)) {
                        *ret_kind = (enum section_kind)kind;
                        return 0;
                }
        return -EINVAL;
}

static int section_begin(struct parser *parser, const char *text) {
        char name[POLICY_NAME_MAX];
        const struct section *other;
        enum section_kind kind;

        if (section_end(parser) < 0)
                return parser->result;
        if (header_parse(parser, text, &kind, name) < 0) {
                policy_expected(parser->error, "", "%s", header_expected(parser));
                snprintf(parser->error->found, sizeof(parser->error->found), "%.*s",
                         (int)strcspn(text, "\r\n"), text);
                return fail(parser, -EINVAL, parser->line);
        }
        other = policy_find(parser->policy, kind, name);
        if (other) {
                policy_expected(parser->error, name, "another name, %s:%u has this one",
                                other->origin.file, other->origin.line);
                return fail(parser, -EINVAL, parser->line);
        }
        if (parser->policy->sections[kind].count == kind_max[kind]) {
                policy_expected(parser->error, name, "at most %zu sections [%s NAME]",
                                kind_max[kind], kind_names[kind]);
                return fail(parser, -EINVAL, parser->line);
        }
        parser->section = section_new(kind, name, parser->file, parser->line);
        if (!parser->section)
                return fail(parser, -ENOMEM, parser->line);
        parser->has_key = false;
        return 0;
}

/* ---- its keys ---- */

static int say_again(struct parser *parser, const char *name) {
        return policy_expected(parser->error, name,
                               "each key once in a section; more values of a list follow on a line "
                               "that begins with a blank");
}

static int parse_match(struct parser *parser, const char *name, enum match_key key,
                       const char *value) {
        struct match *match = &parser->section->matches[key];

        if (match->count > 0 && !parser->continued)
                return say_again(parser, name);
        return match_add(match, key, value, parser->error);
}

static int unknown_rule_key(struct parser *parser, const char *name) {
        if (strncmp(name, "Match", 5) == 0)
                return policy_expected(
                        parser->error, name,
                        "MatchHost, MatchDriver, MatchTransport, MatchMode, MatchPortName, "
                        "MatchLun, MatchType, MatchVendor, MatchModel, MatchRevision, "
                        "MatchIdentity or MatchSize");
        return policy_expected(parser->error, name,
                               "Action, OnRequest, WhenMissing, WhenReplaced, WhenGrown, "
                               "PollInterval, CommandTimeout, AttachDeadline, Retries, Commands, "
                               "Order, Wildcard, or a key that begins with Match");
}

static int parse_rule_key(struct parser *parser, const char *name, const char *value) {
        struct section *rule = parser->section;
        enum policy_setting setting;
        enum match_key key;
        int r;

        if (strncmp(name, "Match", 5) == 0 && match_find(name + 5, &key) >= 0)
                return parse_match(parser, name, key, value);
        if (setting_find(name, &setting) < 0)
                return unknown_rule_key(parser, name);
        if (rule->settings & UINT32_C(1) << setting)
                return say_again(parser, name);
        r = setting_parse(setting, value, &rule->values[setting], parser->error);
        if (r >= 0)
                rule->settings |= UINT32_C(1) << setting;
        return r;
}

static int parse_quirk_key(struct parser *parser, const char *name, const char *value) {
        struct section *quirk = parser->section;

        if (strcmp(name, "Vendor") == 0)
                return parse_match(parser, name, MATCH_VENDOR, value);
        if (strcmp(name, "Model") == 0)
                return parse_match(parser, name, MATCH_MODEL, value);
        if (strcmp(name, "Flags") != 0)
                return policy_expected(parser->error, name, "Vendor, Model or Flags");
        if ((quirk->flags_added | quirk->flags_removed) && !parser->continued)
                return say_again(parser, name);
        return quirk_parse(quirk, value, parser->error);
}

static int parse_host_key(struct parser *parser, const char *name, const char *value) {
        struct section *host = parser->section;

        if (strcmp(name, "Driver") == 0)
                return parse_match(parser, name, MATCH_DRIVER, value);
        if (strcmp(name, "Discovery") != 0)
                return policy_expected(parser->error, name, "Driver or Discovery");
        if (host->has_discovery)
                return say_again(parser, name);
        host->has_discovery = true;
        return discovery_parse(value, &host->discovery, parser->error);
}

static int parse_key(struct parser *parser, const char *name, const char *value) {
        int r;

        switch (parser->section->kind) {
        case SECTION_RULE:
                r = parse_rule_key(parser, name, value);
                break;
        case SECTION_QUIRK:
                r = parse_quirk_key(parser, name, value);
                break;
        default:
                r = parse_host_key(parser, name, value);
                break;
        }
        if (r == 0)
                r = parser->continued ? section_tell(parser->section, " %s\n", value)
                                      : section_tell(parser->section, "%s=%s\n", name, value);
        return r;
}

/* The error names the key beside what was found of its value. */
static void name_key(struct policy_error *error, const char *name) {
        char found[sizeof(error->found)];

        if (strcmp(error->found, name) == 0)
                return;
        memcpy(found, error->found, sizeof(found));
        snprintf(error->found, sizeof(error->found), "%.48s=%.150s", name, found);
}

static int on_key(void *user, const char *header, const char *name, const char *value) {
        struct parser *parser = user;
        int r;

        if (parser->result < 0)
                return 0;
        if (!parser->section) {
                policy_expected(parser->error, name, "%s before it", header_expected(parser));
                fail(parser, -EINVAL, parser->line);
                return 0;
        }
        r = parse_key(parser, name, value);
        parser->has_key = true;
        if (r == -EINVAL)
                name_key(parser->error, name);
        if (r < 0)
                fail(parser, r, parser->line);
        return r >= 0;
}

/* ---- lines ---- */

/* What is printable ASCII can be shown anywhere; comments are for people, and may be in any
 * language. */
static int check_line(struct parser *parser, const char *line, size_t length, int room) {
        const char *start = line + strspn(line, blanks);

        if (length > POLICY_LINE_MAX || (int)length + 2 > room)
                return policy_expected(parser->error, "a line that is too long",
                                       "at most %d bytes; a list goes on on a line that begins "
                                       "with a blank",
                                       POLICY_LINE_MAX);
        if (*start == '#' || *start == ';')
                return 0;
        for (size_t i = 0; i < length; i++) {
                unsigned char byte = (unsigned char)line[i];

                if ((byte >= 0x20 && byte <= 0x7e) || byte == '\t' ||
                    (byte == '\r' && i + 1 == length))
                        continue;
                policy_expected(parser->error, "", "printable ASCII but in lines of comment");
                snprintf(parser->error->found, sizeof(parser->error->found), "byte %02xh", byte);
                return -EINVAL;
        }
        return 0;
}

static int bad_line(struct parser *parser, const char *start, const char *expected) {
        policy_expected(parser->error, "", "%s%s", header_expected(parser), expected);
        snprintf(parser->error->found, sizeof(parser->error->found), "%.*s",
                 (int)strcspn(start, "\r\n"), start);
        return fail(parser, -EINVAL, parser->line);
}

/* What goes on with a list may not look like something else that was only indented. */
static int look_at_indented(struct parser *parser, const char *start) {
        size_t word = strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ \t");

        if (!parser->has_key || *start == '[' || start[word] == '=')
                return bad_line(parser, start,
                                ", or KEY=VALUE, where the line begins; values that look like one "
                                "of them in quotes");
        parser->continued = true;
        return 0;
}

/* A header, a key, or what goes on with one; `start` is behind the blanks. */
static int look_at_line(struct parser *parser, const char *start, bool indented) {
        size_t name = strcspn(start, "=:;");

        parser->continued = false;
        if (*start == '\0' || strchr("#;\r\n", *start))
                return 0;
        if (indented)
                return look_at_indented(parser, start);
        if (*start == '[')
                return section_begin(parser, start);
        if (name > 0 && start[name] == '=')
                return 0;
        return bad_line(parser, start, ", or KEY=VALUE");
}

/* As fgets(), for inih. */
static char *next_line(char *buffer, int room, void *user) {
        struct parser *parser = user;
        size_t length = strcspn(parser->at, "\n");
        const char *start;

        if (!*parser->at || parser->result < 0)
                return NULL;
        parser->line++;
        if (check_line(parser, parser->at, length, room) < 0) {
                fail(parser, -EINVAL, parser->line);
                return NULL;
        }
        length += parser->at[length] == '\n';
        memcpy(buffer, parser->at, length);
        buffer[length] = '\0';
        parser->at += length;

        start = buffer + strspn(buffer, blanks);
        return look_at_line(parser, start, start > buffer) < 0 ? NULL : buffer;
}

int policy_parse(struct policy *policy, enum policy_file_kind kind, const char *file,
                 const char *text, struct policy_error *ret_error) {
        struct parser parser = {
                .policy = policy, .file_kind = kind, .file = file, .at = text, .error = ret_error};
        int r;

        *ret_error = (struct policy_error){};
        snprintf(ret_error->file, sizeof(ret_error->file), "%s", file);
        policy->bytes += strlen(text);
        if (policy->bytes > POLICY_BYTES_MAX)
                return policy_expected(ret_error, "too much text",
                                       "at most %d bytes in all files together", POLICY_BYTES_MAX);

        r = ini_parse_stream(next_line, &parser, on_key, &parser);
        if (r < 0)
                fail(&parser, -ENOMEM, 0);
        else if (r > 0 && parser.result == 0) {
                policy_expected(ret_error, "not understood", "%s, or KEY=VALUE",
                                header_expected(&parser));
                fail(&parser, -EINVAL, (unsigned)r);
        }
        section_end(&parser);
        section_free(parser.section);
        return parser.result;
}
