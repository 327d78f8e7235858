/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of the client share: a small machine, and what is printed as a string. */

#include <glib.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/cleanup.h"
#include "client/model.h"
#include "client/options.h"

/* Two hosts; host10 is stuck. One unit with a path through each, LUN 300 (flat) without a unit and
 * missing, a job that has ended. The order is none, and there is what this client does not know: a
 * policy object, an interface, a property, and a path below ours that is none of the contract. */
#define MACHINE                                                                                    \
        "{'/org/scsiscan1/device/10_0_0_5': {'org.scsiscan1.Device': {"                            \
        "   'Address': '10:0:0:5', 'Host': '/org/scsiscan1/host/10',"                              \
        "   'Target': '/org/scsiscan1/target/10_0_0', 'Unit': '/org/scsiscan1/unit/naa_2e5a',"     \
        "   'Lun': '5', 'Type': 'disk', 'Model': 'disk0', 'Revision': '0191',"                     \
        "   'State': 'offline', 'Standing': 'present', 'GenericDevice': '/dev/sg2',"               \
        "   'Identity': 'naa.5a'}},"                                                               \
        " '/org/scsiscan1/host/10': {'org.scsiscan1.Host': {"                                      \
        "   'Number': 10, 'Driver': 'lpfc', 'Transport': 'fc', 'State': 'running',"                \
        "   'PortName': 'naa.10', 'Discovery': 'kernel', 'Stuck': true}},"                         \
        " '/org/scsiscan1/host/2': {'org.scsiscan1.Host': {"                                       \
        "   'Number': 2, 'Driver': 'scsi_debug', 'Transport': 'pseudo', 'State': 'running',"       \
        "   'PortName': '', 'Discovery': 'service', 'Stuck': false},"                              \
        "   'org.scsiscan1.Later': {'Number': 3}},"                                                \
        " '/org/scsiscan1/unit/naa_2e5a': {'org.scsiscan1.Unit': {"                                \
        "   'Identity': 'naa.5a', 'Serial': 'S1', 'Type': 'disk', 'Vendor': 'ACME',"               \
        "   'Model': 'disk0', 'Revision': '0191', 'Size': 8388608, 'BlockSize': 512,"              \
        "   'Devices': ['/org/scsiscan1/device/2_0_1_5',"                                          \
        "               '/org/scsiscan1/device/10_0_0_5']}},"                                      \
        " '/org/scsiscan1/target/2_0_1': {'org.scsiscan1.Target': {"                               \
        "   'Address': '2:0:1', 'Host': '/org/scsiscan1/host/2', 'Transport': 'pseudo',"           \
        "   'PortName': 'naa.21', 'PortState': '',"                                                \
        "   'Luns': [['5', '0x0005000000000000', 'attached', ''],"                                 \
        "            ['16684', '0x412c000000000000', 'not-reported', 'not listed']],"              \
        "   'Devices': ['/org/scsiscan1/device/2_0_1_5',"                                          \
        "               '/org/scsiscan1/device/2_0_1_16684'], 'LastAsked': 1500000}},"             \
        " '/org/scsiscan1/target/10_0_0': {'org.scsiscan1.Target': {"                              \
        "   'Address': '10:0:0', 'Host': '/org/scsiscan1/host/10', 'Transport': 'fc',"             \
        "   'PortName': 'naa.100', 'PortState': 'Blocked', 'Luns': [],"                            \
        "   'Devices': ['/org/scsiscan1/device/10_0_0_5'], 'LastAsked': 0}},"                      \
        " '/org/scsiscan1/device/2_0_1_16684': {'org.scsiscan1.Device': {"                         \
        "   'Address': '2:0:1:16684', 'Host': '/org/scsiscan1/host/2',"                            \
        "   'Target': '/org/scsiscan1/target/2_0_1', 'Unit': '/', 'Lun': '16684',"                 \
        "   'Type': 'enclosure', 'Model': 'box', 'Revision': '1', 'State': 'running',"             \
        "   'Standing': 'missing', 'BlockDevice': '', 'GenericDevice': '/dev/sg1',"                \
        "   'Identity': '', 'InUse': false, 'Holders': []}},"                                      \
        " '/org/scsiscan1/device/2_0_1_5': {'org.scsiscan1.Device': {"                             \
        "   'Address': '2:0:1:5', 'Host': '/org/scsiscan1/host/2',"                                \
        "   'Target': '/org/scsiscan1/target/2_0_1', 'Unit': '/org/scsiscan1/unit/naa_2e5a',"      \
        "   'Lun': '5', 'LunHex': '0x0005000000000000', 'Type': 'disk', 'Vendor': 'ACME',"         \
        "   'Model': 'disk0', 'Revision': '0191', 'State': 'running', 'Standing': 'present',"      \
        "   'BlockDevice': '/dev/sda', 'GenericDevice': '/dev/sg0', 'Identity': 'naa.5a',"         \
        "   'InUse': true, 'Holders': ['/mnt', 'dm-0'], 'NotYetInvented': 7}},"                    \
        " '/org/scsiscan1/job/3': {'org.scsiscan1.Job': {"                                         \
        "   'Operation': 'scan', 'Scope': '', 'Cause': 'request', 'State': 'failed',"              \
        "   'StartTime': 1000000, 'Progress': 0.5, 'ProgressValid': true,"                         \
        "   'StartedByUID': 0, 'Objects': ['/org/scsiscan1/host/2'],"                              \
        "   'Result': 'failed', 'Summary': {'attached': 2, 'failed': 1, 'gone': 0}}},"             \
        " '/org/scsiscan1/device/2_0_1': {'org.scsiscan1.Device': {}},"                            \
        " '/org/scsiscan1/rule/1': {'org.scsiscan1.Rule': {}},"                                    \
        " '/org/scsiscan1': {'org.scsiscan1.Topology': {'Generation': 7, 'Ready': true}}}"

