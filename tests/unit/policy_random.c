/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fnmatch.h>
#include <string.h>

#include "tests/unit/policy_support.h"
#include "util/cleanup.h"

/*
 * Random rules, and subjects of which random parts are known. A model that knows nothing of parsing
 * or of maybes has to come to the same decision. The seed is printed; GLib takes it with --seed.
 */

enum {
        ROUNDS = 3000,
        RULES = 8,
        SUBJECTS = 12,
        VENDORS = 4,
        LUNS = 4,
        SIZES = 3
};

static const char *const model_vendors[VENDORS] = {"", "A", "AB", "C"};
static const char *const model_globs[] = {"A*", "?B", "C", "!C", "!A*"};
static const uint64_t model_luns[LUNS] = {0, 1, 255, 16640};
static const uint64_t model_sizes[SIZES] = {0, 1024, 1048576};

struct model_rule {
        int glob;   /* of model_globs, -1: none */
        int lun;    /* the LUN itself, of model_luns, -1: none */
        int size;   /* at least that, of model_sizes, -1: none */
        int mode;   /* 1: owner, 0: observer, -1: none */
        int action; /* -1: none; one of the three is there */
        int retries;
        int timeout; /* ms */
};

static int any(int begin, int end) {
        return g_test_rand_int_range(begin, end);
}

static struct model_rule random_rule(void) {
        struct model_rule rule = {
                .glob = any(-1, ELEMENTS_OF(model_globs)),
                .lun = any(-3, LUNS),
                .size = any(-3, SIZES),
                .mode = any(-3, 2),
                .action = any(-1, POLICY_ASK),
                .retries = any(-10, 20),
                .timeout = any(100, 1000),
        };

        return rule;
}

static void write_rule(GString *text, const struct model_rule *rule, int number) {
        g_string_append_printf(text, "[Rule r%d]\nCommandTimeout=%dms\n", number, rule->timeout);
        if (rule->glob >= 0)
                g_string_append_printf(text, "MatchVendor=%s\n", model_globs[rule->glob]);
        if (rule->lun >= 0)
                g_string_append_printf(text, "MatchLun=%" G_GUINT64_FORMAT "\n",
                                       model_luns[rule->lun]);
        if (rule->size >= 0)
                g_string_append_printf(text, "MatchSize=>=%" G_GUINT64_FORMAT "\n",
                                       model_sizes[rule->size]);
        if (rule->mode >= 0)
                g_string_append_printf(text, "MatchMode=%s\n", rule->mode ? "owner" : "observer");
        if (rule->action >= 0)
                g_string_append_printf(text, "Action=%s\n",
                                       policy_action_name((enum policy_action)rule->action));
        if (rule->retries >= 0)
                g_string_append_printf(text, "Retries=%d\n", rule->retries);
}

/* Everything is known of this subject. */
static bool model_matches(const struct model_rule *rule, const struct policy_subject *subject) {
        const char *glob = rule->glob >= 0 ? model_globs[rule->glob] : "*";
        bool negated = glob[0] == '!';

        return (fnmatch(glob + negated, subject->vendor, 0) == 0) != negated &&
               (rule->lun < 0 || (subject->has_lun && subject->lun == model_luns[rule->lun])) &&
               (rule->size < 0 ||
                (subject->has_size && subject->size >= model_sizes[rule->size])) &&
               (rule->mode < 0 || rule->mode == subject->owner);
}

/* *ret_rule: the number of the rule, or -1 for the default. */
static int model_setting(const struct model_rule *rules, int count,
                         const struct policy_subject *subject, enum policy_setting setting,
                         int *ret_rule) {
        int value = setting == POLICY_ACTION    ? (int)POLICY_ATTACH
                    : setting == POLICY_RETRIES ? (int)policy_limits_default.retries
                                                : (int)policy_limits_default.command_timeout_ms;

        *ret_rule = -1;
        for (int i = 0; i < count; i++) {
                int here = setting == POLICY_ACTION    ? rules[i].action
                           : setting == POLICY_RETRIES ? rules[i].retries
                                                       : rules[i].timeout;

                if (here >= 0 && model_matches(&rules[i], subject)) {
                        value = here;
                        *ret_rule = i;
                }
        }
        return value;
}

static struct policy_subject random_subject(void) {
        return (struct policy_subject){
                .owner = any(0, 2),
                .vendor = model_vendors[any(0, VENDORS)],
                .has_lun = true,
                .lun = model_luns[any(0, LUNS)],
                .has_size = true,
                .size = model_sizes[any(0, SIZES)],
        };
}

static void check_number(const struct policy_verdict *verdict, int rule) {
        g_autofree char *name = rule >= 0 ? g_strdup_printf("r%d", rule) : NULL;

        g_assert_cmpstr(verdict->rule ? verdict->rule->name : NULL, ==, name);
}

/* The rules over some files, in order. */
static struct policy *parse_rules(const struct model_rule *rules, int count) {
        struct policy *policy = policy_new(&policy_limits_default);
        struct policy_error error;
        int i = 0;

        for (int file = 0; i < count; file++) {
                g_autoptr(GString) text = g_string_new("# rules\n");
                g_autofree char *name = g_strdup_printf("%d.conf", file);
                int end = any(i, count + 1);

                for (; i < end; i++)
                        write_rule(text, &rules[i], i);
                if (policy_parse(policy, POLICY_FILE_RULES, name, text->str, &error) < 0)
                        g_error("%s:%u: %s: expected %s\n%s", error.file, error.line, error.found,
                                error.expected, text->str);
        }
        return policy;
}

