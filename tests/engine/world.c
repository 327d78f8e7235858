/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "kernel/codec.h"
#include "kernel/uevent.h"
#include "policy/policy.h"
#include "world.h"

struct world {
        struct sim_machine *machine;
        struct engine *engine;
        GRand *random;
        GPtrArray *flying;     /* struct step */
        GQueue events;         /* struct event */
        GHashTable *announced; /* paths of objects that changes said are there */
        GPtrArray *notices;
        GHashTable *reasons; /* device -> why it went */
        bool losing;
        struct scan_time now;
        struct policy *policy; /* of world_set_policy() */
        uint8_t *data;
};

static void on_uevent(void *userdata, const char *action, const char *devpath,
                      const char *subsystem, const char *devtype, const char *const *extra) {
        struct world *world = userdata;
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        struct uevent uevent;
        struct event event;
        g_autofree char *head = g_strdup_printf("%s@%s", action, devpath);
        g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

        if (world->losing)
                return;
        g_ptr_array_add(words, g_strdup_printf("ACTION=%s", action));
        g_ptr_array_add(words, g_strdup_printf("DEVPATH=%s", devpath));
        g_ptr_array_add(words, g_strdup_printf("SUBSYSTEM=%s", subsystem));
        if (devtype)
                g_ptr_array_add(words, g_strdup_printf("DEVTYPE=%s", devtype));
        for (; extra && *extra; extra++)
                g_ptr_array_add(words, g_strdup(*extra));
        g_byte_array_append(bytes, (guint8 *)head, (guint)strlen(head) + 1);
        for (guint i = 0; i < words->len; i++)
                g_byte_array_append(bytes, words->pdata[i], (guint)strlen(words->pdata[i]) + 1);
        g_assert_cmpint(uevent_parse((char *)bytes->data, bytes->len, &uevent), ==, 0);
        if (uevent_map(&uevent, &event))
                g_queue_push_tail(&world->events, g_memdup2(&event, sizeof(event)));
}

struct world *world_new(struct sim_machine *machine, bool owner, uint32_t seed) {
        struct world *world = g_new0(struct world, 1);
        const struct engine_config config = {
                .owner = owner,
                .steps_per_host = WORKER_THREADS,
                .limits = &policy_limits_default,
        };

        world->machine = machine;
        world->engine = engine_new(&config);
        g_assert_nonnull(world->engine);
        world->random = g_rand_new_with_seed(seed);
        world->flying = g_ptr_array_new_with_free_func(g_free);
        g_queue_init(&world->events);
        world->announced = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        world->notices = g_ptr_array_new_with_free_func((GDestroyNotify)notice_free);
        world->reasons = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        world->now = (struct scan_time){.realtime = 1000000, .monotonic = 1};
        world->data = g_malloc(WORKER_DATA_MAX);
        sim_machine_on_uevent(machine, on_uevent, world);
        return world;
}

void world_free(struct world *world) {
        struct sim_machine *machine = world->machine;

        world_leave(world);
        sim_machine_free(machine);
}

void world_leave(struct world *world) {
        sim_machine_on_uevent(world->machine, NULL, NULL);
        engine_free(world->engine);
        policy_free(world->policy);
        g_rand_free(world->random);
        g_ptr_array_unref(world->flying);
        g_queue_clear_full(&world->events, g_free);
        g_hash_table_unref(world->announced);
        g_hash_table_unref(world->reasons);
        g_ptr_array_unref(world->notices);
        g_free(world->data);
        g_free(world);
}

struct engine *world_engine(struct world *world) {
        return world->engine;
}

struct sim_machine *world_machine(struct world *world) {
        return world->machine;
}

uint64_t world_set_policy(struct world *world, const char *rules, const char *quirks) {
        struct policy *policy = policy_new(&policy_limits_default), *before = world->policy;
        struct policy_error error;
        uint64_t job = 0;

        g_assert_nonnull(policy);
        if (policy_parse(policy, POLICY_FILE_QUIRKS, "quirks.conf", quirks ?: policy_quirks_builtin,
                         &error) < 0 ||
            policy_parse(policy, POLICY_FILE_RULES, "policy.conf", rules, &error) < 0)
                g_error("%s:%u: %s: expected %s", error.file, error.line, error.found,
                        error.expected);
        g_assert_cmpint(engine_set_policy(world->engine, policy, 0, world->now, &job), ==, 0);
        world->policy = policy;
        policy_free(before);
        return job;
}

void world_start(struct world *world) {
        g_assert_cmpint(engine_start(world->engine, world->now), ==, 0);
}

/* ---- what was announced ---- */

