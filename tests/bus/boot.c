/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * After the first pass: every property of every kind of object, with its type and value. Two Fibre
 * Channel hosts, each with a path to one disk, and behind the first some units of other kinds.
 */

#include <string.h>

#include "harness.h"
#include "mirror.h"

#define A_MOMENT_AGO "a moment ago" /* a time in µs since the epoch */

#define DISK_UNIT SCSISCAN_PATH_UNIT "/naa_2e5000c50000000007"
#define BOOT_JOB SCSISCAN_PATH_JOB "/1"

struct expected {
        const char *path, *interface, *property;
        const char *value; /* in GVariant's text format; "?" where the order of finding decides */
};

static const struct expected expected[] = {
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Busy", "false"},
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Mode", "'owner'"},
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "ModeReason", "'started with --mode=owner'"},
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "KernelScanMode", "'manual'"},
        {SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY, "Ready", "true"},
        {HOST_PATH("0"), SCSISCAN_INTERFACE_HOST, "Number", "uint32 0"},
        {HOST_PATH("0"), SCSISCAN_INTERFACE_HOST, "Driver", "'qla2xxx'"},
        {HOST_PATH("0"), SCSISCAN_INTERFACE_HOST, "Transport", "'fc'"},
        {HOST_PATH("0"), SCSISCAN_INTERFACE_HOST, "PortName", "'naa.10000090fa942778'"},
        {HOST_PATH("0"), SCSISCAN_INTERFACE_HOST, "State", "'running'"},
        {HOST_PATH("0"), SCSISCAN_INTERFACE_HOST, "Discovery", "'service'"},
        {HOST_PATH("0"), SCSISCAN_INTERFACE_HOST, "Stuck", "false"},
        {TARGET_PATH("0_0_0"), SCSISCAN_INTERFACE_TARGET, "Address", "'0:0:0'"},
        {TARGET_PATH("0_0_0"), SCSISCAN_INTERFACE_TARGET, "Host",
         "objectpath '/org/scsiscan1/host/0'"},
        {TARGET_PATH("0_0_0"), SCSISCAN_INTERFACE_TARGET, "Transport", "'fc'"},
        {TARGET_PATH("0_0_0"), SCSISCAN_INTERFACE_TARGET, "PortName", "'naa.500a09848cde0001'"},
        {TARGET_PATH("0_0_0"), SCSISCAN_INTERFACE_TARGET, "PortState", "'online'"},
        {TARGET_PATH("0_0_0"), SCSISCAN_INTERFACE_TARGET, "Luns",
         "[('0', '0x0000000000000000', 'attached', 'a device is attached'),"
         " ('3', '0x0003000000000000', 'attached', 'a device is attached'),"
         " ('4', '0x0004000000000000', 'not-attached', 'the kernel attached nothing: no answer, or"
         " no logical unit behind it'),"
         " ('5', '0x0005000000000000', 'attached', 'a device is attached'),"
         " ('16640', '0x4100000000000000', 'attached', 'a device is attached')]"},
        {TARGET_PATH("0_0_0"), SCSISCAN_INTERFACE_TARGET, "Devices",
         "[objectpath '/org/scsiscan1/device/0_0_0_0', '/org/scsiscan1/device/0_0_0_3',"
         " '/org/scsiscan1/device/0_0_0_5', '/org/scsiscan1/device/0_0_0_16640']"},
        {TARGET_PATH("0_0_0"), SCSISCAN_INTERFACE_TARGET, "LastAsked", A_MOMENT_AGO},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Address", "'0:0:0:0'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Host",
         "objectpath '/org/scsiscan1/host/0'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Target",
         "objectpath '/org/scsiscan1/target/0_0_0'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Unit", "objectpath '" DISK_UNIT "'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Lun", "'0'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "LunHex", "'0x0000000000000000'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Type", "'disk'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Qualifier", "byte 0x00"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Vendor", "'SIMULATE'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Model", "'LOGICAL UNIT'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Revision", "'0001'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "State", "'running'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Standing", "'present'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "BlockDevice", "'/dev/sd?'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "GenericDevice", "'/dev/sg?'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Identity", "'naa.5000c50000000007'"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "InUse", "true"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Holders", "['dm-0']"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "AccessState", "''"},
        {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "LastUnitAttention",
         "'asymmetric-access-state-changed'"},
        {DISK_UNIT, SCSISCAN_INTERFACE_UNIT, "Identity", "'naa.5000c50000000007'"},
        {DISK_UNIT, SCSISCAN_INTERFACE_UNIT, "Designators", "['naa.5000c50000000007']"},
        {DISK_UNIT, SCSISCAN_INTERFACE_UNIT, "Serial", "'SIM00007'"},
        {DISK_UNIT, SCSISCAN_INTERFACE_UNIT, "Type", "'disk'"},
        {DISK_UNIT, SCSISCAN_INTERFACE_UNIT, "Vendor", "'SIMULATE'"},
        {DISK_UNIT, SCSISCAN_INTERFACE_UNIT, "Model", "'LOGICAL UNIT'"},
        {DISK_UNIT, SCSISCAN_INTERFACE_UNIT, "Revision", "'0001'"},
        {DISK_UNIT, SCSISCAN_INTERFACE_UNIT, "Size", "uint64 1073741824"},
        {DISK_UNIT, SCSISCAN_INTERFACE_UNIT, "BlockSize", "uint32 512"},
        {DISK_UNIT, SCSISCAN_INTERFACE_UNIT, "Devices",
         "[objectpath '/org/scsiscan1/device/?_0_0_0', '/org/scsiscan1/device/?_0_0_0']"},
        {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "Operation", "'scan'"},
        {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "Progress", "1.0"},
        {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "ProgressValid", "true"},
        {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "StartTime", A_MOMENT_AGO},
        {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "ExpectedEndTime", "uint64 0"},
        {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "StartedByUID", "uint32 0"},
        {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "Objects",
         "[objectpath '/org/scsiscan1/host/?', '/org/scsiscan1/host/?']"},
        {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "Cancelable", "false"},
        {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "Scope", "''"},
        {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "Cause", "'boot'"},
        {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "State", "'done'"},
        {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "Result", "'done'"},
        {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "Summary",
         "{'attached': uint64 5, 'detached': 0, 'changed': 0, 'unchanged': 0, 'failed': 1,"
         " 'skipped': 0}"},
        /* What differs in the others. */
        {DEVICE_PATH("0_0_0_3"), SCSISCAN_INTERFACE_DEVICE, "Qualifier", "byte 0x01"},
        {DEVICE_PATH("0_0_0_5"), SCSISCAN_INTERFACE_DEVICE, "Unit", "objectpath '/'"},
        {DEVICE_PATH("0_0_0_5"), SCSISCAN_INTERFACE_DEVICE, "Identity", "''"},
        {DEVICE_PATH("0_0_0_5"), SCSISCAN_INTERFACE_DEVICE, "BlockDevice", "'/dev/sr0'"},
        {DEVICE_PATH("0_0_0_5"), SCSISCAN_INTERFACE_DEVICE, "Holders", "@as []"},
        {DEVICE_PATH("0_0_0_5"), SCSISCAN_INTERFACE_DEVICE, "InUse", "false"},
        {DEVICE_PATH("0_0_0_5"), SCSISCAN_INTERFACE_DEVICE, "Lun", "'5'"},
        {DEVICE_PATH("0_0_0_5"), SCSISCAN_INTERFACE_DEVICE, "LunHex", "'0x0005000000000000'"},
        {DEVICE_PATH("0_0_0_16640"), SCSISCAN_INTERFACE_DEVICE, "Lun", "'16640'"},
        {DEVICE_PATH("0_0_0_16640"), SCSISCAN_INTERFACE_DEVICE, "LunHex", "'0x4100000000000000'"},
        {DEVICE_PATH("1_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "Unit", "objectpath '" DISK_UNIT "'"},
};

static struct scsi_target_address add_host(struct sim_machine *machine, const char *host_port,
                                           const char *target_port) {
        const struct sim_host like = {
                .driver = "qla2xxx", .transport = SIM_FC, .port_name = host_port};
        const struct sim_target target = {.port_name = target_port};

        return sim_add_target(machine, sim_add_host(machine, &like), &target);
}

static struct sim_machine *machine_two_paths(void) {
        struct sim_machine *machine = sim_machine_new(1);
        const struct scsi_target_address first =
                add_host(machine, "0x10000090fa942778", "naa.500a09848cde0001");
        const struct scsi_target_address second =
                add_host(machine, "0x10000090fa942779", "naa.500a09848cde0002");
        const struct sim_unit disk = sim_disk(7), other = sim_disk(9), rom = {.type = 5};
        struct sim_unit absent = sim_disk(10);

        sim_map(machine, first, 0, &disk);
        sim_map(machine, second, 0, &disk);
        sim_map(machine, first, 5, &rom);
        sim_map(machine, first, 16640, &other);
        absent.qualifier = 1;
        sim_map(machine, first, 3, &absent);
        absent.qualifier = 3;
        sim_map(machine, first, 4, &absent);
        return machine;
}

static bool property_is(struct client *client, const struct expected *want) {
        g_autoptr(GVariant) value = client_get(client, want->path, want->interface, want->property);
        g_autofree char *text = g_variant_print(value, TRUE);

        return g_pattern_match_simple(want->value, text);
}

static void property_check(struct client *client, const struct expected *want) {
        g_autoptr(GVariant) value = client_get(client, want->path, want->interface, want->property);
        g_autofree char *text = g_variant_print(value, TRUE);
        gint64 age;

        if (strcmp(want->value, A_MOMENT_AGO) != 0) {
                if (!g_pattern_match_simple(want->value, text))
                        g_error("%s: %s is %s, not %s", want->path, want->property, text,
                                want->value);
                return;
        }
        age = g_get_real_time() - (gint64)g_variant_get_uint64(value);
        g_assert_cmpint(age, >=, 0);
        g_assert_cmpint(age, <, 2 * CLIENT_PATIENCE);
}

/* sd probes on its own time, and what happens to a device is heard of a little later. */
static void wait_probed(struct client *client) {
        static const struct expected last[] = {
                {DISK_UNIT, SCSISCAN_INTERFACE_UNIT, "Size", "uint64 1073741824"},
                {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "BlockDevice", "'/dev/sd?'"},
                {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "LastUnitAttention",
                 "'asymmetric-access-state-changed'"},
                {DEVICE_PATH("0_0_0_5"), SCSISCAN_INTERFACE_DEVICE, "BlockDevice", "'/dev/sr0'"},
                {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "InUse", "true"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(last); i++)
                UNTIL(property_is(client, &last[i]));
        g_assert_true(client_settle(client, "", CLIENT_PATIENCE / 2));
}

static struct harness *boot(void) {
        struct harness *harness = harness_boot(machine_two_paths());
        const struct scsi_address disk = {{0, 0, 0}, 0};
        struct sim_machine *machine = sim_server_lock(harness_sim(harness));

        sim_set_holder(machine, disk, "dm-0");
        sim_unit_attention(machine, disk, 0x2a, 0x06);
        sim_touch(machine, disk);
        sim_kernel_rescan(machine, disk);
        sim_server_unlock(harness_sim(harness));
        wait_probed(harness_client(harness));
        return harness;
}

static void test_properties(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);

        for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
                property_check(client, &expected[i]);
        harness_check(harness);
        harness_free(harness);
}

static bool is_expected(const char *path, const char *interface, const char *property) {
        for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
                if (strcmp(expected[i].path, path) == 0 &&
                    strcmp(expected[i].interface, interface) == 0 &&
                    strcmp(expected[i].property, property) == 0)
                        return true;
        return false;
}

/* No property that test_properties() does not look at; steps and what counts move. */
static void test_nothing_else(void) {
        static const struct expected objects[] = {
                {SCSISCAN_PATH, SCSISCAN_INTERFACE_SCAN, "Counters", NULL},
                {SCSISCAN_PATH, SCSISCAN_INTERFACE_TOPOLOGY, "Generation", NULL},
                {HOST_PATH("0"), SCSISCAN_INTERFACE_HOST, "", NULL},
                {TARGET_PATH("0_0_0"), SCSISCAN_INTERFACE_TARGET, "", NULL},
                {DEVICE_PATH("0_0_0_0"), SCSISCAN_INTERFACE_DEVICE, "", NULL},
                {DISK_UNIT, SCSISCAN_INTERFACE_UNIT, "", NULL},
                {BOOT_JOB, SCSISCAN_INTERFACE_JOB, "StepsDone StepsTotal", NULL},
        };
        struct harness *harness = boot();

        for (size_t i = 0; i < G_N_ELEMENTS(objects); i++) {
                const struct expected *object = &objects[i];
                g_autoptr(GVariant) reply =
                        client_call(harness_client(harness), object->path, PROPERTIES_INTERFACE,
                                    "GetAll", g_variant_new("(s)", object->interface));
                g_autoptr(GVariant) all = g_variant_get_child_value(reply, 0);
                GVariantIter iter;
                const char *name;

                g_variant_iter_init(&iter, all);
                while (g_variant_iter_next(&iter, "{&sv}", &name, NULL))
                        if (!strstr(object->property, name) &&
                            !is_expected(object->path, object->interface, name))
                                g_error("%s: nobody looks at %s", object->path, name);
        }
        harness_free(harness);
}

static void job_steps_check(struct client *client) {
        g_autoptr(GVariant) done =
                client_get(client, BOOT_JOB, SCSISCAN_INTERFACE_JOB, "StepsDone");
        g_autoptr(GVariant) total =
                client_get(client, BOOT_JOB, SCSISCAN_INTERFACE_JOB, "StepsTotal");

        g_assert_cmpuint(g_variant_get_uint32(total), >, 6); /* as many as there are LUNs */
        g_assert_cmpuint(g_variant_get_uint32(done), ==, g_variant_get_uint32(total));
}

static void test_counters(void) {
        struct harness *harness = boot();
        struct client *client = harness_client(harness);

        job_steps_check(client);
        g_assert_cmpuint(client_get_number(client, "Generation"), >, 0);
        g_assert_cmpuint(client_get_number(client, "workers-started"), ==, 2);
        g_assert_cmpuint(client_get_number(client, "workers-died"), ==, 0);
        g_assert_cmpuint(client_get_number(client, "workers-stuck"), ==, 0);
        g_assert_cmpuint(client_get_number(client, "host-scans"), ==, 2);
        g_assert_cmpuint(client_get_number(client, "target-scans"), >=, 2);
        g_assert_cmpuint(client_get_number(client, "steps-attach"), >=, 6);
        g_assert_cmpuint(client_get_number(client, "uevents"), >, 5);
        harness_free(harness);
}

static void test_told(void) {
        struct harness *harness = harness_boot(machine_new(1, 1, 1));

        harness_wait_log(harness, "ready: 1 device\n");
        harness_free(harness);
}

/* Each order in which the objects may come to be known is told of in the one that the contract
 * promises: the mirror looks. */
static void test_order(void) {
        struct harness *harness = harness_boot(machine_new(1, 1, 1));
        struct client *client = harness_client(harness);
        struct mirror *mirror = mirror_new(client);
        struct sim_machine *machine;
        guint from, at;

        harness_check(harness);
        mirror_check(mirror);
        from = client_arrived(client);
        machine = sim_server_lock(harness_sim(harness));
        sim_map_disks(machine, (struct scsi_target_address){0, 0, 0}, 4, 0);
        sim_server_unlock(harness_sim(harness));
        client_scan_wait(client, "0:0:0");
        at = client_signal(client, from, "InterfacesAdded", SCSISCAN_INTERFACE_JOB);
        at = client_signal(client, at, "Started", "'0:0:0'");
        at = client_signal(client, at, "Completed", NULL);
        at = client_signal(client, at, "Finished", "'0:0:0'");
        at = client_signal(client, from, "InterfacesAdded", "/naa_2e5000c50000000003'");
        at = client_signal(client, at, "InterfacesAdded", DEVICE_PATH("0_0_0_3"));
        at = client_signal(client, at, "Attached", "'0:0:0:3', 'naa.5000c50000000003'");
        at = client_signal(client, at, "Changed", DEVICE_PATH("0_0_0_3"));
        machine = sim_server_lock(harness_sim(harness));
        sim_detach_by_hand(machine, (struct scsi_address){{0, 0, 0}, 3});
        sim_server_unlock(harness_sim(harness));
        at = client_signal(client, at, "Detached", "'0:0:0:3', 'naa.5000c50000000003', 'removed'");
        at = client_signal(client, at, "InterfacesRemoved", DEVICE_PATH("0_0_0_3"));
        at = client_signal(client, at, "InterfacesRemoved", "/naa_2e5000c50000000003'");
        machine = sim_server_lock(harness_sim(harness));
        sim_remove_host(machine, 0);
        sim_server_unlock(harness_sim(harness));
        at = client_signal(client, at, "Detached", "'host-removed'");
        at = client_signal(client, at, "InterfacesRemoved", HOST_PATH("0"));
        harness_check(harness);
        mirror_check(mirror);
        mirror_free(mirror);
        harness_free(harness);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/boot/properties", test_properties);
        g_test_add_func("/bus/boot/nothing-else", test_nothing_else);
        g_test_add_func("/bus/boot/counters", test_counters);
        g_test_add_func("/bus/boot/told", test_told);
        g_test_add_func("/bus/boot/order", test_order);
        return g_test_run();
}
