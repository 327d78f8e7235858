/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "scan/scope.h"

/* ---- text ---- */

static void test_parse(void) {
        static const struct {
                const char *text;
                enum scope_kind kind;
                struct scsi_address address;
                const char *name;
        } table[] = {
                {"", SCOPE_ALL, {}, NULL},
                {"host0", SCOPE_HOST, {{0, 0, 0}, 0}, NULL},
                {"host4294967295", SCOPE_HOST, {{UINT32_MAX, 0, 0}, 0}, NULL},
                {"3:0:1", SCOPE_TARGET, {{3, 0, 1}, 0}, NULL},
                {"3:0:1:5", SCOPE_DEVICE, {{3, 0, 1}, 5}, NULL},
                {"3:0:1:16640", SCOPE_DEVICE, {{3, 0, 1}, 16640}, NULL},
                {"3:0:1:0x4100000000000000", SCOPE_DEVICE, {{3, 0, 1}, 16640}, NULL},
                {"3:0:1:0x0005000000000000", SCOPE_DEVICE, {{3, 0, 1}, 5}, NULL},
                {"naa.600a0b80", SCOPE_NAME, {}, "naa.600a0b80"},
                {"iqn.2003-01.org:disk,t,0x1", SCOPE_NAME, {}, "iqn.2003-01.org:disk,t,0x1"},
                {"host", SCOPE_NAME, {}, "host"},
                {"t10.ATA     Disk A", SCOPE_NAME, {}, "t10.ATA     Disk A"},
                {"600508b1", SCOPE_NAME, {}, "600508b1"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
                struct scope scope;
                const char *reason = NULL;

                g_test_message("%s", table[i].text);
                g_assert_cmpint(scope_parse(table[i].text, &scope, &reason), ==, 0);
                g_assert_cmpint(scope.kind, ==, table[i].kind);
                g_assert_cmpint(scsi_address_compare(&scope.address, &table[i].address), ==, 0);
                g_assert_cmpstr(scope.name, ==, table[i].name);
                scope_done(&scope);
                g_assert_null(scope.name);
        }
}

static void test_parse_bad(void) {
        static const char *const table[] = {
                "3:0",
                "3:0:",
                "3:0:1:",
                "3:0:1:5:6",
                "3::1",
                "03:0:1",
                "3:0:01:5",
                "3:0:1:05",
                "3:0:1:0x1",
                "3:0:1:0x41000000000000",
                "3:0:a",
                "3:0:1:ffff",
                "4294967296:0:1",
                "50:0a:09:80:00:00:00:01",
                "naa.\x01",
                "na\xc3\xa4.5",
                "naa.5\n",
                "3:0:1:18446744073709551616",
                "3:0:1:0x41000000000000000",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
                struct scope scope;
                const char *reason = NULL;

                g_test_message("%s", table[i]);
                g_assert_cmpint(scope_parse(table[i], &scope, &reason), ==, -EINVAL);
                g_assert_cmpstr(reason, !=, NULL);
                g_assert_cmpuint(strlen(reason), >, 0);
                g_assert_cmpint(scope_parse(table[i], &scope, NULL), ==, -EINVAL);
        }
}

static void test_parse_length(void) {
        g_autofree char *longest = g_strnfill(SCOPE_NAME_MAX - 1, 'n');
        g_autofree char *longer = g_strnfill(SCOPE_NAME_MAX, 'n');
        g_autofree char *address = g_strnfill(200, '1');
        struct scope scope;
        const char *reason = NULL;

        g_assert_cmpint(scope_parse(longest, &scope, &reason), ==, 0);
        g_assert_cmpstr(scope.name, ==, longest);
        scope_done(&scope);
        g_assert_cmpint(scope_parse(longer, &scope, &reason), ==, -EINVAL);

        address[1] = address[3] = address[199 - 1] = ':';
        g_assert_cmpint(scope_parse(address, &scope, &reason), ==, -EINVAL);
}

static void test_copy(void) {
        struct scope named, copy, address = {.kind = SCOPE_DEVICE, .address = {{1, 2, 3}, 4}};

        g_assert_cmpint(scope_node("sda", &named), ==, 0);
        g_assert_cmpint(scope_copy(&named, &copy), ==, 0);
        g_assert_true(named.name != copy.name);
        scope_done(&named);
        g_assert_cmpint(copy.kind, ==, SCOPE_NODE);
        g_assert_cmpstr(copy.name, ==, "sda");
        scope_done(&copy);

        g_assert_cmpint(scope_copy(&address, &copy), ==, 0);
        g_assert_cmpint(copy.kind, ==, SCOPE_DEVICE);
        g_assert_cmpint(scsi_address_compare(&copy.address, &address.address), ==, 0);
        g_assert_null(copy.name);
}

/* ---- what it names ---- */

struct fixture {
        struct topology *topology;
        struct change_set *changes;
};

static void apply(struct fixture *f, struct fact *fact) {
        g_assert_cmpint(topology_apply(f->topology, fact, f->changes), ==, 0);
}

static void put_host(struct fixture *f, uint32_t number, const char *port) {
        struct fact fact = {.kind = FACT_HOST, .address.target.host = number};

        fact.host.ports = calloc(1, sizeof(*fact.host.ports));
        fact.host.port_count = 1;
        fact.host.ports->target = 7;
        g_strlcpy(fact.host.ports->name, port, sizeof(fact.host.ports->name));
        apply(f, &fact);
}

static void put_device(struct fixture *f, struct scsi_address address, const char *identity,
                       const char *block, const char *generic) {
        struct fact fact = {.kind = FACT_DEVICE, .address = address};

        fact.identity.name = strdup(identity);
        fact.identity.designators = calloc(1, sizeof(char *));
        g_strlcpy(fact.device.block, block, sizeof(fact.device.block));
        g_strlcpy(fact.device.generic, generic, sizeof(fact.device.generic));
        apply(f, &fact);
}

/* Two hosts that see unit "naa.1", one with a second LUN that has no identity; both hosts see the
 * port "naa.50", on target 7. */
static void fixture_set_up(struct fixture *f, const void *unused) {
        f->topology = topology_new();
        f->changes = change_set_new();
        put_host(f, 0, "naa.50");
        put_host(f, 3, "naa.50");
        put_device(f, (struct scsi_address){{0, 0, 1}, 0}, "naa.1", "sda", "sg0");
        put_device(f, (struct scsi_address){{3, 0, 1}, 5}, "naa.1", "sdb", "sg1");
        put_device(f, (struct scsi_address){{3, 0, 1}, 16640}, "", "", "sg2");
}

static void fixture_tear_down(struct fixture *f, const void *unused) {
        topology_free(f->topology);
        change_set_free(f->changes);
}

/* Stops at what `stop` says. */
struct listing {
        GString *text;
        unsigned stop;
        unsigned count;
};

static int list(const struct object_id *id, void *userdata) {
        struct listing *listing = userdata;
        char address[SCSI_ADDRESS_TEXT_MAX];

        if (listing->text->len > 0)
                g_string_append_c(listing->text, ' ');
        switch (id->kind) {
        case OBJECT_HOST:
                g_string_append_printf(listing->text, "host%u", id->address.target.host);
                break;
        case OBJECT_TARGET:
                g_string_append(listing->text,
                                scsi_target_address_format(&id->address.target, address));
                break;
        case OBJECT_DEVICE:
                g_string_append(listing->text, scsi_address_format(&id->address, address));
                break;
        default:
                g_string_append(listing->text, id->identity);
        }
        return ++listing->count == listing->stop ? 42 : 0;
}

static void test_find(struct fixture *f, const void *unused) {
        static const struct {
                const char *text;
                const char *found;
                int exists;
        } table[] = {
                {"", "host0 0:0:7 0:0:1 0:0:1:0 host3 3:0:7 3:0:1 3:0:1:5 3:0:1:16640 naa.1", 0},
                {"host3", "host3", 0},
                {"host1", "", -ENOENT},
                {"3:0:1", "3:0:1", 0},
                {"3:0:2", "", 0}, /* it may be about to be discovered */
                {"1:0:1", "", -ENOENT},
                {"3:0:1:5", "3:0:1:5", 0},
                {"3:0:1:0x0005000000000000", "3:0:1:5", 0},
                {"3:0:1:6", "", 0},
                {"1:0:1:6", "", -ENOENT},
                {"naa.50", "0:0:7 3:0:7", 0},
                {"naa.1", "naa.1 0:0:1:0 3:0:1:5", 0},
                {"naa.2", "", -ENOENT},
                {"sda", "", -ENOENT}, /* nodes have a scope of their own */
        };

        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
                g_autoptr(GString) text = g_string_new(NULL);
                struct listing listing = {.text = text};
                struct scope scope;

                g_test_message("\"%s\"", table[i].text);
                g_assert_cmpint(scope_parse(table[i].text, &scope, NULL), ==, 0);
                g_assert_cmpint(scope_find(&scope, f->topology, list, &listing), ==, 0);
                g_assert_cmpstr(text->str, ==, table[i].found);
                g_assert_cmpint(scope_exists(&scope, f->topology), ==, table[i].exists);
                scope_done(&scope);
        }
}