static char *object_name(const struct object_id *id) {
        char text[SCSI_ADDRESS_TEXT_MAX];

        switch (id->kind) {
        case OBJECT_HOST:
                return g_strdup_printf("host%u", id->address.target.host);
        case OBJECT_TARGET:
                return g_strdup_printf("target%s",
                                       scsi_target_address_format(&id->address.target, text));
        case OBJECT_DEVICE:
                return g_strdup(scsi_address_format(&id->address, text));
        case OBJECT_UNIT:
        default:
                return g_strdup_printf("unit %s", id->identity);
        }
}

/* What a client that only listens would know. */
static void take_changes(struct world *world) {
        _cleanup_(change_set_freep) struct change_set *set = engine_take_changes(world->engine);
        const struct change *change;
        const struct job *job;
        struct notice *notice;

        if (set)
                TAILQ_FOREACH (change, change_set_entries(set), entry) {
                        char *name = object_name(&change->id);

                        if (change->removed && change->id.kind == OBJECT_DEVICE)
                                g_hash_table_replace(world->reasons, g_strdup(name),
                                                     (void *)change->reason);
                        if (change->removed)
                                g_assert_true(g_hash_table_remove(world->announced, name));
                        else if (!change->added)
                                g_assert_true(g_hash_table_contains(world->announced, name));
                        if (change->added)
                                g_assert_true(g_hash_table_add(world->announced, name));
                        else
                                g_free(name);
                }
        while ((notice = engine_take_notice(world->engine)))
                g_ptr_array_add(world->notices, notice);
        while ((job = engine_take_job(world->engine)))
                g_assert_cmpuint(job->steps_done, <=, job->steps_total);
}

static int count_object(const struct object_id *id, void *userdata) {
        struct world *world = userdata;
        g_autofree char *name = object_name(id);

        if (!g_hash_table_contains(world->announced, name))
                g_error("%s is in the topology and was never announced", name);
        world->now.monotonic++;
        return 0;
}

/* ---- doing things ---- */

static void list_objects(struct world *world, struct observation *observation) {
        g_autofree char *text = sim_objects(world->machine);
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        struct inventory *inventory = &observation->inventory;
        guint count = g_strv_length(lines);

        inventory->hosts = calloc(count + 1, sizeof(*inventory->hosts));
        inventory->devices = calloc(count + 1, sizeof(*inventory->devices));
        for (char **line = lines; *line; line++) {
                if (scsi_host_parse(*line, &inventory->hosts[inventory->host_count]) == 0)
                        inventory->host_count++;
                else if (scsi_address_parse(*line, &inventory->devices[inventory->device_count]) ==
                         0)
                        inventory->device_count++;
        }
        qsort(inventory->devices, inventory->device_count, sizeof(*inventory->devices),
              (int (*)(const void *, const void *))scsi_address_compare);
}

/* False when the machine holds the request. */
static bool do_step(struct world *world, const struct step *step) {
        struct observation observation = {.step = *step, .observed = OBSERVED_GOOD};
        struct worker_request request;
        struct worker_reply reply = {};

        if (step->kind == STEP_LIST) {
                list_objects(world, &observation);
        } else {
                request = codec_request(step);
                switch (sim_machine_serve(world->machine, &request, &reply, world->data)) {
                case SIM_ANSWERED:
                        observation = codec_observe(step, &reply, world->data);
                        break;
                case SIM_DIED:
                        observation.observed = OBSERVED_LOST;
                        break;
                case SIM_HELD:
                        return false;
                }
        }
        g_assert_cmpint(engine_observe(world->engine, &observation, world->now), ==, 0);
        return true;
}

static bool begin_step(struct world *world) {
        struct step step;

        if (!engine_next(world->engine, world->now, &step))
                return false;
        g_ptr_array_add(world->flying, g_memdup2(&step, sizeof(step)));
        return true;
}

static bool finish_step(struct world *world) {
        guint count = world->flying->len;
        guint first = count > 0 ? (guint)g_rand_int_range(world->random, 0, (gint32)count) : 0;

        for (guint i = 0; i < count; i++) {
                guint at = (first + i) % count;

                if (do_step(world, world->flying->pdata[at])) {
                        g_ptr_array_remove_index_fast(world->flying, at);
                        return true;
                }
        }
        return false;
}

static bool deliver_event(struct world *world) {
        struct event *event = g_queue_pop_head(&world->events);

        if (!event)
                return false;
        g_assert_cmpint(engine_event(world->engine, event, world->now), ==, 0);
        g_free(event);
        return true;
}

bool world_step(struct world *world) {
        static bool (*const moves[])(struct world *) = {begin_step, finish_step, deliver_event};
        guint first = (guint)g_rand_int_range(world->random, 0, G_N_ELEMENTS(moves));

        world->now.monotonic += 10;
        world->now.realtime += 10;
        if (g_rand_int_range(world->random, 0, 20) == 0)
                take_changes(world);
        for (guint i = 0; i < G_N_ELEMENTS(moves); i++)
                if (moves[(first + i) % G_N_ELEMENTS(moves)](world))
                        return true;
        return false;
}

