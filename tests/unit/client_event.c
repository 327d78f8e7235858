/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <time.h>

#include "client/event.h"
#include "tests/unit/client_support.h"

#define TIME "1970-01-01 00:00:01.500000 "
#define ROOT "/org/scsiscan1"
#define OBJECTS "org.freedesktop.DBus.ObjectManager"
#define PROPERTIES "org.freedesktop.DBus.Properties"

static const struct {
        const char *path;
        const char *interface;
        const char *member;
        const char *arguments;
        const char *text;
        const char *json; /* without the time */
} examples[] = {
        {ROOT, "org.scsiscan1.Scan", "Started", "['/org/scsiscan1/job/1', '', 'request']",
         "Started job=/org/scsiscan1/job/1 scope=everything cause=request",
         "'path': '/org/scsiscan1', 'job': '/org/scsiscan1/job/1', 'scope': '',"
         " 'cause': 'request'"},
        {ROOT, "org.scsiscan1.Scan", "Finished",
         "['/org/scsiscan1/job/1', 'host3', 'done', {'attached': 4, 'failed': 0}]",
         "Finished job=/org/scsiscan1/job/1 scope=host3 result=done summary=\"4 attached\"",
         "'path': '/org/scsiscan1', 'job': '/org/scsiscan1/job/1', 'scope': 'host3',"
         " 'result': 'done', 'summary': {'attached': 4, 'failed': 0}"},
        {ROOT, "org.scsiscan1.Hotplug", "Attached",
         "['/org/scsiscan1/device/3_0_1_5', '3:0:1:5', 'naa.5a']",
         "Attached address=3:0:1:5 identity=naa.5a",
         "'path': '/org/scsiscan1', 'device': '3:0:1:5', 'address': '3:0:1:5',"
         " 'identity': 'naa.5a'"},
        {ROOT, "org.scsiscan1.Hotplug", "Detached",
         "['/org/scsiscan1/device/3_0_1_5', '3:0:1:5', '', 'host-removed']",
         "Detached address=3:0:1:5 identity=\"\" reason=host-removed",
         "'path': '/org/scsiscan1', 'device': '3:0:1:5', 'address': '3:0:1:5',"
         " 'identity': '', 'reason': 'host-removed'"},
        {ROOT, "org.scsiscan1.Hotplug", "UnitAttention",
         "['/org/scsiscan1/device/3_0_1_5', '3:0:1:5', 'media-change']",
         "UnitAttention address=3:0:1:5 kind=media-change",
         "'path': '/org/scsiscan1', 'device': '3:0:1:5', 'address': '3:0:1:5',"
         " 'kind': 'media-change'"},
        {ROOT, "org.scsiscan1.Hotplug", "Replaced",
         "['/org/scsiscan1/device/3_0_1_5', '3:0:1:5', 'naa.5a', 'naa.5b', true]",
         "Replaced address=3:0:1:5 old_identity=naa.5a new_identity=naa.5b in_use=true",
         "'path': '/org/scsiscan1', 'device': '3:0:1:5', 'address': '3:0:1:5',"
         " 'old_identity': 'naa.5a', 'new_identity': 'naa.5b', 'in_use': true"},
        {ROOT, "org.scsiscan1.Hotplug", "CapacityChanged",
         "['/org/scsiscan1/unit/naa_2e5a', 'naa.5a', 1024, 2048]",
         "CapacityChanged identity=naa.5a old_bytes=1024 new_bytes=2048",
         "'path': '/org/scsiscan1', 'unit': 'naa.5a', 'identity': 'naa.5a',"
         " 'old_bytes': 1024, 'new_bytes': 2048"},
        {ROOT, "org.scsiscan1.Topology", "Changed",
         "[8, ['/org/scsiscan1/device/3_0_1_5', '/org/scsiscan1/unit/naa_2e5a'], [],"
         " ['/org/scsiscan1/target/3_0_1']]",
         "Changed generation=8 added=3:0:1:5,naa.5a removed=- changed=3:0:1",
         "'path': '/org/scsiscan1', 'generation': 8, 'added': ['3:0:1:5', 'naa.5a'],"
         " 'removed': [], 'changed': ['3:0:1']"},
        {"/org/scsiscan1/job/1", "org.scsiscan1.Job", "Completed", "[false, 'no answer']",
         "Completed /org/scsiscan1/job/1 success=false message=\"no answer\"",
         "'path': '/org/scsiscan1/job/1', 'key': '/org/scsiscan1/job/1', 'success': false,"
         " 'message': 'no answer'"},
        {"/org/scsiscan1/device/3_0_1_5", PROPERTIES, "PropertiesChanged",
         "['org.scsiscan1.Device', {'State': 'offline', 'Holders': [], 'Unit': '/'}, ['Model']]",
         "PropertiesChanged 3:0:1:5 State=offline Holders=- Unit=/ Model",
         "'path': '/org/scsiscan1/device/3_0_1_5', 'key': '3:0:1:5',"
         " 'interface': 'org.scsiscan1.Device',"
         " 'changed': {'state': 'offline', 'holders': [], 'unit': null},"
         " 'invalidated': ['Model']"},
        {"/org/scsiscan1/target/3_0_1", PROPERTIES, "PropertiesChanged",
         "['org.scsiscan1.Target', {'Luns': [['5', '0x0005000000000000', 'attached', '']]}, []]",
         "PropertiesChanged 3:0:1 Luns=(5 0x0005000000000000 attached \"\")",
         "'path': '/org/scsiscan1/target/3_0_1', 'key': '3:0:1',"
         " 'interface': 'org.scsiscan1.Target',"
         " 'changed': {'luns': [['5', '0x0005000000000000', 'attached', '']]},"
         " 'invalidated': []"},
        {ROOT, OBJECTS, "InterfacesAdded",
         "['/org/scsiscan1/host/3', {'org.scsiscan1.Host': {'PortName': 'x'}}]",
         "InterfacesAdded host3",
         "'path': '/org/scsiscan1/host/3', 'key': 'host3',"
         " 'interfaces': {'org.scsiscan1.Host': {'port_name': 'x'}}"},
        {ROOT, OBJECTS, "InterfacesRemoved",
         "['/org/scsiscan1/unit/naa_2e5a', ['org.scsiscan1.Unit']]", "InterfacesRemoved naa.5a",
         "'path': '/org/scsiscan1/unit/naa_2e5a', 'key': 'naa.5a',"
         " 'interfaces': ['org.scsiscan1.Unit']"},
        /* a signal, and an argument, that this client has never heard of */
        {ROOT, "org.scsiscan1.Later", "Invented", "['/org/scsiscan1/host/3', 7]",
         "Invented host3 7", "'path': '/org/scsiscan1', 'argument0': 'host3', 'argument1': 7"},
        {ROOT, "org.scsiscan1.Scan", "Started", "['/org/scsiscan1/job/1', '', 'boot', 1, 2, 3]",
         "Started job=/org/scsiscan1/job/1 scope=everything cause=boot 1 2 3",
         "'path': '/org/scsiscan1', 'job': '/org/scsiscan1/job/1', 'scope': '',"
         " 'cause': 'boot', 'argument3': 1, 'argument4': 2, 'argument5': 3"},
        {ROOT, "org.scsiscan1.Scan", "Started", "[]", "Started", "'path': '/org/scsiscan1'"},
        {ROOT, OBJECTS, "InterfacesAdded", "[]", "InterfacesAdded", "'path': '/org/scsiscan1'"},
};

