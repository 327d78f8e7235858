/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/setting.h"
#include "policy/value.h"
#include "util/cleanup.h"

enum kind {
        KIND_WORDS, /* value: index into words */
        KIND_NUMBER,
        KIND_SPAN, /* ms */
        KIND_SPAN_OR_OFF,
};

static const struct {
        const char *name;
        enum kind kind;
        enum match_level level;
        int64_t min;
        int64_t max;
        const char *words[4];
        const char *expected;
} settings[] = {
        [POLICY_ACTION] = {.name = "Action",
                           .kind = KIND_WORDS,
                           .level = LEVEL_DEVICE,
                           .words = {"attach", "ignore", "quarantine"},
                           .expected = "attach, ignore or quarantine"},
        [POLICY_ON_REQUEST] = {.name = "OnRequest",
                               .kind = KIND_WORDS,
                               .level = LEVEL_DEVICE,
                               .words = {"refuse", "warn"},
                               .expected = "refuse or warn"},
        [POLICY_WHEN_MISSING] = {.name = "WhenMissing",
                                 .kind = KIND_WORDS,
                                 .level = LEVEL_DEVICE,
                                 .words = {"detach", "keep"},
                                 .expected = "detach or keep"},
        [POLICY_WHEN_REPLACED] = {.name = "WhenReplaced",
                                  .kind = KIND_WORDS,
                                  .level = LEVEL_DEVICE,
                                  .words = {"reattach", "wait"},
                                  .expected = "reattach or wait"},
        [POLICY_WHEN_GROWN] = {.name = "WhenGrown",
                               .kind = KIND_WORDS,
                               .level = LEVEL_DEVICE,
                               .words = {"refresh", "tell"},
                               .expected = "refresh or tell"},
        [POLICY_POLL_INTERVAL] = {.name = "PollInterval",
                                  .kind = KIND_SPAN_OR_OFF,
                                  .level = LEVEL_DEVICE,
                                  .min = 1000,
                                  .max = 86400000,
                                  .expected = "a time span from 1s to 1d like 30s or 5min, or off"},
        [POLICY_COMMAND_TIMEOUT] = {.name = "CommandTimeout",
                                    .kind = KIND_SPAN,
                                    .level = LEVEL_DEVICE,
                                    .min = 100,
                                    .max = 600000,
                                    .expected =
                                            "a time span from 100ms to 10min like 500ms or 10s"},
        [POLICY_ATTACH_DEADLINE] = {.name = "AttachDeadline",
                                    .kind = KIND_SPAN,
                                    .level = LEVEL_LUN,
                                    .min = 1000,
                                    .max = 3600000,
                                    .expected = "a time span from 1s to 1h like 60s or 5min"},
        [POLICY_RETRIES] = {.name = "Retries",
                            .kind = KIND_NUMBER,
                            .level = LEVEL_DEVICE,
                            .max = 20,
                            .expected = "a whole number from 0 to 20"},
        [POLICY_COMMANDS] = {.name = "Commands",
                             .kind = KIND_NUMBER,
                             .level = LEVEL_HOST,
                             .min = 1,
                             .max = 4,
                             .expected = "a whole number from 1 to 4"},
        [POLICY_ORDER] = {.name = "Order",
                          .kind = KIND_NUMBER,
                          .level = LEVEL_REMEMBERED,
                          .min = -1000,
                          .max = 1000,
                          .expected = "a whole number from -1000 to 1000"},
        [POLICY_WILDCARD] = {.name = "Wildcard",
                             .kind = KIND_WORDS,
                             .level = LEVEL_TARGET,
                             .words = {"no", "yes"},
                             .expected = "yes or no"},
};

_Static_assert(ELEMENTS_OF(settings) == POLICY_SETTINGS, "each setting has its row");

int setting_find(const char *name, enum policy_setting *ret) {
        for (size_t i = 0; i < POLICY_SETTINGS; i++)
                if (strcmp(settings[i].name, name) == 0) {
                        *ret = (enum policy_setting)i;
                        return 0;
                }
        return -EINVAL;
}

enum match_level setting_level(enum policy_setting setting) {
        return settings[setting].level;
}

const char *policy_setting_name(enum policy_setting setting) {
        assert(setting < POLICY_SETTINGS);
        return settings[setting].name;
}

static int words_parse(const char *const words[static 4], const char *text, int64_t *ret) {
        for (int i = 0; i < 4 && words[i]; i++)
                if (strcmp(words[i], text) == 0) {
                        *ret = i;
                        return 0;
                }
        return -EINVAL;
}

