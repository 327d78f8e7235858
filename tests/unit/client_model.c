/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "client/model.h"
#include "tests/unit/client_support.h"

static void test_order(void) {
        static const char *const keys[OBJECT_KINDS][4] = {
                [OBJECT_HOST] = {"host2", "host10"},
                [OBJECT_TARGET] = {"2:0:1", "10:0:0"},
                [OBJECT_DEVICE] = {"2:0:1:5", "2:0:1:16684", "10:0:0:5"},
                [OBJECT_UNIT] = {"naa.5a"},
                [OBJECT_JOB] = {"/org/scsiscan1/job/3"},
        };
        _cleanup_(model_freep) struct model *model = model_from_text(MACHINE);

        for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++) {
                size_t count, i;
                const struct object *objects = model_objects(model, kind, &count);

                for (i = 0; i < count; i++) {
                        g_assert_cmpstr(objects[i].key, ==, keys[kind][i]);
                        g_assert_cmpuint(objects[i].index, ==, i);
                        g_assert_cmpint(objects[i].kind, ==, kind);
                }
                g_assert_null(keys[kind][i]);
        }
}

static void test_links(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(MACHINE);
        const struct object *device = model_find(model, "/org/scsiscan1/device/2_0_1_5");
        const struct object *other = model_find(model, "/org/scsiscan1/device/10_0_0_5");
        const struct object *lone = model_find(model, "/org/scsiscan1/device/2_0_1_16684");

        g_assert_nonnull(device);
        g_assert_cmpstr(device->parent->key, ==, "2:0:1");
        g_assert_cmpstr(device->parent->parent->key, ==, "host2");
        g_assert_null(device->parent->parent->parent);
        g_assert_cmpstr(device->unit->key, ==, "naa.5a");
        g_assert_true(other->unit == device->unit);
        g_assert_null(lone->unit);
        g_assert_null(model_find(model, "/org/scsiscan1/rule/1"));
        g_assert_null(model_find(model, "/org/scsiscan1/device/2_0_1"));
}

static void test_properties(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(MACHINE);
        const struct object *unit = model_find(model, "/org/scsiscan1/unit/naa_2e5a");
        const struct object *host = model_find(model, "/org/scsiscan1/host/10");

        g_assert_cmpuint(object_number(unit, "Size"), ==, 8388608);
        g_assert_cmpstr(object_string(unit, "Serial"), ==, "S1");
        g_assert_cmpuint(json_object_array_length(object_array(unit, "Devices")), ==, 2);
        g_assert_true(object_bool(host, "Stuck"));
        g_assert_cmpint(json_object_get_int(
                                model_root_property(model, "org.scsiscan1.Topology", "Generation")),
                        ==, 7);
        g_assert_null(model_root_property(model, "org.scsiscan1.Topology", "Nothing"));
        g_assert_null(model_root_property(model, "org.scsiscan1.Nothing", "Generation"));
        /* missing, and of another type than the contract's */
        g_assert_cmpstr(object_string(unit, "Nothing"), ==, "");
        g_assert_cmpstr(object_string(unit, "Size"), ==, "");
        g_assert_cmpuint(object_number(unit, "Serial"), ==, 0);
        g_assert_false(object_bool(unit, "Serial"));
        g_assert_null(object_array(unit, "Serial"));
}

/* A service that tells half of it, or nonsense, makes a smaller model and no trouble. */
static void test_incomplete(void) {
        static const struct {
                const char *document;
                size_t devices;
                bool parent;
        } examples[] = {
                {"{}", 0, false},
                {"{'/org/scsiscan1/device/1_2_3_4': {}}", 0, false},
                {"{'/org/scsiscan1/device/1_2_3_4': 5}", 0, false},
                {"{'/org/scsiscan1/device/1_2_3_4': {'org.scsiscan1.Device': {}}}", 1, false},
                {"{'/org/scsiscan1/device/1_2_3_4': {'org.scsiscan1.Device': 5}}", 1, false},
                /* no such target; the host stands in for it */
                {"{'/org/scsiscan1/device/1_2_3_4': {'org.scsiscan1.Device': "
                 "  {'Target': '/org/scsiscan1/target/1_2_3', 'Host': '/org/scsiscan1/host/1'}},"
                 " '/org/scsiscan1/host/1': {'org.scsiscan1.Host': {}}}",
                 1, true},
                /* a device is no target: it cannot be its own parent */
                {"{'/org/scsiscan1/device/1_2_3_4': {'org.scsiscan1.Device': "
                 "  {'Target': '/org/scsiscan1/device/1_2_3_4',"
                 "   'Unit': '/org/scsiscan1/device/1_2_3_4', 'Host': 5}}}",
                 1, false},
        };

        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                _cleanup_(model_freep) struct model *model = model_from_text(examples[i].document);
                size_t count;
                const struct object *device = model_objects(model, OBJECT_DEVICE, &count);

                g_assert_cmpuint(count, ==, examples[i].devices);
                if (count == 0)
                        continue;
                g_assert_true((device->parent != NULL) == examples[i].parent);
                g_assert_null(device->unit);
                g_assert_cmpstr(object_string(device, "Model"), ==, "");
        }
}

static struct json_object *many(size_t count) {
        struct json_object *document = json_object_new_object();

        for (size_t i = 0; i < count; i++) {
                _cleanup_(freep) char *path = NULL;
                struct json_object *interfaces = json_object_new_object();

                g_assert_cmpint(asprintf(&path, "/org/scsiscan1/device/0_0_0_%zu", count - i), >,
                                0);
                json_object_object_add(interfaces, "org.scsiscan1.Device",
                                       json_object_new_object());
                json_object_object_add(document, path, interfaces);
        }
        return document;
}

static void test_many(void) {
        _cleanup_(json_object_putp) struct json_object *document = many(16384);
        _cleanup_(model_freep) struct model *model = NULL;
        const struct object *devices;
        size_t count;

        g_assert_cmpint(model_new(document, &model), ==, 0);
        devices = model_objects(model, OBJECT_DEVICE, &count);
        g_assert_cmpuint(count, ==, 16384);
        for (size_t i = 0; i < count; i++)
                g_assert_cmpuint(devices[i].numbers[3], ==, i + 1);
        g_assert_true(model_find(model, "/org/scsiscan1/device/0_0_0_9999") == &devices[9998]);
}

static void test_too_many(void) {
        _cleanup_(json_object_putp) struct json_object *document = many(MODEL_OBJECTS_MAX + 1);
        struct model *model = NULL;

        g_assert_cmpint(model_new(document, &model), ==, -E2BIG);
        g_assert_null(model);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/client/model/order", test_order);
        g_test_add_func("/client/model/links", test_links);
        g_test_add_func("/client/model/properties", test_properties);
        g_test_add_func("/client/model/incomplete", test_incomplete);
        g_test_add_func("/client/model/many", test_many);
        g_test_add_func("/client/model/too-many", test_too_many);
        return g_test_run();
}
