/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdbool.h>

#include <scsi/sg_unaligned.h>

#include "scsi/vpd.h"
#include "tests/unit/scsi_support.h"
#include "util/cleanup.h"

#define PAGE_MAX (4 + 0xffff)

enum {
        VENDOR = 0,
        T10 = 1,
        EUI = 2,
        NAA = 3,
        PORT = 4,
        GROUP = 5,
        LU_GROUP = 6,
        MD5 = 7,
        NAME = 8,
};

struct designator {
        uint8_t association;
        uint8_t type;
        size_t length;
        const char *bytes;
};

#define LU(type, text)                                                                             \
        { 0, type, sizeof(text) - 1, text }

static GByteArray *page_new(uint8_t code) {
        const uint8_t header[4] = {0, code};
        GByteArray *page = g_byte_array_new();

        return g_byte_array_append(page, header, sizeof(header));
}

static void page_append(GByteArray *page, const struct designator *d) {
        const uint8_t header[4] = {
                1,
                (uint8_t)(d->association << 4 | d->type),
                0,
                (uint8_t)d->length,
        };

        g_byte_array_append(page, header, sizeof(header));
        g_byte_array_append(page, (const uint8_t *)d->bytes, (guint)d->length);
        sg_put_unaligned_be16((uint16_t)(page->len - 4), page->data + 2);
}

#define DESIGNATORS_PER_EXAMPLE 5