static void test_find_node(struct fixture *f, const void *unused) {
        static const char *const table[][2] = {
                {"sda", "0:0:1:0"}, {"sg1", "3:0:1:5"}, {"sg2", "3:0:1:16640"},
                {"sdc", ""},        {"naa.1", ""},      {"sd", ""},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
                g_autoptr(GString) text = g_string_new(NULL);
                struct listing listing = {.text = text};
                struct scope scope;

                g_test_message("%s", table[i][0]);
                g_assert_cmpint(scope_node(table[i][0], &scope), ==, 0);
                g_assert_cmpint(scope_find(&scope, f->topology, list, &listing), ==, 0);
                g_assert_cmpstr(text->str, ==, table[i][1]);
                g_assert_cmpint(scope_exists(&scope, f->topology), ==, *table[i][1] ? 0 : -ENOENT);
                scope_done(&scope);
        }
}

/* Wherever it is told to stop, it calls no more and says what it was told. */
static void test_find_stops(struct fixture *f, const void *unused) {
        static const struct {
                const char *text;
                unsigned count;
        } table[] = {{"", 10}, {"naa.1", 3}, {"naa.50", 2}, {"host3", 1}, {"3:0:1:5", 1}};

        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
                struct scope scope;

                g_assert_cmpint(scope_parse(table[i].text, &scope, NULL), ==, 0);
                for (unsigned stop = 1; stop <= table[i].count; stop++) {
                        g_autoptr(GString) text = g_string_new(NULL);
                        struct listing listing = {.text = text, .stop = stop};

                        g_test_message("\"%s\" at %u", table[i].text, stop);
                        g_assert_cmpint(scope_find(&scope, f->topology, list, &listing), ==, 42);
                        g_assert_cmpuint(listing.count, ==, stop);
                }
                scope_done(&scope);
        }
}

static void test_empty(void) {
        _cleanup_(topology_freep) struct topology *topology = topology_new();
        g_autoptr(GString) text = g_string_new(NULL);
        struct listing listing = {.text = text};
        struct scope all = {.kind = SCOPE_ALL};

        g_assert_cmpint(scope_find(&all, topology, list, &listing), ==, 0);
        g_assert_cmpuint(listing.count, ==, 0);
        g_assert_cmpint(scope_exists(&all, topology), ==, 0);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/scan/scope/parse", test_parse);
        g_test_add_func("/scan/scope/parse-bad", test_parse_bad);
        g_test_add_func("/scan/scope/parse-length", test_parse_length);
        g_test_add_func("/scan/scope/copy", test_copy);
        g_test_add("/scan/scope/find", struct fixture, NULL, fixture_set_up, test_find,
                   fixture_tear_down);
        g_test_add("/scan/scope/find-node", struct fixture, NULL, fixture_set_up, test_find_node,
                   fixture_tear_down);
        g_test_add("/scan/scope/find-stops", struct fixture, NULL, fixture_set_up, test_find_stops,
                   fixture_tear_down);
        g_test_add_func("/scan/scope/empty", test_empty);
        return g_test_run();
}
