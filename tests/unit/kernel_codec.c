/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>

#include "kernel/codec.h"
#include "record_support.h"
#include "util/cleanup.h"

#define CHECK_CONDITION 0x02
#define DID_NO_CONNECT 0x01

static const struct scsi_address ADDRESS = {{3, 0, 1}, 5};

static void test_request(void) {
        static const struct {
                enum step_kind step;
                enum worker_request_kind kind;
                uint8_t opcode, page;
                uint32_t allocation_length;
        } cases[] = {
                {STEP_READ_HOST, WORKER_READ_HOST, 0, 0, 0},
                {STEP_READ_DEVICE, WORKER_READ_DEVICE, 0, 0, 0},
                {STEP_ATTACH, WORKER_ATTACH, 0, 0, 0},
                {STEP_SCAN_TARGET, WORKER_SCAN_TARGET, 0, 0, 0},
                {STEP_REPORT_LUNS, WORKER_COMMAND, SCSI_REPORT_LUNS, 0, 2056},
                {STEP_READ_IDENTITY, WORKER_COMMAND, SCSI_INQUIRY, SCSI_VPD_DEVICE_ID, 1024},
                {STEP_READ_SERIAL, WORKER_COMMAND, SCSI_INQUIRY, SCSI_VPD_SERIAL, 255},
                {STEP_INQUIRE, WORKER_COMMAND, SCSI_INQUIRY, 0, 36},
                {STEP_PROBE, WORKER_COMMAND, SCSI_TEST_UNIT_READY, 0, 0},
                {STEP_DETACH, WORKER_DETACH, 0, 0, 0},
                {STEP_REFRESH, WORKER_REFRESH, 0, 0, 0},
                {STEP_SET_STATE, WORKER_SET_STATE, 0, 0, 0},
                {STEP_SET_KERNEL_SCAN, WORKER_SET_KERNEL_SCAN, 0, 0, 0},
        };

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                const struct step step = {
                        .id = 40 + i,
                        .kind = cases[i].step,
                        .address = ADDRESS,
                        .timeout_ms = 7000,
                        .allocation_length = 2056,
                };
                struct worker_request request = codec_request(&step);

                g_assert_cmpuint(request.version, ==, WORKER_VERSION);
                g_assert_cmpuint(request.kind, ==, cases[i].kind);
                g_assert_cmpuint(request.id, ==, 40 + i);
                g_assert_cmpint(scsi_address_compare(&request.address, &ADDRESS), ==, 0);
                g_assert_cmpuint(request.timeout_ms, ==, 7000);
                g_assert_cmpuint(request.command.cdb[0], ==, cases[i].opcode);
                g_assert_cmpuint(request.command.allocation_length, ==, cases[i].allocation_length);
                if (cases[i].opcode == SCSI_INQUIRY)
                        g_assert_cmpuint(request.command.cdb[2], ==, cases[i].page);
        }
}

static void test_request_kernel_scan(void) {
        static const enum kernel_scan codes[] = {
                [KERNEL_SCAN_MANUAL] = KERNEL_SCAN_MANUAL,
                [KERNEL_SCAN_SYNC] = KERNEL_SCAN_SYNC,
                [KERNEL_SCAN_ASYNC] = KERNEL_SCAN_ASYNC,
        };

        for (size_t i = 0; i < ELEMENTS_OF(codes); i++) {
                const struct step step = {
                        .id = 1, .kind = STEP_SET_KERNEL_SCAN, .kernel_scan = (enum kernel_scan)i};

                g_assert_cmpuint(codec_request(&step).kernel_scan, ==, codes[i]);
        }
}

static void test_request_flags(void) {
        static const struct {
                struct step step;
                uint32_t flags;
        } cases[] = {
                {{.kind = STEP_DETACH}, 0},
                {{.kind = STEP_DETACH, .force = true}, WORKER_FORCE},
                {{.kind = STEP_DETACH, .proven = true}, WORKER_PROVEN_GONE},
                {{.kind = STEP_DETACH, .force = true, .proven = true},
                 WORKER_FORCE | WORKER_PROVEN_GONE},
                {{.kind = STEP_SET_STATE, .offline = true, .instance = 1ull << 40}, WORKER_OFFLINE},
                {{.kind = STEP_SET_STATE, .instance = 7}, 0},
        };

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                struct worker_request request = codec_request(&cases[i].step);

                g_assert_cmpuint(request.flags, ==, cases[i].flags);
                g_assert_cmpuint(request.instance, ==, cases[i].step.instance);
        }
}

