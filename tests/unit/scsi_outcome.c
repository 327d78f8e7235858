/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdbool.h>

#include "scsi/outcome.h"
#include "tests/unit/scsi_support.h"
#include "util/cleanup.h"

#define CHECK_CONDITION 0x02

enum {
        FIXED = 0x70,
        FIXED_DEFERRED = 0x71,
        DESCRIPTOR = 0x72,
        DESCRIPTOR_DEFERRED = 0x73,
};

#define SENSE_LENGTH 18

static void fill_sense(uint8_t sense[static SENSE_LENGTH], uint8_t format,
                       struct scsi_sense_code code) {
        memset(sense, 0, SENSE_LENGTH);
        sense[0] = format;
        if (format >= DESCRIPTOR) {
                sense[1] = code.key;
                sense[2] = code.asc;
                sense[3] = code.ascq;
        } else {
                sense[2] = code.key;
                sense[7] = SENSE_LENGTH - 8;
                sense[12] = code.asc;
                sense[13] = code.ascq;
        }
}

static void test_sense(void) {
        static const struct {
                struct scsi_sense_code code;
                enum scsi_outcome outcome;
        } table[] = {
                {{0x0, 0x00, 0x00}, SCSI_OUTCOME_GOOD},
                {{0x1, 0x17, 0x01}, SCSI_OUTCOME_GOOD},            /* recovered with retries */
                {{0x2, 0x04, 0x01}, SCSI_OUTCOME_NOT_READY},       /* becoming ready */
                {{0x2, 0x04, 0x0b}, SCSI_OUTCOME_NOT_READY},       /* ALUA standby */
                {{0x2, 0x3a, 0x00}, SCSI_OUTCOME_NOT_READY},       /* no medium */
                {{0x3, 0x11, 0x00}, SCSI_OUTCOME_FAILED},          /* read error */
                {{0x4, 0x3e, 0x01}, SCSI_OUTCOME_FAILED},          /* logical unit failure */
                {{0x4, 0x3e, 0x03}, SCSI_OUTCOME_FAILED},          /* failed self-test */
                {{0x4, 0x4c, 0x00}, SCSI_OUTCOME_FAILED},          /* failed to configure itself */
                {{0x5, 0x20, 0x00}, SCSI_OUTCOME_NOT_SUPPORTED},   /* operation code */
                {{0x5, 0x24, 0x00}, SCSI_OUTCOME_NOT_SUPPORTED},   /* field in CDB */
                {{0x5, 0x25, 0x00}, SCSI_OUTCOME_NO_LOGICAL_UNIT}, /* logical unit */
                {{0x5, 0x26, 0x00}, SCSI_OUTCOME_FAILED},          /* parameter list */
                {{0x6, 0x29, 0x00}, SCSI_OUTCOME_UNIT_ATTENTION},  /* power on */
                {{0x6, 0x3f, 0x0e}, SCSI_OUTCOME_UNIT_ATTENTION},  /* LUNs changed */
                {{0x7, 0x27, 0x00}, SCSI_OUTCOME_FAILED},          /* write protected */
                {{0xb, 0x47, 0x00}, SCSI_OUTCOME_BUSY},            /* parity error */
                {{0xe, 0x1d, 0x00}, SCSI_OUTCOME_FAILED},          /* miscompare */
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++)
                for (unsigned format = FIXED; format <= DESCRIPTOR; format += 2) {
                        uint8_t sense[SENSE_LENGTH];
                        const struct scsi_result result = {
                                .status = CHECK_CONDITION,
                                .sense = sense,
                                .sense_length = sizeof(sense),
                        };
                        struct scsi_sense_code code;

                        g_test_message("%x/%02x/%02x", table[i].code.key, table[i].code.asc,
                                       table[i].code.ascq);
                        fill_sense(sense, (uint8_t)format, table[i].code);
                        g_assert_cmpint(scsi_outcome_of(&result, &code), ==, table[i].outcome);
                        g_assert_cmpuint(code.key, ==, table[i].code.key);
                        g_assert_cmpuint(code.asc, ==, table[i].code.asc);
                        g_assert_cmpuint(code.ascq, ==, table[i].code.ascq);
                        g_assert_cmpint(scsi_outcome_of(&result, NULL), ==, table[i].outcome);
                }
}

