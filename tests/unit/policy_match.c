/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/policy.h"
#include "scan/facts.h"
#include "scsi/inquiry.h"
#include "tests/unit/policy_support.h"
#include "util/cleanup.h"

#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

enum answer {
        NO,
        YES,
        MAYBE
};

/* A rule with this key alone, asked about a subject: the action tells what came of it. */
struct sample {
        const char *key;
        struct policy_subject subject;
        enum answer answer;
};

static void check_sample(const struct sample *sample) {
        static const int64_t actions[] = {
                [NO] = POLICY_ATTACH, [YES] = POLICY_IGNORE, [MAYBE] = POLICY_ASK};
        g_autofree char *text = g_strdup_printf("[Rule r]\n%s\nAction=ignore\n", sample->key);
        _cleanup_(policy_freep) struct policy *policy = policy_of(text);

        g_test_message("%s", sample->key);
        g_assert_cmpint(decide(policy, &sample->subject, POLICY_ACTION), ==,
                        actions[sample->answer]);
}

#define CHECK_ALL(samples)                                                                         \
        for (size_t i = 0; i < ELEMENTS_OF(samples); i++)                                          \
        check_sample(&(samples)[i])

static void test_host(void) {
        static const struct sample samples[] = {
                {"MatchHost=3", {.has_host = true, .host = 3}, YES},
                {"MatchHost=3", {.has_host = true, .host = 4}, NO},
                {"MatchHost=0-7", {.has_host = true, .host = 7}, YES},
                {"MatchHost=0-7", {.has_host = true, .host = 8}, NO},
                {"MatchHost=1 5-6", {.has_host = true, .host = 5}, YES},
                {"MatchHost=!3", {.has_host = true, .host = 3}, NO},
                {"MatchHost=!3", {.has_host = true, .host = 4}, YES},
                {"MatchHost=4294967295", {.has_host = true, .host = UINT32_MAX}, YES},
                {"MatchHost=3", {}, MAYBE},
                {"MatchHost=!3", {}, MAYBE},
                {"MatchHost=3", {.complete = true}, NO},
        };

        CHECK_ALL(samples);
}

static void test_strings(void) {
        static const struct sample samples[] = {
                {"MatchDriver=qla2xxx", {.driver = "qla2xxx"}, YES},
                {"MatchDriver=qla*", {.driver = "qla2xxx"}, YES},
                {"MatchDriver=QLA*", {.driver = "qla2xxx"}, NO},
                {"MatchDriver=lpfc", {}, MAYBE},
                {"MatchPortName=naa.5000*", {.port_name = "naa.50001"}, YES},
                {"MatchPortName=iqn.2024-01.org.example:a,t,0x1",
                 {.port_name = "iqn.2024-01.org.example:a,t,0x1"},
                 YES},
                {"MatchPortName=?*", {.port_name = ""}, NO},
                {"MatchPortName=\"\"", {.port_name = ""}, YES},
                {"MatchPortName=a", {}, MAYBE},
                {"MatchVendor=IBM", {.vendor = "IBM"}, YES},
                {"MatchVendor=IBM", {.vendor = "IBM2"}, NO},
                {"MatchVendor=IBM HP", {.vendor = "HP"}, YES},
                {"MatchVendor=!IBM !HP", {.vendor = "HP"}, NO},
                {"MatchVendor=!IBM !HP", {.vendor = "SUN"}, YES},
                {"MatchVendor=I* !IBM", {.vendor = "IBM"}, NO},
                {"MatchVendor=I* !IBM", {.vendor = "ICL"}, YES},
                {"MatchVendor=I* !IBM", {.vendor = "HP"}, NO},
                {"MatchVendor=IBM", {}, MAYBE},
                {"MatchVendor=!IBM", {.complete = true}, YES},
                {"MatchModel=\"Virtual disk\"", {.model = "Virtual disk"}, YES},
                {"MatchModel=!\"Virtual disk\"", {.model = "Virtual disk"}, NO},
                {"MatchModel=Virtual disk", {.model = "Virtual disk"}, NO},
                {"MatchModel=LUN\n  \"Virtual *\"", {.model = "Virtual disk"}, YES},
                {"MatchModel=[LM]UN[0-9]", {.model = "MUN7"}, YES},
                {"MatchModel=\\*", {.model = "*"}, YES},
                {"MatchModel=\\*", {.model = "x"}, NO},
                {"MatchModel=x", {}, MAYBE},
                {"MatchRevision=0??1", {.revision = "0201"}, YES},
                {"MatchRevision=0??1", {.revision = "0202"}, NO},
                {"MatchRevision=1", {}, MAYBE},
                {"MatchIdentity=naa.6000*", {.identity = "naa.60001"}, YES},
                {"MatchIdentity=naa.6000*", {.identity = ""}, NO},
                {"MatchIdentity=naa.6000*", {}, MAYBE},
                {"MatchIdentity=naa.6000*", {.complete = true}, NO},
                {"MatchIdentity=\"\"", {.complete = true}, YES},
        };

        CHECK_ALL(samples);
}

static void test_words(void) {
        static const struct sample samples[] = {
                {"MatchMode=owner", {.owner = true}, YES},
                {"MatchMode=owner", {.owner = false}, NO},
                {"MatchMode=observer", {.owner = false}, YES},
                {"MatchMode=!observer", {.owner = false}, NO},
                {"MatchType=tape changer", {.type = "changer"}, YES},
                {"MatchType=tape changer", {.type = "disk"}, NO},
                {"MatchType=!disk", {.type = "type-0x09"}, YES},
                {"MatchType=disk", {}, MAYBE},
                {"MatchTransport=fc iscsi", {.transport = "iscsi"}, YES},
                {"MatchTransport=fc iscsi", {.transport = "usb"}, NO},
                {"MatchTransport=fc", {}, MAYBE},
        };

        CHECK_ALL(samples);
}