static const struct {
        const char *what;
        struct designator designators[DESIGNATORS_PER_EXAMPLE];
        const char *name;
        const char *all; /* joined by "|" */
} examples[] = {
        {"nothing", {{0}}, "", ""},
        {"NAA 6",
         {LU(NAA, "\x60\x01\x40\x5a\xbc\xde\xf0\x12\x34\x56\x78\x9a\xbc\xde\xf0\x12")},
         "naa.6001405abcdef0123456789abcdef012",
         "naa.6001405abcdef0123456789abcdef012"},
        {"NAA 5, a target port beside it",
         {LU(NAA, "\x50\x00\xc5\x00\x11\x22\x33\x44"),
          {1, NAA, 8, "\x50\x00\xc5\x00\x11\x22\x33\x45"},
          {1, PORT, 4, "\0\0\0\1"},
          {2, NAME, 8, "naa.1234"}},
         "naa.5000c50011223344",
         "naa.5000c50011223344"},
        {"name string before all, up to its NUL",
         {LU(NAA, "\x60\x01\x40\x5a\xbc\xde\xf0\x12\x34\x56\x78\x9a\xbc\xde\xf0\x12"),
          LU(NAME, "iqn.2003-01.org.example:disk\0\0\0\0")},
         "iqn.2003-01.org.example:disk",
         "iqn.2003-01.org.example:disk|naa.6001405abcdef0123456789abcdef012"},
        {"name string shorter than what it would replace",
         {LU(NAA, "\x60\x01\x40\x5a\xbc\xde\xf0\x12\x34\x56\x78\x9a\xbc\xde\xf0\x12"),
          LU(NAME, "eui.1234\0\0\0\0")},
         "naa.6001405abcdef0123456789abcdef012",
         "eui.1234|naa.6001405abcdef0123456789abcdef012"},
        {"name string that is empty", {LU(T10, "x"), LU(NAME, "\0\0\0\0")}, "", "t10.x"},
        {"name string that is no ASCII",
         {LU(NAME, "iqn.\xc3\xa9:a b")},
         "iqn.\\303\\251:a b",
         "iqn.\\303\\251:a b"},
        {"EUI-64 of 16 before 12 before NAA 5 before 8",
         {LU(EUI, "\1\2\3\4\5\6\7\x08"), LU(NAA, "\x5\0\0\0\0\0\0\0"),
          LU(EUI, "\1\2\3\4\5\6\7\x08\x9\xa\xb\xc\xd\xe\xf\x10"),
          LU(EUI, "\1\2\3\4\5\6\7\x08\x9\xa\xb\xc")},
         "eui.0102030405060708090a0b0c0d0e0f10",
         "eui.0102030405060708|eui.0102030405060708090a0b0c|"
         "eui.0102030405060708090a0b0c0d0e0f10|naa.0500000000000000"},
        {"EUI-64 of 12 before NAA 5",
         {LU(EUI, "\1\2\3\4\5\6\7\x08\x9\xa\xb\xc"), LU(NAA, "\x50\0\0\0\0\0\0\1")},
         "eui.0102030405060708090a0b0c",
         "eui.0102030405060708090a0b0c|naa.5000000000000001"},
        {"NAA 5 before NAA 4 before EUI-64 of 8",
         {LU(EUI, "\1\2\3\4\5\6\7\x08"), LU(NAA, "\x40\0\0\0\0\0\0\1"),
          LU(NAA, "\x50\0\0\0\0\0\0\1"), LU(NAA, "\x40\0\0\0\0\0\0\2")},
         "naa.5000000000000001",
         "eui.0102030405060708|naa.4000000000000001|naa.4000000000000002|"
         "naa.5000000000000001"},
        {"NAA 4 before EUI-64 of 8",
         {LU(NAA, "\x40\0\0\0\0\0\0\1"), LU(EUI, "\1\2\3\4\5\6\7\x08")},
         "naa.4000000000000001",
         "eui.0102030405060708|naa.4000000000000001"},
        {"NAA 2 is not ranked", {LU(NAA, "\x20\0\0\0\0\0\0\1")}, "", "naa.2000000000000001"},
        {"EUI-64 of another length is not ranked",
         {LU(EUI, "\1\2\3\4"), LU(T10, "abc")},
         "t10.abc",
         "eui.01020304|t10.abc"},
        {"the last of equal rank",
         {LU(NAA, "\x50\0\0\0\0\0\0\1"), LU(NAA, "\x50\0\0\0\0\0\0\2")},
         "naa.5000000000000002",
         "naa.5000000000000001|naa.5000000000000002"},
        {"NAA of a wrong length takes the rank and leaves the name",
         {LU(NAA, "\x50\0\0\0\0\0\0\1"), LU(NAA, "\x60\0\0\0"), LU(NAA, "\x50\0\0\0\0\0\0\2")},
         "naa.5000000000000001",
         "naa.5000000000000001|naa.5000000000000002|naa.60000000"},
        {"T10, escaped, blanks kept",
         {LU(T10, "ATA     disk\0\x01\xff ")},
         "t10.ATA     disk\\0\\001\\377 ",
         "t10.ATA     disk\\0\\001\\377 "},
        {"T10 that is not shorter, NAA 3 of the same rank",
         {LU(T10, "VENDOR  serial"), LU(NAA, "\x30\0\0\0\0\0\0\1"), LU(T10, "VENDOR"),
          LU(T10, "VENDOR  other")},
         "t10.VENDOR  other",
         "naa.3000000000000001|t10.VENDOR|t10.VENDOR  other|t10.VENDOR  serial"},
        {"MD5 and vendor-specific are listed only",
         {LU(VENDOR, "V1"), LU(MD5, "\1\2\3\4\5\6\7\x08\x9\xa\xb\xc\xd\xe\xf\x10")},
         "",
         "md5.0102030405060708090a0b0c0d0e0f10|vendor.5631"},
        {"types that name no logical unit, and a reserved one",
         {LU(PORT, "\0\0\0\1"), LU(GROUP, "\0\0\0\1"), LU(LU_GROUP, "\0\0\0\1"), LU(15, "abcd")},
         "",
         ""},
        {"repeated, and of no length",
         {LU(NAA, "\x50\0\0\0\0\0\0\1"), {1, T10, 0, ""}, LU(NAA, "\x50\0\0\0\0\0\0\1")},
         "naa.5000000000000001",
         "naa.5000000000000001"},
};

static GByteArray *example_page(size_t i) {
        GByteArray *page = page_new(SCSI_VPD_DEVICE_ID);

        for (size_t j = 0; j < DESIGNATORS_PER_EXAMPLE; j++)
                if (examples[i].designators[j].bytes)
                        page_append(page, &examples[i].designators[j]);
        return page;
}

static void test_identity(void) {
        for (size_t i = 0; i < ELEMENTS_OF(examples); i++) {
                _cleanup_(scsi_identity_done) struct scsi_identity identity = {};
                g_autoptr(GByteArray) page = example_page(i);
                g_autofree char *all = NULL;

                g_test_message("%s", examples[i].what);
                g_assert_cmpint(scsi_identity_decode(page->data, page->len, &identity), ==, 0);
                all = g_strjoinv("|", identity.designators);
                g_assert_cmpstr(identity.name, ==, examples[i].name);
                g_assert_cmpstr(all, ==, examples[i].all);
                g_assert_cmpuint(identity.count, ==, g_strv_length(identity.designators));
        }
}