/* The command it is told about is not the one that was sent, which was not carried out. */
static void test_sense_deferred(void) {
        static const uint8_t formats[] = {FIXED_DEFERRED, DESCRIPTOR_DEFERRED};

        for (size_t i = 0; i < ELEMENTS_OF(formats); i++) {
                uint8_t sense[SENSE_LENGTH];
                const struct scsi_result result = {
                        .status = CHECK_CONDITION,
                        .sense = sense,
                        .sense_length = sizeof(sense),
                };
                struct scsi_sense_code code;

                fill_sense(sense, formats[i], (struct scsi_sense_code){1, 0x17, 0x01});
                g_assert_cmpint(scsi_outcome_of(&result, &code), ==, SCSI_OUTCOME_BUSY);
                g_assert_cmpuint(code.asc, ==, 0x17);
        }
}

static void test_sense_undecodable(void) {
        static const uint8_t responses[] = {0x00, 0x01, 0x6f, 0x74, 0x7e, 0x7f, 0xff};
        struct scsi_result result = {.status = CHECK_CONDITION};
        struct scsi_sense_code code = {9, 9, 9};
        uint8_t sense[SENSE_LENGTH];

        g_assert_cmpint(scsi_outcome_of(&result, &code), ==, SCSI_OUTCOME_FAILED);
        g_assert_cmpuint(code.key | code.asc | code.ascq, ==, 0);

        result.sense = sense;
        for (size_t i = 0; i < ELEMENTS_OF(responses); i++) {
                fill_sense(sense, responses[i], (struct scsi_sense_code){6, 0x29, 0});
                result.sense_length = sizeof(sense);
                g_assert_cmpint(scsi_outcome_of(&result, &code), ==, SCSI_OUTCOME_FAILED);
                g_assert_cmpuint(code.key, ==, 0);
        }

        fill_sense(sense, DESCRIPTOR, (struct scsi_sense_code){6, 0x29, 0});
        for (size_t length = 0; length < 8; length++) {
                result.sense_length = length;
                g_assert_cmpint(scsi_outcome_of(&result, &code), ==, SCSI_OUTCOME_FAILED);
        }
        result.sense_length = 8;
        g_assert_cmpint(scsi_outcome_of(&result, &code), ==, SCSI_OUTCOME_UNIT_ATTENTION);
}

static void test_status(void) {
        static const struct {
                uint8_t status;
                enum scsi_outcome outcome;
        } table[] = {
                {0x00, SCSI_OUTCOME_GOOD},   {0x04, SCSI_OUTCOME_GOOD},
                {0x08, SCSI_OUTCOME_BUSY},   {0x18, SCSI_OUTCOME_BUSY},
                {0x28, SCSI_OUTCOME_BUSY},   {0x30, SCSI_OUTCOME_BUSY},
                {0x40, SCSI_OUTCOME_BUSY},   {0x02, SCSI_OUTCOME_FAILED},
                {0x22, SCSI_OUTCOME_FAILED}, {0xff, SCSI_OUTCOME_FAILED},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                const struct scsi_result result = {.status = table[i].status};

                g_assert_cmpint(scsi_outcome_of(&result, NULL), ==, table[i].outcome);
        }
}

static void test_host_status(void) {
        static const struct {
                uint16_t host;
                enum scsi_outcome outcome;
        } table[] = {
                {0x00, SCSI_OUTCOME_GOOD},       {0x01, SCSI_OUTCOME_NO_CONNECT},
                {0x02, SCSI_OUTCOME_BUSY},       {0x03, SCSI_OUTCOME_TIMEOUT},
                {0x04, SCSI_OUTCOME_NO_CONNECT}, {0x05, SCSI_OUTCOME_TIMEOUT},
                {0x06, SCSI_OUTCOME_FAILED},     {0x07, SCSI_OUTCOME_FAILED},
                {0x08, SCSI_OUTCOME_TIMEOUT},    {0x0b, SCSI_OUTCOME_BUSY},
                {0x0c, SCSI_OUTCOME_BUSY},       {0x0d, SCSI_OUTCOME_BUSY},
                {0x0e, SCSI_OUTCOME_NO_CONNECT}, {0x0f, SCSI_OUTCOME_NO_CONNECT},
                {0x10, SCSI_OUTCOME_FAILED},     {0x11, SCSI_OUTCOME_FAILED},
                {0x14, SCSI_OUTCOME_NO_CONNECT}, {0x15, SCSI_OUTCOME_FAILED},
                {0xffff, SCSI_OUTCOME_FAILED},
        };

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                const struct scsi_result result = {.host_status = table[i].host};

                g_test_message("host status %02x", table[i].host);
                g_assert_cmpint(scsi_outcome_of(&result, NULL), ==, table[i].outcome);
        }
}

