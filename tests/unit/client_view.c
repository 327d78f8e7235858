/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <time.h>

#include "client/view.h"
#include "tests/unit/client_support.h"

static void test_tree(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(MACHINE);
        struct printed printed;

        printed_begin(&printed);
        g_assert_cmpint(tree_print(model, &printed.options), ==, 0);
        printed_end(
                &printed,
                "DEVICE          TYPE              SIZE MODEL REV  NODES             STATE           IDENTITY\n"
                "host2           pseudo scsi_debug                                   running         \n"
                "`-2:0:1                                                                             naa.21\n"
                "  |-2:0:1:5     disk                8M disk0 0191 /dev/sda /dev/sg0 running         naa.5a\n"
                "  `-2:0:1:16684 enclosure              box   1    /dev/sg1          running,missing \n"
                "host10          fc lpfc                                             running,stuck   naa.10\n"
                "`-10:0:0                                                            Blocked         naa.100\n"
                "  `-10:0:0:5    disk                8M disk0 0191 /dev/sg2          offline         naa.5a\n"
                "\n"
                "UNIT       TYPE SIZE MODEL SERIAL NODES             STATE\n"
                "naa.5a     disk   8M disk0 S1                       \n"
                "|-2:0:1:5                         /dev/sda /dev/sg0 running\n"
                "`-10:0:0:5                        /dev/sg2          offline\n");
}

static void test_tree_empty(void) {
        _cleanup_(model_freep) struct model *model = model_from_text("{}");
        struct printed printed;

        printed_begin(&printed);
        g_assert_cmpint(tree_print(model, &printed.options), ==, 0);
        printed_end(&printed, "");
}

static void test_tree_orphan(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(
                "{'/org/scsiscan1/device/1_2_3_4': {'org.scsiscan1.Device': {'Type': 'tape'}}}");
        struct printed printed;

        printed_begin(&printed);
        printed.options.legend = false;
        g_assert_cmpint(tree_print(model, &printed.options), ==, 0);
        printed_end(&printed, "1:2:3:4 tape                            \n");
}

/* The driver's name is said once, also where it is all that is known, or the transport's too. */
static void test_tree_adapter(void) {
        static const struct {
                const char *host, *line;
        } examples[] = {
                {"{'Transport': 'usb', 'Driver': 'uas'}",
                 "host1  usb uas                            \n"},
                {"{'Transport': 'usb', 'Driver': 'usb'}",
                 "host1  usb                             \n"},
                {"{'Transport': 'usb', 'Driver': ''}", "host1  usb                             \n"},
                {"{'Transport': '', 'Driver': 'uas'}", "host1  uas                             \n"},
                {"{}", "host1                                  \n"},
        };

        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                g_autofree char *text = g_strdup_printf(
                        "{'/org/scsiscan1/host/1': {'org.scsiscan1.Host': %s}}", examples[i].host);
                _cleanup_(model_freep) struct model *model = model_from_text(text);
                struct printed printed;

                printed_begin(&printed);
                printed.options.legend = false;
                g_assert_cmpint(tree_print(model, &printed.options), ==, 0);
                printed_end(&printed, examples[i].line);
        }
}

static void test_tree_json(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(MACHINE);
        _cleanup_(json_object_putp) struct json_object *document = NULL;
        struct json_object *target;
        struct printed printed;

        printed_begin(&printed);
        printed.options.json = true;
        g_assert_cmpint(tree_print(model, &printed.options), ==, 0);
        document = printed_end_json(&printed);
        g_assert_cmpint(json_object_object_length(document), ==, 4);
        g_assert_cmpint(json_object_get_int(JSON_AT(document, "generation")), ==, 7);
        g_assert_true(json_object_get_boolean(JSON_AT(document, "ready")));
        g_assert_cmpuint(json_object_array_length(JSON_AT(document, "hosts")), ==, 2);
        target = JSON_AT(document, "hosts", "0", "targets", "0");
        assert_json(JSON_AT(target, "key"), "'2:0:1'");
        g_assert_cmpuint(json_object_array_length(JSON_AT(target, "devices")), ==, 2);
        assert_json(JSON_AT(target, "devices", "0", "key"), "'2:0:1:5'");
        assert_json(JSON_AT(target, "devices", "0", "size"), "8388608");
        assert_json(JSON_AT(target, "devices", "1", "lun"), "'16684'");
        assert_json(JSON_AT(document, "units", "0", "devices"), "['2:0:1:5', '10:0:0:5']");
}

