/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "scan/topology.h"
#include "tests/unit/scan_support.h"
#include "util/cleanup.h"

static const struct scsi_address lun0 = {{3, 0, 1}, 0}, lun5 = {{3, 0, 1}, 5};

static void put_host(struct fixture *f, uint32_t number, uint64_t instance) {
        struct fact fact = host_fact(number, instance);

        apply(f, &fact);
}

static void put_device(struct fixture *f, struct scsi_address address, uint64_t instance,
                       const char *identity) {
        struct fact fact = device_fact(address, instance, identity);

        apply(f, &fact);
}

/* ---- telling the changes ---- */

/* "-3:0:1:5 +3:0:1:5 host3/4": removed, added, changed with its properties in hex, by name. */
static char *tell(struct change_set *changes) {
        g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
        const struct change *change;

        TAILQ_FOREACH (change, change_set_entries(changes), entry) {
                g_autoptr(GString) word = g_string_new(NULL);

                append_name(word, &change->id);
                if (change->properties)
                        g_string_append_printf(word, "/%x", change->properties);
                if (change->added)
                        g_string_prepend(word, change->removed ? "-+" : "+");
                else if (change->removed)
                        g_string_prepend(word, "-");
                g_ptr_array_add(words, g_strdup(word->str));
        }
        g_ptr_array_add(words, NULL);
        return g_strjoinv(" ", (char **)words->pdata);
}

#define expect(f, text)                                                                            \
        do {                                                                                       \
                g_autofree char *told_ = tell((f)->changes);                                       \
                g_assert_cmpstr(told_, ==, text);                                                  \
                publish(f);                                                                        \
        } while (0)

/* ---- one thing at a time ---- */

static void test_come_and_go(struct fixture *f, const void *unused) {
        struct fact gone = {.kind = FACT_HOST_GONE, .address.target.host = 3};

        put_device(f, lun5, 1, "naa.5");
        expect(f, ""); /* its host is not there */
        put_host(f, 3, 1);
        expect(f, "+host3");
        put_device(f, lun5, 1, "naa.5");
        expect(f, "+3:0:1 +3:0:1:5 +naa.5");
        put_device(f, lun0, 1, "");
        expect(f, "+3:0:1:0 3:0:1/c");
        g_assert_cmpuint(topology_device_count(f->topology), ==, 2);
        drop_device(f, lun5);
        expect(f, "-naa.5 -3:0:1:5 3:0:1/c");
        drop_device(f, lun5);
        expect(f, "");
        apply(f, &gone);
        expect(f, "-3:0:1:0 -3:0:1 -host3");
        g_assert_true(TAILQ_EMPTY(topology_hosts(f->topology)));
        g_assert_true(TAILQ_EMPTY(topology_units(f->topology)));
        g_assert_cmpuint(topology_device_count(f->topology), ==, 0);
        gone = (struct fact){.kind = FACT_HOST_GONE, .address.target.host = 3};
        apply(f, &gone);
        expect(f, "");
}

/* What nobody saw come, nobody sees go. */
static void test_unseen(struct fixture *f, const void *unused) {
        put_host(f, 3, 1);
        publish(f);
        put_device(f, lun5, 1, "naa.5");
        drop_device(f, lun5);
        expect(f, "");
}

static void test_same_again(struct fixture *f, const void *unused) {
        put_host(f, 3, 1);
        put_device(f, lun5, 1, "naa.5");
        publish(f);
        put_host(f, 3, 1);
        put_device(f, lun5, 1, "naa.5");
        expect(f, "");
}

/* Another kernel object under the same address is another one, in the same batch. */
static void test_instance(struct fixture *f, const void *unused) {
        const struct change *change;

        put_host(f, 3, 1);
        put_device(f, lun5, 1, "naa.5");
        publish(f);
        put_device(f, lun5, 2, "naa.5");
        expect(f, "-+naa.5 -+3:0:1:5 -+3:0:1");
        put_device(f, lun5, 3, "naa.6");
        TAILQ_FOREACH (change, change_set_entries(f->changes), entry)
                if (change->id.kind == OBJECT_DEVICE)
                        g_assert_cmpstr(change->identity_was, ==, "naa.5");
        expect(f, "-naa.5 -+3:0:1:5 -+3:0:1 +naa.6");
        put_host(f, 3, 2);
        expect(f, "-naa.6 -3:0:1:5 -3:0:1 -+host3");
}

static void test_unit_paths(struct fixture *f, const void *unused) {
        const struct unit *unit;

        put_host(f, 3, 1);
        put_device(f, lun0, 1, "naa.5");
        publish(f);
        put_device(f, lun5, 1, "naa.5");
        expect(f, "+3:0:1:5 3:0:1/c naa.5/100");
        unit = topology_unit(f->topology, "naa.5");
        g_assert_true(TAILQ_FIRST(&unit->devices) == topology_device(f->topology, &lun0));
        g_assert_true(topology_device(f->topology, &lun5)->unit == unit);
        /* One path turns into another unit, then into none. */
        put_device(f, lun0, 1, "naa.6");
        expect(f, "naa.5/100 3:0:1:0/401 +naa.6");
        put_device(f, lun0, 1, "");
        expect(f, "-naa.6 3:0:1:0/401");
        g_assert_null(topology_device(f->topology, &lun0)->unit);
        g_assert_null(topology_unit(f->topology, ""));
}