/* Kernels before 5.18 leave DID_TARGET_FAILURE beside the sense data they derived it from. */
static void test_host_status_beside_sense(void) {
        uint8_t sense[SENSE_LENGTH];
        struct scsi_result result = {
                .status = CHECK_CONDITION,
                .host_status = 0x10,
                .sense = sense,
                .sense_length = sizeof(sense),
        };

        fill_sense(sense, FIXED, (struct scsi_sense_code){5, 0x25, 0});
        g_assert_cmpint(scsi_outcome_of(&result, NULL), ==, SCSI_OUTCOME_NO_LOGICAL_UNIT);

        result.host_status = 0x01;
        g_assert_cmpint(scsi_outcome_of(&result, NULL), ==, SCSI_OUTCOME_NO_CONNECT);

        result = (struct scsi_result){.status = 0x18, .host_status = 0x11};
        g_assert_cmpint(scsi_outcome_of(&result, NULL), ==, SCSI_OUTCOME_BUSY);
}

static void test_driver_status(void) {
        uint8_t sense[SENSE_LENGTH];
        struct scsi_result result = {
                .driver_status = 0x06,
                .sense = sense,
                .sense_length = sizeof(sense),
        };

        fill_sense(sense, FIXED, (struct scsi_sense_code){6, 0x29, 0});
        g_assert_cmpint(scsi_outcome_of(&result, NULL), ==, SCSI_OUTCOME_TIMEOUT);

        result.driver_status = 0x08;
        g_assert_cmpint(scsi_outcome_of(&result, NULL), ==, SCSI_OUTCOME_UNIT_ATTENTION);

        /* GOOD, and a buffer of which nobody says that it was filled */
        result.driver_status = 0;
        g_assert_cmpint(scsi_outcome_of(&result, NULL), ==, SCSI_OUTCOME_GOOD);
}

static void test_name(void) {
        static const char *const names[] = {
                "good", "unit-attention", "not-supported", "no-logical-unit", "not-ready",
                "busy", "timeout",        "no-connect",    "failed",
        };

        for (size_t i = 0; i < ELEMENTS_OF(names); i++)
                g_assert_cmpstr(scsi_outcome_name((enum scsi_outcome)i), ==, names[i]);
        g_assert_cmpuint(ELEMENTS_OF(names), ==, SCSI_OUTCOME_FAILED + 1);
}

static void check_random(const struct scsi_result *result) {
        struct scsi_sense_code code;
        enum scsi_outcome outcome = scsi_outcome_of(result, &code);
        bool check = result->status == CHECK_CONDITION;

        g_assert_nonnull(scsi_outcome_name(outcome));
        g_assert_cmpuint(code.key, <=, 0xf);

        if (outcome == SCSI_OUTCOME_GOOD) {
                g_assert_cmpuint(code.key, <=, 1);
                g_assert_true(check || result->status == 0x00 || result->status == 0x04);
        }
        if (outcome == SCSI_OUTCOME_UNIT_ATTENTION)
                g_assert_cmpuint(code.key, ==, 6);
        if (outcome == SCSI_OUTCOME_NO_LOGICAL_UNIT)
                g_assert_cmpuint(code.asc, ==, 0x25);
        if (check && result->sense_length < 8)
                g_assert_cmpint(outcome, >=, SCSI_OUTCOME_BUSY);
}

static void test_random(void) {
        static const uint8_t statuses[] = {0, 2, 2, 2, 4, 8, 0x18, 0x28, 0x40};

        for (unsigned round = 0; round < 5 * RANDOM_ROUNDS; round++) {
                size_t length = random_below(random_below(8) == 0 ? 300 : 20);
                g_autofree uint8_t *sense = random_bytes(length);
                const struct scsi_result result = {
                        .status = statuses[random_below(sizeof(statuses))],
                        .host_status = (uint16_t)(random_below(2) * random_below(0x18)),
                        .driver_status = (uint16_t)(random_below(2) * random_below(0x10)),
                        .sense = sense,
                        .sense_length = length,
                };

                if (length > 0 && random_below(4) > 0)
                        sense[0] = (uint8_t)(FIXED + random_below(4));
                check_random(&result);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/scsi/outcome/sense", test_sense);
        g_test_add_func("/scsi/outcome/sense-deferred", test_sense_deferred);
        g_test_add_func("/scsi/outcome/sense-undecodable", test_sense_undecodable);
        g_test_add_func("/scsi/outcome/status", test_status);
        g_test_add_func("/scsi/outcome/host-status", test_host_status);
        g_test_add_func("/scsi/outcome/host-status-beside-sense", test_host_status_beside_sense);
        g_test_add_func("/scsi/outcome/driver-status", test_driver_status);
        g_test_add_func("/scsi/outcome/name", test_name);
        g_test_add_func("/scsi/outcome/random", test_random);
        return g_test_run();
}
