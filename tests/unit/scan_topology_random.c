/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "scan/topology.h"
#include "tests/unit/scan_support.h"
#include "util/cleanup.h"

/*
 * Anything that can happen to a topology, in any order: a model that knows what is there in another
 * way, and a mirror that hears of changes alone, have to agree with it all the time.
 */

enum {
        HOSTS = 3,
        TARGETS = 3,
        LUNS = 4,
        IDENTITIES = 4, /* the first one is none */
        PROPERTIES = 14
};

static const uint64_t model_luns[LUNS] = {0, 5, 255, 16640};
static const char *const model_identities[IDENTITIES] = {"", "naa.1", "naa.2", "t10.X"};

/* What is there, told in another way than the topology does. */
struct model {
        struct {
                bool there, stuck;
                uint64_t instance;
                bool port[TARGETS];
                struct {
                        bool there;
                        uint64_t instance;
                        int identity;
                } device[TARGETS][LUNS];
        } host[HOSTS];
        GHashTable *mirror; /* what somebody knows who only hears of changes: name -> properties */
        struct fixture *f;
        GRand *random;
        uint64_t now;
        int facts; /* in this batch */
};

static int any(struct model *m, int count) {
        return g_rand_int_range(m->random, 0, count);
}

/* Each property of the object as text, in the order of its bits. A device is told from another one
 * that took its place. */
static char **show_host(const struct host *host) {
        char **shown = g_new0(char *, PROPERTIES + 1);
        unsigned i = 0;

        shown[i++] = g_strdup(host->facts.driver);
        shown[i++] = g_strdup(transport_name(host->facts.transport));
        shown[i++] = g_strdup(host->facts.port_name);
        shown[i++] = g_strdup(host->facts.state);
        shown[i++] = g_strdup(discovery_name(host->discovery));
        shown[i++] = g_strdup(host->stuck ? "stuck" : "");
        return shown;
}

static bool is_listed(const struct target *target, uint64_t lun) {
        for (size_t i = 0; i < target->lun_count; i++)
                if (target->luns[i].lun == lun)
                        return true;
        return false;
}