static struct observation observe(enum step_kind kind, struct worker_reply reply, const void *data,
                                  size_t length) {
        const struct step step = {.id = 1, .kind = kind, .address = ADDRESS};
        struct observation observation;

        reply.data_length = (uint32_t)length;
        observation = codec_observe(&step, &reply, data);
        g_assert_cmpuint(observation.step.id, ==, 1);
        g_assert_cmpint(observation.step.kind, ==, kind);
        return observation;
}

static void test_failures(void) {
        static const struct {
                enum step_kind kind;
                struct worker_reply reply;
                enum observed observed;
                int error;
        } cases[] = {
                {STEP_READ_HOST, {.error = -ENOENT}, OBSERVED_GONE, 0},
                {STEP_READ_DEVICE, {.error = -ENODEV}, OBSERVED_GONE, 0},
                {STEP_REPORT_LUNS, {.error = -ENXIO}, OBSERVED_GONE, 0},
                {STEP_READ_IDENTITY, {.error = -EACCES}, OBSERVED_ERROR, -EACCES},
                {STEP_READ_DEVICE, {.error = -E2BIG}, OBSERVED_ERROR, -E2BIG},
                {STEP_SCAN_TARGET,
                 {.error = -EINVAL, .write_error = -EINVAL},
                 OBSERVED_ERROR,
                 -EINVAL},
                {STEP_SCAN_TARGET, {.error = -ENOENT, .write_error = -ENOENT}, OBSERVED_GONE, 0},
                {STEP_SCAN_TARGET, {}, OBSERVED_GOOD, 0},
                {STEP_ATTACH, {.error = -ENOENT}, OBSERVED_NOT_ATTACHED, 0},
                {STEP_ATTACH, {.error = -ENODEV}, OBSERVED_NOT_ATTACHED, 0},
                {STEP_ATTACH, {.error = -ENOENT, .write_error = -EINVAL}, OBSERVED_OUT_OF_RANGE, 0},
                {STEP_ATTACH, {.error = -ENOENT, .write_error = -ENOENT}, OBSERVED_GONE, 0},
                {STEP_ATTACH, {.error = -ENOENT, .write_error = -EACCES}, OBSERVED_ERROR, -EACCES},
                {STEP_ATTACH, {.error = -EINVAL}, OBSERVED_ERROR, -EINVAL},
                {STEP_ATTACH, {.write_error = -EINVAL}, OBSERVED_GOOD, 0},
                {STEP_PROBE, {}, OBSERVED_GOOD, 0},
                {STEP_PROBE, {.error = -ENOENT}, OBSERVED_GONE, 0},
                {STEP_PROBE, {.error = -ESTALE}, OBSERVED_ERROR, -ESTALE},
                {STEP_PROBE, {.error = -EBUSY}, OBSERVED_ERROR, -EBUSY},
                {STEP_DETACH, {}, OBSERVED_GOOD, 0},
                {STEP_DETACH, {.write_error = -ENODEV}, OBSERVED_GOOD, 0},
                {STEP_DETACH, {.error = -EBUSY}, OBSERVED_IN_USE, 0},
                {STEP_DETACH, {.error = -ESTALE}, OBSERVED_GONE, 0},
                {STEP_DETACH, {.error = -ENOENT}, OBSERVED_GONE, 0},
                {STEP_DETACH, {.error = -EEXIST}, OBSERVED_ERROR, -EEXIST},
                {STEP_DETACH, {.error = -EBADFD}, OBSERVED_ERROR, -EBADFD},
                {STEP_REFRESH, {}, OBSERVED_GOOD, 0},
                {STEP_REFRESH, {.error = -ESTALE}, OBSERVED_GONE, 0},
                {STEP_REFRESH, {.error = -EBUSY}, OBSERVED_ERROR, -EBUSY},
                {STEP_SET_STATE, {.error = -ENODEV}, OBSERVED_GONE, 0},
                {STEP_SET_STATE,
                 {.error = -EINVAL, .write_error = -EINVAL},
                 OBSERVED_ERROR,
                 -EINVAL},
        };

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                struct observation observation = observe(cases[i].kind, cases[i].reply, NULL, 0);

                g_test_message("%zu", i);
                g_assert_cmpint(observation.observed, ==, cases[i].observed);
                g_assert_cmpint(observation.error, ==, cases[i].error);
                observation_done(&observation);
        }
}

