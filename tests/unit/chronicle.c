/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each kind of event as the journal gets it: by its MESSAGE_ID, and with the fields that somebody
 * would look for. */

#include <errno.h>
#include <glib.h>
#include <unistd.h>

#include "chronicle.h"
#include "journal_support.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/message_id.h"

#define ADDRESS                                                                                    \
        { {3, 0, 1}, 5 }
#define ON_HOST "SCSISCAN_HOST=host3\n"
#define AT ON_HOST "SCSISCAN_ADDRESS=3:0:1:5\n"

static void expect(gconstpointer journal, const char *wanted) {
        g_autofree char *text = journal_next(GPOINTER_TO_INT(journal));

        g_assert_cmpstr(text, ==, wanted);
}

static void test_events(gconstpointer journal) {
        struct event event = {.kind = EVENT_HOST_STUCK, .address = ADDRESS};

        chronicle_event(&event);
        expect(journal, "PRIORITY=3\nMESSAGE_ID=" MESSAGE_ID_HOST_STUCK "\n" ON_HOST
                        "MESSAGE=host3 is stuck: a kernel call has outlived its deadline; "
                        "other hosts go on\n");
        event.kind = EVENT_HOST_RELEASED;
        chronicle_event(&event);
        expect(journal, "PRIORITY=5\nMESSAGE_ID=" MESSAGE_ID_HOST_RELEASED "\n" ON_HOST
                        "MESSAGE=host3 is served again\n");
        event.kind = EVENT_UNIT_ATTENTION;
        event.attention = ATTENTION_INQUIRY;
        chronicle_event(&event);
        expect(journal, "PRIORITY=6\nMESSAGE_ID=" MESSAGE_ID_UNIT_ATTENTION "\n" AT
                        "SCSISCAN_REASON=inquiry-data-has-changed\n"
                        "MESSAGE=3:0:1:5: unit attention: inquiry-data-has-changed\n");
        event.kind = EVENT_DEVICE; /* for those who debug */
        chronicle_event(&event);
        expect(journal, NULL);
}

static void test_attach(gconstpointer journal) {
        struct observation observation = {
                .step = {.kind = STEP_ATTACH, .address = ADDRESS},
                .observed = OBSERVED_GOOD,
        };

        chronicle_observation(&observation);
        expect(journal,
               "PRIORITY=6\nMESSAGE_ID=" MESSAGE_ID_ATTACHED "\n" AT "MESSAGE=3:0:1:5: attached\n");
        observation.observed = OBSERVED_ERROR;
        observation.error = -EIO;
        chronicle_observation(&observation);
        expect(journal, "PRIORITY=4\nMESSAGE_ID=" MESSAGE_ID_ATTACH_FAILED "\n" AT
                        "ERRNO=5\nMESSAGE=3:0:1:5: attach: Input/output error\n");
        observation.observed = OBSERVED_NOT_ATTACHED; /* no news */
        chronicle_observation(&observation);
        expect(journal, NULL);
}

static void test_device(gconstpointer journal) {
        char identity[] = "naa.6000", holder[] = "dm-0";
        struct device device = {.address = ADDRESS, .standing = STANDING_MISSING};
        struct change change = {
                .id = {.kind = OBJECT_DEVICE, .address = ADDRESS},
                .properties = DEVICE_PROPERTY_STANDING,
        };

        device.identity.name = identity;
        chronicle_device(&change, &device);
        expect(journal, "PRIORITY=5\nMESSAGE_ID=" MESSAGE_ID_MISSING "\n" AT
                        "SCSISCAN_IDENTITY=naa.6000\nMESSAGE=3:0:1:5: missing: its target no "
                        "longer reports it, and it says so itself\n");
        device.facts.holders[0] = holder;
        chronicle_device(&change, &device);
        expect(journal, "PRIORITY=4\nMESSAGE_ID=" MESSAGE_ID_MISSING "\n" AT
                        "SCSISCAN_IDENTITY=naa.6000\nMESSAGE=3:0:1:5: missing: its target no "
                        "longer reports it, and it says so itself; it stays, for it is in use by "
                        "dm-0\n");
        change.removed = true;
        change.reason = "unmapped";
        change.identity_was = identity;
        chronicle_device(&change, NULL);
        expect(journal, "PRIORITY=5\nMESSAGE_ID=" MESSAGE_ID_DETACHED "\n" AT
                        "SCSISCAN_IDENTITY=naa.6000\nSCSISCAN_REASON=unmapped\n"
                        "MESSAGE=3:0:1:5: detached (unmapped)\n");
}

