/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/document.h"
#include "tests/unit/client_support.h"

static void test_names(void) {
        static const char *const names[][2] = {
                {"Size", "size"},
                {"LunHex", "lun_hex"},
                {"BlockDevice", "block_device"},
                {"StartedByUID", "started_by_uid"},
                {"LastUnitAttention", "last_unit_attention"},
                {"attached", "attached"},
                {"", ""},
        };

        for (size_t i = 0; i < ELEMENTS_OF(names); i++) {
                _cleanup_(json_object_putp) struct json_object *in = json_object_new_object();
                _cleanup_(json_object_putp) struct json_object *out = NULL;

                json_object_object_add(in, names[i][0], json_object_new_int(1));
                out = document_from_properties(in);
                g_assert_cmpint(json_object_object_length(out), ==, 1);
                g_assert_true(json_object_object_get_ex(out, names[i][1], NULL));
        }
}

static void test_references(void) {
        static const char *const values[][2] = {
                {"{'Host': '/org/scsiscan1/host/3'}", "{'host': 'host3'}"},
                {"{'Unit': '/'}", "{'unit': null}"},
                {"{'Devices': ['/org/scsiscan1/device/1_2_3_4', 7]}",
                 "{'devices': ['1:2:3:4', 7]}"},
                {"{'Devices': []}", "{'devices': []}"},
                {"{'Target': 5}", "{'target': 5}"},
                /* any other string is what it is */
                {"{'Model': '/org/scsiscan1/host/3'}", "{'model': '/org/scsiscan1/host/3'}"},
                {"{}", "{}"},
                {"7", "{}"},
        };

        for (size_t i = 0; i < ELEMENTS_OF(values); i++) {
                _cleanup_(json_object_putp) struct json_object *in = json_from_text(values[i][0]);
                _cleanup_(json_object_putp) struct json_object *out = document_from_properties(in);

                assert_json(out, values[i][1]);
        }
}

static void test_object(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(MACHINE);
        _cleanup_(json_object_putp) struct json_object *document = NULL;

        document = document_from_object(model_find(model, "/org/scsiscan1/device/2_0_1_5"));
        assert_json(document,
                    "{'kind': 'device', 'key': '2:0:1:5',"
                    " 'path': '/org/scsiscan1/device/2_0_1_5', 'size': 8388608, 'block_size': 512,"
                    " 'address': '2:0:1:5', 'host': 'host2', 'target': '2:0:1', 'unit': 'naa.5a',"
                    " 'lun': '5', 'lun_hex': '0x0005000000000000', 'type': 'disk',"
                    " 'vendor': 'ACME', 'model': 'disk0', 'revision': '0191', 'state': 'running',"
                    " 'standing': 'present', 'block_device': '/dev/sda',"
                    " 'generic_device': '/dev/sg0', 'identity': 'naa.5a', 'in_use': true,"
                    " 'holders': ['/mnt', 'dm-0'], 'not_yet_invented': 7}");
}

static void test_object_without_unit(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(MACHINE);
        _cleanup_(json_object_putp) struct json_object *document = NULL;

        document = document_from_object(model_find(model, "/org/scsiscan1/device/2_0_1_16684"));
        g_assert_null(JSON_AT(document, "size"));
        g_assert_null(JSON_AT(document, "block_size"));
        g_assert_null(JSON_AT(document, "unit"));
}

/* The largest number of the bus is still a number, to the last digit. */
static void test_print(void) {
        _cleanup_(json_object_putp) struct json_object *document = json_object_new_object();
        struct printed printed;

        json_object_object_add(document, "size", json_object_new_uint64(UINT64_MAX));
        json_object_object_add(document, "node", json_object_new_string("/dev/sda"));
        printed_begin(&printed);
        g_assert_cmpint(document_print_line(document, &printed.options), ==, 0);
        printed_end(&printed, "{\"size\":18446744073709551615,\"node\":\"/dev/sda\"}\n");
        printed_begin(&printed);
        g_assert_cmpint(document_print(document, &printed.options), ==, 0);
        printed_end(&printed,
                    "{\n  \"size\": 18446744073709551615,\n  \"node\": \"/dev/sda\"\n}\n");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/client/document/names", test_names);
        g_test_add_func("/client/document/references", test_references);
        g_test_add_func("/client/document/object", test_object);
        g_test_add_func("/client/document/object-without-unit", test_object_without_unit);
        g_test_add_func("/client/document/print", test_print);
        return g_test_run();
}