static void test_device_outcomes(void) {
        static const uint8_t good_luns[16] = {0, 0, 0, 8};
        static const uint8_t lie[8] = {0xff, 0xff, 0xff, 0xf8};
        static const uint8_t other_page[4] = {0, 0xb0, 0, 0};
        static const struct {
                enum step_kind kind;
                struct worker_reply reply;
                const uint8_t *data;
                size_t length;
                enum scsi_outcome outcome;
                uint8_t key;
        } cases[] = {
                {STEP_REPORT_LUNS,
                 {.scsi_status = CHECK_CONDITION,
                  .sense_length = 18,
                  .sense = {0x70, 0, 5, [7] = 10, [12] = 0x20}},
                 good_luns,
                 sizeof(good_luns),
                 SCSI_OUTCOME_NOT_SUPPORTED,
                 5},
                {STEP_READ_IDENTITY,
                 {.scsi_status = CHECK_CONDITION,
                  .sense_length = 18,
                  .sense = {0x70, 0, 6, [7] = 10, [12] = 0x29}},
                 NULL,
                 0,
                 SCSI_OUTCOME_UNIT_ATTENTION,
                 6},
                {STEP_READ_SERIAL,
                 {.host_status = DID_NO_CONNECT},
                 NULL,
                 0,
                 SCSI_OUTCOME_NO_CONNECT,
                 0},
                {STEP_REPORT_LUNS, {}, good_luns, 4, SCSI_OUTCOME_FAILED, 0},
                {STEP_REPORT_LUNS, {}, lie, sizeof(lie), SCSI_OUTCOME_FAILED, 0},
                {STEP_READ_IDENTITY, {}, other_page, sizeof(other_page), SCSI_OUTCOME_FAILED, 0},
                {STEP_READ_SERIAL, {}, other_page, sizeof(other_page), SCSI_OUTCOME_FAILED, 0},
                {STEP_READ_SERIAL, {}, NULL, 0, SCSI_OUTCOME_FAILED, 0},
                {STEP_INQUIRE, {}, good_luns, sizeof(good_luns), SCSI_OUTCOME_FAILED, 0},
                {STEP_INQUIRE,
                 {.host_status = DID_NO_CONNECT},
                 NULL,
                 0,
                 SCSI_OUTCOME_NO_CONNECT,
                 0},
                {STEP_PROBE,
                 {.scsi_status = CHECK_CONDITION,
                  .sense_length = 18,
                  .sense = {0x70, 0, 5, [7] = 10, [12] = 0x25}},
                 NULL,
                 0,
                 SCSI_OUTCOME_NO_LOGICAL_UNIT,
                 5},
                {STEP_PROBE,
                 {.scsi_status = CHECK_CONDITION,
                  .sense_length = 18,
                  .sense = {0x70, 0, 6, [7] = 10, [12] = 0x3f, [13] = 0x0e}},
                 NULL,
                 0,
                 SCSI_OUTCOME_UNIT_ATTENTION,
                 6},
        };

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                struct observation observation =
                        observe(cases[i].kind, cases[i].reply, cases[i].data, cases[i].length);

                g_test_message("%zu", i);
                g_assert_cmpint(observation.observed, ==, OBSERVED_DEVICE);
                g_assert_cmpint(observation.outcome, ==, cases[i].outcome);
                g_assert_cmpuint(observation.sense.key, ==, cases[i].key);
                observation_done(&observation);
        }
}

static void test_luns(void) {
        static const uint8_t data[] = {0, 0, 0, 32, 0, 0, 0, 0, 0,    5, 0, 0, 0, 0, 0, 0,
                                       0, 0, 0, 0,  0, 0, 0, 0, 0x41, 0, 0, 0, 0, 0, 0, 0};
        struct observation observation =
                observe(STEP_REPORT_LUNS, (struct worker_reply){}, data, sizeof(data));

        g_assert_cmpint(observation.observed, ==, OBSERVED_GOOD);
        g_assert_cmpuint(observation.luns.count, ==, 3);
        g_assert_cmpuint(observation.luns.luns[2], ==, 16640);
        g_assert_cmpuint(observation.luns.wanted_bytes, ==, 40); /* one more than came */
        observation_done(&observation);
}

static void test_identity(void) {
        static const uint8_t page[] = {0, 0x83, 0, 12, 1, 3, 0, 8, 0x50, 0, 0xc5, 0, 0, 0, 0, 1};
        static const uint8_t serial[] = {0, 0x80, 0, 6, ' ', 'A', 'B', 'C', '1', ' '};
        struct observation observation =
                observe(STEP_READ_IDENTITY, (struct worker_reply){}, page, sizeof(page));

        g_assert_cmpint(observation.observed, ==, OBSERVED_GOOD);
        g_assert_cmpstr(observation.identity.name, ==, "naa.5000c50000000001");
        observation_done(&observation);
        observation = observe(STEP_READ_SERIAL, (struct worker_reply){}, serial, sizeof(serial));
        g_assert_cmpint(observation.observed, ==, OBSERVED_GOOD);
        g_assert_cmpstr(observation.serial, ==, "ABC1");
        observation_done(&observation);
}