static void test_policy(gconstpointer journal) {
        char identity[] = "naa.6000";
        struct device device = {
                .address = ADDRESS,
                .identity.name = identity,
                .standing = STANDING_QUARANTINED,
        };

        chronicle_policy(&device, "the rule says so");
        expect(journal, "PRIORITY=5\nMESSAGE_ID=" MESSAGE_ID_QUARANTINED "\n" AT
                        "SCSISCAN_IDENTITY=naa.6000\nSCSISCAN_REASON=the rule says so\n"
                        "MESSAGE=3:0:1:5: quarantined, I/O to it is stopped until it is accepted: "
                        "the rule says so\n");
        device.standing = STANDING_PRESENT;
        chronicle_policy(&device, "the rule says no");
        expect(journal, "PRIORITY=4\nMESSAGE_ID=" MESSAGE_ID_UNWANTED "\n" AT
                        "SCSISCAN_IDENTITY=naa.6000\nSCSISCAN_REASON=the rule says no\n"
                        "MESSAGE=3:0:1:5: attached as somebody asked for it, but the rule says "
                        "no\n");
}

static void test_notices(gconstpointer journal) {
        char was[] = "naa.6000", is[] = "naa.6001";
        struct notice notice = {
                .kind = NOTICE_REPLACED,
                .address = ADDRESS,
                .identity = was,
                .identity_now = is,
                .size_was = 512,
                .size = 1024,
        };

        chronicle_notice(&notice);
        expect(journal, "PRIORITY=4\nMESSAGE_ID=" MESSAGE_ID_REPLACED "\n" AT
                        "SCSISCAN_IDENTITY=naa.6001\nMESSAGE=3:0:1:5: replaced: was naa.6000, is "
                        "naa.6001, since it was last seen\n");
        notice.stopped = true;
        chronicle_notice(&notice);
        expect(journal, "PRIORITY=4\nMESSAGE_ID=" MESSAGE_ID_REPLACED "\n" AT
                        "SCSISCAN_IDENTITY=naa.6001\nMESSAGE=3:0:1:5: replaced: was naa.6000, is "
                        "naa.6001, I/O to it is stopped\n");
        notice.kind = NOTICE_CAPACITY;
        chronicle_notice(&notice);
        expect(journal, "PRIORITY=5\nMESSAGE_ID=" MESSAGE_ID_CAPACITY "\n"
                        "SCSISCAN_IDENTITY=naa.6000\nMESSAGE=naa.6000: 1024 bytes, was 512\n");
}

static void test_host(gconstpointer journal) {
        struct host host = {.number = 3, .discovery = DISCOVERY_KERNEL, .facts.driver = "mpi3mr"};
        g_autofree char *text = NULL;

        chronicle_host(&host);
        text = journal_next(GPOINTER_TO_INT(journal));
        g_assert_true(g_str_has_prefix(text, "PRIORITY=4\nMESSAGE_ID=" MESSAGE_ID_HOST_DARK
                                             "\n" ON_HOST "MESSAGE=host3: the driver mpi3mr "));
}

static void test_job(gconstpointer journal) {
        char scope[] = "3:0:1";
        const struct job job = {
                .id = 7,
                .scope_text = scope,
                .operation = JOB_DETACH,
                .state = JOB_FAILED,
                .message = "in use",
        };

        chronicle_job(&job);
        expect(journal, "PRIORITY=4\nMESSAGE_ID=" MESSAGE_ID_JOB_ENDED "\nSCSISCAN_JOB=7\n"
                        "MESSAGE=detach of 3:0:1 (job 7) failed: in use\n");
}

int main(int argc, char **argv) {
        static const struct {
                const char *path;
                GTestDataFunc test;
        } tests[] = {
                {"/chronicle/events", test_events},   {"/chronicle/attach", test_attach},
                {"/chronicle/device", test_device},   {"/chronicle/policy", test_policy},
                {"/chronicle/notices", test_notices}, {"/chronicle/host", test_host},
                {"/chronicle/job", test_job},
        };
        int journal;

        g_test_init(&argc, &argv, NULL);
        if (!journal_open(&journal)) {
                g_print("1..0 # SKIP needs root, or user namespaces\n");
                return 77;
        }
        log_set_target(LOG_TARGET_JOURNAL);
        for (size_t i = 0; i < ELEMENTS_OF(tests); i++)
                g_test_add_data_func(tests[i].path, GINT_TO_POINTER(journal), tests[i].test);
        return g_test_run();
}