static void put_sized(struct fixture *f, struct scsi_address address, uint64_t size) {
        struct fact fact = device_fact(address, 1, "naa.5");

        fact.device.size = size;
        apply(f, &fact);
}

/* The first device that knows its size speaks for the unit, else the first. */
static void test_speaker(struct fixture *f, const void *unused) {
        const struct unit *unit;

        put_host(f, 3, 1);
        put_sized(f, lun0, 0);
        put_sized(f, lun5, 0);
        unit = topology_unit(f->topology, "naa.5");
        g_assert_true(unit_speaker(unit) == topology_device(f->topology, &lun0));
        publish(f);
        put_sized(f, lun5, 4096);
        expect(f, "naa.5/40");
        g_assert_true(unit_speaker(unit) == topology_device(f->topology, &lun5));
        put_sized(f, lun0, 4096);
        expect(f, "");
        g_assert_true(unit_speaker(unit) == topology_device(f->topology, &lun0));
        put_sized(f, lun5, 8192);
        expect(f, ""); /* it does not speak any more */
        drop_device(f, lun0);
        expect(f, "naa.5/140 -3:0:1:0 3:0:1/c");
}

static void test_ports(struct fixture *f, const void *unused) {
        struct fact fact = host_fact(3, 1);
        const struct scsi_target_address address = {3, 0, 1};

        fact_port(&fact, 1, "naa.50", "Online");
        apply(f, &fact);
        expect(f, "+host3 +3:0:1");
        g_assert_cmpstr(topology_target(f->topology, &address)->port_name, ==, "naa.50");
        put_device(f, lun5, 1, "");
        publish(f);

        fact = host_fact(3, 1);
        fact_port(&fact, 1, "naa.50", "Blocked");
        apply(f, &fact);
        expect(f, "3:0:1/2");
        put_host(f, 3, 1);
        expect(f, "3:0:1/3"); /* the port went, what is attached there stays */
        drop_device(f, lun5);
        expect(f, "-3:0:1:5 -3:0:1");

        fact = host_fact(3, 1);
        fact_port(&fact, 1, "naa.50", "Online");
        apply(f, &fact);
        put_device(f, lun5, 1, "");
        publish(f);
        drop_device(f, lun5);
        expect(f, "-3:0:1:5 3:0:1/c"); /* its port is still known */
        put_host(f, 3, 1);
        expect(f, "-3:0:1");
}

static void put_luns(struct fixture *f, const uint64_t *luns, size_t count, uint64_t now) {
        struct fact fact = {.kind = FACT_LUNS, .address = lun0, .lun_count = count, .now = now};

        fact.luns = calloc(count, sizeof(*fact.luns));
        for (size_t i = 0; i < count; i++)
                fact.luns[i].lun = luns[i];
        apply(f, &fact);
}

static void test_luns(struct fixture *f, const void *unused) {
        static const uint64_t luns[] = {0, 5, 16640};
        const struct target *target;

        put_luns(f, luns, 3, 1);
        expect(f, ""); /* of a target that is not there */
        put_host(f, 3, 1);
        put_device(f, lun0, 1, "");
        publish(f);
        put_luns(f, luns, 3, 2);
        expect(f, "3:0:1/14");
        put_luns(f, luns, 3, 3);
        expect(f, "3:0:1/10");
        put_luns(f, luns, 2, 4);
        expect(f, "3:0:1/14");
        target = topology_target(f->topology, &lun0.target);
        g_assert_cmpuint(target->lun_count, ==, 2);
        g_assert_cmpuint(target->luns[1].lun, ==, 5);
        g_assert_cmpuint(target->last_asked, ==, 4);
}

static void test_flags(struct fixture *f, const void *unused) {
        static const struct {
                enum fact_kind kind;
                bool flag;
                enum unit_attention attention;
                const char *told;
        } table[] = {
                {FACT_HOST_STUCK, true, 0, "host3/20"},
                {FACT_HOST_STUCK, true, 0, ""},
                {FACT_HOST_STUCK, false, 0, "host3/20"},
                {FACT_ATTENTION, false, ATTENTION_CAPACITY, "3:0:1:5/2000"},
                {FACT_ATTENTION, false, ATTENTION_CAPACITY, ""},
                {FACT_ATTENTION, false, ATTENTION_INQUIRY, "3:0:1:5/2000"},
        };

        put_host(f, 3, 1);
        put_device(f, lun5, 1, "");
        publish(f);
        for (size_t i = 0; i < ELEMENTS_OF(table); i++) {
                struct fact fact = {.kind = table[i].kind,
                                    .address = lun5,
                                    .flag = table[i].flag,
                                    .attention = table[i].attention};

                g_test_message("row %zu", i);
                apply(f, &fact);
                expect(f, table[i].told);
        }
}