void world_settle(struct world *world) {
        unsigned steps = 0;

        while (world_step(world))
                g_assert_cmpuint(++steps, <, 10000000); /* else it feeds itself */
        if (world->flying->len == 0)
                g_assert_false(engine_is_busy(world->engine));
        take_changes(world);
}

void world_pass(struct world *world, uint64_t usec) {
        uint64_t end = world->now.monotonic + usec;

        for (;;) {
                uint64_t wake;

                world_settle(world);
                wake = engine_wake_at(world->engine);
                if (wake > end)
                        break;
                if (wake > world->now.monotonic) {
                        world->now.realtime += wake - world->now.monotonic;
                        world->now.monotonic = wake;
                }
        }
        if (world->now.monotonic < end)
                world->now.monotonic = end;
        world_settle(world);
}

struct scan_time world_now(struct world *world) {
        return world->now;
}

const struct job *world_order(struct world *world, const struct device_request *request,
                              const char *text) {
        struct device_request full = *request;
        struct scope scope = {};
        uint64_t job = 0;

        g_assert_cmpint(scope_parse(text, &scope, NULL), ==, 0);
        full.scope = &scope;
        full.scope_text = text;
        g_assert_cmpint(engine_order(world->engine, &full, world->now, &job), ==, 0);
        scope_done(&scope);
        world_settle(world);
        g_assert_true(job_is_finished(world_job(world, job)));
        return world_job(world, job);
}

unsigned world_notices(struct world *world, enum notice_kind kind) {
        unsigned count = 0;

        for (guint i = 0; i < world->notices->len; i++)
                count += ((struct notice *)world->notices->pdata[i])->kind == kind;
        return count;
}

const struct notice *world_last_notice(struct world *world, enum notice_kind kind) {
        for (guint i = world->notices->len; i > 0; i--)
                if (((struct notice *)world->notices->pdata[i - 1])->kind == kind)
                        return world->notices->pdata[i - 1];
        g_assert_not_reached();
}

const char *world_detach_reason(struct world *world, struct scsi_address address) {
        char text[SCSI_ADDRESS_TEXT_MAX];

        return g_hash_table_lookup(world->reasons, scsi_address_format(&address, text)) ?: "";
}

void world_lose_uevents(struct world *world, bool lose) {
        struct event resync = {.kind = EVENT_RESYNC};

        world->losing = lose;
        if (!lose)
                g_queue_push_tail(&world->events, g_memdup2(&resync, sizeof(resync)));
}

uint64_t world_scan(struct world *world, const char *text) {
        struct scope scope = {};
        struct scan_request request = {
                .scope = &scope, .scope_text = text, .verify = true, .attach = true};
        uint64_t job = 0;

        g_assert_cmpint(scope_parse(text, &scope, NULL), ==, 0);
        g_assert_cmpint(engine_scan(world->engine, &request, world->now, &job), ==, 0);
        scope_done(&scope);
        return job;
}

const struct job *world_job(struct world *world, uint64_t id) {
        const struct job *job = engine_job(world->engine, id);

        g_assert_nonnull(job);
        return job;
}

/* ---- checking ---- */

static int list_device(const struct object_id *id, void *userdata) {
        GArray *devices = userdata;

        if (id->kind == OBJECT_DEVICE)
                g_array_append_val(devices, id->address);
        return 0;
}

char *world_devices(struct world *world) {
        struct scope all = {.kind = SCOPE_ALL};
        g_autoptr(GArray) devices = g_array_new(FALSE, FALSE, sizeof(struct scsi_address));
        GString *text = g_string_new(NULL);

        scope_find(&all, engine_topology(world->engine), list_device, devices);
        g_array_sort(devices, (GCompareFunc)scsi_address_compare);
        for (guint i = 0; i < devices->len; i++) {
                char address[SCSI_ADDRESS_TEXT_MAX];

                g_string_append_printf(
                        text, "%s\n",
                        scsi_address_format(&g_array_index(devices, struct scsi_address, i),
                                            address));
        }
        return g_string_free(text, FALSE);
}

void world_check(struct world *world) {
        struct scope all = {.kind = SCOPE_ALL};
        g_autofree char *view = world_devices(world);
        g_autofree char *kernel = sim_attached(world->machine);
        uint64_t before = world->now.monotonic;

        g_assert_cmpstr(view, ==, kernel);
        scope_find(&all, engine_topology(world->engine), count_object, world);
        g_assert_cmpuint(world->now.monotonic - before, ==, g_hash_table_size(world->announced));
}