static struct event event_from_example(size_t i) {
        return (struct event){
                .time_usec = 1500000,
                .path = examples[i].path,
                .interface = examples[i].interface,
                .member = examples[i].member,
                .arguments = json_from_text(examples[i].arguments),
        };
}

static void test_text(void) {
        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                struct event event = event_from_example(i);
                _cleanup_(freep) char *expected = NULL;
                struct printed printed;

                g_assert_cmpint(asprintf(&expected, TIME "%s\n", examples[i].text), >, 0);
                printed_begin(&printed);
                g_assert_cmpint(event_print(&event, &printed.options), ==, 0);
                printed_end(&printed, expected);
                json_object_put(event.arguments);
        }
}

static void test_json(void) {
        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                struct event event = event_from_example(i);
                _cleanup_(json_object_putp) struct json_object *document = NULL;
                _cleanup_(freep) char *expected = NULL;
                struct printed printed;

                g_assert_cmpint(asprintf(&expected, "{'time_usec': 1500000, 'signal': '%s', %s}",
                                         examples[i].member, examples[i].json),
                                >, 0);
                printed_begin(&printed);
                printed.options.json = true;
                g_assert_cmpint(event_print(&event, &printed.options), ==, 0);
                g_assert_cmpint(fflush(printed.options.out), ==, 0);
                g_assert_true(strchr(printed.text, '\n') == printed.text + printed.size - 1);
                document = printed_end_json(&printed);
                assert_json(document, expected);
                json_object_put(event.arguments);
        }
}

/* Ten of something are counted in text. */
static void test_long(void) {
        _cleanup_(json_object_putp) struct json_object *arguments =
                json_from_text("[1, ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'], [], []]");
        struct event event = {1500000, ROOT, "org.scsiscan1.Topology", "Changed", arguments};
        struct printed printed;

        printed_begin(&printed);
        g_assert_cmpint(event_print(&event, &printed.options), ==, 0);
        printed_end(&printed, TIME "Changed generation=1 added=a,b,c,d,e,f,g,h,(2 more)"
                                   " removed=- changed=-\n");
}

static void test_color(void) {
        _cleanup_(json_object_putp) struct json_object *arguments = json_from_text("['/a', 'b']");
        struct event event = {1500000, ROOT, "org.scsiscan1.Hotplug", "Detached", arguments};
        struct printed printed;

        printed_begin(&printed);
        printed.options.color = true;
        g_assert_cmpint(event_print(&event, &printed.options), ==, 0);
        printed_end(&printed, TIME "\033[31mDetached\033[0m address=b\n");
}

static void test_service(void) {
        struct printed printed;

        printed_begin(&printed);
        g_assert_cmpint(event_print_service(1500000, false, &printed.options), ==, 0);
        g_assert_cmpint(event_print_service(1500000, true, &printed.options), ==, 0);
        printed.options.json = true;
        g_assert_cmpint(event_print_service(1500000, true, &printed.options), ==, 0);
        printed_end(&printed, TIME "scsiscand is not running\n" TIME "scsiscand is running\n"
                                   "{\"time_usec\":1500000,\"signal\":\"NameOwnerChanged\","
                                   "\"running\":true}\n");
}

int main(int argc, char **argv) {
        g_setenv("TZ", "UTC", TRUE);
        tzset();
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/client/event/text", test_text);
        g_test_add_func("/client/event/json", test_json);
        g_test_add_func("/client/event/long", test_long);
        g_test_add_func("/client/event/color", test_color);
        g_test_add_func("/client/event/service", test_service);
        return g_test_run();
}
