/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>

#include "kernel/uevent.h"
#include "util/cleanup.h"

#define DISK "/devices/pci0000:00/0000:00:1f.2/host3/target3:0:1/3:0:1:5"
#define PCI "/devices/pci0000:00/0000:05:00.0"

/* The literal's own NUL ends the last string. */
#define MESSAGE(text) text, sizeof(text)

static void test_parse(void) {
        static const char message[] = "change@" DISK "\0ACTION=change\0DEVPATH=" DISK
                                      "\0SUBSYSTEM=scsi\0SDEV_UA=CAPACITY_DATA_HAS_CHANGED"
                                      "\0DEVTYPE=scsi_device\0MODALIAS=scsi:t-0x00\0SEQNUM=1234";
        struct uevent uevent;

        g_assert_cmpint(uevent_parse(message, sizeof(message), &uevent), ==, 0);
        g_assert_cmpstr(uevent.action, ==, "change");
        g_assert_cmpstr(uevent.devpath, ==, DISK);
        g_assert_cmpstr(uevent.subsystem, ==, "scsi");
        g_assert_cmpstr(uevent.devtype, ==, "scsi_device");
        g_assert_cmpstr(uevent.attention, ==, "CAPACITY_DATA_HAS_CHANGED");
        g_assert_false(uevent.media_change);
}

static void test_parse_refuses(void) {
        static const struct {
                const char *what;
                const char *data;
                size_t length;
        } cases[] = {
                {"nothing", "", 0},
                {"a NUL", MESSAGE("")},
                {"no header", MESSAGE("ACTION=add\0DEVPATH=/x\0SUBSYSTEM=scsi")},
                {"udevd's",
                 MESSAGE("libudev\0\xfe\xed\xca\xfe\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=scsi")},
                {"no NUL at the end", "add@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=scsi",
                 sizeof("add@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=scsi") - 1},
                {"no ACTION", MESSAGE("add@/x\0DEVPATH=/x\0SUBSYSTEM=scsi")},
                {"no DEVPATH", MESSAGE("add@/x\0ACTION=add\0SUBSYSTEM=scsi")},
                {"no SUBSYSTEM", MESSAGE("add@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEMS=scsi")},
                {"a header alone", MESSAGE("add@/x")},
        };
        g_autofree char *huge = g_malloc0(UEVENT_MAX + 1);
        struct uevent uevent;

        for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
                g_test_message("%s", cases[i].what);
                g_assert_cmpint(uevent_parse(cases[i].data, cases[i].length, &uevent), ==,
                                -EBADMSG);
        }
        memcpy(huge, MESSAGE("add@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=scsi"));
        g_assert_cmpint(uevent_parse(huge, UEVENT_MAX, &uevent), ==, 0);
        g_assert_cmpint(uevent_parse(huge, UEVENT_MAX + 1, &uevent), ==, -EBADMSG);
}

#define NOTHING (-1)

struct map_case {
        struct uevent uevent;
        int kind;
        const char *address; /* of the device, or "hostN", or the holder */
        enum unit_attention attention;
};

static void assert_mapped(const struct map_case *cases, size_t count) {
        for (size_t i = 0; i < count; i++) {
                char text[SCSI_ADDRESS_TEXT_MAX];
                struct event event;
                bool ours = uevent_map(&cases[i].uevent, &event);

                g_test_message("%s %s", cases[i].uevent.action, cases[i].uevent.devpath);
                g_assert_cmpint(ours ? (int)event.kind : NOTHING, ==, cases[i].kind);
                if (!ours)
                        continue;
                g_assert_cmpint(event.attention, ==, cases[i].attention);
                if (event.kind == EVENT_HOLDER)
                        g_strlcpy(text, event.holder, sizeof(text));
                else if (event.kind == EVENT_HOST)
                        g_snprintf(text, sizeof(text), "host%u", event.address.target.host);
                else
                        scsi_address_format(&event.address, text);
                g_assert_cmpstr(text, ==, cases[i].address);
        }
}