/* Association 0 with no length: not a name, and not the end of the page. */
static void test_identity_no_length(void) {
        static const struct designator empty = {0, NAA, 0, ""}, t10 = LU(T10, "abc");
        _cleanup_(scsi_identity_done) struct scsi_identity identity = {};
        g_autoptr(GByteArray) page = page_new(SCSI_VPD_DEVICE_ID);

        page_append(page, &empty);
        page_append(page, &t10);
        g_assert_cmpint(scsi_identity_decode(page->data, page->len, &identity), ==, 0);
        g_assert_cmpstr(identity.name, ==, "t10.abc");
        g_assert_cmpuint(identity.count, ==, 1);
}

static void test_identity_malformed(void) {
        static const uint8_t other_page[] = {0, 0x80, 0, 4, '1', '2', '3', '4'};
        static const uint8_t header[] = {0, 0x83, 0, 0};
        struct scsi_identity identity = {};

        g_assert_cmpint(scsi_identity_decode(other_page, sizeof(other_page), &identity), ==,
                        -EINVAL);
        for (size_t length = 0; length < sizeof(header); length++)
                g_assert_cmpint(scsi_identity_decode(header, length, &identity), ==, -EINVAL);
        g_assert_null(identity.name);
}

/* Wherever the page is cut, and whether its header or the transfer cuts it, what was whole stays.
 */
static void test_identity_cut(void) {
        static const struct designator naa = LU(NAA, "\x50\0\0\0\0\0\0\1"), t10 = LU(T10, "abc");
        g_autoptr(GByteArray) page = page_new(SCSI_VPD_DEVICE_ID);

        page_append(page, &naa);
        page_append(page, &t10);

        for (size_t length = 4; length <= page->len; length++)
                for (unsigned by_header = 0; by_header < 2; by_header++) {
                        _cleanup_(scsi_identity_done) struct scsi_identity identity = {};
                        size_t there = by_header ? page->len : length;
                        g_autofree uint8_t *data = g_memdup2(page->data, there);
                        size_t expected = (length >= 16) + (length >= 23);

                        if (by_header)
                                sg_put_unaligned_be16((uint16_t)(length - 4), data + 2);
                        g_assert_cmpint(scsi_identity_decode(data, there, &identity), ==, 0);
                        g_assert_cmpuint(identity.count, ==, expected);
                        g_assert_cmpstr(identity.name, ==, expected ? "naa.5000000000000001" : "");
                }
}

/* Of too many, the same are kept in whatever order they come, and the longest still fits. */
static void test_identity_limits(void) {
        g_autoptr(GByteArray) rising = page_new(SCSI_VPD_DEVICE_ID);
        g_autoptr(GByteArray) falling = page_new(SCSI_VPD_DEVICE_ID);
        _cleanup_(scsi_identity_done) struct scsi_identity a = {}, b = {};
        uint8_t longest[255] = {0};

        for (uint8_t i = 0; i < 200; i++) {
                longest[0] = (uint8_t)(1 + i % 100);
                page_append(rising, &(struct designator){0, T10, 255, (char *)longest});
                longest[0] = (uint8_t)(100 - i % 100);
                page_append(falling, &(struct designator){0, T10, 255, (char *)longest});
        }

        g_assert_cmpint(scsi_identity_decode(rising->data, rising->len, &a), ==, 0);
        g_assert_cmpint(scsi_identity_decode(falling->data, falling->len, &b), ==, 0);
        g_assert_cmpuint(a.count, ==, SCSI_DESIGNATORS_MAX);
        g_assert_true(scsi_identity_equal(&a, &b));
        g_assert_cmpuint(strlen(a.name), ==, strlen("t10.") + strlen("d") + 254 * strlen("\\0"));
}

static void test_identity_longest(void) {
        _cleanup_(scsi_identity_done) struct scsi_identity identity = {};
        g_autoptr(GByteArray) page = page_new(SCSI_VPD_DEVICE_ID);
        char bytes[255];

        memset(bytes, 0x80, sizeof(bytes));
        page_append(page, &(struct designator){0, T10, sizeof(bytes), bytes});
        g_assert_cmpint(scsi_identity_decode(page->data, page->len, &identity), ==, 0);
        g_assert_cmpuint(strlen(identity.name), ==, 4 + 4 * sizeof(bytes));
        g_assert_cmpuint(strlen(identity.name), <, SCSI_IDENTITY_MAX);
}