static int span_in_range(enum policy_setting setting, const char *text, int64_t *ret) {
        uint64_t ms;

        if (settings[setting].kind == KIND_SPAN_OR_OFF &&
            (strcmp(text, "off") == 0 || strcmp(text, "0") == 0)) {
                *ret = 0;
                return 0;
        }
        if (span_parse(text, &ms) < 0 || ms < (uint64_t)settings[setting].min ||
            ms > (uint64_t)settings[setting].max)
                return -EINVAL;
        *ret = (int64_t)ms;
        return 0;
}

static int value_parse(enum policy_setting setting, const char *text, int64_t *ret) {
        switch (settings[setting].kind) {
        case KIND_WORDS:
                return words_parse(settings[setting].words, text, ret);
        case KIND_NUMBER:
                return integer_parse(text, settings[setting].min, settings[setting].max, ret);
        case KIND_SPAN:
        case KIND_SPAN_OR_OFF:
                return span_in_range(setting, text, ret);
        }
        return -EINVAL;
}

int setting_parse(enum policy_setting setting, const char *text, int64_t *ret,
                  struct policy_error *error) {
        if (value_parse(setting, text, ret) < 0)
                return policy_expected(error, text, "%s", settings[setting].expected);
        return 0;
}

void setting_defaults(const struct policy_limits *limits, int64_t ret[static POLICY_SETTINGS]) {
        ret[POLICY_ACTION] = POLICY_ATTACH;
        ret[POLICY_ON_REQUEST] = POLICY_REFUSE;
        ret[POLICY_WHEN_MISSING] = limits->remove_missing ? POLICY_OF_ITSELF : POLICY_TELL_ONLY;
        ret[POLICY_WHEN_REPLACED] = limits->reattach_replaced ? POLICY_OF_ITSELF : POLICY_TELL_ONLY;
        ret[POLICY_WHEN_GROWN] = POLICY_OF_ITSELF;
        ret[POLICY_POLL_INTERVAL] = limits->poll_interval_ms;
        ret[POLICY_COMMAND_TIMEOUT] = limits->command_timeout_ms;
        ret[POLICY_ATTACH_DEADLINE] = limits->attach_deadline_ms;
        ret[POLICY_RETRIES] = limits->retries;
        ret[POLICY_COMMANDS] = settings[POLICY_COMMANDS].max;
        ret[POLICY_ORDER] = 0;
        ret[POLICY_WILDCARD] = limits->wildcard;
}

void policy_decision_limits(const struct policy_decision *decision, struct policy_limits *limits) {
        const struct policy_verdict *verdicts = decision->settings;

        limits->remove_missing = verdicts[POLICY_WHEN_MISSING].value == POLICY_OF_ITSELF;
        limits->reattach_replaced = verdicts[POLICY_WHEN_REPLACED].value == POLICY_OF_ITSELF;
        limits->poll_interval_ms = (uint32_t)verdicts[POLICY_POLL_INTERVAL].value;
        limits->command_timeout_ms = (uint32_t)verdicts[POLICY_COMMAND_TIMEOUT].value;
        limits->attach_deadline_ms = (uint32_t)verdicts[POLICY_ATTACH_DEADLINE].value;
        limits->retries = (uint32_t)verdicts[POLICY_RETRIES].value;
        limits->wildcard = verdicts[POLICY_WILDCARD].value;
}

const char *policy_action_name(enum policy_action action) {
        return action == POLICY_ASK ? "ask" : settings[POLICY_ACTION].words[action];
}

const char *policy_setting_format(enum policy_setting setting, int64_t value,
                                  char buffer[static POLICY_VALUE_MAX]) {
        const char *word = NULL;

        assert(setting < POLICY_SETTINGS);

        if (setting == POLICY_ACTION)
                word = policy_action_name((enum policy_action)value);
        else if (settings[setting].kind == KIND_WORDS)
                word = settings[setting].words[value];
        else if (settings[setting].kind == KIND_SPAN_OR_OFF && value == 0)
                word = "off";

        if (word)
                snprintf(buffer, POLICY_VALUE_MAX, "%s", word);
        else if (settings[setting].kind == KIND_NUMBER)
                snprintf(buffer, POLICY_VALUE_MAX, "%" PRId64, value);
        else
                span_format((uint64_t)value, buffer, POLICY_VALUE_MAX);
        return buffer;
}