static void test_tree_json_orphan(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(
                "{'/org/scsiscan1/device/1_2_3_4': {'org.scsiscan1.Device': {'Type': 'tape'}}}");
        _cleanup_(json_object_putp) struct json_object *document = NULL;
        struct printed printed;

        printed_begin(&printed);
        printed.options.json = true;
        g_assert_cmpint(tree_print(model, &printed.options), ==, 0);
        document = printed_end_json(&printed);
        assert_json(document, "{'hosts': [], 'units': [], 'devices': [{'kind': 'device',"
                              " 'key': '1:2:3:4', 'path': '/org/scsiscan1/device/1_2_3_4',"
                              " 'size': null, 'block_size': null, 'type': 'tape'}]}");
}

static void test_list(void) {
        static const char *const lists[OBJECT_KINDS] = {
                [OBJECT_HOST] = "HOST   DRIVER     TRANSPORT STATE         DISCOVERY PORT\n"
                                "host2  scsi_debug pseudo    running       service   \n"
                                "host10 lpfc       fc        running,stuck kernel    naa.10\n",
                [OBJECT_TARGET] =
                        "TARGET TRANSPORT STATE   LUNS DEVICES ASKED               PORT\n"
                        "2:0:1  pseudo               2       2 1970-01-01 00:00:01 naa.21\n"
                        "10:0:0 fc        Blocked    0       1                     naa.100\n",
                [OBJECT_DEVICE] =
                        "DEVICE      TYPE      SIZE VENDOR MODEL REV  BLOCK    GENERIC  STATE           IDENTITY\n"
                        "2:0:1:5     disk        8M ACME   disk0 0191 /dev/sda /dev/sg0 running         naa.5a\n"
                        "2:0:1:16684 enclosure             box   1             /dev/sg1 running,missing \n"
                        "10:0:0:5    disk        8M        disk0 0191          /dev/sg2 offline         naa.5a\n",
                [OBJECT_UNIT] = "UNIT   TYPE SIZE VENDOR MODEL REV  SERIAL PATHS\n"
                                "naa.5a disk   8M ACME   disk0 0191 S1         2\n",
                [OBJECT_JOB] =
                        "JOB                  OPERATION SCOPE      CAUSE   STARTED             STATE  DONE SUMMARY\n"
                        "/org/scsiscan1/job/3 scan      everything request 1970-01-01 00:00:01 failed  50% 2 attached, 1 failed\n",
        };
        _cleanup_(model_freep) struct model *model = model_from_text(MACHINE);

        for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++) {
                struct printed printed;

                printed_begin(&printed);
                g_assert_cmpint(list_print(model, kind, &printed.options), ==, 0);
                printed_end(&printed, lists[kind]);
        }
}

static void test_list_no_legend(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(MACHINE);
        struct printed printed;

        printed_begin(&printed);
        printed.options.legend = false;
        g_assert_cmpint(list_print(model, OBJECT_HOST, &printed.options), ==, 0);
        printed_end(&printed, "host2  scsi_debug pseudo    running       service   \n"
                              "host10 lpfc       fc        running,stuck kernel    naa.10\n");
}

/* In a line the state alone is coloured, and only one that deserves it. */
static void test_list_color(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(MACHINE);
        struct printed printed;

        printed_begin(&printed);
        printed.options.legend = false;
        printed.options.color = true;
        g_assert_cmpint(list_print(model, OBJECT_HOST, &printed.options), ==, 0);
        printed_end(&printed,
                    "host2  scsi_debug pseudo    running       service   \n"
                    "host10 lpfc       fc        \033[31mrunning,stuck\033[0m kernel    naa.10\n");
}

static void test_heading_color(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(
                "{'/org/scsiscan1/job/3': {'org.scsiscan1.Job': {'Operation': 'scan', 'Scope': ''}},"
                " '/org/scsiscan1/host/1': {'org.scsiscan1.Host': {'State': 'running'}}}");
        struct printed printed;

        printed_begin(&printed);
        printed.options.color = true;
        g_assert_cmpint(list_print(model, OBJECT_JOB, &printed.options), ==, 0);
        printed_end(&printed,
                    "\033[4mJOB                 \033[0m \033[4mOPERATION\033[0m"
                    " \033[4mSCOPE     \033[0m \033[4mCAUSE\033[0m \033[4mSTARTED\033[0m"
                    " \033[4mSTATE\033[0m \033[4mDONE\033[0m \033[4mSUMMARY\033[0m\n"
                    "/org/scsiscan1/job/3 scan      everything                          \n");
        printed_begin(&printed);
        printed.options.color = true;
        g_assert_cmpint(tree_print(model, &printed.options), ==, 0);
        printed_end(&printed, "\033[4mDEVICE\033[0m \033[4mTYPE\033[0m \033[4mSIZE\033[0m"
                              " \033[4mMODEL\033[0m \033[4mREV\033[0m \033[4mNODES\033[0m"
                              " \033[4mSTATE  \033[0m \033[4mIDENTITY\033[0m\n"
                              "host1                            running \n");
}