static void test_identity_equal(void) {
        static const struct designator one = LU(T10, "one"), two = LU(T10, "two");
        _cleanup_(scsi_identity_done) struct scsi_identity a = {}, b = {}, c = {}, copy = {};
        struct scsi_identity none = {}, none_copy = {};
        g_autoptr(GByteArray) page = page_new(SCSI_VPD_DEVICE_ID);

        page_append(page, &one);
        g_assert_cmpint(scsi_identity_decode(page->data, page->len, &a), ==, 0);
        page_append(page, &two);
        g_assert_cmpint(scsi_identity_decode(page->data, page->len, &b), ==, 0);
        g_byte_array_set_size(page, 4);
        page_append(page, &two);
        g_assert_cmpint(scsi_identity_decode(page->data, page->len, &c), ==, 0);
        g_assert_cmpint(scsi_identity_copy(&b, &copy), ==, 0);

        g_assert_true(scsi_identity_equal(&a, &a));
        g_assert_false(scsi_identity_equal(&a, &b));
        g_assert_false(scsi_identity_equal(&a, &c));
        g_assert_true(scsi_identity_equal(&b, &copy));
        g_assert_cmpstr(copy.name, ==, b.name);
        g_assert_true(copy.name != b.name);

        g_assert_false(scsi_identity_equal(&a, &none));
        g_assert_true(scsi_identity_equal(&none, &none));
        g_assert_cmpint(scsi_identity_copy(&none, &none_copy), ==, 0);
        g_assert_cmpstr(none_copy.name, ==, "");
        scsi_identity_done(&none_copy);
        g_assert_null(none_copy.designators);
        scsi_identity_done(NULL);
}

static void check_identity(const struct scsi_identity *identity) {
        g_assert_cmpuint(identity->count, <=, SCSI_DESIGNATORS_MAX);
        g_assert_null(identity->designators[identity->count]);
        assert_printable(identity->name, SCSI_IDENTITY_MAX);

        for (size_t i = 0; i < identity->count; i++) {
                assert_printable(identity->designators[i], SCSI_IDENTITY_MAX);
                g_assert_cmpstr(identity->designators[i], !=, "");
                if (i > 0)
                        g_assert_cmpstr(identity->designators[i - 1], <, identity->designators[i]);
        }

        /* A name is one of the designators, as long as none was left out. */
        if (identity->name[0] && identity->count < SCSI_DESIGNATORS_MAX)
                g_assert_true(g_strv_contains((const char *const *)identity->designators,
                                              identity->name));
}

static void test_random_identity(void) {
        for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
                _cleanup_(scsi_identity_done) struct scsi_identity identity = {};
                size_t length = random_below(300);
                g_autofree uint8_t *page = random_bytes(length);
                bool is_page;

                if (length >= 4 && random_below(8) > 0)
                        sg_put_unaligned_be32(0x00830000 | (uint32_t)random_below(400), page);
                /* Short lengths make many designators. */
                for (size_t i = 4; random_below(2) == 0 && i < length; i++)
                        page[i] &= 0x0f;

                is_page = length >= 4 && page[1] == SCSI_VPD_DEVICE_ID;
                g_assert_cmpint(scsi_identity_decode(page, length, &identity), ==,
                                is_page ? 0 : -EINVAL);
                if (is_page)
                        check_identity(&identity);
        }
}

static GByteArray *shuffled_page(struct designator *designators, size_t count) {
        GByteArray *page = page_new(SCSI_VPD_DEVICE_ID);

        for (size_t i = count; i-- > 0;) {
                size_t j = random_below(i + 1);
                struct designator d = designators[j];

                designators[j] = designators[i];
                designators[i] = d;
                page_append(page, &d);
        }
        return page;
}

/* The order in which a port lists designators does not make another unit; one byte does. */
static void test_random_order(void) {
        static const uint8_t types[] = {VENDOR, T10, EUI, NAA, MD5};

        for (unsigned round = 0; round < RANDOM_ROUNDS / 4; round++) {
                _cleanup_(scsi_identity_done) struct scsi_identity a = {}, b = {}, c = {};
                g_autofree uint8_t *bytes = random_bytes(512);
                struct designator designators[SCSI_DESIGNATORS_MAX];
                size_t count = 1 + random_below(ELEMENTS_OF(designators));
                g_autoptr(GByteArray) first = NULL, second = NULL;

                for (size_t i = 0; i < count; i++)
                        designators[i] = (struct designator){
                                .type = types[random_below(sizeof(types))],
                                .length = 8 + random_below(24),
                                .bytes = (char *)bytes + 32 * i,
                        };

                first = shuffled_page(designators, count);
                second = shuffled_page(designators, count);
                g_assert_cmpint(scsi_identity_decode(first->data, first->len, &a), ==, 0);
                g_assert_cmpint(scsi_identity_decode(second->data, second->len, &b), ==, 0);
                check_identity(&a);
                g_assert_cmpuint(a.count, ==, count);
                g_assert_true(scsi_identity_equal(&a, &b));

                second->data[second->len - 1] ^= 1;
                g_assert_cmpint(scsi_identity_decode(second->data, second->len, &c), ==, 0);
                g_assert_false(scsi_identity_equal(&a, &c));
        }
}