static void test_inquire(void) {
        static const char data[96] = "\x7f\0\x06\x02\x5b\0\0\0SIMULATENO LU           0001";
        struct observation observation =
                observe(STEP_INQUIRE, (struct worker_reply){}, data, sizeof(data));

        g_assert_cmpint(observation.observed, ==, OBSERVED_GOOD);
        g_assert_cmpuint(observation.inquiry.qualifier, ==, 3);
        g_assert_cmpuint(observation.inquiry.type, ==, 0x1f);
        g_assert_cmpstr(observation.inquiry.model, ==, "NO LU");
        observation_done(&observation);
}

static void test_facts(void) {
        uint8_t host[256], device[256];
        const size_t host_size = records_put(
                host, RECORDS("class/scsi_host/host3/\0\0proc_name\0scsi_debug\0state\0running"));
        const size_t device_size = records_put(device, RECORDS("./\0\0vendor\0Linux\0type\0000"));
        static const enum step_kind looks[] = {STEP_READ_DEVICE, STEP_ATTACH, STEP_REFRESH,
                                               STEP_SET_STATE};
        struct observation observation =
                observe(STEP_READ_HOST, (struct worker_reply){}, host, host_size);

        g_assert_cmpint(observation.observed, ==, OBSERVED_GOOD);
        g_assert_cmpstr(observation.host.driver, ==, "scsi_debug");
        observation_done(&observation);
        for (size_t i = 0; i < ELEMENTS_OF(looks); i++) {
                observation = observe(looks[i], (struct worker_reply){}, device, device_size);
                g_assert_cmpint(observation.observed, ==, OBSERVED_GOOD);
                g_assert_cmpstr(observation.device.vendor, ==, "Linux");
                observation_done(&observation);
        }
        observation = observe(STEP_READ_DEVICE, (struct worker_reply){}, device, device_size - 1);
        g_assert_cmpint(observation.observed, ==, OBSERVED_ERROR);
        g_assert_cmpint(observation.error, ==, -EBADMSG);
        observation_done(&observation);
}

/* Whatever a worker says, what comes of it can be given back. */
static void test_random(void) {
        guint kinds[OBSERVED_STUCK + 1] = {};

        for (guint round = 0; round < 20000; round++) {
                uint8_t data[64];
                size_t length = (size_t)g_test_rand_int_range(0, sizeof(data) + 1);
                struct worker_reply reply = {
                        .error = g_test_rand_int_range(0, 3) ? 0 : -g_test_rand_int_range(1, 40),
                        .write_error =
                                g_test_rand_int_range(0, 3) ? 0 : -g_test_rand_int_range(1, 40),
                        .scsi_status = g_test_rand_int_range(0, 3)
                                               ? 0
                                               : (uint8_t)g_test_rand_int_range(0, 256),
                        .sense_length = (uint16_t)g_test_rand_int_range(0, WORKER_SENSE_MAX + 1),
                };
                struct observation observation;

                for (size_t i = 0; i < sizeof(data); i++)
                        data[i] = g_test_rand_bit() ? 0 : (uint8_t)g_test_rand_int_range(0, 256);
                for (size_t i = 0; i < sizeof(reply.sense); i++)
                        reply.sense[i] = (uint8_t)g_test_rand_int_range(0, 256);
                if (g_test_rand_bit())
                        data[1] = g_test_rand_bit() ? SCSI_VPD_DEVICE_ID : SCSI_VPD_SERIAL;
                observation =
                        observe((enum step_kind)g_test_rand_int_range(STEP_READ_HOST, STEP_KINDS),
                                reply, data, length);
                kinds[observation.observed]++;
                observation_done(&observation);
        }
        g_assert_cmpuint(kinds[OBSERVED_GOOD], >, 0);
        g_assert_cmpuint(kinds[OBSERVED_DEVICE], >, 0);
        g_assert_cmpuint(kinds[OBSERVED_LOST] + kinds[OBSERVED_STUCK], ==, 0);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/kernel/codec/request", test_request);
        g_test_add_func("/kernel/codec/request-flags", test_request_flags);
        g_test_add_func("/kernel/codec/request-kernel-scan", test_request_kernel_scan);
        g_test_add_func("/kernel/codec/failures", test_failures);
        g_test_add_func("/kernel/codec/device-outcomes", test_device_outcomes);
        g_test_add_func("/kernel/codec/luns", test_luns);
        g_test_add_func("/kernel/codec/identity", test_identity);
        g_test_add_func("/kernel/codec/inquire", test_inquire);
        g_test_add_func("/kernel/codec/facts", test_facts);
        g_test_add_func("/kernel/codec/random", test_random);
        return g_test_run();
}