static void test_list_json(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(MACHINE);
        _cleanup_(json_object_putp) struct json_object *document = NULL;
        struct printed printed;

        printed_begin(&printed);
        printed.options.json = true;
        g_assert_cmpint(list_print(model, OBJECT_UNIT, &printed.options), ==, 0);
        document = printed_end_json(&printed);
        assert_json(document, "{'units': [{'kind': 'unit', 'key': 'naa.5a',"
                              " 'path': '/org/scsiscan1/unit/naa_2e5a', 'identity': 'naa.5a',"
                              " 'serial': 'S1', 'type': 'disk', 'vendor': 'ACME', 'model': 'disk0',"
                              " 'revision': '0191', 'size': 8388608, 'block_size': 512,"
                              " 'devices': ['2:0:1:5', '10:0:0:5']}]}");
}

static void test_list_empty(void) {
        _cleanup_(model_freep) struct model *model = model_from_text("{}");
        struct printed printed;

        printed_begin(&printed);
        g_assert_cmpint(list_print(model, OBJECT_JOB, &printed.options), ==, 0);
        printed_end(&printed, "");
        printed_begin(&printed);
        printed.options.json = true;
        g_assert_cmpint(list_print(model, OBJECT_JOB, &printed.options), ==, 0);
        printed_end(&printed, "{\n  \"jobs\": [\n  ]\n}\n");
}

/* What show prints of MACHINE. */
static const char shown[] =
        "host host2\n"
        "  Number               2\n"
        "  Driver               scsi_debug\n"
        "  Transport            pseudo\n"
        "  State                running\n"
        "  PortName\n"
        "  Discovery            service\n"
        "  Stuck                no\n"
        "\n"
        "host host10\n"
        "  Number               10\n"
        "  Driver               lpfc\n"
        "  Transport            fc\n"
        "  State                running\n"
        "  PortName             naa.10\n"
        "  Discovery            kernel\n"
        "  Stuck                yes\n"
        "\n"
        "target 2:0:1\n"
        "  Address              2:0:1\n"
        "  Host                 host2\n"
        "  Transport            pseudo\n"
        "  PortName             naa.21\n"
        "  PortState\n"
        "  Luns                 5  0x0005000000000000  attached\n"
        "                       16684  0x412c000000000000  not-reported  not listed\n"
        "  Devices              2:0:1:5\n"
        "                       2:0:1:16684\n"
        "  LastAsked            1970-01-01 00:00:01\n"
        "\n"
        "target 10:0:0\n"
        "  Address              10:0:0\n"
        "  Host                 host10\n"
        "  Transport            fc\n"
        "  PortName             naa.100\n"
        "  PortState            Blocked\n"
        "  Luns\n"
        "  Devices              10:0:0:5\n"
        "  LastAsked\n"
        "\n"
        "device 2:0:1:5\n"
        "  Address              2:0:1:5\n"
        "  Host                 host2\n"
        "  Target               2:0:1\n"
        "  Unit                 naa.5a\n"
        "  Lun                  5\n"
        "  LunHex               0x0005000000000000\n"
        "  Type                 disk\n"
        "  Vendor               ACME\n"
        "  Model                disk0\n"
        "  Revision             0191\n"
        "  State                running\n"
        "  Standing             present\n"
        "  BlockDevice          /dev/sda\n"
        "  GenericDevice        /dev/sg0\n"
        "  Identity             naa.5a\n"
        "  InUse                yes\n"
        "  Holders              /mnt\n"
        "                       dm-0\n"
        "  NotYetInvented       7\n"
        "\n"
        "device 2:0:1:16684\n"
        "  Address              2:0:1:16684\n"
        "  Host                 host2\n"
        "  Target               2:0:1\n"
        "  Unit\n"
        "  Lun                  16684\n"
        "  Type                 enclosure\n"
        "  Model                box\n"
        "  Revision             1\n"
        "  State                running\n"
        "  Standing             missing\n"
        "  BlockDevice\n"
        "  GenericDevice        /dev/sg1\n"
        "  Identity\n"
        "  InUse                no\n"
        "  Holders\n"
        "\n"
        "device 10:0:0:5\n"
        "  Address              10:0:0:5\n"
        "  Host                 host10\n"
        "  Target               10:0:0\n"
        "  Unit                 naa.5a\n"
        "  Lun                  5\n"
        "  Type                 disk\n"
        "  Model                disk0\n"
        "  Revision             0191\n"
        "  State                offline\n"
        "  Standing             present\n"
        "  GenericDevice        /dev/sg2\n"
        "  Identity             naa.5a\n"
        "\n"
        "unit naa.5a\n"
        "  Identity             naa.5a\n"
        "  Serial               S1\n"
        "  Type                 disk\n"
        "  Vendor               ACME\n"
        "  Model                disk0\n"
        "  Revision             0191\n"
        "  Size                 8M (8388608 bytes)\n"
        "  BlockSize            512\n"
        "  Devices              2:0:1:5\n"
        "                       10:0:0:5\n"
        "\n"
        "job /org/scsiscan1/job/3\n"
        "  Operation            scan\n"
        "  Scope                everything\n"
        "  Cause                request\n"
        "  State                failed\n"
        "  StartTime            1970-01-01 00:00:01\n"
        "  Progress             0.5\n"
        "  ProgressValid        yes\n"
        "  StartedByUID         0\n"
        "  Objects              host2\n"
        "  Result               failed\n"
        "  Summary              2 attached, 1 failed, 0 gone\n";