static void test_largest_page(void) {
        static const uint8_t header[] = {0, SCSI_VPD_DEVICE_ID, 0xff, 0xff}, t10[] = {1, T10, 0, 1};
        _cleanup_(scsi_identity_done) struct scsi_identity identity = {};
        g_autofree uint8_t *page = random_bytes(PAGE_MAX + 1);

        memcpy(page, header, sizeof(header));
        for (size_t i = 4; i + 5 <= PAGE_MAX; i += 5)
                memcpy(page + i, t10, sizeof(t10));
        g_assert_cmpint(scsi_identity_decode(page, PAGE_MAX + 1, &identity), ==, 0);
        check_identity(&identity);
        g_assert_cmpuint(identity.count, ==, SCSI_DESIGNATORS_MAX);
}

static void test_serial(void) {
        static const struct {
                const char *page;
                size_t length;
                const char *serial;
        } table[] = {
                {"\0\x80\0\x04 12 ", 8, "12"},
                {"\0\x80\0\x00", 4, ""},
                {"\0\x80\0\x02"
                 "1234",
                 8, "12"},
                {"\0\x80\0\x10"
                 "1234",
                 8, "1234"},
                {"\0\x80\0\x04"
                 "1\0\x02z",
                 8, "1"},
                {"\0\x80\0\x04"
                 "a\x01\xffz",
                 8, "a??z"},
        };
        char serial[SCSI_SERIAL_MAX];

        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                g_assert_cmpint(
                        scsi_serial_decode((const uint8_t *)table[i].page, table[i].length, serial),
                        ==, 0);
                g_assert_cmpstr(serial, ==, table[i].serial);
        }

        g_assert_cmpint(scsi_serial_decode((const uint8_t *)"\0\x83\0\0", 4, serial), ==, -EINVAL);
        g_assert_cmpint(scsi_serial_decode((const uint8_t *)"\0\x80\0", 3, serial), ==, -EINVAL);
}

static void test_random_serial(void) {
        for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
                size_t length = random_below(600);
                g_autofree uint8_t *page = random_bytes(length);
                g_autofree char *serial = g_malloc(SCSI_SERIAL_MAX);
                bool is_page;

                if (length >= 4 && random_below(8) > 0)
                        sg_put_unaligned_be32(0x00800000 | (uint32_t)random_below(700), page);
                is_page = length >= 4 && page[1] == SCSI_VPD_SERIAL;
                g_assert_cmpint(scsi_serial_decode(page, length, serial), ==,
                                is_page ? 0 : -EINVAL);
                if (is_page)
                        assert_printable(serial, SCSI_SERIAL_MAX);
        }
}

static void test_wanted_bytes(void) {
        static const uint8_t page[] = {0, 0x83, 0x01, 0x02, 0xff};

        for (size_t length = 0; length < 4; length++)
                g_assert_cmpuint(scsi_vpd_wanted_bytes(page, length), ==, 0);
        g_assert_cmpuint(scsi_vpd_wanted_bytes(page, 4), ==, 0x106);
        g_assert_cmpuint(scsi_vpd_wanted_bytes(page, 5), ==, 0x106);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/scsi/vpd/identity", test_identity);
        g_test_add_func("/scsi/vpd/identity-no-length", test_identity_no_length);
        g_test_add_func("/scsi/vpd/identity-malformed", test_identity_malformed);
        g_test_add_func("/scsi/vpd/identity-cut", test_identity_cut);
        g_test_add_func("/scsi/vpd/identity-limits", test_identity_limits);
        g_test_add_func("/scsi/vpd/identity-longest", test_identity_longest);
        g_test_add_func("/scsi/vpd/identity-equal", test_identity_equal);
        g_test_add_func("/scsi/vpd/random-identity", test_random_identity);
        g_test_add_func("/scsi/vpd/random-order", test_random_order);
        g_test_add_func("/scsi/vpd/largest-page", test_largest_page);
        g_test_add_func("/scsi/vpd/serial", test_serial);
        g_test_add_func("/scsi/vpd/random-serial", test_random_serial);
        g_test_add_func("/scsi/vpd/wanted-bytes", test_wanted_bytes);
        return g_test_run();
}
