/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "tests/fuzz/fuzz.h"
#include "util/cleanup.h"

/* Any text is a policy or has an error, and what holds for all of either holds. */

static const struct policy_subject subjects[] = {
        {},
        {.owner = true},
        {.complete = true},
        {.owner = true,
         .has_host = true,
         .host = 3,
         .driver = "qla2xxx",
         .transport = "fc",
         .port_name = "naa.5000",
         .has_lun = true,
         .lun = 5},
        /* [Rule two] of the corpus, by the first and by the last LUN that it has. */
        {.has_lun = true,
         .lun = 1,
         .port_name = "naa.5000",
         .type = "disk",
         .vendor = "AX",
         .model = "Virtual disk",
         .revision = "1.0",
         .identity = "naa.6000",
         .has_size = true,
         .size = UINT64_C(1) << 40},
        {.complete = true,
         .has_lun = true,
         .lun = 300,
         .port_name = "iqn.2024-01.org:a,t,0x1",
         .type = "tape",
         .vendor = "BX",
         .model = "Virtual disk",
         .revision = "1.0",
         .identity = "t10.*",
         .has_size = true,
         .size = 1},
};

static bool is_printable(const char *text, const char *besides) {
        for (; *text; text++)
                if ((*text < 0x20 || *text > 0x7e) && !strchr(besides, *text))
                        return false;
        return true;
}

static void check_error(const struct policy_error *error, const char *text) {
        _cleanup_(freep) char *sentence = policy_error_format(error);
        unsigned lines = 1;

        for (const char *at = text; *at; at++)
                lines += *at == '\n';
        CHECK(error->line > 0 && error->line <= lines);
        CHECK(strcmp(error->file, "fuzz.conf") == 0);
        CHECK(error->expected[0]);
        CHECK(is_printable(error->expected, "") && is_printable(error->found, "\t"));
        CHECK(sentence && strstr(sentence, ": expected "));
}

static void check_decision(const struct policy *policy, const struct policy_subject *subject) {
        struct policy_decision decision;
        int64_t action;

        policy_decide(policy, subject, &decision);
        action = decision.settings[POLICY_ACTION].value;
        CHECK(decision.reason[0] && is_printable(decision.reason, ""));
        CHECK(action >= POLICY_ATTACH && action <= POLICY_ASK);
        CHECK(action != POLICY_ASK ||
              (!subject->complete && decision.settings[POLICY_ACTION].rule));
        for (size_t i = 0; i < POLICY_SETTINGS; i++) {
                char buffer[POLICY_VALUE_MAX];
                const char *value = policy_setting_format((enum policy_setting)i,
                                                          decision.settings[i].value, buffer);

                CHECK(value[0] && strlen(value) + 1 < POLICY_VALUE_MAX);
        }
}

/* What a rule shows of itself says the same as the file. */
static void check_told_again(const struct policy *policy) {
        _cleanup_(policy_freep) struct policy *again = policy_new(&policy_limits_default);
        struct policy_error error;

        CHECK(again);
        for (size_t i = 0; i < policy_rule_count(policy); i++) {
                const struct policy_rule *rule = policy_rule_at(policy, i);
                _cleanup_(freep) char *text = NULL;

                CHECK(asprintf(&text, "[Rule %s]\n%s", rule->name, rule->text) > 0);
                CHECK(is_printable(text, "\n\t"));
                CHECK(policy_parse(again, POLICY_FILE_RULES, rule->file, text, &error) == 0);
        }
        CHECK(policy_rule_count(again) == policy_rule_count(policy));
        for (size_t i = 0; i < ELEMENTS_OF(subjects); i++) {
                struct policy_decision one;
                struct policy_decision two;

                policy_decide(policy, &subjects[i], &one);
                policy_decide(again, &subjects[i], &two);
                for (size_t s = 0; s < POLICY_SETTINGS; s++) {
                        const struct policy_rule *a = one.settings[s].rule;
                        const struct policy_rule *b = two.settings[s].rule;

                        CHECK(one.settings[s].value == two.settings[s].value);
                        CHECK(!a == !b && (!a || strcmp(a->name, b->name) == 0));
                }
        }
}

static void check_quirks(const struct policy *policy, const struct policy *without) {
        static const char *const words[] = {"ACME", "Array 5", "", "x y"};

        for (size_t i = 0; i < ELEMENTS_OF(words) * ELEMENTS_OF(words); i++) {
                char flags[POLICY_FLAGS_MAX];
                char same[POLICY_FLAGS_MAX];

                policy_quirk_flags(policy, words[i / ELEMENTS_OF(words)],
                                   words[i % ELEMENTS_OF(words)], "KEY NOLUN NOREPORTLUN", flags,
                                   NULL);
                CHECK(strcmp(policy_quirk_flags(without, "", "", flags, same, NULL), flags) == 0);
        }
        discovery_name(policy_host_discovery(policy, "mpt3sas", true, NULL));
}

static void check_text(enum policy_file_kind kind, const char *text) {
        _cleanup_(policy_freep) struct policy *policy = policy_new(&policy_limits_default);
        _cleanup_(policy_freep) struct policy *empty = policy_new(&policy_limits_default);
        struct policy_error error;
        int r;

        CHECK(policy && empty);
        r = policy_parse(policy, kind, "fuzz.conf", text, &error);
        CHECK(r == 0 || r == -EINVAL);
        if (r < 0) {
                check_error(&error, text);
                return;
        }
        for (size_t i = 0; i < ELEMENTS_OF(subjects); i++)
                check_decision(policy, &subjects[i]);
        check_told_again(policy);
        check_quirks(policy, empty);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = malloc(size + 1);

        CHECK(text);
        memcpy(text, data, size);
        text[size] = '\0';
        check_text(POLICY_FILE_RULES, text);
        check_text(POLICY_FILE_QUIRKS, text);
        return 0;
}