/* What the service calls a type or a transport can be asked for. */
static void test_every_word(void) {
        for (uint8_t type = 0; type <= SCSI_TYPE_UNKNOWN; type++) {
                g_autofree char *key = g_strdup_printf("MatchType=%s", scsi_type_name(type));

                check_sample(&(struct sample){key, {.type = scsi_type_name(type)}, YES});
        }
        for (int transport = TRANSPORT_UNKNOWN; transport <= TRANSPORT_PSEUDO; transport++) {
                const char *name = transport_name((enum transport)transport);
                g_autofree char *key = g_strdup_printf("MatchTransport=%s", name);

                check_sample(&(struct sample){key, {.transport = name}, YES});
        }
}

static void test_lun(void) {
        static const struct sample samples[] = {
                {"MatchLun=5", {.has_lun = true, .lun = 5}, YES},
                {"MatchLun=5", {.has_lun = true, .lun = 6}, NO},
                {"MatchLun=0-15", {.has_lun = true, .lun = 15}, YES},
                {"MatchLun=0-15", {.has_lun = true, .lun = 16}, NO},
                {"MatchLun=0-15 !7", {.has_lun = true, .lun = 7}, NO},
                {"MatchLun=0-15 !7", {.has_lun = true, .lun = 8}, YES},
                {"MatchLun=!49409", {.has_lun = true, .lun = 49409}, NO},
                {"MatchLun=0x4100000000000000", {.has_lun = true, .lun = 16640}, YES},
                {"MatchLun=0x4100000000000000-0x41ff000000000000",
                 {.has_lun = true, .lun = 16641},
                 YES},
                {"MatchLun=18446744073709551615", {.has_lun = true, .lun = UINT64_MAX}, YES},
                {"MatchLun=5", {}, MAYBE},
                {"MatchLun=5", {.complete = true}, NO},
        };

        CHECK_ALL(samples);
}

static void test_size(void) {
        static const struct sample samples[] = {
                {"MatchSize=>=1T", {.has_size = true, .size = TIB}, YES},
                {"MatchSize=>=1T", {.has_size = true, .size = TIB - 1}, NO},
                {"MatchSize=>1T", {.has_size = true, .size = TIB}, NO},
                {"MatchSize=>1T", {.has_size = true, .size = TIB + 1}, YES},
                {"MatchSize=<10G", {.has_size = true, .size = 10 * GIB}, NO},
                {"MatchSize=<10G", {.has_size = true, .size = 10 * GIB - 1}, YES},
                {"MatchSize=<=10G", {.has_size = true, .size = 10 * GIB}, YES},
                {"MatchSize=1G-2T", {.has_size = true, .size = GIB}, YES},
                {"MatchSize=1G-2T", {.has_size = true, .size = 2 * TIB}, YES},
                {"MatchSize=1G-2T", {.has_size = true, .size = 2 * TIB + 1}, NO},
                {"MatchSize=512", {.has_size = true, .size = 512}, YES},
                {"MatchSize=1K 1M 1P 1E", {.has_size = true, .size = 1024}, YES},
                {"MatchSize=1K 1M 1P 1E", {.has_size = true, .size = UINT64_C(1) << 20}, YES},
                {"MatchSize=1K 1M 1P 1E", {.has_size = true, .size = UINT64_C(1) << 50}, YES},
                {"MatchSize=1K 1M 1P 1E", {.has_size = true, .size = UINT64_C(1) << 60}, YES},
                {"MatchSize=!<10G", {.has_size = true, .size = GIB}, NO},
                {"MatchSize=!<10G", {.has_size = true, .size = TIB}, YES},
                {"MatchSize=<10G", {}, MAYBE},
                {"MatchSize=<10G", {.complete = true}, NO},
                {"MatchSize=!<10G", {.complete = true}, NO},
        };

        CHECK_ALL(samples);
}

/* All keys have to match: one no is a no whatever else is not known, one maybe makes a maybe. */
static void test_all_keys(void) {
        static const char keys[] = "MatchVendor=IBM\nMatchLun=0-3\nMatchDriver=lpfc";
        static const struct sample samples[] = {
                {keys, {.vendor = "IBM", .has_lun = true, .lun = 1, .driver = "lpfc"}, YES},
                {keys, {.vendor = "IBM", .has_lun = true, .lun = 4, .driver = "lpfc"}, NO},
                {keys, {.has_lun = true, .lun = 1, .driver = "lpfc"}, MAYBE},
                {keys, {.has_lun = true, .lun = 4, .driver = "lpfc"}, NO},
                {keys, {.driver = "uas"}, NO},
                {keys, {}, MAYBE},
                {"OnRequest=warn", {}, YES}, /* no Match key at all */
        };

        CHECK_ALL(samples);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/policy/match/host", test_host);
        g_test_add_func("/policy/match/strings", test_strings);
        g_test_add_func("/policy/match/words", test_words);
        g_test_add_func("/policy/match/every-word", test_every_word);
        g_test_add_func("/policy/match/lun", test_lun);
        g_test_add_func("/policy/match/size", test_size);
        g_test_add_func("/policy/match/all-keys", test_all_keys);
        return g_test_run();
}