static int random_rules(struct model_rule rules[static RULES]) {
        int count = any(0, RULES + 1);

        for (int i = 0; i < count; i++)
                rules[i] = random_rule();
        return count;
}

/* With everything known, the last rule that matches wins, whichever file it is in, and each setting
 * for itself. */
static void test_last_wins(void) {
        static const enum policy_setting asked[] = {POLICY_ACTION, POLICY_RETRIES,
                                                    POLICY_COMMAND_TIMEOUT};

        for (int round = 0; round < ROUNDS; round++) {
                struct model_rule rules[RULES];
                int count = random_rules(rules);
                _cleanup_(policy_freep) struct policy *policy = parse_rules(rules, count);

                for (int s = 0; s < SUBJECTS; s++) {
                        struct policy_subject subject = random_subject();
                        struct policy_decision decision;

                        policy_decide(policy, &subject, &decision);
                        for (size_t i = 0; i < ELEMENTS_OF(asked); i++) {
                                int rule;
                                int value = model_setting(rules, count, &subject, asked[i], &rule);

                                g_assert_cmpint(decision.settings[asked[i]].value, ==, value);
                                check_number(&decision.settings[asked[i]], rule);
                        }
                }
        }
}

/* Rules that have no setting in common may stand in any order. */
static void test_unrelated(void) {
        for (int round = 0; round < ROUNDS; round++) {
                struct model_rule rules[2] = {random_rule(), random_rule()};
                struct policy_subject subject = random_subject();
                int64_t values[2][2];

                for (int order = 0; order < 2; order++) {
                        g_autoptr(GString) text = g_string_new(NULL);
                        _cleanup_(policy_freep) struct policy *policy = NULL;

                        for (int i = 0; i < 2; i++) {
                                struct model_rule rule = rules[i ^ order];

                                /* Each has one of them, and both have no other. */
                                rule.action = (i ^ order) == 0 ? (int)POLICY_IGNORE : -1;
                                rule.retries = (i ^ order) == 1 ? 3 : -1;
                                rule.timeout = 100;
                                write_rule(text, &rule, i);
                        }
                        policy = policy_of(text->str);
                        values[order][0] = decide(policy, &subject, POLICY_ACTION);
                        values[order][1] = decide(policy, &subject, POLICY_RETRIES);
                }
                g_assert_cmpint(values[0][0], ==, values[1][0]);
                g_assert_cmpint(values[0][1], ==, values[1][1]);
        }
}

/* Calls `check` for each way in which what is not known may turn out, also that it is not there. */
static void for_each_completion(const struct policy_subject *subject,
                                void (*check)(const struct policy_subject *subject, void *data),
                                void *data) {
        for (int vendor = 0; vendor < VENDORS; vendor++)
                for (int lun = 0; lun <= LUNS; lun++)
                        for (int size = 0; size <= SIZES; size++) {
                                struct policy_subject all = *subject;

                                all.complete = true;
                                all.vendor = subject->vendor ?: model_vendors[vendor];
                                if (!subject->has_lun && lun < LUNS) {
                                        all.has_lun = true;
                                        all.lun = model_luns[lun];
                                }
                                if (!subject->has_size && size < SIZES) {
                                        all.has_size = true;
                                        all.size = model_sizes[size];
                                }
                                check(&all, data);
                        }
}

struct soundness {
        const struct policy *policy;
        int64_t action;
        bool seen[POLICY_ASK];
};

static void check_completion(const struct policy_subject *subject, void *data) {
        struct soundness *soundness = data;
        int64_t action = decide(soundness->policy, subject, POLICY_ACTION);

        g_assert_cmpint(action, !=, POLICY_ASK);
        if (soundness->action != POLICY_ASK)
                g_assert_cmpint(action, ==, soundness->action);
        soundness->seen[action] = true;
}

/* A decision that is not ASK holds however things turn out; and where a single rule decides, ASK is
 * not said in vain. */
static void test_sound(void) {
        unsigned asked = 0;
        unsigned answered = 0;

        for (int round = 0; round < ROUNDS; round++) {
                struct model_rule rules[RULES];
                int count = random_rules(rules);
                _cleanup_(policy_freep) struct policy *policy = parse_rules(rules, count);
                struct policy_subject subject = random_subject();
                struct soundness soundness = {.policy = policy};

                subject.vendor = any(0, 2) ? subject.vendor : NULL;
                subject.has_lun = any(0, 2);
                subject.has_size = any(0, 2);
                soundness.action = decide(policy, &subject, POLICY_ACTION);
                for_each_completion(&subject, check_completion, &soundness);
                if (soundness.action == POLICY_ASK)
                        asked++;
                else
                        answered++;
                if (soundness.action == POLICY_ASK && count == 1)
                        g_assert_cmpint(soundness.seen[POLICY_ATTACH] +
                                                soundness.seen[POLICY_IGNORE] +
                                                soundness.seen[POLICY_QUARANTINE],
                                        >, 1);
        }
        g_assert_cmpuint(asked, >, ROUNDS / 20);
        g_assert_cmpuint(answered, >, ROUNDS / 20);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/policy/random/last-wins", test_last_wins);
        g_test_add_func("/policy/random/unrelated", test_unrelated);
        g_test_add_func("/policy/random/sound", test_sound);
        return g_test_run();
}