/* Facts about what is not there, or not any more, change nothing. */
static void test_nowhere(struct fixture *f, const void *unused) {
        static const enum fact_kind kinds[] = {FACT_HOST_GONE,   FACT_HOST_STUCK, FACT_DEVICE,
                                               FACT_DEVICE_GONE, FACT_ATTENTION,  FACT_LUNS};

        for (size_t i = 0; i < ELEMENTS_OF(kinds); i++) {
                struct fact fact = device_fact(lun5, 1, "naa.5");

                fact.kind = kinds[i];
                fact.flag = true;
                fact.attention = ATTENTION_CAPACITY;
                apply(f, &fact);
                expect(f, "");
        }
}

/* The fact is taken over: whoever applied it has nothing more to free. */
static void test_taken_over(struct fixture *f, const void *unused) {
        struct fact device = device_fact(lun5, 1, "naa.5"), host = host_fact(3, 1);

        device.device.holders[0] = strdup("dm-0");
        apply(f, &device); /* no host: dropped, and freed */
        g_assert_null(device.identity.name);
        g_assert_null(device.device.holders[0]);
        fact_port(&host, 1, "naa.50", "Online");
        apply(f, &host);
        g_assert_null(host.host.ports);
}

static void test_device_difference(struct fixture *f, const void *unused) {
        struct fact fact = device_fact(lun5, 1, "naa.5");
        const struct device *device;

        put_host(f, 3, 1);
        put_device(f, lun5, 1, "naa.5");
        device = topology_device(f->topology, &lun5);
        g_assert_cmpuint(device_difference(device, &fact), ==, 0);
        fact.standing = STANDING_MISSING;
        g_strlcpy(fact.device.state, "offline", sizeof(fact.device.state));
        fact.device.type = 5;
        g_assert_cmpuint(device_difference(device, &fact), ==,
                         DEVICE_PROPERTY_STANDING | DEVICE_PROPERTY_STATE | DEVICE_PROPERTY_TYPE);
        apply(f, &fact);
        g_assert_cmpuint(TAILQ_FIRST(change_set_entries(f->changes))->properties, ==, 0);
        publish(f);
        put_device(f, lun5, 1, "naa.5");
        expect(f, "3:0:1:5/c2 naa.5/4");
}

/* Above the bound no device is added. */
static void test_bound(struct fixture *f, const void *unused) {
        struct scsi_address address = lun0, beyond = {{3, 0, 2}, 0};
        struct fact fact = device_fact(beyond, 1, "naa.5");

        put_host(f, 3, 1);
        for (address.lun = 0; address.lun < TOPOLOGY_DEVICES_MAX; address.lun++)
                put_device(f, address, 1, "");
        g_assert_cmpint(topology_apply(f->topology, &fact, f->changes), ==, -E2BIG);
        g_assert_null(fact.identity.name);
        g_assert_null(topology_device(f->topology, &beyond));
        g_assert_null(topology_unit(f->topology, "naa.5"));
        g_assert_cmpuint(topology_device_count(f->topology), ==, TOPOLOGY_DEVICES_MAX);
        publish(f);
        put_device(f, lun5, 2, ""); /* one for another is no more than there were */
        expect(f, "-+3:0:1:5 3:0:1/c");
}

static void test_words(void) {
        for (unsigned i = 0; i < DISPOSITION_KINDS; i++) {
                enum disposition disposition = i;

                g_assert_cmpstr(disposition_name(disposition), !=, NULL);
                g_assert_cmpuint(strlen(disposition_reason(disposition)), >, 10);
                for (unsigned k = 0; k < i; k++)
                        g_assert_cmpstr(disposition_name(disposition), !=,
                                        disposition_name((enum disposition)k));
        }
}

int main(int argc, char **argv) {
        static const struct {
                const char *path;
                void (*test)(struct fixture *f, const void *unused);
        } tests[] = {
                {"/scan/topology/come-and-go", test_come_and_go},
                {"/scan/topology/unseen", test_unseen},
                {"/scan/topology/same-again", test_same_again},
                {"/scan/topology/instance", test_instance},
                {"/scan/topology/unit-paths", test_unit_paths},
                {"/scan/topology/speaker", test_speaker},
                {"/scan/topology/ports", test_ports},
                {"/scan/topology/luns", test_luns},
                {"/scan/topology/flags", test_flags},
                {"/scan/topology/bound", test_bound},
                {"/scan/topology/nowhere", test_nowhere},
                {"/scan/topology/taken-over", test_taken_over},
                {"/scan/topology/device-difference", test_device_difference},
        };

        g_test_init(&argc, &argv, NULL);

        g_test_add_func("/scan/topology/words", test_words);
        for (size_t i = 0; i < ELEMENTS_OF(tests); i++)
                g_test_add(tests[i].path, struct fixture, NULL, fixture_set_up, tests[i].test,
                           fixture_tear_down);
        return g_test_run();
}