static void test_map_devices(void) {
        static const struct map_case cases[] = {
                {{"add", DISK, "scsi", "scsi_device", "", false}, EVENT_DEVICE, "3:0:1:5", 0},
                {{"remove", DISK, "scsi", "scsi_device", "", false}, EVENT_DEVICE, "3:0:1:5", 0},
                {{"change", DISK, "scsi", "scsi_device", "", false}, EVENT_DEVICE, "3:0:1:5", 0},
                {{"bind", DISK, "scsi", "scsi_device", "", false}, NOTHING, NULL, 0},
                {{"add", DISK "/scsi_device/3:0:1:5", "scsi_device", "", "", false},
                 NOTHING,
                 NULL,
                 0},
                {{"add", DISK "/scsi_disk/3:0:1:5", "scsi_disk", "", "", false}, NOTHING, NULL, 0},
                {{"add", DISK "/bsg/3:0:1:5", "bsg", "", "", false}, NOTHING, NULL, 0},
                {{"add", DISK "/scsi_generic/sg4", "scsi_generic", "", "", false},
                 EVENT_DEVICE,
                 "3:0:1:5",
                 0},
                {{"add", DISK "/block/sdb", "block", "disk", "", false},
                 EVENT_DEVICE,
                 "3:0:1:5",
                 0},
                {{"change", DISK "/block/sdb", "block", "disk", "", false},
                 EVENT_DEVICE,
                 "3:0:1:5",
                 0},
                {{"add", DISK "/block/sdb/sdb1", "block", "partition", "", false},
                 EVENT_DEVICE,
                 "3:0:1:5",
                 0},
                {{"change", DISK "/block/sdb/sdb1", "block", "partition", "", false},
                 NOTHING,
                 NULL,
                 0},
                {{"change", "/devices/virtual/block/dm-0", "block", "disk", "", false},
                 EVENT_HOLDER,
                 "dm-0",
                 0},
                {{"remove", "/devices/virtual/block/md127", "block", "disk", "", false},
                 EVENT_HOLDER,
                 "md127",
                 0},
                {{"add", "/devices/virtual/block/md127/md127p1", "block", "partition", "", false},
                 NOTHING,
                 NULL,
                 0},
                {{"add", "/devices/virtual/block/../x", "block", "disk", "", false},
                 NOTHING,
                 NULL,
                 0},
                {{"add", "/devices/virtual/block/a-name-that-no-disk-in-Linux-has", "block", "disk",
                  "", false},
                 NOTHING,
                 NULL,
                 0},
                {{"add", "/devices/x/3:0:1:5/block/sdb", "block", "disk", "", false},
                 NOTHING,
                 NULL,
                 0},
                {{"add", "/devices/x/target3:0:2/3:0:1:5", "scsi", "scsi_device", "", false},
                 NOTHING,
                 NULL,
                 0},
                {{"add", "/devices/x/host3/target3:0:1", "scsi", "scsi_target", "", false},
                 NOTHING,
                 NULL,
                 0},
                {{"add", PCI "/host7/target7:2:4294967295/7:2:4294967295:18446744073709551615",
                  "scsi", "scsi_device", "", false},
                 EVENT_DEVICE,
                 "7:2:4294967295:18446744073709551615",
                 0},
        };

        assert_mapped(cases, ELEMENTS_OF(cases));
}

static void test_map_attentions(void) {
        static const struct map_case cases[] = {
                {{"change", DISK, "scsi", "scsi_device", "REPORTED_LUNS_DATA_HAS_CHANGED", false},
                 EVENT_UNIT_ATTENTION,
                 "3:0:1:5",
                 ATTENTION_REPORTED_LUNS},
                {{"change", DISK, "scsi", "scsi_device", "INQUIRY_DATA_HAS_CHANGED", false},
                 EVENT_UNIT_ATTENTION,
                 "3:0:1:5",
                 ATTENTION_INQUIRY},
                {{"change", DISK, "scsi", "scsi_device", "CAPACITY_DATA_HAS_CHANGED", false},
                 EVENT_UNIT_ATTENTION,
                 "3:0:1:5",
                 ATTENTION_CAPACITY},
                {{"change", DISK, "scsi", "scsi_device", "ASYMMETRIC_ACCESS_STATE_CHANGED", false},
                 EVENT_UNIT_ATTENTION,
                 "3:0:1:5",
                 ATTENTION_ACCESS_STATE},
                {{"change", DISK, "scsi", "scsi_device", "MODE_PARAMETERS_CHANGED", false},
                 EVENT_UNIT_ATTENTION,
                 "3:0:1:5",
                 ATTENTION_MODE_PARAMETERS},
                {{"change", DISK, "scsi", "scsi_device", "POWER_ON_RESET_OCCURRED", false},
                 EVENT_UNIT_ATTENTION,
                 "3:0:1:5",
                 ATTENTION_POWER_ON_RESET},
                {{"change", DISK, "scsi", "scsi_device", "THIN_PROVISIONING_SOFT_THRESHOLD_REACHED",
                  false},
                 EVENT_UNIT_ATTENTION,
                 "3:0:1:5",
                 ATTENTION_SOFT_THRESHOLD},
                {{"change", DISK, "scsi", "scsi_device", "", true},
                 EVENT_UNIT_ATTENTION,
                 "3:0:1:5",
                 ATTENTION_MEDIA_CHANGE},
                {{"change", DISK, "scsi", "scsi_device", "A_WORD_TO_COME", false},
                 EVENT_DEVICE,
                 "3:0:1:5",
                 0},
                {{"change", DISK "/block/sdb", "block", "disk", "CAPACITY_DATA_HAS_CHANGED", false},
                 EVENT_DEVICE,
                 "3:0:1:5",
                 0},
        };

        assert_mapped(cases, ELEMENTS_OF(cases));
}

