/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/section.h"
#include "policy/setting.h"
#include "util/cleanup.h"

struct section *section_new(enum section_kind kind, const char *name, const char *file,
                            unsigned line) {
        _cleanup_(section_freep) struct section *section = calloc(1, sizeof(*section));

        if (!section)
                return NULL;
        section->kind = kind;
        section->origin.name = strdup(name);
        section->origin.file = strdup(file);
        section->origin.text = strdup("");
        section->origin.line = line;
        if (!section->origin.name || !section->origin.file || !section->origin.text)
                return NULL;
        return TAKE_PTR(section);
}

void section_free(struct section *section) {
        if (!section)
                return;
        for (size_t i = 0; i < MATCH_KEYS; i++)
                match_done(&section->matches[i]);
        free(section->origin.name);
        free(section->origin.file);
        free(section->origin.text);
        free(section);
}

int section_tell(struct section *section, const char *format, ...) {
        _cleanup_(freep) char *more = NULL;
        size_t length = strlen(section->origin.text);
        va_list arguments;
        char *text;
        int r;

        va_start(arguments, format);
        r = vasprintf(&more, format, arguments);
        va_end(arguments);
        if (r < 0) {
                more = NULL;
                return -ENOMEM;
        }
        text = realloc(section->origin.text, length + (size_t)r + 1);
        if (!text)
                return -ENOMEM;
        memcpy(text + length, more, (size_t)r + 1);
        section->origin.text = text;
        return 0;
}

struct policy *policy_new(const struct policy_limits *defaults) {
        struct policy *policy = calloc(1, sizeof(*policy));

        if (policy)
                setting_defaults(defaults, policy->defaults);
        return policy;
}

void policy_free(struct policy *policy) {
        if (!policy)
                return;
        for (size_t kind = 0; kind < SECTION_KINDS; kind++) {
                for (size_t i = 0; i < policy->sections[kind].count; i++)
                        section_free(policy->sections[kind].items[i]);
                free(policy->sections[kind].items);
        }
        free(policy);
}

const struct section *policy_find(const struct policy *policy, enum section_kind kind,
                                  const char *name) {
        const struct section_list *list = &policy->sections[kind];

        for (size_t i = 0; i < list->count; i++)
                if (strcmp(list->items[i]->origin.name, name) == 0)
                        return list->items[i];
        return NULL;
}

int policy_add(struct policy *policy, struct section *section) {
        struct section_list *list = &policy->sections[section->kind];
        struct section **items;

        items = reallocarray(list->items, list->count + 1, sizeof(struct section *));
        if (!items)
                return -ENOMEM;
        list->items = items;
        items[list->count++] = section;
        return 0;
}

size_t policy_rule_count(const struct policy *policy) {
        return policy->sections[SECTION_RULE].count;
}

const struct policy_rule *policy_rule_at(const struct policy *policy, size_t index) {
        assert(index < policy_rule_count(policy));
        return &policy->sections[SECTION_RULE].items[index]->origin;
}

char *policy_error_format(const struct policy_error *error) {
        char *text;
        int r;

        if (error->line > 0)
                r = asprintf(&text, "%s:%u: %s: expected %s", error->file, error->line,
                             error->found, error->expected);
        else
                r = asprintf(&text, "%s: %s: expected %s", error->file, error->found,
                             error->expected);
        return r < 0 ? NULL : text;
}
