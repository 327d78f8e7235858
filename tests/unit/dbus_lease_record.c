/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "dbus/lease_record.h"

#define BEGIN "scsiscan lease 1\nuid 1000\nuntil 18446744073709551615\nscope "
#define TEXTS "\nwho J\xc3\xbcrgen\nwhy to see: \"a b\"\n"

static const char *const records[] = {
        BEGIN TEXTS "all \nend\n",
        BEGIN "host3" TEXTS "host host3\nend\n",
        BEGIN "3:0:1" TEXTS "target 3:0:1\nend\n",
        BEGIN "3:0:1:5" TEXTS "device 3:0:1:5\nend\n",
        BEGIN "naa.p0" TEXTS "name naa.p0\nend\n",
        BEGIN "/org/scsiscan1/Unit/naa_2ea" TEXTS "name naa.a\nat 3:0:0:0\nat 3:0:1:0\nend\n",
        BEGIN "/dev/sdc" TEXTS "node sdc\nat 4294967295:0:1:18446744073709551615\nend\n",
};

static const char *const no_records[] = {
        "",
        "\n",
        "scsiscan lease 1",
        "scsiscan lease 1\n",
        "scsiscan lease 10\n",
        /* Devices of what has none, and the other way round. */
        BEGIN TEXTS "all \nat 3:0:0:0\nend\n",
        BEGIN TEXTS "all x\nend\n",
        BEGIN TEXTS "host host3\nat 3:0:0:0\nend\n",
        BEGIN TEXTS "node sdc\nend\n",
        BEGIN TEXTS "name \nat 3:0:0:0\nend\n",
        BEGIN TEXTS "host 3\nend\n",
        BEGIN TEXTS "target 3:0\nend\n",
        BEGIN TEXTS "device 3:0:1\nend\n",
        BEGIN TEXTS "name naa.a\nat 3:0:1\nend\n",
        BEGIN TEXTS "all \nend\n\n",
        BEGIN TEXTS "all \nend",
        BEGIN "\nwhy x\nwho y\nall \nend\n",
        BEGIN "\nwho \nwhy y\nall \nend\n",
        BEGIN "\nwho x\nwhy \nall \nend\n",
        BEGIN "\x1b[1m\nwho x\nwhy y\nall \nend\n",
        BEGIN "\nwho x\nwhy \xe2\x80\xae\nall \nend\n",
        BEGIN "\nwho \xc3\nwhy y\nall \nend\n",
        "scsiscan lease 1\nuid 4294967296\nuntil 1\nscope \nwho x\nwhy y\nall \nend\n",
        "scsiscan lease 1\nuid -1\nuntil 1\nscope \nwho x\nwhy y\nall \nend\n",
        "scsiscan lease 1\nuid \nuntil 1\nscope \nwho x\nwhy y\nall \nend\n",
        "scsiscan lease 1\nuid 0\nuntil 18446744073709551616\nscope \nwho x\nwhy y\nall \nend\n",
};

/* What is read is written the same. */
static void test_both_ways(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(records); i++) {
                struct lease_record record;
                g_autofree char *text = NULL;

                g_test_message("%zu", i);
                g_assert_cmpint(lease_record_parse(records[i], &record), ==, 0);
                g_assert_cmpuint(record.uid, ==, 1000);
                g_assert_cmpuint(record.until, ==, UINT64_MAX);
                g_assert_cmpstr(record.who, ==, "J\xc3\xbcrgen");
                g_assert_cmpstr(record.why, ==, "to see: \"a b\"");
                text = lease_record_format(&record);
                g_assert_cmpstr(text, ==, records[i]);
                lease_record_done(&record);
        }
}

static void test_refused(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(no_records); i++) {
                struct lease_record record;

                g_test_message("%zu", i);
                g_assert_cmpint(lease_record_parse(no_records[i], &record), ==, -EINVAL);
        }
}

/* Half of one is none. */
static void test_cut(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(records); i++)
                for (size_t length = 0; length < strlen(records[i]); length++) {
                        g_autofree char *text = g_strndup(records[i], length);
                        struct lease_record record;

                        g_assert_cmpint(lease_record_parse(text, &record), ==, -EINVAL);
                }
}

static void test_too_long(void) {
        struct scsi_address *devices = g_new0(struct scsi_address, LEASE_RECORD_MAX / 10);
        struct lease_record record = {
                .scope_text = (char *)"x",
                .who = (char *)"x",
                .why = (char *)"x",
                .scope = {.kind = SCOPE_NAME, .name = (char *)"naa.a"},
                .devices = devices,
                .device_count = 5000,
        };
        g_autofree char *text = lease_record_format(&record);

        g_assert_nonnull(text);
        record.device_count = LEASE_RECORD_MAX / 10;
        g_assert_null(lease_record_format(&record));
        g_free(devices);
}

/* What could not be read again is not written. */
static void test_unsound(void) {
        struct lease_record record = {
                .scope_text = (char *)"",
                .who = (char *)"line\nfeed",
                .why = (char *)"x",
        };

        g_assert_null(lease_record_format(&record));
}

static void test_text(void) {
        static const struct {
                const char *text;
                bool printable;
        } table[] = {
                {"", true},
                {"J\xc3\xbcrgen's tape \xf0\x9f\x93\xbc", true},
                {"\xee\x80\x80", true},      /* U+E000 */
                {"\x80", false},             /* only goes on */
                {"\xc3", false},             /* breaks off */
                {"\xc0\xaf", false},         /* '/' in two bytes */
                {"\xe0\x80\xaf", false},     /* in three */
                {"\xed\xa0\x80", false},     /* a surrogate */
                {"\xef\xb7\x90", false},     /* U+FDD0 */
                {"\xef\xbf\xbf", false},     /* U+FFFF */
                {"\xf4\x90\x80\x80", false}, /* behind the last */
                {"\xf8\x88\x80\x80", false}, /* five bytes */
                {"\xff", false},
                {"\xc2\x85", false},      /* next line */
                {"a\xe2\x80\xa8", false}, /* line separator */
                {"\x7f", false},
                {"\t", false},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
                g_test_message("%zu", i);
                g_assert_true(lease_text_is_printable(table[i].text) == table[i].printable);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/lease-record/both-ways", test_both_ways);
        g_test_add_func("/dbus/lease-record/refused", test_refused);
        g_test_add_func("/dbus/lease-record/cut", test_cut);
        g_test_add_func("/dbus/lease-record/too-long", test_too_long);
        g_test_add_func("/dbus/lease-record/unsound", test_unsound);
        g_test_add_func("/dbus/lease-record/text", test_text);
        return g_test_run();
}