static void test_map_hosts(void) {
        static const struct map_case cases[] = {
                {{"add", PCI "/host3", "scsi", "scsi_host", "", false}, EVENT_HOST, "host3", 0},
                {{"remove", PCI "/host3/scsi_host/host3", "scsi_host", "", "", false},
                 EVENT_HOST,
                 "host3",
                 0},
                {{"add", PCI "/host3/rport-3:0-1/fc_remote_ports/rport-3:0-1", "fc_remote_ports",
                  "", "", false},
                 EVENT_HOST,
                 "host3",
                 0},
                {{"add", PCI "/host3/vport-3:0-0/host5/fc_host/host5", "fc_host", "", "", false},
                 EVENT_HOST,
                 "host5",
                 0},
                {{"add", PCI "/host0/port-0:0/end_device-0:0/sas_end_device/end_device-0:0",
                  "sas_end_device", "", "", false},
                 EVENT_HOST,
                 "host0",
                 0},
                {{"add", "/devices/platform/host12/session1/iscsi_session/session1",
                  "iscsi_session", "", "", false},
                 EVENT_HOST,
                 "host12",
                 0},
                {{"change",
                  "/devices/platform/host12/session1/connection1:0/iscsi_connection/connection1:0",
                  "iscsi_connection", "", "", false},
                 EVENT_HOST,
                 "host12",
                 0},
                {{"add", "/devices/virtual/iscsi_transport/tcp", "iscsi_transport", "", "", false},
                 NOTHING,
                 NULL,
                 0},
                {{"add", "/devices/virtual/net/lo", "net", "", "", false}, NOTHING, NULL, 0},
                {{"add", "/devices/host03", "scsi_host", "", "", false}, NOTHING, NULL, 0},
        };

        assert_mapped(cases, ELEMENTS_OF(cases));
}

/* Whatever bytes come: the strings stay inside the message, which a sanitizer sees. */
static void test_random(void) {
        static const char seed[] = "change@" DISK "\0ACTION=change\0DEVPATH=" DISK
                                   "\0SUBSYSTEM=scsi\0SDEV_UA=x\0DEVTYPE=scsi_device";
        guint parsed = 0, ours = 0;

        for (guint round = 0; round < 20000; round++) {
                size_t length = (size_t)g_test_rand_int_range(1, sizeof(seed) + 1);
                g_autofree char *data = g_memdup2(seed + sizeof(seed) - length, length);
                struct uevent uevent;
                struct event event;

                if (g_test_rand_bit())
                        memcpy(data, seed, length);
                for (gint flips = g_test_rand_int_range(0, 4); flips > 0; flips--)
                        data[g_test_rand_int_range(0, (gint32)length)] =
                                (char)g_test_rand_int_range(0, 256);
                data[length - 1] = '\0';
                if (uevent_parse(data, length, &uevent) < 0)
                        continue;
                parsed++;
                g_assert_true(uevent.devpath > data && uevent.devpath < data + length);
                g_assert_true(uevent.action > data && uevent.action < data + length);
                ours += uevent_map(&uevent, &event);
        }
        g_assert_cmpuint(parsed, >, 0);
        g_assert_cmpuint(ours, <=, parsed);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/kernel/uevent/parse", test_parse);
        g_test_add_func("/kernel/uevent/parse-refuses", test_parse_refuses);
        g_test_add_func("/kernel/uevent/map-devices", test_map_devices);
        g_test_add_func("/kernel/uevent/map-attentions", test_map_attentions);
        g_test_add_func("/kernel/uevent/map-hosts", test_map_hosts);
        g_test_add_func("/kernel/uevent/random", test_random);
        return g_test_run();
}