static void test_show(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(MACHINE);
        struct printed printed;

        printed_begin(&printed);
        g_assert_cmpint(show_print(model, OBJECT_HOST, &printed.options), ==, 0);
        printed_end(&printed, shown);
}

static void test_show_json(void) {
        static const struct {
                enum object_kind first;
                const char *keys[9];
        } examples[] = {
                {OBJECT_HOST,
                 {"host2", "host10", "2:0:1", "10:0:0", "2:0:1:5", "2:0:1:16684", "10:0:0:5",
                  "naa.5a", "/org/scsiscan1/job/3"}},
                {OBJECT_UNIT,
                 {"naa.5a", "host2", "host10", "2:0:1", "10:0:0", "2:0:1:5", "2:0:1:16684",
                  "10:0:0:5", "/org/scsiscan1/job/3"}},
        };
        _cleanup_(model_freep) struct model *model = model_from_text(MACHINE);

        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                _cleanup_(json_object_putp) struct json_object *document = NULL;
                struct json_object *objects;
                struct printed printed;

                printed_begin(&printed);
                printed.options.json = true;
                g_assert_cmpint(show_print(model, examples[i].first, &printed.options), ==, 0);
                document = printed_end_json(&printed);
                objects = JSON_AT(document, "objects");
                g_assert_cmpuint(json_object_array_length(objects), ==,
                                 ELEMENTS_OF(examples[i].keys));
                for (size_t j = 0; j < ELEMENTS_OF(examples[i].keys); j++)
                        g_assert_cmpstr(json_object_get_string(JSON_AT(
                                                json_object_array_get_idx(objects, j), "key")),
                                        ==, examples[i].keys[j]);
        }
}

/* What was asked for stands at the top. */
static void test_show_unit(void) {
        _cleanup_(model_freep) struct model *model = model_from_text(
                "{'/org/scsiscan1/device/1_2_3_4': {'org.scsiscan1.Device': {'Type': 'tape'}},"
                " '/org/scsiscan1/unit/x': {'org.scsiscan1.Unit': {'Serial': 'S1'}}}");
        struct printed printed;

        printed_begin(&printed);
        g_assert_cmpint(show_print(model, OBJECT_UNIT, &printed.options), ==, 0);
        printed_end(&printed, "unit x\n"
                              "  Serial               S1\n"
                              "\n"
                              "device 1:2:3:4\n"
                              "  Type                 tape\n");
}

int main(int argc, char **argv) {
        g_setenv("TZ", "UTC", TRUE);
        tzset();
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/client/view/tree", test_tree);
        g_test_add_func("/client/view/tree-empty", test_tree_empty);
        g_test_add_func("/client/view/tree-orphan", test_tree_orphan);
        g_test_add_func("/client/view/tree-adapter", test_tree_adapter);
        g_test_add_func("/client/view/tree-json", test_tree_json);
        g_test_add_func("/client/view/tree-json-orphan", test_tree_json_orphan);
        g_test_add_func("/client/view/list", test_list);
        g_test_add_func("/client/view/list-no-legend", test_list_no_legend);
        g_test_add_func("/client/view/list-color", test_list_color);
        g_test_add_func("/client/view/heading-color", test_heading_color);
        g_test_add_func("/client/view/list-json", test_list_json);
        g_test_add_func("/client/view/list-empty", test_list_empty);
        g_test_add_func("/client/view/show", test_show);
        g_test_add_func("/client/view/show-unit", test_show_unit);
        g_test_add_func("/client/view/show-json", test_show_json);
        return g_test_run();
}