/* json-c takes the apostrophes. */
static inline struct json_object *json_from_text(const char *text) {
        struct json_object *object = json_tokener_parse(text);

        g_assert_nonnull(object);
        return object;
}

static inline struct model *model_from_text(const char *text) {
        _cleanup_(json_object_putp) struct json_object *document = json_from_text(text);
        struct model *model = NULL;

        g_assert_cmpint(model_new(document, &model), ==, 0);
        return model;
}

/* What is printed to options.out between printed_begin() and printed_end(). */
struct printed {
        char *text;
        size_t size;
        struct options options;
};

static inline void printed_begin(struct printed *printed) {
        *printed = (struct printed){.options = {.legend = true, .wait = true}};
        printed->options.out = open_memstream(&printed->text, &printed->size);
        g_assert_nonnull(printed->options.out);
}

static inline void printed_end(struct printed *printed, const char *expected) {
        g_assert_cmpint(fclose(printed->options.out), ==, 0);
        g_assert_cmpstr(printed->text, ==, expected);
        free(printed->text);
}

/* The same for JSON, whatever its spaces. */
static inline struct json_object *printed_end_json(struct printed *printed) {
        struct json_object *object;

        g_assert_cmpint(fclose(printed->options.out), ==, 0);
        object = json_from_text(printed->text);
        free(printed->text);
        return object;
}

static inline void assert_json(struct json_object *object, const char *expected) {
        _cleanup_(json_object_putp) struct json_object *other = json_from_text(expected);

        if (json_object_equal(object, other))
                return;
        g_test_message("%s", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
        g_assert_true(json_object_equal(object, other));
}

/* A member of a member and so on; a number is an index of an array. */
static inline struct json_object *json_at(struct json_object *object, const char *const *path) {
        for (; *path; path++)
                if (json_object_is_type(object, json_type_array))
                        object = json_object_array_get_idx(object, (size_t)atoi(*path));
                else
                        g_assert_true(json_object_object_get_ex(object, *path, &object));
        return object;
}
#define JSON_AT(object, ...) json_at(object, (const char *const[]){__VA_ARGS__, NULL})