static int compare_text(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* As Luns shows them: what is attached is attached, whatever was to become of it; and it is not
 * reported only once its target was asked. */
static char *show_luns(const struct target *target) {
        g_autoptr(GPtrArray) luns = g_ptr_array_new_with_free_func(g_free);
        const struct device *device;

        for (size_t i = 0; i < target->lun_count; i++) {
                const struct target_lun *lun = &target->luns[i];
                struct device *attached;

                HASH_FIND(hh, target->by_lun, &lun->lun, sizeof(lun->lun), attached);
                g_ptr_array_add(luns,
                                g_strdup_printf("%" G_GUINT64_FORMAT "=%s", lun->lun,
                                                disposition_name(attached ? DISPOSITION_ATTACHED
                                                                          : lun->disposition)));
        }
        TAILQ_FOREACH (device, &target->devices, entry)
                if (!is_listed(target, device->address.lun))
                        g_ptr_array_add(luns,
                                        g_strdup_printf("%" G_GUINT64_FORMAT "=%s",
                                                        device->address.lun,
                                                        target->last_asked > 0 ? "not-reported"
                                                                               : "attached"));
        g_ptr_array_sort(luns, compare_text);
        g_ptr_array_add(luns, NULL);
        return g_strjoinv(" ", (char **)luns->pdata);
}

static char **show_target(const struct target *target) {
        char **shown = g_new0(char *, PROPERTIES + 1);
        g_autofree char *luns = NULL;
        g_autoptr(GString) devices = g_string_new(NULL);
        const struct device *device;
        unsigned i = 0;

        TAILQ_FOREACH (device, &target->devices, entry)
                g_string_append_printf(devices, "%" G_GUINT64_FORMAT "#%" G_GUINT64_FORMAT " ",
                                       device->address.lun, device->facts.instance);
        shown[i++] = g_strdup(target->port_name);
        shown[i++] = g_strdup(target->port_state);
        /* Another device in the place of one is told of with the list that it is in. */
        luns = show_luns(target);
        shown[i++] = g_strdup_printf("%s / %s", luns, devices->str);
        shown[i++] = g_strdup(devices->str);
        shown[i++] = g_strdup_printf("%" G_GUINT64_FORMAT, target->last_asked);
        shown[i++] = g_strdup(transport_name(target->host->facts.transport));
        return shown;
}

static char **show_device(const struct device *device) {
        const struct device_facts *facts = &device->facts;
        char **shown = g_new0(char *, PROPERTIES + 1);
        unsigned i = 0;

        shown[i++] = g_strdup(device->unit ? device->unit->identity : "/");
        shown[i++] = g_strdup_printf("%u", facts->type);
        shown[i++] = g_strdup_printf("%u", facts->qualifier);
        shown[i++] = g_strdup(facts->vendor);
        shown[i++] = g_strdup(facts->model);
        shown[i++] = g_strdup(facts->revision);
        shown[i++] = g_strdup(facts->state);
        shown[i++] = g_strdup(standing_name(device->standing));
        shown[i++] = g_strdup(facts->block);
        shown[i++] = g_strdup(facts->generic);
        shown[i++] = g_strdup(device->identity.name);
        shown[i++] = g_strjoinv(" ", (char **)facts->holders);
        shown[i++] = g_strdup(facts->access_state);
        shown[i++] = g_strdup(unit_attention_name(device->last_attention));
        return shown;
}

static char **show_unit(const struct unit *unit) {
        const struct device *device, *speaker = NULL;
        char **shown = g_new0(char *, PROPERTIES + 1);
        g_autoptr(GString) devices = g_string_new(NULL);
        char address[SCSI_ADDRESS_TEXT_MAX];
        unsigned i = 0;

        TAILQ_FOREACH (device, &unit->devices, unit_entry) {
                g_string_append_printf(devices, "%s#%" G_GUINT64_FORMAT " ",
                                       scsi_address_format(&device->address, address),
                                       device->facts.instance);
                if (!speaker || (speaker->facts.size == 0 && device->facts.size > 0) ||
                    (speaker->standing != STANDING_PRESENT && device->facts.size > 0 &&
                     device->standing == STANDING_PRESENT))
                        speaker = device;
        }
        g_assert(speaker);
        g_assert_true(unit_speaker(unit) == speaker);
        shown[i++] = g_strjoinv(" ", speaker->identity.designators);
        shown[i++] = g_strdup(speaker->serial);
        shown[i++] = g_strdup_printf("%u", speaker->facts.type);
        shown[i++] = g_strdup(speaker->facts.vendor);
        shown[i++] = g_strdup(speaker->facts.model);
        shown[i++] = g_strdup(speaker->facts.revision);
        shown[i++] = g_strdup_printf("%" G_GUINT64_FORMAT, speaker->facts.size);
        shown[i++] = g_strdup_printf("%u", speaker->facts.block_size);
        shown[i++] = g_strdup(devices->str);
        return shown;
}

/* The object's properties, NULL when it is not there. */
static char **show(const struct topology *topology, const struct object_id *id) {
        const struct host *host = topology_host(topology, id->address.target.host);
        const struct target *target = topology_target(topology, &id->address.target);
        const struct device *device = topology_device(topology, &id->address);
        const struct unit *unit = id->identity ? topology_unit(topology, id->identity) : NULL;

        switch (id->kind) {
        case OBJECT_HOST:
                return host ? show_host(host) : NULL;
        case OBJECT_TARGET:
                return target ? show_target(target) : NULL;
        case OBJECT_DEVICE:
                return device ? show_device(device) : NULL;
        default:
                return unit ? show_unit(unit) : NULL;
        }
}

/* ---- the mirror ---- */

static char *name_of(const struct object_id *id) {
        g_autoptr(GString) name = g_string_new(NULL);

        append_name(name, id);
        return g_strdup(name->str);
}

static void mirror_update(char **known, char **shown, uint32_t properties, bool must_differ) {
        for (unsigned i = 0; i < PROPERTIES; i++) {
                if (!(properties & (1U << i)))
                        continue;
                g_assert_nonnull(shown[i]);
                if (must_differ)
                        g_assert_cmpstr(known[i], !=, shown[i]);
                g_free(known[i]);
                known[i] = g_strdup(shown[i]);
        }
}

/* Whether one device came or went at most: where several do, a unit may have been spoken for by one
 * after the other, and be as it was. */
static bool is_single(struct change_set *changes) {
        const struct change *change;
        unsigned count = 0;

        TAILQ_FOREACH (change, change_set_entries(changes), entry)
                if (change->id.kind == OBJECT_DEVICE)
                        count += change->removed + change->added;
        return count <= 1;
}

/* Does what one change says. single: only one thing happened, so a change has to be one. */
static void mirror_change(struct model *m, const struct change *change, bool single) {
        g_autofree char *name = name_of(&change->id);
        g_auto(GStrv) shown = show(m->f->topology, &change->id);
        char **known = g_hash_table_lookup(m->mirror, name);

        g_assert_true(change->removed || change->added || change->properties != 0);
        g_assert_true((shown != NULL) == (change->added || !change->removed));
        g_assert_true((known != NULL) == (change->removed || !change->added));
        /* Of what was replaced, it is who it was attached as. */
        if (change->removed && change->id.kind == OBJECT_DEVICE && m->facts == 1 &&
            strcmp(known[7], "replaced") != 0)
                g_assert_cmpstr(change->identity_was, ==, known[10]);
        if (change->removed)
                g_hash_table_remove(m->mirror, name);
        if (change->removed || change->added)
                g_assert_cmpuint(change->properties, ==, 0);
        if (change->added)
                g_hash_table_insert(m->mirror, g_strdup(name), g_steal_pointer(&shown));
        else if (!change->removed)
                mirror_update(known, shown, change->properties, single);
}

static unsigned mirror_compare(struct model *m, const struct object_id *id) {
        g_autofree char *name = name_of(id);
        g_auto(GStrv) shown = show(m->f->topology, id);
        char **known = g_hash_table_lookup(m->mirror, name);

        g_assert_nonnull(shown);
        g_assert_nonnull(known);
        for (unsigned i = 0; i < PROPERTIES; i++) {
                if (g_strcmp0(known[i], shown[i]) != 0)
                        g_test_message("property %u of %s", i, name);
                g_assert_cmpstr(known[i], ==, shown[i]);
        }
        return 1;
}

/* Whoever followed the changes knows all that is there, as it is, and nothing else. */
static void mirror_check(struct model *m) {
        const struct host *host;
        const struct target *target;
        const struct device *device;
        const struct unit *unit;
        unsigned count = 0;

        TAILQ_FOREACH (host, topology_hosts(m->f->topology), entry) {
                struct object_id id = {.kind = OBJECT_HOST, .address.target.host = host->number};

                count += mirror_compare(m, &id);
                TAILQ_FOREACH (target, &host->targets, entry) {
                        id = (struct object_id){.kind = OBJECT_TARGET,
                                                .address.target = target->address};
                        count += mirror_compare(m, &id);
                        TAILQ_FOREACH (device, &target->devices, entry) {
                                id = (struct object_id){.kind = OBJECT_DEVICE,
                                                        .address = device->address};
                                count += mirror_compare(m, &id);
                        }
                }
        }
        TAILQ_FOREACH (unit, topology_units(m->f->topology), entry) {
                struct object_id id = {.kind = OBJECT_UNIT, .identity = unit->identity};

                count += mirror_compare(m, &id);
        }
        g_assert_cmpuint(g_hash_table_size(m->mirror), ==, count);
}

/* ---- the model ---- */

static unsigned model_check_device(struct model *m, int h, int t, int l) {
        struct scsi_address address = {{(uint32_t)h, 0, (uint32_t)t}, model_luns[l]};
        const struct device *device = topology_device(m->f->topology, &address);
        const char *identity = model_identities[m->host[h].device[t][l].identity];

        g_assert_true((device != NULL) == m->host[h].device[t][l].there);
        if (!device)
                return 0;
        g_assert_cmpuint(device->facts.instance, ==, m->host[h].device[t][l].instance);
        g_assert_cmpstr(device->identity.name, ==, identity);
        if (*identity && device->standing != STANDING_REPLACED)
                g_assert_true(device->unit == topology_unit(m->f->topology, identity));
        else
                g_assert_null(device->unit);
        return 1;
}

/* What was replaced is a path to nothing. */
static bool model_is_path(struct model *m, int h, int t, int l) {
        struct scsi_address address = {{(uint32_t)h, 0, (uint32_t)t}, model_luns[l]};
        const struct device *device = topology_device(m->f->topology, &address);

        return device && device->standing != STANDING_REPLACED;
}

static unsigned model_check_host(struct model *m, int h) {
        const struct host *host = topology_host(m->f->topology, (uint32_t)h);
        unsigned devices = 0;

        g_assert_true((host != NULL) == m->host[h].there);
        if (host) {
                g_assert_cmpuint(host->facts.instance, ==, m->host[h].instance);
                g_assert_true(host->stuck == m->host[h].stuck);
        }
        for (int t = 0; t < TARGETS; t++) {
                struct scsi_target_address address = {(uint32_t)h, 0, (uint32_t)t};
                const struct target *target = topology_target(m->f->topology, &address);
                unsigned count = 0;

                for (int l = 0; l < LUNS; l++)
                        count += model_check_device(m, h, t, l);
                g_assert_true((target != NULL) == (count > 0 || m->host[h].port[t]));
                if (target)
                        g_assert_cmpuint(target->device_count, ==, count);
                devices += count;
        }
        return devices;
}

static void model_check(struct model *m) {
        unsigned devices = 0, paths[IDENTITIES] = {0};
        const struct unit *unit;

        for (int h = 0; h < HOSTS; h++) {
                devices += model_check_host(m, h);
                for (int i = 0; i < TARGETS * LUNS; i++)
                        if (model_is_path(m, h, i / LUNS, i % LUNS))
                                paths[m->host[h].device[i / LUNS][i % LUNS].identity]++;
        }
        g_assert_cmpuint(topology_device_count(m->f->topology), ==, devices);
        for (int i = 1; i < IDENTITIES; i++) {
                const struct device *device;
                unsigned count = 0;

                unit = topology_unit(m->f->topology, model_identities[i]);
                g_assert_true((unit != NULL) == (paths[i] > 0));
                if (!unit)
                        continue;
                TAILQ_FOREACH (device, &unit->devices, unit_entry)
                        count++;
                g_assert_cmpuint(count, ==, paths[i]);
        }
}

static void pick(struct model *m, char *text, size_t size, const char *one, const char *other) {
        g_strlcpy(text, any(m, 2) ? one : other, size);
}

static void model_forget_devices(struct model *m, int h) {
        memset(m->host[h].device, 0, sizeof(m->host[h].device));
}

static void model_host(struct model *m, int h) {
        bool other = any(m, 8) == 0;
        uint64_t instance = m->host[h].there && !other ? m->host[h].instance : ++m->now;
        struct fact fact = host_fact((uint32_t)h, instance);

        if (!m->host[h].there || other) {
                model_forget_devices(m, h);
                m->host[h].stuck = false;
        }
        m->host[h].there = true;
        m->host[h].instance = instance;
        fact.discovery = (enum discovery)any(m, 3);
        fact.host.transport = (enum transport)any(m, 3);
        pick(m, fact.host.driver, sizeof(fact.host.driver), "lpfc", "qla2xxx");
        pick(m, fact.host.state, sizeof(fact.host.state), "running", "recovery");
        pick(m, fact.host.port_name, sizeof(fact.host.port_name), "naa.1", "");
        for (int t = 0; t < TARGETS; t++) {
                m->host[h].port[t] = any(m, 2) == 0;
                if (m->host[h].port[t])
                        fact_port(&fact, (uint32_t)t, any(m, 2) ? "naa.50" : "naa.51",
                                  any(m, 2) ? "Online" : "Blocked");
        }
        apply(m->f, &fact);
}

static void model_host_gone(struct model *m, int h) {
        struct fact fact = {.kind = FACT_HOST_GONE, .address.target.host = (uint32_t)h};

        memset(&m->host[h], 0, sizeof(m->host[h]));
        apply(m->f, &fact);
}

static void model_host_stuck(struct model *m, int h) {
        struct fact fact = {.kind = FACT_HOST_STUCK, .address.target.host = (uint32_t)h};

        fact.flag = any(m, 2) == 0;
        m->host[h].stuck = m->host[h].there && fact.flag;
        apply(m->f, &fact);
}

static void model_fill_device(struct model *m, struct fact *fact) {
        struct device_facts *facts = &fact->device;

        facts->type = any(m, 2) ? 0 : 5;
        facts->qualifier = any(m, 2) ? 0 : 1;
        facts->size = (uint64_t)any(m, 3) * 4096;
        facts->block_size = any(m, 2) ? 512 : 4096;
        pick(m, facts->vendor, sizeof(facts->vendor), "ACME", "");
        pick(m, facts->model, sizeof(facts->model), "disk", "DISK");
        pick(m, facts->revision, sizeof(facts->revision), "1", "2");
        pick(m, facts->state, sizeof(facts->state), "running", "offline");
        pick(m, facts->block, sizeof(facts->block), "sda", "");
        pick(m, facts->generic, sizeof(facts->generic), "sg0", "sg1");
        pick(m, facts->access_state, sizeof(facts->access_state), "standby", "");
        pick(m, fact->serial, sizeof(fact->serial), "S1", "S2");
        fact->standing = (enum standing)any(m, 4);
        for (int i = any(m, 3); i > 0; i--)
                facts->holders[i - 1] = g_strdup_printf("dm-%d", any(m, 2));
        if (fact->identity.count > 0 && any(m, 2)) {
                free(fact->identity.designators[0]);
                fact->identity.designators[0] = strdup("eui.1");
        }
}

/* The device is what the fact said it is. What the fact owned is gone. */
static void expect_told(const struct device *device, const struct fact *fact) {
        const struct device_facts *is = &device->facts, *told = &fact->device;

        g_assert_cmpstr(is->vendor, ==, told->vendor);
        g_assert_cmpstr(is->model, ==, told->model);
        g_assert_cmpstr(is->revision, ==, told->revision);
        g_assert_cmpuint(is->type, ==, told->type);
        g_assert_cmpuint(is->qualifier, ==, told->qualifier);
        g_assert_cmpstr(is->state, ==, told->state);
        g_assert_cmpstr(is->access_state, ==, told->access_state);
        g_assert_cmpstr(is->block, ==, told->block);
        g_assert_cmpstr(is->generic, ==, told->generic);
        g_assert_cmpuint(is->size, ==, told->size);
        g_assert_cmpuint(is->block_size, ==, told->block_size);
        g_assert_cmpstr(device->serial, ==, fact->serial);
        g_assert_cmpint(device->standing, ==, fact->standing);
}

static void model_device(struct model *m, int h) {
        int t = any(m, TARGETS), l = any(m, LUNS);
        struct scsi_address address = {{(uint32_t)h, 0, (uint32_t)t}, model_luns[l]};
        bool there = m->host[h].device[t][l].there;
        int identity = there && any(m, 2) ? m->host[h].device[t][l].identity : any(m, IDENTITIES);
        uint64_t instance = there && any(m, 4) ? m->host[h].device[t][l].instance : ++m->now;
        struct fact fact = device_fact(address, instance, model_identities[identity]), told;

        model_fill_device(m, &fact);
        told = fact;
        if (m->host[h].there) {
                m->host[h].device[t][l].there = true;
                m->host[h].device[t][l].instance = instance;
                m->host[h].device[t][l].identity = identity;
        }
        apply(m->f, &fact);
        if (m->host[h].there)
                expect_told(topology_device(m->f->topology, &address), &told);
}

static void model_device_gone(struct model *m, int h) {
        int t = any(m, TARGETS), l = any(m, LUNS);

        memset(&m->host[h].device[t][l], 0, sizeof(m->host[h].device[t][l]));
        drop_device(m->f, (struct scsi_address){{(uint32_t)h, 0, (uint32_t)t}, model_luns[l]});
}

static void model_attention(struct model *m, int h) {
        struct fact fact = {.kind = FACT_ATTENTION};

        fact.address.target.host = (uint32_t)h;
        fact.address.target.target = (uint32_t)any(m, TARGETS);
        fact.address.lun = model_luns[any(m, LUNS)];
        fact.attention = (enum unit_attention)any(m, ATTENTION_KINDS);
        apply(m->f, &fact);
}

static void model_reported(struct model *m, int h) {
        struct fact fact = {.kind = FACT_LUNS, .now = ++m->now};

        fact.address.target.host = (uint32_t)h;
        fact.address.target.target = (uint32_t)any(m, TARGETS);
        fact.luns = calloc(LUNS, sizeof(*fact.luns));
        for (int l = 0; l < LUNS; l++) {
                if (any(m, 2))
                        continue;
                fact.luns[fact.lun_count].lun = model_luns[l];
                fact.luns[fact.lun_count++].disposition = (enum disposition)any(m, 3);
        }
        apply(m->f, &fact);
}

static void model_move(struct model *m) {
        static void (*const moves[])(struct model * m, int h) = {
                model_host,   model_device,    model_device,   model_device,
                model_device, model_attention, model_reported, model_device_gone,
                model_device, model_device,    model_device,   model_host_stuck};
        int h = any(m, HOSTS);

        if (any(m, 40) == 0)
                model_host_gone(m, h);
        else
                moves[any(m, ELEMENTS_OF(moves))](m, h);
}

static void test_random(const void *most) {
        for (unsigned seed = 0; seed < 40; seed++) {
                struct fixture f;
                struct model m = {.f = &f, .random = g_rand_new_with_seed(seed)};

                fixture_set_up(&f, NULL);
                m.mirror = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                 (GDestroyNotify)g_strfreev);
                for (int batch = 0; batch < 200; batch++) {
                        const struct change *change;
                        bool single;

                        m.facts = 1 + any(&m, GPOINTER_TO_INT(most));
                        g_test_message("seed %u, batch %d of %d facts", seed, batch, m.facts);
                        for (int i = 0; i < m.facts; i++)
                                model_move(&m);
                        single = m.facts == 1 && is_single(f.changes);
                        TAILQ_FOREACH (change, change_set_entries(f.changes), entry)
                                mirror_change(&m, change, single);
                        publish(&f);
                        model_check(&m);
                        mirror_check(&m);
                }
                g_hash_table_unref(m.mirror);
                g_rand_free(m.random);
                fixture_tear_down(&f, NULL);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);

        g_test_add_data_func("/scan/topology/random-single", GINT_TO_POINTER(1), test_random);
        g_test_add_data_func("/scan/topology/random-batch", GINT_TO_POINTER(12), test_random);
        return g_test_run();
}
